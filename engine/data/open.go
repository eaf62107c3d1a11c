package data

import (
	"bufio"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Format is how a file holds rows.
type Format string

const (
	JSONL   Format = "jsonl"   // a JSON object a line
	JSON    Format = "json"    // one list of JSON objects
	CSV     Format = "csv"     // a header and comma-separated rows
	TSV     Format = "tsv"     // a header and tab-separated rows
	Parquet Format = "parquet" // Apache Parquet
	SuperNI Format = "superni" // a Super-NaturalInstructions task
	Text    Format = "text"    // plain text, no rows
)

// extensions are the formats that a file's name says. ".json" may also be JSONL or SuperNI, so that the file is looked at.
var extensions = map[string]Format{
	".jsonl": JSONL, ".ndjson": JSONL, ".json": JSON, ".csv": CSV, ".tsv": TSV, ".tab": TSV, ".parquet": Parquet,
	".txt": Text, ".text": Text, ".md": Text,
}

// OpenOptions say what Open is not to find out by itself; the zero value leaves all to it.
type OpenOptions struct {
	Format  Format         // empty to take it from the file's name and beginning
	Fields  Fields         // without Input, Output and Messages, what the first row's fields say; OnError, Merge, Strip, Task, Instruction and System hold anyway
	SuperNI SuperNIOptions // for files of that format; OnError is that of Fields
}

// Reader is a file, or several that were named together, whose rows are read one after the other. It holds none of them.
type Reader struct {
	Name   string // of the set that it makes
	Format Format
	Fields Fields   // with all names filled in
	Files  []string // in the order that they are read
	Notes  []string // what was found out: format, fields, files left out
	Passed []string // what there was to say about the last pass through all rows: rows skipped, endings removed

	steps    []Step // that tell which files the last pass through all rows has read
	op, path string
	superNI  SuperNIOptions
	document bool
}

// Open finds out what a path holds and how its rows make examples; it reads the first row of each file.
//
//	r, err := Open("chats/*.jsonl.zst", OpenOptions{})
//	for e, err := range r.Rows() { … }
//
// The path is a file, a folder (all files in and below it that have an extension of a format, the others counted in Notes),
// or a pattern with *, ? or […]. Names that end in .gz or .zst are decompressed. Several files are read in the order of
// their names and must have one format and the same fields.
//
// Rows are understood by their fields: messages or conversations (a list of OpenAI's or ShareGPT's messages), question,
// choices and answer (multiple choice), instruction and output (Alpaca) or response, with or without input, prompt and
// completion (or response), question and answer. What fits none of these, or more than one, is an error that lists the
// fields and shows the call to make. Notes say what was taken.
func Open(path string, o OpenOptions) (*Reader, error) {
	return open("data.Open", path, o, false)
}

// Read is Open and Set in one.
func Read(path string, o OpenOptions) (*Set, error) {
	r, err := open("data.Read", path, o, false)
	if err != nil {
		return nil, err
	}
	return r.Set()
}

func open(op, path string, o OpenOptions, document bool) (*Reader, error) {
	r := &Reader{op: op, path: path, Name: baseName(path), superNI: o.SuperNI, document: document}
	if err := r.find(); err != nil {
		return nil, err
	}
	var first *guess
	for _, file := range r.Files {
		format := o.Format
		if format == "" {
			var err error
			if format, err = formatOf(op, file); err != nil {
				return nil, err
			}
		}
		g := &guess{path: file, format: format, fields: o.Fields}
		if err := g.find(op, document); err != nil {
			return nil, err
		}
		if first == nil {
			first = g
		}
		if g.format != first.format || g.kind != first.kind || g.fields != first.fields {
			return nil, fmt.Errorf("%s: %s: %s is %s, and %s is %s; wanted files of one kind, or a call for each", op, path, first.path, first, g.path, g)
		}
	}
	r.Format, r.Fields = first.format, first.fields
	if r.Format != SuperNI && r.Format != Text && !document {
		if err := r.Fields.check(op, path); err != nil {
			return nil, err
		}
	}
	note := "read as " + first.String()
	if n := len(r.Files); n > 1 {
		note = fmt.Sprintf("%d files %s", n, note)
	}
	r.Notes = append([]string{note}, r.Notes...)
	return r, nil
}

// find fills Files.
func (r *Reader) find() error {
	info, err := os.Stat(r.path)
	switch {
	case err == nil && info.IsDir():
		return r.folder()
	case err == nil:
		r.Files = []string{r.path}
		return nil
	case !strings.ContainsAny(r.path, "*?["):
		return fmt.Errorf("%s: %w", r.op, err)
	}
	found, err := filepath.Glob(r.path)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", r.op, r.path, err)
	}
	folders := 0
	for _, f := range found {
		if strings.HasPrefix(filepath.Base(f), ".") && !strings.HasPrefix(filepath.Base(r.path), ".") {
			continue // as a shell does
		}
		if info, err := os.Stat(f); err == nil && info.IsDir() {
			folders++
			continue
		}
		r.Files = append(r.Files, f)
	}
	if len(r.Files) == 0 {
		return fmt.Errorf("%s: %s: there are 0 files of that name and %d folders; wanted 1 file at least", r.op, r.path, folders)
	}
	if folders > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d folders of that name left out", folders))
	}
	sort.Strings(r.Files)
	// The name of a set is no pattern: it is that of the folder, or of the one file.
	if len(r.Files) == 1 {
		r.Name = baseName(r.Files[0])
	} else if abs, err := filepath.Abs(filepath.Dir(r.path)); err == nil {
		r.Name = filepath.Base(abs)
	}
	return nil
}

// folder fills Files with those below a folder.
func (r *Reader) folder() error {
	var other []string
	err := filepath.WalkDir(r.path, func(path string, d fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(d.Name(), ".") && path != r.path
		switch {
		case err != nil:
			return err
		case d.IsDir() && hidden:
			return filepath.SkipDir
		case d.IsDir():
		case !hidden && extensions[extension(path)] != "" && (extension(path) != ".md" || r.document):
			r.Files = append(r.Files, path)
		default:
			other = append(other, d.Name())
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", r.op, err)
	}
	if len(r.Files) == 0 {
		return fmt.Errorf("%s: %s: there are 0 files of a known format among %d; wanted one at least of .jsonl, .json, .csv, .tsv, .parquet, .txt, also with .gz or .zst", r.op, r.path, len(other))
	}
	if n := len(other); n > 0 {
		shown := other[:min(n, 3)]
		r.Notes = append(r.Notes, fmt.Sprintf("%d files of other kinds left out: %s", n, strings.Join(shown, ", ")))
	}
	sort.Strings(r.Files)
	if abs, err := filepath.Abs(r.path); err == nil {
		r.Name = filepath.Base(abs)
	}
	return nil
}

// Rows yields the examples in order, Source and Row filled in; its memory does not grow with the file. At the end comes an
// error when there is one (*ReadErrors where rows cannot be used: with Stop, no example comes after the first such row,
// but all are counted). It may be gone through again, from the beginning.
func (r *Reader) Rows() iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		c := r.rows()
		c.emit = func(e *Example) bool {
			e.Source = r.Name
			return yield(*e, nil)
		}
		err := r.pass(c)
		if c.halt {
			return
		}
		if err == nil {
			r.Passed, err = c.verdict()
			r.steps = c.read()
		}
		if err != nil {
			yield(Example{}, err)
		}
	}
}

// Set returns all rows as a set, with Notes on what was found out and left out.
func (r *Reader) Set() (*Set, error) {
	c := r.rows()
	if err := r.pass(c); err != nil {
		return nil, err
	}
	s, err := c.set(r.Name)
	if err != nil {
		return nil, err
	}
	s.Notes = append(append([]string(nil), r.Notes...), s.Notes...)
	return s, nil
}

func (r *Reader) rows() *rowReader {
	return &rowReader{op: r.op, whole: r.path, fields: r.Fields, document: r.document}
}

// pass reads all files.
func (r *Reader) pass(c *rowReader) error {
	for _, file := range r.Files {
		if c.halt || c.end != nil {
			return nil
		}
		c.path = file
		var err error
		if r.Format == SuperNI {
			err = r.task(c, file)
		} else {
			err = c.file(r.Format)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// task reads a task file as a whole, since its definition may come last.
func (r *Reader) task(c *rowReader, file string) error {
	o := r.superNI
	o.OnError = r.Fields.OnError
	s, sums, err := readSuperNI(file, o)
	if err != nil {
		return err
	}
	for _, e := range s.Rows {
		if !c.halt {
			c.add(e)
		}
	}
	c.steps, c.sums = append(c.steps, s.Steps...), append(c.sums, sums...)
	for _, note := range s.Notes {
		c.said = append(c.said, s.Name+": "+note)
	}
	return nil
}

// file reads the rows of c.path.
func (c *rowReader) file(format Format) error {
	read := c.jsonLines
	switch format {
	case JSONL:
	case JSON:
		read = c.jsonList
	case CSV:
		read = func(r *bufio.Reader) error { return (&csvReader{rowReader: c}).commas(r) }
	case TSV:
		read = func(r *bufio.Reader) error { return (&csvReader{rowReader: c}).tabs(r) }
	case Parquet:
		return c.parquet()
	default:
		return fmt.Errorf("%s: %s: the format is %q; wanted one of jsonl, json, csv, tsv, parquet", c.op, c.path, format)
	}
	if (format == CSV || format == TSV) && c.fields.Messages+c.fields.Choices != "" {
		return fmt.Errorf("%s: %s: Fields has Messages %q and Choices %q; a column is one text, wanted Input and Output", c.op, c.path, c.fields.Messages, c.fields.Choices)
	}
	return c.readFile(read)
}

// readSet reads one file of a known format.
func readSet(op, path string, format Format, f Fields) (*Set, error) {
	if err := f.check(op, path); err != nil {
		return nil, err
	}
	c := &rowReader{op: op, path: path, whole: path, fields: f}
	if err := c.file(format); err != nil {
		return nil, err
	}
	return c.set(baseName(path))
}
