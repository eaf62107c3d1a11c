package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"tunebook/engine/tensor"
)

// curveResamples is how often a learning curve is fitted anew for its interval.
const curveResamples = 1000

// CurvePoint is a score after training on so many examples.
type CurvePoint struct {
	N     float64 // examples, more than 0
	Score Score
}

// Curve is a power law through scores at several numbers of examples: score(n) = Limit - Scale·n^(-Exponent). Scale is below
// 0 where scores fall, as a perplexity does.
type Curve struct {
	Limit, Scale, Exponent float64
	Metric                 string
	Level                  float64
	Unit                   float64
	Points                 []CurvePoint // by rising N
	Notes                  []string

	boot []law // the same, fitted to resampled documents and seeds
}

// law is a fitted power law: limit - scale·n^(-exponent), with scale below 0 where scores fall.
type law struct{ limit, scale, exponent float64 }

func (l law) at(n float64) float64 { return l.limit - l.scale*math.Pow(n, -l.exponent) }

// FitCurve returns the power law that fits the points best in least squares, with an interval that covers the choice of
// documents and, where points have several, of seeds: the documents are drawn again for all points alike, the curve is
// fitted anew 1,000 times. With fewer than four sizes the limit is fixed at the best score that the metric can have.
//
// All scores must be made in the same way over the same documents, else it returns an *Unlike. Fewer than two sizes, a
// size that is not above 0 and one given twice are errors (combine its scores first).
//
// Source: Hestness et al. 2017, arXiv:1712.00409.
func FitCurve(points []CurvePoint) (Curve, error) {
	curves, err := fitCurves(points)
	if err != nil {
		return Curve{}, err
	}
	return curves[0], nil
}

// fitCurves fits curves over the same documents, and draws the documents alike for all of them.
func fitCurves(lists ...[]CurvePoint) ([]Curve, error) {
	var first *Score
	for _, points := range lists {
		if len(points) < 2 {
			return nil, fmt.Errorf("eval: a curve through %s; wanted at least 2 sizes", count(len(points), "point"))
		}
		seen := map[float64]bool{}
		for i := range points {
			p := &points[i]
			if !(p.N > 0) || math.IsInf(p.N, 0) {
				return nil, fmt.Errorf("eval: a curve has a point at %v examples; wanted more than 0", p.N)
			}
			if seen[p.N] {
				return nil, fmt.Errorf("eval: a curve has two points at %v examples; wanted one, with the scores of all seeds combined", p.N)
			}
			if p.Score.N == 0 {
				return nil, fmt.Errorf("eval: a curve has a point at %v examples without a score", p.N)
			}
			seen[p.N] = true
			if first == nil {
				first = &p.Score
			} else if err := unlike(*first, p.Score); err != nil {
				return nil, err
			}
		}
	}
	m, err := first.corpus()
	if err != nil {
		return nil, err
	}
	least, most := 0.0, 1.0
	if m != nil {
		least, most = m.least, m.highest()
	}
	best := most
	if first.LowerBetter {
		best = least
	}
	var out []Curve
	var fits []*fitter
	var sorted [][]CurvePoint
	for _, points := range lists {
		c := Curve{Metric: first.Metric, Level: first.Level, Unit: first.Unit, Points: slices.Clone(points)}
		slices.SortFunc(c.Points, func(a, b CurvePoint) int { return cmp.Compare(a.N, b.N) })
		f := newFitter(c.Points, best)
		y := make([]float64, len(c.Points))
		for i, p := range c.Points {
			y[i] = p.Score.Mean
		}
		l := f.fit(y)
		c.Limit, c.Scale, c.Exponent = l.limit, l.scale, l.exponent
		if f.fixed {
			c.Notes = append(c.Notes, fmt.Sprintf("%d sizes: the limit is fixed at %s, the best score there can be", len(y), inUnit(best, c.Unit, false)))
		}
		for i, p := range c.Points {
			if v := l.at(p.N); v < p.Score.Lo || v > p.Score.Hi {
				c.Notes = append(c.Notes, fmt.Sprintf("the curve misses the score at %v examples: %s, measured %s (%s to %s)",
					p.N, inUnit(v, c.Unit, false), p.Score.Text(y[i]), p.Score.Text(p.Score.Lo), p.Score.Text(p.Score.Hi)))
			}
		}
		out, fits, sorted = append(out, c), append(fits, f), append(sorted, c.Points)
	}
	drawn := drawPoints(sorted, m, first.Level)
	for k := range out {
		for _, y := range drawn[k] {
			out[k].boot = append(out[k].boot, fits[k].fit(y))
		}
	}
	return out, nil
}

// drawPoints returns, for each list, the values of its points in each resample.
func drawPoints(lists [][]CurvePoint, m *Metric, level float64) [][][]float64 {
	n := lists[0][0].Score.N
	documents, seeds := tensor.NewRNG(0, "eval/curve/documents"), tensor.NewRNG(0, "eval/curve/seeds")
	wide := stretch(n, level)
	out := make([][][]float64, len(lists))
	times := make([]float64, n)
	for range curveResamples {
		clear(times)
		for range n {
			times[documents.Intn(n)]++
		}
		for k, points := range lists {
			y := make([]float64, len(points))
			for i, p := range points {
				y[i] = p.Score.Mean + wide*(weighted(p.Score, m, times)-p.Score.Mean)
				if s := seedMeans(p.Score.Seeds); len(s) > 1 {
					sum := 0.0
					for range s {
						sum += s[seeds.Intn(len(s))]
					}
					y[i] += stretch(len(s), level) * (sum/float64(len(s)) - mean(s))
				}
			}
			out[k] = append(out[k], y)
		}
	}
	return out
}

// weighted returns the score over documents of which each counts so many times.
func weighted(s Score, m *Metric, times []float64) float64 {
	if m == nil {
		sum, all := 0.0, 0.0
		for i, v := range s.PerDoc {
			sum, all = sum+times[i]*v, all+times[i]
		}
		return sum / all
	}
	v := 0.0
	for _, seed := range s.Seeds {
		counts := make([]float64, sizeOf(seed.Counts))
		for i, t := range seed.Counts {
			for _, c := range t {
				counts[c.At] += times[i] * c.Add
			}
		}
		v += m.value(counts) / float64(len(s.Seeds))
	}
	return v
}

// fitter fits laws to values at fixed sizes: over a grid of exponents, limit and scale follow by linear least squares.
type fitter struct {
	n     []float64
	fixed bool
	best  float64
	grid  []float64
	bases [][]float64 // n^(-exponent) by exponent
}

func newFitter(points []CurvePoint, best float64) *fitter {
	f := &fitter{best: best, fixed: len(points) < 4 && !math.IsInf(best, 0)}
	for _, p := range points {
		f.n = append(f.n, p.N)
	}
	for e := 0.02; e < 3.01; e *= 1.06 {
		f.grid = append(f.grid, e)
		base := make([]float64, len(f.n))
		for i, n := range f.n {
			base[i] = math.Pow(n, -e)
		}
		f.bases = append(f.bases, base)
	}
	return f
}

func (f *fitter) fit(y []float64) law {
	var out law
	least := math.Inf(1)
	for k, base := range f.bases {
		l := law{exponent: f.grid[k]}
		my, mx := mean(y), mean(base)
		if f.fixed {
			l.limit = f.best
			xy, xx := 0.0, 0.0
			for i, x := range base {
				xy, xx = xy+x*(f.best-y[i]), xx+x*x
			}
			l.scale = xy / xx
		} else {
			xy, xx := 0.0, 0.0
			for i, x := range base {
				xy, xx = xy+(x-mx)*(my-y[i]), xx+(x-mx)*(x-mx)
			}
			l.scale = xy / xx
			l.limit = my + l.scale*mx
			// A limit beyond the best score there is cannot be reached: fix it there.
			if (l.scale > 0 && l.limit > f.best || l.scale < 0 && l.limit < f.best) && !math.IsInf(f.best, 0) {
				xy, xx = 0, 0
				for i, x := range base {
					xy, xx = xy+x*(f.best-y[i]), xx+x*x
				}
				l.limit, l.scale = f.best, xy/xx
			}
		}
		sum := 0.0
		for i, x := range base {
			d := y[i] - (l.limit - l.scale*x)
			sum += d * d
		}
		if sum < least {
			least, out = sum, l
		}
	}
	return out
}

func (c Curve) law() law { return law{c.Limit, c.Scale, c.Exponent} }

// At returns the curve's score at n examples with its interval.
func (c Curve) At(n float64) (mean, lo, hi float64) {
	values := make([]float64, len(c.boot))
	for i, l := range c.boot {
		values[i] = l.at(n)
	}
	slices.Sort(values)
	return c.law().at(n), quantile(values, (1-c.Level)/2), quantile(values, (1+c.Level)/2)
}

// String returns the law: "ROUGE-L = 48.1 - 112·n^-0.42, 5 sizes from 50 to 2000 examples".
func (c Curve) String() string {
	scale, sign := math.Abs(c.Scale), "-"
	if c.Scale < 0 {
		sign = "+"
	}
	if c.Unit != 1 {
		scale *= 100
	}
	return fmt.Sprintf("%s = %s %s %.3g·n^-%.2f, %d sizes from %v to %v examples", c.Metric, inUnit(c.Limit, c.Unit, false), sign, scale, c.Exponent,
		len(c.Points), c.Points[0].N, c.Points[len(c.Points)-1].N)
}

// Equivalent says how many specialist examples alone score as N of them do in a mix.
type Equivalent struct {
	N         float64 // specialist examples in the mix
	Alone     float64 // as many alone score the same
	Lo, Hi    float64 // its interval
	Level     float64
	From, To  float64 // the sizes between which the curve of specialist examples alone was measured
	Below     bool    // Alone is below From: the mix scores less than the smallest size alone
	Beyond    bool    // Alone is beyond To: no size that was measured alone scores as much
	LoOutside bool    // Lo stands for "From or less"
	HiOutside bool    // Hi stands for "To or more"
	Notes     []string
}

// Worth reads off two learning curves how many specialist examples alone score as n of them do in a mix. Nothing is read
// beyond the sizes at which alone was measured: what lies outside is said to be at most or at least their bound. Documents
// are drawn again for both curves alike. n must lie within the sizes of mixed.
func Worth(alone, mixed []CurvePoint, n float64) (Equivalent, error) {
	curves, err := fitCurves(alone, mixed)
	if err != nil {
		return Equivalent{}, err
	}
	a, b := curves[0], curves[1]
	if from, to := b.Points[0].N, b.Points[len(b.Points)-1].N; n < from || n > to {
		return Equivalent{}, fmt.Errorf("eval: Worth at %v examples; the mix was measured from %v to %v", n, from, to)
	}
	e := Equivalent{N: n, Level: a.Level, From: a.Points[0].N, To: a.Points[len(a.Points)-1].N}
	read := func(alone, mixed law) float64 {
		return alone.crossing(mixed.at(n), e.From, e.To)
	}
	e.Alone = read(a.law(), b.law())
	values := make([]float64, len(a.boot))
	for i := range values {
		values[i] = read(a.boot[i], b.boot[i])
	}
	slices.Sort(values)
	e.Lo, e.Hi = quantile(values, (1-e.Level)/2), quantile(values, (1+e.Level)/2)
	e.Below, e.Beyond = e.Alone == e.From, e.Alone == e.To
	e.LoOutside, e.HiOutside = e.Lo == e.From, e.Hi == e.To
	for i, c := range curves {
		for _, note := range c.Notes {
			e.Notes = append(e.Notes, [2]string{"alone: ", "mixed: "}[i]+note)
		}
	}
	return e, nil
}

// crossing returns the n between from and to at which the law has the value y, or the nearer bound.
func (l law) crossing(y, from, to float64) float64 {
	atFrom, atTo := l.at(from), l.at(to)
	if (y-atFrom)*(y-atTo) < 0 {
		return max(from, min(to, math.Pow((l.limit-y)/l.scale, -1/l.exponent)))
	}
	if math.Abs(y-atFrom) < math.Abs(y-atTo) {
		return from
	}
	return to
}

// String returns the plain sentence: "300 specialist examples in the mix score as 720 alone (95 % 510 to 1100): the mix is worth
// 420 examples".
func (e Equivalent) String() string {
	bound := func(v float64, below, beyond bool) string {
		switch {
		case below:
			return fmt.Sprintf("%.0f or fewer", v)
		case beyond:
			return fmt.Sprintf("%.0f or more", v)
		}
		return fmt.Sprintf("%.0f", v)
	}
	s := fmt.Sprintf("%.0f specialist examples in the mix score as %s alone (%s %s to %s)", e.N, bound(e.Alone, e.Below, e.Beyond), percent(e.Level),
		bound(e.Lo, e.LoOutside, e.Lo == e.To), bound(e.Hi, e.Hi == e.From, e.HiOutside))
	switch d := math.Round(e.Alone) - math.Round(e.N); {
	case e.Below || e.Beyond:
	case d >= 0:
		s += fmt.Sprintf(": the mix is worth %.0f examples", d)
	default:
		s += fmt.Sprintf(": the mix costs %.0f examples", -d)
	}
	return s
}
