// Attention over packed segments on tensor cores: operands rounded to bf16, scores, weights and sums in float32, in the way
// of FlashAttention-2 (Dao 2023, arXiv:2307.08691). A warp owns 16 rows of a tile of 64; the other side passes in blocks of
// 32. What attention.cu says of order and of atomics holds here too.
#include "attention.cuh"
#include "bf16.cuh"

constexpr int warps = 4, tile_rows = 64, block_rows = 32;

// stage copies rows [0, n) of one head to shared memory in bf16, zeros elsewhere in (count, DP); rows lie stride elements
// apart. The pitch of DP+8 puts eight rows of 16 bytes into different banks.
template <int DP>
__device__ __forceinline__ void stage(u16* to, const float* from, i64 stride, int n, int count, int D) {
  for (int r = threadIdx.x / 32; r < count; r += warps) {
    for (int p = threadIdx.x % 32; p < DP / 2; p += 32) {
      float low = r < n && 2 * p < D ? from[r * stride + 2 * p] : 0.0f;
      float high = r < n && 2 * p + 1 < D ? from[r * stride + 2 * p + 1] : 0.0f;
      *(u32*)&to[r * (DP + 8) + 2 * p] = pair(low, high);
    }
  }
}

// s (16, 32) = a (16, DP) · b (32, DP)ᵀ for the warp's 16 rows of a. s[j][e] is row lane/4 + e/2·8, column j·8 + lane%4·2 + e%2.
template <int DP>
__device__ __forceinline__ void scores(float (&s)[4][4], const u16* a, const u16* b, int lane) {
#pragma unroll
  for (int j = 0; j < 4; j++) s[j][0] = s[j][1] = s[j][2] = s[j][3] = 0;
#pragma unroll
  for (int k = 0; k < DP; k += 16) {
    u32 x[4];
    load_matrices(x, &a[lane % 16 * (DP + 8) + k + lane / 16 * 8]);
#pragma unroll
    for (int j = 0; j < 2; j++) {
      u32 y[4];
      load_matrices(y, &b[(j * 16 + lane % 8 + lane / 16 * 8) * (DP + 8) + k + lane / 8 % 2 * 8]);
      multiply(s[2 * j], x, y[0], y[1]);
      multiply(s[2 * j + 1], x, y[2], y[3]);
    }
  }
}

// sum (16, DP) += p (16, 32) · b (32, DP), p as scores leaves it, rounded to bf16.
template <int DP>
__device__ __forceinline__ void add_weighted(float (&sum)[DP / 8][4], const float (&p)[4][4], const u16* b, int lane) {
#pragma unroll
  for (int k = 0; k < 2; k++) {
    u32 x[4] = {pair(p[2 * k][0], p[2 * k][1]), pair(p[2 * k][2], p[2 * k][3]), pair(p[2 * k + 1][0], p[2 * k + 1][1]),
                pair(p[2 * k + 1][2], p[2 * k + 1][3])};
#pragma unroll
    for (int j = 0; j < DP / 16; j++) {
      u32 y[4];
      load_turned(y, &b[(k * 16 + lane % 16) * (DP + 8) + j * 16 + lane / 16 * 8]);
      multiply(sum[2 * j], x, y[0], y[1]);
      multiply(sum[2 * j + 1], x, y[2], y[3]);
    }
  }
}

// write stores the warp's 16 rows of sums, scaled, of which n exist.
template <int DP>
__device__ __forceinline__ void write(float* to, i64 stride, const float (&sum)[DP / 8][4], const float (&scale)[2], int n, int D, int lane) {
#pragma unroll
  for (int h = 0; h < 2; h++) {
    int r = lane / 4 + h * 8;
    if (r >= n) continue;
#pragma unroll
    for (int j = 0; j < DP / 8; j++) {
#pragma unroll
      for (int f = 0; f < 2; f++) {
        int d = j * 8 + lane % 4 * 2 + f;
        if (d < D) to[r * stride + d] = sum[j][2 * h + f] * scale[h];
      }
    }
  }
}

// The four lanes that hold a row's columns agree on its largest and on its sum.
__device__ __forceinline__ float row_max(float v) {
  v = fmaxf(v, __shfl_xor_sync(all_lanes, v, 1));
  return fmaxf(v, __shfl_xor_sync(all_lanes, v, 2));
}
__device__ __forceinline__ float row_sum(float v) {
  v += __shfl_xor_sync(all_lanes, v, 1);
  return v + __shfl_xor_sync(all_lanes, v, 2);
}

template <int DP>
__device__ __forceinline__ void forward(float* o, float* lse, const float* q, const float* k, const float* v, const Tile* tiles,
                                        const int* leads, int H, int KH, int D, float scale, int window, int full) {
  extern __shared__ __align__(16) u16 shared[];
  u16 *qs = shared, *ks = qs + tile_rows * (DP + 8), *vs = ks + block_rows * (DP + 8);
  Tile tile = tiles[blockIdx.x];
  int lead = leads[blockIdx.x], head = blockIdx.y, kv = head * KH / H;
  int lane = threadIdx.x % 32, r0 = threadIdx.x / 32 * 16;
  stage<DP>(qs, q + ((i64)tile.row * H + head) * D, (i64)H * D, tile.n, tile_rows, D);
  float acc[DP / 8][4] = {}, top[2] = {-infinity(), -infinity()}, sum[2] = {0, 0}, scale2 = scale * log2_e;
  Range seen[2];
#pragma unroll
  for (int h = 0; h < 2; h++) seen[h] = visible(tile.at + r0 + lane / 4 + h * 8, lead, tile.len, window, full);
  int begin = visible(tile.at, lead, tile.len, window, full).first / block_rows * block_rows;
  int end = visible(tile.at + tile.n - 1, lead, tile.len, window, full).end;
  for (int k0 = begin; k0 < end; k0 += block_rows) {
    __syncthreads();
    i64 from = ((i64)(tile.other + k0) * KH + kv) * D;
    int n = end - k0 < block_rows ? end - k0 : block_rows;
    stage<DP>(ks, k + from, (i64)KH * D, n, block_rows, D);
    stage<DP>(vs, v + from, (i64)KH * D, n, block_rows, D);
    __syncthreads();
    if (r0 >= tile.n) continue;  // a warp without queries only helps to load
    float s[4][4];
    scores<DP>(s, qs + r0 * (DP + 8), ks, lane);
#pragma unroll
    for (int h = 0; h < 2; h++) {
      bool in = r0 + lane / 4 + h * 8 < tile.n;
      float most = top[h];
#pragma unroll
      for (int j = 0; j < 4; j++) {
#pragma unroll
        for (int f = 0; f < 2; f++) {
          int key = k0 + j * 8 + lane % 4 * 2 + f;
          float& x = s[j][2 * h + f];
          x = in && key >= seen[h].first && key < seen[h].end ? x * scale2 : -infinity();
          most = fmaxf(most, x);
        }
      }
      most = row_max(most);
      float base = most == -infinity() ? 0.0f : most;  // a row that sees none of the keys so far
      float shrink = exp2_fast(top[h] - base);
      top[h] = most;
      sum[h] *= shrink;
#pragma unroll
      for (int j = 0; j < DP / 8; j++) {
        acc[j][2 * h] *= shrink;
        acc[j][2 * h + 1] *= shrink;
      }
#pragma unroll
      for (int j = 0; j < 4; j++) {
#pragma unroll
        for (int f = 0; f < 2; f++) {
          float& x = s[j][2 * h + f];
          x = exp2_fast(x - base);
          sum[h] += x;
        }
      }
    }
    add_weighted<DP>(acc, s, vs, lane);
  }
  if (r0 >= tile.n) return;
  float inverse[2];
#pragma unroll
  for (int h = 0; h < 2; h++) {
    sum[h] = row_sum(sum[h]);
    inverse[h] = 1.0f / sum[h];
    int r = r0 + lane / 4 + h * 8;
    if (lse && lane % 4 == 0 && r < tile.n) lse[(i64)(tile.row + r) * H + head] = top[h] * ln_2 + logf(sum[h]);
  }
  write<DP>(o + ((i64)(tile.row + r0) * H + head) * D, (i64)H * D, acc, inverse, tile.n - r0, D, lane);
}

// dQ = scale·dS·K, dS = P·(dO·Vᵀ - delta), delta = rowsum(dO·O), which is written for the other kernel.
template <int DP>
__device__ __forceinline__ void backward_q(float* dQ, float* delta, const float* dO, const float* q, const float* k, const float* v,
                                           const float* o, const float* lse, const Tile* tiles, int H, int KH, int D, float scale,
                                           int window, int full) {
  extern __shared__ __align__(16) u16 shared[];
  u16 *qs = shared, *ds = qs + tile_rows * (DP + 8), *ks = ds + tile_rows * (DP + 8), *vs = ks + block_rows * (DP + 8);
  Tile tile = tiles[blockIdx.x];
  int head = blockIdx.y, kv = head * KH / H;
  int lane = threadIdx.x % 32, r0 = threadIdx.x / 32 * 16;
  i64 own = ((i64)tile.row * H + head) * D;
  stage<DP>(qs, q + own, (i64)H * D, tile.n, tile_rows, D);
  stage<DP>(ds, dO + own, (i64)H * D, tile.n, tile_rows, D);
  float mean[2] = {0, 0}, base[2] = {0, 0};
  for (int r = 0; r < 16 && r0 + r < tile.n; r++) {
    i64 row = (i64)(tile.row + r0 + r) * H + head;
    float total = 0;
    for (int d = lane; d < D; d += 32) total = fmaf(dO[row * D + d], o[row * D + d], total);
    total = warp_sum(total);
    if (lane == 0) delta[row] = total;
    if (r % 8 == lane / 4) {
      mean[r / 8] = total;
      base[r / 8] = lse[row] * log2_e;
    }
  }
  float acc[DP / 8][4] = {}, scale2 = scale * log2_e;
  Range seen[2];
#pragma unroll
  for (int h = 0; h < 2; h++) seen[h] = visible(tile.at + r0 + lane / 4 + h * 8, 0, tile.len, window, full);
  int begin = visible(tile.at, 0, tile.len, window, full).first / block_rows * block_rows;
  int end = visible(tile.at + tile.n - 1, 0, tile.len, window, full).end;
  for (int k0 = begin; k0 < end; k0 += block_rows) {
    __syncthreads();
    i64 from = ((i64)(tile.other + k0) * KH + kv) * D;
    int n = end - k0 < block_rows ? end - k0 : block_rows;
    stage<DP>(ks, k + from, (i64)KH * D, n, block_rows, D);
    stage<DP>(vs, v + from, (i64)KH * D, n, block_rows, D);
    __syncthreads();
    if (r0 >= tile.n) continue;
    float s[4][4], p[4][4];
    scores<DP>(s, qs + r0 * (DP + 8), ks, lane);
    scores<DP>(p, ds + r0 * (DP + 8), vs, lane);
#pragma unroll
    for (int j = 0; j < 4; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        int h = e / 2, key = k0 + j * 8 + lane % 4 * 2 + e % 2;
        bool sees = r0 + lane / 4 + h * 8 < tile.n && key >= seen[h].first && key < seen[h].end;
        s[j][e] = sees ? exp2_fast(s[j][e] * scale2 - base[h]) * (p[j][e] - mean[h]) : 0.0f;
      }
    }
    add_weighted<DP>(acc, s, ks, lane);
  }
  if (r0 >= tile.n) return;
  float scales[2] = {scale, scale};
  write<DP>(dQ + own + (i64)r0 * H * D, (i64)H * D, acc, scales, tile.n - r0, D, lane);
}

// dV = Pᵀ·dO, dK = scale·dSᵀ·Q for a tile of keys and one key-value head, summed over its query heads in their order.
template <int DP>
__device__ __forceinline__ void backward_kv(float* dK, float* dV, const float* delta, const float* dO, const float* q, const float* k,
                                            const float* v, const float* lse, const Tile* tiles, int H, int KH, int D, float scale,
                                            int window, int full) {
  extern __shared__ __align__(16) u16 shared[];
  u16 *ks = shared, *vs = ks + tile_rows * (DP + 8), *qs = vs + tile_rows * (DP + 8), *ds = qs + block_rows * (DP + 8);
  Tile tile = tiles[blockIdx.x];
  int kv = blockIdx.y, group = H / KH;
  int lane = threadIdx.x % 32, r0 = threadIdx.x / 32 * 16;
  i64 own = ((i64)tile.row * KH + kv) * D;
  stage<DP>(ks, k + own, (i64)KH * D, tile.n, tile_rows, D);
  stage<DP>(vs, v + own, (i64)KH * D, tile.n, tile_rows, D);
  float sum_k[DP / 8][4] = {}, sum_v[DP / 8][4] = {}, scale2 = scale * log2_e;
  Range queries = seeing(tile, window, full);
  for (int head = kv * group; head < (kv + 1) * group; head++) {
    for (int q0 = queries.first / block_rows * block_rows; q0 < queries.end; q0 += block_rows) {
      __syncthreads();
      i64 from = (i64)(tile.other + q0) * H + head;
      int n = queries.end - q0 < block_rows ? queries.end - q0 : block_rows;
      stage<DP>(qs, q + from * D, (i64)H * D, n, block_rows, D);
      stage<DP>(ds, dO + from * D, (i64)H * D, n, block_rows, D);
      __syncthreads();
      if (r0 >= tile.n) continue;
      float s[4][4], p[4][4];
      scores<DP>(s, ks + r0 * (DP + 8), qs, lane);
      scores<DP>(p, vs + r0 * (DP + 8), ds, lane);
#pragma unroll
      for (int j = 0; j < 4; j++) {
#pragma unroll
        for (int f = 0; f < 2; f++) {
          int i = j * 8 + lane % 4 * 2 + f;  // this column's query, in the block
          bool in = i < n;
          float base = in ? lse[from + (i64)i * H] * log2_e : 0.0f, mean = in ? delta[from + (i64)i * H] : 0.0f;
          Range seen = visible(q0 + i, 0, tile.len, window, full);
#pragma unroll
          for (int h = 0; h < 2; h++) {
            int r = r0 + lane / 4 + h * 8, key = tile.at + r;
            bool sees = in && r < tile.n && key >= seen.first && key < seen.end;
            float weight = sees ? exp2_fast(s[j][2 * h + f] * scale2 - base) : 0.0f;
            s[j][2 * h + f] = weight;
            p[j][2 * h + f] = weight * (p[j][2 * h + f] - mean);
          }
        }
      }
      add_weighted<DP>(sum_v, s, ds, lane);
      add_weighted<DP>(sum_k, p, qs, lane);
    }
  }
  if (r0 >= tile.n) return;
  float one[2] = {1, 1}, scales[2] = {scale, scale};
  write<DP>(dV + own + (i64)r0 * KH * D, (i64)KH * D, sum_v, one, tile.n - r0, D, lane);
  write<DP>(dK + own + (i64)r0 * KH * D, (i64)KH * D, sum_k, scales, tile.n - r0, D, lane);
}

// One set of kernels for heads of up to DP elements.
#define FLASH(DP)                                                                                                                    \
  KERNEL __launch_bounds__(128) flash_forward_##DP(float* o, float* lse, const float* q, const float* k, const float* v,             \
                                                   const Tile* tiles, const int* leads, int H, int KH, int D, float scale,           \
                                                   int window, int full) {                                                           \
    forward<DP>(o, lse, q, k, v, tiles, leads, H, KH, D, scale, window, full);                                                       \
  }                                                                                                                                  \
  KERNEL __launch_bounds__(128) flash_backward_q_##DP(float* dQ, float* delta, const float* dO, const float* q, const float* k,      \
                                                      const float* v, const float* o, const float* lse, const Tile* tiles, int H,    \
                                                      int KH, int D, float scale, int window, int full) {                            \
    backward_q<DP>(dQ, delta, dO, q, k, v, o, lse, tiles, H, KH, D, scale, window, full);                                            \
  }                                                                                                                                  \
  KERNEL __launch_bounds__(128) flash_backward_kv_##DP(float* dK, float* dV, const float* delta, const float* dO, const float* q,    \
                                                       const float* k, const float* v, const float* lse, const Tile* tiles, int H,   \
                                                       int KH, int D, float scale, int window, int full) {                           \
    backward_kv<DP>(dK, dV, delta, dO, q, k, v, lse, tiles, H, KH, D, scale, window, full);                                          \
  }

FLASH(32)
#ifndef SMALL_HEADS  // the mutation test compiles this one alone
FLASH(64)
FLASH(128)
#endif
