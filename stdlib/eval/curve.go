package eval

import (
	"errors"
	"fmt"
	"html"

	core "tunebook/engine/eval"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// CurvePoint is a score after training on N examples.
type CurvePoint struct {
	N     float64
	Score Score
}

// LearningCurve is a power law through scores at several numbers of examples: score(n) = Limit - Scale·n^(-Exponent).
type LearningCurve struct {
	Limit, Scale, Exponent float64
	Points                 []CurvePoint // by rising N
	Notes                  []string

	fit core.Curve
}

// At returns the curve's score at n examples with its interval. Values are shares of 1, as a Score's are.
func (c LearningCurve) At(n float64) (mean, lo, hi float64) { return c.fit.At(n) }

// String returns the law.
func (c LearningCurve) String() string { return c.fit.String() }

// Curve returns the power law that fits the points best, with an interval that covers the choice of documents and seeds. It
// stops for fewer than two sizes and for scores made in different ways.
func Curve(points []CurvePoint) LearningCurve {
	c, err := core.FitCurve(enginePoints(points))
	stopUnlike("eval.Curve", err)
	out := LearningCurve{Limit: c.Limit, Scale: c.Scale, Exponent: c.Exponent, Notes: c.Notes, fit: c}
	for _, p := range c.Points {
		out.Points = append(out.Points, CurvePoint{p.N, Score{p.Score}})
	}
	return out
}

// Equivalent says how many specialist examples alone score as N of them do in a mix.
type Equivalent struct{ core.Equivalent }

// Worth reads off two learning curves how many specialist examples alone score as n of them do in a mix. Nothing is read
// beyond the sizes at which alone was measured.
func Worth(alone, mixed []CurvePoint, n float64) Equivalent {
	e, err := core.Worth(enginePoints(alone), enginePoints(mixed), n)
	stopUnlike("eval.Worth", err)
	return Equivalent{e}
}

func enginePoints(points []CurvePoint) []core.CurvePoint {
	out := make([]core.CurvePoint, len(points))
	for i, p := range points {
		out[i] = core.CurvePoint{N: p.N, Score: p.Score.Score}
	}
	return out
}

// stopUnlike stops for an error, with what to do about scores that were made in different ways.
func stopUnlike(op string, err error) {
	var un *core.Unlike
	if errors.As(err, &un) {
		panic(&stop.Error{Op: op, Msg: err.Error(), Err: err, Hint: "score all models with the same test set, template, shots, stops and metric"})
	}
	stop.If(op, err)
}

// Show returns the law, and at each size the measured score and the curve with its interval.
func (c LearningCurve) Show() (text, page string) {
	t := grid.Table{Caption: c.String(), Notes: c.Notes}
	for _, name := range []string{"examples", "measured", "curve", fmt.Sprintf("%.3g %%", 100*c.fit.Level)} {
		t.Columns = append(t.Columns, grid.Column{Name: name, Right: true})
	}
	for _, p := range c.Points {
		at, lo, hi := c.At(p.N)
		t.Rows = append(t.Rows, []string{fmt.Sprint(p.N), p.Score.Text(p.Score.Mean), p.Score.Text(at), p.Score.Text(lo) + " to " + p.Score.Text(hi)})
	}
	return t.Text(), t.HTML()
}

// Show returns the plain sentence and what a reader must know.
func (e Equivalent) Show() (text, page string) {
	text = e.String() + "\n"
	page = `<p class="tb-score"><strong>` + html.EscapeString(e.String()) + "</strong></p>\n"
	for _, n := range e.Notes {
		text += "  note: " + n + "\n"
		page += `<p class="tb-note">` + html.EscapeString(grid.Visible(n)) + "</p>\n"
	}
	return text, page
}
