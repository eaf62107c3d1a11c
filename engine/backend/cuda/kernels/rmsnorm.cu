// RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4).
#include "common.cuh"

// y = s·rstd·w with s = x + res written to sum; res and sum are null together. sum may be x or res.
// Bytes moved: 4·T·C·(2 to 5); one warp for a row, two passes, the second out of the L1 cache.
KERNEL rmsnorm_forward(float* y, float* sum, float* rstd, const float* x, const float* res, const float* w, int T, int C, float eps) {
  int lane = threadIdx.x % 32;
  i64 t = warp_row();
  if (t >= T) return;
  const float* xs = x + t * C;
  float total = 0;
  for (int i = lane; i < C; i += 32) {
    float v = xs[i];
    if (res) {
      v += res[t * C + i];
      sum[t * C + i] = v;
    }
    total = fmaf(v, v, total);
  }
  float r = rsqrtf(warp_sum(total) / C + eps);
  if (lane == 0) rstd[t] = r;
  const float* s = res ? sum + t * C : xs;  // a lane reads what it wrote itself
  for (int i = lane; i < C; i += 32) y[t * C + i] = s[i] * r * w[i];
}

// dX = dSum + rstd·(g - n·mean(g·n)), g = dY·w, n = x·rstd. dSum may be null; dX may be dSum.
KERNEL rmsnorm_backward(float* dX, const float* dY, const float* dSum, const float* x, const float* w, const float* rstd, int T, int C) {
  int lane = threadIdx.x % 32;
  i64 t = warp_row();
  if (t >= T) return;
  const float *dy = dY + t * C, *xs = x + t * C;
  float r = rstd[t], total = 0;
  for (int i = lane; i < C; i += 32) total = fmaf(dy[i] * w[i], xs[i] * r, total);
  float mean = warp_sum(total) / C;
  for (int i = lane; i < C; i += 32) {
    float d = r * (dy[i] * w[i] - xs[i] * r * mean);
    if (dSum) d += dSum[t * C + i];
    dX[t * C + i] = d;
  }
}
