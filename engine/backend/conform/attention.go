package conform

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
)

var attentionChecks = []Check{
	{"AttentionForward/values", func(t T, b backend.Backend) {
		attentions(func(r random, s layout, h, kh, d int) {
			attentionForward(r, s, h, kh, d, 1, true).verify(t, b)
		}, append(trainingLayouts, decodeLayouts...))
	}},
	{"AttentionForward/no lse, large scores", func(t T, b backend.Backend) {
		attentions(func(r random, s layout, h, kh, d int) {
			attentionForward(r, s, h, kh, d, 12, false).verify(t, b)
		}, trainingLayouts[:2])
	}},
	{"AttentionForward/window", func(t T, b backend.Backend) {
		attentions(func(r random, s layout, h, kh, d int) {
			attentionForward(r, s, h, kh, d, 3, true).verify(t, b)
		}, append(windowed, windowedDecode...))
	}},
	{"AttentionForward/full", func(t T, b backend.Backend) {
		attentions(func(r random, s layout, h, kh, d int) {
			attentionForward(r, s, h, kh, d, 3, true).verify(t, b)
		}, append(full, layout{"full, more keys", []backend.Segment{seg(1, 3, 0, 8), seg(4, 2, 8, 90)}, 7, 100, 0, true},
			layout{"full, more keys, window 5", []backend.Segment{seg(1, 3, 0, 8), seg(4, 2, 8, 90)}, 7, 100, 5, true}))
	}},
	{"AttentionBackward/full", func(t T, b backend.Backend) {
		attentions(func(r random, s layout, h, kh, d int) { attentionBackward(r, s, h, kh, d).verify(t, b) }, full)
	}},
	{"AttentionBackward/window", func(t T, b backend.Backend) {
		attentions(func(r random, s layout, h, kh, d int) { attentionBackward(r, s, h, kh, d).verify(t, b) }, windowed[1:]) // one key has no gradient but rounding
	}},
	{"AttentionBackward/values", func(t T, b backend.Backend) {
		attentions(func(r random, s layout, h, kh, d int) { attentionBackward(r, s, h, kh, d).verify(t, b) }, trainingLayouts)
	}},
}

// layout is a list of segments with the rows of q and of k that it lies in; some rows belong to no segment.
type layout struct {
	name  string
	list  []backend.Segment
	q, tk int

	window int  // of Segments
	full   bool // of Segments
}

func (s layout) segments() *backend.Segments {
	return &backend.Segments{List: s.list, Window: s.window, Full: s.full}
}

func seg(q, ql, k, kl int) backend.Segment {
	return backend.Segment{QStart: q, QLen: ql, KStart: k, KLen: kl}
}

var trainingLayouts = []layout{
	{"one", []backend.Segment{seg(0, 7, 0, 7)}, 7, 7, 0, false},
	{"many, with gaps", []backend.Segment{seg(1, 3, 1, 3), seg(4, 0, 4, 0), seg(4, 1, 4, 1), seg(6, 5, 6, 5)}, 13, 13, 0, false},
	{"keys elsewhere", []backend.Segment{seg(5, 2, 0, 2), seg(0, 4, 3, 4)}, 8, 9, 0, false},
	{"none", nil, 2, 3, 0, false},
	{"empty", []backend.Segment{seg(0, 0, 0, 0)}, 1, 1, 0, false},
	{"long", []backend.Segment{seg(0, 70, 0, 70), seg(70, 1, 70, 1), seg(71, 33, 71, 33)}, 105, 105, 0, false},
}

var decodeLayouts = []layout{
	{"one query", []backend.Segment{seg(0, 1, 2, 9), seg(2, 1, 12, 1)}, 3, 14, 0, false},
	{"prompt behind a cache", []backend.Segment{seg(1, 3, 0, 8), seg(4, 2, 8, 90)}, 7, 100, 0, false},
	{"one query, many keys", []backend.Segment{seg(0, 1, 0, 577)}, 1, 577, 0, false},
}

// windowed are training layouts in which queries see a few of their keys; a window may be longer than every segment, or end
// blocks of keys before it.
var windowed = []layout{
	{"window 1", []backend.Segment{seg(0, 7, 0, 7)}, 7, 7, 1, false},
	{"window 3", []backend.Segment{seg(1, 3, 1, 3), seg(4, 0, 4, 0), seg(4, 1, 4, 1), seg(6, 7, 6, 7)}, 14, 14, 3, false},
	{"window 40", []backend.Segment{seg(0, 70, 0, 70), seg(70, 1, 70, 1), seg(71, 33, 71, 33)}, 105, 105, 40, false},
	{"window 20 of 300", []backend.Segment{seg(0, 300, 0, 300)}, 300, 300, 20, false},
	{"window 150 of 200", []backend.Segment{seg(0, 200, 0, 200)}, 200, 200, 150, false},
}

var windowedDecode = []layout{
	{"one query, window 3", []backend.Segment{seg(0, 1, 2, 9), seg(2, 1, 12, 1)}, 3, 14, 3, false},
	{"prompt behind a cache, window 5", []backend.Segment{seg(1, 3, 0, 8), seg(4, 2, 8, 90)}, 7, 100, 5, false},
	{"long prompt behind a cache, window 130", []backend.Segment{seg(0, 40, 0, 400)}, 40, 400, 130, false},
	{"one query, many keys, window 100", []backend.Segment{seg(0, 1, 0, 577)}, 1, 577, 100, false},
}

// full are layouts in which every query sees every key of its segment.
var full = []layout{
	{"full", []backend.Segment{seg(0, 7, 0, 7)}, 7, 7, 0, true},
	{"full, many", []backend.Segment{seg(1, 3, 1, 3), seg(4, 0, 4, 0), seg(4, 1, 4, 1), seg(6, 7, 6, 7)}, 14, 14, 0, true},
	{"full, long", []backend.Segment{seg(0, 70, 0, 70), seg(70, 1, 70, 1), seg(71, 33, 71, 33)}, 105, 105, 0, true},
	{"full, 210", []backend.Segment{seg(0, 210, 0, 210)}, 210, 210, 0, true},
	{"full, window 3", []backend.Segment{seg(1, 3, 1, 3), seg(4, 0, 4, 0), seg(4, 1, 4, 1), seg(6, 7, 6, 7)}, 14, 14, 3, true},
	{"full, window 20 of 300", []backend.Segment{seg(0, 300, 0, 300)}, 300, 300, 20, true},
	{"full, window 150 of 200", []backend.Segment{seg(0, 200, 0, 200)}, 200, 200, 150, true},
}

func attentions(f func(r random, s layout, h, kh, d int), layouts []layout) {
	r := newRandom("Attention")
	for _, s := range layouts {
		for i, g := range [][2]int{{1, 1}, {4, 4}, {4, 2}, {9, 3}, {6, 1}} {
			for j, d := range []int{2, 4, 16, 32, 64} {
				if s.q > 20 && (i+j)%3 > 0 { // a part of the long ones
					continue
				}
				f(r, s, g[0], g[1], d)
			}
		}
	}
}

// attentionForward: spread is the standard deviation of the scores.
func attentionForward(r random, s layout, h, kh, d int, spread float64, withLSE bool) *call {
	lse := output("lse", s.q*h)
	if !withLSE {
		lse = absent("lse")
	}
	scale := float32(1 / math.Sqrt(float64(d)))
	return &call{op: "AttentionForward", what: fmt.Sprintf("%s, %d over %d heads of %d", s.name, h, kh, d),
		x: []operand{table(output("o", s.q*h*d)), table(lse), table(input("q", r.floats(s.q*h*d, spread))),
			table(input("k", r.floats(s.tk*kh*d, 1))), table(input("v", r.floats(s.tk*kh*d, 1)))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.AttentionForward(x["o"], x["lse"], x["q"], x["k"], x["v"], s.segments(), h, kh, d, scale)
		}}
}

func attentionBackward(r random, s layout, h, kh, d int) *call {
	forward := attentionForward(r, s, h, kh, d, 1, true)
	after := forward.run(&Recorder{}, ref.New(), false, "")
	get := func(name string) operand { return table(input(name, forward.operand(name).f)) }
	scale := float32(1 / math.Sqrt(float64(d)))
	return &call{op: "AttentionBackward", what: forward.what,
		x: []operand{table(output("dQ", s.q*h*d)), table(output("dK", s.tk*kh*d)), table(output("dV", s.tk*kh*d)),
			table(input("dO", r.floats(s.q*h*d, 1))), get("q"), get("k"), get("v"),
			table(input("o", after["o"].f)), table(input("lse", after["lse"].f))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.AttentionBackward(x["dQ"], x["dK"], x["dV"], x["dO"], x["q"], x["k"], x["v"], x["o"], x["lse"],
				s.segments(), h, kh, d, scale)
		}}
}
