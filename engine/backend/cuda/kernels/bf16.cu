// Products on tensor cores: operands rounded to bf16, sums in float32. What is to be multiplied is first written as rows of
// bf16 along K, padded with zeros to whole tiles, whichever way it lay, so that one kernel without bounds does the rest.
#include "bf16.cuh"

// to (rows, Kp) bf16 = x (R, K) float32, zeros behind R and K. A warp for a row; Kp is even.
KERNEL bf16_pack(u32* to, const float* x, int rows, int R, int K, int Kp) {
  i64 r = warp_row();
  if (r >= rows) return;
  for (int p = threadIdx.x % 32; p < Kp / 2; p += 32) {
    float low = r < R && 2 * p < K ? x[r * K + 2 * p] : 0.0f;
    float high = r < R && 2 * p + 1 < K ? x[r * K + 2 * p + 1] : 0.0f;
    to[r * (Kp / 2) + p] = pair(low, high);
  }
}

// to[0 … 8n) bf16 = x float32. A thread for eight; both are aligned to 16 bytes.
KERNEL bf16_round(uint4* to, const float4* x, i64 n) {
  i64 i = (i64)blockIdx.x * 256 + threadIdx.x;
  if (i >= n) return;
  float4 a = x[2 * i], b = x[2 * i + 1];
  to[i] = make_uint4(pair(a.x, a.y), pair(a.z, a.w), pair(b.x, b.y), pair(b.z, b.w));
}

// to (rows, Kp) bf16 = the transpose of x (K, R) float32. Block: 32 by 8 threads for 32 rows of 32 elements; grid: rows, Kp.
KERNEL bf16_pack_turned(u32* to, const float* x, int R, int K, int Kp) {
  __shared__ float tile[32][33];
  i64 r0 = (i64)blockIdx.x * 32;
  int k0 = blockIdx.y * 32;
  for (int j = threadIdx.y; j < 32; j += 8) {
    i64 r = r0 + threadIdx.x;
    tile[j][threadIdx.x] = k0 + j < K && r < R ? x[(i64)(k0 + j) * R + r] : 0.0f;
  }
  __syncthreads();
  int p = threadIdx.x % 16;
  for (int j = threadIdx.y * 2 + threadIdx.x / 16; j < 32; j += 16) {
    to[(r0 + j) * (Kp / 2) + k0 / 2 + p] = pair(tile[2 * p][j], tile[2 * p + 1][j]);
  }
}

constexpr int tile_m = 64, tile_n = 64, step = 32, stages = 3;
constexpr int pitch = step + 8;  // of rows in shared memory: eight rows of 16 bytes then lie in different banks

// C (M, N) float32 = alpha·A·Bᵀ + beta·C with A (·, Kp) and B (·, Kp) packed. A block of four warps makes 64×64 sums, a warp
// 32×32; steps of 32 along K are copied two ahead of the one that is multiplied.
KERNEL __launch_bounds__(128) bf16_product(float* C, const u16* A, const u16* B, int M, int N, int Kp, float alpha, float beta) {
  __shared__ __align__(16) u16 as[stages][tile_m * pitch];
  __shared__ __align__(16) u16 bs[stages][tile_n * pitch];
  int tid = threadIdx.x, lane = tid % 32, warp = tid / 32;
  int wm = warp / 2 * 32, wn = warp % 2 * 32;
  i64 m0 = (i64)blockIdx.y * tile_m, n0 = (i64)blockIdx.x * tile_n;
  int steps = Kp / step;
  auto load = [&](int s) {
    if (s < steps) {
#pragma unroll
      for (int c = tid; c < tile_m * step / 8; c += 128) {
        int row = c / (step / 8), at = c % (step / 8) * 8;
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(&as[s % stages][row * pitch + at])),
                     "l"(A + (m0 + row) * Kp + s * step + at));
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(&bs[s % stages][row * pitch + at])),
                     "l"(B + (n0 + row) * Kp + s * step + at));
      }
    }
    asm volatile("cp.async.commit_group;");  // an empty one behind the last step, so that the count below holds
  };
#pragma unroll
  for (int s = 0; s < stages - 1; s++) load(s);
  float sums[2][4][4] = {};
  for (int s = 0; s < steps; s++) {
    asm volatile("cp.async.wait_group %0;" ::"n"(stages - 2));
    __syncthreads();  // step s is there for all, and all are done with step s-1, whose place the next copy takes
    load(s + stages - 1);
    const u16 *a = as[s % stages], *b = bs[s % stages];
#pragma unroll
    for (int k = 0; k < step; k += 16) {
      u32 x[2][4], y[2][4];
#pragma unroll
      for (int i = 0; i < 2; i++) load_matrices(x[i], &a[(wm + i * 16 + lane % 16) * pitch + k + lane / 16 * 8]);
#pragma unroll
      for (int j = 0; j < 2; j++) load_matrices(y[j], &b[(wn + j * 16 + lane % 8 + lane / 16 * 8) * pitch + k + lane / 8 % 2 * 8]);
#pragma unroll
      for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) multiply(sums[i][j], x[i], y[j / 2][j % 2 * 2], y[j / 2][j % 2 * 2 + 1]);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
#pragma unroll
    for (int e = 0; e < 2; e++) {
      i64 row = m0 + wm + i * 16 + lane / 4 + e * 8;
      if (row >= M) continue;
#pragma unroll
      for (int j = 0; j < 4; j++) {
#pragma unroll
        for (int f = 0; f < 2; f++) {
          i64 col = n0 + wn + j * 8 + lane % 4 * 2 + f;
          if (col >= N) continue;
          float v = alpha * sums[i][j][2 * e + f];
          if (beta != 0) v = fmaf(beta, C[row * N + col], v);
          C[row * N + col] = v;
        }
      }
    }
  }
}
