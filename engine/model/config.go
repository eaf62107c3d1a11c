// Package model holds decoders of the Llama family: configuration, parameters, one forward pass that training,
// evaluation and generation share, low-rank adapters, the key-value cache and greedy generation, and reading and
// writing models as files.
package model

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strings"

	"tunebook/engine/backend"
)

// Config describes a decoder. The fields and their JSON names are those of Hugging Face's config.json.
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
	// RopeInterleaved says that RoPE turns neighbours (2i, 2i+1) instead of halves (i, i+D/2): llama2.c and GGUF files.
	RopeInterleaved bool `json:"rope_interleaved,omitempty"`
}

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
	switch {
	case c.ModelType != "llama":
		return fmt.Errorf("model.Config: model_type: is %q; wanted \"llama\"", c.ModelType)
	case c.NumAttentionHeads%c.NumKeyValueHeads != 0:
		return fmt.Errorf("model.Config: num_attention_heads: %d is no multiple of num_key_value_heads, %d", c.NumAttentionHeads, c.NumKeyValueHeads)
	case c.HeadDim%2 != 0:
		return fmt.Errorf("model.Config: head_dim: %d is odd; RoPE turns pairs", c.HeadDim)
	case !(c.RMSNormEps > 0) || math.IsInf(c.RMSNormEps, 0):
		return fmt.Errorf("model.Config: rms_norm_eps: is %g; wanted a small positive number", c.RMSNormEps)
	case !(c.RopeTheta > 0) || math.IsInf(c.RopeTheta, 0):
		return fmt.Errorf("model.Config: rope_theta: is %g; wanted a positive number", c.RopeTheta)
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

// required gives keys of config.json that must have one value, as we build nothing else.
var required = map[string]string{
	"hidden_act": `"silu"`, "attention_bias": "false", "mlp_bias": "false", "rope_scaling": "null",
}

// ParseConfig reads a config.json. A key that would change the forward pass and that we do not implement is refused by
// name, never passed over.
func ParseConfig(data []byte) (Config, error) {
	var c Config
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return c, fmt.Errorf("model.ParseConfig: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("model.ParseConfig: %w", err)
	}
	known, _ := json.Marshal(Config{RopeInterleaved: true})
	var ours map[string]json.RawMessage
	if err := json.Unmarshal(known, &ours); err != nil {
		return c, err
	}
	var unknown []string
	for k, v := range all {
		if _, ok := ours[k]; ok || harmless[k] {
			continue
		}
		if w, ok := required[k]; ok {
			if got := strings.TrimSpace(string(v)); got != w {
				return c, fmt.Errorf("model.ParseConfig: %s: is %s; only %s is implemented", k, got, w)
			}
			continue
		}
		unknown = append(unknown, k)
	}
	if len(unknown) > 0 {
		sort.Strings(unknown)
		return c, fmt.Errorf("model.ParseConfig: keys that are not implemented: %s", strings.Join(unknown, ", "))
	}
	c.fill()
	return c, c.Check()
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

type tensorSpec struct {
	name  string
	shape []int
}

// tensors lists every parameter in the order of the forward pass, under its Hugging Face name.
func (c *Config) tensors() []tensorSpec {
	C, F, V := c.HiddenSize, c.IntermediateSize, c.VocabSize
	q, kv := c.NumAttentionHeads*c.HeadDim, c.NumKeyValueHeads*c.HeadDim
	list := []tensorSpec{{"model.embed_tokens.weight", []int{V, C}}}
	for l := range c.NumHiddenLayers {
		p := fmt.Sprintf("model.layers.%d.", l)
		list = append(list,
			tensorSpec{p + "input_layernorm.weight", []int{C}},
			tensorSpec{p + "self_attn.q_proj.weight", []int{q, C}},
			tensorSpec{p + "self_attn.k_proj.weight", []int{kv, C}},
			tensorSpec{p + "self_attn.v_proj.weight", []int{kv, C}},
			tensorSpec{p + "self_attn.o_proj.weight", []int{C, q}},
			tensorSpec{p + "post_attention_layernorm.weight", []int{C}},
			tensorSpec{p + "mlp.gate_proj.weight", []int{F, C}},
			tensorSpec{p + "mlp.up_proj.weight", []int{F, C}},
			tensorSpec{p + "mlp.down_proj.weight", []int{C, F}})
	}
	list = append(list, tensorSpec{"model.norm.weight", []int{C}})
	if !c.TieWordEmbeddings {
		list = append(list, tensorSpec{"lm_head.weight", []int{V, C}})
	}
	return list
}
