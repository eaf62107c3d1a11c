package model

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// family is what one model_type means: which keys its config.json has, and how its decoder differs from Llama's. Each
// has a file of its own, which puts it into families.
type family struct {
	class string // transformers' class, "architectures" in config.json
	keys  string // the optional keys of Config that the family has, by their JSON names
	// must names keys that have one meaning here: JSON texts, separated by "|". Others are refused by name.
	must map[string]string
	// rename gives the family's own names of Config's keys: "n_embd" is hidden_size.
	rename map[string]string
	// buffers are ends of tensor names that old files hold and that are no parameters.
	buffers []string
	// stored returns our name of a file's tensor, empty for what is no part of the model: an encoder's heads for other tasks.
	stored func(name string) string
	// defaults sets what a key that a file leaves out means, where that is not zero.
	defaults func(c *Config)
	// read sees keys that need more than Config's types; what it understands it deletes from keys.
	read func(c *Config, keys map[string]json.RawMessage) error
	// write adds to a configuration that is saved what read and must want.
	write func(c *Config, keys map[string]any)
	// check returns an error that names the first field that cannot be.
	check func(c *Config) error
	plan  func(c *Config) plan
}

var families = map[string]*family{}

// familyOf returns the family of a model_type.
func familyOf(modelType string) (*family, error) {
	if f, ok := families[modelType]; ok {
		return f, nil
	}
	var names []string
	for n := range families {
		names = append(names, n)
	}
	sort.Strings(names)
	return nil, fmt.Errorf("model.Config: model_type: is %q; wanted one of %s", modelType, strings.Join(names, ", "))
}

// has tells whether the family has an optional key of Config.
func (f *family) has(key string) bool {
	for _, k := range strings.Fields(f.keys) {
		if k == key {
			return true
		}
	}
	return false
}

// plan is a family's decoder, worked out for a configuration: the names of its modules and the operations of its layers.
// The zero value of a field is what Llama does.
type plan struct {
	embed, final, head string // modules of the whole model
	positions          string // learned positions; empty for RoPE
	layer              string // what the names of layer l begin with: "model.layers.%d."
	attnNorm, mlpNorm  string
	q, k, v, o         string
	qkv                string // one module in place of q, k and v
	qNorm, kNorm       string // norms of each head; empty for none
	gate, up, down     string // gate empty: an MLP without one

	qkvBias, oBias, mlpBias bool
	encoder                 bool   // every token sees those behind it too; there is no head
	types                   string // embedding of the kind of segment; empty for none
	embedNorm               string // norm of the embeddings; empty for none
	postNorm                bool   // norms stand behind the sums x + attention and x + MLP, not before attention and MLP
	firstPlain              bool   // layer 0 has no norm before its attention
	noNormBias              bool   // LayerNorm without a bias
	fusedGate               bool   // up holds the gate's rows and then its own
	globalEvery             int    // the other layers have localWindow and localTheta; 0 for none
	localWindow             int
	localTheta              float64
	transposed              bool // the layers' weights lie (in, out)
	byHead                  bool // qkv holds q, k, v of a head side by side, not those of all heads
	layerNorm               bool // in place of RMSNorm; has a bias
	onePlus                 bool // norms multiply by 1 + w
	gelu                    bool // in place of SiLU
	tanh                    bool // the approximation of gelu
	parallel                bool // attention and MLP both read the layer's input
	embedScale              float32
	rotary                  int // elements of a head that RoPE turns
	window                  int // keys that a query sees; 0 for all
}

// llamaPlan has the names that most families took over.
func llamaPlan(c *Config) plan {
	return plan{
		embed: "model.embed_tokens", final: "model.norm", head: "lm_head", layer: "model.layers.%d.",
		attnNorm: "input_layernorm", mlpNorm: "post_attention_layernorm",
		q: "self_attn.q_proj", k: "self_attn.k_proj", v: "self_attn.v_proj", o: "self_attn.o_proj",
		gate: "mlp.gate_proj", up: "mlp.up_proj", down: "mlp.down_proj",
		rotary: c.HeadDim,
	}
}

// residual tells whether a tensor is the weight of a projection that writes to the residual stream.
func (p *plan) residual(name string) bool {
	return strings.HasSuffix(name, "."+p.o+".weight") || strings.HasSuffix(name, "."+p.down+".weight")
}

// linears names the weights of all linear modules of the layers.
func (c *Config) linears() map[string]bool {
	p, names := families[c.ModelType].plan(c), map[string]bool{}
	for l := range c.NumHiddenLayers {
		for _, module := range []string{p.qkv, p.q, p.k, p.v, p.o, p.gate, p.up, p.down} {
			if module != "" {
				names[fmt.Sprintf(p.layer, l)+module+".weight"] = true
			}
		}
	}
	return names
}

type tensorSpec struct {
	name  string
	shape []int
}

// tensors lists every parameter in the order of the forward pass, under its Hugging Face name.
func (c *Config) tensors() []tensorSpec {
	f, err := familyOf(c.ModelType)
	if err != nil {
		return nil
	}
	p := f.plan(c)
	C, F, V := c.HiddenSize, c.IntermediateSize, c.VocabSize
	q, kv := c.NumAttentionHeads*c.HeadDim, c.NumKeyValueHeads*c.HeadDim
	list := []tensorSpec{{p.embed + ".weight", []int{V, C}}}
	if p.positions != "" {
		list = append(list, tensorSpec{p.positions + ".weight", []int{c.MaxPositionEmbeddings, C}})
	}
	norm := func(name string, n int) {
		list = append(list, tensorSpec{name + ".weight", []int{n}})
		if p.layerNorm && !p.noNormBias {
			list = append(list, tensorSpec{name + ".bias", []int{n}})
		}
	}
	linear := func(name string, out, in int, bias bool) {
		shape := []int{out, in}
		if p.transposed {
			shape = []int{in, out}
		}
		list = append(list, tensorSpec{name + ".weight", shape})
		if bias {
			list = append(list, tensorSpec{name + ".bias", []int{out}})
		}
	}
	if p.types != "" {
		list = append(list, tensorSpec{p.types + ".weight", []int{c.TypeVocabSize, C}})
	}
	if p.embedNorm != "" {
		norm(p.embedNorm, C)
	}
	for l := range c.NumHiddenLayers {
		at := fmt.Sprintf(p.layer, l)
		if !p.postNorm && !(p.firstPlain && l == 0) {
			norm(at+p.attnNorm, C)
		}
		if p.qkv != "" {
			linear(at+p.qkv, q+2*kv, C, p.qkvBias)
		} else {
			linear(at+p.q, q, C, p.qkvBias)
			linear(at+p.k, kv, C, p.qkvBias)
			linear(at+p.v, kv, C, p.qkvBias)
		}
		if p.qNorm != "" {
			norm(at+p.qNorm, c.HeadDim)
			norm(at+p.kNorm, c.HeadDim)
		}
		linear(at+p.o, C, q, p.oBias)
		if p.postNorm {
			norm(at+p.attnNorm, C)
		} else {
			norm(at+p.mlpNorm, C)
		}
		if p.gate != "" {
			linear(at+p.gate, F, C, p.mlpBias)
		}
		up := F
		if p.fusedGate {
			up = 2 * F
		}
		linear(at+p.up, up, C, p.mlpBias)
		linear(at+p.down, C, F, p.mlpBias)
		if p.postNorm {
			norm(at+p.mlpNorm, C)
		}
	}
	if p.final != "" {
		norm(p.final, C)
	}
	if !c.TieWordEmbeddings && !p.encoder {
		list = append(list, tensorSpec{p.head + ".weight", []int{V, C}})
	}
	return list
}
