package model

import (
	"encoding/json"
	"fmt"
)

// GPT-NeoX and Pythia: LayerNorm, RoPE on a part of every head, attention and MLP side by side, q, k and v of a head in
// one module. Source: Black et al. 2022, arXiv:2204.06745.
func init() {
	families["gpt_neox"] = &family{
		class: "GPTNeoXForCausalLM",
		keys:  "attention_bias use_parallel_residual partial_rotary_factor",
		rename: map[string]string{"layer_norm_eps": "rms_norm_eps", "rotary_pct": "partial_rotary_factor",
			"rotary_emb_base": "rope_theta"},
		must:     map[string]string{"hidden_act": `"gelu"|"gelu_new"|"gelu_pytorch_tanh"`, "is_decoder": "true|false"},
		buffers:  []string{".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"},
		defaults: func(c *Config) { c.AttentionBias, c.UseParallelResidual, c.PartialRotaryFactor = true, true, 0.25 },
		read: func(c *Config, keys map[string]json.RawMessage) error {
			if act := string(keys["hidden_act"]); act != "" {
				c.GELUTanh = act != `"gelu"`
			}
			delete(keys, "hidden_dropout")
			delete(keys, "classifier_dropout")
			return nil
		},
		write: func(c *Config, keys map[string]any) {
			keys["hidden_act"] = map[bool]string{false: "gelu", true: "gelu_new"}[c.GELUTanh]
			keys["attention_bias"], keys["use_parallel_residual"] = c.AttentionBias, c.UseParallelResidual
			for _, k := range []string{"num_key_value_heads", "head_dim", "gelu_tanh"} {
				delete(keys, k)
			}
		},
		check: func(c *Config) error {
			rot := c.rotary()
			if rot <= 0 || rot%2 != 0 || c.HeadDim%rot != 0 {
				return fmt.Errorf("model.Config: rotary_pct: %g of heads of %d is %d; wanted an even number that divides them", c.PartialRotaryFactor, c.HeadDim, rot)
			}
			return wholeHeads(c)
		},
		plan: func(c *Config) plan {
			return plan{
				embed: "gpt_neox.embed_in", final: "gpt_neox.final_layer_norm", head: "embed_out", layer: "gpt_neox.layers.%d.",
				attnNorm: "input_layernorm", mlpNorm: "post_attention_layernorm", qkv: "attention.query_key_value", o: "attention.dense",
				up: "mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h", qkvBias: c.AttentionBias, oBias: c.AttentionBias, mlpBias: true,
				byHead: true, layerNorm: true, gelu: true, tanh: c.GELUTanh, parallel: c.UseParallelResidual, rotary: c.rotary(),
			}
		},
	}
}

// wholeHeads checks what families without grouped heads of a size of their own want.
func wholeHeads(c *Config) error {
	if c.NumKeyValueHeads != c.NumAttentionHeads {
		return fmt.Errorf("model.Config: num_key_value_heads: is %d; %s has as many as num_attention_heads, %d", c.NumKeyValueHeads, c.ModelType, c.NumAttentionHeads)
	}
	if c.NumAttentionHeads*c.HeadDim != c.HiddenSize {
		return fmt.Errorf("model.Config: hidden_size: %d is no multiple of num_attention_heads, %d", c.HiddenSize, c.NumAttentionHeads)
	}
	return nil
}
