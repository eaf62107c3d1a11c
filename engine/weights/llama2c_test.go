package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// llama2cFile builds a file whose n-th float is n, so that a tensor's first element tells where it was read.
func llama2cFile(floats int, header ...int32) []byte {
	var b []byte
	for _, v := range header {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	for i := range floats {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(i)))
	}
	return b
}

func openLlama2c(b []byte) (*Llama2c, error) {
	return ReadLlama2c(bytes.NewReader(b), int64(len(b)), "test")
}

func TestLlama2c(t *testing.T) {
	// dim 8, hidden 3, 2 layers, 4 heads, 2 key-value heads (so 4 rows of k and v), 5 words, 6 positions; the head apart.
	const total = 5*8 + 2*8 + 2*64 + 2*32 + 2*32 + 2*64 + 2*8 + 2*24*3 + 8 + 6*2 + 5*8
	l, err := openLlama2c(llama2cFile(total, 8, 3, 2, 4, 2, -5, 6))
	if err != nil {
		t.Fatal(err)
	}
	if l.Tied || l.VocabSize != 5 {
		t.Errorf("tied %v, vocabulary %d; wanted an untied one of 5", l.Tied, l.VocabSize)
	}
	for name, want := range map[string]struct {
		first float32
		shape [2]int
	}{
		"model.embed_tokens.weight":                      {0, [2]int{5, 8}},
		"model.layers.0.input_layernorm.weight":          {40, [2]int{8}},
		"model.layers.1.input_layernorm.weight":          {48, [2]int{8}},
		"model.layers.0.self_attn.q_proj.weight":         {56, [2]int{8, 8}},
		"model.layers.0.self_attn.k_proj.weight":         {184, [2]int{4, 8}},
		"model.layers.1.self_attn.v_proj.weight":         {280, [2]int{4, 8}},
		"model.layers.0.self_attn.o_proj.weight":         {312, [2]int{8, 8}},
		"model.layers.0.post_attention_layernorm.weight": {440, [2]int{8}},
		"model.layers.0.mlp.gate_proj.weight":            {456, [2]int{3, 8}},
		"model.layers.1.mlp.down_proj.weight":            {528, [2]int{8, 3}},
		"model.layers.0.mlp.up_proj.weight":              {552, [2]int{3, 8}},
		"model.norm.weight":                              {600, [2]int{8}},
		"lm_head.weight":                                 {608 + 12, [2]int{5, 8}},
	} {
		w, err := l.Tensor(name)
		if err != nil {
			t.Error(err)
			continue
		}
		var shape [2]int
		copy(shape[:], w.Shape)
		if w.Data[0] != want.first || shape != want.shape {
			t.Errorf("%s begins with float %v, shape %v; wanted %v, %v", name, w.Data[0], w.Shape, want.first, want.shape)
		}
	}
	if len(l.Names()) != 2*9+3 {
		t.Errorf("%d tensors; wanted 21", len(l.Names()))
	}
	tied, err := openLlama2c(llama2cFile(total-40, 8, 3, 2, 4, 2, 5, 6))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := tied.Info("lm_head.weight"); ok || !tied.Tied {
		t.Error("a tied model has a head of its own")
	}
}

func TestLlama2cDamaged(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want []string
	}{
		{"empty", nil, []string{"0 bytes", "28"}},
		{"zero", llama2cFile(0, 8, 3, 2, 4, 2, 0, 6), []string{"vocab_size is 0"}},
		{"negative", llama2cFile(0, -8, 3, 2, 4, 2, 5, 6), []string{"dim is -8"}},
		{"heads", llama2cFile(0, 8, 3, 2, 3, 2, 5, 6), []string{"3 heads"}},
		{"layers", llama2cFile(0, 8, 3, 1<<24, 4, 2, 5, 6), []string{"16777216 layers", "28 bytes"}},
		{"huge", llama2cFile(1<<12, 1<<10, 1<<24, 1, 4, 2, 1<<24, 1<<24), []string{"16412 bytes"}},
		{"other format", llama2cFile(100, 8, 3, 2, 4, 2, 5, 6), []string{"428 bytes", "want"}},
	} {
		_, err := openLlama2c(c.b)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; wanted %q in it", c.name, err, want)
			}
		}
	}
}

func FuzzLlama2c(f *testing.F) {
	f.Add(llama2cFile(2*2+2+4*4+2+3*2+2+1*2, 2, 1, 1, 1, 1, 2, 1))
	f.Add(llama2cFile(0, 1<<24, 1<<24, 1<<24, 1, 1, -1<<24, 1<<24))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := openLlama2c(b)
		if err != nil {
			return
		}
		readAll(t, &l.File, len(b))
	})
}
