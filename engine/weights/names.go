package weights

import "strings"

// ggufNames translates the names of GGUF files of Llama models into Hugging Face's. The first table holds whole names, the
// second what follows "blk.N.", which becomes "model.layers.N.".
//
// Rows are left as the file has them. GGUF files of architecture "llama" hold the rows of attn_q and attn_k permuted, so that
// RoPE turns neighbours: whoever runs them takes backend.Interleaved, while safetensors files of the same model take
// backend.Half.
var ggufNames = map[string]string{
	"token_embd.weight":  "model.embed_tokens.weight",
	"output_norm.weight": "model.norm.weight",
	"output.weight":      "lm_head.weight",
	"rope_freqs.weight":  "rope_freqs.weight", // what scaling divides each angle by
}

var ggufLayerNames = map[string]string{
	"attn_norm.weight":   "input_layernorm.weight",
	"attn_q.weight":      "self_attn.q_proj.weight",
	"attn_k.weight":      "self_attn.k_proj.weight",
	"attn_v.weight":      "self_attn.v_proj.weight",
	"attn_output.weight": "self_attn.o_proj.weight",
	"attn_output.bias":   "self_attn.o_proj.bias",
	"ffn_gate.bias":      "mlp.gate_proj.bias",
	"ffn_up.bias":        "mlp.up_proj.bias",
	"ffn_down.bias":      "mlp.down_proj.bias",
	"attn_q.bias":        "self_attn.q_proj.bias",
	"attn_k.bias":        "self_attn.k_proj.bias",
	"attn_v.bias":        "self_attn.v_proj.bias",
	"attn_q_norm.weight": "self_attn.q_norm.weight",
	"attn_k_norm.weight": "self_attn.k_norm.weight",
	"ffn_norm.weight":    "post_attention_layernorm.weight",
	"ffn_gate.weight":    "mlp.gate_proj.weight",
	"ffn_up.weight":      "mlp.up_proj.weight",
	"ffn_down.weight":    "mlp.down_proj.weight",
}

// hfName returns the Hugging Face name of a GGUF tensor; a name that no table has stays as it is.
func hfName(stored string) string {
	if name, ok := ggufNames[stored]; ok {
		return name
	}
	if rest, ok := strings.CutPrefix(stored, "blk."); ok {
		if layer, part, ok := strings.Cut(rest, "."); ok {
			if name, ok := ggufLayerNames[part]; ok {
				return "model.layers." + layer + "." + name
			}
		}
	}
	return stored
}
