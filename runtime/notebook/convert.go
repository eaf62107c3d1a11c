package notebook

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Notebooks are converted by way of Jupyter's form, which can hold everything. A Go or Markdown file says the cells, their
// titles and their texts in its own words; whatever else the notebook holds (ids, metadata, outputs, attachments, a text
// that the file's words cannot say exactly) stands in a block at its end, one line of JSON for the notebook and for each
// cell that needs it. A block's line for a cell that was edited since gives the cell its id and metadata and no outputs.

// Convert returns the notebook src as a file of another kind. from and to are .go, .ipynb or .md.
func Convert(name, src, from, to string) (string, error) {
	if from == to {
		return "", fmt.Errorf("%s is of that kind already", name)
	}
	var n *Jupyter
	switch from {
	case ".go":
		n = fromText(src, golang)
	case ".md":
		n = fromText(src, markdownFile)
	case ".ipynb":
		var err error
		if n, err = ParseJupyter(name, []byte(src)); err != nil {
			return "", err
		}
	default:
		return "", fmt.Errorf("%s: a notebook is a .go, .ipynb or .md file", name)
	}
	switch to {
	case ".go":
		return toText(n, golang), nil
	case ".md":
		return toText(n, markdownFile), nil
	case ".ipynb":
		return string(n.Format()), nil
	}
	return "", fmt.Errorf("a notebook can be written as .go, .ipynb or .md, not as %q", to)
}

// Kind returns the kind of notebook that a file's name tells: .go, .ipynb or .md, or its extension.
func Kind(path string) string { return strings.ToLower(filepath.Ext(path)) }

// words are how a kind of file says a notebook.
type words struct {
	marks
	read  func(body string) *Jupyter
	write func(*Jupyter) string
	exact func(*ownTop) *string
}

// marks are what stands around a block and before each line of it.
type marks struct{ open, close, line string }

var (
	goMarks       = marks{open: "\n// %% [jupyter]\n", line: "// "}
	markdownMarks = marks{open: "\n<!-- %% [jupyter]\n", close: "-->\n"}

	golang       = words{goMarks, readGo, writeGo, func(o *ownTop) *string { return &o.Go }}
	markdownFile = words{markdownMarks, readMarkdown, writeMarkdown, func(o *ownTop) *string { return &o.Markdown }}
)

// entry is one line of a block.
type entry struct {
	// Whole is the notebook, for one that the file cannot say otherwise; Sum is that of the file's body.
	Whole *json.RawMessage `json:"whole,omitempty"`
	// Notebook holds the members of the notebook without its cells.
	Notebook *json.RawMessage `json:"notebook,omitempty"`
	// Cell is the cell's place from 1, Sum that of its text in the file, Is its members; a null source is the file's.
	Cell int              `json:"cell,omitempty"`
	Sum  string           `json:"sum,omitempty"`
	Is   *json.RawMessage `json:"is,omitempty"`
}

// cut takes the block off a file. A block that cannot be read is text like any other.
func (w *marks) cut(src string) (body string, block []entry) {
	i := strings.LastIndex(src, w.open)
	if i < 0 {
		return src, nil
	}
	rest, ok := strings.CutSuffix(src[i+len(w.open):], w.close)
	if !ok || rest == "" {
		return src, nil
	}
	for _, l := range strings.Split(strings.TrimSuffix(rest, "\n"), "\n") {
		l, ok := strings.CutPrefix(l, w.line)
		var e entry
		if !ok || json.Unmarshal([]byte(l), &e) != nil || e.Whole == nil && e.Notebook == nil && e.Is == nil {
			return src, nil
		}
		block = append(block, e)
	}
	return src[:i], block
}

func (w *marks) paste(body string, block []entry) string {
	if len(block) == 0 {
		return body
	}
	var b strings.Builder
	b.WriteString(body + w.open)
	for _, e := range block {
		raw, err := json.Marshal(e) // escapes < and >: the block lies in a comment
		if err != nil {
			panic(err)
		}
		b.WriteString(w.line + string(raw) + "\n")
	}
	return b.String() + w.close
}

// fromText reads a file with its block.
func fromText(src string, w words) *Jupyter {
	body, block := w.cut(src)
	n := w.read(body)
	if w.write(n) != body {
		o := n.own()
		*w.exact(&o) = body
		o.Sum = n.sum()
		n.rest = setOwn(n.rest, o)
	}
	return apply(n, body, block)
}

// toText writes a notebook as a file that fromText makes the same notebook of.
func toText(n *Jupyter, w words) string {
	o := n.own()
	body := *w.exact(&o)
	if body == "" || o.Sum != n.sum() {
		body = w.write(n)
	}
	for strings.Contains(body, w.open) {
		// A body that seems to hold a block is told apart by a space more.
		body = strings.ReplaceAll(body, w.open, strings.Replace(w.open, "%% [", "%%  [", 1))
	}
	plain := fromText(body, w)
	var block []entry
	if string(encode(plain.rest)) != string(encode(n.rest)) {
		raw := encode(n.rest)
		block = append(block, entry{Notebook: &raw})
	}
	for i := range n.Cells {
		if i >= len(plain.Cells) {
			break
		}
		c, p := &n.Cells[i], &plain.Cells[i]
		if string(encode(c.object())) == string(encode(p.object())) {
			continue
		}
		is := c.object()
		if c.Source == p.Source {
			is = is.with("source", nil)
		}
		raw := encode(is)
		block = append(block, entry{Cell: i + 1, Sum: p.sum(), Is: &raw})
	}
	text := w.paste(body, block)
	if string(fromText(text, w).Format()) != string(n.Format()) {
		raw := tidy(n.Format())
		text = w.paste(body, []entry{{Whole: &raw, Sum: sum(body)}})
	}
	return text
}

func sum(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// sum tells the words of a cell from others.
func (c *JupyterCell) sum() string { return sum(c.Type, c.own().Title, c.Source) }

func (n *Jupyter) sum() string {
	var parts []string
	for i := range n.Cells {
		parts = append(parts, n.Cells[i].sum(), n.Cells[i].own().Part)
	}
	return sum(parts...)
}

// apply gives a notebook that was read from the body of a file what its block says.
func apply(n *Jupyter, body string, block []entry) *Jupyter {
	used := make([]bool, len(n.Cells))
	at := map[string][]int{} // cells by their sums
	for i := range n.Cells {
		s := n.Cells[i].sum()
		at[s] = append(at[s], i)
	}
	var later []entry
	for _, e := range block {
		switch {
		case e.Whole != nil:
			if w, err := ParseJupyter("", *e.Whole); err == nil && e.Sum == sum(body) {
				return w
			}
		case e.Notebook != nil:
			var o object
			if json.Unmarshal(*e.Notebook, &o) == nil && string(o.get("nbformat")) == "4" && o.get("cells") != nil {
				n.rest = o.blank("cells")
			}
		default:
			// The cell of the same words, first where it was, then wherever it has moved to.
			same := at[e.Sum]
			i := slices.Index(same, e.Cell-1)
			if i < 0 || used[same[i]] {
				i = slices.IndexFunc(same, func(c int) bool { return !used[c] })
			}
			if i < 0 {
				later = append(later, e)
				continue
			}
			used[same[i]] = restore(&n.Cells[same[i]], e, true)
		}
	}
	for _, e := range later {
		if at := e.Cell - 1; at >= 0 && at < len(n.Cells) && !used[at] {
			used[at] = restore(&n.Cells[at], e, false)
		}
	}
	return n
}

// restore gives a cell what a line of the block says of it; one that was edited keeps its text and has no outputs.
func restore(c *JupyterCell, e entry, same bool) bool {
	var o object
	var typ string
	if json.Unmarshal(*e.Is, &o) != nil || json.Unmarshal(o.get("cell_type"), &typ) != nil || typ != c.Type {
		return false
	}
	if src := o.get("source"); same && src != nil && string(src) != "null" {
		s, err := lines(src)
		if err != nil {
			return false
		}
		c.Source = s
	}
	mine := c.own()
	o = o.blank("source", "cell_type")
	if o.get("source") == nil && !slices.ContainsFunc(o, func(m member) bool { return m.key == "source" }) {
		return false
	}
	if !same {
		if o.get("outputs") != nil {
			o = o.with("outputs", []any{}).with("execution_count", nil)
		}
		o = setOwn(o, mine)
	}
	c.rest = o
	return true
}

// Read reads a notebook from a .go, .ipynb or .md file.
func Read(path string) (*File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	switch Kind(path) {
	case ".ipynb":
		n, err := ParseJupyter(path, b)
		if err != nil {
			return nil, err
		}
		return n.file(path, string(b)), nil
	case ".md", ".markdown":
		return parseMarkdown(path, string(b)), nil
	}
	return Parse(path, string(b)), nil
}

// file returns the notebook as cells to run. Errors call a cell by its place in the notebook.
func (n *Jupyter) file(name, src string) *File {
	f := &File{Name: name, original: src, jupyter: n}
	for i := range n.Cells {
		c := &n.Cells[i]
		cell := Cell{Title: c.own().Title, Line: 1, from: 1, name: fmt.Sprintf("%s, cell %d", name, i+1), at: i + 1}
		switch c.Type {
		case "code":
			cell.Source = c.Source
		case "markdown":
			if cell.Markdown = c.Source; strings.TrimSpace(c.Source) == "" {
				continue
			}
			if cell.Title == "" {
				cell.Title = firstLine(c.Source)
			}
		default:
			continue
		}
		cell.End = 1 + strings.Count(c.Source, "\n")
		f.Cells = append(f.Cells, cell)
	}
	return f
}
