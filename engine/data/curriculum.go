package data

import (
	"fmt"
	"math"
)

// MixPolicy says how large a share each source has as training goes on. Progress runs from 0 to 1 over the mix, in its
// unit.
type MixPolicy interface {
	// Shares returns the share of each source at a progress; they are 0 or more and add to 1.
	Shares(progress float64) []float64
	// Sum returns the integral of Shares from 0 to a progress: what each source has given by then, as shares of the mix.
	Sum(progress float64) []float64
}

// Constant is the policy whose shares stay as they are.
type Constant []float64

// Shares returns the shares.
func (c Constant) Shares(float64) []float64 { return c }

// Sum returns the shares times progress.
func (c Constant) Sum(progress float64) []float64 {
	out := make([]float64, len(c))
	for i, x := range c {
		out[i] = x * progress
	}
	return out
}

// Stage is a point of a curriculum: the sources' shares from a progress on.
type Stage struct {
	At     float64   `json:"at"`     // progress, 0 to 1
	Shares []float64 `json:"shares"` // in the order of the parts; they add to 1
}

// Curriculum is a policy of stages. The shares jump at each stage or, when Linear, move in a straight line from one to
// the next and stay after the last.
type Curriculum struct {
	Stages []Stage
	Linear bool
}

// Check returns an error unless the stages begin at 0, ascend, and give each of n sources a share.
func (c Curriculum) Check(n int) error {
	if len(c.Stages) == 0 {
		return fmt.Errorf("data.Curriculum: no stages; wanted at least one, at 0")
	}
	for i, s := range c.Stages {
		if i == 0 && s.At != 0 {
			return fmt.Errorf("data.Curriculum: stage 1 is at %g; wanted 0", s.At)
		}
		if !(s.At >= 0 && s.At <= 1) || i > 0 && s.At <= c.Stages[i-1].At {
			return fmt.Errorf("data.Curriculum: stage %d is at %g; wanted more than the stage before and at most 1", i+1, s.At)
		}
		if len(s.Shares) != n {
			return fmt.Errorf("data.Curriculum: stage %d has %d shares; there are %d parts", i+1, len(s.Shares), n)
		}
		if err := sharesAddUp(s.Shares); err != nil {
			return fmt.Errorf("data.Curriculum: stage %d: %w", i+1, err)
		}
	}
	return nil
}

func sharesAddUp(shares []float64) error {
	sum := 0.0
	for _, x := range shares {
		if !(x >= 0 && x <= 1) {
			return fmt.Errorf("a share is %g; wanted 0 to 1", x)
		}
		sum += x
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("the shares add to %g; wanted 1", sum)
	}
	return nil
}

// Shares returns the shares at a progress.
func (c Curriculum) Shares(progress float64) []float64 {
	i := 0
	for i+1 < len(c.Stages) && c.Stages[i+1].At <= progress {
		i++
	}
	a := c.Stages[i]
	out := append([]float64(nil), a.Shares...)
	if c.Linear && i+1 < len(c.Stages) {
		b := c.Stages[i+1]
		f := (progress - a.At) / (b.At - a.At)
		for s := range out {
			out[s] += f * (b.Shares[s] - a.Shares[s])
		}
	}
	return out
}

// Sum returns the integral of Shares from 0 to a progress, exactly but for rounding.
func (c Curriculum) Sum(progress float64) []float64 {
	out := make([]float64, len(c.Stages[0].Shares))
	for i, a := range c.Stages {
		if a.At >= progress {
			break
		}
		end := progress
		if i+1 < len(c.Stages) {
			end = min(end, c.Stages[i+1].At)
		}
		last := a.Shares
		if c.Linear && i+1 < len(c.Stages) {
			last = c.Shares(math.Nextafter(end, 0))
		}
		for s := range out {
			out[s] += (end - a.At) * (a.Shares[s] + last[s]) / 2
		}
	}
	return out
}

// Temperature returns shares in proportion to size^(1/t): t = 1 keeps the proportions of the sizes, a large t makes the
// shares equal. Source: Arivazhagan et al. 2019, arXiv:1907.05019, section 4.1.
func Temperature(sizes []float64, t float64) ([]float64, error) {
	if !(t > 0) || math.IsInf(t, 0) {
		return nil, fmt.Errorf("data.Temperature: t is %g; wanted more than 0, such as 1 (in proportion) to 100 (equal)", t)
	}
	largest := 0.0
	for _, n := range sizes {
		if !(n > 0) || math.IsInf(n, 0) {
			return nil, fmt.Errorf("data.Temperature: a size is %g; wanted more than 0", n)
		}
		largest = max(largest, n)
	}
	out, sum := make([]float64, len(sizes)), 0.0
	for i, n := range sizes {
		out[i] = math.Pow(n/largest, 1/t)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out, nil
}

// Adaptive is a policy whose shares follow the sources' validation losses from one round of training to the next:
//
//	share ← share · exp(Rate · max(loss − reference, 0)),  scaled to add to 1,  then (1 − Smooth)·share + Smooth/k
//
// This is the update of group DRO as DoReMi makes it (Xie et al. 2023, arXiv:2305.10429, algorithm 1). DoReMi makes it in
// every step from the losses of a small proxy model's batch, with Rate 1 and Smooth 1e-3; here one is made from each
// round's validation losses, so a round stands for many steps. Its result is the mean of all rounds' shares, as there.
type Adaptive struct {
	Rate      float64   // 1
	Smooth    float64   // 1e-3
	Reference []float64 // loss of a reference model by source, nats a token; empty means 0: the loss itself counts

	History [][]float64 // shares of each round, the first those that it began with
}

// NewAdaptive returns a policy that begins with equal shares of n sources.
func NewAdaptive(n int, reference []float64) (*Adaptive, error) {
	if n < 1 {
		return nil, fmt.Errorf("data.NewAdaptive: %d sources; wanted at least 1", n)
	}
	if len(reference) > 0 && len(reference) != n {
		return nil, fmt.Errorf("data.NewAdaptive: %d reference losses; there are %d sources", len(reference), n)
	}
	shares := make([]float64, n)
	for i := range shares {
		shares[i] = 1 / float64(n)
	}
	return &Adaptive{Rate: 1, Smooth: 1e-3, Reference: reference, History: [][]float64{shares}}, nil
}

// Now returns the shares of the present round.
func (a *Adaptive) Now() []float64 {
	return append([]float64(nil), a.History[len(a.History)-1]...)
}

// Shares returns the shares of the present round, which do not depend on progress.
func (a *Adaptive) Shares(float64) []float64 { return a.Now() }

// Sum returns the present shares times progress.
func (a *Adaptive) Sum(progress float64) []float64 { return Constant(a.Now()).Sum(progress) }

// Observe ends a round with the sources' validation losses, in nats a token, and begins the next with other shares.
func (a *Adaptive) Observe(loss []float64) error {
	now := a.Now()
	if len(loss) != len(now) {
		return fmt.Errorf("data.Adaptive: %d losses; there are %d sources", len(loss), len(now))
	}
	up, top := make([]float64, len(now)), 0.0
	for i, l := range loss {
		if math.IsNaN(l) || math.IsInf(l, 0) {
			return fmt.Errorf("data.Adaptive: the loss of source %d is %g; wanted a finite number", i+1, l)
		}
		if len(a.Reference) > 0 {
			l -= a.Reference[i]
		}
		up[i] = a.Rate * max(l, 0)
		top = max(top, up[i])
	}
	sum := 0.0
	for i := range now {
		now[i] *= math.Exp(up[i] - top) // the common factor goes out in the scaling and keeps exp finite
		sum += now[i]
	}
	for i := range now {
		now[i] = (1-a.Smooth)*now[i]/sum + a.Smooth/float64(len(now))
	}
	a.History = append(a.History, now)
	return nil
}

// Mean returns the mean of all rounds' shares, the first apart, which was not learnt.
func (a *Adaptive) Mean() []float64 {
	h := a.History
	if len(h) > 1 {
		h = h[1:]
	}
	out := make([]float64, len(h[0]))
	for _, shares := range h {
		for i, x := range shares {
			out[i] += x / float64(len(h))
		}
	}
	return out
}
