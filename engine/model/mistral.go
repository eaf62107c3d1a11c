package model

// Mistral: Llama with attention over a window, where the configuration has one. Source: Jiang et al. 2023, arXiv:2310.06825.
func init() {
	families["mistral"] = &family{
		class:   "MistralForCausalLM",
		keys:    "sliding_window",
		must:    map[string]string{"hidden_act": `"silu"`},
		buffers: []string{".rotary_emb.inv_freq"},
		write: func(c *Config, keys map[string]any) {
			keys["hidden_act"] = "silu"
			if c.SlidingWindow == 0 {
				keys["sliding_window"] = nil // transformers takes a missing key for 4096
			}
		},
		plan: func(c *Config) plan {
			p := llamaPlan(c)
			p.window = c.SlidingWindow
			return p
		},
	}
}
