package data

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"tunebook/engine/internal/shared"
	"tunebook/engine/token"
)

// TestPeers reads, encodes and mixes the same files with ours and with Hugging Face datasets, in turn, one core each. All
// tokens and labels must be as many; the ratios of the times are logged. Mixing is before encoding here and after it there.
//
//	PEERS_PYTHON=venv/bin/python go test -run Peers -v ./engine/data
func TestPeers(t *testing.T) {
	p := shared.StartPeer(t, "testdata/peers/datasets_peer.py")
	const rounds, rows = 3, 40000
	file := filepath.Join(shared.Dir(t), "tokenizers", "smollm2", "tokenizer.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, part := range []struct {
		name string
		n    int
	}{{"own", rows / 4}, {"broad", rows - rows/4}} {
		s, err := Generate(GenConfig{Name: part.name, Seed: 1, Size: part.n})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), part.name+".jsonl")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		out := json.NewEncoder(f)
		for _, e := range s.Rows {
			if err := out.Encode(map[string]string{"prompt": e.Prompt, "completion": e.Answer}); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	var hello struct{ Version string }
	p.Ask(t, map[string]any{"tokenizer": file, "files": files}, &hello)

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	names := []string{"read", "encode", "mix"}
	theirs, ours := map[string][]float64{}, map[string][]float64{}
	for round := range rounds {
		var r map[string]float64
		p.Ask(t, map[string]any{"round": round}, &r)
		for _, n := range names {
			theirs[n] = append(theirs[n], r[n])
		}
		tok, err := token.ReadJSON(raw)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		lap := func(name string) {
			ours[name] = append(ours[name], time.Since(start).Seconds())
			start = time.Now()
		}
		var sets []*Set
		for _, f := range files {
			s, err := Read(f, OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			sets = append(sets, s)
		}
		lap("read")
		enc := &Encoder{tok, token.ChatML, EncodeOptions{MaxLen: 8192}}
		tokens, labels := 0, 0
		for _, s := range sets {
			e, err := enc.Set(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range e.Counts {
				tokens, labels = tokens+c.Tokens, labels+c.Supervised
			}
		}
		lap("encode")
		if _, err := (Recipe{Seed: int64(round), Parts: []Part{{Set: sets[0], Share: 0.5}, {Set: sets[1], Share: 0.5}}}).Blend(); err != nil {
			t.Fatal(err)
		}
		lap("mix")
		if tokens != int(r["tokens"]) || labels != int(r["labels"]) || r["rows"] != rows {
			t.Fatalf("%d tokens and %d labels of %d rows; %s has %v", tokens, labels, rows, hello.Version, r)
		}
		if round == 0 {
			t.Logf("%s: %d rows, %d tokens, %d of them trained, equal", hello.Version, rows, tokens, labels)
		}
	}
	for _, n := range names {
		a, b := slices.Sorted(slices.Values(theirs[n])), slices.Sorted(slices.Values(ours[n]))
		t.Logf("%-6s theirs %6.3f s, ours %6.3f s: %.1f times as fast (best of %d: %.1f)", n, a[rounds/2], b[rounds/2], a[rounds/2]/b[rounds/2], rounds, a[0]/b[0])
	}
}
