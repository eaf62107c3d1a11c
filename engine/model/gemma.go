package model

import (
	"encoding/json"
	"fmt"
	"math"
)

// Gemma 1: norms multiply by 1 + w, embeddings grow by sqrt(C), the gate is GELU's approximation. Gemma 2 and 3, with
// soft caps and further norms, say another model_type and are refused. Source: Gemma team 2024, arXiv:2403.08295.
func init() {
	families["gemma"] = &family{
		class:    "GemmaForCausalLM",
		keys:     "attention_bias",
		must:     map[string]string{"use_bidirectional_attention": "null|false"},
		defaults: func(c *Config) { c.TieWordEmbeddings, c.HeadDim = true, 256 },
		read: func(_ *Config, keys map[string]json.RawMessage) error {
			// Early files say hidden_act "gelu" with no hidden_activation; transformers runs the approximation for both.
			for _, k := range []string{"hidden_activation", "hidden_act"} {
				switch got := string(keys[k]); got {
				case "", "null", `"gelu_pytorch_tanh"`:
				case `"gelu"`:
					if k == "hidden_activation" {
						return fmt.Errorf("model.ParseConfig: hidden_activation: is \"gelu\"; only \"gelu_pytorch_tanh\" is implemented for gemma")
					}
				default:
					return fmt.Errorf("model.ParseConfig: %s: is %s; only \"gelu_pytorch_tanh\" is implemented for gemma", k, got)
				}
				delete(keys, k)
			}
			return nil
		},
		write: func(_ *Config, keys map[string]any) {
			keys["hidden_act"], keys["hidden_activation"] = "gelu_pytorch_tanh", "gelu_pytorch_tanh"
		},
		plan: func(c *Config) plan {
			p := llamaPlan(c)
			p.qkvBias, p.oBias = c.AttentionBias, c.AttentionBias
			p.onePlus, p.gelu, p.tanh = true, true, true
			p.embedScale = float32(math.Sqrt(float64(c.HiddenSize)))
			return p
		},
	}
}
