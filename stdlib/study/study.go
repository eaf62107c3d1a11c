// Package study collects the rows of an experiment and turns them into tables: means with intervals for each group,
// pivots, and paired comparisons. A row that could not be computed is a gap with its reason, never a zero.
package study

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"tunebook/stdlib/eval"
	"tunebook/stdlib/host"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Row is one result with what led to it. A value of a key is an int, float64, string or bool; a result is an eval.Score, a
// number made by Measured, or Failed.
type Row map[string]any

// Where picks the rows whose keys have these values. Numbers are equal when their values are, so 1 finds 1.0.
type Where map[string]any

// Measurement is a result that is one number without documents behind it: a loss, seconds.
type Measurement float64

// Measured returns x as a result of a row, shown as the mean and range over a group.
func Measured(x float64) Measurement { return Measurement(x) }

// Failure is the result of a row that could not be computed.
type Failure struct{ Reason string }

// Failed returns the gap that takes the place of a result, with its reason.
func Failed(reason string) Failure { return Failure{Reason: reason} }

// Error returns the reason.
func (f Failure) Error() string { return f.Reason }

// Study is a named list of rows. Over is the key that names a repetition of the same point, "seed" unless changed: its
// values are averaged over, and comparisons pair them.
type Study struct {
	Name string
	Over string

	keys    []string // in order of first appearance
	results []string
	rows    []Row

	bar      *host.Bar // of Expect; nil without
	expected int

	kept, computed int // points of Point
	live           *live
}

// New returns a study without rows.
func New(name string) *Study { return &Study{Name: name, Over: "seed"} }

// Expect says how many rows there will be: from now on a line tells how many are there, at what rate they come, and the
// time left.
func (s *Study) Expect(rows int) {
	s.expected = rows
	s.bar = host.Progress(s.Name, int64(rows), "point")
	s.bar.Set(int64(len(s.rows)), "")
}

// put appends a checked row and counts it.
func (s *Study) put(row Row) {
	s.rows = append(s.rows, row)
	s.live.show(s)
	if s.bar != nil {
		s.bar.Set(int64(len(s.rows)), s.place(row, s.keys))
		if len(s.rows) == s.expected {
			s.bar.Done(s.place(row, s.keys))
			s.bar = nil
		}
	}
}

// Len returns the number of rows.
func (s *Study) Len() int { return len(s.rows) }

// Add appends a row. It stops for a row whose keys are all there already (name the seed, or use Set), for a key that is
// also a result, for a value of another type, and for a row without a result.
func (s *Study) Add(row Row) {
	clean := s.check("study.Add", row)
	if at := s.find(clean); at >= 0 {
		stop.Now("study.Add", fmt.Sprintf("row %s is there already", s.place(clean, s.keys)),
			"make what differs a key (the seed, for one), or use Set to put the new result in its place")
	}
	s.put(clean)
}

// Set appends a row, or puts it in the place of the row with the same keys.
func (s *Study) Set(row Row) {
	clean := s.check("study.Set", row)
	if at := s.find(clean); at >= 0 {
		s.rows[at] = clean
		return
	}
	s.put(clean)
}

// Has tells whether there is a row with exactly these keys, so that a loop can skip what it has.
func (s *Study) Has(keys Where) bool { return s.find(Row(keys)) >= 0 }

// check returns the row with normalised values and takes its names up.
func (s *Study) check(op string, row Row) Row {
	names := make([]string, 0, len(row))
	for name := range row {
		names = append(names, name)
	}
	sort.Strings(names)
	clean, results := Row{}, 0
	var keys, found []string
	for _, name := range names {
		v, isResult, err := normal(row[name])
		if err != "" {
			stop.Now(op, fmt.Sprintf("%q is %s; wanted an int, float64, string, bool, eval.Score, Measured or Failed", name, err), "")
		}
		if isResult {
			results++
			if slices.Contains(s.keys, name) {
				stop.Now(op, fmt.Sprintf("%q is a result here and a key in earlier rows", name), "give the result another name")
			}
			found = append(found, name)
		} else {
			if slices.Contains(s.results, name) {
				stop.Now(op, fmt.Sprintf("%q is a %T here and a result in earlier rows; wanted a result", name, row[name]), "wrap a plain number: study.Measured(x)")
			}
			keys = append(keys, name)
		}
		clean[name] = v
	}
	if results == 0 {
		stop.Now(op, fmt.Sprintf("row %s has no result; wanted an eval.Score, Measured or Failed", s.place(clean, names)), "wrap a plain number: study.Measured(x)")
	}
	s.keys, s.results = union(s.keys, keys), union(s.results, found)
	return clean
}

func union(have, more []string) []string {
	for _, m := range more {
		if !slices.Contains(have, m) {
			have = append(have, m)
		}
	}
	return have
}

// normal returns the value as the study keeps it: ints as int64, a NaN measurement as a gap.
func normal(v any) (out any, result bool, wrong string) {
	switch x := v.(type) {
	case int:
		return int64(x), false, ""
	case int32:
		return int64(x), false, ""
	case int64:
		return x, false, ""
	case float32:
		return normal(float64(x))
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, false, fmt.Sprintf("%v", x)
		}
		return x, false, ""
	case string, bool:
		return x, false, ""
	case eval.Score:
		if x.N == 0 {
			return nil, true, "a score of 0 documents"
		}
		return x, true, ""
	case *eval.Score:
		if x == nil {
			return nil, true, "a nil score"
		}
		return normal(*x)
	case Measurement:
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			return Failed(fmt.Sprintf("measured %v", f)), true, ""
		}
		return x, true, ""
	case Failure:
		return x, true, ""
	case error:
		return Failed(x.Error()), true, ""
	}
	return nil, false, fmt.Sprintf("a %T", v)
}

// find returns the place of the row with exactly the keys of row, or -1.
func (s *Study) find(row Row) int {
	return slices.IndexFunc(s.rows, func(have Row) bool {
		for _, k := range s.keys {
			if id(have[k]) != id(row[k]) {
				return false
			}
		}
		return true
	})
}

// id returns a text that is equal for equal values and for nothing else.
func id(v any) string {
	switch x := v.(type) {
	case nil:
		return "-"
	case string:
		return "s" + x
	case bool:
		return "b" + strconv.FormatBool(x)
	}
	if n, ok := number(v); ok {
		return "n" + strconv.FormatFloat(n, 'g', -1, 64)
	}
	return fmt.Sprintf("%T%v", v, v)
}

// number returns the value of a number.
func number(v any) (float64, bool) {
	switch x := v.(type) {
	case int:
		return float64(x), true
	case int32:
		return float64(x), true
	case int64:
		return float64(x), true
	case float32:
		return float64(x), true
	case float64:
		return x, true
	}
	return math.NaN(), false
}

// label returns a key's value as tables print it.
func label(v any) string {
	switch x := v.(type) {
	case nil:
		return "—"
	case string:
		return x
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// place names a row by its keys: "n=50 mix=specialist seed=1".
func (s *Study) place(row Row, keys []string) string {
	var parts []string
	for _, k := range keys {
		if v, ok := row[k]; ok {
			switch v.(type) {
			case int64, float64, string, bool:
				parts = append(parts, k+"="+label(v))
			}
		}
	}
	if parts == nil {
		return "without keys"
	}
	return strings.Join(parts, " ")
}

// matches tells whether the row has these values.
func (s *Study) matches(row Row, w Where) bool {
	for k, v := range w {
		if have, ok := row[k]; !ok || id(have) != id(v) {
			return false
		}
	}
	return true
}

// need stops unless every name is a key of the study.
func (s *Study) need(op string, keys ...string) {
	for _, k := range keys {
		if !slices.Contains(s.keys, k) {
			stop.Now(op, fmt.Sprintf("%q is no key of study %q; it has %s", k, s.Name, listed(s.keys)), "")
		}
	}
}

// result returns the name of the result meant: the given one, or the only one for "".
func (s *Study) result(op, name string) string {
	if name == "" && len(s.results) == 1 {
		return s.results[0]
	}
	if !slices.Contains(s.results, name) {
		stop.Now(op, fmt.Sprintf("%q is no result of study %q; it has %s", name, s.Name, listed(s.results)), "")
	}
	return name
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// group is the rows that share the values of some keys.
type group struct {
	values []any
	rows   []Row
}

// groups returns the groups by keys in order of first appearance, of the rows that keep lets through.
func (s *Study) groups(keys []string, keep func(Row) bool) []group {
	var out []group
	at := map[string]int{}
	for _, row := range s.rows {
		if keep != nil && !keep(row) {
			continue
		}
		var name strings.Builder
		values := make([]any, len(keys))
		for i, k := range keys {
			values[i] = row[k]
			fmt.Fprintf(&name, "%q", id(row[k]))
		}
		i, ok := at[name.String()]
		if !ok {
			i = len(out)
			at[name.String()] = i
			out = append(out, group{values: values})
		}
		out[i].rows = append(out[i].rows, row)
	}
	return out
}

// score returns the score of the row as one of the seed that the row names.
func (s *Study) score(row Row, result string) (eval.Score, bool) {
	sc, ok := row[result].(eval.Score)
	if !ok {
		return sc, false
	}
	if seed, named := row[s.Over].(int64); named && len(sc.Seeds) == 1 {
		one := sc.Seeds[0]
		one.Seed, one.Known = seed, true
		sc.Seeds = append(sc.Seeds[:0:0], one)
		sc.How.Seeds = []int64{seed}
	}
	return sc, true
}

// Show returns every row as it was added.
func (s *Study) Show() (text, html string) {
	t := grid.Table{Caption: fmt.Sprintf("%s: %s", s.Name, grid.Plural(len(s.rows), "row"))}
	for _, k := range s.keys {
		t.Columns = append(t.Columns, grid.Column{Name: k, Right: s.numeric(k)})
	}
	for _, r := range s.results {
		t.Columns = append(t.Columns, grid.Column{Name: r})
	}
	for _, row := range s.rows {
		var cells []string
		for _, k := range s.keys {
			cells = append(cells, label(row[k]))
		}
		for _, r := range s.results {
			switch x := row[r].(type) {
			case eval.Score:
				cells = append(cells, x.String())
			case Measurement:
				cells = append(cells, fmt.Sprintf("%.4g", float64(x)))
			case Failure:
				cells = append(cells, "failed: "+x.Reason)
			default:
				cells = append(cells, "—")
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	return t.Text(), t.HTML()
}

// numeric tells whether every value of the key is a number.
func (s *Study) numeric(key string) bool {
	for _, row := range s.rows {
		if v, ok := row[key]; ok {
			if _, is := number(v); !is {
				return false
			}
		}
	}
	return true
}
