package token

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// slowRule is a rule read off its expression: the alternatives without look-ahead go to regexp, in order; the one with
// look-ahead, \s+(?!\S), is the longest run of white space with white space or nothing after it.
func slowRule(contractions, words string) func(s string) int {
	// RE2's \s is ASCII; White_Space is spelled out. Its (?i) folds ſ to s, as the original does.
	const ws = `\t\n\v\f\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`
	spaces := regexp.MustCompile(`^[` + ws + `]+`)
	first := regexp.MustCompile(`^(?:` + strings.ReplaceAll(contractions+`|`+words, `\s`, ws) + `)`)
	return func(s string) int {
		if m := first.FindString(s); m != "" {
			return len(m)
		}
		m := spaces.FindString(s)
		if len(m) == len(s) {
			return len(m)
		}
		_, last := utf8.DecodeLastRuneInString(m)
		if len(m) > last {
			return len(m) - last
		}
		return len(m)
	}
}

func TestRulesEqualTheirExpressions(t *testing.T) {
	gpt2 := slowRule(`'s|'t|'re|'ve|'m|'ll|'d`, ` ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+`)
	llama := func(numbers string) func(string) int {
		return slowRule(`(?i:'s|'t|'re|'ve|'m|'ll|'d)`, `[^\r\n\p{L}\p{N}]?\p{L}+|`+numbers+`| ?[^\s\p{L}\p{N}]+[\r\n]*|[\s]*[\r\n]+`)
	}
	smol := func(s string) int {
		digit := regexp.MustCompile(`\p{N}`).FindStringIndex(s)
		switch {
		case digit == nil:
			return gpt2(s)
		case digit[0] == 0:
			return digit[1]
		}
		return gpt2(s[:digit[0]])
	}
	rules := map[PreTokenizer]func(string) int{GPT2: gpt2, SmolLM2: smol, Llama3: llama(`\p{N}{1,3}`), Qwen2: llama(`\p{N}`)}
	r := rand.New(rand.NewPCG(11, 12))
	for range 6000 {
		text := strings.ToValidUTF8(randomText(r, 1+r.IntN(12)), "?")
		for pre, slow := range rules {
			for s := text; s != ""; {
				n, want := pre.next(s), slow(s)
				if n != want {
					t.Fatalf("%s: first piece of %q is %q, want %q", pre, s, s[:n], s[:want])
				}
				s = s[n:]
			}
		}
	}
}

func TestPieces(t *testing.T) {
	for _, c := range []struct {
		pre  PreTokenizer
		text string
		want []string
	}{
		{GPT2, "don't  stop 123!", []string{"don", "'t", " ", " stop", " 123", "!"}},
		{GPT2, "a \n b  ", []string{"a", " \n", " b", "  "}},
		{SmolLM2, "don't  stop 123!", []string{"don", "'t", " ", " stop", " ", "1", "2", "3", "!"}},
		{SmolLM2, "a  1½", []string{"a", "  ", "1", "½"}},
		{Llama3, "I'LL 12345\r\n\n x", []string{"I", "'LL", " ", "123", "45", "\r\n\n", " x"}},
		{Qwen2, "12!?\n\n\tx", []string{"1", "2", "!?\n\n", "\tx"}},
		{Whole, "a b\n", []string{"a b\n"}},
	} {
		var got []string
		for s := c.text; s != ""; {
			n := c.pre.next(s)
			got = append(got, s[:n])
			s = s[n:]
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q is cut into %q, want %q", c.pre, c.text, got, c.want)
		}
	}
}
