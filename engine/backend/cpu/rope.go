package cpu

import (
	"fmt"
	"math"

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
	*r = ropeTask{b: b, y: ys, x: xs, pos: ps, heads: heads, d: d, each: rowsOf(heads * d), freqs: fs,
		table: b.angles.upTo(fs, ps), pairs: pairing == backend.Interleaved, inverse: inverse}
	b.pool.run(ceilDiv(t, r.each), r)
	*r = ropeTask{}
}

type ropeTask struct {
	b              *Backend
	y, x           []float32
	pos            []int32
	freqs          []float32
	table          *angleTable
	heads, d, each int
	pairs, inverse bool
}

func (t *ropeTask) do(w, item int) {
	k, h := t.b.k, t.d/2
	buf := grow(t.b.scratch[w], 6*h)
	t.b.scratch[w] = buf
	for i := item * t.each; i < min((item+1)*t.each, len(t.pos)); i++ {
		cos, sin := t.table.row(t.pos[i], t.freqs, buf[4*h:])
		if t.pairs {
			c2, s2 := buf[:2*h], buf[2*h:4*h]
			for p := range h {
				c, s := cos[p], sin[p]
				if t.inverse {
					s = -s
				}
				c2[2*p], c2[2*p+1] = c, c
				s2[2*p], s2[2*p+1] = s, s
			}
			cos, sin = c2, s2
		}
		for j := range t.heads {
			at := (i*t.heads + j) * t.d
			switch {
			case t.pairs:
				k.rotatePairs(&t.y[at], &t.x[at], &cos[0], &sin[0], t.d)
			case t.inverse: // turning back is turning with the two elements exchanged
				k.rotate(&t.y[at+h], &t.y[at], &t.x[at+h], &t.x[at], &cos[0], &sin[0], h)
			default:
				k.rotate(&t.y[at], &t.y[at+h], &t.x[at], &t.x[at+h], &cos[0], &sin[0], h)
			}
		}
	}
}

// angleTable holds cosines and sines of the positions from 0 on for one list of frequencies.
type angleTable struct {
	freqs    []float32
	cos, sin []float32 // (positions, D/2)
}

// maxTabled bounds the positions of a table; farther ones are computed for each call.
const maxTabled = 1 << 16

// angleTables keeps the tables of the frequencies that were used last.
type angleTables struct{ tables []*angleTable }

// upTo returns a table of freqs that holds every position of pos in [0, maxTabled).
func (a *angleTables) upTo(freqs []float32, pos []int32) *angleTable {
	var t *angleTable
	for i, u := range a.tables {
		if equal(u.freqs, freqs) {
			t = u
			copy(a.tables[1:i+1], a.tables[:i])
			a.tables[0] = t
			break
		}
	}
	if t == nil {
		t = &angleTable{freqs: append([]float32(nil), freqs...)}
		if len(a.tables) < 4 {
			a.tables = append(a.tables, nil)
		}
		copy(a.tables[1:], a.tables)
		a.tables[0] = t
	}
	top := int32(-1)
	for _, p := range pos {
		top = max(top, p)
	}
	n, h := min(int(top)+1, maxTabled), len(freqs)
	if n*h > len(t.cos) {
		have := len(t.cos) / max(1, h)
		n = min(max(n, 2*have, 256), maxTabled)
		cos, sin := make([]float32, n*h), make([]float32, n*h)
		copy(cos, t.cos)
		copy(sin, t.sin)
		for p := have; p < n; p++ {
			angles(cos[p*h:(p+1)*h], sin[p*h:(p+1)*h], int32(p), freqs)
		}
		t.cos, t.sin = cos, sin
	}
	return t
}

// row returns the cosines and sines of a position, in buf when the table does not hold them.
func (t *angleTable) row(pos int32, freqs, buf []float32) (cos, sin []float32) {
	h := len(freqs)
	if at := int(pos) * h; pos >= 0 && at < len(t.cos) {
		return t.cos[at : at+h], t.sin[at : at+h]
	}
	cos, sin = buf[:h], buf[h:2*h]
	angles(cos, sin, pos, freqs)
	return cos, sin
}

func angles(cos, sin []float32, pos int32, freqs []float32) {
	for i, f := range freqs {
		s, c := math.Sincos(float64(float32(pos) * f))
		cos[i], sin[i] = float32(c), float32(s)
	}
}

func equal(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
