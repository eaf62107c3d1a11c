package sim

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// products is what a warp knows of its part of asynchronous products. A product is computed when it is issued, from what lies in
// shared memory then; until it is waited for, its registers may not be used and what it reads may not be written, so that a
// card, which computes it at some time in between, comes to the same.
type products struct {
	committed, ended int   // groups
	sums, reads      []int // by register: the group in flight that adds to it, that reads it
	written          []int // by register: the fences before the last ordinary write
	shape            []int // by register: the columns of the product that last added to it
	fences           int
	flying           []flight
	at               int // how many instructions of this kind the warp has run
}

// flight is the shared memory that a product in flight reads, as numbers of 16 bytes.
type flight struct {
	group  int
	chunks []int32
}

func newProducts(registers int) *products {
	return &products{sums: make([]int, registers), reads: make([]int, registers), written: make([]int, registers), shape: make([]int, registers)}
}

func (p *products) begin() {
	clear(p.sums)
	clear(p.reads)
	clear(p.written)
	clear(p.shape)
	p.committed, p.ended, p.fences, p.at, p.flying = 0, 0, 0, 0, p.flying[:0]
}

// before checks the registers of an instruction against products in flight.
func (p *products) before(w *warp, in *instr) {
	if in.product || len(p.flying) == 0 {
		return
	}
	for _, s := range in.use32 {
		if p.sums[s] > p.ended {
			w.fail(Product, 0, "reads a register to which a product in flight adds")
		}
	}
	writes := in.set32
	if in.moves != nil {
		writes = in.moves[:1]
	}
	for _, s := range writes {
		if p.sums[s] > p.ended {
			w.fail(Product, 0, "writes a register to which a product in flight adds")
		}
		if p.reads[s] > p.ended {
			w.fail(Product, 0, "writes a register that a product in flight reads")
		}
	}
}

// after marks what an instruction wrote. A copy from register to register is one in name only.
func (p *products) after(in *instr) {
	if in.product {
		return
	}
	switch writes := in.set32; len(in.moves) {
	case 2:
		to, from := in.moves[0], in.moves[1]
		p.sums[to], p.written[to], p.shape[to] = p.sums[from], p.written[from], p.shape[from]
	case 1:
		writes = in.moves
		fallthrough
	default:
		for _, s := range writes {
			p.written[s], p.shape[s] = p.fences+1, 0
		}
	}
}

// step puts an instruction into the order that all warps of a warpgroup must have.
func (p *products) step(w *warp) {
	b, group := w.b, w.id/4
	if (group+1)*4 > len(b.warps) || len(b.warps)*32 != b.dim[0]*b.dim[1]*b.dim[2] {
		w.fail(Divergence, 0, "warp %d is in no warpgroup of four whole warps", w.id)
	}
	order := b.orders[group]
	if p.at < len(order) && order[p.at] != w.cur.at {
		w.fail(Divergence, 0, "another warp of the warpgroup runs PTX line %d in its place: %s", b.k.code[order[p.at]].line, b.k.code[order[p.at]].text)
	}
	if p.at == len(order) {
		b.orders[group] = append(order, w.cur.at)
	}
	p.at++
}

func (p *products) finish(w *warp) {
	if len(p.flying) > 0 {
		w.fail(Product, 0, "warp %d ends while products are in flight", w.id)
	}
	if n := len(w.b.orders[w.id/4]); p.at != n {
		w.fail(Divergence, 0, "warp %d ran %d of the %d product instructions of its warpgroup", w.id, p.at, n)
	}
}

// wait lets all but the last keep groups end.
func (p *products) wait(w *warp, keep int) {
	if p.ended = max(p.ended, p.committed-keep); len(p.flying) == 0 {
		return
	}
	e := w.b.shared.exact
	s := w.b.stamp | stamp(w.b.clock)<<clockAt | stamp(productAgent+w.id+1)
	rest := p.flying[:0]
	for _, f := range p.flying {
		if f.group > p.ended {
			rest = append(rest, f)
			continue
		}
		for _, c := range f.chunks {
			e.reading[c]--
			e.async[c] = remember(e.async[c], s)
		}
	}
	p.flying = rest
	w.b.tick(w)
	w.seen[productAgent+w.id] = w.b.clock
	w.lower()
}

// wgmma builds wgmma.fence, .commit_group, .wait_group and .mma_async on bf16 with float32 sums.
// Source: PTX ISA 9.7.15.
func (b *builder) wgmma() {
	b.p.k.exact, b.p.k.products = true, true
	b.in.op, b.in.members, b.in.product = opWarp, -1, true
	aligned := func() {
		if !b.take("sync") || !b.take("aligned") {
			b.fail("wanted .sync.aligned")
		}
	}
	whole := func(run func(w *warp, p *products)) func(*warp, uint32) {
		return func(w *warp, m uint32) {
			if m != fullMask {
				w.fail(Divergence, 0, "by lanes %s of 32", lanes(m))
			}
			w.groups.step(w)
			run(w, w.groups)
		}
	}
	switch {
	case b.take("fence"):
		aligned()
		b.end()
		b.want(0)
		b.in.run = whole(func(_ *warp, p *products) { p.fences++ })
	case b.take("commit_group"):
		aligned()
		b.end()
		b.want(0)
		b.in.run = whole(func(_ *warp, p *products) { p.committed++ })
	case b.take("wait_group"):
		aligned()
		b.end()
		b.want(1)
		keep := b.number(b.o[0])
		b.in.run = whole(func(w *warp, p *products) { p.wait(w, keep) })
	case b.take("mma_async"):
		aligned()
		b.product(whole)
	default:
		b.fail("the instruction is not known")
	}
}

// product builds wgmma.mma_async.
func (b *builder) product(whole func(func(*warp, *products)) func(*warp, uint32)) {
	shape := b.word()
	columns, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(shape, "m64n"), "k16"))
	if err != nil || columns < 8 || columns > 256 || columns%8 != 0 {
		b.fail("shape .%s is not known", shape)
	}
	for _, s := range []string{"f32", "bf16", "bf16"} {
		if !b.take(s) {
			b.fail("only .f32.bf16.bf16 is known")
		}
	}
	b.end()
	registers := len(b.o) > 1 && b.o[1].kind == oVec
	if registers {
		b.want(7)
	} else {
		b.want(8)
	}
	vector := func(o operand, n int) (slots []int) {
		if len(o.vec) != n {
			b.fail("%d registers; wanted %d", len(o.vec), n)
		}
		for _, v := range o.vec {
			if v.kind != oReg || v.reg.class != c32 || slices.Contains(slots, v.reg.slot) {
				b.fail("%s is no 32-bit register, or there twice", v.text)
			}
			slots = append(slots, v.reg.slot)
		}
		return slots
	}
	sums := vector(b.o[0], columns/2)
	b.in.set32 = sums
	var left []int
	leftAt := -1
	if registers {
		left = vector(b.o[1], 4)
		b.in.use32 = left
	} else {
		leftAt = b.src64(b.o[1], types["b64"])
	}
	rightAt, add := b.src64(b.o[2], types["b64"]), b.srcp(b.o[3])
	flag := func(o operand) bool {
		n := b.number(o)
		if n != 0 && n != 1 {
			b.fail("%d; wanted 0 or 1", n)
		}
		return n == 1
	}
	if !flag(b.o[4]) || !flag(b.o[5]) {
		b.fail("only products that are not negated are known")
	}
	leftTurned, rightTurned := !registers && flag(b.o[6]), flag(b.o[len(b.o)-1])
	if leftTurned {
		b.fail("a turned left side is not known")
	}
	b.in.run = whole(func(w *warp, p *products) {
		yes := w.p[add]
		if yes != 0 && yes != fullMask {
			w.fail(Divergence, 0, "the lanes do not agree on whether to add")
		}
		group := p.committed + 1
		f := flight{group: group}
		if p.fences == 0 {
			w.fail(Unfenced, 0, "a product with no wgmma.fence before it")
		}
		for _, s := range sums {
			switch {
			case p.written[s] > p.fences:
				w.fail(Unfenced, 0, "a sum was written and no wgmma.fence followed")
			case p.sums[s] > p.ended && p.shape[s] != columns:
				w.fail(Product, 0, "adds to what a product of another shape in flight adds to")
			case p.reads[s] > p.ended:
				w.fail(Product, 0, "adds to a register that a product in flight reads")
			case yes != 0 && w.d32[s] != fullMask:
				w.undefined(^w.d32[s], "a sum")
			}
		}
		var x [16][16]float32
		if registers {
			for i, s := range left {
				if p.written[s] > p.fences {
					w.fail(Unfenced, 0, "a register of the left side was written and no wgmma.fence followed")
				}
				if p.sums[s] > p.ended {
					w.fail(Product, 0, "reads a register to which a product in flight adds")
				}
				p.reads[s] = group
				for l := range 32 {
					u := w.r32[s][l]
					r, c := l/4+i%2*8, l%4*2+i/2*8
					x[r][c], x[r][c+1] = bf16Low(u), bf16High(u)
				}
			}
		} else {
			var rows [16 * 16]float32
			w.matrix(leftAt, false, w.id%4*16, 16, rows[:], &f)
			for k := range 16 {
				for r := range 16 {
					x[r][k] = rows[k*16+r]
				}
			}
		}
		y := make([]float32, 16*columns)
		w.matrix(rightAt, rightTurned, 0, columns, y, &f)
		total := make([]float32, columns)
		for r := range 16 {
			clear(total)
			for k := range 16 {
				v := x[r][k]
				for j, u := range y[k*columns : (k+1)*columns] {
					total[j] += v * u
				}
			}
			for j, v := range total {
				lane := r%8*4 + j%8/2
				s := sums[j/8*4+r/8*2+j%2]
				if yes != 0 {
					v += math.Float32frombits(w.r32[s][lane])
				}
				w.r32[s][lane] = math.Float32bits(v)
			}
		}
		for _, s := range sums {
			p.sums[s], p.shape[s], p.written[s] = group, columns, 0
		}
		p.flying = append(p.flying, f)
	})
}

func bf16Low(u uint32) float32  { return math.Float32frombits(u << 16) }
func bf16High(u uint32) float32 { return math.Float32frombits(u &^ 0xffff) }

// matrix reads n rows from first on of an operand of 16 columns that a descriptor names, or, turned, n columns of one with 16
// rows, to out (16, n). Source: PTX ISA 9.7.15.5.1, for elements of 16 bits and the 128-byte swizzle: rows of 128 bytes in
// groups of eight that are the stride apart; turned, matrices of 64 columns that are the leading distance apart.
func (w *warp) matrix(slot int, turned bool, first, n int, out []float32, f *flight) {
	d := w.r64[slot][0]
	for l, v := range w.r64[slot] {
		if v != d {
			w.fail(Divergence, l, "the lanes do not agree on a descriptor")
		}
	}
	const address, leading, stride, swizzle = 0, 16, 32, 62
	field := func(at int) int { return int(d>>at&0x3fff) << 4 }
	start, lead, step := field(address), field(leading), field(stride)
	if d>>swizzle != 1 || d&(3<<14|3<<30|0xffff<<46) != 0 {
		w.fail(Bounds, 0, "descriptor %#x; only the 128-byte swizzle from a multiple of 1,024 bytes is known", d)
	}
	if step%1024 != 0 || turned && (start%1024 != 0 || n > 64 && lead%1024 != 0) || !turned && (start%1024 >= 128 || start%32 != 0) {
		w.fail(Misaligned, 0, "descriptor %#x: start %d, leading %d, stride %d; wanted multiples of 1,024, and a start within a row", d, start, lead, step)
	}
	r := w.b.shared
	e := r.exact
	lim := w.settled(r)
	known := stamp(0) // a stamp that has been looked at
	take := func(off int, put func(i int, v float32)) {
		off ^= off >> 3 & 0x70
		if off+16 > r.size {
			w.fail(Bounds, 0, "a product reads byte %d of %d bytes of shared memory", off, r.size)
		}
		for i := off / 4; i < off/4+4; i++ {
			for b := 4 * i; b < 4*i+4; b++ {
				s := r.wr[i]
				if r.fine != nil {
					s = r.fine.wr[b]
				}
				if s == known && s != 0 {
					continue
				}
				if s-1 >= lim-1 {
					if t := int(s&threadMask) - 1; s != 0 && s < barrierStamp && t < productAgent && t/32 == w.id && s>>blockAt == w.b.stamp>>blockAt {
						// the warp's own: in order by the instruction itself
					} else {
						w.checkRead(s, r, b, 0)
					}
				}
				w.foreign(r, off, 16, 0, "a product reads")
				known = s
			}
			u := r.words[i]
			put(2*(i-off/4), bf16Low(u))
			put(2*(i-off/4)+1, bf16High(u))
		}
		e.reading[off/16]++
		f.chunks = append(f.chunks, int32(off/16))
	}
	if turned {
		for k := range 16 {
			for g := 0; g < n; g += 8 {
				at := first + g
				take(start+k/8*step+k%8*128+at/64*lead+at%64*2, func(i int, v float32) { out[k*n+g+i] = v })
			}
		}
		return
	}
	for i := range n {
		at := first + i
		for c := range 2 {
			take(start+at/8*step+at%8*128+c*16, func(k int, v float32) { out[(c*8+k)*n+i] = v })
		}
	}
}
