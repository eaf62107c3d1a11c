// Package model holds decoders (Llama, Mistral, Qwen, Gemma, GPT-2, GPT-NeoX) and encoders (BERT, ModernBERT): configuration,
// parameters, one forward pass that training, evaluation and generation share, embeddings of texts, low-rank adapters,
// the key-value cache and greedy generation, and reading and writing models as files.
package model

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"tunebook/engine/backend"
)

// Config describes a decoder or an encoder. The fields and their JSON names are those of Hugging Face's config.json.
type Config struct {
	ModelType             string  `json:"model_type"`
	VocabSize             int     `json:"vocab_size"`
	HiddenSize            int     `json:"hidden_size"`
	IntermediateSize      int     `json:"intermediate_size"`
	NumHiddenLayers       int     `json:"num_hidden_layers"`
	NumAttentionHeads     int     `json:"num_attention_heads"`
	NumKeyValueHeads      int     `json:"num_key_value_heads"`
	HeadDim               int     `json:"head_dim"`
	MaxPositionEmbeddings int     `json:"max_position_embeddings"`
	RMSNormEps            float64 `json:"rms_norm_eps"`
	RopeTheta             float64 `json:"rope_theta"`
	TieWordEmbeddings     bool    `json:"tie_word_embeddings"`
	InitializerRange      float64 `json:"initializer_range"`
	// RopeInterleaved says that RoPE turns neighbours (2i, 2i+1) instead of halves (i, i+D/2). Files that want it (llama2.c, GGUF)
	// are read into the order of halves, and a model that was made with it is saved in that order.
	RopeInterleaved bool `json:"rope_interleaved,omitempty"`

	// What only some families have; each takes its own keys and refuses the others.
	RopeScaling         RopeScaling `json:"rope_scaling,omitzero"`
	PartialRotaryFactor float64     `json:"partial_rotary_factor,omitempty"` // share of each head that RoPE turns; 0 means all of it
	AttentionBias       bool        `json:"attention_bias,omitempty"`
	MLPBias             bool        `json:"mlp_bias,omitempty"`
	SlidingWindow       int         `json:"sliding_window,omitempty"`        // keys that a query sees; 0 means all
	UseParallelResidual bool        `json:"use_parallel_residual,omitempty"` // GPT-NeoX
	GELUTanh            bool        `json:"gelu_tanh,omitempty"`             // GPT-NeoX, BERT: hidden_act is the approximation of gelu
	TypeVocabSize       int         `json:"type_vocab_size,omitempty"`       // BERT: kinds of segment that an embedding tells apart

	// ModernBERT: layers 0, n, 2n … see the whole text and turn by RopeTheta; the others see LocalAttention/2 tokens on either side
	// and turn by LocalRopeTheta.
	GlobalAttnEveryNLayers int     `json:"global_attn_every_n_layers,omitempty"`
	LocalAttention         int     `json:"local_attention,omitempty"`
	LocalRopeTheta         float64 `json:"local_rope_theta,omitempty"`
	NormBias               bool    `json:"norm_bias,omitempty"`
}

// optional are the JSON names of the fields that only some families have.
var optional = []string{"rope_interleaved", "partial_rotary_factor", "attention_bias", "mlp_bias", "sliding_window", "use_parallel_residual", "gelu_tanh",
	"type_vocab_size", "global_attn_every_n_layers", "local_attention", "local_rope_theta", "norm_bias"}

// Check returns an error that names the first field that cannot be.
func (c *Config) Check() error {
	positive := []struct {
		name string
		v    int
	}{
		{"vocab_size", c.VocabSize}, {"hidden_size", c.HiddenSize}, {"intermediate_size", c.IntermediateSize},
		{"num_hidden_layers", c.NumHiddenLayers}, {"num_attention_heads", c.NumAttentionHeads},
		{"num_key_value_heads", c.NumKeyValueHeads}, {"head_dim", c.HeadDim}, {"max_position_embeddings", c.MaxPositionEmbeddings},
	}
	for _, p := range positive {
		if p.v <= 0 {
			return fmt.Errorf("model.Config: %s: is %d; wanted more than 0", p.name, p.v)
		}
	}
	f, err := familyOf(c.ModelType)
	if err != nil {
		return err
	}
	switch {
	case c.NumAttentionHeads%c.NumKeyValueHeads != 0:
		return fmt.Errorf("model.Config: num_attention_heads: %d is no multiple of num_key_value_heads, %d", c.NumAttentionHeads, c.NumKeyValueHeads)
	case f.plan(c).positions == "" && c.HeadDim%2 != 0:
		return fmt.Errorf("model.Config: head_dim: %d is odd; RoPE turns pairs", c.HeadDim)
	case !(c.RMSNormEps > 0) || math.IsInf(c.RMSNormEps, 0):
		return fmt.Errorf("model.Config: rms_norm_eps: is %g; wanted a small positive number", c.RMSNormEps)
	case !(c.RopeTheta > 0) || math.IsInf(c.RopeTheta, 0):
		return fmt.Errorf("model.Config: rope_theta: is %g; wanted a positive number", c.RopeTheta)
	case c.SlidingWindow < 0:
		return fmt.Errorf("model.Config: sliding_window: is %d; wanted 0 (none) or more", c.SlidingWindow)
	}
	off := map[string]bool{"rope_interleaved": !c.RopeInterleaved, "partial_rotary_factor": c.PartialRotaryFactor == 0 || c.PartialRotaryFactor == 1,
		"attention_bias": !c.AttentionBias, "mlp_bias": !c.MLPBias, "sliding_window": c.SlidingWindow == 0,
		"use_parallel_residual": !c.UseParallelResidual, "gelu_tanh": !c.GELUTanh,
		"type_vocab_size": c.TypeVocabSize == 0, "global_attn_every_n_layers": c.GlobalAttnEveryNLayers == 0,
		"local_attention": c.LocalAttention == 0, "local_rope_theta": c.LocalRopeTheta == 0, "norm_bias": !c.NormBias}
	for _, k := range optional {
		if !off[k] && !f.has(k) {
			return fmt.Errorf("model.Config: %s: is set; %s has none", k, c.ModelType)
		}
	}
	if err := c.RopeScaling.check(); err != nil {
		return err
	}
	if f.check != nil {
		return f.check(c)
	}
	return nil
}

// fill sets what a file may leave out to what it then means.
func (c *Config) fill() {
	if c.NumKeyValueHeads == 0 {
		c.NumKeyValueHeads = c.NumAttentionHeads
	}
	if c.HeadDim == 0 && c.NumAttentionHeads > 0 {
		c.HeadDim = c.HiddenSize / c.NumAttentionHeads
	}
	if c.RopeTheta == 0 {
		c.RopeTheta = 10000
	}
	if c.InitializerRange == 0 {
		c.InitializerRange = 0.02
	}
}

// harmless are keys of config.json that change nothing in the forward pass.
var harmless = map[string]bool{
	"_name_or_path": true, "architectures": true, "bos_token_id": true, "eos_token_id": true, "pad_token_id": true,
	"torch_dtype": true, "dtype": true, "transformers_version": true, "use_cache": true, "pretraining_tp": true,
	"attention_dropout": true, "is_llama_config": true, "transformers.js_config": true, "_attn_implementation_autoset": true,
}

// ParseConfig reads a config.json. A key that would change the forward pass and that we do not implement is refused by
// name, never passed over.
func ParseConfig(data []byte) (Config, error) {
	var c Config
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return c, fmt.Errorf("model.ParseConfig: %w", err)
	}
	if raw, ok := all["model_type"]; ok {
		if err := json.Unmarshal(raw, &c.ModelType); err != nil {
			return c, fmt.Errorf("model.ParseConfig: model_type: %w", err)
		}
	}
	f, err := familyOf(c.ModelType)
	if err != nil {
		return c, err
	}
	for theirs, ours := range f.rename {
		raw, ok := all[theirs]
		if !ok {
			continue
		}
		if _, both := all[ours]; both {
			return c, fmt.Errorf("model.ParseConfig: %s and %s are the same; wanted one of them", theirs, ours)
		}
		all[ours] = raw
		delete(all, theirs)
	}
	if f.defaults != nil {
		f.defaults(&c)
	}
	var fields map[string]json.RawMessage
	known, err := json.Marshal(Config{RopeInterleaved: true, PartialRotaryFactor: 1, AttentionBias: true, MLPBias: true, SlidingWindow: 1,
		UseParallelResidual: true, GELUTanh: true, TypeVocabSize: 1, GlobalAttnEveryNLayers: 1, LocalAttention: 1, LocalRopeTheta: 1, NormBias: true})
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(known, &fields); err != nil {
		return c, err
	}
	ours := map[string]json.RawMessage{}
	for k, v := range all {
		if _, ok := fields[k]; !ok {
			continue
		}
		if slices.Contains(optional, k) && !f.has(k) {
			if text := string(v); text != "null" && text != "false" {
				continue // unknown, below
			}
		}
		ours[k] = v
		delete(all, k)
	}
	flat, err := json.Marshal(ours)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(flat, &c); err != nil {
		return c, fmt.Errorf("model.ParseConfig: %w", err)
	}
	if f.read != nil {
		if err := f.read(&c, all); err != nil {
			return c, err
		}
	}
	for _, k := range []string{"rope_scaling", "rope_parameters"} {
		if raw, ok := all[k]; ok {
			if err := parseRope(&c, k, raw); err != nil {
				return c, err
			}
			delete(all, k)
		}
	}
	var unknown []string
	for k, v := range all {
		want, fixed := f.must[k]
		switch {
		case fixed && !slices.Contains(strings.Split(want, "|"), string(v)):
			return c, fmt.Errorf("model.ParseConfig: %s: is %s; only %s is implemented for %s", k, v, want, c.ModelType)
		case !fixed && !harmless[k]:
			unknown = append(unknown, k)
		}
	}
	if len(unknown) > 0 {
		sort.Strings(unknown)
		return c, fmt.Errorf("model.ParseConfig: keys that are not implemented for %s: %s", c.ModelType, strings.Join(unknown, ", "))
	}
	c.fill()
	return c, c.Check()
}

// file returns what config.json holds: the keys that transformers reads, for weights of that element type, and ids of tokens
// that the tokenizer gives roles ("eos_token_id").
func (c *Config) file(dtype string, ids map[string]int32) ([]byte, error) {
	f, err := familyOf(c.ModelType)
	if err != nil {
		return nil, err
	}
	flat, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	keys := map[string]any{}
	if err := json.Unmarshal(flat, &keys); err != nil {
		return nil, err
	}
	if f.write != nil {
		f.write(c, keys)
	}
	for theirs, ours := range f.rename {
		if v, ok := keys[ours]; ok {
			keys[theirs] = v
			delete(keys, ours)
		}
	}
	for k, id := range ids {
		keys[k] = id
	}
	keys["architectures"] = []string{f.class}
	keys["torch_dtype"] = map[string]string{"F32": "float32", "F16": "float16", "BF16": "bfloat16"}[dtype]
	return json.MarshalIndent(keys, "", "  ")
}

// Pairing returns which elements of a head RoPE turns together.
func (c *Config) Pairing() backend.Pairing {
	if c.RopeInterleaved {
		return backend.Interleaved
	}
	return backend.Half
}

// Params returns the number of parameters.
func (c *Config) Params() int {
	n := 0
	for _, s := range c.tensors() {
		p := 1
		for _, d := range s.shape {
			p *= d
		}
		n += p
	}
	return n
}
