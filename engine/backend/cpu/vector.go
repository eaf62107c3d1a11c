package cpu

import (
	"fmt"

	"tunebook/engine/backend"
)

// grain is the number of elements of one item of an elementwise operation. Items begin at multiples of it, so what a
// vector holds does not depend on the number of threads.
const grain = 16384

type vectorOp uint8

const (
	opFill vectorOp = iota
	opCopy
	opAxpy
	opScale
	opSiluMul
	opSiluMulGrad
)

// vectorTask is an elementwise operation on runs of the same length.
type vectorTask struct {
	k         *kernels
	op        vectorOp
	n         int
	alpha     float32
	y, y1     []float32 // outputs
	x, x1, x2 []float32 // inputs
}

func (b *Backend) vector(t vectorTask) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.k = b.k
	b.tasks.vector = t
	b.pool.run(ceilDiv(t.n, grain), &b.tasks.vector)
	b.tasks.vector = vectorTask{}
}

func (t *vectorTask) do(_, i int) {
	at := i * grain
	n := min(grain, t.n-at)
	switch t.op {
	case opFill:
		y := t.y[at : at+n]
		if t.alpha == 0 {
			clear(y)
			return
		}
		for i := range y {
			y[i] = t.alpha
		}
	case opCopy:
		copy(t.y[at:at+n], t.x[at:at+n])
	case opAxpy:
		t.k.axpy(&t.y[at], &t.x[at], t.alpha, n)
	case opScale:
		t.k.scale(&t.y[at], &t.x[at], t.alpha, n)
	case opSiluMul:
		t.k.siluMul(&t.y[at], &t.x[at], &t.x1[at], n)
	case opSiluMulGrad:
		t.k.siluMulGrad(&t.y[at], &t.y1[at], &t.x[at], &t.x1[at], &t.x2[at], n)
	}
}

// Fill writes v to every element of an F32 buffer.
func (b *Backend) Fill(x backend.Buffer, v float32) {
	n := x.Len()
	b.vector(vectorTask{op: opFill, n: n, alpha: v, y: floats("Fill", "x", x, n)})
}

// Copy writes dst = src; both have the same length and type.
func (b *Backend) Copy(dst, src backend.Buffer) {
	n := sameLength("Copy", dst, src)
	if d := dst.(*backend.HostBuffer); d.I != nil {
		copy(d.I, ints("Copy", "src", src, n))
		return
	}
	b.vector(vectorTask{op: opCopy, n: n, y: floats("Copy", "dst", dst, n), x: floats("Copy", "src", src, n)})
}

// AddScaled adds alpha·x to y; both have the same length.
func (b *Backend) AddScaled(y, x backend.Buffer, alpha float32) {
	n := sameLength("AddScaled", y, x)
	b.vector(vectorTask{op: opAxpy, n: n, alpha: alpha, y: floats("AddScaled", "y", y, n), x: floats("AddScaled", "x", x, n)})
}

func sameLength(op string, a, b backend.Buffer) int {
	if a.Len() != b.Len() {
		panic(fmt.Sprintf("%s: %d and %d elements; wanted the same length", op, a.Len(), b.Len()))
	}
	return a.Len()
}

// SwiGLUForward writes y = silu(gate)·up; see backend.Ops.
func (b *Backend) SwiGLUForward(y, gate, up backend.Buffer, n int) {
	const op = "SwiGLUForward"
	b.vector(vectorTask{op: opSiluMul, n: n, y: floats(op, "y", y, n), x: floats(op, "gate", gate, n), x1: floats(op, "up", up, n)})
}

// SwiGLUBackward writes dGate and dUp; see backend.Ops.
func (b *Backend) SwiGLUBackward(dGate, dUp, dY, gate, up backend.Buffer, n int) {
	const op = "SwiGLUBackward"
	b.vector(vectorTask{op: opSiluMulGrad, n: n,
		y: floats(op, "dGate", dGate, n), y1: floats(op, "dUp", dUp, n),
		x: floats(op, "dY", dY, n), x1: floats(op, "gate", gate, n), x2: floats(op, "up", up, n)})
}
