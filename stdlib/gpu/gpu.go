// Package gpu is how a script reaches NVIDIA cards: what there is, how fast it is, memory, every operation of the engine by
// name, and CUDA kernels of the script's own.
//
//	dev := gpu.Sim() // or gpu.Open() for a card
//	k := dev.Compile(`extern "C" __global__ void twice(float* x, int n) {
//	  int i = blockIdx.x * blockDim.x + threadIdx.x;
//	  if (i < n) x[i] *= 2;
//	}`)
//	x := dev.Floats([]float32{1, 2, 3})
//	k.Launch(1, 32, x, 3)
//	x.Floats() // [2 4 6]
//
// A simulated card needs no GPU. It runs the kernel's PTX in Go, some thousand times slower, and stops at the first
// access outside a buffer, read of what was never written, race between threads or blocks, or barrier that not all
// threads reach, with the line of the source. Compiling needs NVIDIA's compiler library, which
// "pip install nvidia-cuda-nvrtc-cu12" brings (tunebook doctor says where it is looked for); PTX needs none.
package gpu

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/backend/cuda"
	"tunebook/engine/backend/cuda/nvrtc"
	"tunebook/engine/backend/cuda/sim"
	"tunebook/engine/tensor"
	"tunebook/stdlib/stop"
)

// Card describes a GPU: Name, Major and Minor (compute capability), Bytes (of memory), Processors, Driver, clocks. Limits are what it
// can do at most.
type (
	Card   = cuda.Card
	Limits = cuda.Limits
)

// Devices lists the cards; it is empty where there is none, or none that the driver reaches.
func Devices() []Card {
	all, err := cuda.Cards()
	if err != nil {
		return nil
	}
	return all
}

// Device is one card, or a simulated one.
type Device struct{ b *cuda.Backend }

// Open returns a card: the first as the device "cuda", or as "cuda-bf16", whose large products and attention round their operands
// to bf16; the second as "cuda:1" or "cuda-bf16:1", and so on.
func Open(device ...string) *Device {
	name := "cuda"
	if len(device) > 0 {
		name = device[0]
	}
	if kind := backend.Kind(name); len(device) > 1 || kind != "cuda" && kind != "cuda-bf16" {
		stop.Now("gpu.Open", fmt.Sprintf("devices %q; wanted one, \"cuda\", \"cuda-bf16\" or such as \"cuda:1\"", device), "")
	}
	b, err := backend.Open(name)
	if err != nil {
		panic(&stop.Error{Op: "gpu.Open", Msg: err.Error(), Err: err, Hint: "gpu.Sim() simulates a card; tunebook doctor says what was found"})
	}
	return &Device{b.(*cuda.Backend)}
}

// Sim returns a simulated card with memory of its own.
func Sim() *Device {
	b, err := cuda.NewSim()
	stop.If("gpu.Sim", err)
	return &Device{b}
}

// String names the card.
func (d *Device) String() string { return d.b.Name() + ": " + d.b.Info() }

// Buffer is numbers on a device.
type Buffer struct {
	d *Device
	x backend.Buffer
}

// Floats copies x to the device as 32-bit floats.
func (d *Device) Floats(x []float32) *Buffer {
	b := d.b.AllocUninit(tensor.F32, len(x))
	d.b.Upload(b, x)
	d.sync("Floats")
	return &Buffer{d, b}
}

// Ints copies x to the device as 32-bit integers.
func (d *Device) Ints(x []int32) *Buffer {
	b := d.b.AllocUninit(tensor.I32, len(x))
	d.b.UploadInts(b, x)
	d.sync("Ints")
	return &Buffer{d, b}
}

// Empty returns n floats that hold nothing: reading one before it is written is a fault on a simulated card.
func (d *Device) Empty(n int) *Buffer {
	if n < 0 {
		stop.Now("gpu.Empty", fmt.Sprintf("%d elements; wanted 0 or more", n), "")
	}
	b := d.b.AllocUninit(tensor.F32, n)
	d.sync("Empty")
	return &Buffer{d, b}
}

// sync waits for the device and stops the cell at its failure.
func (d *Device) sync(op string) {
	stop.If("gpu."+op, d.b.Sync())
}

// Len returns the number of elements.
func (b *Buffer) Len() int { return b.x.Len() }

// Floats copies the numbers back; integers are converted.
func (b *Buffer) Floats() []float32 {
	if b.x.DType() == tensor.I32 {
		ints := b.Ints()
		x := make([]float32, len(ints))
		for i, v := range ints {
			x[i] = float32(v)
		}
		return x
	}
	x := make([]float32, b.x.Len())
	stop.If("gpu.Floats", b.d.b.Download(x, b.x))
	return x
}

// Ints copies integers back.
func (b *Buffer) Ints() []int32 {
	if b.x.DType() != tensor.I32 {
		stop.Now("gpu.Ints", "the buffer holds floats", "Floats copies them back")
	}
	x := make([]int32, b.x.Len())
	stop.If("gpu.Ints", b.d.b.DownloadInts(x, b.x))
	return x
}

// Free gives the memory back before the device is done with. Using the buffer afterwards stops the cell.
func (b *Buffer) Free() { b.d.b.Free(b.x) }

// String shows the first numbers.
func (b *Buffer) String() string {
	x := b.Floats()
	if len(x) > 8 {
		return fmt.Sprintf("%d elements on %s: %v …", len(x), b.d.b.Name(), x[:8])
	}
	return fmt.Sprintf("%d elements on %s: %v", len(x), b.d.b.Name(), x)
}

// Kernel is one compiled kernel.
type Kernel struct {
	Name   string // as in the source
	Shared int    // bytes of extern __shared__ memory of a block

	d      *Device
	p      *cuda.Program
	symbol string
	source string
}

const sourceName = "kernel.cu"

// Compile compiles CUDA C++, or takes PTX, and returns its kernel. Where the source holds several, name says which. Mistakes
// stop the cell with their lines.
func (d *Device) Compile(source string, name ...string) *Kernel {
	const op = "gpu.Compile"
	p, err := d.b.Compile(sourceName, source)
	if err != nil {
		e := &stop.Error{Op: op, Msg: err.Error(), Err: err}
		var wrong *nvrtc.CompileError
		if errors.As(err, &wrong) && len(wrong.Problems) > 0 {
			e.Hint = quote(source, wrong.Problems[0].Line)
		}
		panic(e)
	}
	all := p.Kernels()
	var names []string
	for _, s := range all {
		names = append(names, demangled(s))
	}
	if len(name) > 1 || len(name) == 0 && len(all) > 1 {
		stop.Now(op, fmt.Sprintf("%d names given for a source with the kernels %s; wanted one", len(name), strings.Join(names, ", ")), "")
	}
	for i, s := range all {
		if len(name) == 0 || name[0] == s || name[0] == names[i] {
			return &Kernel{Name: names[i], d: d, p: p, symbol: s, source: source}
		}
	}
	stop.Now(op, fmt.Sprintf("no kernel %s; the source has %s", name[0], strings.Join(names, ", ")), "")
	return nil
}

// demangled returns the function's name out of a C++ symbol: "_Z5twicePfi" is twice.
func demangled(s string) string {
	rest, ok := strings.CutPrefix(s, "_Z")
	n := 0
	for ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		n, rest = 10*n+int(rest[0]-'0'), rest[1:]
	}
	if n == 0 || n > len(rest) {
		return s
	}
	return rest[:n]
}

// quote is a line of a source, for a hint.
func quote(source string, line int) string {
	lines := strings.Split(source, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return fmt.Sprintf("line %d: %s", line, strings.TrimSpace(lines[line-1]))
}

// Launch runs the kernel on grid blocks of block threads and waits for it. Arguments are buffers for pointers and numbers
// for numbers; their count and kinds are checked. What a simulated card finds stops the cell with the line.
func (k *Kernel) Launch(grid, block int, args ...any) {
	k.Launch3([3]int{grid, 1, 1}, [3]int{block, 1, 1}, args...)
}

// Launch3 is Launch with grids and blocks of three dimensions.
func (k *Kernel) Launch3(grid, block [3]int, args ...any) {
	const op = "gpu.Launch"
	params := k.p.Params(k.symbol)
	if len(args) != len(params) {
		stop.Now(op, fmt.Sprintf("%s takes %d arguments; %d given", k.Name, len(params), len(args)), "")
	}
	var bits []uint64
	for i, a := range args {
		b, err := k.argument(params[i], a)
		if err != nil {
			panic(&stop.Error{Op: op, Msg: fmt.Sprintf("%s: argument %d: %v", k.Name, i+1, err), Err: err})
		}
		bits = append(bits, b)
	}
	if err := k.p.Launch(k.symbol, grid, block, k.Shared, bits); err != nil {
		e := &stop.Error{Op: op, Msg: err.Error(), Err: err}
		var f *sim.Fault
		if errors.As(err, &f) {
			e.Hint = quote(k.source, f.Line)
			if cuda.IsPTX(k.source) {
				e.Hint = quote(k.source, f.PTXLine)
			}
		}
		panic(e)
	}
}

// argument returns the bits of one argument.
func (k *Kernel) argument(p sim.Param, a any) (uint64, error) {
	if b, ok := a.(*Buffer); ok {
		switch {
		case b.d.b != k.d.b:
			return 0, errors.New("a buffer of another device")
		case p.Bytes != 8 || p.Float:
			return 0, fmt.Errorf("a buffer; the kernel takes a number of %d bytes", p.Bytes)
		}
		return k.d.b.Address(b.x), nil
	}
	v := reflect.ValueOf(a)
	switch {
	case p.Float && p.Bytes == 4 && v.CanFloat():
		return uint64(math.Float32bits(float32(v.Float()))), nil
	case p.Float && p.Bytes == 4 && v.CanInt():
		return uint64(math.Float32bits(float32(v.Int()))), nil
	case p.Float && p.Bytes == 8 && v.CanFloat():
		return math.Float64bits(v.Float()), nil
	case p.Float && p.Bytes == 8 && v.CanInt():
		return math.Float64bits(float64(v.Int())), nil
	case p.Float || !v.CanInt():
		return 0, fmt.Errorf("a %T; the kernel takes %s", a, kind(p))
	case p.Bytes > 8:
		return 0, fmt.Errorf("a struct of %d bytes cannot be passed; pass its fields", p.Bytes)
	}
	if n := v.Int(); p.Bytes < 8 && (n < -1<<(8*p.Bytes-1) || n >= 1<<(8*p.Bytes)) {
		return 0, fmt.Errorf("%d does not fit into %d bytes", n, p.Bytes)
	}
	return uint64(v.Int()), nil
}

// kind says what a parameter is.
func kind(p sim.Param) string {
	switch {
	case p.Float:
		return fmt.Sprintf("a float of %d bytes", p.Bytes)
	case p.Bytes == 8:
		return "a buffer, or an integer of 8 bytes"
	}
	return fmt.Sprintf("an integer of %d bytes", p.Bytes)
}

// Documents are the ranges of rows that the documents of a packed batch lie in; Segment is one of them. Draw says how the operation
// Sample takes an index from a row.
type (
	Documents = backend.Segments
	Segment   = backend.Segment
	Draw      = backend.Draw
)

// Segments are documents of these lengths, one behind the other, for the attention operations.
func Segments(lengths ...int) *Documents {
	s := &Documents{}
	at := 0
	for _, n := range lengths {
		s.List = append(s.List, backend.Segment{QStart: at, QLen: n, KStart: at, KLen: n})
		at += n
	}
	return s
}

// Update is a tensor of "AdamW": its values, their gradient and the two moments in float32. Rate multiplies the step's LR.
type Update struct {
	P, G, M, V        *Buffer
	Rate, WeightDecay float64
}

// AdamWStep are the numbers of a step of "AdamW" that all its tensors share. GradScale is 1 for gradients as they are; Step counts
// from 1.
type AdamWStep struct {
	LR, Beta1, Beta2, Eps float64
	GradScale             float64
	Step                  int
}

// Call runs an operation of the engine by its name, as package backend documents it, and waits for it: buffers, nil, numbers
// and Segments in the operation's order. "SumSquares" takes a []*Buffer, "AdamW" a []Update and an AdamWStep. "MatMul" takes its three buffers, m, n, k, "NT", "NN" or "TN", alpha and beta.
func (d *Device) Call(op string, args ...any) {
	ops := reflect.TypeFor[backend.Ops]()
	m, ok := ops.MethodByName(op)
	if !ok {
		var names []string
		for i := range ops.NumMethod() {
			names = append(names, ops.Method(i).Name)
		}
		stop.Now("gpu.Call", fmt.Sprintf("no operation %q", op), "there are "+strings.Join(names, ", "))
	}
	if n := m.Type.NumIn(); n != len(args) {
		stop.Now("gpu.Call", fmt.Sprintf("%s takes %d arguments; %d given", op, n, len(args)), "")
	}
	var in []reflect.Value
	for i, a := range args {
		want := m.Type.In(i)
		v, err := d.operand(a, want)
		if err != nil {
			panic(&stop.Error{Op: "gpu.Call", Msg: fmt.Sprintf("%s: argument %d: %v", op, i+1, err), Err: err})
		}
		in = append(in, v)
	}
	defer func() {
		if r := recover(); r != nil {
			if s, ok := r.(string); ok { // the engine's word on a wrong shape
				stop.Now("gpu.Call", s, "")
			}
			panic(r)
		}
	}()
	reflect.ValueOf(d.b).MethodByName(op).Call(in)
	d.sync("Call")
}

var matOps = map[string]backend.MatOp{"NT": backend.NT, "NN": backend.NN, "TN": backend.TN}

// operand turns a script's value into an operation's parameter.
func (d *Device) operand(a any, want reflect.Type) (reflect.Value, error) {
	if a == nil && want.Kind() == reflect.Interface {
		return reflect.Zero(want), nil
	}
	if b, ok := a.(*Buffer); ok && want.Kind() == reflect.Interface {
		if b.d.b != d.b {
			return reflect.Value{}, errors.New("a buffer of another device")
		}
		return reflect.ValueOf(b.x), nil
	}
	switch list := a.(type) {
	case []*Buffer:
		var bs []backend.Buffer
		for _, b := range list {
			v, err := d.operand(b, reflect.TypeFor[backend.Buffer]())
			if err != nil {
				return v, err
			}
			bs = append(bs, b.x)
		}
		a = bs
	case AdamWStep:
		a = backend.AdamWStep(list)
	case []Update:
		var ts []backend.AdamWTensor
		for i, u := range list {
			for _, b := range []*Buffer{u.P, u.G, u.M, u.V} {
				if b == nil {
					return reflect.Value{}, fmt.Errorf("tensor %d has no P, G, M or V", i)
				}
				if _, err := d.operand(b, reflect.TypeFor[backend.Buffer]()); err != nil {
					return reflect.Value{}, err
				}
			}
			ts = append(ts, backend.AdamWTensor{P: u.P.x, G: u.G.x, Moments: backend.Moments{M: u.M.x, V: u.V.x}, Rate: u.Rate, WeightDecay: u.WeightDecay})
		}
		a = ts
	}
	if s, ok := a.(string); ok && want == reflect.TypeFor[backend.MatOp]() {
		o, known := matOps[s]
		if !known {
			return reflect.Value{}, fmt.Errorf("%q; wanted NT, NN or TN", s)
		}
		return reflect.ValueOf(o), nil
	}
	v := reflect.ValueOf(a)
	number := func(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Float64 }
	if v.IsValid() && (v.Type().AssignableTo(want) || number(v.Kind()) && number(want.Kind())) {
		return v.Convert(want), nil
	}
	return reflect.Value{}, fmt.Errorf("a %T; wanted %s", a, want)
}
