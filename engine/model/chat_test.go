package model_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu"
	"tunebook/engine/model"
	"tunebook/engine/model/base"
	"tunebook/engine/token"
)

func openBase(t *testing.T) *model.Model {
	t.Helper()
	dev, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.OpenFS(dev, base.Files, base.Name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every stop text ends its own request's answer, also where it begins and ends within tokens.
func TestStopTextsAcrossTokenBorders(t *testing.T) {
	m := openBase(t)
	prompt := m.Tokenizer.Encode("Where does Mira live?")
	free, err := m.Sample(context.Background(), []model.Request{{Prompt: prompt, MaxNew: 40}}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := free[0].Text
	starts := map[int]bool{} // bytes at which a token begins
	for i := range free[0].IDs {
		starts[len(m.Tokenizer.Decode(free[0].IDs[:i]))] = true
	}
	var requests []model.Request
	var want []string
	crossing := 0
	for from := 1; from+3 < len(text); from += 2 {
		stop := text[from : from+3]
		if !utf8.ValidString(stop) {
			continue
		}
		if !starts[from] && (starts[from+1] || starts[from+2]) {
			crossing++
		}
		requests = append(requests, model.Request{Prompt: prompt, MaxNew: 40, StopTexts: []string{"never said", stop}})
		want = append(want, text[:strings.Index(text, stop)])
	}
	if crossing < 5 {
		t.Fatalf("%d stop texts cross a border; wanted 5", crossing)
	}
	answers, err := m.Sample(context.Background(), requests, 8, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if a.Text != want[i] || a.End != "stop text" {
			t.Errorf("stop %q: %q ended by %q; wanted %q", requests[i].StopTexts[1], a.Text, a.End, want[i])
		}
	}
}

func TestConversation(t *testing.T) {
	m := openBase(t)
	c := model.Conversation{Model: m, MaxNew: 24}
	var pieces []string
	first, err := c.Say(context.Background(), "Where does Mira live?", func(p string) { pieces = append(pieces, p) })
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(strings.Join(pieces, "")); got != first || len(pieces) < 4 {
		t.Errorf("%d pieces make %q; the answer is %q", len(pieces), got, first)
	}
	// What was said before is in the next prompt: the second answer is that of the whole conversation.
	second, err := c.Say(context.Background(), "And Sador?", nil)
	if err != nil {
		t.Fatal(err)
	}
	whole := []token.Message{{Role: token.User, Content: "Where does Mira live?"}, {Role: token.Assistant, Content: first}, {Role: token.User, Content: "And Sador?"}}
	enc, err := m.Template.Encode(m.Tokenizer, whole, true)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := m.Generate(context.Background(), [][]int32{enc.IDs}, model.Greedy{MaxNew: 24, Stops: m.Template.StopIDs(m.Tokenizer)}, nil)
	if err != nil || strings.TrimSpace(m.Tokenizer.Decode(ids[0])) != second {
		t.Errorf("%q; the conversation's continuation is %q (%v)", second, m.Tokenizer.Decode(ids[0]), err)
	}
	// An answer that is stopped stays as far as it went, and the talk goes on.
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	part, err := c.Say(ctx, "Where does Mira live?", func(string) {
		if n++; n == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || part == "" || len(c.Messages) != 6 || c.Messages[5].Content != part {
		t.Errorf("%q, %v, %d messages", part, err, len(c.Messages))
	}
	// One that does not fit is refused and forgotten.
	before := slices.Clone(c.Messages)
	if _, err := c.Say(context.Background(), strings.Repeat("word ", m.Config.MaxPositionEmbeddings), nil); err == nil || !strings.Contains(err.Error(), "no room for an answer") || !slices.Equal(c.Messages, before) {
		t.Errorf("%v, %d messages", err, len(c.Messages))
	}
}
