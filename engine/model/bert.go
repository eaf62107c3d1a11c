package model

import (
	"encoding/json"
	"fmt"
	"strings"
)

// BERT, MiniLM and what else says model_type "bert", as an encoder: learned positions, norms behind the sums. Of a file the
// encoder alone is read; the pooler and heads for other tasks are passed over. Source: Devlin et al. 2018, arXiv:1810.04805.
func init() {
	families["bert"] = &family{
		class:  "BertModel",
		keys:   "type_vocab_size gelu_tanh",
		rename: map[string]string{"layer_norm_eps": "rms_norm_eps"},
		must: map[string]string{"hidden_act": `"gelu"|"gelu_new"|"gelu_pytorch_tanh"`, "is_decoder": "false", "add_cross_attention": "false",
			"position_embedding_type": `"absolute"`},
		defaults: func(c *Config) { c.TieWordEmbeddings, c.RMSNormEps, c.TypeVocabSize = true, 1e-12, 2 },
		read: func(c *Config, keys map[string]json.RawMessage) error {
			c.GELUTanh = len(keys["hidden_act"]) > 0 && string(keys["hidden_act"]) != `"gelu"`
			passOver(keys, "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "gradient_checkpointing",
				"id2label", "label2id", "problem_type", "num_labels")
			return nil
		},
		write: func(c *Config, keys map[string]any) {
			keys["hidden_act"] = map[bool]string{false: "gelu", true: "gelu_new"}[c.GELUTanh]
			for _, k := range []string{"num_key_value_heads", "head_dim", "rope_theta", "gelu_tanh"} {
				delete(keys, k)
			}
		},
		stored: func(name string) string {
			name = strings.TrimPrefix(name, "bert.")
			if heads(name, "pooler.", "cls.", "classifier.", "qa_outputs.", "embeddings.position_ids") {
				return ""
			}
			// Files that came from TensorFlow name a norm's weight and bias after their letters.
			name = strings.Replace(name, "LayerNorm.gamma", "LayerNorm.weight", 1)
			return strings.Replace(name, "LayerNorm.beta", "LayerNorm.bias", 1)
		},
		check: func(c *Config) error {
			if c.TypeVocabSize <= 0 {
				return fmt.Errorf("model.Config: type_vocab_size: is %d; wanted more than 0", c.TypeVocabSize)
			}
			return wholeHeads(c)
		},
		plan: func(c *Config) plan {
			return plan{
				encoder: true, postNorm: true, layerNorm: true, gelu: true, tanh: c.GELUTanh,
				embed: "embeddings.word_embeddings", positions: "embeddings.position_embeddings", types: "embeddings.token_type_embeddings",
				embedNorm: "embeddings.LayerNorm", layer: "encoder.layer.%d.",
				q: "attention.self.query", k: "attention.self.key", v: "attention.self.value", o: "attention.output.dense",
				attnNorm: "attention.output.LayerNorm", up: "intermediate.dense", down: "output.dense", mlpNorm: "output.LayerNorm",
				qkvBias: true, oBias: true, mlpBias: true,
			}
		},
	}
}

// passOver deletes keys that change nothing in an encoder's forward pass: dropout, and what its heads want.
func passOver(keys map[string]json.RawMessage, names ...string) {
	for _, k := range names {
		delete(keys, k)
	}
}

// heads tells whether a tensor's name begins as those of one of the named modules.
func heads(name string, modules ...string) bool {
	for _, m := range modules {
		if strings.HasPrefix(name, m) {
			return true
		}
	}
	return false
}
