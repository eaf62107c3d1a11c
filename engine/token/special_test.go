package token

import (
	"fmt"
	"slices"
	"testing"
)

func TestMatcher(t *testing.T) {
	m := newMatcher([]Added{
		{ID: 1, Text: "<a>"}, {ID: 2, Text: "<a>b"}, {ID: 3, Text: "[m]", LStrip: true}, {ID: 4, Text: "[r]", RStrip: true}, {ID: 5, Text: "cat", SingleWord: true},
	})
	for text, want := range map[string][]string{
		"":               nil,
		"plain":          {"plain/-1"},
		"<a>":            {"<a>/1"},
		"x<a>y<a>bz":     {"x/-1", "<a>/1", "y/-1", "<a>b/2", "z/-1"}, // the longest of two
		"<a<a><a>":       {"<a/-1", "<a>/1", "<a>/1"},
		"x  [m] y":       {"x/-1", "  [m]/3", " y/-1"},
		" \n[m]":         {" \n[m]/3"},
		"x [r] \t y":     {"x /-1", "[r] \t /4", "y/-1"},
		"[r] [m]":        {"[r] /4", "[m]/3"}, // white space goes to the first that takes it
		"cat cats a_cat": {"cat/5", " cats a_cat/-1"},
		"(cat) écat":     {"(/-1", "cat/5", ") écat/-1"},
	} {
		var got []string
		m.split(text, func(part string, id int32) {
			got = append(got, fmt.Sprintf("%s/%d", part, id))
		})
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if newMatcher(nil) != nil {
		t.Error("a matcher of nothing is not nil")
	}
}

// A token that its file does not call special is an ordinary word; a normalised one is found after composing.
func TestAddedTokens(t *testing.T) {
	tok, err := NewByteBPE(ByteBPE{
		Vocab: []string{"a", "b", "<s>", "<tool>", "é!"}, NFC: true,
		Added: []Added{{ID: 2, Text: "<s>", Special: true}, {ID: 3, Text: "<tool>"}, {ID: 4, Text: "é!", Normalized: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const text = "a<s>b<tool>e\u0301!a"
	if got, want := tok.Encode(text), []int32{0, 1, 3, 4, 0}; !slices.Equal(got, want) {
		t.Errorf("Encode gives %d, want %d", got, want)
	}
	if got, want := tok.EncodeSpecial(text), []int32{0, 2, 1, 3, 4, 0}; !slices.Equal(got, want) {
		t.Errorf("EncodeSpecial gives %d, want %d", got, want)
	}
	if got := tok.Decode([]int32{0, 2, 3}); got != "a<tool>" {
		t.Errorf("Decode gives %q, want the text without <s>", got)
	}
	if got := tok.DecodeAll([]int32{0, 2, 3}); got != "a<s><tool>" {
		t.Errorf("DecodeAll gives %q", got)
	}
	if id, ok := tok.Special("<tool>"); !ok || id != 3 || tok.IsSpecial(3) || !tok.IsSpecial(2) {
		t.Error("<tool> is an added token and no control token; <s> is one")
	}
}
