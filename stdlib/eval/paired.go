package eval

import (
	"fmt"
	"html"
	"math"

	core "tunebook/engine/eval"
	"tunebook/stdlib/internal/grid"
)

// Difference is how much the second of two scores lies above the first, document by document. Mean, Lo and Hi are shares
// and are shown times 100; P is the two-sided p-value.
type Difference struct{ core.Difference }

// Paired returns how much b lies above a (b minus a) over the same documents, and over the same seeds where both have
// several. It stops when the scores were made in different ways and says in which.
func Paired(a, b Score) Difference {
	d, err := core.Paired(a.Score, b.Score)
	stopUnlike("eval.Paired", err)
	return Difference{d}
}

// Show returns the plain sentence and the evidence behind it.
func (d Difference) Show() (text, page string) {
	lines := []string{
		fmt.Sprintf("p %s (bootstrap), %s (%s over documents)", PValue(d.P), PValue(d.TestP), d.Test),
		fmt.Sprintf("better on %d documents, worse on %d, equal on %d", d.Better, d.Worse, d.N-d.Better-d.Worse),
	}
	if !math.IsNaN(d.Effect) {
		lines = append(lines, fmt.Sprintf("effect size %.2f (mean over standard deviation of the differences)", d.Effect))
	}
	text = d.String() + "\n"
	page = `<p class="tb-score"><strong>` + html.EscapeString(d.String()) + "</strong></p>\n<ul>"
	for _, l := range lines {
		text += "  " + l + "\n"
		page += "<li>" + html.EscapeString(l) + "</li>"
	}
	page += "</ul>\n"
	for _, n := range d.Notes {
		text += "  note: " + n + "\n"
		page += `<p class="tb-note">` + html.EscapeString(grid.Visible(n)) + "</p>\n"
	}
	return text, page
}

// PValue returns p as tables print it: three decimals, "<0.001" below, "—" for NaN.
func PValue(p float64) string {
	switch {
	case math.IsNaN(p):
		return "—"
	case p < 0.001:
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}
