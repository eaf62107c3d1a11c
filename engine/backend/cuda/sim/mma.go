package sim

import "math"

// ldmatrix builds ldmatrix: matrices of 8×8 elements of 16 bits out of shared memory. Source: PTX ISA 9.7.14.5.15.
func (b *builder) ldmatrix() {
	for _, s := range []string{"sync", "aligned", "m8n8"} {
		if !b.take(s) {
			b.fail("wanted .%s", s)
		}
	}
	n := 0
	for i, s := range []string{"x1", "x2", "", "x4"} {
		if s != "" && b.take(s) {
			n = i + 1
		}
	}
	trans := b.take("trans")
	if !b.take("shared") && !b.take("shared::cta") || n == 0 {
		b.fail("wanted x1, x2 or x4 of shared memory")
	}
	b.end2("b16")
	b.want(2)
	vec := b.o[0].vec
	if b.o[0].kind != oVec {
		vec = []operand{b.o[0]}
	}
	if len(vec) != n {
		b.fail("%d registers; wanted %d", len(vec), n)
	}
	var dst []int
	for _, o := range vec {
		dst = append(dst, b.dst32(o))
	}
	a := b.address(b.o[1])
	b.in.op, b.in.members = opWarp, -1
	b.in.run = func(w *warp, m uint32) {
		if m != fullMask {
			w.fail(Divergence, 0, "ldmatrix by %s of 32 lanes", lanes(m))
		}
		var rows [8]*[4]uint32
		var store [8][4]uint32
		for q, d := range dst {
			for i := range 8 {
				l := q*8 + i // this lane holds the row's address
				r, off := w.locate(spaceShared, a.of(w, l), 16, l)
				w.touchRead(r, off, 16, l)
				copy(store[i][:], r.words[off/4:off/4+4])
				rows[i] = &store[i]
			}
			for l := range 32 {
				if !trans {
					w.r32[d][l] = rows[l/4][l%4]
					continue
				}
				c := l / 4 // a column: elements 2·(l%4) and the next
				pick := func(row int) uint32 { return rows[row][c/2] >> (16 * (c % 2)) & 0xffff }
				w.r32[d][l] = pick(2*(l%4)) | pick(2*(l%4)+1)<<16
			}
		}
	}
}

// mma builds mma.m16n8k16 on bf16 with float32 sums. Source: PTX ISA 9.7.14.5.8.
func (b *builder) mma() {
	for _, s := range []string{"sync", "aligned", "m16n8k16", "row", "col", "f32", "bf16", "bf16", "f32"} {
		if !b.take(s) {
			b.fail("only mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 is known")
		}
	}
	b.end()
	b.want(4)
	regs := func(o operand, n int, f func(operand) int) (out []int) {
		if len(o.vec) != n {
			b.fail("%s; wanted %d registers", o.text, n)
		}
		for _, v := range o.vec {
			out = append(out, f(v))
		}
		return out
	}
	src := func(o operand) int { return b.src32(o, types["b32"]) }
	D, A, B, C := regs(b.o[0], 4, b.dst32), regs(b.o[1], 4, src), regs(b.o[2], 2, src), regs(b.o[3], 4, src)
	b.in.op, b.in.members = opWarp, -1
	b.in.run = func(w *warp, m uint32) {
		if m != fullMask {
			w.fail(Divergence, 0, "mma by lanes %s of 32", lanes(m))
		}
		var x [16][16]float32
		var y [16][8]float32
		low := func(u uint32) float32 { return math.Float32frombits(u << 16) }
		high := func(u uint32) float32 { return math.Float32frombits(u &^ 0xffff) }
		for l := range 32 {
			row, col := l/4, l%4*2
			for i := range 4 { // rows row and row+8, columns col… and col+8…
				u := w.r32[A[i]][l]
				r, c := row+i%2*8, col+i/2*8
				x[r][c], x[r][c+1] = low(u), high(u)
			}
			for i := range 2 {
				u := w.r32[B[i]][l]
				y[col+i*8][row], y[col+i*8+1][row] = low(u), high(u)
			}
		}
		var sum [16][8]float32
		for i := range 16 {
			s := &sum[i]
			for k := range 16 {
				v, r := x[i][k], &y[k]
				for j := range 8 {
					s[j] += v * r[j]
				}
			}
		}
		for l := range 32 {
			row, col := l/4, l%4*2
			for i := range 4 {
				c := math.Float32frombits(w.r32[C[i]][l])
				w.r32[D[i]][l] = math.Float32bits(c + sum[row+i/2*8][col+i%2])
			}
		}
	}
}
