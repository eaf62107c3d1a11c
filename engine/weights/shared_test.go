package weights

import (
	"math"
	"path/filepath"
	"testing"

	"tunebook/engine/internal/shared"
)

func TestSmolLM2(t *testing.T) {
	g, err := OpenGGUF(filepath.Join(shared.Dir(t), "models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	count := map[DType]int{}
	for _, name := range g.Names() {
		in, _ := g.Info(name)
		count[in.DType]++
		if in.Stored == in.Name {
			t.Errorf("%s has no Hugging Face name", name)
		}
	}
	if len(count) != 3 || count[Q4_1] != 210 || count[F32] != 61 || count[Q8_0] != 1 {
		t.Errorf("tensors by type %v; wanted Q4_1 210, F32 61, Q8_0 1", count)
	}
	for key, want := range map[string]int{"llama.block_count": 30, "llama.embedding_length": 576, "llama.attention.head_count": 9, "llama.attention.head_count_kv": 3} {
		if got, err := g.Meta.Int(key); err != nil || got != want {
			t.Errorf("%s = %d, %v; wanted %d", key, got, err, want)
		}
	}
	tokens, err := g.Meta.Strings("tokenizer.ggml.tokens")
	if err != nil || len(tokens) != 49152 || tokens[1] != "<|im_start|>" {
		t.Errorf("%d tokens, %v; wanted 49152", len(tokens), err)
	}
	types, err := g.Meta.Ints("tokenizer.ggml.token_type")
	if err != nil || len(types) != 49152 {
		t.Errorf("%d token types, %v; wanted 49152", len(types), err)
	}
	merges, err := g.Meta.Strings("tokenizer.ggml.merges")
	if err != nil || len(merges) == 0 {
		t.Errorf("%d merges, %v", len(merges), err)
	}
	shapes := map[string][2]int{
		"model.embed_tokens.weight":               {49152, 576},
		"model.layers.29.self_attn.k_proj.weight": {192, 576},
		"model.layers.0.mlp.down_proj.weight":     {576, 1536},
	}
	for name, want := range shapes {
		w, err := g.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(w.Shape) != 2 || w.Shape[0] != want[0] || w.Shape[1] != want[1] {
			t.Errorf("%s is %v; wanted %v", name, w.Shape, want)
		}
		var sum, squares float64
		for _, v := range w.Data {
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
		mean, rms := sum/float64(len(w.Data)), math.Sqrt(squares/float64(len(w.Data)))
		if !(math.Abs(mean) < 0.02 && rms > 0.01 && rms < 0.5) {
			t.Errorf("%s: mean %g, rms %g are no trained weights'", name, mean, rms)
		}
	}
}

func TestStories260K(t *testing.T) {
	l, err := OpenLlama2c(filepath.Join(shared.Dir(t), "models", "stories260k", "stories260K.bin"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := [7]int{l.Dim, l.HiddenDim, l.Layers, l.Heads, l.KVHeads, l.VocabSize, l.SeqLen}
	if want := [7]int{64, 172, 5, 8, 4, 512, 512}; got != want || !l.Tied {
		t.Errorf("header %v, tied %v; wanted %v, tied", got, l.Tied, want)
	}
	params := 0
	for _, name := range l.Names() {
		w, err := l.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		params += len(w.Data)
		for _, v := range w.Data {
			if !(v > -100 && v < 100) {
				t.Fatalf("%s holds %v", name, v)
			}
		}
	}
	if want := 260032; params != want {
		t.Errorf("%d parameters; wanted %d", params, want)
	}
	norm, err := l.Tensor("model.norm.weight") // the last tensor: right only when all before it are
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range norm.Data {
		if v < 0.5 || v > 20 {
			t.Errorf("model.norm.weight[%d] = %v is no norm's weight", i, v)
		}
	}
}
