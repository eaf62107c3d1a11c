package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// formatOf takes the format from the file's name and, for .json and names without a known extension, its beginning.
func formatOf(op, path string) (Format, error) {
	ext := extension(path)
	format := extensions[ext]
	if format != "" && format != JSON {
		return format, nil
	}
	var head []byte
	err := readFile(op, path, nil, func(r *bufio.Reader) error {
		b := make([]byte, 1<<16)
		n, err := io.ReadFull(r, b)
		head = b[:n]
		if err == io.EOF || err == io.ErrUnexpectedEOF && n > 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %s", op, path, readFault(err))
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	head = trimJSON(head)
	switch {
	case len(head) == 0:
		return "", fmt.Errorf("%s: %s: there are 0 rows; wanted at least 1", op, path)
	case bytes.HasPrefix(head, []byte("PAR1")):
		return Parquet, nil
	case head[0] == '[':
		return JSON, nil
	case head[0] == '{':
		return objectFormat(op, path, head)
	case format == JSON:
		return "", fmt.Errorf("%s: %s: the file begins with %q; wanted a list of objects or an object a line", op, path, shorten(head))
	}
	return "", fmt.Errorf("%s: %s: the name does not say a format, and the file begins with %q, which can be text, CSV or more; wanted OpenOptions.Format, or data.CSV, data.TSV or data.Texts", op, path, shorten(head))
}

// objectFormat tells a task of Super-NaturalInstructions from an object a line, by the beginning of the file.
func objectFormat(op, path string, head []byte) (Format, error) {
	s := newJSONScanner(bufio.NewReader(bytes.NewReader(head)))
	object, _, err := s.value()
	if err == nil {
		if _, err := s.peek(); err == nil || bytes.IndexByte(trimJSON(object), '\n') < 0 {
			return JSONL, nil
		}
	}
	task := 0
	for _, key := range []string{`"Definition"`, `"Instances"`, `"Positive Examples"`, `"Contributors"`, `"Categories"`} {
		if bytes.Contains(head, []byte(key)) {
			task++
		}
	}
	switch {
	case task >= 2:
		return SuperNI, nil
	case bytes.IndexByte(head, '\n') < 0:
		return JSONL, nil // a row that is longer than what was looked at
	}
	return "", fmt.Errorf("%s: %s: the file begins with an object of several lines, %s; wanted a list of objects, an object a line, or a task with Definition and Instances", op, path, shorten(head))
}

// guess is what a file seems to hold.
type guess struct {
	path   string
	format Format
	fields Fields
	kind   string // what the rows are called
}

// String names format, kind and fields.
func (g *guess) String() string {
	s := string(g.format)
	if c := compression(g.path); c != "" {
		s += c
	}
	if g.kind != "" {
		s += ", " + g.kind
	}
	f := &g.fields
	var parts []string
	for _, p := range []struct{ what, name string }{
		{"messages", f.Messages}, {"input", f.Input}, {"context", f.Context}, {"choices", f.Choices}, {"output", f.Output}, {"system", f.System},
	} {
		if p.name != "" {
			parts = append(parts, fmt.Sprintf("%s %q", p.what, p.name))
		}
	}
	if len(parts) > 0 {
		s += " (" + strings.Join(parts, ", ") + ")"
	}
	return s
}

// layouts are the rows that are known by their fields. A row is of a layout when it has the fields in need, and none of
// those in not.
var layouts = []struct {
	kind   string
	need   []string
	not    []string
	maybe  []string // optional fields, the context first, then the system message
	fields Fields
}{
	{"OpenAI messages", []string{"messages"}, nil, []string{"", "system"}, Fields{Messages: "messages"}},
	{"ShareGPT", []string{"conversations"}, nil, []string{"", "system"}, Fields{Messages: "conversations"}},
	{"ShareGPT", []string{"conversation"}, nil, []string{"", "system"}, Fields{Messages: "conversation"}},
	{"multiple choice", []string{"question", "choices", "answer"}, nil, []string{"", "system"}, Fields{Input: "question", Choices: "choices", Output: "answer"}},
	{"multiple choice", []string{"question", "choices", "answerKey"}, nil, []string{"", "system"}, Fields{Input: "question", Choices: "choices", Output: "answerKey"}},
	{"multiple choice", []string{"question", "options", "answer"}, []string{"choices"}, []string{"", "system"}, Fields{Input: "question", Choices: "options", Output: "answer"}},
	{"Alpaca", []string{"instruction", "output"}, nil, []string{"input", "system"}, Fields{Input: "instruction", Output: "output"}},
	{"instruction and response", []string{"instruction", "response"}, nil, []string{"input", "system"}, Fields{Input: "instruction", Output: "response"}},
	{"prompt and completion", []string{"prompt", "completion"}, nil, []string{"", "system"}, Fields{Input: "prompt", Output: "completion"}},
	{"prompt and response", []string{"prompt", "response"}, nil, []string{"", "system"}, Fields{Input: "prompt", Output: "response"}},
	{"question and answer", []string{"question", "answer"}, []string{"choices", "options"}, []string{"context", "system"}, Fields{Input: "question", Output: "answer"}},
}

// find fills what g does not say yet, from the first row.
func (g *guess) find(op string, document bool) error {
	f := &g.fields
	switch g.format {
	case SuperNI:
		if document || f.Input+f.Output+f.Messages != "" {
			return fmt.Errorf("%s: %s: the file is a task of Super-NaturalInstructions, which has no fields to choose; wanted no Fields", op, g.path)
		}
		return nil
	case Text:
		if !document {
			return fmt.Errorf("%s: %s: the file is plain text, which has no prompts and answers; wanted rows (data.Texts reads documents)", op, g.path)
		}
		return nil
	}
	if f.Input+f.Output+f.Messages != "" {
		g.kind = "fields as given"
		return nil
	}
	row, err := firstRow(op, g.path, g.format)
	if err != nil {
		return err
	}
	has := func(name string) bool {
		_, n := jsonMember(row, name)
		return n == 1
	}
	if document {
		if !has("text") {
			return g.unknown(op, row, "no field \"text\"")
		}
		g.kind, f.Output = "documents", "text"
		return nil
	}
	var found []int
	for i := range layouts {
		l := &layouts[i]
		fits := true
		for _, name := range l.need {
			fits = fits && has(name)
		}
		for _, name := range l.not {
			fits = fits && !has(name)
		}
		if fits && l.fields.Messages != "" {
			value, _ := jsonMember(row, l.fields.Messages)
			fits = value[0] == '['
		}
		if fits {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		return g.unknown(op, row, "they are of no known kind")
	}
	if len(found) > 1 {
		var kinds []string
		for _, i := range found {
			kinds = append(kinds, layouts[i].kind)
		}
		return g.unknown(op, row, "they can be "+strings.Join(kinds, " or "))
	}
	l := &layouts[found[0]]
	g.kind = l.kind
	f.Messages, f.Input, f.Output, f.Choices = l.fields.Messages, l.fields.Input, l.fields.Output, l.fields.Choices
	if name := l.maybe[0]; name != "" && f.Context == "" && has(name) {
		f.Context = name
	}
	if name := l.maybe[1]; f.System == "" && has(name) {
		f.System = name
	}
	return nil
}

// unknown returns the error for rows whose fields do not say what they are.
func (g *guess) unknown(op string, row []byte, what string) error {
	call := map[Format]string{JSONL: "data.JSONL", JSON: "data.JSON", CSV: "data.CSV", TSV: "data.CSV", Parquet: "data.Parquet"}[g.format]
	return fmt.Errorf("%s: %s: the rows have the fields %s: %s; wanted to be told, as in %s(%q, data.Fields{Input: …, Output: …})", op, g.path, jsonNames(row), what, call, g.path)
}

// firstRow returns the first usable object of a file, or for CSV one with the columns.
func firstRow(op, path string, format Format) ([]byte, error) {
	c := &rowReader{op: op, path: path, whole: path, fields: Fields{OnError: Skip}}
	var row []byte
	c.sniff = func(first []byte) { row = bytes.Clone(first) }
	if err := c.file(format); err != nil {
		return nil, err
	}
	if row == nil {
		if _, err := c.verdict(); err != nil {
			return nil, err
		}
		return nil, errors.New("data: no first row") // verdict has an error where there is none
	}
	return row, nil
}
