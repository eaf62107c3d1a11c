package token

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/internal/shared"
)

// A tokenizer that goes through a GGUF file's metadata gives the same ids and texts, for a model of more ids too; a second
// time gives the same metadata. Kinds that the format cannot hold are refused.
func TestGGUFRoundTrip(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "tokenizers")
	texts := []string{"Once upon a time,  there were 1234 small\n\n houses.", "naïve café 北京 <|im_start|>user\n", "def f(x):\n\treturn x**2", "", " "}
	for _, name := range []string{"smollm2", "gpt2", "qwen3"} {
		raw, err := os.ReadFile(filepath.Join(dir, name, "tokenizer.json"))
		if err != nil {
			t.Fatal(err)
		}
		tok, err := ReadJSON(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, more := range []int{0, 37} {
			meta, err := tok.GGUF(tok.VocabSize() + more)
			if err != nil {
				t.Fatal(err)
			}
			back, err := FromGGUF(meta)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range texts {
				if a, b := tok.EncodeSpecial(text), back.EncodeSpecial(text); !slices.Equal(a, b) || tok.DecodeAll(a) != back.DecodeAll(b) {
					t.Errorf("%s: %q is %v; wanted %v", name, text, b, a)
				}
				if a, b := tok.Encode(text), back.Encode(text); !slices.Equal(a, b) {
					t.Errorf("%s: %q without control tokens is %v; wanted %v", name, text, b, a)
				}
			}
			if back.VocabSize() > tok.VocabSize() {
				t.Errorf("%s: %d ids; wanted %d", name, back.VocabSize(), tok.VocabSize())
			}
			again, err := back.GGUF(tok.VocabSize() + more)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(meta["tokenizer.ggml.tokens"].([]string), again["tokenizer.ggml.tokens"].([]string)) ||
				!slices.Equal(meta["tokenizer.ggml.token_type"].([]int32), again["tokenizer.ggml.token_type"].([]int32)) ||
				!slices.Equal(meta["tokenizer.ggml.merges"].([]string), again["tokenizer.ggml.merges"].([]string)) {
				t.Errorf("%s: the metadata changed on the way", name)
			}
		}
		if _, err := tok.GGUF(10); err == nil || !strings.Contains(err.Error(), "the model has 10") {
			t.Errorf("%s: a model of too few ids: %v", name, err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "bert_uncased", "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := ReadJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.GGUF(tok.VocabSize()); err == nil || !strings.Contains(err.Error(), "not written") {
		t.Errorf("WordPiece: %v", err)
	}
}

// A SentencePiece BPE of a GGUF file goes back as it came; its scores may be numbers of either width.
func TestGGUFOfSentencePiece(t *testing.T) {
	meta := map[string]any{"tokenizer.ggml.model": "llama", "tokenizer.ggml.add_space_prefix": true, "tokenizer.ggml.add_bos_token": true,
		"tokenizer.ggml.bos_token_id": uint32(1), "tokenizer.ggml.eos_token_id": uint32(2), "tokenizer.ggml.unknown_token_id": uint32(0),
		"tokenizer.ggml.tokens":     []string{"<unk>", "<s>", "</s>", "<0x41>", "▁", "a", "b", "ab", "▁ab"},
		"tokenizer.ggml.token_type": []int32{2, 3, 3, 6, 1, 1, 1, 1, 1}}
	for _, scores := range []any{[]float32{0, 0, 0, 0, -5, -4, -3, -2, -1}, []float64{0, 0, 0, 0, -5, -4, -3, -2, -1}} {
		meta["tokenizer.ggml.scores"] = scores
		tok, err := FromGGUF(meta)
		if err != nil {
			t.Fatal(err)
		}
		if ids := tok.Encode("ab aA"); !slices.Equal(ids, []int32{8, 4, 5, 3}) {
			t.Errorf("ids %v", ids)
		}
		out, err := tok.GGUF(12)
		if err != nil {
			t.Fatal(err)
		}
		back, err := FromGGUF(out)
		if err != nil || !slices.Equal(back.Encode("ab aA"), tok.Encode("ab aA")) || back.VocabSize() != 9 || !back.AddBOS() {
			t.Errorf("another tokenizer came back: %v", err)
		}
	}
}
