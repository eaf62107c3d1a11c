package data

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"
)

// TextUnit is what one document of a plain text file is.
type TextUnit uint8

const (
	WholeFile TextUnit = iota // a file is a document
	Blocks                    // lines without a blank line between them are a document
)

// TextOptions are the choices of OpenTexts.
type TextOptions struct {
	Unit    TextUnit  // for plain text
	Field   string    // for files of rows: the field with the text; empty for "text"
	Format  Format    // empty to take it from the file's name and beginning
	OnError RowPolicy // what to do with a row that cannot be used, or a document that is not UTF-8
}

// Texts are documents without prompt and answer, read one after the other.
type Texts struct {
	*Reader
	unit TextUnit
}

// OpenTexts finds the documents of a file, a folder or a pattern, as Open does: plain text (.txt, .md), or rows with a field
// that holds the text. A byte order mark is no part of a document, and CRLF is a line end like "\n"; otherwise a text is
// taken as it is, but that a block has no line end at its end.
func OpenTexts(path string, o TextOptions) (*Texts, error) {
	const op = "data.Texts"
	if o.Unit > Blocks {
		return nil, fmt.Errorf("%s: %s: TextOptions has Unit %d; wanted WholeFile (%d) or Blocks (%d)", op, path, o.Unit, WholeFile, Blocks)
	}
	r, err := open(op, path, OpenOptions{Format: o.Format, Fields: Fields{Output: o.Field, OnError: o.OnError}}, true)
	if err != nil {
		return nil, err
	}
	if o.Field != "" && r.Format == Text {
		return nil, fmt.Errorf("%s: %s: TextOptions has Field %q, and the file is plain text; wanted no field", op, path, o.Field)
	}
	return &Texts{r, o.Unit}, nil
}

// Documents yields the texts in order, and at the end an error when there is one. Memory does not grow with the files, but
// holds one document.
func (t *Texts) Documents() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		c := t.rows()
		c.emit = func(e *Example) bool { return yield(e.Answer, nil) }
		var err error
		if t.Format != Text {
			err = t.pass(c)
		} else {
			err = t.plain(c)
		}
		if c.halt {
			return
		}
		if err == nil {
			t.Passed, err = c.verdict()
		}
		if err != nil {
			yield("", err)
		}
	}
}

// All returns all documents and what there is to say about them.
func (t *Texts) All() (texts []string, notes []string, err error) {
	for s, e := range t.Documents() {
		if e != nil {
			return nil, nil, e
		}
		texts = append(texts, s)
	}
	return texts, append(append([]string(nil), t.Notes...), t.Passed...), nil
}

// plain reads files of plain text.
func (t *Texts) plain(c *rowReader) error {
	for _, file := range t.Files {
		c.path = file
		err := readFile(c.op, file, nil, func(r *bufio.Reader) error { return c.documents(r, t.unit) })
		if err != nil || c.halt || c.end != nil {
			return err
		}
	}
	return nil
}

// documents reads one file of plain text.
func (c *rowReader) documents(r *bufio.Reader, unit TextUnit) error {
	l := &lineReader{r: r}
	var b strings.Builder
	from := 1
	flush := func() {
		text := b.String()
		b.Reset()
		if unit == Blocks {
			text = strings.TrimRight(text, "\n")
		}
		if strings.TrimSpace(text) == "" {
			return
		}
		if at := badUTF8([]byte(text)); at >= 0 {
			line := from + strings.Count(text[:at], "\n")
			c.reject(line, around([]byte(text), at), "byte 0x%02x is no UTF-8; wanted UTF-8 text", text[at])
			return
		}
		c.add(Example{Answer: text})
	}
	for !c.halt {
		line, whole, err := l.next()
		if err == io.EOF {
			flush()
			return nil
		}
		if err != nil {
			c.stop(l.n, nil, "%s", readFault(err))
			return nil
		}
		if n := len(line); whole && n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if unit == Blocks && len(bytes.TrimSpace(line)) == 0 {
			flush()
			continue
		}
		if b.Len() == 0 {
			from = l.n
		}
		b.Write(line)
		if whole {
			b.WriteByte('\n')
		}
	}
	return nil
}
