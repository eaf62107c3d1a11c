package model

// Llama 1, 2 and 3, SmolLM2 and what else says model_type "llama". Source: Touvron et al. 2023, arXiv:2302.13971.
func init() {
	families["llama"] = &family{
		class:   "LlamaForCausalLM",
		keys:    "attention_bias mlp_bias rope_interleaved",
		must:    map[string]string{"hidden_act": `"silu"`},
		buffers: []string{".rotary_emb.inv_freq"},
		write:   func(_ *Config, keys map[string]any) { keys["hidden_act"] = "silu" },
		plan: func(c *Config) plan {
			p := llamaPlan(c)
			p.qkvBias, p.oBias, p.mlpBias = c.AttentionBias, c.AttentionBias, c.MLPBias
			return p
		},
	}
}
