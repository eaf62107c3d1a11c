package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/token"
	"tunebook/engine/weights"
)

// openGGUF reads a model of architecture llama. Its query and key rows are stored for interleaved RoPE; load
// turns them.
func openGGUF(dev backend.Backend, path string) (*Model, error) {
	g, err := weights.OpenGGUF(path)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	arch, err := g.Meta.String("general.architecture")
	if err != nil {
		return nil, err
	}
	if arch != "llama" {
		return nil, fmt.Errorf("model.Open: %s: general.architecture is %q; only \"llama\" is implemented", path, arch)
	}
	for _, key := range g.Meta.Keys() {
		if strings.HasPrefix(key, "llama.rope.scaling.") || strings.HasPrefix(key, "llama.expert") || key == "llama.attention.sliding_window" {
			return nil, fmt.Errorf("model.Open: %s: %s: is not implemented", path, key)
		}
	}
	c := Config{ModelType: "llama", RopeInterleaved: true, TieWordEmbeddings: !g.Has("lm_head.weight")}
	ints := []struct {
		key      string
		to       *int
		optional bool
	}{
		{"llama.embedding_length", &c.HiddenSize, false},
		{"llama.feed_forward_length", &c.IntermediateSize, false},
		{"llama.block_count", &c.NumHiddenLayers, false},
		{"llama.attention.head_count", &c.NumAttentionHeads, false},
		{"llama.attention.head_count_kv", &c.NumKeyValueHeads, true},
		{"llama.attention.key_length", &c.HeadDim, true},
		{"llama.context_length", &c.MaxPositionEmbeddings, false},
	}
	for _, i := range ints {
		if *i.to, err = g.Meta.Int(i.key); err != nil && !(i.optional && errors.Is(err, weights.ErrNoKey)) {
			return nil, err
		}
	}
	if c.RMSNormEps, err = g.Meta.Float("llama.attention.layer_norm_rms_epsilon"); err != nil {
		return nil, err
	}
	if c.RopeTheta, err = g.Meta.Float("llama.rope.freq_base"); err != nil && !errors.Is(err, weights.ErrNoKey) {
		return nil, err
	}
	emb, ok := g.Info("model.embed_tokens.weight")
	if !ok || len(emb.Shape) != 2 {
		return nil, fmt.Errorf("model.Open: %s: there is no token embedding of two dimensions", path)
	}
	c.VocabSize = emb.Shape[0]
	c.fill()
	if d, err := g.Meta.Int("llama.rope.dimension_count"); err == nil && d != c.HeadDim {
		return nil, fmt.Errorf("model.Open: %s: llama.rope.dimension_count is %d; only whole heads of %d are implemented", path, d, c.HeadDim)
	}
	meta := map[string]any{}
	for _, k := range g.Meta.Keys() {
		meta[k], _ = g.Meta.Value(k)
	}
	tok, err := token.FromGGUF(meta)
	if err != nil {
		return nil, fmt.Errorf("model.Open: %s: %w", path, err)
	}
	var tmpl *token.Template
	if chat, err := g.Meta.String("tokenizer.chat_template"); err == nil {
		if tmpl, err = token.TemplateFromJinja(chat); err != nil {
			return nil, fmt.Errorf("model.Open: %s: %w", path, err)
		}
	}
	m, err := load(dev, c, g, path)
	if err != nil {
		return nil, err
	}
	m.Tokenizer, m.Template = tok, tmpl
	return m, nil
}

// openLlama2c reads a llama2.c checkpoint and the tokenizer beside it.
func openLlama2c(dev backend.Backend, path string) (*Model, error) {
	l, err := weights.OpenLlama2c(path)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	c := Config{ModelType: "llama", VocabSize: l.VocabSize, HiddenSize: l.Dim, IntermediateSize: l.HiddenDim,
		NumHiddenLayers: l.Layers, NumAttentionHeads: l.Heads, NumKeyValueHeads: l.KVHeads, MaxPositionEmbeddings: l.SeqLen,
		RMSNormEps: 1e-5, RopeTheta: 10000, TieWordEmbeddings: l.Tied, RopeInterleaved: true}
	c.fill()
	dir := filepath.Dir(path)
	var f *os.File
	for _, name := range []string{fmt.Sprintf("tok%d.bin", l.VocabSize), "tokenizer.bin"} {
		if f, err = os.Open(filepath.Join(dir, name)); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("model.Open: %s: neither tok%d.bin nor tokenizer.bin lies beside it", path, l.VocabSize)
	}
	defer f.Close()
	tok, err := token.ReadLlama2c(f, l.VocabSize)
	if err != nil {
		return nil, fmt.Errorf("model.Open: %s: %w", f.Name(), err)
	}
	m, err := load(dev, c, l, path)
	if err != nil {
		return nil, err
	}
	m.Tokenizer = tok
	return m, nil
}
