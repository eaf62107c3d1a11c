// Attention backward for compute capability 9.0: dQ, and dK and dV, each by a kernel of its own that multiplies as flash90.cu does,
// seven products where atomics would let one kernel do with five. Operands are packed by flash90_pack and the kernel here.
#include "flash90.cuh"

constexpr int block_rows = 64, stages = 3;  // the other side passes in halves of tiles
constexpr int numbers = 2 * block_rows;     // what a block of queries has besides: lse in powers of 2, then delta

// gradient packs dO as flash90_pack does, and per head, tile and block of 64 queries the numbers that backward wants of each: lse times log2(e)
// and delta = rowsum(dO·O), 0 where there is no query. Block: 256 threads; grid: tiles, heads.
template <int DP>
__device__ __forceinline__ void gradient(uint4* to, float* more, const float* dO, const float* o, const float* lse,
                                              const Tile* tiles, const int* firsts, int H, int D) {
  Tile tile = tiles[blockIdx.x];
  bool wide = wide4(dO, D) && wide4(o, D);
  i64 at = (i64)blockIdx.y * gridDim.x + packed_tile(tile, firsts, blockIdx.x);
  to += at * (tile_rows * DP / 8);
  more += at * (2 * tile_rows);
#pragma unroll 2
  for (int i = threadIdx.x; i < tile_rows * DP / 8; i += 256) {
    int r = i / (DP / 8), c = i % (DP / 8);
    i64 row = (i64)(tile.row + r) * H + blockIdx.y;
    float x[8] = {}, y[8] = {}, delta = 0;
    if (r < tile.n) {
      load8(x, dO + row * D + c * 8, D - c * 8, wide);
      load8(y, o + row * D + c * 8, D - c * 8, wide);
    }
#pragma unroll
    for (int e = 0; e < 8; e++) delta = fmaf(x[e], y[e], delta);
#pragma unroll
    for (int l = DP / 16; l > 0; l /= 2) delta += __shfl_xor_sync(all_lanes, delta, l);
    if (c == 0) {
      float* block = more + r / block_rows * numbers + r % block_rows;
      block[0] = r < tile.n ? lse[row] * log2_e : 0.0f;
      block[block_rows] = delta;
    }
    to[place(tile_rows, r, c) / 8] = round8(x);
  }
}

// copy_block has a block of 64 rows of a packed tile copied: sub says which half of it.
template <int DP>
__device__ __forceinline__ void copy_block(u16* to, const u16* tile, int sub, u64* barrier) {
#pragma unroll
  for (int c = 0; c < DP / tile_columns; c++) {
    constexpr int part = block_rows * tile_columns;
    copy_bulk(to + c * part, tile + (2 * c + sub) * part, part * 2, barrier);
  }
}

// begin_barriers sets up those of each stage, that it is there and that all are done with it, and that of the block's own tiles.
__device__ __forceinline__ void begin_barriers(u64* there, u64* empty, u64* own) {
  if (threadIdx.x == 0) {
#pragma unroll
    for (int i = 0; i < stages; i++) {
      barrier_init(there + i, 1);
      barrier_init(empty + i, 8);
    }
    barrier_init(own, 1);
    barriers_ready();
  }
  __syncthreads();
}

// dQ = scale·dS·K, dS = P·(dO·Vᵀ - delta), for a tile of queries; all operands are packed.
template <int DP>
__device__ __forceinline__ void backward_q(float* dQ, const u16* q, const u16* dO, const float* more, const u16* k, const u16* v,
                                           const Tile* tiles, const int* firsts, int tiles_n, int H, int KH, int D, float scale,
                                           int window, int full) {
  constexpr int size = tile_rows * DP, block = block_rows * DP;
  extern __shared__ __align__(1024) u16 shared[];
  u16 *qs = first_tile(shared), *ds = qs + size, *ks = ds + size, *vs = ks + stages * block;
  u64 *there = (u64*)(vs + stages * block), *empty = there + stages, *own = empty + stages;
  int at = blockIdx.x / H, head = blockIdx.x % H, kv = head * KH / H;
  Tile tile = tiles[at];
  int begin = visible(tile.at, 0, tile.len, window, full).first / block_rows;
  int end = (visible(tile.at + tile.n - 1, 0, tile.len, window, full).end + block_rows - 1) / block_rows;
  i64 mine = (i64)head * tiles_n + packed_tile(tile, firsts, at);
  begin_barriers(there, empty, own);
  if (threadIdx.x < 128) {
    give_registers<24>();
    if (threadIdx.x == 0) {
      barrier_expect(own, 4 * size);
      copy_bulk(qs, q + mine * size, size * 2, own);
      copy_bulk(ds, dO + mine * size, size * 2, own);
      i64 from = ((i64)kv * tiles_n + firsts[at]) * size;
      for (int i = begin; i < end; i++) {
        int stage = (i - begin) % stages, parity = (i - begin) / stages % 2;
        barrier_wait(empty + stage, parity ^ 1);
        barrier_expect(there + stage, 4 * block);
        copy_block<DP>(ks + stage * block, k + from + (i64)(i / 2) * size, i % 2, there + stage);
        copy_block<DP>(vs + stage * block, v + from + (i64)(i / 2) * size, i % 2, there + stage);
      }
    }
    return;
  }
  take_registers<240>();
  int group = threadIdx.x / 128 - 1, lane = threadIdx.x % 32;
  int r0 = group * 64 + threadIdx.x % 128 / 32 * 16 + lane / 4;
  Range seen[2];
  float base[2], mean[2], acc[DP / 2], s[32], dp[32], scale2 = scale * log2_e;
  u32 p[4][4];
#pragma unroll
  for (int h = 0; h < 2; h++) {
    seen[h] = visible(tile.at + r0 + h * 8, 0, tile.len, window, full);
    const float* numbers_of = more + mine * (2 * tile_rows) + group * numbers + (r0 + h * 8) % block_rows;
    base[h] = numbers_of[0];
    mean[h] = numbers_of[block_rows];
  }
  Range all = {visible(tile.at + group * 64 + 63, 0, tile.len, window, full).first,
               visible(tile.at + group * 64, 0, tile.len, window, full).end};
#pragma unroll
  for (int i = 0; i < DP / 2; i++) acc[i] = 0;
  u64 queries = down(descriptor(qs, tile_rows * 128), group * 64), gradients = down(descriptor(ds, tile_rows * 128), group * 64);
  u64 keys = descriptor(ks, block_rows * 128), values = descriptor(vs, block_rows * 128);
  auto start = [&](int i) {  // the two products of block i
    int stage = i % stages;
    u64 from = stage * block * 2 >> 4;
    barrier_wait(there + stage, i / stages % 2);
    products_fence();
    scores<DP>(s, queries, tile_rows, keys + from, block_rows);
    products_commit();
    scores<DP>(dp, gradients, tile_rows, values + from, block_rows);
    products_commit();
  };
  auto weigh = [&](int i) {
    int k0 = (begin + i) * block_rows;
    if (k0 < all.first || k0 + block_rows > all.end) {
#pragma unroll
      for (int j = 0; j < 32; j++) {
        int key = k0 + j / 4 * 8 + lane % 4 * 2 + j % 2;
        if (key < seen[j / 2 % 2].first || key >= seen[j / 2 % 2].end) s[j] = -infinity();
      }
    }
#pragma unroll
    for (int j = 0; j < 32; j++) s[j] = exp2_fast(fmaf(s[j], scale2, -base[j / 2 % 2]));
    now(s);
  };
  auto differ = [&]() {
#pragma unroll
    for (int j = 0; j < 32; j++) s[j] *= dp[j] - mean[j / 2 % 2];
    now(s);
  };
  auto add = [&](int i) {  // the sums over block i
    add_weighted(acc, p, keys + (i % stages * block * 2 >> 4));
    products_commit();
  };
  barrier_wait(own, 0);
  start(0);
  wait_products<1>();
  weigh(0);
  wait_products<0>();
  differ();
  round(p, s);
  for (int i = 1; i < end - begin; i++) {
    start(i);
    add(i - 1);
    wait_products<2>();
    weigh(i);
    wait_products<1>();
    differ();
    wait_products<0>();
    if (lane == 0) barrier_arrive(empty + (i - 1) % stages);
    round(p, s);
  }
  products_fence();
  add(end - begin - 1);
  wait_products<0>();
  float scales[2] = {scale, scale};
  write<DP>(dQ + ((i64)tile.row * H + head) * D, (i64)H * D, acc, scales, r0, tile.n, D);
}

// dV = Pᵀ·dO, dK = scale·dSᵀ·Q for a tile of keys and one key-value head, summed over its query heads in their order; all operands
// are packed. A warpgroup's scores are those of its 64 keys, turned: a row for a key, a column for a query.
template <int DP>
__device__ __forceinline__ void backward_kv(float* dK, float* dV, const u16* q, const u16* dO, const float* more, const u16* k,
                                            const u16* v, const Tile* tiles, int tiles_n, int H, int KH, int D, float scale,
                                            int window, int full) {
  constexpr int size = tile_rows * DP, block = block_rows * DP;
  extern __shared__ __align__(1024) u16 shared[];
  u16 *ks = first_tile(shared), *vs = ks + size, *qs = vs + size, *ds = qs + stages * block;
  float* ns = (float*)(ds + stages * block);
  u64 *there = (u64*)(ns + stages * numbers), *empty = there + stages, *own = empty + stages;
  int at = blockIdx.x / KH, kv = blockIdx.x % KH, heads = H / KH;
  Tile tile = tiles[at];
  Range queries = seeing(tile, window, full);
  int begin = queries.first / block_rows, blocks = (queries.end + block_rows - 1) / block_rows - begin, count = heads * blocks;
  begin_barriers(there, empty, own);
  if (threadIdx.x < 128) {
    give_registers<24>();
    if (threadIdx.x == 0) {
      i64 mine = ((i64)kv * tiles_n + at) * size;
      barrier_expect(own, 4 * size);
      copy_bulk(ks, k + mine, size * 2, own);
      copy_bulk(vs, v + mine, size * 2, own);
      for (int i = 0; i < count; i++) {
        int stage = i % stages, parity = i / stages % 2, b = begin + i % blocks;
        i64 from = (i64)(kv * heads + i / blocks) * tiles_n + at - tile.at / tile_rows + b / 2;
        barrier_wait(empty + stage, parity ^ 1);
        barrier_expect(there + stage, 4 * block + 4 * numbers);
        copy_block<DP>(qs + stage * block, q + from * size, b % 2, there + stage);
        copy_block<DP>(ds + stage * block, dO + from * size, b % 2, there + stage);
        copy_bulk(ns + stage * numbers, more + (2 * from + b % 2) * numbers, 4 * numbers, there + stage);
      }
    }
    return;
  }
  take_registers<240>();
  int group = threadIdx.x / 128 - 1, lane = threadIdx.x % 32;
  int r0 = group * 64 + threadIdx.x % 128 / 32 * 16 + lane / 4;
  int first = tile.at + group * 64, last = first + 63;  // the warpgroup's keys
  float sum_k[DP / 2], sum_v[DP / 2], s[32], dp[32], scale2 = scale * log2_e;
  u32 p[4][4];
#pragma unroll
  for (int i = 0; i < DP / 2; i++) sum_k[i] = sum_v[i] = 0;
  u64 keys = down(descriptor(ks, tile_rows * 128), group * 64), values = down(descriptor(vs, tile_rows * 128), group * 64);
  u64 query = descriptor(qs, block_rows * 128), gradient = descriptor(ds, block_rows * 128);
  auto from = [&](int i) { return (u64)(i % stages * block * 2 >> 4); };
  auto weigh = [&](int i) {
    int q0 = (begin + i % blocks) * block_rows;
    if (first < visible(q0 + block_rows - 1, 0, tile.len, window, full).first || last >= visible(q0, 0, tile.len, window, full).end) {
#pragma unroll
      for (int j = 0; j < 16; j++) {  // columns
        Range seen = visible(q0 + j / 2 * 8 + lane % 4 * 2 + j % 2, 0, tile.len, window, full);
#pragma unroll
        for (int h = 0; h < 2; h++) {
          int key = tile.at + r0 + h * 8;
          if (key < seen.first || key >= seen.end) s[j / 2 * 4 + h * 2 + j % 2] = -infinity();
        }
      }
    }
    const float* ours = ns + i % stages * numbers + lane % 4 * 2;
#pragma unroll
    for (int j = 0; j < 8; j++) {
      float2 base = *(const float2*)&ours[j * 8];
#pragma unroll
      for (int e = 0; e < 4; e++) s[4 * j + e] = exp2_fast(fmaf(s[4 * j + e], scale2, e % 2 ? -base.y : -base.x));
    }
  };
  auto differ = [&](int i) {
    const float* ours = ns + i % stages * numbers + block_rows + lane % 4 * 2;
#pragma unroll
    for (int j = 0; j < 8; j++) {
      float2 mean = *(const float2*)&ours[j * 8];
#pragma unroll
      for (int e = 0; e < 4; e++) dp[4 * j + e] = s[4 * j + e] * (dp[4 * j + e] - (e % 2 ? mean.y : mean.x));
    }
    now(dp);
    __syncwarp();  // all lanes have read their numbers
  };
  barrier_wait(own, 0);
  for (int i = 0; i < count; i++) {
    barrier_wait(there + i % stages, i / stages % 2);
    products_fence();
    scores<DP>(s, keys, tile_rows, query + from(i), block_rows);
    products_commit();
    if (i > 0) {
      products_fence();
      add_weighted(sum_k, p, query + from(i - 1));
      products_commit();
    }
    products_fence();
    scores<DP>(dp, values, tile_rows, gradient + from(i), block_rows);
    products_commit();
    wait_products<1>();
    if (i > 0 && lane == 0) barrier_arrive(empty + (i - 1) % stages);
    weigh(i);
    round(p, s);
    products_fence();
    add_weighted(sum_v, p, gradient + from(i));
    products_commit();
    wait_products<1>();
    differ(i);
    wait_products<0>();
    round(p, dp);
  }
  products_fence();
  add_weighted(sum_k, p, query + from(count - 1));
  products_commit();
  wait_products<0>();
  float one[2] = {1, 1}, scales[2] = {scale, scale};
  i64 own_row = ((i64)tile.row * KH + kv) * D;
  write<DP>(dV + own_row, (i64)KH * D, sum_v, one, r0, tile.n, D);
  write<DP>(dK + own_row, (i64)KH * D, sum_k, scales, r0, tile.n, D);
}

// One set of kernels for heads of up to DP elements.
#define BACKWARD(DP)                                                                                                                  \
  KERNEL __launch_bounds__(256) back90_gradient_##DP(uint4* to, float* more, const float* dO, const float* o, const float* lse,       \
                                                     const Tile* tiles, const int* firsts, int H, int D) {                            \
    gradient<DP>(to, more, dO, o, lse, tiles, firsts, H, D);                                                                          \
  }                                                                                                                                   \
  KERNEL __launch_bounds__(384, 1) back90_q_##DP(float* dQ, const u16* q, const u16* dO, const float* more, const u16* k,             \
                                                 const u16* v, const Tile* tiles, const int* firsts, int tiles_n, int H, int KH,      \
                                                 int D, float scale, int window, int full) {                                          \
    backward_q<DP>(dQ, q, dO, more, k, v, tiles, firsts, tiles_n, H, KH, D, scale, window, full);                                     \
  }                                                                                                                                   \
  KERNEL __launch_bounds__(384, 1) back90_kv_##DP(float* dK, float* dV, const u16* q, const u16* dO, const float* more,               \
                                                  const u16* k, const u16* v, const Tile* tiles, int tiles_n, int H, int KH,          \
                                                  int D, float scale, int window, int full) {                                         \
    backward_kv<DP>(dK, dV, q, dO, more, k, v, tiles, tiles_n, H, KH, D, scale, window, full);                                        \
  }

BACKWARD(64)
#ifndef SMALL_HEADS  // the mutation test compiles most mistakes for this size alone
BACKWARD(128)
#endif
