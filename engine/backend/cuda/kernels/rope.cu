// Rotary position embedding (Su et al. 2021, arXiv:2104.09864, eq. 34).
#include "common.cuh"

// sincos_reduced writes the sine and cosine of a to within 1e-7 for every angle up to 2^30: the nearest multiple of π/2
// is taken away in double precision, what is left lies in [-π/4, π/4], where the first terms of both series are enough.
__device__ __forceinline__ void sincos_reduced(float a, float* sine, float* cosine) {
  double turns = rint((double)a * 0.63661977236758134);  // 2/π
  float r = (float)fma(turns, -1.5707963267948966, (double)a);
  float q = r * r;
  float s = r * fmaf(q, fmaf(q, fmaf(q, fmaf(q, 1.0f / 362880, -1.0f / 5040), 1.0f / 120), -1.0f / 6), 1.0f);
  float c = fmaf(q, fmaf(q, fmaf(q, fmaf(q, fmaf(q, -1.0f / 3628800, 1.0f / 40320), -1.0f / 720), 1.0f / 24), -0.5f), 1.0f);
  int quarter = (int)(i64)turns & 3;
  float u = quarter & 1 ? c : s, v = quarter & 1 ? s : c;
  *sine = quarter & 2 ? -u : u;
  *cosine = quarter == 1 || quarter == 2 ? -v : v;
}

// y = x turned by pos[t]·freqs[i] for pair i of every head; sign is 1, or -1 to turn back. A thread computes one angle and
// turns that pair of every head. y may be x.
KERNEL rope(float* y, const float* x, const int* pos, const float* freqs, int T, int H, int D, int interleaved, float sign) {
  i64 n = (i64)blockIdx.x * blockDim.x + threadIdx.x;
  int half = D / 2;
  i64 t = n / half;
  int p = (int)(n - t * half);
  if (t >= T) return;
  float s, c;
  sincos_reduced((float)pos[t] * freqs[p], &s, &c);
  s *= sign;
  int a = interleaved ? 2 * p : p, b = interleaved ? 2 * p + 1 : p + half;
  for (int h = 0; h < H; h++) {
    i64 at = (t * H + h) * D;
    float u = x[at + a], v = x[at + b];
    y[at + a] = u * c - v * s;
    y[at + b] = u * s + v * c;
  }
}
