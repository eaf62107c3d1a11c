// Attention over packed segments on tensor cores: operands in bf16, scores, weights and sums in float32, in the way of
// FlashAttention-2 (Dao 2023, arXiv:2307.08691). A warp owns 16 rows of a tile of 64; the other side passes in blocks of 64 keys
// forward and of 32 rows backward, the next one copied while one is multiplied. q, k, v and dO come as (rows·heads, DP) in bf16
// with zeros behind D. What attention.cu says of order and of atomics holds here too.
#include "attention.cuh"
#include "bf16.cuh"

constexpr int warps = 4, tile_rows = 64, key_rows = 64, block_rows = 32;

// fetch starts to copy rows [0, n) of one head to (count, DP) in shared memory, zeros behind them; rows lie stride elements
// apart. The pitch of DP+8 puts eight rows of 16 bytes into different banks.
template <int DP>
__device__ __forceinline__ void fetch(u16* to, const u16* from, i64 stride, int n, int count) {
#pragma unroll 4
  for (int c = threadIdx.x; c < count * (DP / 8); c += warps * 32) {
    int r = c / (DP / 8), at = c % (DP / 8) * 8;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(&to[r * (DP + 8) + at])), "l"(from + r * stride + at),
                 "r"(r < n ? 16 : 0));
  }
}

// fetch_numbers is fetch for up to 32 numbers that lie stride apart.
__device__ __forceinline__ void fetch_numbers(float* to, const float* from, i64 stride, int n) {
  int i = threadIdx.x % 32;
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(&to[i])), "l"(from + i * stride), "r"(i < n ? 4 : 0));
}

__device__ __forceinline__ void commit() { asm volatile("cp.async.commit_group;"); }

// arrived waits until what was fetched is there for all threads, which are then done with all that they read before.
__device__ __forceinline__ void arrived() {
  asm volatile("cp.async.wait_group 0;");
  __syncthreads();
}

__device__ __forceinline__ void load_rows(u32 (&x)[4], const u16* a, int pitch, int k, int lane) {
  load_matrices(x, &a[lane % 16 * pitch + k + lane / 16 * 8]);
}

// s (16, 8·N) += x · b (8·N, 16)ᵀ for the 16 columns of b from k on.
template <int DP, int N>
__device__ __forceinline__ void add_scores(float (&s)[N][4], const u32 (&x)[4], const u16* b, int k, int lane) {
#pragma unroll
  for (int j = 0; j < N / 2; j++) {
    u32 y[4];
    load_matrices(y, &b[(j * 16 + lane % 8 + lane / 16 * 8) * (DP + 8) + k + lane / 8 % 2 * 8]);
    multiply(s[2 * j], x, y[0], y[1]);
    multiply(s[2 * j + 1], x, y[2], y[3]);
  }
}

// s (16, 8·N) = a (16, DP) · b (8·N, DP)ᵀ for the warp's 16 rows of a. s[j][e] is row lane/4 + e/2·8, column j·8 + lane%4·2 + e%2.
template <int DP, int N>
__device__ __forceinline__ void scores(float (&s)[N][4], const u16* a, const u16* b, int lane) {
#pragma unroll
  for (int j = 0; j < N; j++) s[j][0] = s[j][1] = s[j][2] = s[j][3] = 0;
#pragma unroll
  for (int k = 0; k < DP; k += 16) {
    u32 x[4];
    load_rows(x, a, DP + 8, k, lane);
    add_scores<DP, N>(s, x, b, k, lane);
  }
}

// sum (16, DP) += p (16, 8·N) · b (8·N, DP), p as scores leaves it, rounded to bf16.
template <int DP, int N>
__device__ __forceinline__ void add_weighted(float (&sum)[DP / 8][4], const float (&p)[N][4], const u16* b, int lane) {
#pragma unroll
  for (int k = 0; k < N / 2; k++) {
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

template <int DP>
__device__ __forceinline__ void forward(float* o, float* lse, const u16* q, const u16* k, const u16* v, const Tile* tiles, const int* leads,
                                        int H, int KH, int D, float scale, int window, int full) {
  constexpr int N = key_rows / 8, stage = 2 * key_rows * (DP + 8);
  extern __shared__ __align__(16) u16 shared[];
  Tile tile = tiles[blockIdx.x];
  int lead = leads[blockIdx.x], head = blockIdx.y, kv = head * KH / H;
  int lane = threadIdx.x % 32, r0 = threadIdx.x / 32 * 16;
  int begin = visible(tile.at, lead, tile.len, window, full).first / key_rows * key_rows;
  int end = visible(tile.at + tile.n - 1, lead, tile.len, window, full).end;
  auto next = [&](int k0, int place) {
    if (k0 < end) {
      i64 from = ((i64)(tile.other + k0) * KH + kv) * DP;
      u16* ks = shared + place * stage;
      fetch<DP>(ks, k + from, (i64)KH * DP, end - k0, key_rows);
      fetch<DP>(ks + key_rows * (DP + 8), v + from, (i64)KH * DP, end - k0, key_rows);
    }
    commit();
  };
  // The queries pass through the second place of keys on their way to registers.
  fetch<DP>(shared + stage, q + ((i64)tile.row * H + head) * DP, (i64)H * DP, tile.n, tile_rows);
  next(begin, 0);
  arrived();
  u32 x[DP / 16][4];
#pragma unroll
  for (int i = 0; i < DP / 16; i++) load_rows(x[i], shared + stage + r0 * (DP + 8), DP + 8, i * 16, lane);
  float acc[DP / 8][4] = {}, top[2] = {-infinity(), -infinity()}, sum[2] = {0, 0}, scale2 = scale * log2_e;
  Range seen[2];
#pragma unroll
  for (int h = 0; h < 2; h++) seen[h] = visible(tile.at + r0 + lane / 4 + h * 8, lead, tile.len, window, full);
  // Keys that all of the warp's queries see need no look at each.
  int last = tile.n - 1 < r0 + 15 ? tile.n - 1 : r0 + 15;
  Range all = {visible(tile.at + last, lead, tile.len, window, full).first, visible(tile.at + r0, lead, tile.len, window, full).end};
  int place = 0;
  for (int k0 = begin; k0 < end; k0 += key_rows, place ^= 1) {
    arrived();
    next(k0 + key_rows, place ^ 1);
    if (r0 >= tile.n) continue;  // a warp without queries only helps to load
    const u16 *ks = shared + place * stage, *vs = ks + key_rows * (DP + 8);
    float s[N][4];
#pragma unroll
    for (int j = 0; j < N; j++) s[j][0] = s[j][1] = s[j][2] = s[j][3] = 0;
#pragma unroll
    for (int i = 0; i < DP / 16; i++) add_scores<DP, N>(s, x[i], ks, i * 16, lane);
    bool whole = k0 >= all.first && k0 + key_rows <= all.end;
#pragma unroll
    for (int h = 0; h < 2; h++) {
      float most = top[h];
      if (whole) {
#pragma unroll
        for (int j = 0; j < N; j++) {
#pragma unroll
          for (int f = 0; f < 2; f++) {
            float& x = s[j][2 * h + f];
            x *= scale2;
            most = fmaxf(most, x);
          }
        }
      } else {
#pragma unroll
        for (int j = 0; j < N; j++) {
#pragma unroll
          for (int f = 0; f < 2; f++) {
            int key = k0 + j * 8 + lane % 4 * 2 + f;
            float& x = s[j][2 * h + f];
            x = key >= seen[h].first && key < seen[h].end && key < end ? x * scale2 : -infinity();
            most = fmaxf(most, x);
          }
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
      for (int j = 0; j < N; j++) {
#pragma unroll
        for (int f = 0; f < 2; f++) {
          float& x = s[j][2 * h + f];
          x = exp2_fast(x - base);
          sum[h] += x;
        }
      }
    }
    add_weighted<DP, N>(acc, s, vs, lane);
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

// delta = rowsum(dO·o) for the queries of tiles, of D numbers for each of H heads. Grid: tiles, heads.
KERNEL flash_delta(float* delta, const float* dO, const float* o, const Tile* tiles, int H, int D) {
  Tile tile = tiles[blockIdx.x];
  for (int r = threadIdx.x / 32; r < tile.n; r += warps) {
    i64 row = (i64)(tile.row + r) * H + blockIdx.y;
    float total = 0;
    for (int d = threadIdx.x % 32; d < D; d += 32) total = fmaf(dO[row * D + d], o[row * D + d], total);
    total = warp_sum(total);
    if (threadIdx.x % 32 == 0) delta[row] = total;
  }
}

// dQ = scale·dS·K, dS = P·(dO·Vᵀ - delta).
template <int DP>
__device__ __forceinline__ void backward_q(float* dQ, const float* delta, const u16* dO, const u16* q, const u16* k, const u16* v,
                                           const float* lse, const Tile* tiles, int H, int KH, int D, float scale, int window, int full) {
  constexpr int N = block_rows / 8, stage = 2 * block_rows * (DP + 8);
  extern __shared__ __align__(16) u16 shared[];
  u16 *qs = shared, *ds = qs + tile_rows * (DP + 8), *stages = ds + tile_rows * (DP + 8);
  Tile tile = tiles[blockIdx.x];
  int head = blockIdx.y, kv = head * KH / H;
  int lane = threadIdx.x % 32, r0 = threadIdx.x / 32 * 16;
  int begin = visible(tile.at, 0, tile.len, window, full).first / block_rows * block_rows;
  int end = visible(tile.at + tile.n - 1, 0, tile.len, window, full).end;
  auto next = [&](int k0, int place) {
    if (k0 < end) {
      i64 from = ((i64)(tile.other + k0) * KH + kv) * DP;
      fetch<DP>(stages + place * stage, k + from, (i64)KH * DP, end - k0, block_rows);
      fetch<DP>(stages + place * stage + block_rows * (DP + 8), v + from, (i64)KH * DP, end - k0, block_rows);
    }
    commit();
  };
  i64 own = (i64)tile.row * H + head;
  fetch<DP>(qs, q + own * DP, (i64)H * DP, tile.n, tile_rows);
  fetch<DP>(ds, dO + own * DP, (i64)H * DP, tile.n, tile_rows);
  next(begin, 0);
  float mean[2] = {0, 0}, base[2] = {0, 0};
  Range seen[2];
#pragma unroll
  for (int h = 0; h < 2; h++) {
    int r = r0 + lane / 4 + h * 8;
    seen[h] = visible(tile.at + r, 0, tile.len, window, full);
    if (r < tile.n) {
      mean[h] = delta[own + (i64)r * H];
      base[h] = lse[own + (i64)r * H] * log2_e;
    } else {
      seen[h].end = 0;
    }
  }
  int last = tile.n - 1 < r0 + 15 ? tile.n - 1 : r0 + 15;
  Range all = {visible(tile.at + last, 0, tile.len, window, full).first, visible(tile.at + r0, 0, tile.len, window, full).end};
  float acc[DP / 8][4] = {}, scale2 = scale * log2_e;
  int place = 0;
  for (int k0 = begin; k0 < end; k0 += block_rows, place ^= 1) {
    arrived();
    next(k0 + block_rows, place ^ 1);
    if (r0 >= tile.n) continue;
    const u16 *ks = stages + place * stage, *vs = ks + block_rows * (DP + 8);
    float s[N][4], p[N][4];
    scores<DP, N>(s, qs + r0 * (DP + 8), ks, lane);
    scores<DP, N>(p, ds + r0 * (DP + 8), vs, lane);
    bool whole = k0 >= all.first && k0 + block_rows <= all.end;
#pragma unroll
    for (int j = 0; j < N; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        int h = e / 2, key = k0 + j * 8 + lane % 4 * 2 + e % 2;
        bool sees = whole || (key >= seen[h].first && key < seen[h].end);
        s[j][e] = sees ? exp2_fast(s[j][e] * scale2 - base[h]) * (p[j][e] - mean[h]) : 0.0f;
      }
    }
    add_weighted<DP, N>(acc, s, ks, lane);
  }
  if (r0 >= tile.n) return;
  float scales[2] = {scale, scale};
  write<DP>(dQ + (own + (i64)r0 * H) * D, (i64)H * D, acc, scales, tile.n - r0, D, lane);
}

// dV = Pᵀ·dO, dK = scale·dSᵀ·Q for a tile of keys and one key-value head, summed over its query heads in their order.
template <int DP>
__device__ __forceinline__ void backward_kv(float* dK, float* dV, const float* delta, const u16* dO, const u16* q, const u16* k,
                                            const u16* v, const float* lse, const Tile* tiles, int H, int KH, int D, float scale,
                                            int window, int full) {
  constexpr int N = block_rows / 8, stage = 2 * block_rows * (DP + 8);
  extern __shared__ __align__(16) u16 shared[];
  u16 *ks = shared, *vs = ks + tile_rows * (DP + 8), *stages = vs + tile_rows * (DP + 8);
  float* numbers = (float*)(stages + 2 * stage);  // of each place: lse and delta of its queries
  Tile tile = tiles[blockIdx.x];
  int kv = blockIdx.y, group = H / KH;
  int lane = threadIdx.x % 32, r0 = threadIdx.x / 32 * 16;
  Range queries = seeing(tile, window, full);
  int begin = queries.first / block_rows * block_rows, blocks = (queries.end - begin + block_rows - 1) / block_rows;
  auto next = [&](int it, int place) {
    if (it < group * blocks) {
      int q0 = begin + it % blocks * block_rows, n = queries.end - q0;
      i64 from = (i64)(tile.other + q0) * H + kv * group + it / blocks;
      fetch<DP>(stages + place * stage, q + from * DP, (i64)H * DP, n, block_rows);
      fetch<DP>(stages + place * stage + block_rows * (DP + 8), dO + from * DP, (i64)H * DP, n, block_rows);
      if (threadIdx.x / 32 < 2) {
        fetch_numbers(numbers + (place * 2 + threadIdx.x / 32) * block_rows, (threadIdx.x < 32 ? lse : delta) + from, H, n);
      }
    }
    commit();
  };
  i64 own = (i64)tile.row * KH + kv;
  fetch<DP>(ks, k + own * DP, (i64)KH * DP, tile.n, tile_rows);
  fetch<DP>(vs, v + own * DP, (i64)KH * DP, tile.n, tile_rows);
  next(0, 0);
  float sum_k[DP / 8][4] = {}, sum_v[DP / 8][4] = {}, scale2 = scale * log2_e;
  int place = 0;
  for (int it = 0; it < group * blocks; it++, place ^= 1) {
    arrived();
    next(it + 1, place ^ 1);
    if (r0 >= tile.n) continue;
    const u16 *qs = stages + place * stage, *ds = qs + block_rows * (DP + 8);
    const float *bases = numbers + place * 2 * block_rows, *means = bases + block_rows;
    int q0 = begin + it % blocks * block_rows;
    float s[N][4], p[N][4];
    scores<DP, N>(s, ks + r0 * (DP + 8), qs, lane);
    scores<DP, N>(p, vs + r0 * (DP + 8), ds, lane);
    // Queries that all see all of the warp's keys.
    bool whole = q0 + block_rows <= queries.end && r0 + 15 < tile.n &&
                 visible(q0 + block_rows - 1, 0, tile.len, window, full).first <= tile.at + r0 &&
                 visible(q0, 0, tile.len, window, full).end > tile.at + r0 + 15;
#pragma unroll
    for (int j = 0; j < N; j++) {
#pragma unroll
      for (int f = 0; f < 2; f++) {
        int i = j * 8 + lane % 4 * 2 + f;  // this column's query, in the block
        float base = bases[i] * log2_e, mean = means[i];
        Range seen = visible(q0 + i, 0, tile.len, window, full);
#pragma unroll
        for (int h = 0; h < 2; h++) {
          int r = r0 + lane / 4 + h * 8, key = tile.at + r;
          bool sees = whole || (q0 + i < queries.end && r < tile.n && key >= seen.first && key < seen.end);
          float weight = sees ? exp2_fast(s[j][2 * h + f] * scale2 - base) : 0.0f;
          s[j][2 * h + f] = weight;
          p[j][2 * h + f] = weight * (p[j][2 * h + f] - mean);
        }
      }
    }
    add_weighted<DP, N>(sum_v, s, ds, lane);
    add_weighted<DP, N>(sum_k, p, qs, lane);
  }
  if (r0 >= tile.n) return;
  float one[2] = {1, 1}, scales[2] = {scale, scale};
  write<DP>(dV + (own + (i64)r0 * KH) * D, (i64)KH * D, sum_v, one, tile.n - r0, D, lane);
  write<DP>(dK + (own + (i64)r0 * KH) * D, (i64)KH * D, sum_k, scales, tile.n - r0, D, lane);
}

// One set of kernels for heads of up to DP elements.
#define FLASH(DP)                                                                                                                   \
  KERNEL __launch_bounds__(128) flash_forward_##DP(float* o, float* lse, const u16* q, const u16* k, const u16* v, const Tile* tiles, \
                                                   const int* leads, int H, int KH, int D, float scale, int window, int full) {     \
    forward<DP>(o, lse, q, k, v, tiles, leads, H, KH, D, scale, window, full);                                                      \
  }                                                                                                                                 \
  KERNEL __launch_bounds__(128) flash_backward_q_##DP(float* dQ, const float* delta, const u16* dO, const u16* q, const u16* k,     \
                                                      const u16* v, const float* lse, const Tile* tiles, int H, int KH, int D,      \
                                                      float scale, int window, int full) {                                          \
    backward_q<DP>(dQ, delta, dO, q, k, v, lse, tiles, H, KH, D, scale, window, full);                                              \
  }                                                                                                                                 \
  KERNEL __launch_bounds__(128) flash_backward_kv_##DP(float* dK, float* dV, const float* delta, const u16* dO, const u16* q,       \
                                                       const u16* k, const u16* v, const float* lse, const Tile* tiles, int H,      \
                                                       int KH, int D, float scale, int window, int full) {                          \
    backward_kv<DP>(dK, dV, delta, dO, q, k, v, lse, tiles, H, KH, D, scale, window, full);                                         \
  }

FLASH(32)
#ifndef SMALL_HEADS  // the mutation test compiles this one alone
FLASH(64)
FLASH(128)
#endif
