package model

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/token"
)

// What Save writes, Open reads: the same weights bit for bit in F32, the same ids, the same template; and a second save
// of what was read is byte for byte the same in every type.
func TestSaveOpen(t *testing.T) {
	dev := refDevice(t)
	tok, err := token.TrainBPE(slices.Values([]string{"some words and some more words"}),
		token.TrainConfig{VocabSize: 265, Special: token.PlainSpecial(), EOS: token.PlainEnd, MinCount: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := tiny(true, false)
	c.VocabSize = 270
	m, err := New(dev, c, 1)
	if err != nil {
		t.Fatal(err)
	}
	m.Tokenizer, m.Template = tok, token.Plain
	want, err := m.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	for _, dtype := range []string{"F32", "F16", "BF16"} {
		dir, again := t.TempDir(), t.TempDir()
		if err := m.Save(dir, dtype); err != nil {
			t.Fatal(err)
		}
		n, err := Open(dev, dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := n.Fingerprint(); (got == want) != (dtype == "F32") {
			t.Errorf("%s: fingerprint equal: %v", dtype, got == want)
		}
		if n.Tokenizer.Fingerprint() != tok.Fingerprint() || n.Template != token.Plain {
			t.Errorf("%s: another tokenizer or template", dtype)
		}
		if err := n.Save(again, dtype); err != nil {
			t.Fatal(err)
		}
		for _, f := range []string{configFile, weightsFile, tokenizerFile, tokenizerConf} {
			a, _ := os.ReadFile(filepath.Join(dir, f))
			b, _ := os.ReadFile(filepath.Join(again, f))
			if len(a) == 0 || string(a) != string(b) {
				t.Errorf("%s: %s changed on the way", dtype, f)
			}
		}
	}
	// A configuration that asks for another layer finds its tensors missing, by name.
	dir := t.TempDir()
	if err := m.Save(dir, "F32"); err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(filepath.Join(dir, configFile))
	os.WriteFile(filepath.Join(dir, configFile), []byte(strings.Replace(string(raw), `"num_hidden_layers": 2`, `"num_hidden_layers": 3`, 1)), 0o644)
	if _, err := Open(dev, dir); err == nil || !strings.Contains(err.Error(), "9 tensors are missing: model.layers.2.input_layernorm.weight") {
		t.Errorf("a missing layer: %v", err)
	}
}
