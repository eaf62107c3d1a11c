package data

import (
	"strings"

	"tunebook/engine/tensor"
)

// draw makes the random choices of one example or document. cover narrows what it may choose from; nil narrows nothing.
type draw struct {
	r     *tensor.RNG
	cover *coverage
}

// pick returns one word of a pool.
func (d *draw) pick(p *pool) string { return d.of(d.words(p)) }

// of returns one of ws.
func (d *draw) of(ws []string) string { return ws[d.r.Intn(len(ws))] }

// some returns n different words of a pool in random order.
func (d *draw) some(p *pool, n int) []string { return d.someOf(d.words(p), n) }

func (d *draw) someOf(ws []string, n int) []string {
	out := make([]string, 0, n)
	for len(out) < n {
		w := d.of(ws)
		if !has(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// other returns a word of ws that is none of not.
func (d *draw) other(ws []string, not ...string) string {
	for {
		if w := d.of(ws); !has(not, w) {
			return w
		}
	}
}

// between returns a number in [lo, hi].
func (d *draw) between(lo, hi int) int { return lo + d.r.Intn(hi-lo+1) }

// oneIn is true with probability 1/n.
func (d *draw) oneIn(n int) bool { return d.r.Intn(n) == 0 }

// shuffle returns ws in random order.
func (d *draw) shuffle(ws []string) []string {
	out := make([]string, len(ws))
	for i, j := range d.r.Perm(len(ws)) {
		out[i] = ws[j]
	}
	return out
}

// among returns a number below n for a list that is not a pool of words, as pick does for one that is.
func (d *draw) among(name string, n int) int {
	if d.cover == nil || d.cover.breadth >= 1 {
		return d.r.Intn(n)
	}
	order := d.cover.order("list/"+name, n)
	return order[d.r.Intn(min(max(share(d.cover.breadth, n), minPool), n))]
}

func (d *draw) words(p *pool) []string {
	if d.cover == nil {
		return p.words
	}
	return d.cover.words(p)
}

// verbs draws n different verbs.
func (d *draw) verbs(n int) []verb {
	var out []verb
	if d.cover == nil {
		for _, i := range d.r.Perm(len(verbs))[:n] {
			out = append(out, verbs[i])
		}
		return out
	}
	for seen := map[int]bool{}; len(out) < n; {
		if i := d.among("verbs", len(verbs)-1); !seen[i] {
			seen[i] = true
			out = append(out, verbs[i])
		}
	}
	return out
}

// past draws the past form of a verb; in a skill, one of those listed where there is a list.
func (d *draw) past(fit ...string) string {
	switch {
	case d.cover == nil:
		return d.of(pastOf(verbs))
	case len(fit) > 0:
		return d.of(fit)
	}
	return d.verbs(1)[0].past
}

func has(ws []string, w string) bool {
	for _, x := range ws {
		if x == w {
			return true
		}
	}
	return false
}

func lower(ws []string) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = strings.ToLower(w)
	}
	return out
}

// coverage is the part of phrasings, sub-tasks and pools that a Breadth below 1 leaves.
type coverage struct {
	seed    int64
	breadth float64
	pools   map[*pool][]string
	orders  map[string][]int
}

func newCoverage(seed int64, breadth float64) *coverage {
	if breadth == 0 {
		breadth = 1
	}
	return &coverage{seed: seed, breadth: breadth, pools: map[*pool][]string{}, orders: map[string][]int{}}
}

// order is the order in which n numbered things are covered as breadth grows.
func (c *coverage) order(what string, n int) []int {
	o, ok := c.orders[what]
	if !ok {
		o = tensor.NewRNG(c.seed, "breadth/"+what).Perm(n)
		c.orders[what] = o
	}
	return o
}

// minPool is the least number of words that a narrowed pool keeps, so that there are enough different examples.
const minPool = 32

func (c *coverage) words(p *pool) []string {
	if c.breadth >= 1 {
		return p.words
	}
	if ws, ok := c.pools[p]; ok {
		return ws
	}
	order := c.order("pool/"+p.name, len(p.words))
	n := min(max(share(c.breadth, len(p.words)), minPool), len(p.words))
	ws := make([]string, n)
	for i := range ws {
		ws[i] = p.words[order[i]]
	}
	c.pools[p] = ws
	return ws
}

// part returns which of n numbered things are covered, in their own order: at least so many.
func (c *coverage) part(what string, n, least int) []int {
	order := c.order(what, n)
	keep := make([]bool, n)
	for _, i := range order[:min(max(share(c.breadth, n), least), n)] {
		keep[i] = true
	}
	var out []int
	for i, k := range keep {
		if k {
			out = append(out, i)
		}
	}
	return out
}

// share is breadth·n rounded up: at least 1 and at most n.
func share(breadth float64, n int) int {
	k := int(breadth * float64(n))
	if float64(k) < breadth*float64(n)-1e-9 {
		k++
	}
	return min(max(k, 1), n)
}
