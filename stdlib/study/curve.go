package study

import (
	"fmt"
	"math"

	"tunebook/stdlib/eval"
	"tunebook/stdlib/stop"
)

// Curve returns the learning curve of a score over key x, which must hold numbers above 0, through the rows that where picks:
// a power law with its interval. Rows of the same x are combined over seeds; failed rows are left out.
func (s *Study) Curve(x, score string, where Where) eval.LearningCurve {
	const op = "study.Curve"
	return eval.Curve(s.curvePoints(op, x, score, where))
}

// Worth says how many examples alone score as n of them in a mix: key x holds the number of specialist examples, alone picks
// the rows trained on nothing else and mixed those of the mix.
func (s *Study) Worth(x, score string, alone, mixed Where, n float64) eval.Equivalent {
	const op = "study.Worth"
	return eval.Worth(s.curvePoints(op, x, score, alone), s.curvePoints(op, x, score, mixed), n)
}

func (s *Study) curvePoints(op, x, score string, w Where) []eval.CurvePoint {
	s.need(op, x)
	score = s.result(op, score)
	if len(w) > 0 {
		s.names(op, w)
	}
	var out []eval.CurvePoint
	for _, g := range s.groups([]string{x}, func(r Row) bool { return s.matches(r, w) }) {
		n, is := number(g.values[0])
		if !is || !(n > 0) || math.IsInf(n, 0) {
			stop.Now(op, fmt.Sprintf("%q is %s in a row; wanted numbers above 0", x, label(g.values[0])), "pick the rows of the curve with Where")
		}
		sum := s.sum(op, g.rows, score)
		if len(sum.values) > 0 {
			stop.Now(op, fmt.Sprintf("%q is a measured number; wanted a score", score), "")
		}
		if sum.score.N > 0 {
			out = append(out, eval.CurvePoint{N: n, Score: sum.score})
		}
	}
	return out
}
