package token

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"tunebook/engine/internal/shared"
)

// corpus is the strings of the JSON and JSON-lines files under ../shared/data, in the order of their paths: as many,
// evenly spread, as make about so many bytes.
func corpus(t *testing.T, bytes int) []string {
	var texts []string
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case string:
			if v != "" {
				texts = append(texts, v)
			}
		case []any:
			for _, e := range v {
				collect(e)
			}
		case map[string]any:
			keys := make([]string, 0, len(v))
			for k := range v {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			for _, k := range keys {
				collect(v[k])
			}
		}
	}
	err := filepath.WalkDir(filepath.Join(shared.Dir(t), "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") && !strings.HasSuffix(path, ".jsonl") {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		for in := json.NewDecoder(f); ; {
			var v any
			if err := in.Decode(&v); err != nil {
				return nil // what is no JSON after all is no text of the corpus
			}
			collect(v)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	step := max(1, size/bytes)
	for i := range len(texts) / step {
		texts[i] = texts[i*step]
	}
	return texts[:len(texts)/step]
}

// TestPeers encodes texts of ../shared/data with ours and with Hugging Face tokenizers or sentencepiece, on one
// thread each, in turn: every id must be equal, and the ratio of the speeds is logged.
//
//	PEERS_PYTHON=venv/bin/python go test -run Peers -v ./engine/token
func TestPeers(t *testing.T) {
	p := shared.StartPeer(t, "testdata/peers/tokenizers_peer.py")
	const rounds = 3
	texts := corpus(t, 4e6)
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	list := filepath.Join(t.TempDir(), "texts.json")
	data, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, data, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d texts, %.1f MB", len(texts), float64(size)/1e6)
	for _, m := range []struct{ name, file, kind string }{
		{"gpt2", "tokenizer.json", "tokenizers"},
		{"smollm2", "tokenizer.json", "tokenizers"},
		{"qwen3", "tokenizer.json", "tokenizers"},
		{"bert_uncased", "tokenizer.json", "tokenizers"},
		{"mistral_v1", "tokenizer.model", "sentencepiece"},
		{"mistral_v3", "tokenizer.model", "sentencepiece"},
		{"albert_unigram", "spiece.model", "sentencepiece"},
	} {
		t.Run(m.name, func(t *testing.T) {
			file := filepath.Join(shared.Dir(t), "tokenizers", m.name, m.file)
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			read := ReadModel
			if m.kind == "tokenizers" {
				read = ReadJSON
			}
			var hello struct{ Version string }
			p.Ask(t, map[string]any{"file": file, "texts": list, "kind": m.kind}, &hello)

			var theirs, ours, all []time.Duration
			for range rounds {
				var r struct {
					Seconds float64
					IDs     int    `json:"ids"`
					CRC     uint32 `json:"crc"`
				}
				p.Ask(t, map[string]any{"round": true}, &r)
				theirs = append(theirs, time.Duration(r.Seconds*float64(time.Second)))

				// A tokenizer of its own for each round: words that an earlier round has cached would be for nothing.
				tok, err := read(raw)
				if err != nil {
					t.Fatal(err)
				}
				ids := make([][]int32, len(texts))
				start := time.Now()
				for i, s := range texts {
					ids[i] = tok.EncodeSpecial(s)
				}
				ours = append(ours, time.Since(start))
				n, sum := 0, crc32.NewIEEE()
				for _, row := range ids {
					n += len(row)
					if err := binary.Write(sum, binary.LittleEndian, row); err != nil {
						t.Fatal(err)
					}
				}
				if n != r.IDs || sum.Sum32() != r.CRC {
					t.Fatalf("%d ids with checksum %08x; %s has %d with %08x", n, sum.Sum32(), hello.Version, r.IDs, r.CRC)
				}
				if tok, err = read(raw); err != nil {
					t.Fatal(err)
				}
				start = time.Now()
				tok.EncodeAll(texts)
				all = append(all, time.Since(start))
			}
			rate := func(d time.Duration) float64 { return float64(size) / 1e6 / d.Seconds() }
			median := func(l []time.Duration) time.Duration {
				l = slices.Sorted(slices.Values(l))
				return l[len(l)/2]
			}
			t.Logf("%s: %.1f MB/s; ours %.1f MB/s, %.2f times as fast (best of %d: %.2f); on %d cores %.1f MB/s",
				hello.Version, rate(median(theirs)), rate(median(ours)), median(theirs).Seconds()/median(ours).Seconds(),
				rounds, slices.Min(theirs).Seconds()/slices.Min(ours).Seconds(), runtime.GOMAXPROCS(0), rate(median(all)))
		})
	}
}
