// Elementwise operations and sums of whole buffers.
#include "common.cuh"

__device__ __forceinline__ i64 element() { return (i64)blockIdx.x * blockDim.x + threadIdx.x; }

// x = bits, for every type of four bytes.
KERNEL vector_fill(u32* x, u32 bits, i64 n) {
  i64 i = element();
  if (i < n) x[i] = bits;
}

KERNEL vector_copy(u32* to, const u32* from, i64 n) {
  i64 i = element();
  if (i < n) to[i] = from[i];
}

// y += alpha·x.
KERNEL vector_add(float* y, const float* x, float alpha, i64 n) {
  i64 i = element();
  if (i < n) y[i] = fmaf(alpha, x[i], y[i]);
}

constexpr int sum_threads = 256, sum_elements = 4096;  // of a block

// The sum of a block's values, in every thread of the first warp.
__device__ __forceinline__ float block_sum(float v) {
  __shared__ float sums[sum_threads / 32];
  v = warp_sum(v);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = v;
  __syncthreads();
  return warp_sum(threadIdx.x < sum_threads / 32 ? sums[threadIdx.x] : 0.0f);
}

// partial[block] = Σ x² over the block's sum_elements elements.
KERNEL vector_squares(float* partial, const float* x, i64 n) {
  i64 first = (i64)blockIdx.x * sum_elements;
  float total = 0;
  for (int j = threadIdx.x; j < sum_elements; j += sum_threads) {
    if (first + j < n) total = fmaf(x[first + j], x[first + j], total);
  }
  total = block_sum(total);
  if (threadIdx.x == 0) partial[blockIdx.x] = total;
}

// out[0] = Σ partial, one block.
KERNEL vector_sum(float* out, const float* partial, int n) {
  float total = 0;
  for (int i = threadIdx.x; i < n; i += sum_threads) total += partial[i];
  total = block_sum(total);
  if (threadIdx.x == 0) out[0] = total;
}

// One AdamW update (Loshchilov & Hutter 2019, arXiv:1711.05101, alg. 2). c1 = 1/(1-β₁ˢ), c2 = 1/(1-β₂ˢ) for step s;
// decay = LR·WeightDecay. 28 bytes an element: bound by memory.
KERNEL vector_adamw(float* p, float* m, float* v, const float* g, i64 n, float scale, float beta1, float beta2, float rest1,
                    float rest2, float c1, float c2, float lr, float decay, float eps) {
  i64 i = element();
  if (i >= n) return;
  float d = scale * g[i];
  float mi = fmaf(beta1, m[i], rest1 * d), vi = fmaf(beta2, v[i], rest2 * d * d);
  m[i] = mi;
  v[i] = vi;
  float w = p[i];
  w = fmaf(-decay, w, w);
  p[i] = w - lr * (mi * c1) / (sqrtf(vi * c2) + eps);
}
