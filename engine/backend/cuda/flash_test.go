package cuda

import (
	"fmt"
	"math"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

// flashTolerances bound the difference from ref, relative to the element and the root mean square of the array or its row, where bf16 holds
// the operands: lse owes nothing to rounding, the others are sums over weights, or gradients of scores, of 8 bits.
var flashTolerances = map[string]float64{"lse": 1e-5, "o": 8e-3, "dV": 2e-2, "dQ": 2e-2, "dK": 2e-2}

type flashCase struct {
	segs     backend.Segments
	h, kh, d int
}

// segments are documents of these lengths, one behind the other, after a row that none names.
func segments(lengths ...int) (l []backend.Segment) {
	at := 1
	for _, n := range lengths {
		l = append(l, backend.Segment{QStart: at, QLen: n, KStart: at, KLen: n})
		at += n
	}
	return l
}

func flashCases() []flashCase {
	return []flashCase{
		{backend.Segments{List: segments(70, 1, 0, 33)}, 4, 2, 16},
		{backend.Segments{List: segments(100), Window: 20}, 2, 1, 32},
		{backend.Segments{List: segments(40, 75), Full: true}, 1, 1, 7},
		{backend.Segments{List: segments(90), Full: true, Window: 9}, 3, 1, 24},
		// Windows whose borders lie one beside those of blocks.
		{backend.Segments{List: segments(100), Full: true, Window: 47}, 1, 1, 16},
		{backend.Segments{List: segments(100), Window: 95}, 1, 1, 8},
		{backend.Segments{List: []backend.Segment{{QStart: 2, QLen: 5, KStart: 0, KLen: 80}, {QStart: 7, QLen: 1, KStart: 80, KLen: 1}}}, 2, 2, 32},
	}
}

// attentions compares attention forward and, where queries and keys have equal ranges, backward with ref.
func attentions(b *Backend, cases []flashCase) error {
	r := tensor.NewRNG(5, "flash")
	for _, c := range cases {
		rows, keys, equal := 0, 0, true
		for _, g := range c.segs.List {
			rows, keys, equal = max(rows, g.QStart+g.QLen), max(keys, g.KStart+g.KLen), equal && g.QLen == g.KLen
		}
		nq, nk := rows*c.h*c.d, keys*c.kh*c.d
		q, k, v, dO := rounded(r, nq), rounded(r, nk), rounded(r, nk), rounded(r, nq)
		scale := float32(1 / math.Sqrt(float64(c.d)))
		var results [2]map[string][]float32
		for i, dev := range []backend.Backend{ref.New(), b} {
			in := func(x []float32) backend.Buffer {
				y := dev.AllocUninit(tensor.F32, len(x))
				dev.Upload(y, x)
				return y
			}
			out := func(n int) backend.Buffer { return in(make([]float32, n)) }
			qs, ks, vs, ds := in(q), in(k), in(v), in(dO)
			o, lse, dQ, dK, dV := out(nq), out(rows*c.h), out(nq), out(nk), out(nk)
			segs := backend.Segments{List: c.segs.List, Window: c.segs.Window, Full: c.segs.Full}
			dev.AttentionForward(o, lse, qs, ks, vs, &segs, c.h, c.kh, c.d, scale)
			if equal {
				dev.AttentionBackward(dQ, dK, dV, ds, qs, ks, vs, o, lse, &segs, c.h, c.kh, c.d, scale)
			}
			results[i] = map[string][]float32{}
			for name, buf := range map[string]backend.Buffer{"o": o, "lse": lse, "dQ": dQ, "dK": dK, "dV": dV} {
				x := make([]float32, buf.Len())
				if err := dev.Download(x, buf); err != nil {
					return fmt.Errorf("%+v: %w", c, err)
				}
				results[i][name] = x
			}
		}
		for _, name := range []string{"lse", "o", "dQ", "dK", "dV"} {
			want, got := results[0][name], results[1][name]
			all := rms(want)
			for i, w := range want {
				// An early row sees few keys: its own numbers are larger than those of the array.
				size := all
				if name != "lse" {
					size = max(all, rms(want[i/c.d*c.d:][:c.d]))
				}
				if d := math.Abs(float64(got[i] - w)); !(d <= flashTolerances[name]*(math.Abs(float64(w))+size)) {
					return fmt.Errorf("%+v: %s[%d] is %v; wanted %v", c, name, i, got[i], w)
				}
			}
		}
	}
	return nil
}

// rms is the root mean square of x.
func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}

// TestFlash: attention on tensor cores is as right as its rounding lets it be, for every kind of segment and every size of kernel.
func TestFlash(t *testing.T) {
	dev, err := newSimulated()
	if err != nil {
		t.Fatal(err)
	}
	cases := flashCases()
	for _, d := range []int{33, 64, 100, 128} {
		cases = append(cases, flashCase{*oneSegment(35), 2, 1, d})
	}
	if err := attentions(bf16Sim(t, dev), cases); err != nil {
		t.Error(err)
	}
}
