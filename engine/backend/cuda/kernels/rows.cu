// Rows copied by index, and the embedding's gradient.
#include "common.cuh"

// y[i,:] = x[rows[i],:], x of limit rows: the embedding's forward pass and Gather.
KERNEL rows_gather(float* y, const float* x, const int* rows, int n, int C, int limit, Fault* fault, int code) {
  i64 i = warp_row();
  if (i >= n) return;
  int row = rows[i];
  if (!inside(fault, code, (int)i, row, limit)) return;
  for (int c = threadIdx.x % 32; c < C; c += 32) y[i * C + c] = x[(i64)row * C + c];
}

// y[rows[i],:] = x[i,:], y of limit rows; rows are distinct.
KERNEL rows_scatter(float* y, const float* x, const int* rows, int n, int C, int limit, Fault* fault, int code) {
  i64 i = warp_row();
  if (i >= n) return;
  int row = rows[i];
  if (!inside(fault, code, (int)i, row, limit)) return;
  for (int c = threadIdx.x % 32; c < C; c += 32) y[(i64)row * C + c] = x[i * C + c];
}

// dW[ids[t],:] += dY[t,:] in the order of t, without atomics: a block of 128 threads for each t goes through ids once. It
// stops when an earlier position has the same id; otherwise it is the one that adds all rows of that id. Reading T ids
// from L2 in each of T blocks is 1 GB at 16,384 tokens: below the bytes of dY for every model that trains that many.
KERNEL rows_scatter_add(float* dW, const float* dY, const int* ids, int T, int C, int limit, Fault* fault, int code) {
  __shared__ int found[128], count;
  int t = blockIdx.x, id = ids[t];
  if ((u32)id >= (u32)limit) {
    if (threadIdx.x == 0) inside(fault, code, t, id, limit);
    return;
  }
  for (int from = 0; from < t; from += 128) {
    int i = from + threadIdx.x;
    if (__syncthreads_or(i < t && ids[i] == id)) return;
  }
  float* to = dW + (i64)id * C;
  for (int from = t; from < T; from += 128) {
    int i = from + threadIdx.x;
    bool same = i < T && ids[i] == id;
    u32 votes = __ballot_sync(all_lanes, same);
    // The positions of this stretch in their order: warps write theirs one after the other.
    if (threadIdx.x == 0) count = 0;
    for (int warp = 0; warp < 4; warp++) {
      __syncthreads();
      if (threadIdx.x / 32 == warp) {
        int lane = threadIdx.x % 32, before = count;
        __syncwarp();
        if (same) found[before + __popc(votes & ((1u << lane) - 1))] = i;
        if (lane == 0) count = before + __popc(votes);
      }
    }
    __syncthreads();
    int n = count;
    for (int c = threadIdx.x; c < C && n > 0; c += 128) {
      float sum = to[c];
      for (int j = 0; j < n; j++) sum += dY[(i64)found[j] * C + c];
      to[c] = sum;
    }
    __syncthreads();
  }
}
