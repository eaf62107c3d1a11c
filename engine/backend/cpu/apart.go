package cpu

// apartSize is how many elements a result has at most whose steps along K are made apart: together they stay in the last cache.
const apartSize = 1 << 17

// multiplyApart runs a product with a small result over a long K, as a weight's gradient: every item packs a step along K for itself and
// writes its sums to a place of their own, and these are added in their order. Threads wait for each other twice instead of twice a step, and
// the bits are those of multiply.
func (b *Backend) multiplyApart(k *kernels, p product, depth, steps int) {
	b.apart = grow(b.apart, steps*p.m*p.n)
	b.tasks.apart = apartTask{b: b, k: k, product: p, depth: depth, sums: b.apart}
	b.pool.run(steps, &b.tasks.apart)
	b.tasks.apart = apartTask{}
	b.tasks.addApart = addApartTask{b.k, p.c, b.apart, p.m, p.n, p.ldc, steps, p.beta}
	b.pool.run(p.m, &b.tasks.addApart)
	b.tasks.addApart = addApartTask{}
}

type apartTask struct {
	b *Backend
	k *kernels
	product
	depth int
	sums  []float32 // of each step, m × n
}

func (t *apartTask) do(w, i int) {
	k, width := t.k, t.k.width()
	step := i * t.depth
	depth := min(t.depth, t.product.k-step)
	words := k.words(depth)
	stride := k.rows*words + k.lanes // of a panel of A; packing writes whole vectors
	most := t.b.blockM / k.rows * k.rows
	panelsB := ceilDiv(t.n, width)
	buf := grow(t.b.packedA[w], panelsB*width*words+width+ceilDiv(min(most, t.m), k.rows)*stride)
	t.b.packedA[w] = buf
	packedB, packedA := buf[:panelsB*width*words+width], buf[panelsB*width*words+width:]
	for j := range panelsB {
		t.b.packPanel(w, k, &t.product, packedB[j*width*words:], j*width, min(width, t.n-j*width), step, depth)
	}
	c := t.sums[i*t.m*t.n:][:t.m*t.n]
	for first := 0; first < t.m; first += most {
		rows := min(most, t.m-first)
		k.packPanels(packedA, stride, t.a, first, rows, step, depth)
		for j := range panelsB {
			for r := 0; r < rows; r += k.rows {
				k.tile(min(k.rows, rows-r), min(width, t.n-j*width), words, &packedA[r/k.rows*stride], k.rows, &packedB[j*width*words], width,
					c[(first+r)*t.n+j*width:], t.n, t.alpha, 0)
			}
		}
	}
}

// addApartTask writes c = beta·c and the sums of each step, a row an item.
type addApartTask struct {
	k         *kernels
	c, sums   []float32
	m, n, ldc int
	steps     int
	beta      float32
}

func (t *addApartTask) do(_, i int) {
	c, sum := t.c[i*t.ldc:][:t.n], t.sums[i*t.n:][:t.n]
	if t.beta != 0 { // else the old c is not read
		t.k.axpy(&sum[0], &c[0], t.beta, t.n)
	}
	for s := 1; s < t.steps; s++ {
		t.k.add(&sum[0], &sum[0], &t.sums[(s*t.m+i)*t.n], t.n)
	}
	copy(c, sum)
}
