// Weights that are kept in 4, 8 or 16 bits, written out, and activations as products in whole numbers round them.
#include "common.cuh"

// The levels of NF4 (Dettmers et al. 2023, arXiv:2305.14314, appendix E).
__constant__ float nf4[16] = {-1, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f,
                              -0.18477343022823334f, -0.09105003625154495f, 0, 0.07958029955625534f, 0.16093020141124725f,
                              0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f,
                              0.7229568362236023f, 1};

enum Form { q8_0 = 0, q4_0 = 1, nf4_form = 2, bf16_form = 3 };

// Element i of a weight: scales[i/block]·level of code i. Codes lie in words, the first in the lowest bits; 32 elements share a
// scale, in NF4 64; in BF16 a code is the upper half of the number.
__device__ __forceinline__ float number(const u32* codes, const float* scales, i64 i, int form) {
  if (form == bf16_form) return __uint_as_float(codes[i / 2] >> (16 * (int)(i % 2)) << 16);
  float level;
  if (form == q8_0) {
    level = (float)((int)(codes[i / 4] << (24 - 8 * (int)(i % 4))) >> 24);
  } else {
    int code = (int)(codes[i / 8] >> (4 * (int)(i % 8)) & 15);
    level = form == q4_0 ? (float)(code - 8) : nf4[code];
  }
  return scales[i / (form == nf4_form ? 64 : 32)] * level;
}

// y[i] = element i, all n of a weight.
KERNEL quant_expand(float* y, const u32* codes, const float* scales, i64 n, int form) {
  i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = number(codes, scales, i, form);
}

// y[t,:] = row ids[t] of a weight of limit rows: what is read of it is those rows alone.
KERNEL quant_gather(float* y, const u32* codes, const float* scales, const int* ids, int T, int C, int limit, int form, Fault* fault, int code) {
  i64 t = warp_row();
  if (t >= T) return;
  int row = ids[t];
  if (!inside(fault, code, (int)t, row, limit)) return;
  for (int c = threadIdx.x % 32; c < C; c += 32) y[t * C + c] = number(codes, scales, (i64)row * C + c, form);
}

// y = x with every block of 32 elements of a row rounded to whole multiples of its largest magnitude over 127; a block of which
// an element is not finite becomes NaN.   x, y (t, k); a thread a block
KERNEL quant_round(float* y, const float* x, int t, int k) {
  i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
  int blocks = (k + 31) / 32;
  if (i >= (i64)t * blocks) return;
  i64 at = i / blocks * k + i % blocks * 32;
  int n = min(32, k - (int)(i % blocks) * 32);
  float top = 0;
  bool finite = true;
  for (int j = 0; j < n; j++) {
    float v = fabsf(x[at + j]);
    finite = finite && v <= 3.402823466e38f;
    top = fmaxf(top, v);
  }
  float inverse = 127 / top;
  float scale = inverse <= 3.402823466e38f ? top / 127 : 0;
  for (int j = 0; j < n; j++) {
    float code = scale == 0 ? 0 : rintf(x[at + j] * inverse);
    y[at + j] = finite ? scale * code : __int_as_float(0x7fffffff);
  }
}
