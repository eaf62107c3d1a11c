package cpu

import (
	"fmt"
	"math"
	"slices"

	"tunebook/engine/backend"
)

// RoPE turns pairs by pos[t]·freqs[i]; see backend.Ops. The angle is rounded to float32 before sine and cosine are
// taken, as Hugging Face's models do, and these are exact to float32.
func (b *Backend) RoPE(y, x, pos, freqs backend.Buffer, t, heads, d int, pairing backend.Pairing, inverse bool) {
	if d%2 != 0 {
		panic(fmt.Sprintf("RoPE: head size %d; wanted an even one", d))
	}
	ys, xs := floats("RoPE", "y", y, t*heads*d), floats("RoPE", "x", x, t*heads*d)
	ps, fs := ints("RoPE", "pos", pos, t), floats("RoPE", "freqs", freqs, d/2)
	if pairing != backend.Half && pairing != backend.Interleaved {
		panic(fmt.Sprintf("RoPE: pairing %d; wanted Half or Interleaved", pairing))
	}
	if t == 0 || d == 0 || heads == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &b.tasks.rope
	*r = ropeTask{b: b, y: ys, x: xs, pos: ps, heads: heads, d: d, each: rowsOf(heads * d), inverse: inverse}
	r.table = b.angles.upTo(fs, pairing == backend.Interleaved, ps)
	b.pool.run(ceilDiv(t, r.each), r)
	*r = ropeTask{}
}

type ropeTask struct {
	b              *Backend
	y, x           []float32
	pos            []int32
	table          *angleTable
	heads, d, each int
	inverse        bool
}

func (t *ropeTask) do(w, item int) {
	k, h := t.b.k, t.d/2
	sign := float32(1)
	if t.inverse {
		sign = -1
	}
	buf := grow(t.b.scratch[w], 2*t.d)
	t.b.scratch[w] = buf
	for i := item * t.each; i < min((item+1)*t.each, len(t.pos)); i++ {
		cos, sin := t.table.row(t.pos[i], buf)
		for j := range t.heads {
			at := (i*t.heads + j) * t.d
			switch {
			case t.table.pairs:
				k.rotatePairs(&t.y[at], &t.x[at], &cos[0], &sin[0], sign, t.d)
			case t.inverse: // turning back is turning with the two elements exchanged
				k.rotate(&t.y[at+h], &t.y[at], &t.x[at+h], &t.x[at], &cos[0], &sin[0], h)
			default:
				k.rotate(&t.y[at], &t.y[at+h], &t.x[at], &t.x[at+h], &cos[0], &sin[0], h)
			}
		}
	}
}

// angleTable holds cosines and sines of the positions from 0 on for one list of frequencies: a value for each
// frequency, or two when pairs are neighbours.
type angleTable struct {
	freqs    []float32
	pairs    bool
	width    int       // values of a position
	cos, sin []float32 // (positions, width)
}

// maxTabled bounds the positions of a table; farther ones are computed for each call.
const maxTabled = 1 << 16

// angleTables keeps the tables of the frequencies that were used last.
type angleTables struct{ tables []*angleTable }

// upTo returns a table of freqs that holds every position of pos in [0, maxTabled).
func (a *angleTables) upTo(freqs []float32, pairs bool, pos []int32) *angleTable {
	at := slices.IndexFunc(a.tables, func(t *angleTable) bool { return t.pairs == pairs && slices.Equal(t.freqs, freqs) })
	if at < 0 {
		t := &angleTable{freqs: slices.Clone(freqs), pairs: pairs, width: len(freqs)}
		if pairs {
			t.width *= 2
		}
		if len(a.tables) < 4 {
			a.tables = append(a.tables, nil)
		}
		at = len(a.tables) - 1
		a.tables[at] = t
	}
	t := a.tables[at]
	copy(a.tables[1:at+1], a.tables[:at])
	a.tables[0] = t

	top := int32(-1)
	for _, p := range pos {
		top = max(top, p)
	}
	n := min(int(top)+1, maxTabled)
	if have := len(t.cos) / t.width; n > have {
		n = min(max(n, 2*have, 256), maxTabled)
		cos, sin := make([]float32, n*t.width), make([]float32, n*t.width)
		copy(cos, t.cos)
		copy(sin, t.sin)
		for p := have; p < n; p++ {
			t.fill(cos[p*t.width:(p+1)*t.width], sin[p*t.width:(p+1)*t.width], int32(p))
		}
		t.cos, t.sin = cos, sin
	}
	return t
}

// row returns the cosines and sines of a position, in buf when the table does not hold them.
func (t *angleTable) row(pos int32, buf []float32) (cos, sin []float32) {
	w := t.width
	if at := int(pos) * w; pos >= 0 && at < len(t.cos) {
		return t.cos[at : at+w], t.sin[at : at+w]
	}
	cos, sin = buf[:w], buf[w:2*w]
	t.fill(cos, sin, pos)
	return cos, sin
}

func (t *angleTable) fill(cos, sin []float32, pos int32) {
	for i, f := range t.freqs {
		s, c := math.Sincos(float64(float32(pos) * f))
		if t.pairs {
			cos[2*i], sin[2*i], cos[2*i+1], sin[2*i+1] = float32(c), float32(s), float32(c), float32(s)
		} else {
			cos[i], sin[i] = float32(c), float32(s)
		}
	}
}
