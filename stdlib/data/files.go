package data

import (
	"errors"
	"fmt"

	core "tunebook/engine/data"
	"tunebook/stdlib/host"
	"tunebook/stdlib/stop"
)

// Fields says which fields of a file's rows make an example.
//
//	data.Fields{Input: "question", Output: "answer"}
//	data.Fields{Input: "instruction", Context: "input", Output: "response"} // the prompt is both, a blank line between
//	data.Fields{Input: "prompt", Output: "completion", Strip: "<|endoftext|>", OnError: data.Skip}
//	data.Fields{Messages: "conversations", Merge: true}
//	data.Fields{Input: "question", Choices: "choices", Output: "answer"}
type Fields = core.Fields

// RowPolicy says what a reader does with a row that it cannot use.
type RowPolicy = core.RowPolicy

const (
	Stop RowPolicy = core.Stop // the cell stops and names the first ten such rows, file, line and text, and how many more there are
	Skip RowPolicy = core.Skip // they are left out, and the set's Notes say how many were
)

// SuperNIOptions are the choices of SuperNI.
type SuperNIOptions = core.SuperNIOptions

// ReadOptions say what Read is not to find out by itself.
//
//	data.ReadOptions{Fields: data.Fields{Merge: true, OnError: data.Skip}}
type ReadOptions = core.OpenOptions

// Format is how a file holds rows: "jsonl", "json", "csv", "tsv", "parquet" or "superni".
type Format = core.Format

// Read returns the rows of a file, a folder or a pattern such as "chats/*.jsonl.zst". It finds out format and fields and
// says in Notes what it took; where they can be understood in two ways or none, it stops and shows the call to make.
// Conversations (OpenAI's and ShareGPT's), Alpaca, prompts with completions, questions with answers and multiple choice are
// known by their fields.
//
//	general := data.Read("alpaca.json")
//	chats := data.Read("chats/", data.ReadOptions{Fields: data.Fields{Merge: true}})
func Read(path string, opts ...ReadOptions) *Set {
	s, err := core.Read(path, one("data.Read", "ReadOptions", opts))
	return read("data.Read", s, err)
}

// Sample reads as Read does and returns n rows drawn at random; it holds only these, so that a file may be larger than
// memory. For one seed Sample(250) is the beginning of Sample(500).
//
//	broad := data.Sample("flan/*.jsonl.zst", 1, 10000)
func Sample(path string, seed int64, n int, opts ...ReadOptions) *Set {
	const op = "data.Sample"
	r, err := core.Open(path, one(op, "ReadOptions", opts))
	stop.If(op, err)
	s, err := r.Sample(seed, n)
	return read(op, s, err)
}

// Scan reads as Read does and returns the rows for which keep is true; it holds only these, so that a file may be larger
// than memory.
//
//	short := data.Scan("flan/", func(e data.Example) bool { return len(e.Prompt) < 2000 })
func Scan(path string, keep func(e Example) bool, opts ...ReadOptions) *Set {
	const op = "data.Scan"
	r, err := core.Open(path, one(op, "ReadOptions", opts))
	stop.If(op, err)
	s, err := r.Scan(func(e *Example) bool { return keep(*e) })
	return read(op, s, err)
}

// one returns the options given, or none.
func one[T any](op, name string, opts []T) (o T) {
	if len(opts) > 1 {
		stop.Now(op, fmt.Sprintf("%d %s given; wanted at most one", len(opts), name), "")
	}
	if len(opts) == 1 {
		o = opts[0]
	}
	return o
}

// TextOptions are the choices of Texts.
type TextOptions = core.TextOptions

// TextUnit is what one document of a plain text file is.
type TextUnit = core.TextUnit

const (
	WholeFile TextUnit = core.WholeFile // a file is a document
	Blocks    TextUnit = core.Blocks    // lines without a blank line between them are a document
)

// Texts returns the documents of a plain text file, of a folder or pattern of them, or of the field "text" of a file of rows.
// They have no prompts and answers: they are for pretraining, and for the loss on plain text.
//
//	books := data.Texts("books/*.txt.gz")
//	tales := data.Texts("tales.txt", data.TextOptions{Unit: data.Blocks})
//	pages := data.Texts("pages.parquet", data.TextOptions{Field: "content"})
func Texts(path string, opts ...TextOptions) []string {
	o := one("data.Texts", "TextOptions", opts)
	if o.OnError != Stop {
		stop.Now("data.Texts", "TextOptions has OnError Skip, and a list of texts has no Notes to count what was skipped", "leave OnError out")
	}
	t, err := core.OpenTexts(path, o)
	stop.If("data.Texts", err)
	texts, _, err := t.All()
	stop.If("data.Texts", err)
	return texts
}

// Parquet returns the rows of an Apache Parquet file.
//
//	spec := data.Parquet("train-00000-of-00001.parquet", data.Fields{Input: "question", Output: "answer"})
func Parquet(path string, f Fields) *Set {
	s, err := core.ReadParquet(path, f)
	return read("data.Parquet", s, err)
}

// JSONL returns the rows of a file with one JSON object a line, also of one that ends in .gz or .zst.
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
	o := one("data.SuperNI", "SuperNIOptions", opts)
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
	return used(wrap(s))
}

// used tells the run's manifest of a set.
func used(s *Set) *Set {
	host.Used("Data", func() string {
		return fmt.Sprintf("%s: %d examples, sha256 %.16s", s.Name(), s.Len(), s.Fingerprint())
	})
	return s
}
