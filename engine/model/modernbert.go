package model

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ModernBERT, as an encoder: RoPE, GeGLU, LayerNorm without biases, and layers of which every third sees the whole text and
// the others a window. Of a file the encoder alone is read; heads for other tasks are passed over.
// Source: Warner et al. 2024, arXiv:2412.13663.
func init() {
	families["modernbert"] = &family{
		class:  "ModernBertModel",
		keys:   "attention_bias mlp_bias norm_bias global_attn_every_n_layers local_attention local_rope_theta",
		rename: map[string]string{"norm_eps": "rms_norm_eps", "global_rope_theta": "rope_theta"},
		must:   map[string]string{"hidden_activation": `"gelu"`, "position_embedding_type": `"absolute"|"rope"|null`},
		defaults: func(c *Config) {
			c.TieWordEmbeddings, c.RMSNormEps, c.RopeTheta = true, 1e-5, 160000
			c.GlobalAttnEveryNLayers, c.LocalAttention, c.LocalRopeTheta = 3, 128, 10000
		},
		read: func(c *Config, keys map[string]json.RawMessage) error {
			if err := modernRope(c, keys); err != nil {
				return err
			}
			passOver(keys, "embedding_dropout", "mlp_dropout", "initializer_cutoff_factor", "decoder_bias", "classifier_pooling", "classifier_dropout",
				"classifier_bias", "classifier_activation", "deterministic_flash_attn", "sparse_prediction", "sparse_pred_ignore_index",
				"reference_compile", "repad_logits_with_grad", "cls_token_id", "sep_token_id", "gradient_checkpointing", "layer_norm_eps",
				"id2label", "label2id", "problem_type", "num_labels")
			return nil
		},
		write: func(c *Config, keys map[string]any) {
			keys["hidden_activation"] = "gelu"
			keys["rope_parameters"] = map[string]any{ // the newer form of the two thetas
				"full_attention":    map[string]any{"rope_type": "default", "rope_theta": c.RopeTheta},
				"sliding_attention": map[string]any{"rope_type": "default", "rope_theta": c.LocalRopeTheta},
			}
			for _, k := range []string{"num_key_value_heads", "head_dim"} {
				delete(keys, k)
			}
			for _, k := range []string{"pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"} {
				keys[k] = nil // transformers takes a missing one for an id of the published vocabulary
			}
		},
		stored: func(name string) string {
			name = strings.TrimPrefix(name, "model.")
			if heads(name, "head.", "decoder.", "classifier.") {
				return ""
			}
			return name
		},
		check: func(c *Config) error {
			switch {
			case c.GlobalAttnEveryNLayers <= 0:
				return fmt.Errorf("model.Config: global_attn_every_n_layers: is %d; wanted at least 1", c.GlobalAttnEveryNLayers)
			case c.LocalAttention <= 0:
				return fmt.Errorf("model.Config: local_attention: is %d; wanted at least 1", c.LocalAttention)
			case !(c.LocalRopeTheta > 0):
				return fmt.Errorf("model.Config: local_rope_theta: is %g; wanted a positive number", c.LocalRopeTheta)
			}
			return wholeHeads(c)
		},
		plan: func(c *Config) plan {
			return plan{
				encoder: true, layerNorm: true, noNormBias: !c.NormBias, firstPlain: true, fusedGate: true, gelu: true,
				embed: "embeddings.tok_embeddings", embedNorm: "embeddings.norm", final: "final_norm", layer: "layers.%d.",
				attnNorm: "attn_norm", qkv: "attn.Wqkv", o: "attn.Wo", mlpNorm: "mlp_norm", up: "mlp.Wi", down: "mlp.Wo",
				qkvBias: c.AttentionBias, oBias: c.AttentionBias, mlpBias: c.MLPBias, rotary: c.HeadDim,
				globalEvery: c.GlobalAttnEveryNLayers, localWindow: c.LocalAttention/2 + 1, localTheta: c.LocalRopeTheta,
			}
		},
	}
}

// modernRope reads the keys that newer files write: the kind of every layer, and each kind's angles.
func modernRope(c *Config, keys map[string]json.RawMessage) error {
	if raw, ok := keys["layer_types"]; ok && string(raw) != "null" {
		var types []string
		if err := json.Unmarshal(raw, &types); err != nil {
			return fmt.Errorf("model.ParseConfig: layer_types: %w", err)
		}
		every := len(types)
		for l, kind := range types {
			if kind == "full_attention" && l > 0 {
				every = l
				break
			}
		}
		for l, kind := range types {
			want := "sliding_attention"
			if l%max(1, every) == 0 {
				want = "full_attention"
			}
			if kind != want {
				return fmt.Errorf("model.ParseConfig: layer_types: layer %d is %q; layers 0, %d, … full_attention and sliding_attention between them are implemented", l, kind, every)
			}
		}
		if len(types) != c.NumHiddenLayers {
			return fmt.Errorf("model.ParseConfig: layer_types: %d of them; num_hidden_layers is %d", len(types), c.NumHiddenLayers)
		}
		c.GlobalAttnEveryNLayers = every
	}
	delete(keys, "layer_types")
	raw, ok := keys["rope_parameters"]
	if !ok {
		return nil
	}
	var kinds map[string]json.RawMessage
	if err := json.Unmarshal(raw, &kinds); err != nil {
		return fmt.Errorf("model.ParseConfig: rope_parameters: %w", err)
	}
	for kind, theta := range map[string]*float64{"full_attention": &c.RopeTheta, "sliding_attention": &c.LocalRopeTheta} {
		one := Config{RopeTheta: *theta}
		if raw, ok := kinds[kind]; ok {
			if err := parseRope(&one, "rope_parameters."+kind, raw); err != nil {
				return err
			}
		}
		if one.RopeScaling != (RopeScaling{}) || one.PartialRotaryFactor != 0 {
			return fmt.Errorf("model.ParseConfig: rope_parameters.%s: scaled angles are not implemented for modernbert", kind)
		}
		*theta = one.RopeTheta
		delete(kinds, kind)
	}
	for kind := range kinds {
		return fmt.Errorf("model.ParseConfig: rope_parameters.%s: is not implemented for modernbert", kind)
	}
	delete(keys, "rope_parameters")
	return nil
}
