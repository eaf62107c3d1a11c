package data

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
)

// SuperNIOptions are the choices of ReadSuperNI.
type SuperNIOptions struct {
	Positive     int       // positive examples of the file that every prompt shows; an error when there are fewer
	Negative     int       // negative examples likewise
	Explain      bool      // with the explanations that the shown examples have
	Official     bool      // in the form of the benchmark's own models, Tk-Instruct: see ReadSuperNI
	MaxInstances int       // the first so many instances are taken; 0 for all
	OnError      RowPolicy // what to do with an instance that cannot be used
}

// superNITask is the name that Super-NaturalInstructions gives a task: "task875_emotion_classification".
var superNITask = regexp.MustCompile(`task\d+_.*`)

// ReadSuperNI returns the instances of a Super-NaturalInstructions task file. The prompt is the task's definition, the
// positive examples asked for, and the instance's input, with blank lines between them; Answer is the first output and
// Refs are the others.
//
//	s, err := ReadSuperNI("tasks/task875_emotion_classification.json", SuperNIOptions{Positive: 2})
//
// With positive examples, each is "Example 1", "Input: …" and "Output: …" on lines of their own, and the instance's input
// and an empty "Output:" have the same form; a negative example is called "Wrong example 1". With Official the prompt is that
// of Tk-Instruct (the benchmark's "def", "def + 2 pos", …): the first definition after "Definition: ", " Positive Example 1 -"
// with " Output: …", and "Now complete the following example -", where each part that ends in no mark of punctuation gets a
// full stop. Definition and output may be a text or a list; parts of a definition have a blank line
// between them. Where the file is the train.json or test.json of a task's folder, the set's name is "<task>/train".
// Errors are those of ReadJSON. Source: Wang et al. 2022, arXiv:2204.07705.
func ReadSuperNI(path string, o SuperNIOptions) (*Set, error) {
	s, _, err := readSuperNI(path, o)
	return s, err
}

// readSuperNI is ReadSuperNI with the file's sum.
func readSuperNI(path string, o SuperNIOptions) (*Set, []fileSum, error) {
	const op = "data.SuperNI"
	if o.Positive < 0 || o.Negative < 0 || o.MaxInstances < 0 {
		return nil, nil, fmt.Errorf("%s: %s: SuperNIOptions has Positive %d, Negative %d and MaxInstances %d; wanted 0 or more", op, path, o.Positive, o.Negative, o.MaxInstances)
	}
	if o.Explain && o.Positive+o.Negative == 0 {
		return nil, nil, fmt.Errorf("%s: %s: SuperNIOptions has Explain and shows no examples; wanted Positive or Negative", op, path)
	}
	f := Fields{Input: "input", Output: "output", OnError: o.OnError}
	if err := f.check(op, path); err != nil {
		return nil, nil, err
	}
	name, task := superNINames(path)
	f.Task = task
	t := &superNI{rowReader: rowReader{op: op, path: path, whole: path, fields: f}, options: o}
	if err := t.readFile(t.read); err != nil {
		return nil, nil, err
	}
	s, err := t.set(name)
	if err != nil {
		return nil, nil, err
	}
	head, err := t.prompt()
	if err != nil {
		return nil, nil, err
	}
	for i := range s.Rows {
		e := &s.Rows[i]
		input := len(e.Prompt)
		e.Prompt = head(e.Prompt)
		if o.Positive+o.Negative == 0 && !o.Official { // otherwise "Output:" stands after the input
			e.Input = len(e.Prompt) - input
		}
	}
	if o.MaxInstances > 0 && t.instances > o.MaxInstances {
		s.Available = t.instances
		s.Notes = append(s.Notes, fmt.Sprintf("the first %d of %d instances", o.MaxInstances, t.instances))
	}
	return s, t.sums, nil
}

// superNINames returns the set's and the task's name for a path.
func superNINames(path string) (name, task string) {
	name = baseName(path)
	if task = superNITask.FindString(name); task != "" {
		return name, task
	}
	if abs, err := filepath.Abs(path); err == nil {
		if task = superNITask.FindString(filepath.Base(filepath.Dir(abs))); task != "" {
			return task + "/" + name, task
		}
	}
	return name, name
}

// superNI is a task file while it is read. Its parts may come in any order, the definition after the instances too.
type superNI struct {
	rowReader
	options    SuperNIOptions
	instances  int
	found      map[string]int // line of each part, by key
	definition []string
	positive   []shown
	negative   []shown
}

// shown is an example that prompts show.
type shown struct{ input, output, explanation string }

// read reads the file's one object.
func (t *superNI) read(r *bufio.Reader) error {
	t.found = map[string]int{}
	s := newJSONScanner(r)
	b, err := s.peek()
	if err == io.EOF {
		return fmt.Errorf("%s: %s: the file is empty; wanted a task", t.op, t.path)
	}
	if err == nil && b != '{' {
		return fmt.Errorf("%s: %s: the file begins with %q; wanted an object with Definition and Instances", t.op, t.path, b)
	}
	var broken error // about a part that is not an instance
	err = s.members(func(line int, key string) error {
		if err := json.Unmarshal([]byte(key), &key); err != nil {
			return fmt.Errorf("a key is no text: %w", err)
		}
		if before, twice := t.found[key]; twice {
			return fmt.Errorf("%q is there twice, first on line %d; wanted it once", key, before)
		}
		t.found[key] = line
		if key == "Instances" {
			if b, err := s.peek(); err == nil && b != '[' {
				s.text = s.ahead()
				return fmt.Errorf("Instances begins with %q; wanted a list", b)
			}
			return s.elements(t.instance)
		}
		raw, line, err := s.value()
		if err == nil && broken == nil {
			broken = t.part(line, key, raw)
		}
		return err
	})
	if err == nil {
		err = s.end()
	}
	t.stopAt(s, err)
	if err != nil {
		return nil
	}
	if broken != nil {
		return broken
	}
	for _, key := range []string{"Definition", "Instances"} {
		if t.found[key] == 0 {
			return fmt.Errorf("%s: %s: no %q; wanted a task with Definition and Instances", t.op, t.path, key)
		}
	}
	return nil
}

// instance reads one element of Instances.
func (t *superNI) instance(line int, raw []byte) error {
	if t.instances++; t.options.MaxInstances == 0 || t.instances <= t.options.MaxInstances {
		t.jsonRow(line, raw)
	}
	return nil
}

// part keeps the definition and the positive examples; other parts are not needed and may be anything that is JSON.
func (t *superNI) part(line int, key string, raw []byte) error {
	if what, at := jsonFault(raw); what != "" {
		return fmt.Errorf("%s: %w", t.op, t.rowError(line+bytes.Count(raw[:at], []byte("\n")), -1, around(raw, at), "%s: %s", key, what))
	}
	switch key {
	case "Definition":
		texts, at, what := t.jsonTexts([]byte(`{"Definition":`+string(raw)+`}`), key)
		if what == "" && paragraphs(append([]string(nil), texts...)...) == "" {
			at, what = raw, "is empty; wanted the task's definition"
		}
		if what != "" {
			return fmt.Errorf("%s: %w", t.op, t.rowError(line, -1, at, "%s", what))
		}
		t.definition = texts
	case "Positive Examples":
		return t.examples(line, key, raw, t.options.Positive, &t.positive)
	case "Negative Examples":
		return t.examples(line, key, raw, t.options.Negative, &t.negative)
	}
	return nil
}

// examples keeps the first n examples of a part.
func (t *superNI) examples(line int, key string, raw []byte, n int, out *[]shown) error {
	if n == 0 {
		return nil
	}
	if raw[0] != '[' {
		return fmt.Errorf("%s: %w", t.op, t.rowError(line, -1, raw, "%s is %s; wanted a list", key, jsonKind(raw)))
	}
	c := rowReader{op: t.op, path: t.path, fields: Fields{Input: "input", Output: "output"}}
	jsonElements(raw, func(e []byte) {
		if len(*out) == n {
			return
		}
		c.jsonRow(line, e)
		if len(c.bad) > 0 || len(c.rows) <= len(*out) {
			return
		}
		x := shown{input: c.rows[len(*out)].Prompt, output: c.rows[len(*out)].Answer}
		if t.options.Explain {
			text, at, what := c.jsonOptional(e, "explanation")
			if what != "" {
				c.reject(line, at, "%s", what)
			}
			x.explanation = text
		}
		*out = append(*out, x)
	})
	if len(c.bad) > 0 {
		e := c.bad[0]
		e.What = fmt.Sprintf("%s: number %d: %s", key, e.Row+1, e.What)
		return fmt.Errorf("%s: %w", t.op, e)
	}
	return nil
}

// prompt returns the function that makes an instance's prompt of its input.
func (t *superNI) prompt() (func(input string) string, error) {
	if n := len(t.positive); n < t.options.Positive {
		return nil, fmt.Errorf("%s: %s: there are %d positive examples; wanted %d", t.op, t.path, n, t.options.Positive)
	}
	if n := len(t.negative); n < t.options.Negative {
		return nil, fmt.Errorf("%s: %s: there are %d negative examples; wanted %d", t.op, t.path, n, t.options.Negative)
	}
	if t.options.Official {
		return t.official(), nil
	}
	head := paragraphs(append([]string(nil), t.definition...)...)
	if len(t.positive)+len(t.negative) == 0 {
		return func(input string) string { return head + "\n\n" + input }, nil
	}
	var b strings.Builder
	b.WriteString(head)
	write := func(name string, list []shown) {
		for i, x := range list {
			fmt.Fprintf(&b, "\n\n%s %d\nInput: %s\nOutput: %s", name, i+1, x.input, x.output)
			if x.explanation != "" {
				b.WriteString("\nExplanation: " + x.explanation)
			}
		}
	}
	write("Example", t.positive)
	write("Wrong example", t.negative)
	b.WriteString("\n\nInput: ")
	head = b.String()
	return func(input string) string { return head + input + "\nOutput:" }, nil
}

// official is prompt in the form of Tk-Instruct.
func (t *superNI) official() func(input string) string {
	ended := func(s string) string {
		if strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s[len(s)-1]) < 0 {
			s += "."
		}
		return s
	}
	var b strings.Builder
	b.WriteString(ended("Definition: "+strings.TrimSpace(t.definition[0])) + "\n\n")
	write := func(name string, list []shown) {
		for i, x := range list {
			fmt.Fprintf(&b, " %s Example %d -\n", name, i+1)
			b.WriteString(ended("Input: "+strings.TrimSpace(x.input)) + "\n")
			b.WriteString(ended(" Output: "+strings.TrimSpace(x.output)) + "\n")
			if x.explanation != "" {
				b.WriteString(ended(" Explanation: "+strings.TrimSpace(x.explanation)) + "\n")
			}
			b.WriteString("\n")
		}
	}
	write("Positive", t.positive)
	write("Negative", t.negative)
	b.WriteString("Now complete the following example -\n")
	head := b.String()
	return func(input string) string {
		return head + ended("Input: "+strings.TrimSpace(input)) + "\nOutput: "
	}
}
