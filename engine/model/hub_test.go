package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/hub"
	"tunebook/engine/token"
	"tunebook/engine/weights"
)

// hubOf serves folders as repositories, by name, and counts what is asked.
func hubOf(t *testing.T, repos map[string]string) (*hub.Client, *int) {
	t.Helper()
	const commit = "00000000000000000000000000000000000000aa"
	asked := new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		for name, dir := range repos {
			if r.URL.Path == "/api/models/"+name+"/revision/main" {
				var list []map[string]string
				filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
					if err == nil && !d.IsDir() {
						rel, _ := filepath.Rel(dir, path)
						list = append(list, map[string]string{"rfilename": filepath.ToSlash(rel)})
					}
					return nil
				})
				json.NewEncoder(w).Encode(map[string]any{"sha": commit, "siblings": list})
				return
			}
			if file, ok := strings.CutPrefix(r.URL.Path, "/"+name+"/resolve/"+commit+"/"); ok {
				raw, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					break
				}
				sum := sha256.Sum256(raw)
				w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
				w.Header().Set("Content-Length", fmt.Sprint(len(raw)))
				w.Write(raw)
				return
			}
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return &hub.Client{Endpoint: s.URL, Cache: t.TempDir()}, asked
}

// A model of a hub is the model of its folder, whole, sharded or as a GGUF file; without the hub it opens again from the cache.
// What a repository lacks is named.
func TestOpenHub(t *testing.T) {
	dev := refDevice(t)
	tok, err := token.TrainBPE(slices.Values([]string{"some words and some more words"}),
		token.TrainConfig{VocabSize: 265, Special: token.PlainSpecial(), EOS: token.PlainEnd, MinCount: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := tiny(false, false)
	c.VocabSize = 270
	m, err := New(dev, c, 1)
	if err != nil {
		t.Fatal(err)
	}
	m.Tokenizer, m.Template = tok, token.Plain
	whole, sharded, ggufs, old, bare := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	for _, dir := range []string{whole, sharded} {
		if err := m.Save(dir, "F32"); err != nil {
			t.Fatal(err)
		}
	}
	want, err := m.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	list, err := m.download(m.params, "")
	if err != nil {
		t.Fatal(err)
	}
	index := map[string]string{}
	for i, part := range [][]weights.Tensor{list[:3], list[3:]} {
		name := fmt.Sprintf("model-%d-of-2.safetensors", i+1)
		for _, x := range part {
			index[x.Name] = name
		}
		err := writeFiles(sharded, []file{{name, func(w io.Writer) error { return weights.WriteSafetensors(w, part, nil, "F32") }}})
		if err != nil {
			t.Fatal(err)
		}
	}
	raw, _ := json.Marshal(map[string]any{"weight_map": index})
	os.WriteFile(filepath.Join(sharded, indexFile), raw, 0o644)
	os.Remove(filepath.Join(sharded, weightsFile))
	for _, as := range []string{"F32", "F16"} {
		if err := m.SaveGGUF(filepath.Join(ggufs, "m-"+as+".gguf"), as); err != nil {
			t.Fatal(err)
		}
	}
	conf, _ := os.ReadFile(filepath.Join(whole, configFile))
	for _, dir := range []string{old, bare} {
		os.WriteFile(filepath.Join(dir, configFile), conf, 0o644)
		os.WriteFile(filepath.Join(dir, tokenizerFile), []byte("{}"), 0o644)
	}
	os.WriteFile(filepath.Join(old, "pytorch_model.bin"), []byte("x"), 0o644)
	client, asked := hubOf(t, map[string]string{"me/whole": whole, "me/sharded": sharded, "me/ggufs": ggufs, "me/old": old, "me/bare": bare})
	ctx := context.Background()
	for _, offline := range []bool{false, true} {
		client.Offline, *asked = offline, 0
		for _, name := range []string{"me/whole", "me/sharded", "me/ggufs/m-F32.gguf"} {
			n, note, err := OpenHub(ctx, dev, name, client)
			if err != nil || note != "" {
				t.Fatalf("%s: %v, note %q", name, err, note)
			}
			if n.Name != name || n.Tokenizer.VocabSize() != tok.VocabSize() {
				t.Errorf("%s is called %q and has %d ids", name, n.Name, n.Tokenizer.VocabSize())
			}
			n.Config = m.Config // a GGUF file rounds rms_norm_eps to float32
			if got, _ := n.Fingerprint(); got != want {
				t.Errorf("%s, offline %v: another model", name, offline)
			}
		}
		if offline && *asked != 0 {
			t.Errorf("offline, the hub was asked %d times", *asked)
		}
	}
	client.Offline = false
	for name, want := range map[string]string{
		"me/ggufs":    "name one of them: me/ggufs/m-F16.gguf, me/ggufs/m-F32.gguf",
		"me/old":      "pytorch_model.bin; only safetensors",
		"me/bare":     "has no file model.safetensors",
		"me/nothing":  "there is none of that name",
		"not a model": "wanted owner/name",
	} {
		if _, _, err := OpenHub(ctx, dev, name, client); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; wanted %q", name, err, want)
		}
	}
	client.Offline = true
	client.Cache = t.TempDir()
	if _, _, err := OpenHub(ctx, dev, "me/whole", client); err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE is set") {
		t.Errorf("an empty cache, offline: %v", err)
	}
}
