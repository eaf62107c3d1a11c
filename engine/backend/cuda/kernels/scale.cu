// Weight normalisation (Salimans & Kingma 2016, arXiv:1602.07868).
#include "common.cuh"

// norms[t] = sqrt(Σ x[t,:]²).
KERNEL scale_norms(float* norms, const float* x, int T, int C) {
  int lane = threadIdx.x % 32;
  i64 t = warp_row();
  if (t >= T) return;
  float total = 0;
  for (int i = lane; i < C; i += 32) total = fmaf(x[t * C + i], x[t * C + i], total);
  total = warp_sum(total);
  if (lane == 0) norms[t] = sqrtf(total);
}

// y[t,j] = x[t,j]·m[j]/d[j], which is the backward pass too. y may be x.
KERNEL scale_columns(float* y, const float* x, const float* m, const float* d, int T, int C) {
  i64 t = warp_row();
  if (t >= T) return;
  for (int i = threadIdx.x % 32; i < C; i += 32) y[t * C + i] = x[t * C + i] * m[i] / d[i];
}
