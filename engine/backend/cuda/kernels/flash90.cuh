// What the attention kernels for compute capability 9.0 share.
#pragma once
#include "attention.cuh"
#include "hopper.cuh"

constexpr int tile_rows = 128;

// wide tells whether rows of D elements at p may be read four elements at a time.
__device__ __forceinline__ bool wide4(const float* p, int D) { return D % 4 == 0 && ((u64)p & 15) == 0; }

// packed_tile is the place of tile i among the packed ones: where firsts has each tile's segment's first, or i.
__device__ __forceinline__ int packed_tile(const Tile& tile, const int* firsts, int i) {
  return firsts ? firsts[i] + tile.at / tile_rows : i;
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
