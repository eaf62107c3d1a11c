package token

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tunebook/engine/internal/shared"
)

// golden reads a file of ../shared.
func golden(t testing.TB, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{shared.Dir(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func fromJSON[T any](t testing.TB, data []byte) T {
	t.Helper()
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(z); err != nil {
			t.Fatal(err)
		}
		data = b.Bytes()
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// loaded keeps each tokenizer of ../shared for all tests.
var loaded sync.Map

func tokenizer(t testing.TB, name string) *Tokenizer {
	t.Helper()
	if v, ok := loaded.Load(name); ok {
		return v.(*Tokenizer)
	}
	tok, err := ReadJSON(golden(t, "tokenizers", name, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	loaded.Store(name, tok)
	return tok
}

// parity is one string of the goldens.
type parity struct{ category, text string }

func (p *parity) UnmarshalJSON(data []byte) error {
	var pair [2]string
	err := json.Unmarshal(data, &pair)
	p.category, p.text = pair[0], pair[1]
	return err
}

func paritySet(t testing.TB) []parity {
	list := fromJSON[[]parity](t, golden(t, "tokenizers", "parity", "strings.json"))
	if len(list) != 1961 {
		t.Fatalf("%d strings; the goldens are 1961", len(list))
	}
	return list
}

// differs reports up to ten strings whose ids are not the golden ones.
func differs(t *testing.T, tok *Tokenizer, encode func(string) []int32, texts []string, want [][]int32) {
	t.Helper()
	if len(texts) != len(want) {
		t.Fatalf("%d texts, %d lists of ids", len(texts), len(want))
	}
	bad := 0
	for i, s := range texts {
		if got := encode(s); !slices.Equal(got, want[i]) {
			if bad++; bad <= 10 {
				t.Errorf("%d: %q:\n got %d\nwant %d", i, s, got, want[i])
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d of %d differ", bad, len(texts))
	}
}

func TestParity(t *testing.T) {
	for _, name := range []string{"gpt2", "smollm2", "qwen3"} {
		t.Run(name, func(t *testing.T) {
			if name == "qwen3" && testing.Short() {
				t.Skip("reads a file of 11 MB")
			}
			tok := tokenizer(t, name)
			want := fromJSON[[][]int32](t, golden(t, "tokenizers", "parity", name+".ids.json.gz"))
			var texts []string
			for _, p := range paritySet(t) {
				texts = append(texts, p.text)
			}
			differs(t, tok, tok.EncodeSpecial, texts, want)
			for _, s := range texts {
				if tok.normalize != nil {
					s = tok.normalize.apply(s)
				}
				if n := tok.Dropped(s); n > 0 {
					continue
				}
				if got := tok.Decode(tok.Encode(s)); got != s {
					t.Fatalf("decode(encode(x)): got %q, want %q", got, s)
				}
				if got := tok.DecodeAll(tok.EncodeSpecial(s)); got != s {
					t.Fatalf("decode(encode(x)) with control tokens: got %q, want %q", got, s)
				}
				for _, id := range tok.Encode(s) {
					if tok.IsSpecial(id) {
						t.Fatalf("Encode(%q) wrote the control token %q", s, tok.Token(id))
					}
				}
			}
		})
	}
}

// ggml reads llama.cpp's vectors: texts between marks, one line of ids for each.
func ggml(t *testing.T, name string) (texts []string, ids [][]int32) {
	t.Helper()
	const mark = "\n__ggml_vocab_test__\n"
	texts = strings.Split(string(golden(t, "tokenizers", "ggml_vectors", name+".inp")), mark)
	if n := len(texts); texts[n-1] == "" {
		texts = texts[:n-1]
	}
	lines := strings.Split(strings.TrimSuffix(string(golden(t, "tokenizers", "ggml_vectors", name+".out")), "\n"), "\n")
	for _, l := range lines {
		list := []int32{}
		for _, f := range strings.Fields(l) {
			var n int32
			fmt.Sscan(f, &n)
			list = append(list, n)
		}
		ids = append(ids, list)
	}
	return texts, ids
}

func TestGGMLVectors(t *testing.T) {
	if !testing.Short() {
		tok := tokenizer(t, "qwen3") // the vocabulary of Qwen2
		texts, ids := ggml(t, "qwen2")
		differs(t, tok, tok.Encode, texts, ids)
	}
	tok := tokenizer(t, "gpt2")
	texts, ids := ggml(t, "gpt-2")
	differs(t, tok, tok.Encode, texts, ids)
	if i := slices.Index(texts, "This is 🦙.cpp"); i < 0 {
		if i = slices.Index(texts, " this is 🦙.cpp"); i < 0 {
			t.Error("the vectors hold no text with a llama after a space")
		}
	}
}

func TestStories260K(t *testing.T) {
	tok, err := ReadLlama2c(bytes.NewReader(golden(t, "models", "stories260k", "tok512.bin")), 512)
	if err != nil {
		t.Fatal(err)
	}
	g := fromJSON[struct {
		IDs []int32 `json:"greedy_ids"`
	}](t, golden(t, "models", "stories260k", "golden_greedy.json"))
	text := tok.Decode(g.IDs)
	const begin = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park."
	if !strings.HasPrefix(text, begin) {
		t.Errorf("the golden ids decode to %.100q", text)
	}
	if again := tok.Encode(text); !slices.Equal(again, g.IDs[1:]) {
		t.Errorf("the golden text encodes to\n%d, want\n%d", again, g.IDs[1:])
	}
	for _, s := range []string{"", " ", "a", " a", "<s>", "\n</s>\n", "<0x41>", "é🦙\xff\xc3", "<unk>x"} {
		ids := tok.Encode(s)
		if got := tok.Decode(ids); got != s {
			t.Errorf("decode(encode(%q)) is %q", s, got)
		}
		for _, id := range ids {
			if tok.IsSpecial(id) {
				t.Errorf("Encode(%q) wrote the control token %q", s, tok.Token(id))
			}
		}
	}
}
