package model

import (
	"fmt"
	"math"
	"runtime"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
	"tunebook/engine/token"
)

// Model is a decoder or an encoder with its weights on a device, its tokenizer and its template.
type Model struct {
	Name      string
	Config    Config
	Tokenizer *token.Tokenizer
	Template  *token.Template
	Adapter   *Adapter // nil without LoRA
	Pooling   Pooling  // of an encoder: how Embed makes one vector of a text

	chat   chatText
	dev    backend.Backend
	params []*grad.Param // in the order of Config.tensors
	byName map[string]*grad.Param
	plan   plan
	layers []layer
	embed  *grad.Param
	wpe    *grad.Param // learned positions; nil with RoPE
	types  *grad.Param // kinds of segment; nil without
	first  module      // norm of the embeddings
	final  module
	freqs  backend.Buffer // nil without RoPE
	local  backend.Buffer // the angles of layers with a window of their own; nil without

	held   []*memory // of the parameters, in their order
	angled *memory   // of freqs and local
}

// chatText is a file's own text of a template that is also a built-in: it goes along when the model is saved.
type chatText struct {
	of    *token.Template
	jinja string
}

// jinja returns the chat template as files hold it: a file's own text, or one that writes what a built-in writes. The model has a
// template and a tokenizer.
func (m *Model) jinja() string {
	if m.chat.of == m.Template && m.chat.jinja != "" {
		return m.chat.jinja
	}
	return m.Template.ChatTemplate(m.Tokenizer)
}

// module is a weight and its bias; w is nil where the family has no such module, b where it has no bias.
type module struct{ w, b *grad.Param }

type layer struct {
	norm1, qkv, q, k, v, qNorm, kNorm, o, norm2, gate, up, down module
}

// New makes a model of random weights: normal with the config's initializer_range, norms that change nothing, biases 0,
// the two projections that write to the residual stream smaller by sqrt(2·L) (Radford et al. 2019, GPT-2). The weights
// depend on seed and tensor names alone.
func New(dev backend.Backend, c Config, seed int64) (*Model, error) {
	c.fill()
	if err := c.Check(); err != nil {
		return nil, err
	}
	p := families[c.ModelType].plan(&c)
	fill := func(name string, shape []int) []float32 {
		x := make([]float32, tensor.Size(shape...))
		if len(shape) == 1 {
			if strings.HasSuffix(name, ".weight") && !p.onePlus {
				for i := range x {
					x[i] = 1
				}
			}
			return x
		}
		std := c.InitializerRange
		if p.residual(name) {
			std /= math.Sqrt(2 * float64(c.NumHiddenLayers))
		}
		r := tensor.NewRNG(seed, "init/"+name)
		for i := range x {
			x[i] = float32(std * r.Norm())
		}
		return x
	}
	all := c.tensors()
	return build(dev, c, ahead(len(all), runtime.GOMAXPROCS(0), func(i int) (numbers, error) {
		return numbers{plain: fill(all[i].name, all[i].shape)}, nil
	}))
}

// numbers are those of a tensor, plain or in the codes and scales of a form of quantisation.
type numbers struct {
	plain  []float32
	codes  []int32
	scales []float32
}

// ahead returns a source for build of n tensors that another source makes, so many of them side by side: the one that goes to the
// device next and those behind it.
func ahead(n, many int, make1 func(i int) (numbers, error)) func(i int) (numbers, error) {
	type result struct {
		x   numbers
		err error
	}
	made := make([]chan result, n)
	start := func(i int) {
		if i < n {
			made[i] = make(chan result, 1)
			go func() {
				x, err := make1(i)
				made[i] <- result{x, err}
			}()
		}
	}
	for i := range many {
		start(i)
	}
	return func(i int) (numbers, error) {
		r := <-made[i]
		made[i] = nil
		if r.err == nil {
			start(i + many)
		}
		return r.x, r.err
	}
}

// Blank returns a model of zeros, for a plan of what a run of it takes: on a device that counts (backend.Plan) nothing of its size
// is made.
func Blank(dev backend.Backend, c Config) (*Model, error) {
	c.fill()
	if err := c.Check(); err != nil {
		return nil, err
	}
	specs := c.tensors()
	var all []float32
	return build(dev, c, func(i int) (numbers, error) {
		n := tensor.Size(specs[i].shape...)
		if _, keeps := dev.(backend.Adopter); keeps {
			return numbers{plain: make([]float32, n)}, nil
		}
		if len(all) < n {
			all = make([]float32, n) // read by no plan: the machine gives no memory for it
		}
		return numbers{plain: all[:n]}, nil
	})
}

// build puts a model on a device from a source of the tensors of its configuration, which is asked for them in their order. With a
// form of quantisation the layers' linear weights come in that form.
func build(dev backend.Backend, c Config, read func(i int) (numbers, error), q ...backend.Quant) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	m := &Model{Config: c, dev: dev, byName: map[string]*grad.Param{}}
	var forms map[string]backend.Quant
	if len(q) > 0 {
		forms = c.forms(q[0])
	}
	for i, s := range c.tensors() {
		x, err := read(i)
		if err != nil {
			return nil, err
		}
		p := &grad.Param{Name: s.name, Shape: s.shape}
		if form, ok := forms[s.name]; ok {
			p.Packed = packedOf(dev, x.codes, x.scales, form)
		} else if want := tensor.Size(s.shape...); len(x.plain) != want {
			return nil, fmt.Errorf("model: tensor %s: %d elements; shape %v has %d", s.name, len(x.plain), s.shape, want)
		} else {
			p.Value = bufferOf(dev, x.plain)
		}
		m.add(p, hold(p))
	}
	m.link()
	return m, dev.Sync()
}

// add takes a parameter into a model that is being made.
func (m *Model) add(p *grad.Param, held *memory) {
	m.params, m.held = append(m.params, p), append(m.held, held)
	m.byName[p.Name] = p
}

// bufferOf puts numbers that nothing else uses on a device, without a copy where they lie in its memory already.
func bufferOf(dev backend.Backend, x []float32) backend.Buffer {
	if a, ok := dev.(backend.Adopter); ok {
		return a.Adopt(x)
	}
	b := dev.AllocUninit(tensor.F32, len(x))
	dev.Upload(b, x)
	return b
}

// link sets the fields that are derived from the parameters.
func (m *Model) link() {
	c := &m.Config
	m.plan = families[c.ModelType].plan(c)
	p := &m.plan
	find := func(name string) module { return module{m.byName[name+".weight"], m.byName[name+".bias"]} }
	m.embed, m.wpe, m.final = find(p.embed).w, find(p.positions).w, find(p.final)
	m.types, m.first = find(p.types).w, find(p.embedNorm)
	m.layers = make([]layer, c.NumHiddenLayers)
	for l := range m.layers {
		at := fmt.Sprintf(p.layer, l)
		m.layers[l] = layer{
			norm1: find(at + p.attnNorm), norm2: find(at + p.mlpNorm),
			qkv: find(at + p.qkv), q: find(at + p.q), k: find(at + p.k), v: find(at + p.v), o: find(at + p.o),
			qNorm: find(at + p.qNorm), kNorm: find(at + p.kNorm),
			gate: find(at + p.gate), up: find(at + p.up), down: find(at + p.down),
		}
	}
	if m.angled == nil {
		m.angled = newMemory()
		if m.wpe == nil {
			m.freqs = m.angles(c.ropeFreqs(c.RopeTheta, p.rotary))
			if p.globalEvery > 0 {
				m.local = m.angles(c.ropeFreqs(p.localTheta, p.rotary))
			}
		}
	}
}

func (m *Model) angles(f []float32) backend.Buffer {
	b := m.dev.AllocUninit(tensor.F32, len(f))
	m.dev.Upload(b, f)
	m.angled.buffers = append(m.angled.buffers, b)
	return b
}

// Device returns the backend that holds the weights.
func (m *Model) Device() backend.Backend { return m.dev }

// Params returns the model's own parameters, adapters not included, in the order of the forward pass.
func (m *Model) Params() []*grad.Param { return m.params }

// Param returns a parameter by its name, nil when there is none.
func (m *Model) Param(name string) *grad.Param { return m.byName[name] }

// Encoder tells whether the model is an encoder, which embeds texts and neither scores nor continues them.
func (m *Model) Encoder() bool { return m.plan.encoder }

// Head returns the output projection: lm_head, or the embedding where the two are tied.
func (m *Model) Head() *grad.Param {
	if m.plan.encoder {
		panic("model: " + m.Config.ModelType + " is an encoder and has no head; Loss and Logits want a decoder")
	}
	if p := m.byName[m.plan.head+".weight"]; p != nil {
		return p
	}
	return m.embed
}

// Input is a packed batch on its way through the model.
type Input struct {
	IDs       []int32           // (T)
	Positions []int32           // (T), from 0 in every segment
	Segments  *backend.Segments // documents of the batch; with a cache, rows of the cache
	Cache     *KVCache          // nil without
	CacheRows []int32           // (T): the row of the cache that each new key and value goes to
	Types     []int32           // (T): the kind of segment, for BERT; nil for 0 everywhere

	Noise     []float32 // (T, C), added to the embeddings; nil for none
	Recompute bool      // a tape that records keeps no activations within layers and makes them again on its way back
}

// Forward returns the hidden states after the last norm, (T, C). This is the model's one forward pass: training runs it
// on a tape that records, evaluation and generation on one that does not.
func (m *Model) Forward(t *grad.Tape, in Input) *grad.Var {
	p := &m.plan
	at := place{pos: t.Ints(in.Positions), segs: t.Segments(in.Segments), cache: in.Cache}
	if in.Cache != nil {
		at.rows = t.Ints(in.CacheRows)
	}
	if p.window > 0 || p.encoder {
		at.segs = t.Segments(&backend.Segments{List: in.Segments.List, Window: p.window, Full: p.encoder})
	}
	if p.globalEvery > 0 {
		at.local = t.Segments(&backend.Segments{List: in.Segments.List, Window: p.localWindow, Full: p.encoder})
	}
	x := t.Embedding(t.Param(m.embed), t.Ints(in.IDs), len(in.IDs))
	if in.Noise != nil {
		e := x
		x = t.Add(e, t.Constant(len(in.IDs), m.Config.HiddenSize, in.Noise))
		t.Release(e)
	}
	var branch *grad.Var // what the layer before adds to the residual stream x
	if m.wpe != nil {
		branch = t.Embedding(t.Param(m.wpe), at.pos, len(in.IDs))
	}
	if p.embedScale != 0 {
		e := x
		x = t.Scale(e, p.embedScale)
		t.Release(e)
	}
	if m.types != nil {
		kinds := in.Types
		if kinds == nil {
			kinds = make([]int32, len(in.IDs))
		}
		e, k := x, t.Embedding(t.Param(m.types), t.Ints(kinds), len(in.IDs))
		x = t.Add(e, k)
		t.Release(e, k)
	}
	if m.first.w != nil {
		x, branch = m.normSum(t, x, branch, m.first), nil
	}
	for l := range m.layers {
		x, branch = m.layer(t, x, branch, l, at, in.Recompute)
	}
	if m.final.w == nil {
		return x
	}
	return m.normSum(t, x, branch, m.final)
}

// normSum returns the norm of x + branch where nothing else reads the sum.
func (m *Model) normSum(t *grad.Tape, x, branch *grad.Var, n module) *grad.Var {
	y, s := m.norm(t, x, branch, n)
	release(t, s, x, branch)
	t.Release(s)
	return y
}

// layer returns the residual stream and what is to be added to it after layer l.
func (m *Model) layer(t *grad.Tape, x, branch *grad.Var, l int, at place, recompute bool) (*grad.Var, *grad.Var) {
	if recompute {
		out := t.Recompute([]*grad.Var{x, branch}, func(t *grad.Tape, in []*grad.Var) []*grad.Var {
			x, branch := m.layer(t, in[0], in[1], l, at, false)
			return []*grad.Var{x, branch}
		})
		return out[0], out[1]
	}
	ly, p := &m.layers[l], &m.plan
	if p.postNorm {
		x = m.normSum(t, x, m.attention(t, x, ly, l, at), ly.norm1)
		return m.normSum(t, x, m.mlp(t, x, ly), ly.norm2), nil
	}
	n, s := x, x
	if ly.norm1.w != nil {
		n, s = m.norm(t, x, branch, ly.norm1)
		release(t, s, x, branch)
	}
	x = s
	a := m.attention(t, n, ly, l, at)
	if n != x {
		t.Forget(n)
	}
	if p.parallel {
		n, _ = m.norm(t, x, nil, ly.norm2)
		h := m.mlp(t, n, ly)
		t.Forget(n)
		branch = t.Add(a, h)
		t.Release(a, h)
		return x, branch
	}
	n, s = m.norm(t, x, a, ly.norm2)
	release(t, s, x, a)
	branch = m.mlp(t, n, ly)
	t.Forget(n)
	return s, branch
}

// place says where the tokens of a forward pass stand.
type place struct {
	pos, rows backend.Buffer // positions, and rows of the cache
	segs      *backend.Segments
	local     *backend.Segments // of the layers with a window of their own
	cache     *KVCache          // nil without
}

// attention returns what the attention of layer l adds to the residual stream; n is its normalised input.
func (m *Model) attention(t *grad.Tape, n *grad.Var, ly *layer, l int, at place) *grad.Var {
	c, p := &m.Config, &m.plan
	H, K, D := c.NumAttentionHeads, c.NumKeyValueHeads, c.HeadDim
	var q, k, v *grad.Var
	if ly.qkv.w != nil {
		all := m.linear(t, n, ly.qkv)
		parts := t.Split(all, splitWidth(p, H, D), thirds(n.Rows, H, p.byHead)...)
		t.Release(all)
		q, k, v = parts[0], parts[1], parts[2]
	} else {
		q, k, v = m.linear(t, n, ly.q), m.linear(t, n, ly.k), m.linear(t, n, ly.v)
	}
	if ly.qNorm.w != nil {
		q0, k0 := q, k
		q, _ = m.norm(t, q0, nil, ly.qNorm)
		k, _ = m.norm(t, k0, nil, ly.kNorm)
		t.Release(q0, k0)
	}
	segs, freqs := at.segs, m.freqs
	if p.globalEvery > 0 && l%p.globalEvery != 0 {
		segs, freqs = at.local, m.local
	}
	if freqs != nil {
		t.RoPEPart(q, at.pos, freqs, H, D, p.rotary, c.Pairing())
		t.RoPEPart(k, at.pos, freqs, K, D, p.rotary, c.Pairing())
	}
	var o *grad.Var
	if at.cache != nil {
		kc, vc := at.cache.store(l, k, v, at.rows, n.Rows)
		o = t.AttentionOver(q, kc, vc, segs, H, K, D)
	} else {
		o = t.Attention(q, k, v, segs, H, K, D)
	}
	t.Release(q, k, v)
	a := m.linear(t, o, ly.o)
	t.Release(o)
	return a
}

// splitWidth and thirds cut the output of one module into q, k and v: each token's row holds either all of q, of k and of v
// (3 rows of C elements), or q, k and v of one head after the other (3·H rows of D).
func splitWidth(p *plan, heads, d int) int {
	if p.byHead {
		return d
	}
	return heads * d
}

func thirds(tokens, heads int, byHead bool) [][]int32 {
	n := tokens
	if byHead {
		n *= heads
	}
	parts := make([][]int32, 3)
	for i := range parts {
		parts[i] = make([]int32, n)
		for j := range parts[i] {
			parts[i][j] = int32(3*j + i)
		}
	}
	return parts
}

// mlp returns what a layer's feed-forward part adds to the residual stream; n is its normalised input.
func (m *Model) mlp(t *grad.Tape, n *grad.Var, ly *layer) *grad.Var {
	var gate, h *grad.Var
	if ly.gate.w != nil {
		gate = m.linear(t, n, ly.gate)
	}
	up := m.linear(t, n, ly.up)
	if m.plan.fusedGate {
		all := up
		rows := make([][]int32, 2)
		for i := range int32(2 * n.Rows) {
			rows[i%2] = append(rows[i%2], i)
		}
		parts := t.Split(all, m.Config.IntermediateSize, rows...)
		t.Release(all)
		gate, up = parts[0], parts[1]
	}
	switch {
	case gate == nil:
		h = t.GeGLU(up, nil, m.plan.tanh)
	case m.plan.gelu:
		h = t.GeGLU(gate, up, m.plan.tanh)
	default:
		h = t.SwiGLU(gate, up)
	}
	t.Release(up)
	if gate != nil {
		t.Release(gate)
	}
	out := m.linear(t, h, ly.down)
	t.Forget(h)
	return out
}

// norm returns the family's norm of x + branch, and the sum.
func (m *Model) norm(t *grad.Tape, x, branch *grad.Var, n module) (y, s *grad.Var) {
	w, eps := t.Param(n.w), float32(m.Config.RMSNormEps)
	if m.plan.layerNorm {
		if n.b == nil {
			return t.LayerNorm(x, branch, w, t.Constant(1, w.Cols, make([]float32, w.Cols)), eps)
		}
		return t.LayerNorm(x, branch, w, t.Param(n.b), eps)
	}
	if m.plan.onePlus {
		w = t.OnePlus(w)
	}
	return t.RMSNorm(x, branch, w, eps)
}

// release gives back the two terms of a sum, unless one of them is the sum itself (RMSNorm without a residual).
func release(t *grad.Tape, sum, a, b *grad.Var) {
	if a != sum {
		t.Release(a)
	}
	if b != nil {
		t.Release(b)
	}
}

func (m *Model) linear(t *grad.Tape, x *grad.Var, l module) *grad.Var {
	var y *grad.Var
	if m.plan.transposed {
		y = t.LinearT(x, t.Param(l.w), m.Adapter.on(t, l.w))
	} else {
		y = t.Linear(x, t.Param(l.w), m.Adapter.on(t, l.w))
	}
	if l.b != nil {
		t.AddBias(y, t.Param(l.b))
	}
	return y
}

// Loss returns the negative log-likelihood of every supervised position of a packed batch, in order, and on a tape that
// records makes Backward add the gradient of scale·Σ weight·nll.
//
// targets (T) holds the next token of each position, or backend.IgnoreIndex; weights is nil or holds (T) shares.
// Only supervised positions pass through the head.
func (m *Model) Loss(t *grad.Tape, in Input, targets []int32, weights []float32, scale float32) (nll backend.Buffer, n int) {
	h := m.Forward(t, in)
	rows, tg := make([]int32, 0, len(targets)), make([]int32, 0, len(targets))
	var w []float32
	for i, id := range targets {
		if id != backend.IgnoreIndex {
			rows, tg = append(rows, int32(i)), append(tg, id)
			if weights != nil {
				w = append(w, weights[i])
			}
		}
	}
	if len(rows) == 0 {
		return nil, 0
	}
	if len(rows) < h.Rows {
		g := t.Gather(h, t.Ints(rows), len(rows))
		t.Release(h)
		h = g
	}
	var wb backend.Buffer
	if weights != nil {
		wb = t.Floats(w)
	}
	return t.LinearCrossEntropy(h, t.Param(m.Head()), t.Ints(tg), wb, scale), len(rows)
}

// Logits returns the logits of the named rows of a packed batch, (len(rows), V), in memory of the tape.
func (m *Model) Logits(t *grad.Tape, in Input, rows []int32) *grad.Var {
	h := m.Forward(t, in)
	g := t.Gather(h, t.Ints(rows), len(rows))
	t.Release(h)
	return t.Linear(g, t.Param(m.Head()), nil)
}
