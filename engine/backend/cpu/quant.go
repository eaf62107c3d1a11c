package cpu

import "tunebook/engine/backend"

// Dequantize writes the numbers that blocks of codes stand for; see backend.Ops.
func (b *Backend) Dequantize(y, codes, scales backend.Buffer, n int, q backend.Quant) {
	const op = "Dequantize"
	t := dequantTask{y: floats(op, "y", y, n), codes: ints(op, "codes", codes, q.Codes(n)), scales: floats(op, "scales", scales, q.Scales(n)), q: q}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks.dequant = t
	b.pool.run(ceilDiv(n, grain), &b.tasks.dequant)
	b.tasks.dequant = dequantTask{}
}

type dequantTask struct {
	y, scales []float32
	codes     []int32
	q         backend.Quant
}

// do writes grain elements, which are whole blocks but for the last.
func (t *dequantTask) do(_, item int) {
	from := item * grain
	to, block, per := min(from+grain, len(t.y)), t.q.Block(), t.q.PerWord()
	levels := t.q.Levels()
	for at := from; at < to; at += block {
		y, s := t.y[at:min(at+block, to)], t.scales[at/block]
		codes := t.codes[at/per : (at+block)/per]
		if t.q == backend.Q8_0 {
			for i, word := range codes {
				w := uint32(word)
				if 4*i+4 > len(y) {
					for j := 4 * i; j < len(y); j, w = j+1, w>>8 {
						y[j] = s * float32(int8(w))
					}
					break
				}
				o := y[4*i : 4*i+4 : 4*i+4]
				o[0], o[1], o[2], o[3] = s*float32(int8(w)), s*float32(int8(w>>8)), s*float32(int8(w>>16)), s*float32(int8(w>>24))
			}
			continue
		}
		var scaled [16]float32
		for c, l := range levels {
			scaled[c] = s * l
		}
		for i, word := range codes {
			w := uint32(word)
			if 8*i+8 > len(y) {
				for j := 8 * i; j < len(y); j, w = j+1, w>>4 {
					y[j] = scaled[w&15]
				}
				break
			}
			o := y[8*i : 8*i+8 : 8*i+8]
			o[0], o[1], o[2], o[3] = scaled[w&15], scaled[w>>4&15], scaled[w>>8&15], scaled[w>>12&15]
			o[4], o[5], o[6], o[7] = scaled[w>>16&15], scaled[w>>20&15], scaled[w>>24&15], scaled[w>>28]
		}
	}
}
