package notebook

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"tunebook/runtime/cell"
)

// Plan is a checked notebook and what of it is to run.
type Plan struct {
	File *File
	// Number counts by cell those that run, from 1; it is 0 for one without code.
	Number []int
	// Run tells by cell whether it runs, or, of a text cell, whether it is shown.
	Run []bool
	// For gives by cell the numbers of the cells that need it, for one that runs only because of them.
	For []string
	// Tops are the constants and variables at the top of the notebook that can be set.
	Tops []cell.Top
	// Set are the values that were given instead of those in the text, as "name=value".
	Set []string
	// Local are the files of the packages beside the notebook that it imports.
	Local []string
}

// Choice is what a person chose of a notebook. Only and From name cells by number or title.
type Choice struct {
	Set  []string // name=value
	Only []string
	From string
}

// Wrong is a choice that means nothing for the notebook: an unknown name, a value that does not fit.
type Wrong struct{ Err error }

// Error returns why.
func (w Wrong) Error() string { return w.Err.Error() }

// Unwrap returns why, as an error.
func (w Wrong) Unwrap() error { return w.Err }

// NewPlan checks a notebook as a whole, puts in the values that were set, and finds the cells that were chosen. The error
// names what is wrong; nothing has run. scope is called for an empty one each time.
func NewPlan(scope func() *cell.Scope, f *File, c Choice) (*Plan, error) {
	sc := scope()
	v, err := survey(sc, f)
	if err != nil {
		return nil, err
	}
	if len(c.Set) > 0 {
		set, err := f.set(v, c.Set)
		if err != nil {
			return nil, Wrong{err}
		}
		w, err := survey(scope(), set)
		if err != nil {
			return nil, Wrong{fmt.Errorf("with --set %s:\n%w", strings.Join(c.Set, " --set "), err)}
		}
		for i := range w.Tops {
			if i >= len(v.Tops) || w.Tops[i].Name != v.Tops[i].Name {
				break
			}
			if was, is := cell.TypeString(v.Tops[i].Type), cell.TypeString(w.Tops[i].Type); was != is {
				return nil, Wrong{fmt.Errorf("--set %s: it is of type %s, and %s is of type %s", v.Tops[i].Name, was, w.Tops[i].Value, is)}
			}
		}
		f, v = set, w
	}
	n := len(f.Cells)
	p := &Plan{File: f, Number: make([]int, n), Run: make([]bool, n), For: make([]string, n), Tops: v.Tops, Set: c.Set, Local: sc.LocalFiles()}
	count := 0
	for i := range f.Cells {
		if v.Runs[i] {
			count++
			p.Number[i] = count
		}
	}
	if len(c.Only) == 0 && c.From == "" {
		for i := range f.Cells {
			p.Run[i] = v.Runs[i] || f.Cells[i].Text()
		}
		return p, nil
	}
	chosen, err := p.choose(c)
	if err != nil {
		return nil, Wrong{err}
	}
	for _, i := range chosen {
		p.Run[i] = true
	}
	for _, i := range v.Needs(chosen) {
		if p.Run[i] || !v.Runs[i] {
			continue
		}
		var by []string
		for _, j := range chosen {
			for _, k := range v.Needs([]int{j}) {
				if k == i {
					by = append(by, strconv.Itoa(p.Number[j]))
				}
			}
		}
		p.Run[i], p.For[i] = true, strings.Join(by, ", ")
	}
	// A text belongs to the code below it, or to what stands above it at the end.
	for i := range f.Cells {
		if p.Number[i] > 0 {
			continue
		}
		at := i
		for at < n && p.Number[at] == 0 {
			at++
		}
		if at == n {
			for at = i; at >= 0 && p.Number[at] == 0; at-- {
			}
		}
		p.Run[i] = f.Cells[i].Text() && at >= 0 && at < n && p.Run[at] && p.For[at] == ""
	}
	return p, nil
}

func survey(s *cell.Scope, f *File) (*cell.Survey, error) {
	if f.Program {
		return s.SurveyFile(f.Name, f.Source, len(f.Cells), f.CellOf)
	}
	src := make([]cell.Source, len(f.Cells))
	for i := range f.Cells {
		src[i] = f.source(i)
	}
	return s.SurveyCells(src)
}

// Whole is a plan that runs a notebook from its first cell to its last.
func Whole(scope func() *cell.Scope, f *File) (*Plan, error) { return NewPlan(scope, f, Choice{}) }

// choose finds the cells that were asked for by number, by range of numbers, or by title.
func (p *Plan) choose(c Choice) ([]int, error) {
	in := map[int]bool{}
	for _, name := range c.Only {
		cells, err := p.find(name)
		if err != nil {
			return nil, fmt.Errorf("--only %s: %w", name, err)
		}
		for _, i := range cells {
			in[i] = true
		}
	}
	if c.From != "" {
		cells, err := p.find(c.From)
		if err != nil {
			return nil, fmt.Errorf("--from %s: %w", c.From, err)
		}
		for i := cells[0]; i < len(p.Number); i++ {
			if p.Number[i] > 0 {
				in[i] = true
			}
		}
	}
	var out []int
	for i := range in {
		out = append(out, i)
	}
	sort.Ints(out)
	return out, nil
}

// find returns the cells that a name stands for: a title, the only one that begins with it or holds it, a number, or
// numbers as in 1,3-5.
func (p *Plan) find(name string) ([]int, error) {
	name = strings.TrimSpace(name)
	tests := []func(title string) bool{
		func(t string) bool { return t == name },
		func(t string) bool { return strings.EqualFold(t, name) },
	}
	var in []int
	numbers := name != ""
	for _, part := range strings.Split(name, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		a, err1 := strconv.Atoi(strings.TrimSpace(from))
		b, err2 := a, error(nil)
		if isRange {
			b, err2 = strconv.Atoi(strings.TrimSpace(to))
		}
		if err1 != nil || err2 != nil {
			numbers = false
			break
		}
		found := 0
		for i, n := range p.Number {
			if n > 0 && a <= n && n <= b {
				in, found = append(in, i), found+1
			}
		}
		if found != b-a+1 || a < 1 {
			return nil, fmt.Errorf("there is no cell %s; the cells are:\n%s", strings.TrimSpace(part), p.list())
		}
	}
	if !numbers {
		lower := strings.ToLower(name)
		tests = append(tests,
			func(t string) bool { return strings.HasPrefix(strings.ToLower(t), lower) },
			func(t string) bool { return strings.Contains(strings.ToLower(t), lower) })
	}
	for _, test := range tests {
		var found []int
		for i, n := range p.Number {
			if n > 0 && name != "" && test(p.File.Cells[i].Title) {
				found = append(found, i)
			}
		}
		switch {
		case len(found) == 1:
			return found, nil
		case len(found) > 1:
			return nil, fmt.Errorf("%d cells have that in their title; use a number. The cells are:\n%s", len(found), p.list())
		}
	}
	if numbers {
		return in, nil
	}
	return nil, fmt.Errorf("no cell has that title; the cells are:\n%s", p.list())
}

// list names the cells that run.
func (p *Plan) list() string {
	var b strings.Builder
	for i, n := range p.Number {
		if n > 0 {
			fmt.Fprintf(&b, "%4d  %s\n", n, p.File.label(i))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// label is the title of a cell or, where it has none, its first line of code.
func (f *File) label(i int) string {
	if t := f.Cells[i].Title; t != "" {
		return t
	}
	_, cells, _ := f.parts()
	for _, l := range strings.Split(cells[i], "\n") {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "//") {
			if r := []rune(l); len(r) > 60 {
				l = string(r[:59]) + "…"
			}
			return l
		}
	}
	return ""
}

// set returns the notebook with other values of its constants and variables.
func (f *File) set(v *cell.Survey, settings []string) (*File, error) {
	type edit struct {
		top   *cell.Top
		value string
	}
	edits := map[int]edit{} // by place in v.Tops
	given := map[string]bool{}
	for _, s := range settings {
		name, value, ok := strings.Cut(s, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return nil, fmt.Errorf("--set %s: it is --set name=value", s)
		}
		if given[name] {
			return nil, fmt.Errorf("--set %s: %s is set twice", s, name)
		}
		given[name] = true
		var found []int
		var names []string
		for i := range v.Tops {
			if v.Tops[i].Name == name {
				found = append(found, i)
			}
			names = append(names, v.Tops[i].String())
		}
		switch {
		case len(found) == 0 && len(names) == 0:
			return nil, fmt.Errorf("--set %s: %s has no constant or variable with a value at its top", s, f.Name)
		case len(found) == 0:
			return nil, fmt.Errorf("--set %s: %s has no constant or variable %s with a value at its top; there are %s", s, f.Name, name, strings.Join(names, ", "))
		case len(found) > 1:
			return nil, fmt.Errorf("--set %s: %s is defined on line %d and again on line %d of %s; which is meant?", s, name,
				v.Tops[found[0]].Line, v.Tops[found[1]].Line, f.Name)
		}
		edits[found[0]] = edit{&v.Tops[found[0]], value}
	}
	out := *f
	out.Cells = append([]Cell(nil), f.Cells...)
	// From the end, so that the places of those before stay right.
	for i := len(v.Tops) - 1; i >= 0; i-- {
		e, ok := edits[i]
		if !ok {
			continue
		}
		text := out.Source
		if !f.Program {
			text = out.source(e.top.Cell).Text
		}
		text, err := e.top.Apply(text, e.value)
		if err != nil {
			return nil, fmt.Errorf("--set %s=%s: %w", e.top.Name, e.value, err)
		}
		if f.Program {
			out.Source = text
		} else {
			c := &out.Cells[e.top.Cell]
			c.Source = text[len(out.padding(e.top.Cell)):]
		}
	}
	if f.Program {
		// The cells are where they were: lines stay lines.
		lines := strings.Split(out.Source, "\n")
		for i := range out.Cells {
			if c := &out.Cells[i]; c.Source != "" {
				c.Source = strings.Join(lines[c.from-1:c.End], "\n")
			}
		}
	}
	return &out, nil
}

// source returns a loose cell as the session checks it: blank lines in front give it its lines in the file.
func (f *File) source(i int) cell.Source {
	c := &f.Cells[i]
	name := f.Name
	if c.name != "" {
		name = c.name
	}
	return cell.Source{Name: name, Text: f.padding(i) + c.Source}
}

func (f *File) padding(i int) string {
	if f.Cells[i].name != "" {
		return ""
	}
	return strings.Repeat("\n", f.Cells[i].First()-1)
}
