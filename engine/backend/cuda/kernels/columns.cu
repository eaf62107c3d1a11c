// Sums over rows, for the gradients of what every row shares: norm weights and biases. Rows are cut into chunks of
// rows_per_chunk; columns_partial writes a sum for each chunk and column, columns_add adds them in the order of chunks.
#include "common.cuh"

constexpr int rows_per_chunk = 64;

// partial[chunk, c] = Σ_t dY[t,c]·n[t,c] over the chunk's rows, where n is
//   1                        x null
//   x[t,c]                   rstd null
//   x[t,c]·rstd[t]           mean null
//   (x[t,c]-mean[t])·rstd[t]
// Block: 32 columns by 8 rows; grid: columns, chunks.
KERNEL columns_partial(float* partial, const float* dY, const float* x, const float* mean, const float* rstd, int T, int C) {
  __shared__ float sums[8][33];
  int c = blockIdx.x * 32 + threadIdx.x;
  i64 first = (i64)blockIdx.y * rows_per_chunk;
  i64 end = first + rows_per_chunk < T ? first + rows_per_chunk : T;
  float total = 0;
  if (c < C) {
    for (i64 t = first + threadIdx.y; t < end; t += 8) {
      float d = dY[t * C + c];
      if (x) {
        float v = x[t * C + c];
        if (mean) v -= mean[t];
        if (rstd) v *= rstd[t];
        d *= v;
      }
      total += d;
    }
  }
  sums[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y == 0 && c < C) {
    for (int i = 1; i < 8; i++) total += sums[i][threadIdx.x];
    partial[(i64)blockIdx.y * C + c] = total;
  }
}

// out[c] += Σ_chunk partial[chunk, c] / d[c]; d may be null.
KERNEL columns_add(float* out, const float* partial, const float* d, int chunks, int C) {
  int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c >= C) return;
  float total = 0;
  for (int i = 0; i < chunks; i++) total += partial[(i64)i * C + c];
  out[c] += d ? total / d[c] : total;
}

// y[t,c] += b[c]; a warp for a row.
KERNEL columns_bias(float* y, const float* b, int T, int C) {
  i64 t = warp_row();
  if (t >= T) return;
  for (int i = threadIdx.x % 32; i < C; i += 32) y[t * C + i] += b[i];
}
