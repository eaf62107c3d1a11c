package cpu

import "unsafe"

// offset returns the address n elements after p.
func offset(p *float32, n int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*n)) }

// pack lays n lanes of an operand, from lane on and for depth elements from step on, out as words [depth][width]. Lanes
// from n to width are of any value. It may write up to a vector beyond the last row.
func (k *kernels) pack(dst []float32, width int, o operand, lane, n, step, depth int) {
	for l := 0; l < n; l += k.lanes {
		count := min(k.lanes, n-l)
		if o.kMajor {
			k.copyLanes(&dst[l], width, o.at(lane+l, step), o.ld, count, depth)
		} else {
			k.turn(dst[l:], width, o.x[(lane+l)*o.ld+step:], o.ld, count, depth)
		}
	}
}

// turn writes the words dst[p·ldd+i] = src[i·lds+p] for n ≤ lanes lanes i and depth elements p; lanes from n on repeat the
// last.
func (k *kernels) turn(dst []float32, ldd int, src []float32, lds, n, depth int) {
	whole := depth / (k.lanes * k.pair)
	if whole > 0 {
		k.transpose(&dst[0], ldd, &src[0], lds, n, whole)
	}
	for p := whole * k.lanes * k.pair; p < depth; p += k.pair {
		row := dst[p/k.pair*ldd:][:k.lanes]
		end := min(p+k.pair, depth)
		for i := range n {
			row[i] = k.word(src[i*lds+p : i*lds+end])
		}
		for i := n; i < k.lanes; i++ {
			row[i] = row[n-1]
		}
	}
}

// packPanels packs rows of A into panels of k.rows lanes, stride words apart. Where k runs along memory's slow
// direction, it goes through all panels for a few k at a time, so that cache lines that two panels share are read once.
func (k *kernels) packPanels(dst []float32, stride int, o operand, first, rows, step, depth int) {
	chunk := depth
	if o.kMajor {
		chunk = 64
	}
	for q := 0; q < depth; q += chunk {
		for r := 0; r < rows; r += k.rows {
			k.pack(dst[r/k.rows*stride+k.words(q)*k.rows:], k.rows, o, first+r, min(k.rows, rows-r), step+q, min(chunk, depth-q))
		}
	}
}
