package cell

import (
	"fmt"
	"strings"

	"github.com/mattn/go-runewidth"
)

// Error is one thing wrong in a cell, at its place in the text that the user wrote.
type Error struct {
	Cell      string // name of the cell or file
	Line, Col int    // from 1; Col counts bytes; 0 when not known
	Msg       string
	Source    string // the line's text; empty when not known
}

// Error returns "cell:line:col: message", below it the source line with a caret under the column, and then what the
// message says in further lines, such as a hint.
func (e *Error) Error() string {
	s, rest, more := strings.Cut(e.Msg, "\n")
	switch {
	case e.Line > 0 && e.Col > 0 && e.Cell == "":
		s = fmt.Sprintf("%d:%d: %s", e.Line, e.Col, s)
	case e.Line > 0 && e.Col > 0:
		s = fmt.Sprintf("%s:%d:%d: %s", e.Cell, e.Line, e.Col, s)
	case e.Line > 0:
		s = fmt.Sprintf("%s:%d: %s", e.Cell, e.Line, s)
	case e.Cell != "":
		s = e.Cell + ": " + s
	}
	if c := Caret(e.Source, e.Col); c != "" {
		s += "\n" + c
	}
	if more {
		s += "\n" + rest
	}
	return s
}

// Caret returns the source line, indented, and below it a caret under column col (bytes, from 1). Tabs are kept in the
// second line, so that the caret stands where the terminal put the text.
func Caret(source string, col int) string {
	if strings.TrimSpace(source) == "" {
		return ""
	}
	source = strings.TrimRight(source, "\r\n")
	s := "  | " + source
	if col < 1 || col > len(source)+1 {
		return s
	}
	var pad strings.Builder
	for _, r := range source[:col-1] {
		if r == '\t' {
			pad.WriteByte('\t')
		} else {
			pad.WriteString(strings.Repeat(" ", runewidth.RuneWidth(r)))
		}
	}
	return s + "\n  | " + pad.String() + "^"
}

// Errors are all the things wrong in a cell, in the order of the text.
type Errors []*Error

// Error returns all messages, one below the other; after ten, their number.
func (es Errors) Error() string {
	var b strings.Builder
	for i, e := range es {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i == 10 {
			fmt.Fprintf(&b, "… and %d more", len(es)-i)
			break
		}
		b.WriteString(e.Error())
	}
	return b.String()
}
