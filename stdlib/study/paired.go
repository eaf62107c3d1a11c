package study

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	core "tunebook/engine/eval"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/stop"
)

// Paired returns a table of how much the score of the rows b lies above that of the rows a (b minus a), one line for each
// value of the remaining keys: the difference times 100, its 95 % interval, the p-value of the paired bootstrap, the same
// adjusted for the number of lines so that one false finding among all is unlikely (Holm), or a small share of the findings
// is false (BH, Benjamini and Hochberg), documents and seeds, and the plain sentence. Documents are compared one by one,
// seeds as well where both sides have them; a seed that only one side has is left out and named below the table.
func (s *Study) Paired(score string, a, b Where) *Table {
	const op = "study.Paired"
	score = s.result(op, score)
	fixed := union(s.names(op, a), s.names(op, b))
	var rest []string
	for _, k := range s.keys {
		if k != s.Over && !slices.Contains(fixed, k) {
			rest = append(rest, k)
		}
	}
	t := &Table{Title: fmt.Sprintf("%s: %s, %s minus %s", s.Name, score, where(b), where(a))}
	for _, k := range rest {
		t.column(k, s.numeric(k))
	}
	for _, c := range []string{"difference", "95 %", "p", "p (Holm)", "p (BH)", "documents", "seeds"} {
		t.column(c, true)
	}
	t.column("in words", false)

	groups := s.groups(rest, func(r Row) bool { return s.matches(r, a) || s.matches(r, b) })
	if len(groups) == 0 {
		stop.Now(op, fmt.Sprintf("no row has %s or %s", where(a), where(b)), "")
	}
	p := make([]float64, len(groups))
	ds := make([]*eval.Difference, len(groups))
	why := make([]string, len(groups))
	for i, g := range groups {
		p[i] = math.NaN()
		at := ""
		for j, k := range rest {
			at += k + "=" + label(g.values[j]) + " "
		}
		at = strings.TrimSpace(at)
		left, right, notes := s.sides(g.rows, score, a, b)
		for _, n := range notes {
			t.Notes = append(t.Notes, strings.TrimPrefix(at+": "+n, ": "))
		}
		if len(left) == 0 || len(right) == 0 {
			why[i] = "no score of " + where(a)
			if len(left) > 0 {
				why[i] = "no score of " + where(b)
			}
			continue
		}
		d, err := core.Paired(s.combine(op, left, g.rows[0]).Score, s.combine(op, right, g.rows[0]).Score)
		if err != nil {
			panic(&stop.Error{Op: op, Msg: strings.TrimPrefix(at+": "+err.Error(), ": "), Err: err})
		}
		for _, n := range d.Notes {
			t.Notes = append(t.Notes, strings.TrimPrefix(at+": "+n, ": "))
		}
		p[i], ds[i] = d.P, &eval.Difference{Difference: d}
	}
	adjusted, discovered := core.Holm(p), core.BenjaminiHochberg(p)
	for i, g := range groups {
		var cells []string
		for _, v := range g.values {
			cells = append(cells, label(v))
		}
		if d := ds[i]; d != nil {
			cells = append(cells, d.Text(d.Mean, true), d.Text(d.Lo, false)+" to "+d.Text(d.Hi, false),
				eval.PValue(p[i]), eval.PValue(adjusted[i]), eval.PValue(discovered[i]), fmt.Sprint(d.N), fmt.Sprint(d.Seeds), d.String())
		} else {
			cells = append(cells, "—", "", "", "", "", "", "", why[i])
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// names returns the keys of a Where in alphabetical order, after checking them.
func (s *Study) names(op string, w Where) []string {
	var out []string
	for k := range w {
		out = append(out, k)
	}
	sort.Strings(out)
	s.need(op, out...)
	if len(out) == 0 {
		stop.Now(op, "a Where is empty; wanted at least one key", "")
	}
	return out
}

// where prints a Where: "mix=specialist".
func where(w Where) string {
	var parts []string
	for k, v := range w {
		parts = append(parts, k+"="+label(v))
	}
	sort.Strings(parts)
	return strings.Join(parts, " ")
}

// sides returns the scores on both sides, without the seeds that only one side has.
func (s *Study) sides(rows []Row, result string, a, b Where) (left, right []eval.Score, notes []string) {
	seeds := [2]map[int64]bool{{}, {}}
	named := true
	for _, row := range rows {
		for side, w := range []Where{a, b} {
			if !s.matches(row, w) {
				continue
			}
			if f, ok := row[result].(Failure); ok {
				notes = append(notes, fmt.Sprintf("failed: %s: %s", s.place(row, s.keys), f.Reason))
			}
			if _, ok := s.score(row, result); ok {
				seed, is := row[s.Over].(int64)
				named = named && is
				seeds[side][seed] = true
			}
		}
	}
	for _, row := range rows {
		sc, ok := s.score(row, result)
		if !ok {
			continue
		}
		for side, w := range []Where{a, b} {
			if !s.matches(row, w) {
				continue
			}
			if seed := row[s.Over]; named && len(seeds[0]) > 0 && len(seeds[1]) > 0 && !seeds[1-side][seed.(int64)] {
				notes = append(notes, fmt.Sprintf("%s %d left out: only %s has it", s.Over, seed, where(w)))
				continue
			}
			if side == 0 {
				left = append(left, sc)
			} else {
				right = append(right, sc)
			}
		}
	}
	return left, right, notes
}
