// Package notebook reads and runs saved notebooks.
//
// A notebook is a Go program whose func main is cut into cells by lines that begin with // %%; what follows on such a
// line is the cell's title. A line // %% [markdown] begins a text cell, made of the comment lines that follow, and
// // %% [raw] one that is kept for Jupyter and means nothing here. A file without a package clause is read as cells of loose
// statements.
package notebook

import (
	"strings"

	"tunebook/runtime/cell"
)

// File is a notebook as text.
type File struct {
	Name    string // as errors call it
	Source  string
	Program bool // it has a package clause: a whole Go program
	Cells   []Cell

	original string   // the text that was read, before any setting
	jupyter  *Jupyter // that it was read from, or nil
}

// Cell is one piece of a notebook.
type Cell struct {
	Title    string
	Markdown string // of a text cell; otherwise empty
	Line     int    // of its first line, the marker included, from 1
	End      int    // of its last line
	Source   string // its lines, the marker left out

	from    int    // line of Source
	name    string // as errors call it, where it is not the file: lines then count from the cell's first
	at      int    // its place in the Jupyter notebook, from 1
	raw     bool   // neither code nor text: kept for Jupyter
	rawText string
}

// Text reports that the cell is text and not code.
func (c *Cell) Text() bool { return c.Markdown != "" }

// Code reports that there is something to run in the cell: in a text cell, below its text.
func (c *Cell) Code() bool { return len(cell.Split(c.Source)) > 0 }

// First returns the line of the file on which Source begins.
func (c *Cell) First() int { return c.from }

// Parse cuts the text of a notebook into cells. What stands before the first marker is a cell without a title; in a
// program that is everything up to the first marker in main.
func Parse(name, src string) *File {
	src = strings.TrimPrefix(src, "\ufeff")
	f := &File{Name: name, Source: src, Program: cell.IsProgram(src), original: src}
	body, _ := goMarks.cut(src)
	lines := strings.Split(body, "\n")
	cur := Cell{Line: 1}
	text := false
	flush := func(end int) {
		cur.End = end
		from := cur.Line
		if cur.Title != "" || text || isMarker(lines[cur.Line-1]) {
			from++
		}
		cur.from = from
		if from <= end {
			cur.Source = strings.Join(lines[from-1:end], "\n")
		}
		if cur.raw {
			cur.rawText = markdown(lines[min(from-1, end):end])
		}
		if text {
			cur.Markdown = markdown(lines[min(from-1, end):end])
			if cur.Title == "" {
				cur.Title = firstLine(cur.Markdown)
			}
			if cur.Markdown == "" {
				cur.Markdown = "\n"
			}
		}
		if end >= cur.Line && (strings.TrimSpace(cur.Source) != "" || text || cur.raw || cur.Title != "") {
			f.Cells = append(f.Cells, cur)
		}
	}
	for i, l := range lines {
		if !isMarker(l) {
			continue
		}
		flush(i)
		title := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(l), "// %%"))
		cur, text = Cell{Line: i + 1}, false
		if rest, ok := strings.CutPrefix(title, "[markdown]"); ok {
			text, title = true, strings.TrimSpace(rest)
		} else if rest, ok := strings.CutPrefix(title, "[raw]"); ok {
			cur.raw, title = true, strings.TrimSpace(rest)
		}
		cur.Title = title
	}
	flush(len(lines))
	return f
}

// isMarker reports a line that begins a cell.
func isMarker(l string) bool {
	l = strings.TrimSpace(l)
	return l == "// %%" || strings.HasPrefix(l, "// %% ")
}

// markdown takes the comment signs off the lines of a text cell, up to the first line that is no comment.
func markdown(lines []string) string {
	var out []string
	for _, l := range lines {
		t := strings.TrimSpace(l)
		if t == "" && len(out) == 0 {
			continue
		}
		rest, ok := strings.CutPrefix(t, "//")
		if !ok {
			break
		}
		out = append(out, strings.TrimPrefix(rest, " "))
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

func firstLine(s string) string {
	l, _, _ := strings.Cut(s, "\n")
	return strings.TrimSpace(strings.TrimLeft(l, "# "))
}

// CellOf returns the number of the cell that a line belongs to.
func (f *File) CellOf(line int) int {
	for i, c := range f.Cells {
		if c.Line <= line && line <= c.End {
			return i
		}
	}
	return -1
}
