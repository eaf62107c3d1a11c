// Attention over packed segments in float32, in the way of FlashAttention-2 (Dao 2023, arXiv:2307.08691): keys in blocks
// with a running maximum forward, scores made again from lse backward. No buffer grows with the square of the length.
// The gradients of keys and of queries have a kernel each, so that no sum needs an atomic addition.
#include "attention.cuh"

constexpr int tile_rows = 16, block_rows = 32, warps = 4, per_warp = tile_rows / warps;

// load copies rows [0, n) of one head to shared memory; rows lie stride elements apart.
__device__ __forceinline__ void load(float* to, int pitch, const float* from, i64 stride, int n, int D) {
#pragma unroll 1
  for (int r = threadIdx.x / 32; r < n; r += warps) {
#pragma unroll 1
    for (int d = threadIdx.x % 32; d < D; d += 32) to[r * pitch + d] = from[r * stride + d];
  }
}

// turned is load with rows and columns exchanged: element d of row r lies at to[d·tile_rows + r], so that a warp reads its
// four rows at once. Behind the last row there are zeros up to a multiple of four.
__device__ __forceinline__ void turned(float* to, const float* from, i64 stride, int n, int D) {
#pragma unroll 1
  for (int r = threadIdx.x / 32; r < (n + per_warp - 1) / per_warp * per_warp; r += warps) {
#pragma unroll 1
    for (int d = threadIdx.x % 32; d < D; d += 32) to[d * tile_rows + r] = r < n ? from[r * stride + d] : 0.0f;
  }
}

// A warp's four rows of something.
struct Four {
  float x[per_warp];
};
__device__ __forceinline__ Four four(const float* p) {
  float4 v = *(const float4*)p;
  return {{v.x, v.y, v.z, v.w}};
}

// keep writes what a lane knows of the warp's four rows where all lanes can read it: row j of (block_rows, tile_rows) is
// lane j's. The lanes of a warp read only what they wrote, so no more than the warp has to wait.
__device__ __forceinline__ void keep(float* to, int lane, int r0, const float (&x)[per_warp]) {
  *(float4*)&to[lane * tile_rows + r0] = make_float4(x[0], x[1], x[2], x[3]);
}

// o = softmax(scale·q·kᵀ)·v for a tile of queries and one head. lead of a tile = KLen - QLen of its segment.
// Lanes are keys while scores are summed and elements of the head while values are; DL = ceil(D/32).
template <int DL>
__device__ __forceinline__ void forward(float* o, float* lse, const float* q, const float* k, const float* v, const Tile* tiles,
                                        const int* leads, int H, int KH, int D, float scale, int window, int full) {
  extern __shared__ __align__(16) float shared[];
  float *qs = shared, *ps = qs + tile_rows * D, *ks = ps + tile_rows * block_rows, *vs = ks + block_rows * (D + 1);
  Tile tile = tiles[blockIdx.x];
  int lead = leads[blockIdx.x], head = blockIdx.y, kv = head * KH / H;
  int lane = threadIdx.x % 32, r0 = threadIdx.x / 32 * per_warp;
  turned(qs, q + ((i64)tile.row * H + head) * D, (i64)H * D, tile.n, D);
  float top[per_warp], sum[per_warp], acc[per_warp][DL];
#pragma unroll
  for (int r = 0; r < per_warp; r++) {
    top[r] = -infinity();
    sum[r] = 0;
#pragma unroll
    for (int e = 0; e < DL; e++) acc[r][e] = 0;
  }
  float scale2 = scale * log2_e;
  int begin = visible(tile.at, lead, tile.len, window, full).first / block_rows * block_rows;
  int end = visible(tile.at + tile.n - 1, lead, tile.len, window, full).end;
  for (int k0 = begin; k0 < end; k0 += block_rows) {
    __syncthreads();
    i64 from = ((i64)(tile.other + k0) * KH + kv) * D;
    int n = end - k0 < block_rows ? end - k0 : block_rows;
    load(ks, D + 1, k + from, (i64)KH * D, n, D);
    load(vs, D, v + from, (i64)KH * D, n, D);
    __syncthreads();
    if (r0 >= tile.n) continue;  // a warp without queries only helps to load
    float s[per_warp] = {};
    for (int d = 0; lane < n && d < D; d++) {
      float x = ks[lane * (D + 1) + d];
      Four a = four(&qs[d * tile_rows + r0]);
#pragma unroll
      for (int r = 0; r < per_warp; r++) s[r] = fmaf(a.x[r], x, s[r]);
    }
#pragma unroll
    for (int r = 0; r < per_warp; r++) {
      Range seen = visible(tile.at + r0 + r, lead, tile.len, window, full);
      int key = k0 + lane;
      bool sees = r0 + r < tile.n && key >= seen.first && key < seen.end;
      float x = sees ? s[r] * scale2 : -infinity();
      float most = fmaxf(top[r], warp_max(x));
      if (most == -infinity()) {  // this query sees none of the keys so far
        s[r] = 0;
        continue;
      }
      float shrink = exp2_fast(top[r] - most);
      s[r] = exp2_fast(x - most);
      sum[r] = sum[r] * shrink + s[r];
      top[r] = most;
#pragma unroll
      for (int e = 0; e < DL; e++) acc[r][e] *= shrink;
    }
    keep(ps, lane, r0, s);
    __syncwarp();
#pragma unroll 2
    for (int j = 0; j < n; j++) {
      Four p = four(&ps[j * tile_rows + r0]);
#pragma unroll
      for (int e = 0; e < DL; e++) {
        int d = lane + 32 * e;
        if (d >= D) break;
        float x = vs[j * D + d];
#pragma unroll
        for (int r = 0; r < per_warp; r++) acc[r][e] = fmaf(p.x[r], x, acc[r][e]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < per_warp; r++) {
    float total = warp_sum(sum[r]);
    if (r0 + r >= tile.n) break;
    i64 row = (i64)(tile.row + r0 + r) * H + head;
#pragma unroll
    for (int e = 0; e < DL; e++) {
      int d = lane + 32 * e;
      if (d < D) o[row * D + d] = acc[r][e] / total;
    }
    if (lse && lane == 0) lse[row] = top[r] * ln_2 + logf(total);
  }
}

// dQ = scale·dS·K, dS = P·(dO·Vᵀ - delta), delta = rowsum(dO·O), which is written for the other kernel.
template <int DL>
__device__ __forceinline__ void backward_q(float* dQ, float* delta, const float* dO, const float* q, const float* k, const float* v,
                                           const float* o, const float* lse, const Tile* tiles, int H, int KH, int D, float scale,
                                           int window, int full) {
  extern __shared__ __align__(16) float shared[];
  float *qs = shared, *ds = qs + tile_rows * D, *ps = ds + tile_rows * D, *ks = ps + tile_rows * block_rows, *vs = ks + block_rows * (D + 1);
  Tile tile = tiles[blockIdx.x];
  int head = blockIdx.y, kv = head * KH / H;
  int lane = threadIdx.x % 32, r0 = threadIdx.x / 32 * per_warp;
  i64 own = ((i64)tile.row * H + head) * D;
  turned(qs, q + own, (i64)H * D, tile.n, D);
  turned(ds, dO + own, (i64)H * D, tile.n, D);
  __syncthreads();
  float base[per_warp], mean[per_warp], acc[per_warp][DL];
#pragma unroll
  for (int r = 0; r < per_warp; r++) {
    i64 row = (i64)(tile.row + r0 + r) * H + head;
    bool in = r0 + r < tile.n;
    float total = 0;
    for (int d = lane; in && d < D; d += 32) total = fmaf(ds[d * tile_rows + r0 + r], o[row * D + d], total);
    mean[r] = warp_sum(total);
    base[r] = in ? lse[row] * log2_e : 0.0f;
    if (in && lane == 0) delta[row] = mean[r];
#pragma unroll
    for (int e = 0; e < DL; e++) acc[r][e] = 0;
  }
  float scale2 = scale * log2_e;
  int begin = visible(tile.at, 0, tile.len, window, full).first / block_rows * block_rows;
  int end = visible(tile.at + tile.n - 1, 0, tile.len, window, full).end;
  for (int k0 = begin; k0 < end; k0 += block_rows) {
    __syncthreads();
    i64 from = ((i64)(tile.other + k0) * KH + kv) * D;
    int n = end - k0 < block_rows ? end - k0 : block_rows;
    load(ks, D + 1, k + from, (i64)KH * D, n, D);
    load(vs, D + 1, v + from, (i64)KH * D, n, D);
    __syncthreads();
    if (r0 >= tile.n) continue;
    float s[per_warp] = {}, p[per_warp] = {};
    for (int d = 0; lane < n && d < D; d++) {
      float x = ks[lane * (D + 1) + d], y = vs[lane * (D + 1) + d];
      Four a = four(&qs[d * tile_rows + r0]), b = four(&ds[d * tile_rows + r0]);
#pragma unroll
      for (int r = 0; r < per_warp; r++) {
        s[r] = fmaf(a.x[r], x, s[r]);
        p[r] = fmaf(b.x[r], y, p[r]);
      }
    }
#pragma unroll
    for (int r = 0; r < per_warp; r++) {
      Range seen = visible(tile.at + r0 + r, 0, tile.len, window, full);
      int key = k0 + lane;
      bool sees = r0 + r < tile.n && key >= seen.first && key < seen.end;
      s[r] = sees ? scale * exp2_fast(s[r] * scale2 - base[r]) * (p[r] - mean[r]) : 0.0f;
    }
    keep(ps, lane, r0, s);
    __syncwarp();
#pragma unroll 2
    for (int j = 0; j < n; j++) {
      Four weight = four(&ps[j * tile_rows + r0]);
#pragma unroll
      for (int e = 0; e < DL; e++) {
        int d = lane + 32 * e;
        if (d >= D) break;
        float x = ks[j * (D + 1) + d];
#pragma unroll
        for (int r = 0; r < per_warp; r++) acc[r][e] = fmaf(weight.x[r], x, acc[r][e]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < per_warp; r++) {
    if (r0 + r >= tile.n) break;
    i64 row = (i64)(tile.row + r0 + r) * H + head;
#pragma unroll
    for (int e = 0; e < DL; e++) {
      int d = lane + 32 * e;
      if (d < D) dQ[row * D + d] = acc[r][e];
    }
  }
}

// dV = Pᵀ·dO, dK = scale·dSᵀ·Q for a tile of keys and one key-value head, summed over its query heads in their order.
// Lanes are queries while scores are summed.
template <int DL>
__device__ __forceinline__ void backward_kv(float* dK, float* dV, const float* delta, const float* dO, const float* q, const float* k,
                                            const float* v, const float* lse, const Tile* tiles, int H, int KH, int D, float scale,
                                            int window, int full) {
  extern __shared__ __align__(16) float shared[];
  float *ks = shared, *vs = ks + tile_rows * D, *ss = vs + tile_rows * D, *ps = ss + tile_rows * block_rows;
  float *qs = ps + tile_rows * block_rows, *ds = qs + block_rows * (D + 1);
  Tile tile = tiles[blockIdx.x];
  int kv = blockIdx.y, group = H / KH;
  int lane = threadIdx.x % 32, r0 = threadIdx.x / 32 * per_warp;
  i64 own = ((i64)tile.row * KH + kv) * D;
  turned(ks, k + own, (i64)KH * D, tile.n, D);
  turned(vs, v + own, (i64)KH * D, tile.n, D);
  float sum_k[per_warp][DL], sum_v[per_warp][DL];
#pragma unroll
  for (int r = 0; r < per_warp; r++) {
#pragma unroll
    for (int e = 0; e < DL; e++) sum_k[r][e] = sum_v[r][e] = 0;
  }
  float scale2 = scale * log2_e;
  Range queries = seeing(tile, window, full);
  for (int head = kv * group; head < (kv + 1) * group; head++) {
    for (int q0 = queries.first / block_rows * block_rows; q0 < queries.end; q0 += block_rows) {
      __syncthreads();
      i64 from = (i64)(tile.other + q0) * H + head;
      int n = queries.end - q0 < block_rows ? queries.end - q0 : block_rows;
      load(qs, D + 1, q + from * D, (i64)H * D, n, D);
      load(ds, D + 1, dO + from * D, (i64)H * D, n, D);
      __syncthreads();
      if (r0 >= tile.n) continue;
      int i = q0 + lane;  // this lane's query
      bool in = lane < n;
      float base = in ? lse[from + (i64)lane * H] * log2_e : 0.0f, mean = in ? delta[from + (i64)lane * H] : 0.0f;
      Range seen = visible(i, 0, tile.len, window, full);
      float s[per_warp] = {}, p[per_warp] = {};
      for (int d = 0; lane < n && d < D; d++) {
        float x = qs[lane * (D + 1) + d], y = ds[lane * (D + 1) + d];
        Four a = four(&ks[d * tile_rows + r0]), b = four(&vs[d * tile_rows + r0]);
#pragma unroll
        for (int r = 0; r < per_warp; r++) {
          s[r] = fmaf(a.x[r], x, s[r]);
          p[r] = fmaf(b.x[r], y, p[r]);
        }
      }
#pragma unroll
      for (int r = 0; r < per_warp; r++) {
        int key = tile.at + r0 + r;
        bool sees = in && r0 + r < tile.n && key >= seen.first && key < seen.end;
        float weight = sees ? exp2_fast(s[r] * scale2 - base) : 0.0f;
        s[r] = scale * weight * (p[r] - mean);
        p[r] = weight;
      }
      keep(ss, lane, r0, s);
      keep(ps, lane, r0, p);
      __syncwarp();
#pragma unroll 2
      for (int j = 0; j < n; j++) {
        Four a = four(&ss[j * tile_rows + r0]), b = four(&ps[j * tile_rows + r0]);
#pragma unroll
        for (int e = 0; e < DL; e++) {
          int d = lane + 32 * e;
          if (d >= D) break;
          float x = qs[j * (D + 1) + d], y = ds[j * (D + 1) + d];
#pragma unroll
          for (int r = 0; r < per_warp; r++) {
            sum_k[r][e] = fmaf(a.x[r], x, sum_k[r][e]);
            sum_v[r][e] = fmaf(b.x[r], y, sum_v[r][e]);
          }
        }
      }
    }
  }
#pragma unroll
  for (int r = 0; r < per_warp; r++) {
    if (r0 + r >= tile.n) break;
    i64 row = (i64)(tile.row + r0 + r) * KH + kv;
#pragma unroll
    for (int e = 0; e < DL; e++) {
      int d = lane + 32 * e;
      if (d >= D) break;
      dK[row * D + d] = sum_k[r][e];
      dV[row * D + d] = sum_v[r][e];
    }
  }
}

// One set of kernels for heads of up to 32·DL elements.
#define ATTENTION(size, DL)                                                                                                            \
  KERNEL __launch_bounds__(128) attention_forward_##size(float* o, float* lse, const float* q, const float* k, const float* v,         \
                                                         const Tile* tiles, const int* leads, int H, int KH, int D, float scale,       \
                                                         int window, int full) {                                                       \
    forward<DL>(o, lse, q, k, v, tiles, leads, H, KH, D, scale, window, full);                                                         \
  }                                                                                                                                    \
  KERNEL __launch_bounds__(128) attention_backward_q_##size(float* dQ, float* delta, const float* dO, const float* q, const float* k,  \
                                                            const float* v, const float* o, const float* lse, const Tile* tiles,       \
                                                            int H, int KH, int D, float scale, int window, int full) {                 \
    backward_q<DL>(dQ, delta, dO, q, k, v, o, lse, tiles, H, KH, D, scale, window, full);                                              \
  }                                                                                                                                    \
  KERNEL __launch_bounds__(128) attention_backward_kv_##size(float* dK, float* dV, const float* delta, const float* dO,                \
                                                             const float* q, const float* k, const float* v, const float* lse,        \
                                                             const Tile* tiles, int H, int KH, int D, float scale, int window,         \
                                                             int full) {                                                               \
    backward_kv<DL>(dK, dV, delta, dO, q, k, v, lse, tiles, H, KH, D, scale, window, full);                                            \
  }

ATTENTION(32, 1)
#ifndef SMALL_HEADS  // the mutation test compiles this one alone
ATTENTION(64, 2)
ATTENTION(128, 4)
ATTENTION(256, 8)
#endif
