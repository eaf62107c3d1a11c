package cuda

import "tunebook/engine/backend"

// How operands are packed: tileRows of bf16.cu, and its step along K.
const (
	packRows = 64
	packStep = 32
)

// wantsTensorCores tells whether a product goes to tensor cores: where its size pays for packing, or always in tests.
func (b *Backend) wantsTensorCores(m, n, k int) bool {
	return b.bf16 && k > 0 && (b.packAlways || m >= 64 && n >= 64 && k >= packStep)
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// productBF16 is product with operands rounded to bf16.
func (b *Backend) productBF16(c, a, bb uint64, m, n, k int, op backend.MatOp, alpha, beta float32) {
	kp := roundUp(k, packStep)
	rows, columns := roundUp(m, packRows), roundUp(n, packRows)
	pa, freeA := b.scratch(rows * kp / 2)
	defer freeA()
	pb, freeB := b.scratch(columns * kp / 2)
	defer freeB()
	b.pack(pa, a, rows, m, k, kp, op == backend.TN)
	b.pack(pb, bb, columns, n, k, kp, op != backend.NT)
	b.launch("bf16_product", [3]int{columns / packRows, rows / packRows, 1}, [3]int{128, 1, 1}, 0, c, pa, pb, i32(m), i32(n), i32(kp), f32(alpha), f32(beta))
}

// pack writes x, (r, k) or, turned, (k, r), as (rows, kp) in bf16.
func (b *Backend) pack(to, x uint64, rows, r, k, kp int, turned bool) {
	if turned {
		b.launch("bf16_pack_turned", [3]int{rows / 32, kp / 32, 1}, [3]int{32, 8, 1}, 0, to, x, i32(r), i32(k), i32(kp))
		return
	}
	b.rows("bf16_pack", rows, to, x, i32(rows), i32(r), i32(k), i32(kp))
}
