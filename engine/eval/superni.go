package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tunebook/engine/data"
	"tunebook/engine/model"
)

// SuperNI says how models are asked by the protocol of Super-NaturalInstructions. The zero value is the protocol: the first 100
// instances of each task, its definition and two positive examples in the prompt, greedy answers of at most 128 tokens,
// prompts of at most 1,024.
type SuperNI struct {
	Files     []string // task files, as they are published
	Raw       bool     // ask with the prompt as plain text; otherwise it is the user's message in the model's chat template
	Instances int      // of each task at most; 100 when 0
	Positive  int      // positive examples in the prompt; 2 when 0, none when negative
	MaxSource int      // tokens of the prompt at most, 1024 when 0: examples that do not fit are left out, then the input's end
	MaxNew    int      // 128 when 0
	Batch     int
}

// SuperNIResult is what the protocol gives.
type SuperNIResult struct {
	RougeL     Score // stemmed, over all instances
	ExactMatch Score // with the protocol's normalisation
	Tasks      []SuperNITask
}

// SuperNITask is one task's part of the result.
type SuperNITask struct {
	Name, Category string
	Metric         string // by which its category is reported: exact match for classification, ROUGE-L for the rest
	Score          Score
}

// superNIExact are the categories that the protocol reports by exact match.
var superNIExact = []string{"Textual Entailment", "Cause Effect Classification", "Coreference Resolution", "Dialogue Act Recognition",
	"Answerability Classification", "Word Analogy"}

type superNIFile struct {
	Definition textList
	Categories textList
	Positive   []struct{ Input, Output string } `json:"Positive Examples"`
	Instances  []struct {
		Input  string
		Output textList
	}
}

// textList is a text or a list of texts.
type textList []string

// UnmarshalJSON reads either form.
func (t *textList) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = textList{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// Run asks the model about every task. Notes of the scores count the prompts that lost examples or the end of their input.
//
// Source: Wang et al. 2022, arXiv:2204.07705, section 5 and the published evaluation script.
func (s SuperNI) Run(ctx context.Context, m *model.Model, done func(n int)) (SuperNIResult, error) {
	fill := func(v *int, usual int) {
		if *v == 0 {
			*v = usual
		}
	}
	fill(&s.Instances, 100)
	fill(&s.Positive, 2)
	fill(&s.MaxSource, 1024)
	fill(&s.MaxNew, 128)
	s.Positive = max(0, s.Positive)
	if len(s.Files) == 0 {
		return SuperNIResult{}, fmt.Errorf("eval.SuperNI: no task files; wanted at least one")
	}
	var examples []data.Example
	category := map[string]string{}
	fewer, cut := 0, 0
	for _, path := range s.Files {
		name, f, err := readSuperNI(path, s.Positive)
		if err != nil {
			return SuperNIResult{}, err
		}
		if _, twice := category[name]; twice {
			return SuperNIResult{}, fmt.Errorf("eval.SuperNI: task %s is there twice", name)
		}
		category[name] = ""
		if len(f.Categories) > 0 {
			category[name] = f.Categories[0]
		}
		for i, in := range f.Instances[:min(s.Instances, len(f.Instances))] {
			if len(in.Output) == 0 {
				return SuperNIResult{}, fmt.Errorf("eval.SuperNI: %s: instance %d has no output", path, i)
			}
			prompt, left, shortened := s.prompt(m, f, in.Input)
			fewer += int(truth(left > 0))
			cut += int(truth(shortened))
			examples = append(examples, data.Example{Prompt: prompt, Answer: in.Output[0], Refs: in.Output[1:], Task: name, Source: name, Row: i})
		}
	}
	// The prompt's last blank belongs to the answer's first token.
	task := Task{Name: "Super-NaturalInstructions", Examples: examples, Raw: s.Raw, MaxNew: s.MaxNew, Batch: s.Batch}
	if s.Raw {
		for i := range examples {
			examples[i].Prompt = strings.TrimRight(examples[i].Prompt, " ")
		}
		task.Stops = []string{"\n\n"} // as the prompt parts its examples
	}
	rows, how, err := task.Rows(ctx, m, done)
	if err != nil {
		return SuperNIResult{}, err
	}
	how.Template += fmt.Sprintf("; definition and %d positive examples within %d tokens", s.Positive, s.MaxSource)
	rouge, err := Find("rougeL+stem")
	if err != nil {
		return SuperNIResult{}, err
	}
	var out SuperNIResult
	if out.RougeL, err = ScoreTexts(rouge, rows, how); err != nil {
		return out, err
	}
	if out.ExactMatch, err = ScoreTexts(SuperNIMatch(), rows, how); err != nil {
		return out, err
	}
	var notes []string
	if fewer > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d prompts had room for fewer than %d positive examples", fewer, len(rows), s.Positive))
	}
	if cut > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d prompts lost the end of their input", cut, len(rows)))
	}
	out.RougeL.Notes, out.ExactMatch.Notes = append(out.RougeL.Notes, notes...), append(out.ExactMatch.Notes, notes...)
	for from := 0; from < len(rows); {
		to := from
		for to < len(rows) && rows[to].Task == rows[from].Task {
			to++
		}
		name := rows[from].Task
		metric := rouge
		if slices.Contains(superNIExact, category[name]) {
			metric = SuperNIMatch()
		}
		part := how
		part.TestSet = name
		score, err := ScoreTexts(metric, rows[from:to], part)
		if err != nil {
			return out, err
		}
		out.Tasks = append(out.Tasks, SuperNITask{name, category[name], metric.Name, score})
		from = to
	}
	return out, nil
}

func readSuperNI(path string, positive int) (string, superNIFile, error) {
	var f superNIFile
	b, err := os.ReadFile(path)
	if err != nil {
		return "", f, fmt.Errorf("eval.SuperNI: %w", err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return "", f, fmt.Errorf("eval.SuperNI: %s: %w", path, err)
	}
	switch {
	case len(f.Definition) == 0:
		return "", f, fmt.Errorf("eval.SuperNI: %s: no Definition", path)
	case len(f.Instances) == 0:
		return "", f, fmt.Errorf("eval.SuperNI: %s: no Instances", path)
	case len(f.Positive) < positive:
		return "", f, fmt.Errorf("eval.SuperNI: %s: %d positive examples; wanted %d", path, len(f.Positive), positive)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".json")
	if !strings.HasPrefix(name, "task") {
		name = filepath.Base(filepath.Dir(path))
	}
	return name, f, nil
}

// prompt returns the protocol's prompt, how many positive examples it has no room for, and whether the input was cut.
func (s SuperNI) prompt(m *model.Model, f superNIFile, input string) (prompt string, left int, cut bool) {
	size := func(text string) int { return len(m.Tokenizer.Encode(text)) }
	head := "Definition: " + ended(f.Definition[0]) + "\n\n"
	tail := func(input string) string {
		return "Now complete the following example -\nInput: " + ended(input) + "\nOutput: "
	}
	text := tail(input)
	shown := ""
	for i, p := range f.Positive[:s.Positive] {
		next := fmt.Sprintf(" Positive Example %d -\nInput: %s\n Output: %s\n\n", i+1, ended(p.Input), ended(p.Output))
		if size(head+shown+next+text) > s.MaxSource {
			left = s.Positive - i
			break
		}
		shown += next
	}
	for words := strings.Fields(input); size(head+shown+text) > s.MaxSource && len(words) > 1; cut = true {
		words = words[:len(words)*9/10]
		text = tail(strings.Join(words, " "))
	}
	return head + shown + text, left, cut
}

// ended returns the text without white space around it and with a full stop at its end, where it has no ASCII punctuation there.
func ended(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s[len(s)-1]) < 0 {
		s += "."
	}
	return s
}
