package model

import (
	"encoding/json"
	"fmt"
)

// Qwen2 and 2.5: Llama with biases on q, k and v. Qwen3: without them, but with norms on the heads of q and k.
// Sources: Yang et al. 2024, arXiv:2407.10671; Yang et al. 2025, arXiv:2505.09388.
func init() {
	families["qwen2"] = &family{
		class: "Qwen2ForCausalLM",
		must:  map[string]string{"hidden_act": `"silu"`, "use_sliding_window": "false", "use_mrope": "false"},
		read:  readQwen,
		write: func(_ *Config, keys map[string]any) { keys["hidden_act"] = "silu" },
		plan: func(c *Config) plan {
			p := llamaPlan(c)
			p.qkvBias = true
			return p
		},
	}
	families["qwen3"] = &family{
		class: "Qwen3ForCausalLM",
		keys:  "attention_bias",
		must:  map[string]string{"hidden_act": `"silu"`, "use_sliding_window": "false"},
		read:  readQwen,
		write: func(_ *Config, keys map[string]any) { keys["hidden_act"] = "silu" },
		defaults: func(c *Config) {
			c.HeadDim = 128 // transformers' default does not follow from the hidden size here
		},
		plan: func(c *Config) plan {
			p := llamaPlan(c)
			p.qkvBias, p.oBias = c.AttentionBias, c.AttentionBias
			p.qNorm, p.kNorm = "self_attn.q_norm", "self_attn.k_norm"
			return p
		},
	}
}

// readQwen takes the keys that say which layers have a window. With use_sliding_window false none has one.
func readQwen(_ *Config, keys map[string]json.RawMessage) error {
	if raw, ok := keys["layer_types"]; ok {
		var types []string
		if err := json.Unmarshal(raw, &types); err != nil {
			return fmt.Errorf("model.ParseConfig: layer_types: %w", err)
		}
		for l, t := range types {
			if t != "full_attention" {
				return fmt.Errorf("model.ParseConfig: layer_types: layer %d is %q; only \"full_attention\" is implemented", l, t)
			}
		}
	}
	delete(keys, "layer_types")
	delete(keys, "sliding_window")
	delete(keys, "max_window_layers")
	return nil
}
