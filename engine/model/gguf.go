package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/token"
	"tunebook/engine/weights"
)

// ggufFamilies says what a GGUF file's general.architecture is. Llama's query and key rows are stored for interleaved RoPE
// (load turns them), and Gemma's norms as 1 + w.
var ggufFamilies = map[string]struct {
	modelType   string
	interleaved bool
	plusOne     bool
}{
	"llama": {modelType: "llama", interleaved: true},
	"qwen2": {modelType: "qwen2"},
	"qwen3": {modelType: "qwen3"},
	"gemma": {modelType: "gemma", plusOne: true},
}

// openGGUF reads a model with the tokenizer and the chat template that its file holds.
func openGGUF(dev backend.Backend, path string, q ...backend.Quant) (*Model, error) {
	g, err := weights.OpenGGUF(path)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	c, err := ggufConfig(g, path)
	if err != nil {
		return nil, err
	}
	return besideTexts(func() (t texts, err error) {
		meta := map[string]any{}
		for _, k := range g.Meta.Keys() {
			meta[k], _ = g.Meta.Value(k)
		}
		t.chat, _ = g.Meta.String("tokenizer.chat_template")
		if t.tok, err = token.FromGGUF(meta); err == nil {
			if name, e := g.Meta.String(ggufTemplate); e == nil {
				t.tmpl, err = token.TemplateFor(name)
			} else if t.chat != "" {
				t.tmpl, err = token.TemplateFromJinja(t.chat)
			}
		}
		if err != nil {
			err = fmt.Errorf("model.Open: %s: %w", path, err)
		}
		return t, err
	}, func() (*Model, error) { return loadGGUF(dev, c, g, path, q...) })
}

// ggufConfig reads a configuration from a file's metadata. An architecture or a key that would change the forward pass and
// that we do not implement is refused by name.
func ggufConfig(g *weights.GGUF, path string) (Config, error) {
	var c Config
	arch, err := g.Meta.String("general.architecture")
	if err != nil {
		return c, err
	}
	fam, ok := ggufFamilies[arch]
	if !ok {
		return c, fmt.Errorf("model.Open: %s: general.architecture is %q; wanted one of gemma, llama, qwen2, qwen3", path, arch)
	}
	for _, key := range g.Meta.Keys() {
		what, own := strings.CutPrefix(key, arch+".")
		scaling := strings.HasPrefix(what, "rope.scaling.")
		if kind, err := g.Meta.String(key); err == nil && what == "rope.scaling.type" && (kind == "none" || kind == "linear") {
			continue
		}
		if kind, _ := g.Meta.String(arch + ".rope.scaling.type"); kind == "linear" && what == "rope.scaling.factor" {
			continue
		}
		if own && (scaling || strings.HasPrefix(what, "expert") || what == "attention.sliding_window" || strings.HasSuffix(what, "softcapping")) {
			return c, fmt.Errorf("model.Open: %s: %s: is not implemented", path, key)
		}
	}
	c = Config{ModelType: fam.modelType, RopeInterleaved: fam.interleaved, TieWordEmbeddings: !g.Has("lm_head.weight")}
	if families[fam.modelType].has("attention_bias") {
		c.AttentionBias = g.Has("model.layers.0.self_attn.q_proj.bias")
	}
	if families[fam.modelType].has("mlp_bias") {
		c.MLPBias = g.Has("model.layers.0.mlp.up_proj.bias")
	}
	if kind, _ := g.Meta.String(arch + ".rope.scaling.type"); kind == "linear" {
		factor, err := g.Meta.Float(arch + ".rope.scaling.factor")
		if err != nil {
			return c, err
		}
		c.RopeScaling = RopeScaling{RopeType: "linear", Factor: factor}
	}
	ints := []struct {
		key      string
		to       *int
		optional bool
	}{
		{"embedding_length", &c.HiddenSize, false},
		{"feed_forward_length", &c.IntermediateSize, false},
		{"block_count", &c.NumHiddenLayers, false},
		{"attention.head_count", &c.NumAttentionHeads, false},
		{"attention.head_count_kv", &c.NumKeyValueHeads, true},
		{"attention.key_length", &c.HeadDim, true},
		{"context_length", &c.MaxPositionEmbeddings, false},
	}
	for _, i := range ints {
		if *i.to, err = g.Meta.Int(arch + "." + i.key); err != nil && !(i.optional && errors.Is(err, weights.ErrNoKey)) {
			return c, err
		}
	}
	if c.RMSNormEps, err = g.Meta.Float(arch + ".attention.layer_norm_rms_epsilon"); err != nil {
		return c, err
	}
	if c.RopeTheta, err = g.Meta.Float(arch + ".rope.freq_base"); err != nil && !errors.Is(err, weights.ErrNoKey) {
		return c, err
	}
	emb, ok := g.Info("model.embed_tokens.weight")
	if !ok || len(emb.Shape) != 2 {
		return c, fmt.Errorf("model.Open: %s: there is no token embedding of two dimensions", path)
	}
	c.VocabSize = emb.Shape[0]
	c.fill()
	if g.Has(ropeFactors) {
		t, err := g.Tensor(ropeFactors)
		if err != nil {
			return c, err
		}
		if c.RopeScaling, err = llama3Of(t.Data, c.RopeTheta, c.HeadDim); err != nil {
			return c, fmt.Errorf("model.Open: %s: %s: %w", path, ropeFactors, err)
		}
	}
	if d, err := g.Meta.Int(arch + ".rope.dimension_count"); err == nil && d != c.HeadDim {
		return c, fmt.Errorf("model.Open: %s: %s.rope.dimension_count is %d; only whole heads of %d are implemented", path, arch, d, c.HeadDim)
	}
	return c, nil
}

// loadGGUF builds the model of a file's configuration.
func loadGGUF(dev backend.Backend, c Config, g *weights.GGUF, path string, q ...backend.Quant) (*Model, error) {
	var f tensors = g
	if arch, _ := g.Meta.String("general.architecture"); ggufFamilies[arch].plusOne {
		f = lessOne{f}
	}
	if g.Has(ropeFactors) { // the configuration has it
		f = without{f, ropeFactors}
	}
	return load(dev, c, f, path, q...)
}

// without hides one tensor of a file.
type without struct {
	tensors
	name string
}

func (w without) Names() []string {
	return slices.DeleteFunc(w.tensors.Names(), func(n string) bool { return n == w.name })
}

// lessOne takes the 1 from norms that a file holds as 1 + w. No norm is packed.
type lessOne struct{ tensors }

func (l lessOne) Tensor(name string) (weights.Tensor, error) {
	t, err := l.tensors.Tensor(name)
	if err == nil && strings.HasSuffix(name, "norm.weight") {
		for i := range t.Data {
			t.Data[i]--
		}
	}
	return t, err
}

// openLlama2c reads a llama2.c checkpoint and the tokenizer beside it.
func openLlama2c(dev backend.Backend, path string, q ...backend.Quant) (*Model, error) {
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
	m, err := load(dev, c, l, path, q...)
	if err != nil {
		return nil, err
	}
	m.Tokenizer = tok
	return m, nil
}
