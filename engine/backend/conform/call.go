package conform

import (
	"math"
	"runtime"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
	"tunebook/engine/weights"
)

// role is what a call may do to an operand.
type role uint8

const (
	in    role = iota // only read: unchanged afterwards
	out               // written: its old content is a NaN that the call must not read
	inout             // read and written
)

// operand is one buffer of a call, or nil where absent.
type operand struct {
	name   string
	role   role
	f      []float32 // the content before the call
	i      []int32   // the same of an I32 buffer
	absent bool
	same   string                 // the operand whose buffer this one is given too
	loose  bool                   // its length does not follow from the dimensions (a table, all rows)
	order  func(word int32) []int // of codes that are rounded numbers: their places among all, to compare them by; nil for exact ones
}

func (o *operand) dtype() tensor.DType {
	if o.i != nil {
		return tensor.I32
	}
	return tensor.F32
}

func (o *operand) len() int { return len(o.f) + len(o.i) }

func input(name string, f []float32) operand { return operand{name: name, f: f} }
func indices(name string, i []int32) operand { return operand{name: name, i: i} }
func adds(name string, f []float32) operand  { return operand{name: name, role: inout, f: f} }
func absent(name string) operand             { return operand{name: name, absent: true} }
func aliased(name, same string) operand      { return operand{name: name, role: out, same: same} }
func output(name string, n int) operand {
	return operand{name: name, role: out, f: filled(n, untouched)}
}
func table(o operand) operand { o.loose = true; return o }
func outputInts(name string, n int) operand {
	o := operand{name: name, role: out, i: make([]int32, n)}
	for j := range o.i {
		o.i[j] = untouchedInt
	}
	return o
}

// Values that no operation makes: what lies in outputs beforehand, and what lies around every buffer. Around buffers that are
// only read or only written it is a NaN, which a sum that reads too far cannot hide; around those that are read and
// written a number, because adding to a NaN would leave its bits as they are.
var (
	untouched    = math.Float32frombits(0x7fc0beef)
	canary       = math.Float32frombits(0x7fc0dead)
	canaryNumber = float32(-123.4567)
)

const (
	untouchedInt = -0x41104111
	canaryInt    = -0x21524111
)

// guard is what lies around an F32 operand.
func (o *operand) guard() float32 {
	if o.role == inout {
		return canaryNumber
	}
	return canary
}

func filled(n int, v float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = v
	}
	return x
}

// call is one operation with its operands, for any backend.
type call struct {
	op, what string
	x        []operand
	do       func(b backend.Backend, x map[string]backend.Buffer)
}

// results holds the operands' contents after a call.
type results map[string]operand

// run makes the call and returns what the operands hold afterwards. It reports to t a change of the memory around a
// buffer or of an input, and a failure of the device. short names an operand that is given one element too few.
func (c *call) run(t T, b backend.Backend, alias bool, short string) results {
	t.Helper()
	type block struct {
		whole backend.Buffer
		pad   int
	}
	blocks, buffers := make([]block, len(c.x)), map[string]backend.Buffer{}
	for j := range c.x {
		o := &c.x[j]
		switch {
		case o.absent:
			buffers[o.name] = nil
			continue
		case o.same != "" && alias:
			continue
		case o.same != "":
			apart := output(o.name, c.operand(o.same).len())
			apart.same = o.same
			c.x[j] = apart
		}
		pad, n := 19+2*(j%3), o.len() // odd pads, so that buffers begin at addresses of every kind
		whole := b.AllocUninit(o.dtype(), n+2*pad)
		if o.i != nil {
			x := make([]int32, n+2*pad)
			for k := range x {
				x[k] = canaryInt
			}
			copy(x[pad:], o.i)
			b.UploadInts(whole, x)
		} else {
			x := filled(n+2*pad, o.guard())
			copy(x[pad:], o.f)
			b.Upload(whole, x)
		}
		blocks[j] = block{whole, pad}
		end := pad + n
		if o.name == short {
			end--
		}
		buffers[o.name] = whole.Slice(pad, end)
	}
	if alias {
		for _, o := range c.x {
			if o.same != "" {
				buffers[o.name] = buffers[o.same]
			}
		}
	}
	c.do(b, buffers)
	if err := b.Sync(); err != nil {
		t.Errorf("%s %s: %v", c.op, c.what, err)
	}
	after := results{}
	for j := range c.x {
		if blocks[j].whole == nil {
			continue
		}
		after[c.x[j].name] = c.inspect(t, b, &c.x[j], blocks[j].whole, blocks[j].pad)
		b.Free(blocks[j].whole)
	}
	return after
}

func (c *call) operand(name string) *operand {
	for j := range c.x {
		if c.x[j].name == name {
			return &c.x[j]
		}
	}
	panic("conform: no operand " + name)
}

// inspect reads a buffer back with what surrounds it.
func (c *call) inspect(t T, b backend.Backend, o *operand, whole backend.Buffer, pad int) operand {
	t.Helper()
	n, after := o.len(), operand{name: o.name, role: o.role}
	var bits, before []uint32
	mark := math.Float32bits(o.guard())
	if o.i != nil {
		x := make([]int32, n+2*pad)
		if err := b.DownloadInts(x, whole); err != nil {
			t.Errorf("%s %s: %s: %v", c.op, c.what, o.name, err)
		}
		bits, before, after.i = intBits(x), intBits(o.i), x[pad:pad+n]
		guard := int32(canaryInt)
		mark = uint32(guard)
	} else {
		x := make([]float32, n+2*pad)
		if err := b.Download(x, whole); err != nil {
			t.Errorf("%s %s: %s: %v", c.op, c.what, o.name, err)
		}
		bits, before, after.f = floatBits(x), floatBits(o.f), x[pad:pad+n]
	}
	for k, v := range bits {
		if (k < pad || k >= pad+n) && v != mark {
			t.Errorf("%s %s: the memory around %s was written: element %d of %d", c.op, c.what, o.name, k-pad, n)
			break
		}
	}
	if o.role == in {
		for k, v := range before {
			if bits[pad+k] != v {
				t.Errorf("%s %s: the input %s was written: element %d of %d", c.op, c.what, o.name, k, n)
				break
			}
		}
	}
	return after
}

func floatBits(x []float32) []uint32 {
	out := make([]uint32, len(x))
	for i, v := range x {
		out[i] = math.Float32bits(v)
	}
	return out
}

func intBits(x []int32) []uint32 {
	out := make([]uint32, len(x))
	for i, v := range x {
		out[i] = uint32(v)
	}
	return out
}

func (o *operand) bits() []uint32 {
	if o.i != nil {
		return intBits(o.i)
	}
	return floatBits(o.f)
}

// verify compares the call on b with the call on ref, and with itself on one processor.
func (c *call) verify(t T, b backend.Backend) {
	t.Helper()
	if s, ok := t.(Skipper); ok && s.Skip(c.op+" "+c.what) {
		return
	}
	if bf16(b) {
		c.round()
	}
	apart := *c
	apart.x = append([]operand{}, c.x...)
	want := apart.run(t, ref.New(), false, "")
	got := c.run(t, b, true, "")
	threads := runtime.GOMAXPROCS(1)
	again := c.run(t, b, true, "")
	runtime.GOMAXPROCS(threads)
	for j := range c.x {
		o := &c.x[j]
		if o.absent || o.role == in && !c.shared(o.name) {
			continue
		}
		at := o.name
		if o.same != "" {
			at = o.same // an aliased result lies in the other operand's buffer …
		} else if c.shared(o.name) {
			continue // … and is compared under its own name
		}
		g, a, w := got[at], again[at], want[o.name]
		c.same(t, o.name, g.bits(), a.bits())
		c.close(t, b, o.name, g, w)
	}
}

// shared tells whether another operand lies in the named one's buffer.
func (c *call) shared(name string) bool {
	for _, o := range c.x {
		if o.same == name {
			return true
		}
	}
	return false
}

func (c *call) same(t T, name string, first, second []uint32) {
	t.Helper()
	for k := range first {
		if first[k] != second[k] {
			t.Errorf("%s %s: %s[%d] of %d has other bits in a second call: %#08x and %#08x", c.op, c.what, name, k, len(first), first[k], second[k])
			return
		}
	}
}

// bf16 tells whether a device rounds operands of products to bf16.
func bf16(b backend.Backend) bool { return strings.HasSuffix(b.Name(), "-bf16") }

// round gives the factors of products values that bf16 holds.
func (c *call) round() {
	for _, name := range products[c.op] {
		for i, v := range c.operand(name).f {
			c.operand(name).f[i] = weights.BFloat16(weights.ToBFloat16(v))
		}
	}
}

func (c *call) close(t T, b backend.Backend, name string, got, want operand) {
	t.Helper()
	tol, known := tolerances[c.op]
	if !known {
		panic("conform: no tolerance for " + c.op)
	}
	if loose, ok := bf16Tolerances[c.op]; ok && bf16(b) {
		tol = loose
	}
	g, w := got.bits(), want.bits()
	scale := rms(want.f)
	wrong, first := 0, -1
	off, codes := 0, 0
	for k := range w {
		if order := c.operand(name).order; order != nil {
			// A number that lies between two codes may go to either, by its last bit.
			a, b := order(int32(g[k])), order(int32(w[k]))
			codes += len(a)
			for i := range a {
				if a[i] != b[i] {
					off++
				}
				if d := a[i] - b[i]; d < -1 || d > 1 {
					off += len(w) * len(a)
				}
			}
			if g[k] != w[k] && first < 0 {
				first = k
			}
			continue
		}
		if g[k] == w[k] {
			continue // also elements that neither wrote
		}
		ok := false
		if want.f != nil && tol > 0 && w[k] != math.Float32bits(untouched) {
			x, y := float64(got.f[k]), float64(want.f[k])
			ok = math.Abs(x-y) <= tol*(math.Abs(y)+scale)
		}
		if !ok {
			if wrong++; first < 0 {
				first = k
			}
		}
	}
	if off > 1+codes/500 {
		t.Errorf("%s %s: %s: the codes of more than one in 500 elements differ, or some by more than one; the first lie in [%d] = %#08x; wanted %#08x", c.op, c.what, name, first, g[first], w[first])
	}
	switch {
	case wrong == 0:
	case want.f == nil:
		t.Errorf("%s %s: %s: %d of %d elements; the first is [%d] = %d; wanted %d", c.op, c.what, name, wrong, len(w), first, got.i[first], want.i[first])
	case w[first] == math.Float32bits(untouched):
		t.Errorf("%s %s: %s: %d of %d elements; the first is [%d] = %v, which the call must leave alone", c.op, c.what, name, wrong, len(w), first, got.f[first])
	default:
		t.Errorf("%s %s: %s: %d of %d elements beyond %g; the first is [%d] = %v; wanted %v", c.op, c.what, name, wrong, len(w), tol, first, got.f[first], want.f[first])
	}
}

// rms is the root mean square of the finite elements.
func rms(x []float32) float64 {
	var sum float64
	n := 0
	for _, v := range x {
		if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			sum += f * f
			n++
		}
	}
	return math.Sqrt(sum / float64(max(1, n)))
}

// random is a source of operands.
type random struct{ *tensor.RNG }

func newRandom(name string) random { return random{tensor.NewRNG(0, "conform/"+name)} }

// floats returns n normal numbers of that standard deviation.
func (r random) floats(n int, sigma float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.Norm() * sigma)
	}
	return x
}

// ints returns n numbers below limit.
func (r random) ints(n, limit int) []int32 {
	x := make([]int32, n)
	for i := range x {
		x[i] = int32(r.Intn(limit))
	}
	return x
}

// distinct returns n different numbers below limit.
func (r random) distinct(n, limit int) []int32 {
	x := make([]int32, n)
	for i, v := range r.Perm(limit)[:n] {
		x[i] = int32(v)
	}
	return x
}
