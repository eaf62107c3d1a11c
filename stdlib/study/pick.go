package study

import (
	"cmp"
	"slices"

	"tunebook/stdlib/stop"
)

// Filter returns a study of the rows with these values; it shares them with s.
func (s *Study) Filter(w Where) *Study {
	s.names("study.Filter", w)
	return s.only(func(r Row) bool { return s.matches(r, w) })
}

// Where returns a study of the rows that pick lets through; it shares them with s. A row given to pick holds the keys, and
// the results as scores and numbers.
func (s *Study) Where(pick func(Row) bool) *Study { return s.only(pick) }

func (s *Study) only(pick func(Row) bool) *Study {
	out := &Study{Name: s.Name, Over: s.Over, keys: slices.Clone(s.keys), results: slices.Clone(s.results)}
	for _, r := range s.rows {
		if pick(r) {
			out.rows = append(out.rows, r)
		}
	}
	return out
}

// Sort returns the table with its rows ordered by a column, the smallest first, or the largest where descending is set.
// Numbers come in their order, before what is no number; equal rows stay in theirs.
func (t *Table) Sort(column string, descending bool) *Table {
	at := slices.Index(t.Columns, column)
	if at < 0 {
		stop.Now("study.Sort", "there is no column "+column+"; the table has "+listed(t.Columns), "")
	}
	out := *t
	out.Rows = slices.Clone(t.Rows)
	slices.SortStableFunc(out.Rows, func(a, b []string) int {
		x, isX := leading(a[at])
		y, isY := leading(b[at])
		switch {
		case isX != isY:
			if isX {
				return -1
			}
			return 1
		case isX && descending:
			return cmp.Compare(y, x)
		case isX:
			return cmp.Compare(x, y)
		case descending:
			return cmp.Compare(b[at], a[at])
		}
		return cmp.Compare(a[at], b[at])
	})
	return &out
}
