// Package backend says what a device must be able to do for the engine: hold buffers and run a few coarse operations
// on them. ref is the definition of right (plain Go, float64 sums), cpu is fast, and a GPU implements the same
// interface; package conform holds the suite that all of them pass.
//
// Rules that hold for every operation:
//
//   - Matrices are row-major and dense. Shapes stand in the doc comments in the letters of package tensor.
//   - Backward adds into parameter gradients (dW) and writes activation gradients (dX).
//   - A call may return before the work is done (a GPU's stream); calls on one backend run in the order in which they
//     were made. Download and Sync wait. A failure of the device comes back from them; a wrong shape is a programmer's
//     error and panics at once with both numbers.
//   - Outputs may not overlap inputs unless the comment says so.
//   - The same inputs give the same bits on the same kind of machine, on any number of threads.
//   - Zero rows, zero segments and zero-length segments are legal and do nothing.
package backend

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"

	"tunebook/engine/tensor"
)

// Buffer is a run of elements that live on one device. Only the backend that made it can use it.
type Buffer interface {
	DType() tensor.DType
	Len() int
	// Slice returns elements [from, to) of the same memory.
	Slice(from, to int) Buffer
}

// Memory makes, moves and gives back buffers.
type Memory interface {
	// Alloc returns n zeros. Memory given back by Free is used again.
	Alloc(dt tensor.DType, n int) Buffer
	// AllocUninit is Alloc without the promise of zeros: the caller writes every element before reading it.
	AllocUninit(dt tensor.DType, n int) Buffer
	// Free gives a whole buffer (not a slice) back. Using it or a slice of it afterwards is an error.
	Free(b Buffer)
	// Upload copies src to the start of dst; src may be changed as soon as it returns.
	Upload(dst Buffer, src []float32)
	UploadInts(dst Buffer, src []int32)
	// Download waits for all earlier calls and copies the start of src to dst.
	Download(dst []float32, src Buffer) error
	DownloadInts(dst []int32, src Buffer) error
	// Sync waits for all earlier calls and returns the first failure since the last Sync.
	Sync() error
}

// MatOp tells which operand of a product is read transposed.
type MatOp uint8

const (
	NT MatOp = iota // C = A·Bᵀ   A (M, K)  B (N, K)   a linear layer's forward: y = x·Wᵀ
	NN              // C = A·B    A (M, K)  B (K, N)   its input gradient: dX = dY·W
	TN              // C = Aᵀ·B   A (K, M)  B (K, N)   its weight gradient: dW += dYᵀ·X
)

// Pairing tells which two elements of a head RoPE turns together.
type Pairing uint8

const (
	Half        Pairing = iota // (i, i+D/2): Hugging Face's Llama, GPT-NeoX
	Interleaved                // (2i, 2i+1): the paper, llama2.c, GGUF files of Llama models
)

// Segment is one document of a packed batch: unless Segments says otherwise, QLen queries that start at row QStart of q look at KLen keys that start
// at row KStart of k and v. The last query sees every key of its segment, the one before it all but the last, and so
// on (causal, aligned at the end); so KLen ≥ QLen. Training uses equal ranges; a KV cache holds more keys than
// there are new queries.
type Segment struct{ QStart, QLen, KStart, KLen int }

// Segments is the list for one batch. Dev belongs to the backend, which may keep its own copy of the list there; a
// Segments is not changed after its first use.
type Segments struct {
	List []Segment
	// Window is how many keys a query sees at most: the last ones, its own included. 0 stands for all.
	// Source: Beltagy et al. 2020, arXiv:2004.05150, as Mistral uses it (Jiang et al. 2023, arXiv:2310.06825).
	Window int
	// Full lets a query see the keys behind its own too, as encoders do: every key of its segment, or with Window those that lie
	// less than Window away on either side. Source of the latter: Warner et al. 2024, arXiv:2412.13663 (ModernBERT).
	Full bool
	Dev  any
}

// Release gives back what the device keeps of the list; it makes that again where the list is used again.
func (s *Segments) Release() {
	if d, ok := s.Dev.(interface{ Release() }); ok {
		d.Release()
	}
	s.Dev = nil
}

// Draw says how Sample takes an index from a row of scores. The zero value takes the largest score's, the first of equals.
//
// Index i weighs exp((x[i]-max x)/Temperature). The cuts TopK, TopP and MinP are made in this order, each of what the one before
// left, on indices in the order of falling scores, the lowest first among equals. The index drawn is the first at which the
// running sum of weights exceeds U times the sum of all that are left; the sum runs in the order of the cuts, and in that of
// the indices where there is no cut.
type Draw struct {
	Temperature float64 // 0 takes the largest
	TopK        int     // only the first so many; 0 for no cut
	TopP        float64 // only the fewest whose weights reach this share of the sum; 0 or 1 for no cut
	MinP        float64 // only those that weigh this at least (the largest score's index weighs 1); 0 for no cut
	U           float64 // in [0, 1): the random number
}

// Cuts tells whether something is cut.
func (d Draw) Cuts() bool { return d.TopK > 0 || d.TopP > 0 && d.TopP < 1 || d.MinP > 0 }

// Ops are the operations of forward, backward and update.
type Ops interface {
	// MatMul writes C = alpha·op(A, B) + beta·C; C is (M, N). With beta 0 the old C is not read (it may be NaN).
	MatMul(c, a, b Buffer, m, n, k int, op MatOp, alpha, beta float32)

	// EmbeddingForward writes y[t,:] = w[ids[t],:].   y (T, C)  w (V, C)  ids (T) i32
	EmbeddingForward(y, w, ids Buffer, t, c int)
	// EmbeddingBackward adds dY[t,:] to dW[ids[t],:], in the order of t.   dW (V, C)  dY (T, C)
	EmbeddingBackward(dW, dY, ids Buffer, t, c int)

	// RMSNormForward writes y[t,:] = s[t,:]·rstd[t]·w, rstd[t] = 1/sqrt(mean(s[t,:]²)+eps), where s = x + res is
	// written to sum; with res nil, s = x and sum is nil.   y, sum, x, res (T, C)  rstd (T)  w (C)
	// sum may be the same buffer as x or res. Source: Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4.
	RMSNormForward(y, sum, rstd, x, res, w Buffer, t, c int, eps float32)
	// RMSNormBackward writes dX = dSum + (the gradient of y through s) and adds to dW. x is the s of the forward pass.
	// dSum nil counts as zero, dW nil is left out; dX may be the same buffer as dSum.
	RMSNormBackward(dX, dW, dY, dSum, x, w, rstd Buffer, t, c int)

	// LayerNormForward writes y[t,:] = (s[t,:]-mean[t])·rstd[t]·w + b, rstd[t] = 1/sqrt(mean((s[t,:]-mean[t])²)+eps),
	// where s = x + res is written to sum; with res nil, s = x and sum is nil.
	//   y, sum, x, res (T, C)   mean, rstd (T)   w, b (C)
	// sum may be the same buffer as x or res. Source: Ba et al. 2016, arXiv:1607.06450, eq. 4.
	LayerNormForward(y, sum, mean, rstd, x, res, w, b Buffer, t, c int, eps float32)
	// LayerNormBackward writes dX = dSum + (the gradient of y through s) and adds to dW and dB. x is the s of the forward
	// pass. dSum nil counts as zero, dW or dB nil is left out; dX may be the same buffer as dSum.
	LayerNormBackward(dX, dW, dB, dY, dSum, x, w, mean, rstd Buffer, t, c int)

	// AddBias adds b to every row of y.   y (T, C)  b (C)
	AddBias(y, b Buffer, t, c int)
	// SumRows adds the sum of the rows of dY to dB, in the order of t: the gradient of AddBias.   dB (C)  dY (T, C)
	SumRows(dB, dY Buffer, t, c int)

	// RowNorms writes the Euclidean length of every row: norms[t] = sqrt(Σ x[t,:]²).   norms (T)  x (T, C)
	RowNorms(norms, x Buffer, t, c int)
	// ScaleColumnsForward writes y[t,j] = x[t,j]·m[j]/d[j].   y, x (T, C)  m, d (C). y may be the same buffer as x.
	// With d the row lengths of a layer's weight, this is weight normalisation: Salimans & Kingma 2016, arXiv:1602.07868.
	ScaleColumnsForward(y, x, m, d Buffer, t, c int)
	// ScaleColumnsBackward writes dX[t,j] = dY[t,j]·m[j]/d[j] and adds Σ dY[t,j]·x[t,j]/d[j] to dM; dM nil is left out. d counts
	// as a constant. dX may be the same buffer as dY.
	ScaleColumnsBackward(dX, dM, dY, x, m, d Buffer, t, c int)

	// Dequantize writes y[i] = scales[i/q.Block()]·(level of code i), rounded once; in BF16 a code is the upper half of a
	// float32.   y (n)  codes (q.Codes(n)) i32  scales (q.Scales(n))
	Dequantize(y, codes, scales Buffer, n int, q Quant)
	// MatMulPacked is MatMul by the numbers that codes and scales stand for: B is (N, K) for NT and (K, N) for NN; there is no
	// TN. In a product NT with Int8 or Int4, blocks of 32 elements of the rows of A are rounded first (RoundInt8).
	MatMulPacked(c, a, codes, scales Buffer, m, n, k int, op MatOp, q Quant, alpha, beta float32)
	// EmbeddingPacked writes y[t,:] = W[ids[t],:] for a W (V, C) that codes and scales stand for.   y (T, C)  ids (T) i32
	EmbeddingPacked(y, codes, scales, ids Buffer, t, c, v int, q Quant)

	// RoPE writes x turned by the angle pos[t]·freqs[i] for pair i of every head; inverse turns back, which is the
	// backward pass.   y, x (T, heads·D)  pos (T) i32  freqs (D/2) f32. y may be the same buffer as x.
	// Source: Su et al. 2021, arXiv:2104.09864, eq. 34.
	RoPE(y, x, pos, freqs Buffer, t, heads, d int, pairing Pairing, inverse bool)

	// SwiGLUForward writes y = silu(gate)·up, silu(v) = v/(1+exp(-v)).   all (n). y may be gate or up.
	// Source: Shazeer 2020, arXiv:2002.05202.
	SwiGLUForward(y, gate, up Buffer, n int)
	// SwiGLUBackward writes dGate and dUp. dGate may be gate, dUp may be up, either may be dY.
	SwiGLUBackward(dGate, dUp, dY, gate, up Buffer, n int)

	// GeGLUForward writes y = gelu(gate)·up; with up nil, y = gelu(gate).   all (n). y may be gate or up.
	//
	//	gelu(v) = v·Φ(v), Φ the normal distribution's      (tanh false)
	//	gelu(v) = v·(1 + tanh(sqrt(2/π)·(v+0.044715v³)))/2 (tanh true)
	//
	// Source: Hendrycks & Gimpel 2016, arXiv:1606.08415; Shazeer 2020, arXiv:2002.05202.
	GeGLUForward(y, gate, up Buffer, n int, tanh bool)
	// GeGLUBackward writes dGate and dUp; with up nil, dUp is nil. dGate may be gate, dUp may be up, either may be dY.
	GeGLUBackward(dGate, dUp, dY, gate, up Buffer, n int, tanh bool)

	// AttentionForward writes softmax(scale·q·kᵀ)·v per segment and head; query head h reads key-value head h·K/H.
	//   o, q (T, H·D)   k, v (TK, K·D)   lse (T, H): log of the softmax's sum, kept for backward; nil when not needed
	// Rows of o that no segment names are left as they are.
	AttentionForward(o, lse, q, k, v Buffer, segs *Segments, h, kh, d int, scale float32)
	// AttentionBackward writes dQ, dK, dV for the rows that segments name (segments of equal query and key ranges).
	AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse Buffer, segs *Segments, h, kh, d int, scale float32)

	// LinearCrossEntropy writes nll[t] = -log softmax(x[t,:]·Wᵀ)[targets[t]] without ever holding all logits.
	//   nll (T)   x (T, C)   w (V, C)   targets (T) i32, IgnoreIndex for rows without a target: nll 0 and no gradient
	//   weights (T) or nil for ones: row t's share of the loss
	// With dX not nil it also writes dX and, with dW not nil, adds to dW the gradient of scale·Σ weights[t]·nll[t].
	LinearCrossEntropy(nll, dX, dW, x, w, targets, weights Buffer, t, c, v int, scale float32)

	// Gather writes y[i,:] = x[rows[i],:].   y (n, C)  rows (n) i32
	Gather(y, x, rows Buffer, n, c int)
	// Scatter writes y[rows[i],:] = x[i,:]; rows are distinct. Other rows of y are left as they are.
	Scatter(y, x, rows Buffer, n, c int)

	// Fill writes v to every element.
	Fill(x Buffer, v float32)
	// Copy writes dst = src; both have the same length.
	Copy(dst, src Buffer)
	// AddScaled adds alpha·x to y; both have the same length.
	AddScaled(y, x Buffer, alpha float32)

	// Sample writes one index for each row of scores, drawn as draws says: ids[t] is -1 where row t holds a NaN or +Inf, or
	// nothing above -Inf.   ids (T) i32  x (T, V)  T = len(draws)
	Sample(ids, x Buffer, draws []Draw, v int)
	// CrossEntropy writes nll[t] = log Σ exp(x[t,:]) - x[t,ids[t]], the negative log-probability of one index for each row.
	//   nll (T)   x (T, V)   ids (T) i32
	CrossEntropy(nll, x, ids Buffer, t, v int)

	// SumSquares writes the sum of the squares of xs[i] to out[i].   out (len(xs))
	SumSquares(out Buffer, xs []Buffer)
	// AdamW updates the values and moments of all tensors by their gradients (Loshchilov & Hutter 2019, arXiv:1711.05101, alg. 2),
	// in one pass over them: see AdamWNumbers and MomentForm. No two of the tensors' buffers overlap.
	AdamW(tensors []AdamWTensor, s AdamWStep)
}

// Term is a product Alpha·op(A, B) over K terms of a sum of products.
type Term struct {
	A, B   Buffer
	Packed *Packed // in B's place, where that is packed
	K      int
	Op     MatOp
	Alpha  float32
}

// Packed is a weight held as codes and scales.
type Packed struct {
	Codes, Scales Buffer
	Quant         Quant
}

// Into writes C = x + beta·C.   C (m, n)
func (x Term) Into(dev Ops, c Buffer, m, n int, beta float32) {
	if p := x.Packed; p != nil {
		dev.MatMulPacked(c, x.A, p.Codes, p.Scales, m, n, x.K, x.Op, p.Quant, x.Alpha, beta)
		return
	}
	dev.MatMul(c, x.A, x.B, m, n, x.K, x.Op, x.Alpha, beta)
}

// Summing is a device that can add a second product in the pass that writes the first.
type Summing interface {
	// MatMulSum writes C = first + second + beta·C, with the bits of two products one after the other.   C (m, n)
	MatMulSum(c Buffer, first, second Term, m, n int, beta float32)
}

// MatMulSum writes C = first + second + beta·C, in one pass where the device can.   C (m, n)
func MatMulSum(dev Ops, c Buffer, first, second Term, m, n int, beta float32) {
	if s, ok := dev.(Summing); ok {
		s.MatMulSum(c, first, second, m, n, beta)
		return
	}
	first.Into(dev, c, m, n, beta)
	second.Into(dev, c, m, n, 1)
}

// IgnoreIndex marks a position that has no target.
const IgnoreIndex = -100

// Backend is a device.
type Backend interface {
	// Name is the registered name ("cpu") and Info one line about the hardware ("2 threads, AVX-512").
	Name() string
	Info() string
	Memory
	Ops
}

var (
	mu       sync.Mutex
	open     = map[string]func() (Backend, error){}
	numbered = map[string]func(i int) (Backend, error){}
	made     = map[string]Backend{}
)

// Register makes a device known under a name; a backend's package calls it from init.
func Register(name string, f func() (Backend, error)) {
	mu.Lock()
	defer mu.Unlock()
	open[name] = f
}

// RegisterNumbered makes devices known of which a machine may have several: "cuda", which is "cuda:0", "cuda:1" and so on. f
// opens number i, whose Name is the one without ":0".
func RegisterNumbered(kind string, f func(i int) (Backend, error)) {
	Register(kind, func() (Backend, error) { return f(0) })
	mu.Lock()
	defer mu.Unlock()
	numbered[kind] = f
}

// Kind returns a device's name without its number: "cuda" of "cuda:1". Devices of one kind compute alike.
func Kind(name string) string {
	kind, _, _ := strings.Cut(name, ":")
	return kind
}

// Numbered returns the name of number i of a kind: "cuda" for 0, "cuda:1" for 1.
func Numbered(kind string, i int) string {
	if i == 0 {
		return kind
	}
	return fmt.Sprintf("%s:%d", kind, i)
}

// Open returns the device of that name, made at its first use and shared afterwards.
func Open(name string) (Backend, error) {
	mu.Lock()
	defer mu.Unlock()
	f, ok := open[name]
	if kind, number, cut := strings.Cut(name, ":"); cut && numbered[kind] != nil {
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 {
			return nil, fmt.Errorf("backend: device %q: the number behind %s: is %q; wanted 0 or more", name, kind, number)
		}
		name, ok = Numbered(kind, i), true
		f = func() (Backend, error) { return numbered[kind](i) }
	}
	if b, ok := made[name]; ok {
		return b, nil
	}
	if !ok {
		names := make([]string, 0, len(open))
		for n := range open {
			names = append(names, n)
		}
		sort.Strings(names)
		return nil, fmt.Errorf("backend: no device %q; this binary has %v", name, names)
	}
	b, err := f()
	if err != nil {
		return nil, err
	}
	made[name] = b
	return b, nil
}
