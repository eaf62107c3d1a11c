// LayerNorm (Ba et al. 2016, arXiv:1607.06450, eq. 4).
#include "common.cuh"

// y = (s-mean)·rstd·w + b with s = x + res written to sum; res and sum are null together. sum may be x or res.
KERNEL layernorm_forward(float* y, float* sum, float* mean, float* rstd, const float* x, const float* res, const float* w,
                         const float* b, int T, int C, float eps) {
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
    total += v;
  }
  float m = warp_sum(total) / C;
  const float* s = res ? sum + t * C : xs;
  // m is off by the rounding of a sum as large as the mean; the mean of what is left says by how much.
  float rest = 0, squares = 0;
  for (int i = lane; i < C; i += 32) {
    float d = s[i] - m;
    rest += d;
    squares = fmaf(d, d, squares);
  }
  rest = warp_sum(rest) / C;
  float r = rsqrtf(warp_sum(squares) / C - rest * rest + eps);
  if (lane == 0) {
    mean[t] = m + rest;
    rstd[t] = r;
  }
  for (int i = lane; i < C; i += 32) y[t * C + i] = fmaf((s[i] - m - rest) * r, w[i], b[i]);
}

// dX = dSum + rstd·(g - mean(g) - n·mean(g·n)), g = dY·w, n = (x-mean)·rstd. dSum may be null; dX may be dSum.
KERNEL layernorm_backward(float* dX, const float* dY, const float* dSum, const float* x, const float* w, const float* mean,
                          const float* rstd, int T, int C) {
  int lane = threadIdx.x % 32;
  i64 t = warp_row();
  if (t >= T) return;
  const float *dy = dY + t * C, *xs = x + t * C;
  float m = mean[t], r = rstd[t], sum = 0, product = 0;
  for (int i = lane; i < C; i += 32) {
    float g = dy[i] * w[i];
    sum += g;
    product = fmaf(g, (xs[i] - m) * r, product);
  }
  float mean_g = warp_sum(sum) / C, mean_gn = warp_sum(product) / C;
  for (int i = lane; i < C; i += 32) {
    float d = r * (dy[i] * w[i] - mean_g - (xs[i] - m) * r * mean_gn);
    if (dSum) d += dSum[t * C + i];
    dX[t * C + i] = d;
  }
}
