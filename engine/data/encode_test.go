package data

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/token"
)

func plain(t *testing.T) (*token.Tokenizer, *token.Template) {
	t.Helper()
	tok, err := token.TrainBPE(slices.Values([]string{"a few words to learn from, and a few more words"}),
		token.TrainConfig{VocabSize: 270, Special: token.PlainSpecial(), EOS: token.PlainSpecial()[0], MinCount: 1})
	if err != nil {
		t.Fatal(err)
	}
	return tok, token.Plain
}

// Exactly the answer and its one stop token are targets, each at the position before it.
func TestEncodeTrainsTheAnswer(t *testing.T) {
	tok, tmpl := plain(t)
	rows := []Example{{Prompt: "a few words?", Answer: "more words", Source: "s"}}
	e, err := Encode(tok, tmpl, rows, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := e.Sequences[0]
	var got []int32
	for i, id := range s.Targets {
		if id == backend.IgnoreIndex {
			continue
		}
		if s.IDs[i+1] != id {
			t.Fatalf("the target at %d is %d; the next id is %d", i, id, s.IDs[i+1])
		}
		got = append(got, id)
	}
	want := append(tok.Encode("more words"), tmpl.StopIDs(tok)[0])
	if !slices.Equal(got, want) || e.Counts[0].Supervised != len(want) {
		t.Fatalf("targets are %v (%d counted); wanted %v", got, e.Counts[0].Supervised, want)
	}
}

func TestPolicies(t *testing.T) {
	tok, tmpl := plain(t)
	row := Example{Prompt: strings.Repeat("a few words ", 20), Answer: "more words", Source: "s", Row: 3}
	full, err := Encode(tok, tmpl, []Example{row}, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	n, answer := len(full.Sequences[0].IDs), full.Counts[0].Supervised
	limit := answer + 12
	var long *TooLong
	if _, err := Encode(tok, tmpl, []Example{row}, EncodeOptions{MaxLen: limit}); !errors.As(err, &long) || long.Prompt != n-answer || long.Answer != answer || long.Row != 3 {
		t.Errorf("Error: %v", err)
	}
	short := Example{Prompt: "a", Answer: "a", Source: "s"}
	e, err := Encode(tok, tmpl, []Example{row, short}, EncodeOptions{MaxLen: limit, Policy: Drop})
	if err != nil || len(e.Sequences) != 1 || e.Counts[0].Dropped != 1 || e.Counts[0].Examples != 2 {
		t.Errorf("Drop: %v, %+v", err, e)
	}
	e, err = Encode(tok, tmpl, []Example{row}, EncodeOptions{MaxLen: limit, Policy: CutPrompt})
	if err != nil || len(e.Sequences[0].IDs) != limit || e.Counts[0].Cut != 1 || e.Counts[0].Supervised != answer {
		t.Errorf("CutPrompt: %v, %+v", err, e)
	}
	if _, err = Encode(tok, tmpl, []Example{row}, EncodeOptions{MaxLen: answer, Policy: CutPrompt}); !errors.As(err, &long) {
		t.Errorf("CutPrompt without room for the prompt: %v", err)
	}
	var none *NoSupervision
	eight := slices.Repeat([]Example{row}, 8)
	if _, err = Encode(tok, tmpl, eight, EncodeOptions{MaxLen: 8, Policy: Drop}); !errors.As(err, &none) ||
		err.Error() != "data: no supervised tokens in 8 of 8 examples (max length 8)" {
		t.Errorf("nothing left: %v", err)
	}
}

func TestPackRestartsPositions(t *testing.T) {
	x := backend.IgnoreIndex
	b := Pack([]Sequence{
		{IDs: []int32{5, 6, 7}, Targets: []int32{6, 7, int32(x)}},
		{IDs: []int32{1, 2, 3, 4}, Targets: []int32{int32(x), 3, 4, int32(x)}, Source: 1},
	})
	if !slices.Equal(b.Positions, []int32{0, 1, 2, 0, 1, 2, 3}) || b.Supervised != 4 ||
		!slices.Equal(b.SourceOf, []int{0, 0, 0, 1, 1, 1, 1}) || b.Segments[1] != (backend.Segment{QStart: 3, QLen: 4, KStart: 3, KLen: 4}) {
		t.Fatalf("%+v", b)
	}
	if b.Targets[2] != backend.IgnoreIndex {
		t.Fatal("the last position of one document is trained on the first of the next")
	}
}

// Every id but the first is a target exactly once, however long the parts are.
func TestEncodeTextLosesNothing(t *testing.T) {
	tok, _ := plain(t)
	text := strings.Repeat("words to learn from ", 9)
	want := append(tok.Encode(text), tok.EOS())[1:]
	for _, maxLen := range []int{0, 2, 7, 1000} {
		seqs, split := EncodeText(tok, []string{text}, maxLen)
		var got []int32
		for _, s := range seqs {
			if maxLen > 0 && len(s.IDs) > maxLen {
				t.Fatalf("max %d: a sequence of %d", maxLen, len(s.IDs))
			}
			for _, id := range s.Targets {
				if id != backend.IgnoreIndex {
					got = append(got, id)
				}
			}
		}
		if !slices.Equal(got, want) || (split == 1) != (maxLen == 2 || maxLen == 7) {
			t.Fatalf("max %d: %d targets, wanted %d; split %d", maxLen, len(got), len(want), split)
		}
	}
}
