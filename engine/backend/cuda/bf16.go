package cuda

import "tunebook/engine/backend"

// How operands are packed for the kernel: tileRows of bf16.cu, and its step along K.
const (
	packRows = 64
	packStep = 32
)

// packsInUse is how many packs an operation asks for, at most, before it asks for its last.
const packsInUse = 3

// wantsTensorCores tells whether a product goes to tensor cores: where its size pays for packing, or always in tests.
func (b *Backend) wantsTensorCores(m, n, k int) bool {
	return b.bf16 && k > 0 && (b.packAlways || m >= 8 && n >= 8 && k >= 8 && m*n*k >= libraryWork)
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// productBF16 is product with operands rounded to bf16.
func (b *Backend) productBF16(c uint64, a, bb span, m, n, k int, op backend.MatOp, alpha, beta float32) {
	ar, ac, br, bc := m, k, n, k // rows and columns as they lie
	if op == backend.TN {
		ar, ac = k, m
	}
	if op != backend.NT {
		br, bc = k, n
	}
	if b.library {
		// The library reads operands as they lie; rows are filled up to 16 bytes.
		pa, pb := b.packed(a, ar, ac, ar, roundUp(ac, 8), false), b.packed(bb, br, bc, br, roundUp(bc, 8), false)
		if b.multiply(multiplication{c: c, a: matrix{pa, roundUp(ac, 8)}, b: matrix{pb, roundUp(bc, 8)}, m: m, n: n, k: k, op: op, bf16: true, alpha: alpha, beta: beta}) {
			return
		}
	}
	kp := roundUp(k, packStep)
	rows, columns := roundUp(m, packRows), roundUp(n, packRows)
	pa, pb := b.packed(a, ar, ac, rows, kp, op == backend.TN), b.packed(bb, br, bc, columns, kp, op != backend.NT)
	b.launch("bf16_product", [3]int{columns / packRows, rows / packRows, 1}, [3]int{128, 1, 1}, 0, c, pa, pb, i32(m), i32(n), i32(kp), f32(alpha), f32(beta))
}

// packed is an operand in bf16, kept for the products that read it next: a layer's input is read by several, a gradient by
// those for dX and dW.
type packed struct {
	from    span
	writes  uint64 // of from when it was packed
	r, c    int    // as it lies
	rows    int    // as packed
	columns int
	turned  bool

	addr  uint64
	bytes int
}

// packed returns x (r, c) in bf16 as (rows, columns), or turned, with zeros behind what there is. It stays good until four more
// are asked for.
func (b *Backend) packed(x span, r, c, rows, columns int, turned bool) uint64 {
	addr, there := b.place(x, r, c, rows, columns, turned)
	switch {
	case there:
	case turned:
		b.launch("bf16_pack_turned", [3]int{rows / 32, columns / 32, 1}, [3]int{32, 8, 1}, 0, addr, x.addr, i32(c), i32(r), i32(columns))
	case rows == r && columns == c && x.addr%16 == 0 && r*c%8 == 0:
		b.elements("bf16_round", r*c/8, addr, x.addr, i64(r*c/8))
	default:
		b.rows("bf16_pack", rows, addr, x.addr, i32(rows), i32(r), i32(c), i32(columns))
	}
	return addr
}

// place returns where x is packed, or is to be packed by the caller.
func (b *Backend) place(x span, r, c, rows, columns int, turned bool) (addr uint64, there bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, p := range b.packs {
		if p.from.mem == x.mem && p.from.addr == x.addr && p.r == r && p.c == c && p.rows == rows && p.columns == columns && p.turned == turned {
			b.packs = append(append(b.packs[:i], b.packs[i+1:]...), p)
			there = p.writes == x.mem.writes // else it is packed again to the same place
			p.writes = x.mem.writes
			return p.addr, there
		}
	}
	p := &packed{from: x, writes: x.mem.writes, r: r, c: c, rows: rows, columns: columns, turned: turned, bytes: 2 * rows * columns}
	for len(b.packs) > packsInUse && b.packBytes+p.bytes > b.packBudget {
		b.drop(0)
	}
	addr, err := b.dev.alloc(p.bytes)
	if err != nil && b.dropPacks(packsInUse) {
		addr, err = b.dev.alloc(p.bytes)
	}
	b.fail2(err)
	if err == nil {
		p.addr = addr
		b.packs = append(b.packs, p)
		b.packBytes += p.bytes
	}
	return addr, false
}

// drop gives pack i back. The caller holds the lock.
func (b *Backend) drop(i int) {
	p := b.packs[i]
	b.packs = append(b.packs[:i], b.packs[i+1:]...)
	b.packBytes -= p.bytes
	b.dev.free(p.addr)
}

// dropPacks gives all but the last few back; false where there were none. The caller holds the lock.
func (b *Backend) dropPacks(keep int) bool {
	any := len(b.packs) > keep
	for len(b.packs) > keep {
		b.drop(0)
	}
	return any
}

// forget gives back what was packed of memory that is freed. The caller holds the lock.
func (b *Backend) forget(mem *allocation) {
	for i := 0; i < len(b.packs); {
		if b.packs[i].from.mem == mem {
			b.drop(i)
		} else {
			i++
		}
	}
}
