package eval

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	core "tunebook/engine/eval"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Side is one document as two scores answered it.
type Side struct {
	Row         int // document, from 0
	Prompt      string
	Answers     []string // the right ones
	A, B        string   // what each answered, cleaned
	ScoreA      float64
	ScoreB      float64
	Improvement float64 // of B over A, above 0 where B is better
}

// SideBySide is a list of documents as two scores answered them; it shows itself as a table.
type SideBySide struct {
	Title string
	Rows  []Side

	nameA, nameB string
	text         func(v float64) string
}

// Compare returns the n documents on which b differs most from a, what b made worse first. It stops when the scores were
// made in different ways. Of scores over several seeds the rows of the first are shown.
func Compare(a, b Score, n int) SideBySide {
	const op = "eval.Compare"
	_, err := core.Paired(a.Score, b.Score)
	stopUnlike(op, err)
	if len(a.Rows) != a.N || len(b.Rows) != b.N {
		stop.Now(op, fmt.Sprintf("the scores keep %d and %d rows of %d documents; wanted all", len(a.Rows), len(b.Rows), a.N), "")
	}
	out := SideBySide{nameA: a.How.Model, nameB: b.How.Model, text: a.Text}
	if out.nameA == out.nameB {
		out.nameA, out.nameB = strings.TrimSpace(out.nameA+" (first)"), strings.TrimSpace(out.nameB+" (second)")
	}
	for i, r := range a.Rows {
		q := b.Rows[i]
		s := Side{Row: i, Prompt: r.Prompt, Answers: r.Refs, A: r.Cleaned, B: q.Cleaned, ScoreA: r.Score, ScoreB: q.Score, Improvement: q.Score - r.Score}
		if r.Answer != "" {
			s.Answers = append([]string{r.Answer}, r.Refs...)
		}
		if a.LowerBetter {
			s.Improvement = -s.Improvement
		}
		out.Rows = append(out.Rows, s)
	}
	better, worse := 0, 0
	for _, s := range out.Rows {
		switch {
		case s.Improvement > 0:
			better++
		case s.Improvement < 0:
			worse++
		}
	}
	slices.SortStableFunc(out.Rows, func(x, y Side) int {
		return cmp.Or(cmp.Compare(max(y.Improvement, -y.Improvement), max(x.Improvement, -x.Improvement)), cmp.Compare(x.Improvement, y.Improvement))
	})
	out.Rows = out.Rows[:max(0, min(n, len(out.Rows)))]
	out.Title = fmt.Sprintf("%d of %d documents, %d better and %d worse in %s", len(out.Rows), a.N, better, worse, out.nameB)
	return out
}

// Show returns the documents as a table.
func (c SideBySide) Show() (text, html string) {
	names := []string{"document", "prompt", "answer", c.nameA, "score", c.nameB, "score", "change"}
	t := grid.Table{Caption: c.Title}
	for i, name := range names {
		t.Columns = append(t.Columns, grid.Column{Name: name, Right: i == 0 || i == 4 || i > 5})
	}
	long := grid.Table{Caption: c.Title, Columns: t.Columns}
	number := c.text
	if number == nil {
		number = Score{}.Text
	}
	for _, s := range c.Rows {
		cells := []string{fmt.Sprint(s.Row), s.Prompt, strings.Join(s.Answers, " / "), s.A, number(s.ScoreA), s.B, number(s.ScoreB), number(s.ScoreB - s.ScoreA)}
		long.Rows = append(long.Rows, cells)
		short := slices.Clone(cells)
		for i := range short {
			short[i] = cut(short[i], 20)
		}
		t.Rows = append(t.Rows, short)
	}
	return t.Text(), long.HTML()
}

// String is what Show gives in text, for fmt.Println.
func (c SideBySide) String() string { text, _ := c.Show(); return text }
