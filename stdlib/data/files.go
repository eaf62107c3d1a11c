package data

import (
	"errors"
	"fmt"

	core "tunebook/engine/data"
	"tunebook/stdlib/stop"
)

// Fields says which fields of a file's rows make an example.
//
//	data.Fields{Input: "question", Output: "answer"}
//	data.Fields{Input: "instruction", Context: "input", Output: "response"} // the prompt is both, a blank line between
//	data.Fields{Input: "prompt", Output: "completion", Strip: "<|endoftext|>", OnError: data.Skip}
type Fields = core.Fields

// RowPolicy says what a reader does with a row that it cannot use.
type RowPolicy = core.RowPolicy

const (
	Stop RowPolicy = core.Stop // the cell stops and names the first ten such rows, file, line and text, and how many more there are
	Skip RowPolicy = core.Skip // they are left out, and the set's Notes say how many were
)

// SuperNIOptions are the choices of SuperNI.
type SuperNIOptions = core.SuperNIOptions

// JSONL returns the rows of a file with one JSON object a line, also of one that ends in .gz.
//
//	spec := data.JSONL("gsm8k/train.jsonl", data.Fields{Input: "question", Output: "answer"})
func JSONL(path string, f Fields) *Set {
	s, err := core.ReadJSONL(path, f)
	return read("data.JSONL", s, err)
}

// JSON returns the rows of a file that is one list of JSON objects.
//
//	general := data.JSON("roleplay.json", data.Fields{Input: "instruction", Context: "input", Output: "response"})
func JSON(path string, f Fields) *Set {
	s, err := core.ReadJSON(path, f)
	return read("data.JSON", s, err)
}

// CSV returns the rows of a comma-separated file with a header, or a tab-separated one that ends in .tsv.
//
//	spec := data.CSV("banking77/train.csv", data.Fields{Input: "text", Output: "category"})
func CSV(path string, f Fields) *Set {
	s, err := core.ReadCSV(path, f)
	return read("data.CSV", s, err)
}

// SuperNI returns the instances of a Super-NaturalInstructions task file; the prompt is the definition, the positive
// examples asked for, and the instance's input.
//
//	spec := data.SuperNI("tasks/task875_emotion_classification.json")
//	shot := data.SuperNI("tasks/task875_emotion_classification.json", data.SuperNIOptions{Positive: 2, MaxInstances: 100})
func SuperNI(path string, opts ...SuperNIOptions) *Set {
	var o SuperNIOptions
	switch len(opts) {
	case 0:
	case 1:
		o = opts[0]
	default:
		stop.Now("data.SuperNI", fmt.Sprintf("%d SuperNIOptions given; wanted at most one", len(opts)), "")
	}
	s, err := core.ReadSuperNI(path, o)
	return read("data.SuperNI", s, err)
}

// Notes returns what the reader had to say about the set: rows that were skipped, endings that were removed.
func (s *Set) Notes() []string { return append([]string(nil), s.s.Notes...) }

// read ends the cell where a file could not be read.
func read(op string, s *core.Set, err error) *Set {
	var rows *core.ReadErrors
	if errors.As(err, &rows) && rows.End == nil && rows.Bad < rows.Rows {
		panic(&stop.Error{Op: op, Msg: err.Error(), Hint: "OnError: data.Skip leaves such rows out and counts them in the set's Notes", Err: err})
	}
	stop.If(op, err)
	return wrap(s)
}
