// Products in float32: C = alpha·op(A, B) + beta·C, in tiles held in shared memory and 4×4 sums in registers.
#include "common.cuh"

constexpr int depth = 16;  // of a step along K

// Sums run over the sixteen products of a step first, then over steps: with a third of the rounding error of one long sum.
//
// One tile of TM×64 sums with 4·TM threads. Element (i,l) of A lies at i·K+l, or at l·M+i where it is transposed; element
// (l,j) of B at l·N+j, or at j·K+l. Steps along K load into registers while the step before is summed.
template <int TM, bool a_transposed, bool b_transposed>
__device__ __forceinline__ void product(float* C, const float* A, const float* B, int M, int N, int K, float alpha, float beta) {
  constexpr int TN = 64, threads = TM * 4, a_each = TM * depth / threads, b_each = TN * depth / threads;
  __shared__ __align__(16) float as[depth][TM + 4];
  __shared__ __align__(16) float bs[depth][TN + 4];
  int tid = threadIdx.x, tx = tid % 16, ty = tid / 16;
  i64 m0 = (i64)blockIdx.y * TM, n0 = (i64)blockIdx.x * TN;
  float a[a_each], b[b_each], sums[4][4] = {};
  auto load = [&](int k0) {
#pragma unroll
    for (int e = 0; e < a_each; e++) {
      int at = e * threads + tid;
      int l = a_transposed ? at / TM : at % depth, i = a_transposed ? at % TM : at / depth;
      bool in = m0 + i < M && k0 + l < K;
      a[e] = in ? (a_transposed ? A[(i64)(k0 + l) * M + m0 + i] : A[(m0 + i) * K + k0 + l]) : 0.0f;
    }
#pragma unroll
    for (int e = 0; e < b_each; e++) {
      int at = e * threads + tid;
      int l = b_transposed ? at % depth : at / TN, j = b_transposed ? at / depth : at % TN;
      bool in = n0 + j < N && k0 + l < K;
      b[e] = in ? (b_transposed ? B[(n0 + j) * K + k0 + l] : B[(i64)(k0 + l) * N + n0 + j]) : 0.0f;
    }
  };
  load(0);
  for (int k0 = 0; k0 < K; k0 += depth) {
#pragma unroll
    for (int e = 0; e < a_each; e++) {
      int at = e * threads + tid;
      as[a_transposed ? at / TM : at % depth][a_transposed ? at % TM : at / depth] = a[e];
    }
#pragma unroll
    for (int e = 0; e < b_each; e++) {
      int at = e * threads + tid;
      bs[b_transposed ? at % depth : at / TN][b_transposed ? at / depth : at % TN] = b[e];
    }
    __syncthreads();
    if (k0 + depth < K) load(k0 + depth);
    float step[4][4] = {};
#pragma unroll
    for (int l = 0; l < depth; l++) {
      float4 u = *(const float4*)&as[l][ty * 4], v = *(const float4*)&bs[l][tx * 4];
      float us[4] = {u.x, u.y, u.z, u.w}, vs[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
      for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) step[i][j] = fmaf(us[i], vs[j], step[i][j]);
      }
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) sums[i][j] += step[i][j];
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    i64 row = m0 + ty * 4 + i;
    if (row >= M) return;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      i64 col = n0 + tx * 4 + j;
      if (col >= N) continue;
      float v = alpha * sums[i][j];
      if (beta != 0) v = fmaf(beta, C[row * N + col], v);
      C[row * N + col] = v;
    }
  }
}

#define PRODUCT(name, TM, a_transposed, b_transposed)                                                                                 \
  KERNEL __launch_bounds__(TM * 4) name(float* C, const float* A, const float* B, int M, int N, int K, float alpha, float beta) {     \
    product<TM, a_transposed, b_transposed>(C, A, B, M, N, K, alpha, beta);                                                           \
  }

PRODUCT(product_nt, 64, false, true)
PRODUCT(product_nn, 64, false, false)
PRODUCT(product_tn, 64, true, false)
// The same for at most 16 rows, as in decoding.
PRODUCT(product_nt_low, 16, false, true)
PRODUCT(product_nn_low, 16, false, false)
PRODUCT(product_tn_low, 16, true, false)
