package token

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// metadata is what a GGUF file of SmolLM2's kind holds.
func metadata() map[string]any {
	return map[string]any{
		"tokenizer.ggml.model":            "gpt2",
		"tokenizer.ggml.pre":              "smollm",
		"tokenizer.ggml.tokens":           []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>", "Ġ", "a", "1", "Ġa", "<tool>"},
		"tokenizer.ggml.merges":           []string{"Ġ a"},
		"tokenizer.ggml.token_type":       []int32{3, 3, 3, 1, 1, 1, 1, 4},
		"tokenizer.ggml.bos_token_id":     uint32(1),
		"tokenizer.ggml.eos_token_id":     uint32(2),
		"tokenizer.ggml.unknown_token_id": uint32(0),
		"tokenizer.ggml.add_bos_token":    false,
	}
}

func TestFromGGUF(t *testing.T) {
	any32 := func(list []int32) []any {
		var out []any
		for _, v := range list {
			out = append(out, v)
		}
		return out
	}
	types := metadata()["tokenizer.ggml.token_type"].([]int32)
	var first string
	for i, v := range []any{types, any32(types), []uint32{3, 3, 3, 1, 1, 1, 1, 4}} {
		meta := metadata()
		meta["tokenizer.ggml.token_type"] = v
		tok, err := FromGGUF(meta)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := tok.EncodeSpecial("<|im_start|> a11 a<tool>"), []int32{1, 6, 5, 5, 6, 7}; !slices.Equal(got, want) {
			t.Errorf("ids %d, want %d", got, want)
		}
		if tok.BOS() != 1 || tok.EOS() != 2 || tok.Unk() != 0 || tok.AddBOS() {
			t.Errorf("BOS %d EOS %d Unk %d AddBOS %v; want 1 2 0 false", tok.BOS(), tok.EOS(), tok.Unk(), tok.AddBOS())
		}
		if i == 0 {
			first = tok.Fingerprint()
		} else if tok.Fingerprint() != first {
			t.Error("another type of array gives another tokenizer")
		}
	}
}

func TestFromGGUFRefusesByName(t *testing.T) {
	for _, c := range []struct {
		key   string
		value any
		want  string
	}{
		{"model", "rwkv", `tokenizer.ggml.model: "rwkv" is not implemented`},
		{"model", nil, `tokenizer.ggml.model: ""`},
		{"pre", "viking", `tokenizer.ggml.pre: "viking" is not implemented`},
		{"tokens", nil, "tokenizer.ggml.tokens: not in the metadata"},
		{"tokens", []any{"a", 1}, "tokenizer.ggml.tokens: element 1 is int"},
		{"merges", 7, "tokenizer.ggml.merges: int; wanted an array of strings"},
		{"token_type", []int32{1}, "tokenizer.ggml.token_type: 1 values; tokenizer.ggml.tokens has 8"},
		{"token_type", []float32{1}, "tokenizer.ggml.token_type: []float32; wanted an array of integers"},
		{"bos_token_id", uint32(99), "tokenizer.ggml.bos_token_id: 99; wanted an id below 8"},
		{"eos_token_id", "x", "tokenizer.ggml.eos_token_id: x; wanted an id below 8"},
	} {
		meta := maps.Clone(metadata())
		if c.value == nil {
			delete(meta, "tokenizer.ggml."+c.key)
		} else {
			meta["tokenizer.ggml."+c.key] = c.value
		}
		if _, err := FromGGUF(meta); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v; want %s", c.key, c.value, err, c.want)
		}
	}
}
