package bench

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/model/base"
	"tunebook/engine/tensor"
	"tunebook/engine/token"
)

// Texts are what runs and evaluations work on.
type Texts struct {
	Tokenizer string         // the folder that it is in; empty for the base model's
	Ragged    Rows           // rows of unequal length of which the answer is trained
	Questions []data.Example // with the answers to choose from
	Choices   Rows           // each question with each of its answers, which are labelled, as Questions are asked in plain text
	What      string         // a sentence about them
}

// The sizes of Texts: rows of at most maxRow tokens, a number that updates of 8 divide.
const (
	raggedRows = 32
	questions  = 16
	maxRow     = 512
)

// letters are the answers of the multiple-choice tasks of Super-NaturalInstructions. They are asked for with a word before them, so
// that an answer has more than one token: for answers of one, lm-evaluation-harness asks a question only once.
var letters = []string{"A", "B", "C", "D"}

// ReadTexts takes rows from tasks of Super-NaturalInstructions in folder/data/superni with the tokenizer in
// folder/tokenizers/smollm2. Where folder has none, rows are generated and the base model's tokenizer cuts them.
func ReadTexts(folder string) (Texts, error) {
	t := Texts{Tokenizer: filepath.Join(folder, "tokenizers", "smollm2")}
	files, err := filepath.Glob(filepath.Join(folder, "data", "superni", "task*", "test.json"))
	if err != nil {
		return t, err
	}
	choose, err := filepath.Glob(filepath.Join(folder, "data", "superni", "single", "task*_mmmlu_*.json"))
	if err != nil {
		return t, err
	}
	if _, err := os.Stat(filepath.Join(t.Tokenizer, "tokenizer.json")); err != nil || len(files) == 0 || len(choose) < questions {
		return generated()
	}
	tok, err := readTokenizer(os.DirFS(t.Tokenizer))
	if err != nil {
		return t, err
	}
	var rows []data.Example
	for _, f := range files {
		set, err := data.ReadSuperNI(f, data.SuperNIOptions{MaxInstances: 2 + raggedRows/len(files)})
		if err != nil {
			return t, err
		}
		rows = append(rows, set.Rows...)
	}
	for _, f := range choose[:questions] {
		set, err := data.ReadSuperNI(f, data.SuperNIOptions{MaxInstances: 1})
		if err != nil {
			return t, err
		}
		q := set.Rows[0]
		q.Prompt, q.Answer = strings.TrimSpace(q.Prompt), "answer "+q.Answer
		for _, l := range letters {
			q.Choices = append(q.Choices, "answer "+l)
		}
		t.Questions = append(t.Questions, q)
	}
	tmpl, err := token.TemplateFor("chatml")
	if err != nil {
		return t, err
	}
	return t, t.encode(tok, tmpl, rows, "rows of Super-NaturalInstructions")
}

// generated returns texts of the generator.
func generated() (Texts, error) {
	t := Texts{} // the base model's tokenizer
	tok, err := readTokenizer(base.Files)
	if err != nil {
		return t, err
	}
	tmpl, err := token.TemplateFor("plain")
	if err != nil {
		return t, err
	}
	set, err := data.Generate(data.GenConfig{Seed: 1, Size: 4 * raggedRows})
	if err != nil {
		return t, err
	}
	for _, q := range set.Rows[2*raggedRows : 2*raggedRows+questions] {
		q.Choices = []string{q.Answer, "no " + q.Answer, q.Answer + " and more", "not known"}
		t.Questions = append(t.Questions, q)
	}
	return t, t.encode(tok, tmpl, set.Rows[:2*raggedRows], "generated rows")
}

func readTokenizer(fsys fs.FS) (*token.Tokenizer, error) {
	raw, err := fs.ReadFile(fsys, "tokenizer.json")
	if err != nil {
		return nil, err
	}
	return token.ReadFile("tokenizer.json", raw)
}

func (t *Texts) encode(tok *token.Tokenizer, tmpl *token.Template, rows []data.Example, what string) error {
	coded, err := data.Encode(tok, tmpl, rows, data.EncodeOptions{})
	if err != nil {
		return err
	}
	seqs := slices.DeleteFunc(coded.Sequences, func(s data.Sequence) bool { return len(s.IDs) > maxRow })
	if len(seqs) < raggedRows {
		return fmt.Errorf("bench: %d %s of at most %d tokens; wanted %d", len(seqs), what, maxRow, raggedRows)
	}
	// Rows of a file stand beside each other: they are shuffled.
	supervised := 0
	for _, i := range tensor.NewRNG(1, "bench/ragged").Perm(len(seqs))[:raggedRows] {
		s := seqs[i]
		t.Ragged.IDs = append(t.Ragged.IDs, s.IDs)
		t.Ragged.Labels = append(t.Ragged.Labels, append([]int32{backend.IgnoreIndex}, s.Targets[:len(s.Targets)-1]...))
		supervised += s.Supervised()
	}
	for _, q := range t.Questions {
		for _, o := range q.Choices {
			before, whole := tok.Encode(q.Prompt), tok.Encode(q.Prompt+" "+o)
			labels := slices.Clone(whole)
			for i := range before {
				labels[i] = backend.IgnoreIndex
			}
			t.Choices.IDs, t.Choices.Labels = append(t.Choices.IDs, whole), append(t.Choices.Labels, labels)
		}
	}
	t.What = fmt.Sprintf("%d %s of %d tokens together, %d of them answers; %d questions with %d choices of %d tokens together",
		raggedRows, what, t.Ragged.Tokens(), supervised, len(t.Questions), len(t.Choices.IDs), t.Choices.Tokens())
	return nil
}
