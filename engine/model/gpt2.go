package model

import "encoding/json"

// GPT-2: LayerNorm, learned positions, an MLP without a gate, q, k and v in one module, weights that lie (in, out).
// Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
func init() {
	families["gpt2"] = &family{
		class: "GPT2LMHeadModel",
		rename: map[string]string{"n_embd": "hidden_size", "n_layer": "num_hidden_layers", "n_head": "num_attention_heads",
			"n_positions": "max_position_embeddings", "n_inner": "intermediate_size", "layer_norm_epsilon": "rms_norm_eps"},
		must: map[string]string{"activation_function": `"gelu_new"|"gelu_pytorch_tanh"`, "scale_attn_weights": "true",
			"scale_attn_by_inverse_layer_idx": "false", "reorder_and_upcast_attn": "false", "add_cross_attention": "false"},
		buffers:  []string{".attn.bias", ".attn.masked_bias"},
		defaults: func(c *Config) { c.TieWordEmbeddings, c.RMSNormEps = true, 1e-5 },
		read: func(c *Config, keys map[string]json.RawMessage) error {
			if c.IntermediateSize == 0 {
				c.IntermediateSize = 4 * c.HiddenSize
			}
			// Training's dropout, what other heads than a language model's want, and n_ctx, an older name of n_positions.
			for _, k := range []string{"resid_pdrop", "embd_pdrop", "attn_pdrop", "summary_type", "summary_use_proj", "summary_activation",
				"summary_proj_to_labels", "summary_first_dropout", "n_ctx", "task_specific_params"} {
				delete(keys, k)
			}
			return nil
		},
		write: func(c *Config, keys map[string]any) {
			keys["activation_function"] = "gelu_new"
			for _, k := range []string{"num_key_value_heads", "head_dim", "rope_theta"} {
				delete(keys, k)
			}
		},
		check: func(c *Config) error { return wholeHeads(c) },
		plan: func(c *Config) plan {
			return plan{
				embed: "transformer.wte", positions: "transformer.wpe", final: "transformer.ln_f", head: "lm_head", layer: "transformer.h.%d.",
				attnNorm: "ln_1", mlpNorm: "ln_2", qkv: "attn.c_attn", o: "attn.c_proj", up: "mlp.c_fc", down: "mlp.c_proj",
				qkvBias: true, oBias: true, mlpBias: true, transposed: true, layerNorm: true, gelu: true, tanh: true,
			}
		},
	}
}
