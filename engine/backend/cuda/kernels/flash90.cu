// Attention over packed segments for compute capability 9.0, in the way of FlashAttention-3 (Shah et al. 2024, arXiv:2407.08608):
// operands rounded to bf16, scores, weights and sums in float32. A block is three warpgroups: one has keys and values copied
// to shared memory, the other two own 64 queries each and multiply. What attention.cu says of order and of atomics holds
// here too.
#include "flash90.cuh"

constexpr int stages = 2;

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
    now(s);
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

// One set of kernels for heads of up to DP elements.
#define FLASH(DP)                                                                                                                     \
  KERNEL __launch_bounds__(256) flash90_pack_##DP(uint4* to0, uint4* to1, const float* from0, const float* from1, const Tile* tiles,  \
                                                  const int* firsts, int H, int D) {                                                  \
    pack<DP>(to0, to1, from0, from1, tiles, firsts, H, D);                                                                            \
  }                                                                                                                                   \
  KERNEL __launch_bounds__(384, 1) flash90_forward_##DP(float* o, float* lse, const float* q, const u16* k, const u16* v,             \
                                                        const Tile* tiles, const int* leads, const int* firsts, int tiles_k, int H,   \
                                                        int KH, int D, float scale, int window, int full) {                           \
    forward<DP>(o, lse, q, k, v, tiles, leads, firsts, tiles_k, H, KH, D, scale, window, full);                                       \
  }

FLASH(64)
#ifndef SMALL_HEADS  // the mutation test compiles most mistakes for this size alone
FLASH(128)
#endif
