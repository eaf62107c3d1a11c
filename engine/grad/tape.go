// Package grad is reverse-mode differentiation over the coarse operations of a backend: a model's forward pass is
// written once, in calls on a Tape, and the tape knows the way back.
//
// Values are matrices (rows, columns) on one device. A Tape that records keeps what the backward pass needs and gives
// memory back as Backward walks; one that does not record is for evaluation and generation, where Release gives an
// activation back as soon as the model has no more use for it.
package grad

import (
	"fmt"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// Param is a named tensor that outlives tapes. A frozen one is not Trained and has no Grad.
type Param struct {
	Name    string // as in safetensors: "model.layers.0.self_attn.q_proj.weight"
	Shape   []int
	Value   backend.Buffer // nil where Packed holds the numbers
	Packed  *backend.Packed
	Trained bool           // whether a gradient is wanted
	Grad    backend.Buffer // same length as Value; backward adds to it, and makes a trained parameter's at its first need. A packed parameter has none
}

// Decays tells whether weight decay goes to the parameter, as in transformers' Trainer: to matrices and to DoRA's magnitudes,
// not to biases and norms.
func (p *Param) Decays() bool {
	return len(p.Shape) > 1 || strings.HasSuffix(p.Name, ".lora_magnitude_vector")
}

// wantsGrad tells whether backward makes or adds to its gradient.
func (p *Param) wantsGrad() bool { return p.Trained || p.Grad != nil }

// Len returns the number of elements.
func (p *Param) Len() int { return tensor.Size(p.Shape...) }

// Var is a matrix on the tape.
type Var struct {
	Value      backend.Buffer
	Rows, Cols int

	packed *backend.Packed // a parameter's numbers where Value is nil

	grad  backend.Buffer // nil until a consumer's backward has written it, or a parameter's
	needs bool           // whether anything upstream wants a gradient
	param bool           // memory is not the tape's
	of    *Param         // the parameter whose gradient grad is; nil for others

	spare bool                   // the operation that made it does not read its value on the way back
	again func(d backend.Buffer) // writes the value a second time; nil where that costs too much
}

// Tape records operations. It is used by one goroutine.
type Tape struct {
	Keeps bool // Forget keeps what could be made again

	dev    backend.Backend
	record bool
	back   []func()
	acts   []*Var // activations in order of making; nil once given back
	bufs   []backend.Buffer
	lists  []*backend.Segments
	vars   map[*Param]*Var
	err    error // the first failure of the device in an operation on the host
}

// New returns an empty tape on a device. Without record there is no backward pass.
func New(dev backend.Backend, record bool) *Tape {
	return &Tape{dev: dev, record: record, vars: map[*Param]*Var{}}
}

// Device returns the backend the tape runs on.
func (t *Tape) Device() backend.Backend { return t.dev }

// Param brings a parameter onto the tape as a (rows, cols) matrix: (1, n) for a vector.
func (t *Tape) Param(p *Param) *Var {
	if v, ok := t.vars[p]; ok {
		return v
	}
	trained := p.wantsGrad()
	want("Param", p.Packed == nil || !trained, "%s is packed and has a gradient; packed weights are frozen", p.Name)
	v := &Var{Value: p.Value, packed: p.Packed, Rows: 1, Cols: p.Shape[len(p.Shape)-1], needs: t.record && trained, param: true, of: p}
	if len(p.Shape) == 2 {
		v.Rows = p.Shape[0]
	}
	t.vars[p] = v
	return v
}

// Constant brings numbers that nothing trains onto the tape as a (rows, cols) matrix.
func (t *Tape) Constant(rows, cols int, x []float32) *Var {
	want("Constant", len(x) == rows*cols, "%d numbers; (%d, %d) has %d", len(x), rows, cols, rows*cols)
	return &Var{Value: t.Floats(x), Rows: rows, Cols: cols, param: true}
}

// Floats puts float32 data on the device for the life of the tape.
func (t *Tape) Floats(x []float32) backend.Buffer {
	b := t.dev.AllocUninit(tensor.F32, len(x))
	t.dev.Upload(b, x)
	t.bufs = append(t.bufs, b)
	return b
}

// Ints puts int32 data (ids, positions, rows, targets) on the device for the life of the tape.
func (t *Tape) Ints(x []int32) backend.Buffer {
	b := t.dev.AllocUninit(tensor.I32, len(x))
	t.dev.UploadInts(b, x)
	t.bufs = append(t.bufs, b)
	return b
}

// Segments has Free give back what the device keeps of a list of documents.
func (t *Tape) Segments(s *backend.Segments) *backend.Segments {
	t.lists = append(t.lists, s)
	return s
}

// scratch returns memory that lives as long as the tape.
func (t *Tape) scratch(n int) backend.Buffer {
	b := t.dev.AllocUninit(tensor.F32, n)
	t.bufs = append(t.bufs, b)
	return b
}

// activation makes an output that needs a gradient when one of its inputs does.
func (t *Tape) activation(rows, cols int, from ...*Var) *Var {
	v := &Var{Value: t.dev.AllocUninit(tensor.F32, rows*cols), Rows: rows, Cols: cols}
	for _, f := range from {
		if f != nil && f.needs {
			v.needs = true
		}
	}
	t.acts = append(t.acts, v)
	return v
}

// Release says that the model is done with v. A tape that does not record gives its memory back at once; one that
// records keeps it for the backward pass.
func (t *Tape) Release(vs ...*Var) {
	if t.record {
		return
	}
	for _, v := range vs {
		t.drop(v)
	}
}

// Forget is Release for what linear layers alone have read. A tape that records gives the memory of a norm's or SwiGLU's
// output back, too, unless it Keeps them, and makes it again, to the same bits, when such a layer's backward step wants it.
func (t *Tape) Forget(v *Var) {
	if !t.record {
		t.drop(v)
	} else if !t.Keeps && v.again != nil && v.Value != nil {
		t.dev.Free(v.Value)
		v.Value = nil
	}
}

// value returns the numbers of a linear layer's input on the way back.
func (t *Tape) value(v *Var) backend.Buffer {
	if v.Value == nil && v.again != nil {
		v.Value = t.dev.AllocUninit(tensor.F32, v.Rows*v.Cols)
		v.again(v.Value)
	}
	return v.Value
}

// sum returns where x + res is to be written: over res where its value has no reader but the caller.
func (t *Tape) sum(x, res *Var) *Var {
	if !res.spare || res == x {
		return t.activation(x.Rows, x.Cols, x, res)
	}
	s := &Var{Value: res.Value, Rows: res.Rows, Cols: res.Cols, needs: x.needs || res.needs}
	res.Value = nil
	t.acts = append(t.acts, s)
	return s
}

func (t *Tape) drop(v *Var) {
	if v.param {
		return
	}
	if v.Value != nil {
		t.dev.Free(v.Value)
	}
	if v.grad != nil {
		t.dev.Free(v.grad)
	}
	v.Value, v.grad = nil, nil
}

// gradient returns v's gradient, made where there is none yet: it is fresh then and holds nothing. v needs one.
func (t *Tape) gradient(v *Var) (d backend.Buffer, fresh bool) {
	if v.grad == nil && v.of != nil {
		v.grad = v.of.Grad
	}
	if v.grad != nil {
		return v.grad, false
	}
	v.grad = t.dev.AllocUninit(tensor.F32, v.Rows*v.Cols)
	if v.of != nil {
		v.of.Grad = v.grad
	}
	return v.grad, true
}

// gradOf returns v's gradient for an operation that adds to it, nil where v needs none.
func (t *Tape) gradOf(v *Var) backend.Buffer {
	if !v.needs {
		return nil
	}
	d, fresh := t.gradient(v)
	if fresh {
		t.dev.Fill(d, 0)
	}
	return d
}

// push records the backward step of an operation whose outputs are outs. When it has run, nothing reads the outputs any
// more and their memory goes back.
func (t *Tape) push(back func(), outs ...*Var) {
	if !t.record {
		return
	}
	needs := false
	for _, o := range outs {
		needs = needs || o.needs
	}
	if !needs {
		return
	}
	t.back = append(t.back, func() {
		for _, o := range outs {
			if o.grad != nil {
				back()
				break
			}
		}
		for _, o := range outs {
			t.drop(o)
		}
	})
}

// into hands f the buffer that v's gradient is to be written to; when v already has one from another consumer, f writes
// beside it and the two are added. f is not called when v needs no gradient.
func (t *Tape) into(v *Var, f func(d backend.Buffer)) {
	if v == nil || !v.needs {
		return
	}
	g, fresh := t.gradient(v)
	if fresh {
		f(g)
		return
	}
	d := t.dev.AllocUninit(tensor.F32, v.Rows*v.Cols)
	f(d)
	t.dev.AddScaled(g, d, 1)
	t.dev.Free(d)
}

// intoEach is into for an operation that writes the gradients of several inputs in one pass: it hands f a buffer for
// each, those of inputs that need none included, and f must not be called when no input needs one.
func (t *Tape) intoEach(vs []*Var, f func(d []backend.Buffer)) {
	d := make([]backend.Buffer, len(vs))
	for i, v := range vs {
		d[i] = t.dev.AllocUninit(tensor.F32, v.Rows*v.Cols)
	}
	f(d)
	for i, v := range vs {
		switch {
		case !v.needs:
			t.dev.Free(d[i])
		case v.grad == nil && v.of == nil:
			v.grad = d[i]
		default:
			if g, fresh := t.gradient(v); fresh {
				t.dev.Copy(g, d[i])
			} else {
				t.dev.AddScaled(g, d[i], 1)
			}
			t.dev.Free(d[i])
		}
	}
}

// product adds a·b to v's gradient, without a buffer beside it.
func (t *Tape) product(v *Var, a, b backend.Buffer, m, n, k int, op backend.MatOp, alpha float32) {
	if v == nil || !v.needs {
		return
	}
	g, beta := t.summand(v)
	t.dev.MatMul(g, a, b, m, n, k, op, alpha, beta)
}

// summand returns v's gradient and the factor of what it holds: 0 where it is new.
func (t *Tape) summand(v *Var) (g backend.Buffer, beta float32) {
	g, fresh := t.gradient(v)
	if fresh {
		return g, 0
	}
	return g, 1
}

// Backward walks the tape from its losses to the parameters and adds to their gradients. A tape can be walked once.
func (t *Tape) Backward() {
	if !t.record {
		panic("grad: Backward on a tape that does not record")
	}
	for i := len(t.back) - 1; i >= 0; i-- {
		t.back[i]()
		t.back[i] = nil
	}
	t.back = nil
}

// Free gives back all memory that the tape still holds. The tape is not used afterwards.
func (t *Tape) Free() {
	for _, v := range t.acts {
		t.drop(v)
	}
	for _, b := range t.bufs {
		t.dev.Free(b)
	}
	for _, s := range t.lists {
		s.Release()
	}
	t.acts, t.bufs, t.lists, t.back, t.vars = nil, nil, nil, nil, nil
}

func want(op string, ok bool, format string, args ...any) {
	if !ok {
		panic("grad." + op + ": " + fmt.Sprintf(format, args...))
	}
}
