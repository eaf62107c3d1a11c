package token

import (
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// PreTokenizer names a rule that cuts text into the pieces inside which BPE merges. Go's regexp has no look-ahead, so
// each rule is written by hand; its comment holds the expression that it equals.
type PreTokenizer uint8

const (
	// GPT2 is 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
	// Source: Radford et al. 2019, GPT-2.
	GPT2 PreTokenizer = iota
	// SmolLM2 cuts every digit off as a piece of its own, then applies GPT2 to what lies between.
	SmolLM2
	// Llama3 is (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
	Llama3
	// Qwen2 is Llama3 with \p{N} in place of \p{N}{1,3}.
	Qwen2
	// Whole keeps the text in one piece.
	Whole

	numPreTokenizers
)

var preNames = [numPreTokenizers]string{"gpt2", "smollm2", "llama3", "qwen2", "whole"}

// String returns the rule's name.
func (p PreTokenizer) String() string {
	if p >= numPreTokenizers {
		return fmt.Sprintf("PreTokenizer(%d)", uint8(p))
	}
	return preNames[p]
}

// next returns the length in bytes of the first piece of s, which is not empty.
func (p PreTokenizer) next(s string) int {
	switch p {
	case GPT2:
		return nextGPT2(s, false)
	case SmolLM2:
		return nextGPT2(s, true)
	case Llama3:
		return nextLlama3(s, 3)
	case Qwen2:
		return nextLlama3(s, 1)
	}
	return len(s)
}

// class is what the rules ask of a character.
type class uint8

const (
	other  class = iota
	letter       // \p{L}
	number       // \p{N}
	space        // \s, Unicode's White_Space
)

// ascii and basic hold the classes of the first 128 characters and of the basic plane.
var (
	ascii = func() (t [utf8.RuneSelf]class) {
		for r := range rune(len(t)) {
			t[r] = classify(r)
		}
		return t
	}()
	basic = sync.OnceValue(func() *[1 << 16]class {
		t := new([1 << 16]class)
		for r := range rune(len(t)) {
			t[r] = classify(r)
		}
		return t
	})
)

func classify(r rune) class {
	switch {
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return number
	case unicode.IsSpace(r):
		return space
	}
	return other
}

// peek returns the class and the length of the first character of s; the length is 0 at the end. A byte that is not
// UTF-8 is a character of class other.
func peek(s string) (class, int) {
	if len(s) == 0 {
		return other, 0
	}
	if c := s[0]; c < utf8.RuneSelf {
		return ascii[c], 1
	}
	r, n := utf8.DecodeRuneInString(s)
	if n == 1 {
		return other, 1
	}
	if r < 1<<16 {
		return basic()[r], n
	}
	return classify(r), n
}

// run returns the length of the characters of class c at the start of s.
func run(s string, c class) int {
	i := 0
	for i < len(s) {
		k, n := peek(s[i:])
		if k != c {
			break
		}
		i += n
	}
	return i
}

// contraction returns the length of 's 't 'm 'd 're 've 'll at the start of s, 0 for none.
func contraction(s string) int {
	if len(s) < 2 || s[0] != '\'' {
		return 0
	}
	switch s[1] {
	case 's', 't', 'm', 'd':
		return 2
	}
	if len(s) > 2 {
		switch s[1:3] {
		case "re", "ve", "ll":
			return 3
		}
	}
	return 0
}

// blanks returns the length of the piece that white space of n bytes at the start of s makes: all of it at the end of
// the text, else all but its last character, which goes to what follows, unless it is the only one.
func blanks(s string, n int, end bool) int {
	if end {
		return n
	}
	_, last := utf8.DecodeLastRuneInString(s[:n])
	if last < n {
		return n - last
	}
	return n
}

func nextGPT2(s string, digits bool) int {
	if n := contraction(s); n > 0 {
		return n
	}
	c, n := peek(s)
	if digits && c == number {
		return n
	}
	at := 0
	if s[0] == ' ' && len(s) > 1 {
		if k, m := peek(s[1:]); k != space && !(digits && k == number) {
			c, n, at = k, m, 1
		}
	}
	if c != space {
		return at + n + run(s[at+n:], c)
	}
	n += run(s[n:], space)
	end := n == len(s)
	if digits && !end {
		k, _ := peek(s[n:])
		end = k == number
	}
	return blanks(s, n, end)
}

func nextLlama3(s string, digits int) int {
	if n := contractionFold(s); n > 0 {
		return n
	}
	c, n := peek(s)
	if c == letter {
		return n + run(s[n:], letter)
	}
	if c != number && s[0] != '\r' && s[0] != '\n' {
		if k := run(s[n:], letter); k > 0 {
			return n + k
		}
	}
	if c == number {
		for i := 1; i < digits; i++ {
			k, m := peek(s[n:])
			if k != number || m == 0 {
				break
			}
			n += m
		}
		return n
	}
	at := 0
	if s[0] == ' ' && len(s) > 1 {
		if k, m := peek(s[1:]); k == other && m > 0 {
			c, n, at = k, m, 1
		}
	}
	if c == other {
		end := at + n + run(s[at+n:], other)
		for end < len(s) && (s[end] == '\r' || s[end] == '\n') {
			end++
		}
		return end
	}
	n += run(s[n:], space)
	if k := strings.LastIndexAny(s[:n], "\r\n"); k >= 0 {
		return k + 1
	}
	return blanks(s, n, n == len(s))
}

// contractionFold is contraction without regard to case; ſ (U+017F) folds to s.
func contractionFold(s string) int {
	if len(s) < 2 || s[0] != '\'' {
		return 0
	}
	if strings.HasPrefix(s[1:], "ſ") {
		return 1 + len("ſ")
	}
	switch s[1] | 0x20 { // lower case, for letters; no other byte becomes one of these
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if len(s) > 2 && s[2]|0x20 == 'e' {
			return 3
		}
	case 'l':
		if len(s) > 2 && s[2]|0x20 == 'l' {
			return 3
		}
	}
	return 0
}
