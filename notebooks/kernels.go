//go:build ignore

// Kernels on a simulated card: writing CUDA, and finding its mistakes, without a GPU.
package main

import (
	"fmt"

	"tunebook/stdlib/gpu"
)

func main() {
	// %% [markdown]
	// # CUDA kernels without a card
	//
	// A simulated card runs the machine code of a kernel (PTX) in Go and looks at every access. It needs NVIDIA's compiler
	// library and no GPU; on a card the same cells run with `gpu.Open()`.

	// %% A card
	dev := gpu.Sim()
	fmt.Println(dev)

	// %% A kernel: the sum of each block's 64 numbers, halving the threads that add
	sum := dev.Compile(`__global__ void sum(float* out, const float* x, int n) {
  __shared__ float s[64];
  int i = blockIdx.x * 64 + threadIdx.x;
  s[threadIdx.x] = i < n ? x[i] : 0;
  for (int half = 32; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) s[threadIdx.x] += s[threadIdx.x + half];
  }
  if (threadIdx.x == 0) out[blockIdx.x] = s[0];
}`)
	var x []float32
	for i := 1; i <= 100; i++ {
		x = append(x, float32(i))
	}
	in, out := dev.Floats(x), dev.Empty(2)
	sum.Launch(2, 64, out, in, len(x))
	fmt.Println(out.Floats(), "of", 64*65/2, "and", 100*101/2-64*65/2)

	// %% [markdown]
	// ## What the card would not say
	//
	// The same kernel without its barrier gives the right numbers on many cards most of the time. Here it stops with the
	// thread, the other thread, and the line.

	// %% The barrier left out
	try(func() {
		dev.Compile(`__global__ void sum(float* out, const float* x, int n) {
  __shared__ float s[64];
  int i = blockIdx.x * 64 + threadIdx.x;
  s[threadIdx.x] = i < n ? x[i] : 0;
  for (int half = 32; half > 0; half /= 2) {
    if (threadIdx.x < half) s[threadIdx.x] += s[threadIdx.x + half];
  }
  if (threadIdx.x == 0) out[blockIdx.x] = s[0];
}`).Launch(2, 64, out, in, len(x))
	})

	// %% One thread too many
	twice := dev.Compile(`__global__ void twice(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= n) x[i] *= 2;
}`)
	try(func() { twice.Launch(4, 32, in, len(x)) })

	// %% All blocks in one place
	try(func() {
		dev.Compile(`__global__ void total(float* out, const float* x) {
  out[0] += x[threadIdx.x + 32 * blockIdx.x];
}`).Launch(2, 1, out, in)
	})

	// %% A typing mistake
	try(func() { dev.Compile("__global__ void f(float* x) {\n  x[0] = y;\n}") })

	// %% [markdown]
	// ## The engine's own operations
	//
	// Training uses kernels of the same kind. Each can be called by its name.

	// %% Attention over two documents of 2 and 1 tokens, one head of 2
	q, y := dev.Floats([]float32{1, 0, 0, 1, 1, 1}), dev.Empty(6)
	dev.Call("AttentionForward", y, nil, q, q, q, gpu.Segments(2, 1), 1, 1, 2, 1)
	fmt.Println(y.Floats())
}

// try prints what stops f.
func try(f func()) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Println(r)
		}
	}()
	f()
}
