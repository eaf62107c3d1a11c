package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// same fails unless a file's tensor is packed as its numbers are.
func same(t *testing.T, f *File, name string, q backend.Quant) {
	t.Helper()
	x, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	wantCodes, wantScales, err := Pack(x.Data, q)
	if err != nil {
		t.Fatal(err)
	}
	codes, scales, err := f.Packed(name, q)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(codes, wantCodes) {
		i := 0
		for i < len(codes) && codes[i] == wantCodes[i] {
			i++
		}
		t.Errorf("%s in %v: %d words, the first other one is %d; wanted %d", name, q, len(codes), i, len(wantCodes))
	}
	if !slices.Equal(scales, wantScales) {
		t.Errorf("%s in %v: scales differ", name, q)
	}
}

// A tensor that is read packed has the bits of its numbers packed, whatever the file holds it as and wherever pieces end.
func TestPackedIsPack(t *testing.T) {
	rng := tensor.NewRNG(1, "packed")
	draw := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.Norm())
		}
		return x
	}
	for _, n := range []int{0, 1, 31, 64, 4097, 1<<18 + 4096 + 33} {
		for _, d := range []DType{F32, F16, BF16} {
			s, err := open(write(t, []Tensor{{Name: "a", Shape: []int{n}, Data: draw(n)}}, nil, d))
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range backend.Quants {
				same(t, &s.File, "a", q)
			}
		}
	}
	for _, shape := range [][]int{{1, 32}, {3, 96}, {1001, 1024}} {
		x := draw(shape[0] * shape[1])
		clear(x[:32]) // a block without a scale
		for _, d := range []DType{F32, F16, BF16, Q8_0, Q4_0} {
			var b bytes.Buffer
			name := "model.embed_tokens.weight"
			if err := WriteGGUF(&b, map[string]any{"general.architecture": "llama"}, []GGUFTensor{{Tensor{Name: name, Shape: shape, Data: x}, d}}); err != nil {
				t.Fatal(err)
			}
			g, err := openGGUF(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range backend.Quants {
				same(t, &g.File, name, q)
			}
		}
	}
}

// Blocks that no quantiser of ggml makes: their codes stand for the file's numbers where the form has such blocks, and are packed anew
// where it has not.
func TestPackedOddBlocks(t *testing.T) {
	block := func(scale uint16, codes ...byte) []byte {
		b := binary.LittleEndian.AppendUint16(nil, scale)
		return append(b, append(codes, make([]byte, 32-len(codes))...)...)
	}
	nibble := func(scale uint16, codes ...byte) []byte { return block(scale, codes...)[:18] }
	for _, c := range []struct {
		what  string
		kind  uint32
		block []byte
		form  backend.Quant
		taken bool
	}{
		{"small codes", 8, block(0x3800, 5, 0xf0, 3), backend.Q8_0, true},
		{"small codes", 8, block(0x3800, 5, 0xf0, 3), backend.Int8, true},
		{"a code of -128", 8, block(0x3800, 5, 7, 0x7f, 0x80, 0x81), backend.Int8, false},
		{"only codes of -128", 8, block(0x3800, bytes.Repeat([]byte{0x80}, 32)...), backend.Int8, false},
		{"a scale below 0", 8, block(0xb800, 5, 0x7f), backend.Q8_0, false},
		{"small codes", 2, nibble(0x3800, 0x87, 0x98, 0x88), backend.Q4_0, true},
		{"a scale below 0", 2, nibble(0xb800, 0x70, 0x98, 0xff), backend.Q4_0, true},
	} {
		const blocks = 200 // more than are taken at a time
		data := bytes.Repeat(block(0x3c00, 0x7f), blocks)
		if c.kind == 2 {
			data = bytes.Repeat(nibble(0x3c00, 0x80), blocks)
		}
		at := 150 * len(data) / blocks
		copy(data[at:], c.block)
		g, err := openGGUF((&ggufFile{}).tensor("output.weight", c.kind, data, 32, blocks).bytes())
		if err != nil {
			t.Fatal(err)
		}
		if !c.taken {
			same(t, &g.File, "lm_head.weight", c.form)
			continue
		}
		x, err := g.Tensor("lm_head.weight")
		if err != nil {
			t.Fatal(err)
		}
		codes, scales, err := g.Packed("lm_head.weight", c.form)
		if err != nil {
			t.Fatal(err)
		}
		if y := unpack(t, codes, scales, len(x.Data), c.form); !slices.Equal(x.Data, y) {
			t.Errorf("%s in %v: %v; the file has %v", c.what, c.form, y[150*32:151*32], x.Data[150*32:151*32])
		}
	}
}

// What Pack refuses is refused, with the tensor's name and the place in it, and so is a tensor that is not there.
func TestPackedRefuses(t *testing.T) {
	const at = 4096 + 70
	x := make([]float32, 3*4096)
	x[at], x[at+100] = float32(math.Inf(1)), float32(math.NaN())
	for _, d := range []DType{F32, F16, BF16} {
		s, err := open(write(t, []Tensor{{Name: "a", Shape: []int{len(x)}, Data: x}}, nil, d))
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range backend.Quants {
			if _, _, err := s.Packed("a", q); err == nil || !strings.Contains(err.Error(), `tensor "a": element 4166 is +Inf`) {
				t.Errorf("%v in %v: %v", d, q, err)
			}
		}
		if _, _, err := s.Packed("b", backend.Q8_0); err == nil || !strings.Contains(err.Error(), `no tensor "b" among 1`) {
			t.Error(err)
		}
	}
	data := bytes.Repeat(append([]byte{0, 0x3c}, make([]byte, 32)...), 200)
	data[150*34+1] = 0x7c // a scale of +Inf
	data[150*34+2] = 1
	g, err := openGGUF((&ggufFile{}).tensor("output.weight", 8, data, 32, 200).bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Packed("lm_head.weight", backend.Int8); err == nil || !strings.Contains(err.Error(), `tensor "output.weight": element 4800 is +Inf`) {
		t.Error(err)
	}
}
