// Attention over packed segments for compute capability 9.0, in the way of FlashAttention-3 (Shah et al. 2024, arXiv:2407.08608):
// operands rounded to bf16, scores, weights and sums in float32. A block is three warpgroups: one has keys and values copied
// to shared memory, the other two own 64 queries each and multiply. What attention.cu says of order and of atomics holds
// here too.
#include "attention.cuh"
#include "hopper.cuh"

constexpr int tile_rows = 128, stages = 2;     // forward: keys and values pass in whole tiles
constexpr int block_rows = 64, back_stages = 3;  // backward: the other side passes in halves of tiles
constexpr int numbers = 2 * block_rows;          // what a block of queries has besides: lse in powers of 2, then delta

// wide tells whether rows of D elements at p may be read four elements at a time.
__device__ __forceinline__ bool wide4(const float* p, int D) { return D % 4 == 0 && ((u64)p & 15) == 0; }

// packed_tile is the place of tile i among the packed ones: where firsts has each tile's segment's first, or i.
__device__ __forceinline__ int packed_tile(const Tile& tile, const int* firsts, int i) {
  return firsts ? firsts[i] + tile.at / tile_rows : i;
}

// to holds, per head and tile of 128 rows, a (128, DP) matrix as hopper.cuh lays it out, zeros beyond n and D. Two arrays of
// one shape may go in one launch. Block: 256 threads; grid: tiles, heads, arrays.
template <int DP>
__device__ __forceinline__ void pack(uint4* to0, uint4* to1, const float* from0, const float* from1, const Tile* tiles,
                                     const int* firsts, int H, int D) {
  uint4* to = blockIdx.z ? to1 : to0;
  const float* from = blockIdx.z ? from1 : from0;
  Tile tile = tiles[blockIdx.x];
  bool wide = wide4(from, D);
  to += ((i64)blockIdx.y * gridDim.x + packed_tile(tile, firsts, blockIdx.x)) * (tile_rows * DP / 8);
#pragma unroll 4
  for (int i = threadIdx.x; i < tile_rows * DP / 8; i += 256) {
    int r = i / (DP / 8), c = i % (DP / 8);
    float x[8] = {};
    if (r < tile.n) load8(x, from + ((i64)(tile.row + r) * H + blockIdx.y) * D + c * 8, D - c * 8, wide);
    to[place(tile_rows, r, c) / 8] = round8(x);
  }
}

// pack_gradient packs dO, and per head, tile and block of 64 queries the numbers that backward wants of each: lse times log2(e),
// infinite where there is no query, so that its weights are 0; and delta = rowsum(dO·O). Block: 256 threads; grid: tiles, heads.
template <int DP>
__device__ __forceinline__ void pack_gradient(uint4* to, float* more, const float* dO, const float* o, const float* lse,
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
      block[0] = r < tile.n ? lse[row] * log2_e : infinity();
      block[block_rows] = delta;
    }
    to[place(tile_rows, r, c) / 8] = round8(x);
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

// s (64, N) = a (64, DP) · b (N, DP)ᵀ, the start of it; a_rows and b_rows are how many rows their matrices have.
template <int DP, int N>
__device__ __forceinline__ void scores(float (&s)[N], u64 a, int a_rows, u64 b, int b_rows) {
#pragma unroll
  for (int k = 0; k < DP; k += 16) {
    if (k == 0) {
      start_group(s, a, b);
    } else {
      multiply_group(s, along(a, k, a_rows), along(b, k, b_rows));
    }
  }
}

// sum (64, DP) += p (64, 16·K) · b (16·K, DP), the start of it.
template <int N, int K>
__device__ __forceinline__ void add_weighted(float (&sum)[N], const u32 (&p)[K][4], u64 b) {
#pragma unroll
  for (int k = 0; k < K; k++) multiply_turned(sum, p[k], down(b, k * 16));
}

// round makes of 64 rows' sums the operand of add_weighted.
template <int N, int K>
__device__ __forceinline__ void round(u32 (&p)[K][4], const float (&s)[N]) {
#pragma unroll
  for (int k = 0; k < K; k++) {
#pragma unroll
    for (int i = 0; i < 4; i++) p[k][i] = pair(s[8 * k + 2 * i], s[8 * k + 2 * i + 1]);
  }
}

// write stores the thread's two rows of sums, scaled, of which those before n exist.
template <int DP>
__device__ __forceinline__ void write(float* to, i64 stride, const float (&sum)[DP / 2], const float (&scale)[2], int r0, int n, int D) {
  int column = threadIdx.x % 4 * 2;
  bool wide = D % 2 == 0 && ((u64)to & 7) == 0;
#pragma unroll
  for (int h = 0; h < 2; h++) {
    int r = r0 + h * 8;
    if (r >= n) continue;
    float* row = to + r * stride + column;
#pragma unroll
    for (int j = 0; j < DP / 8; j++) {
      float low = sum[4 * j + 2 * h] * scale[h], high = sum[4 * j + 2 * h + 1] * scale[h];
      if (wide) {
        if (j * 8 + column < D) *(float2*)&row[j * 8] = make_float2(low, high);
      } else {
        if (j * 8 + column < D) row[j * 8] = low;
        if (j * 8 + column + 1 < D) row[j * 8 + 1] = high;
      }
    }
  }
}

// k and v are packed; firsts has the first tile of each query tile's segment there, of tiles_k in all. The queries' tiles take
// their turn in order, all heads of one before the next.
template <int DP>
__device__ __forceinline__ void forward(float* o, float* lse, const float* q, const u16* k, const u16* v, const Tile* tiles,
                                        const int* leads, const int* firsts, int tiles_k, int H, int KH, int D, float scale, int window,
                                        int full) {
  constexpr int size = tile_rows * DP;  // elements of a tile
  extern __shared__ __align__(1024) u16 shared[];
  u16* qs = first_tile(shared);
  u16 *ks = qs + size, *vs = ks + stages * size;
  u64* full_k = (u64*)(vs + stages * size);  // a stage of keys is there; empty_k: all are done with it
  u64 *full_v = full_k + stages, *empty_k = full_v + stages, *empty_v = empty_k + stages;
  int at = blockIdx.x / H, head = blockIdx.x % H, kv = head * KH / H;
  Tile tile = tiles[at];
  int lead = leads[at];
  int begin = visible(tile.at, lead, tile.len, window, full).first / tile_rows;
  int end = (visible(tile.at + tile.n - 1, lead, tile.len, window, full).end + tile_rows - 1) / tile_rows;
  if (threadIdx.x == 0) {
#pragma unroll
    for (int i = 0; i < stages; i++) {
      barrier_init(full_k + i, 1);
      barrier_init(full_v + i, 1);
      barrier_init(empty_k + i, 8);
      barrier_init(empty_v + i, 8);
    }
    barriers_ready();
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    give_registers<24>();
    if (threadIdx.x == 0) {
      i64 from = ((i64)kv * tiles_k + firsts[at]) * size;
      for (int i = 0; i < end - begin; i++) {  // the last keys first: those at the diagonal
        int stage = i % stages, parity = i / stages % 2;
        i64 block = from + (i64)(end - 1 - i) * size;
        barrier_wait(empty_k + stage, parity ^ 1);
        barrier_expect(full_k + stage, size * 2);
        copy_bulk(ks + stage * size, k + block, size * 2, full_k + stage);
        barrier_wait(empty_v + stage, parity ^ 1);
        barrier_expect(full_v + stage, size * 2);
        copy_bulk(vs + stage * size, v + block, size * 2, full_v + stage);
      }
    }
    return;
  }
  take_registers<240>();
  int group = threadIdx.x / 128 - 1, t = threadIdx.x % 128, lane = t % 32;
  int r0 = group * 64 + t / 32 * 16 + lane / 4;  // this thread's rows of the tile: r0 and r0 + 8
  u16* own = qs + group * 64 * DP;
  i64 row = (i64)tile.row * H + head;
  {
    bool wide = wide4(q, D);
#pragma unroll 4
    for (int i = t; i < 64 * DP / 8; i += 128) {
      int r = i / (DP / 8), c = i % (DP / 8);
      float x[8] = {};
      if (group * 64 + r < tile.n) load8(x, q + (row + (i64)(group * 64 + r) * H) * D + c * 8, D - c * 8, wide);
      *(uint4*)&own[place(64, r, c)] = round8(x);
    }
    share_writes();
    sync_some(3 + group, 128);
  }
  float scale2 = scale * log2_e;
  Range seen[2];
#pragma unroll
  for (int h = 0; h < 2; h++) seen[h] = visible(tile.at + r0 + h * 8, lead, tile.len, window, full);
  // Keys that all of the warpgroup's rows see, where the first sees the fewest at the end and the last the fewest at the start.
  Range all = {visible(tile.at + group * 64 + 63, lead, tile.len, window, full).first,
               visible(tile.at + group * 64, lead, tile.len, window, full).end};
  float acc[DP / 2], s[64], top[2] = {-infinity(), -infinity()}, sum[2] = {0, 0}, shrink[2];
  u32 p[8][4];
#pragma unroll
  for (int i = 0; i < DP / 2; i++) acc[i] = 0;
  u64 queries = descriptor(own, 64 * 128), keys = descriptor(ks, tile_rows * 128), values = descriptor(vs, tile_rows * 128);
  // weigh makes weights of the scores of block i.
  auto weigh = [&](int i) {
    int k0 = (end - 1 - i) * tile_rows;
    if (k0 < all.first || k0 + tile_rows > all.end) {
#pragma unroll
      for (int j = 0; j < 64; j++) {
        int key = k0 + j / 4 * 8 + lane % 4 * 2 + j % 2;
        if (key < seen[j / 2 % 2].first || key >= seen[j / 2 % 2].end) s[j] = -infinity();
      }
    }
#pragma unroll
    for (int h = 0; h < 2; h++) {
      float most = top[h];
#pragma unroll
      for (int j = 0; j < 16; j++) most = fmaxf(most, fmaxf(s[4 * j + 2 * h], s[4 * j + 2 * h + 1]));
      most = row_max(most);
      float base = most == -infinity() ? 0.0f : most * scale2;  // a row that sees none of the keys so far
      shrink[h] = exp2_fast(fmaf(top[h], scale2, -base));
      top[h] = most;
      sum[h] *= shrink[h];
#pragma unroll
      for (int j = 0; j < 16; j++) {
#pragma unroll
        for (int f = 0; f < 2; f++) {
          float& x = s[4 * j + 2 * h + f];
          x = exp2_fast(fmaf(x, scale2, -base));
          sum[h] += x;
        }
      }
    }
  };
  auto done = [&](u64* barrier) {
    if (lane == 0) barrier_arrive(barrier);
  };
  barrier_wait(full_k, 0);
  products_fence();
  scores<DP>(s, queries, 64, keys, tile_rows);
  products_commit();
  if (group == 1) arrive_some(1, 256);  // the first warpgroup multiplies first
  wait_products<0>();
  done(empty_k);
  weigh(0);
  round(p, s);
  // One warpgroup multiplies while the other one weighs; and while it weighs the scores of block i, its sums over block i-1 run.
  for (int i = 1; i < end - begin; i++) {
    int stage = i % stages, last = (i - 1) % stages;
    barrier_wait(full_k + stage, i / stages % 2);
    sync_some(1 + group, 256);
    products_fence();
    scores<DP>(s, queries, 64, keys + (stage * size * 2 >> 4), tile_rows);
    products_commit();
    barrier_wait(full_v + last, (i - 1) / stages % 2);
    products_fence();
    add_weighted(acc, p, values + (last * size * 2 >> 4));
    products_commit();
    arrive_some(2 - group, 256);
    wait_products<1>();
    done(empty_k + stage);
    weigh(i);
    wait_products<0>();
    done(empty_v + last);
#pragma unroll
    for (int j = 0; j < DP / 2; j++) acc[j] *= shrink[j / 2 % 2];
    round(p, s);
  }
  if (group == 0) sync_some(1, 256);  // what the other one still counts, so that all counts are even
  int i = end - begin - 1, stage = i % stages;
  barrier_wait(full_v + stage, i / stages % 2);
  products_fence();
  add_weighted(acc, p, values + (stage * size * 2 >> 4));
  products_commit();
  wait_products<0>();
  float inverse[2];
#pragma unroll
  for (int h = 0; h < 2; h++) {
    sum[h] = row_sum(sum[h]);
    inverse[h] = 1.0f / sum[h];
    int r = r0 + h * 8;
    if (lse && lane % 4 == 0 && r < tile.n) lse[row + (i64)r * H] = (top[h] * scale2) * ln_2 + logf(sum[h]);
  }
  write<DP>(o + row * D, (i64)H * D, acc, inverse, r0, tile.n, D);
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

// dQ = scale·dS·K, dS = P·(dO·Vᵀ - delta), for a tile of queries; all operands are packed.
template <int DP>
__device__ __forceinline__ void backward_q(float* dQ, const u16* q, const u16* dO, const float* more, const u16* k, const u16* v,
                                           const Tile* tiles, const int* firsts, int tiles_n, int H, int KH, int D, float scale,
                                           int window, int full) {
  constexpr int size = tile_rows * DP, block = block_rows * DP;
  extern __shared__ __align__(1024) u16 shared[];
  u16 *qs = first_tile(shared), *ds = qs + size, *ks = ds + size, *vs = ks + back_stages * block;
  u64 *there = (u64*)(vs + back_stages * block), *empty = there + back_stages, *own = empty + back_stages;
  int at = blockIdx.x / H, head = blockIdx.x % H, kv = head * KH / H;
  Tile tile = tiles[at];
  int begin = visible(tile.at, 0, tile.len, window, full).first / block_rows;
  int end = (visible(tile.at + tile.n - 1, 0, tile.len, window, full).end + block_rows - 1) / block_rows;
  i64 mine = (i64)head * tiles_n + packed_tile(tile, firsts, at);
  if (threadIdx.x == 0) {
#pragma unroll
    for (int i = 0; i < back_stages; i++) {
      barrier_init(there + i, 1);
      barrier_init(empty + i, 8);
    }
    barrier_init(own, 1);
    barriers_ready();
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    give_registers<24>();
    if (threadIdx.x == 0) {
      barrier_expect(own, 4 * size);
      copy_bulk(qs, q + mine * size, size * 2, own);
      copy_bulk(ds, dO + mine * size, size * 2, own);
      i64 from = ((i64)kv * tiles_n + firsts[at]) * size;
      for (int i = begin; i < end; i++) {
        int stage = (i - begin) % back_stages, parity = (i - begin) / back_stages % 2;
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
    int stage = i % back_stages;
    u64 from = stage * block * 2 >> 4;
    barrier_wait(there + stage, i / back_stages % 2);
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
  };
  auto differ = [&]() {
#pragma unroll
    for (int j = 0; j < 32; j++) s[j] *= dp[j] - mean[j / 2 % 2];
  };
  auto add = [&](int i) {  // the sums over block i
    add_weighted(acc, p, keys + (i % back_stages * block * 2 >> 4));
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
    if (lane == 0) barrier_arrive(empty + (i - 1) % back_stages);
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
  u16 *ks = first_tile(shared), *vs = ks + size, *qs = vs + size, *ds = qs + back_stages * block;
  float* ns = (float*)(ds + back_stages * block);
  u64 *there = (u64*)(ns + back_stages * numbers), *empty = there + back_stages, *own = empty + back_stages;
  int at = blockIdx.x / KH, kv = blockIdx.x % KH, heads = H / KH;
  Tile tile = tiles[at];
  Range queries = seeing(tile, window, full);
  int begin = queries.first / block_rows, blocks = (queries.end + block_rows - 1) / block_rows - begin, count = heads * blocks;
  if (threadIdx.x == 0) {
#pragma unroll
    for (int i = 0; i < back_stages; i++) {
      barrier_init(there + i, 1);
      barrier_init(empty + i, 8);
    }
    barrier_init(own, 1);
    barriers_ready();
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    give_registers<24>();
    if (threadIdx.x == 0) {
      i64 mine = ((i64)kv * tiles_n + at) * size;
      barrier_expect(own, 4 * size);
      copy_bulk(ks, k + mine, size * 2, own);
      copy_bulk(vs, v + mine, size * 2, own);
      for (int i = 0; i < count; i++) {
        int stage = i % back_stages, parity = i / back_stages % 2, b = begin + i % blocks;
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
  auto from = [&](int i) { return (u64)(i % back_stages * block * 2 >> 4); };
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
    const float* ours = ns + i % back_stages * numbers + lane % 4 * 2;
#pragma unroll
    for (int j = 0; j < 8; j++) {
      float2 base = *(const float2*)&ours[j * 8];
#pragma unroll
      for (int e = 0; e < 4; e++) s[4 * j + e] = exp2_fast(fmaf(s[4 * j + e], scale2, e % 2 ? -base.y : -base.x));
    }
  };
  auto differ = [&](int i) {
    const float* ours = ns + i % back_stages * numbers + block_rows + lane % 4 * 2;
#pragma unroll
    for (int j = 0; j < 8; j++) {
      float2 mean = *(const float2*)&ours[j * 8];
#pragma unroll
      for (int e = 0; e < 4; e++) dp[4 * j + e] = s[4 * j + e] * (dp[4 * j + e] - (e % 2 ? mean.y : mean.x));
    }
    __syncwarp();  // all lanes have read their numbers
  };
  barrier_wait(own, 0);
  for (int i = 0; i < count; i++) {
    barrier_wait(there + i % back_stages, i / back_stages % 2);
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
    if (i > 0 && lane == 0) barrier_arrive(empty + (i - 1) % back_stages);
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
#define FLASH(DP)                                                                                                                     \
  KERNEL __launch_bounds__(256) flash90_pack_##DP(uint4* to0, uint4* to1, const float* from0, const float* from1, const Tile* tiles,  \
                                                  const int* firsts, int H, int D) {                                                  \
    pack<DP>(to0, to1, from0, from1, tiles, firsts, H, D);                                                                            \
  }                                                                                                                                   \
  KERNEL __launch_bounds__(256) flash90_gradient_##DP(uint4* to, float* more, const float* dO, const float* o, const float* lse,      \
                                                      const Tile* tiles, const int* firsts, int H, int D) {                           \
    pack_gradient<DP>(to, more, dO, o, lse, tiles, firsts, H, D);                                                                     \
  }                                                                                                                                   \
  KERNEL __launch_bounds__(384, 1) flash90_forward_##DP(float* o, float* lse, const float* q, const u16* k, const u16* v,             \
                                                        const Tile* tiles, const int* leads, const int* firsts, int tiles_k, int H,   \
                                                        int KH, int D, float scale, int window, int full) {                           \
    forward<DP>(o, lse, q, k, v, tiles, leads, firsts, tiles_k, H, KH, D, scale, window, full);                                       \
  }                                                                                                                                   \
  KERNEL __launch_bounds__(384, 1) flash90_backward_q_##DP(float* dQ, const u16* q, const u16* dO, const float* more, const u16* k,   \
                                                           const u16* v, const Tile* tiles, const int* firsts, int tiles_n, int H,    \
                                                           int KH, int D, float scale, int window, int full) {                        \
    backward_q<DP>(dQ, q, dO, more, k, v, tiles, firsts, tiles_n, H, KH, D, scale, window, full);                                     \
  }                                                                                                                                   \
  KERNEL __launch_bounds__(384, 1) flash90_backward_kv_##DP(float* dK, float* dV, const u16* q, const u16* dO, const float* more,     \
                                                            const u16* k, const u16* v, const Tile* tiles, int tiles_n, int H,        \
                                                            int KH, int D, float scale, int window, int full) {                       \
    backward_kv<DP>(dK, dV, q, dO, more, k, v, tiles, tiles_n, H, KH, D, scale, window, full);                                        \
  }

FLASH(64)
FLASH(128)
