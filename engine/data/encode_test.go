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

// CutInput keeps the instruction, as much of the input's beginning as fits, and the whole answer; the ids are those of
// the shorter prompt.
func TestCutInput(t *testing.T) {
	tok, tmpl := plain(t)
	instruction := "few words of a few more words\n\n"
	row := Example{Prompt: instruction + strings.Repeat("wörds to learn ", 30), Answer: "more words", Source: "s", Input: len(instruction)}
	whole := Encoder{tok, tmpl, EncodeOptions{}}
	full, err := whole.Row(&row)
	if err != nil {
		t.Fatal(err)
	}
	head, err := whole.Row(&Example{Prompt: instruction, Answer: row.Answer})
	if err != nil {
		t.Fatal(err)
	}
	for limit := head.Full + 6; limit <= full.Full+1; limit += 7 {
		c := Encoder{tok, tmpl, EncodeOptions{MaxLen: limit, Policy: CutInput}}
		got, err := c.Row(&row)
		if err != nil {
			t.Fatal(err)
		}
		text := tok.Decode(got.IDs)
		if len(got.IDs) > limit || len(got.IDs) < min(limit, full.Full)-3 || got.Input != full.Full-len(got.IDs) || got.Full != full.Full ||
			!strings.HasPrefix(text, instruction+"w") || !strings.HasSuffix(text, row.Answer) || got.NumTrained() != full.NumTrained() || strings.ContainsRune(text, '\ufffd') {
			t.Fatalf("limit %d: %d ids, %d cut, %q", limit, len(got.IDs), got.Input, text)
		}
		kept := strings.TrimSuffix(text, row.Answer)
		again, err := whole.Row(&Example{Prompt: kept, Answer: row.Answer})
		if err != nil || !slices.Equal(again.IDs, got.IDs) {
			t.Fatalf("limit %d: not the ids of the shorter prompt %q", limit, kept)
		}
	}
	set := &Set{Rows: []Example{row, {Prompt: "a", Answer: "a", Source: "s"}}}
	c := Encoder{tok, tmpl, EncodeOptions{MaxLen: 80, Policy: CutInput}}
	e, err := c.Set(set)
	if n := e.Counts[0]; err != nil || n.Cut != 1 || n.CutTokens != full.Full-len(e.Sequences[0].IDs) || n.Examples != 2 {
		t.Errorf("%+v %v", n, err)
	}
	var long *TooLong
	row.Input = 0
	if _, err := c.Row(&row); !errors.As(err, &long) || !strings.Contains(err.Error(), "does not say where its input begins") {
		t.Errorf("no input: %v", err)
	}
	row.Input = len(instruction)
	c.Options.MaxLen = head.Full
	if _, err := c.Row(&row); !errors.As(err, &long) || !strings.Contains(err.Error(), "nothing of the input is left") {
		t.Errorf("no room: %v", err)
	}
}

// Every id but the first, the answers, or the last answer alone: each mask trains exactly its text.
func TestMasks(t *testing.T) {
	tok, tmpl := plain(t)
	row := Example{System: "few", Prompt: "a few words?", Answer: "more words"}
	stop := tmpl.StopIDs(tok)[0]
	for want, kind := range map[string]Train{"more words": OnResponse, "more words ": OnLastResponse, "": OnAll} {
		c := Encoder{tok, tmpl, EncodeOptions{Train: kind}}
		r, err := c.Row(&row)
		if err != nil {
			t.Fatal(err)
		}
		s := r.sequence()
		var ids []int32
		for _, id := range s.Targets {
			if id != backend.IgnoreIndex {
				ids = append(ids, id)
			}
		}
		exp := append(tok.Encode(strings.TrimSpace(want)), stop)
		if kind == OnAll {
			exp = r.IDs[1:]
		}
		if !slices.Equal(ids, exp) {
			t.Errorf("%v: %v, wanted %v", kind, ids, exp)
		}
		if sup, all, err := c.Measure(&row); err != nil || sup != len(exp) || all != len(r.IDs) {
			t.Errorf("%v: measured %d and %d", kind, sup, all)
		}
	}
}

// Of a conversation of two answers, the last mask trains the second and its stop token.
func TestLastAnswerOfSeveral(t *testing.T) {
	tok, tmpl := plain(t)
	enc, err := tmpl.Encode(tok, []token.Message{{Role: "user", Content: "few"}, {Role: "assistant", Content: "more words"}, {Role: "user", Content: "words"}, {Role: "assistant", Content: "a few"}}, false)
	if err != nil {
		t.Fatal(err)
	}
	both := enc.NumTrained()
	lastOnly(&enc)
	var ids []int32
	for i, on := range enc.Trained {
		if on {
			ids = append(ids, enc.IDs[i])
		}
	}
	if want := append(tok.Encode("a few"), tmpl.StopIDs(tok)[0]); !slices.Equal(ids, want) || both <= len(ids) {
		t.Errorf("%v, wanted %v of %d", ids, want, both)
	}
}

// All rows come out in their order on any number of cores, and the first bad row is the one that is named.
func TestEncodeSetInOrder(t *testing.T) {
	tok, tmpl := plain(t)
	s := &Set{}
	for i := range 500 {
		s.Rows = append(s.Rows, Example{Prompt: strings.Repeat("a", i%7+1), Answer: "b", Source: "s", Row: i})
	}
	c := Encoder{tok, tmpl, EncodeOptions{MaxLen: 100}}
	e, err := c.Set(s)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range e.Sequences {
		one, err := c.Row(&s.Rows[i])
		if err != nil || q.Row != i || !slices.Equal(q.IDs, one.IDs) {
			t.Fatalf("sequence %d is of row %d", i, q.Row)
		}
	}
	s.Rows[130].Prompt, s.Rows[400].Prompt = strings.Repeat("a", 200), strings.Repeat("a", 200)
	for range 20 {
		var long *TooLong
		if _, err := c.Set(s); !errors.As(err, &long) || long.Row != 130 {
			t.Fatalf("%v", err)
		}
	}
}
