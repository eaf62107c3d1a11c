package eval

import (
	"fmt"
	"math"
	"slices"

	"tunebook/engine/tensor"
)

const (
	maxResamples = 10_000
	minResamples = 1_000
	maxDraws     = 20_000_000 // documents drawn in one bootstrap, a fifth of a second
)

// resamplesFor returns how often n documents are drawn again.
func resamplesFor(n int) int { return min(maxResamples, max(minResamples, maxDraws/n)) }

// Interval returns the bounds of the bootstrap interval of the mean of values over documents: the documents are drawn
// again with replacement, 10,000 times (fewer, but at least 1,000, beyond 2,000 documents), and the bounds are percentiles
// of the means. The draws come from a stream of their own, so equal values give equal bounds.
//
// Means are stretched around the true mean by sqrt(n/(n-1))·t/z, which makes the interval of few values as wide as it has
// to be (Hesterberg 2015, "What teachers should know about the bootstrap", section 5.3: the expanded percentile interval);
// for 300 documents the factor is 1.005. Where all values are equal, the bound is that of the share of documents that
// differ: with 30 of 30 right at 95 %, 0.884 to 1.
//
// lowest and highest are the least and greatest value that a document can have. It returns an error for no values.
func Interval(values []float64, level, lowest, highest float64) (lo, hi float64, err error) {
	if len(values) == 0 || !(level > 0 && level < 1) {
		return 0, 0, fmt.Errorf("eval: Interval of %d values at level %v; wanted at least one value and a level between 0 and 1", len(values), level)
	}
	b := estimate{centre: mean(values), perDoc: values, lowest: lowest, highest: highest}.interval(level)
	return b.lo, b.hi, nil
}

type bounds struct {
	lo, hi    float64
	p         float64 // two-sided bootstrap p-value of a mean of zero
	resamples int
}

// estimate is what a bootstrap is of: the mean of perDoc, or where there are terms, a combination of corpus values.
type estimate struct {
	centre          float64
	perDoc          []float64
	terms           []term
	value           func(sum []float64) float64
	lowest, highest float64
	resamples       int // 0: as many as the number of documents allows
}

// interval is the two-level bootstrap: documents, and the means of seeds in each list of sides (one, or two for
// a difference of runs that do not pair; the sign of a side does not matter). All lists are drawn with replacement and
// independently, and each one's deviation is stretched for its own number. All seeds are scored on the same documents, so
// the levels add up.
func (e estimate) interval(level float64, sides ...[]float64) bounds {
	n := len(e.perDoc)
	b := bounds{resamples: e.resamples}
	if b.resamples == 0 {
		b.resamples = resamplesFor(n)
	}
	if e.terms != nil {
		b.resamples = min(b.resamples, max(minResamples, maxDraws/entries(e.terms)))
	}
	means := make([]float64, b.resamples)
	if e.terms != nil {
		resample(means, e.terms, e.value, e.centre, stretch(n, level))
	} else {
		draw(means, e.perDoc, e.centre, stretch(n, level), "eval/bootstrap/documents")
	}
	for i, seeds := range sides {
		if len(seeds) > 1 {
			draw(means, seeds, mean(seeds), stretch(len(seeds), level), fmt.Sprintf("eval/bootstrap/seeds/%d", i))
		}
	}
	below, above := 0, 0
	for i := range means {
		means[i] += e.centre
		if means[i] <= 0 {
			below++
		}
		if means[i] >= 0 {
			above++
		}
	}
	slices.Sort(means)
	b.lo, b.hi = quantile(means, (1-level)/2), quantile(means, (1+level)/2)
	b.p = min(1, 2*float64(min(below, above)+1)/float64(b.resamples+1))
	if slices.Min(e.perDoc) == slices.Max(e.perDoc) {
		differ := 1 - math.Pow((1-level)/2, 1/float64(n))
		if !math.IsInf(e.lowest, 0) {
			b.lo = min(b.lo, e.centre-differ*(e.centre-e.lowest))
		}
		if !math.IsInf(e.highest, 0) {
			b.hi = max(b.hi, e.centre+differ*(e.highest-e.centre))
		}
	}
	b.lo, b.hi = max(e.lowest, b.lo), min(e.highest, b.hi)
	return b
}

// draw adds to each of sums the stretched deviation from centre of a mean of as many values as there are, drawn with
// replacement.
func draw(sums, values []float64, centre, stretch float64, stream string) {
	rng := tensor.NewRNG(0, stream)
	n := len(values)
	for i := range sums {
		sum := 0.0
		for range n {
			sum += values[rng.Intn(n)]
		}
		sums[i] += stretch * (sum/float64(n) - centre)
	}
}

// stretch returns sqrt(n/(n-1))·t/z, and 1 for a single value, of which no spread is known.
func stretch(n int, level float64) float64 {
	if n < 2 {
		return 1
	}
	z := math.Sqrt2 * math.Erfinv(level)
	return math.Sqrt(float64(n)/float64(n-1)) * studentQuantile((1+level)/2, float64(n-1)) / z
}

// quantile interpolates between the order statistics of sorted values (Hyndman and Fan 1996, type 7).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// studentQuantile returns the q-quantile of Student's t for q > 1/2, by bisection of the distribution function.
func studentQuantile(q, df float64) float64 {
	lo, hi := 0.0, 1.0
	for studentCDF(hi, df) < q {
		hi *= 2
	}
	for range 80 {
		mid := (lo + hi) / 2
		if studentCDF(mid, df) < q {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// studentCDF returns P(T ≤ t) for t ≥ 0.
func studentCDF(t, df float64) float64 { return 1 - betaRatio(df/(df+t*t), df/2, 0.5)/2 }

// betaRatio is the regularised incomplete beta function I_x(a, b), by its continued fraction.
//
// Source: Abramowitz and Stegun 1964, 26.5.8; evaluated from the front by Lentz's method.
func betaRatio(x, a, b float64) float64 {
	if x <= 0 || x >= 1 {
		return max(0, min(1, x))
	}
	if x > (a+1)/(a+b+2) {
		return 1 - betaRatio(1-x, b, a) // the fraction converges fast on the other side only
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab - la - lb + a*math.Log(x) + b*math.Log1p(-x))
	const tiny = 1e-300
	f, c, d := 1.0, 1.0, 0.0
	for i := range 1000 {
		m, term := float64(i/2), 1.0
		switch {
		case i == 0:
		case i%2 == 0:
			term = m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		default:
			term = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		if d = 1 + term*d; math.Abs(d) < tiny {
			d = tiny
		}
		if c = 1 + term/c; math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		f *= c * d
		if math.Abs(c*d-1) < 1e-15 {
			break
		}
	}
	return front * (f - 1) / a
}
