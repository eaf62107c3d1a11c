package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

// Fields says which fields of a row make an example. The prompt is Instruction, the input and the context, those that
// there are, with a blank line between them. Texts are taken as they are: nothing is trimmed but Strip.
//
// A name is looked for as it is; where a JSON row has no such field and the name holds dots, as a path into the row:
// "instances.0.input".
type Fields struct {
	Messages    string    // name of the field with a conversation (chat.go); Input, Context, Output and Choices are empty then
	Merge       bool      // in a conversation, messages of one role in a row become one, a line end between; otherwise they are bad rows
	System      string    // name of a field with the system message; a row may lack it; empty for none
	Choices     string    // name of the field with the answers to choose from (choice.go); empty for none
	Input       string    // name of the field with the input
	Context     string    // name of a second field that is put after the input; a row may lack it; empty for none
	Output      string    // name of the field with the answer: a text, or in JSON a list of texts, the first of which is Answer
	Instruction string    // a text that is put before every input
	Task        string    // every example's task
	Strip       string    // a suffix that is removed from inputs and outputs: "<|endoftext|>"
	Numbers     bool      // in JSON, take a number, true or false as its text ("51.0"); otherwise they are bad rows
	OnError     RowPolicy // what to do with a row that cannot be used
}

// RowPolicy says what a reader does with a row that cannot be used.
type RowPolicy int

const (
	Stop RowPolicy = iota // the call ends with *ReadErrors, and there is no set
	Skip                  // the row is left out, and the set's Notes say how many were
)

// RowError is a row that cannot be used.
type RowError struct {
	Path string
	Line int    // from 1, in the uncompressed file
	Row  int    // from 0, blank lines and header not counted; -1 when it is not about a row
	What string // what is, and what was wanted
	Text string // the offending text, shortened; may be empty
}

// Error returns "path:line: what: text".
func (e *RowError) Error() string {
	s := fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.What)
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// shownErrors is how many errors of a file are kept and shown.
const shownErrors = 10

// ReadErrors is all that is wrong with a file.
type ReadErrors struct {
	Op    string
	Path  string
	Rows  int         // rows met, bad ones included
	Bad   int         // rows that cannot be used
	First []*RowError // the first ten of them
	End   *RowError   // why reading ended before the end of the file; nil when it did not
}

// Error returns the counts and then a line for each of the first ten errors, and how many more there are.
func (e *ReadErrors) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: ", e.Op, e.Path)
	switch {
	case e.Bad == 0:
		fmt.Fprintf(&b, "reading ended after %d rows; wanted the whole file", e.Rows)
	case e.End != nil:
		fmt.Fprintf(&b, "%d of %d rows cannot be used, and then reading ended; wanted none, and the whole file", e.Bad, e.Rows)
	default:
		fmt.Fprintf(&b, "%d of %d rows cannot be used; wanted none", e.Bad, e.Rows)
	}
	for _, r := range e.First {
		b.WriteString("\n  " + r.Error())
	}
	if more := e.Bad - len(e.First); more > 0 {
		fmt.Fprintf(&b, "\n  … and %d more", more)
	}
	if e.End != nil {
		b.WriteString("\n  " + e.End.Error())
	}
	return b.String()
}

// Unwrap returns the row errors that are kept.
func (e *ReadErrors) Unwrap() []error {
	var out []error
	for _, r := range e.First {
		out = append(out, r)
	}
	if e.End != nil {
		out = append(out, e.End)
	}
	return out
}

// rowReader gathers the examples and the errors of one file.
type rowReader struct {
	op, path string // path is the file that is read
	whole    string // the path that was asked for, which may stand for several files
	fields   Fields

	rows    []Example
	bad     []*RowError
	badRows int
	end     *RowError
	seen    int // rows met

	emit  func(e *Example) bool // takes an example and says whether more are wanted; nil to gather them in rows
	sniff func(row []byte)      // takes the first usable object in place of making an example of it, and ends the reading
	good  int                   // examples made
	halt  bool                  // no more is wanted

	sums  []fileSum // of the files that were read to their end
	steps []Step    // one for each of them

	said     []string // notes of files that were read as a whole
	system   string   // of the row that is read
	document bool     // the field Output is all that a row is read for: a text that stands by itself
	quoted   int      // tab-separated fields that begin and end with a quote
	merged   int      // conversations with messages of one role in a row

	looked   int    // rows in which the context field was looked for
	contexts int    // rows that have it
	names    string // the fields of the first row
	outputs  int    // outputs met
	stripped int    // outputs that ended in fields.Strip
}

// reject counts the row as one that cannot be used.
func (c *rowReader) reject(line int, text []byte, format string, args ...any) {
	if len(c.bad) < shownErrors {
		c.bad = append(c.bad, c.rowError(line, c.seen, text, format, args...))
	}
	c.badRows++
	c.seen++
	if c.fields.OnError == Stop {
		c.rows = nil
	}
}

// stop ends the reading: what follows in the file cannot be told apart into rows.
func (c *rowReader) stop(line int, text []byte, format string, args ...any) {
	if c.end == nil {
		c.end = c.rowError(line, -1, text, format, args...)
	}
}

func (c *rowReader) rowError(line, row int, text []byte, format string, args ...any) *RowError {
	return &RowError{Path: c.path, Line: line, Row: row, What: fmt.Sprintf(format, args...), Text: shorten(text)}
}

// accept adds an example made of a row's texts; outputs are at least one. It rejects a row without a prompt or answer.
func (c *rowReader) accept(line int, input, context string, outputs []string) {
	f := &c.fields
	input = strings.TrimSuffix(input, f.Strip)
	context = strings.TrimSuffix(context, f.Strip)
	for i, o := range outputs {
		c.outputs++
		if f.Strip != "" && strings.HasSuffix(o, f.Strip) {
			c.stripped++
			o = strings.TrimSuffix(o, f.Strip)
		}
		if o == "" {
			c.reject(line, []byte(input), "output %d of %d is empty; wanted an answer", i+1, len(outputs))
			return
		}
		outputs[i] = o
	}
	if input == "" && context == "" {
		c.reject(line, []byte(outputs[0]), "the input is empty; wanted a prompt for this answer")
		return
	}
	e := Example{System: c.system, Prompt: paragraphs(f.Instruction, input, context), Answer: outputs[0], Task: f.Task}
	switch {
	case f.Instruction != "" && input+context != "":
		e.Input = len(paragraphs(f.Instruction, "|")) - 1
	case input != "" && context != "":
		e.Input = len(e.Prompt) - len(context)
	}
	if len(outputs) > 1 {
		e.Refs = outputs[1:]
	}
	c.add(e)
}

// add takes an example made of a row.
func (c *rowReader) add(e Example) {
	e.Row = c.seen
	c.seen++
	if c.fields.OnError == Stop && c.badRows > 0 {
		return
	}
	c.good++
	if c.emit == nil {
		c.rows = append(c.rows, e)
	} else if !c.emit(&e) {
		c.halt = true
	}
}

// paragraphs joins the texts that are not empty with a blank line between them.
func paragraphs(texts ...string) string {
	n := 0
	for _, t := range texts {
		if t != "" {
			texts[n] = t
			n++
		}
	}
	return strings.Join(texts[:n], "\n\n")
}

// verdict returns the errors met, or what there is to say about the rows read.
func (c *rowReader) verdict() (notes []string, err error) {
	if c.looked > 0 && c.contexts == 0 && c.end == nil {
		return nil, fmt.Errorf("%s: %s: 0 of %d rows have the context field %q; the first row has %s", c.op, c.whole, c.looked, c.fields.Context, c.names)
	}
	if c.end != nil || c.badRows > 0 && (c.fields.OnError == Stop || c.good == 0) {
		return nil, &ReadErrors{Op: c.op, Path: c.whole, Rows: c.seen, Bad: c.badRows, First: c.bad, End: c.end}
	}
	if c.good == 0 {
		return nil, fmt.Errorf("%s: %s: there are 0 rows; wanted at least 1", c.op, c.whole)
	}
	const most = 5
	if n := len(c.said); n > most {
		c.said = append(c.said[:most-1:most-1], fmt.Sprintf("… and %d more notes like these", n-most+1))
	}
	notes = append(notes, c.said...)
	if c.badRows > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d rows skipped, the first at %v", c.badRows, c.seen, c.bad[0]))
	}
	if c.fields.Strip != "" {
		notes = append(notes, fmt.Sprintf("%q removed from the end of %d of %d outputs", c.fields.Strip, c.stripped, c.outputs))
	}
	if c.quoted > 0 {
		notes = append(notes, fmt.Sprintf("%d fields begin and end with a quote, which is kept: tab-separated fields are not quoted", c.quoted))
	}
	if c.merged > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d conversations had messages of one role in a row, which are merged", c.merged, c.seen))
	}
	return notes, nil
}

// set returns what was read as a set called name, or the errors.
func (c *rowReader) set(name string) (*Set, error) {
	notes, err := c.verdict()
	if err != nil {
		return nil, err
	}
	s := &Set{Name: name, Rows: c.rows, Notes: notes, Steps: c.read()}
	for i := range s.Rows {
		s.Rows[i].Source = name
	}
	return s, nil
}

// check refuses Fields that cannot make an example.
func (f *Fields) check(op, path string) error {
	if f.Messages != "" {
		if f.Input+f.Context+f.Output+f.Choices+f.Instruction+f.Strip != "" {
			return fmt.Errorf("%s: %s: Fields has Messages %q and fields of a row without messages; wanted one or the other", op, path, f.Messages)
		}
	} else if f.Merge {
		return fmt.Errorf("%s: %s: Fields has Merge without Messages; wanted the name of the field with the conversation", op, path)
	} else if f.Input == "" || f.Output == "" {
		return fmt.Errorf("%s: %s: Fields has Input %q and Output %q; wanted the names of both fields", op, path, f.Input, f.Output)
	}
	if f.OnError != Stop && f.OnError != Skip {
		return fmt.Errorf("%s: %s: Fields has OnError %d; wanted Stop (%d) or Skip (%d)", op, path, f.OnError, Stop, Skip)
	}
	return nil
}

// readFile opens the file, hands it to read without compression and byte order mark, and closes it. What was read to its
// end adds up to a sum of the file as it lies there, where one is wanted.
func readFile(op, path string, sum *fileSum, read func(r *bufio.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return fmt.Errorf("%s: %s: is a folder; wanted a file", op, path)
	}
	var raw io.Reader = f
	h := sha256.New()
	if sum != nil {
		raw = io.TeeReader(f, h)
	}
	r := bufio.NewReaderSize(raw, 1<<16)
	switch compression(path) {
	case ".gz":
		z, err := gzip.NewReader(r)
		if err != nil {
			return fmt.Errorf("%s: %s: is named .gz, but %w", op, path, err)
		}
		r = bufio.NewReaderSize(z, 1<<16)
	case ".zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return fmt.Errorf("%s: %s: is named %s, but %w", op, path, filepath.Ext(path), err)
		}
		defer z.Close()
		r = bufio.NewReaderSize(z, 1<<16)
		if _, err := r.Peek(1); errors.Is(err, zstd.ErrMagicMismatch) {
			return fmt.Errorf("%s: %s: is named %s, but does not begin as a zstd file does", op, path, filepath.Ext(path))
		}
	}
	if err := skipMark(r); err != nil {
		return fmt.Errorf("%s: %s: %s", op, path, readFault(err))
	}
	if err := read(r); err != nil || sum == nil {
		return err
	}
	if _, err := r.Peek(1); err == io.EOF {
		if _, err := io.Copy(io.Discard, raw); err == nil {
			sum.take(f, h)
		}
	}
	return nil
}

// fileSum says what a file is that was read as a whole.
type fileSum struct {
	bytes int64
	sum   [sha256.Size]byte
}

func (s *fileSum) take(f *os.File, h hash.Hash) {
	if info, err := f.Stat(); err == nil {
		s.bytes = info.Size()
		h.Sum(s.sum[:0])
	}
}

// shownFiles is how many files of a set have a step of their own.
const shownFiles = 5

// readFile reads the file at c.path.
func (c *rowReader) readFile(read func(r *bufio.Reader) error) error {
	var sum fileSum
	seen, good := c.seen, c.good
	err := readFile(c.op, c.path, &sum, read)
	if sum.bytes > 0 {
		c.wasRead(sum, seen, good)
	}
	return err
}

// wasRead keeps the sum of the file at c.path, before which there were seen rows met and good ones made.
func (c *rowReader) wasRead(sum fileSum, seen, good int) {
	c.sums = append(c.sums, sum)
	c.steps = append(c.steps, Step{Op: "read", From: c.seen - seen, To: c.good - good,
		Note: fmt.Sprintf("%s, %d bytes, SHA-256 %x", filepath.Base(c.path), sum.bytes, sum.sum)})
}

// read returns the steps that tell which files were read; many files are one step, the sum of which is that of their sums.
func (c *rowReader) read() []Step {
	if len(c.steps) <= shownFiles {
		return c.steps
	}
	all := Step{Op: "read"}
	h := sha256.New()
	size := int64(0)
	for i, s := range c.sums {
		all.From, all.To = all.From+c.steps[i].From, all.To+c.steps[i].To
		size += s.bytes
		h.Write(s.sum[:])
	}
	all.Note = fmt.Sprintf("%d files, %d bytes, SHA-256 of their SHA-256 %x", len(c.sums), size, h.Sum(nil))
	return []Step{all}
}

// skipMark moves r behind a UTF-8 byte order mark, and refuses the beginnings of files that hold no UTF-8 text.
func skipMark(r *bufio.Reader) error {
	head, err := r.Peek(3)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case bytes.Equal(head, []byte("\xef\xbb\xbf")):
		r.Discard(3)
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return fmt.Errorf("the file is UTF-16; wanted UTF-8")
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f")):
		return fmt.Errorf("the file is compressed with zstd; wanted its name to end in .zst")
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return fmt.Errorf("the file is compressed with gzip; wanted its name to end in .gz")
	}
	return nil
}

// readFault says why no more bytes came.
func readFault(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "the compressed file ends too early; wanted the rest of it (a download that was cut off?)"
	}
	return err.Error()
}

// compression returns ".gz" or ".zst" for a path that says so.
func compression(path string) string {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".gz", ".zst":
		return ext
	case ".zstd":
		return ".zst"
	}
	return ""
}

// plainPath returns the path without the ending of a compressed file.
func plainPath(path string) string {
	if compression(path) == "" || len(filepath.Base(path)) == len(filepath.Ext(path)) {
		return path
	}
	return path[:len(path)-len(filepath.Ext(path))]
}

// extension returns the path's extension in lower case, that before ".gz" for a compressed file: ".jsonl".
func extension(path string) string { return strings.ToLower(filepath.Ext(plainPath(path))) }

// baseName returns the file's name without folder and extensions.
func baseName(path string) string {
	base := filepath.Base(plainPath(path))
	if ext := filepath.Ext(base); ext != base {
		base = strings.TrimSuffix(base, ext)
	}
	return base
}

// shorten returns text in one line of at most 80 characters that a terminal shows as they are.
func shorten(text []byte) string {
	const most = 80
	text = bytes.Trim(text, " \t\r\n")
	long := len(text) > most*utf8.UTFMax
	if long {
		text = text[:most*utf8.UTFMax]
	}
	var out []rune
	for _, r := range string(text) {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			r = ' '
		case !unicode.IsPrint(r):
			r = '\uFFFD'
		}
		out = append(out, r)
	}
	if long || len(out) > most {
		out = append(out[:min(len(out), most-1)], '…')
	}
	return string(out)
}

// badUTF8 returns the offset of the first byte of text that is no UTF-8, or -1.
func badUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// around returns the part of text before and after an offset, for an error that names it.
func around(text []byte, at int) []byte {
	at = min(max(at, 0), len(text))
	from := max(0, at-40)
	for from > 0 && from < at && !utf8.RuneStart(text[from]) {
		from++
	}
	return text[from:min(len(text), at+200)]
}
