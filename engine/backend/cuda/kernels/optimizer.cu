// The optimizer's passes over many tensors at once: the squares of the gradients, and AdamW. A block works on block_elements
// of one tensor, which it finds in a table that the host has written.
#include "common.cuh"

constexpr int threads = 256, block_elements = 8192;

// One of the tensors, as optimizer.go writes it.
struct Tensor {
  float* p;
  const float* g;
  float* rounded;      // null for none
  void *m, *v;         // numbers, or words of codes
  float *mtop, *vtop;  // the largest magnitudes of blocks of 8-bit moments
  i64 n;
  float rate, decay;
  int form;
  int first;  // the block of the launch that has its first elements
  int from;   // the place of its first element in the whole tensor
};

enum Form { float_moments = 0, bf16_moments = 1, byte_moments = 2 };

// The last tensor whose first block is not behind this one: what has no elements has the first of the next.
__device__ __forceinline__ const Tensor& owner(const Tensor* all, int count) {
  int lo = 0, hi = count - 1;
  while (lo < hi) {
    int mid = (lo + hi + 1) / 2;
    if (all[mid].first <= (int)blockIdx.x) {
      lo = mid;
    } else {
      hi = mid - 1;
    }
  }
  return all[lo];
}

// The sum of a block's values, in every thread of the first warp.
__device__ __forceinline__ float block_sum(float v) {
  __shared__ float sums[threads / 32];
  v = warp_sum(v);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = v;
  __syncthreads();
  return warp_sum(threadIdx.x < threads / 32 ? sums[threadIdx.x] : 0.0f);
}

// partial[block] = Σ g² over the block's elements.
KERNEL optimizer_squares(float* partial, const Tensor* all, int count) {
  const Tensor& t = owner(all, count);
  const float* g = t.g;
  i64 first = (i64)(blockIdx.x - t.first) * block_elements, n = t.n - first;
  float total = 0;
  for (int j = threadIdx.x; j < block_elements && j < n; j += threads) total = fmaf(g[first + j], g[first + j], total);
  total = block_sum(total);
  if (threadIdx.x == 0) partial[blockIdx.x] = total;
}

// out[i] = Σ partial over tensor i's blocks; a block for each tensor.
KERNEL optimizer_sum(float* out, const float* partial, const Tensor* all) {
  const Tensor& t = all[blockIdx.x];
  int n = (int)((t.n + block_elements - 1) / block_elements);
  float total = 0;
  for (int i = threadIdx.x; i < n; i += threads) total += partial[t.first + i];
  total = block_sum(total);
  if (threadIdx.x == 0) out[blockIdx.x] = total;
}

// The numbers of an update: c1 = 1/(1-β₁ˢ), c2 = 1/(1-β₂ˢ) for step s; rest1 = 1-β₁; lr and decay are the tensor's, decay
// with its lr.
struct Numbers {
  float scale, beta1, beta2, rest1, rest2, c1, c2, lr, decay, eps;
};

// Round to the nearest bfloat16, halves to even.
__device__ __forceinline__ float nearest_bf16(float x) {
  u32 u = __float_as_uint(x);
  if (x != x) return __uint_as_float((u & 0xffff0000u) | 0x400000u);
  return __uint_as_float((u + 0x7fff + (u >> 16 & 1)) & 0xffff0000u);
}

// One element's update: w and its moments become the new ones.
__device__ __forceinline__ void update(const Numbers& k, float& w, float g, float& m, float& v) {
  float d = k.scale * g;
  m = fmaf(k.beta1, m, k.rest1 * d);
  v = fmaf(k.beta2, v, k.rest2 * d * d);
  w = fmaf(-k.decay, w, w);
  w -= k.lr * (m * k.c1) / (sqrtf(v * k.c2) + k.eps);
}

// What the moments of element i are rounded by: package backend's MomentNoise.
__device__ __forceinline__ u32 noise(u32 step, u32 i) {
  u32 x = i + step * 0x9e3779b9u;
  x ^= x >> 16;
  x *= 0x85ebca6bu;
  x ^= x >> 13;
  x *= 0xc2b2ae35u;
  return x ^ x >> 16;
}

// v rounded to one of its two neighbours in bfloat16, in the lower half.
__device__ __forceinline__ u32 stochastic_bf16(float v, u32 noise) {
  u32 u = __float_as_uint(v);
  if ((u & 0x7f800000u) == 0x7f800000u) return u >> 16 | ((u & 0x7fffffu) != 0 ? 0x40u : 0u);
  return (u + (noise & 0xffffu)) >> 16;
}

// The code of x as a fraction of top; half way between two it is the lower one. middle has 255.
__device__ __forceinline__ u32 nearest8(float x, float top, const float* middle, u32 zero) {
  if (top == 0) return zero;
  float f = x / top;
  u32 code = 0;
#pragma unroll
  for (u32 s = 128; s > 0; s >>= 1) {
    if (f > middle[code + s - 1]) code += s;
  }
  return code;
}

// AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101, alg. 2) on all tensors. Bytes an element, without rounded: 28, with
// bf16 moments 20, with 8-bit ones 16: bound by memory. codes holds what the 256 signed and unsigned codes stand for, and the
// 255 numbers half way between them, each with one more behind.
//
// A thread reads all that it works on at a time before it writes any of it: the compiler cannot know that they lie apart.
extern "C" __global__ void __launch_bounds__(threads, 3)
    optimizer_adamw(const Tensor* all, int count, const float* codes, float scale, float beta1, float beta2, float rest1, float rest2, float c1,
                    float c2, float lr, float eps, u32 step, u32 zero) {
  __shared__ float table[4][256];
  const Tensor& t = owner(all, count);
  float *p = t.p, *rounded = t.rounded;
  const float* g = t.g;
  lr *= t.rate;
  Numbers k = {scale, beta1, beta2, rest1, rest2, c1, c2, lr, lr * t.decay, eps};
  i64 first = (i64)(blockIdx.x - t.first) * block_elements;
  int n = (int)(t.n - first < block_elements ? t.n - first : block_elements);
  p += first;
  g += first;
  if (rounded) rounded += first;
  if (t.form == float_moments) {
    constexpr int each = 4;
    float *ms = (float*)t.m + first, *vs = (float*)t.v + first;
    for (int at = threadIdx.x; at < n; at += each * threads) {
      float w[each], d[each], m[each], v[each];
#pragma unroll
      for (int j = 0; j < each; j++) {
        int i = at + j * threads;
        if (i < n) w[j] = p[i], d[j] = g[i], m[j] = ms[i], v[j] = vs[i];
      }
#pragma unroll
      for (int j = 0; j < each; j++) {
        int i = at + j * threads;
        if (i >= n) break;
        update(k, w[j], d[j], m[j], v[j]);
        p[i] = w[j];
        ms[i] = m[j];
        vs[i] = v[j];
        if (rounded) rounded[i] = nearest_bf16(w[j]);
      }
    }
    return;
  }
  if (t.form == bf16_moments) {
    constexpr int each = 2;  // words
    u32 *mw = (u32*)t.m + first / 2, *vw = (u32*)t.v + first / 2;
    for (int at = threadIdx.x; 2 * at < n; at += each * threads) {
      float w[2 * each], d[2 * each];
      u32 ms[each], vs[each];
#pragma unroll
      for (int j = 0; j < 2 * each; j++) {
        int word = at + j / 2 * threads, i = 2 * word + j % 2;
        if (i < n) w[j] = p[i], d[j] = g[i], ms[j / 2] = mw[word], vs[j / 2] = vw[word];
      }
      u32 mnew = 0, vnew = 0;
#pragma unroll
      for (int j = 0; j < 2 * each; j++) {
        int word = at + j / 2 * threads, i = 2 * word + j % 2;
        if (2 * word >= n) break;
        if (i < n) {
          float m = __uint_as_float(ms[j / 2] >> (16 * (j % 2)) << 16), v = __uint_as_float(vs[j / 2] >> (16 * (j % 2)) << 16);
          update(k, w[j], d[j], m, v);
          p[i] = w[j];
          if (rounded) rounded[i] = nearest_bf16(w[j]);
          u32 x = noise(step, (u32)(t.from + first + i));
          mnew |= stochastic_bf16(m, x) << (16 * (j % 2));
          vnew |= stochastic_bf16(v, x >> 16) << (16 * (j % 2));
        }
        if (j % 2 == 1) {
          mw[word] = mnew;
          vw[word] = vnew;
          mnew = vnew = 0;
        }
      }
    }
    return;
  }
  for (int i = threadIdx.x; i < 1024; i += threads) table[i / 256][i % 256] = codes[i];
  __syncthreads();
  // A warp has a block of 256 elements, a lane words lane and lane + 32 of it.
  u32 *mw = (u32*)t.m + first / 4, *vw = (u32*)t.v + first / 4;
  float *mtops = t.mtop + first / 256, *vtops = t.vtop + first / 256;
  int lane = threadIdx.x % 32;
  for (int block = threadIdx.x / 32; 256 * block < n; block += threads / 32) {
    float w[8], d[8], m[8], v[8], mtop = mtops[block], vtop = vtops[block], mmax = 0, vmax = 0;
    u32 ms[2] = {0, 0}, vs[2] = {0, 0};
#pragma unroll
    for (int j = 0; j < 8; j++) {
      int word = 64 * block + lane + j / 4 * 32, i = 4 * word + j % 4;
      if (i < n) w[j] = p[i], d[j] = g[i], ms[j / 4] = mw[word], vs[j / 4] = vw[word];
    }
#pragma unroll
    for (int j = 0; j < 8; j++) {
      int i = 4 * (64 * block + lane + j / 4 * 32) + j % 4;
      m[j] = v[j] = 0;
      if (i < n) {
        m[j] = table[0][ms[j / 4] >> (8 * (j % 4)) & 255] * mtop;
        v[j] = table[1][vs[j / 4] >> (8 * (j % 4)) & 255] * vtop;
        update(k, w[j], d[j], m[j], v[j]);
        p[i] = w[j];
        if (rounded) rounded[i] = nearest_bf16(w[j]);
      }
      mmax = fmaxf(mmax, fabsf(m[j]));
      vmax = fmaxf(vmax, v[j]);
    }
    mmax = warp_max(mmax);
    vmax = warp_max(vmax);
    __syncwarp();
    if (lane == 0) {
      mtops[block] = mmax;
      vtops[block] = vmax;
    }
    ms[0] = ms[1] = vs[0] = vs[1] = 0;
#pragma unroll
    for (int j = 0; j < 8; j++) {
      int word = 64 * block + lane + j / 4 * 32, i = 4 * word + j % 4;
      if (i < n) {
        ms[j / 4] |= nearest8(m[j], mmax, table[2], zero) << (8 * (j % 4));
        u32 code = nearest8(v[j], vmax, table[3], 0);
        if (code == 0 && v[j] > 0) code = 1;
        vs[j / 4] |= code << (8 * (j % 4));
      }
      if (j % 4 == 3 && 4 * word < n) {
        mw[word] = ms[j / 4];
        vw[word] = vs[j / 4];
      }
    }
  }
}
