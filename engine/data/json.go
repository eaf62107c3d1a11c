package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// ReadJSON returns the rows of a file that is one list of objects, as a set named as the file without its extensions.
//
//	s, err := ReadJSON("gpteacher/roleplay.json", Fields{Input: "instruction", Context: "input", Output: "response"})
//
// Rows, errors and compression are as for ReadJSONL; the memory used is that of the rows and of the longest one. What
// can no longer be told apart into rows (a missing comma, a file that was cut off) ends the reading, also for Skip.
func ReadJSON(path string, f Fields) (*Set, error) {
	return readSet("data.JSON", path, JSON, f)
}

// jsonList reads a file that is one list of objects.
func (c *rowReader) jsonList(r *bufio.Reader) error {
	s := newJSONScanner(r)
	b, err := s.peek()
	if err == io.EOF {
		return nil
	}
	if err == nil && b != '[' {
		row, _, _ := s.value()
		what := "no list"
		if b == '{' {
			what = "an object"
		}
		return fmt.Errorf("%s: %s: the file begins with %s; wanted one list of objects (data.JSONL reads an object a line): %s", c.op, c.path, what, shorten(row))
	}
	if err == nil {
		err = s.elements(func(line int, raw []byte) error {
			if c.jsonRow(line, raw); c.halt {
				return errHalt
			}
			return nil
		})
	}
	if err == errHalt {
		return nil
	}
	if err == nil {
		err = s.end()
	}
	c.stopAt(s, err)
	return nil
}

// stopAt ends the reading at the scanner's place, unless err is nil.
func (c *rowReader) stopAt(s *jsonScanner, err error) {
	if err != nil {
		c.stop(s.line, s.text, "%s", readFault(err))
	}
}

// jsonScanner cuts a stream of JSON into values by their brackets and quotes, so that a value can be broken inside and
// the next one still be found. It does not check what is inside a value.
type jsonScanner struct {
	r    *bufio.Reader
	line int    // of the next byte, from 1
	buf  []byte // the value
	text []byte // the beginning of what an error is about
}

func newJSONScanner(r *bufio.Reader) *jsonScanner { return &jsonScanner{r: r, line: 1} }

// errHalt ends the reading of a list because no more is wanted.
var errHalt = errors.New("no more is wanted")

var errCutOff = errors.New("the file ends here; wanted the rest of it (a download that was cut off?)")

// peek returns the next byte that is no space, without taking it; io.EOF when there is none.
func (s *jsonScanner) peek() (byte, error) {
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch b {
		case '\n':
			s.line++
		case ' ', '\t', '\r':
		default:
			return b, s.r.UnreadByte()
		}
	}
}

// take takes the next byte that is no space, which must be want.
func (s *jsonScanner) take(want byte) error {
	b, err := s.peek()
	if err == io.EOF {
		return errCutOff
	}
	if err != nil {
		return err
	}
	if b != want {
		s.text = s.ahead()
		return fmt.Errorf("%q here; wanted %q", b, want)
	}
	_, err = s.r.ReadByte()
	return err
}

// ahead returns some of the bytes that come next.
func (s *jsonScanner) ahead() []byte {
	b, _ := s.r.Peek(min(200, s.r.Buffered()))
	return append([]byte(nil), b...)
}

// value returns the next value, valid until the next call, and the line that it begins on.
func (s *jsonScanner) value() (raw []byte, line int, err error) {
	s.buf = s.buf[:0]
	first, err := s.peek()
	line = s.line
	if err == io.EOF {
		return nil, line, errCutOff
	}
	if err != nil {
		return nil, line, err
	}
	depth, quoted := 0, false
	for {
		b, err := s.r.ReadByte()
		if err == io.EOF && depth == 0 && !quoted && first != '"' {
			return s.buf, line, nil
		}
		if err != nil {
			s.text = s.buf
			if err == io.EOF {
				err = errCutOff
				if s.line > line || depth > 0 || quoted {
					err = fmt.Errorf("the file ends within the value that begins on line %d; wanted the rest of it (a download that was cut off, or a quote or bracket that is not closed?)", line)
				}
			}
			return nil, line, err
		}
		if depth == 0 && !quoted && scalarEnd(b) {
			if len(s.buf) == 0 {
				s.r.UnreadByte()
				s.text = s.ahead()
				return nil, line, fmt.Errorf("%q here; wanted a value", b)
			}
			return s.buf, line, s.r.UnreadByte()
		}
		s.buf = append(s.buf, b)
		switch {
		case b == '\n':
			s.line++
		case quoted && b == '\\':
			if b, err = s.r.ReadByte(); err == nil {
				s.buf = append(s.buf, b)
				if b == '\n' {
					s.line++
				}
			}
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			depth--
		default:
			continue
		}
		if depth == 0 && !quoted && (b == '"' || b == '}' || b == ']') {
			return s.buf, line, nil
		}
	}
}

// scalarEnd tells whether b ends a number or word that is not inside brackets.
func scalarEnd(b byte) bool {
	switch b {
	case ',', ':', ']', '}', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// elements takes a list, whose bracket is next, and calls visit with the line and the bytes of every element
// until it returns an error.
func (s *jsonScanner) elements(visit func(line int, raw []byte) error) error {
	return s.list('[', ']', func() error {
		raw, line, err := s.value()
		if err == nil {
			err = visit(line, raw)
		}
		return err
	})
}

// members takes an object, whose bracket is next, and calls visit with every key, its quotes included; visit takes the
// value.
func (s *jsonScanner) members(visit func(line int, key string) error) error {
	return s.list('{', '}', func() error {
		key, line, err := s.value()
		if err != nil {
			return err
		}
		if key[0] != '"' {
			s.text = key
			return errors.New("no text here; wanted a key in quotes")
		}
		name := string(key)
		if err := s.take(':'); err != nil {
			return err
		}
		return visit(line, name)
	})
}

// list takes what is between two brackets, commas included, and calls item where an item is next.
func (s *jsonScanner) list(open, close byte, item func() error) error {
	if err := s.take(open); err != nil {
		return err
	}
	if b, err := s.peek(); err == nil && b == close {
		return s.take(close)
	}
	for {
		if err := item(); err != nil {
			return err
		}
		b, err := s.peek()
		if err == nil && b == close {
			return s.take(close)
		}
		if err := s.take(','); err != nil {
			return err
		}
	}
}

// end makes sure that nothing but space follows.
func (s *jsonScanner) end() error {
	b, err := s.peek()
	if err == io.EOF {
		return nil
	}
	if err == nil {
		s.text = s.ahead()
		err = fmt.Errorf("%q after the end; wanted the file to end", b)
	}
	return err
}
