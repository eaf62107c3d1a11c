package token

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// A tokenizer.json is megabytes of two tables, and reflection takes a tenth of a second for them. They are read by hand here, from
// text that encoding/json has checked; what is none of the usual is left to encoding/json, which has the words for its errors.

// UnmarshalJSON reads an object of integers.
func (v *jsonVocab) UnmarshalJSON(data []byte) error {
	s, m := scanner{data}, jsonVocab{}
	if !s.list('{', '}', func() bool {
		text, ok := s.text()
		if !ok || !s.skip(':') {
			return false
		}
		id, ok := s.whole()
		m[text] = id
		return ok
	}) {
		return json.Unmarshal(data, (*map[string]int64)(v))
	}
	*v = m
	return nil
}

// UnmarshalJSON reads a list whose elements are texts or lists of texts.
func (m *jsonMerges) UnmarshalJSON(data []byte) error {
	s, list := scanner{data}, jsonMerges{}
	if !s.list('[', ']', func() bool {
		if s.peek() != '[' {
			text, ok := s.text()
			list = append(list, text)
			return ok
		}
		pair := make([]string, 0, 2)
		ok := s.list('[', ']', func() bool {
			text, ok := s.text()
			pair = append(pair, text)
			return ok
		})
		list = append(list, strings.Join(pair, " "))
		return ok
	}) {
		return json.Unmarshal(data, (*[]string)(m))
	}
	*m = list
	return nil
}

// scanner walks valid JSON from its left end. Its methods return false for something else than their name says.
type scanner struct{ left []byte }

// peek returns the next byte that is no space.
func (s *scanner) peek() byte {
	for len(s.left) > 0 {
		switch c := s.left[0]; c {
		case ' ', '\t', '\n', '\r':
			s.left = s.left[1:]
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) skip(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.left = s.left[1:]
	return true
}

// list calls element at each of the elements between two brackets.
func (s *scanner) list(first, last byte, element func() bool) bool {
	if !s.skip(first) {
		return false
	}
	if s.skip(last) {
		return true
	}
	for element() {
		if !s.skip(',') {
			return s.skip(last)
		}
	}
	return false
}

func (s *scanner) text() (string, bool) {
	if s.peek() != '"' {
		return "", false
	}
	n := 1 + bytes.IndexByte(s.left[1:], '"')
	plain := s.left[1:max(n, 1)]
	if n > 0 && bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
		s.left = s.left[n+1:]
		return string(plain), true
	}
	for n = 1; n < len(s.left) && s.left[n] != '"'; n++ {
		if s.left[n] == '\\' {
			n++
		}
	}
	if n >= len(s.left) {
		return "", false
	}
	var text string
	err := json.Unmarshal(s.left[:n+1], &text)
	s.left = s.left[n+1:]
	return text, err == nil
}

// whole reads an integer of at most 18 digits.
func (s *scanner) whole() (n int64, ok bool) {
	sign := int64(1)
	if s.skip('-') {
		sign = -1
	}
	digits := 0
	s.peek()
	for ; digits < len(s.left) && s.left[digits]-'0' < 10; digits++ {
		n = 10*n + int64(s.left[digits]-'0')
	}
	s.left = s.left[digits:]
	c := s.peek()
	return sign * n, 0 < digits && digits <= 18 && (c == ',' || c == '}')
}
