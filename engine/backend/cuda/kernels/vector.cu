// Elementwise operations.
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
