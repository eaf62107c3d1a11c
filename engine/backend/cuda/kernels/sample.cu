// One index drawn from each row of scores.
#include "common.cuh"

constexpr int threads = 512, warps = threads / 32;

// How a row's index is drawn; package backend says what the numbers mean.
struct Draw {
  u64 u, p;    // the random number and top-p, times 2^64; p 0 for no cut
  float scale;  // 1/temperature; 0 for the largest
  int k;        // top-k; 0 for no cut
  u32 least;    // min-p times 2^31
  int cut;      // whether there is a cut
};

// Weights are integers: exp((score - largest)·scale) times 2^31, rounded down. Their sums are exact, so no order matters, and a sum
// of 2^33 of them fits.
__device__ __forceinline__ u32 weight(float z, float top, float scale) { return __float2uint_rz(exp_fast((z - top) * scale) * 2147483648.0f); }

// The place of an index in the order of the running sum, larger ones first; no two are equal. With cuts that is the order of the
// scores, whose bits are turned so that they compare as integers, then of the indices; without, that of the indices.
__device__ __forceinline__ u64 place(float z, int i, int cut) {
  u32 bits = z == 0 ? 0 : __float_as_uint(z);  // zeros of both signs are equal
  bits = bits >> 31 ? ~bits : bits | 0x80000000u;
  return (cut ? (u64)bits << 32 : 0) | (u32)~i;
}

struct Sum {
  u64 weight;
  int count;
};

// The sum over lanes that lie next to each other, n of them (a power of two).
template <int n>
__device__ __forceinline__ Sum over(Sum s) {
#pragma unroll
  for (int o = n / 2; o > 0; o >>= 1) {
    s.weight += __shfl_xor_sync(all_lanes, s.weight, o);
    s.count += __shfl_xor_sync(all_lanes, s.count, o);
  }
  return s;
}

// What the whole block knows of one row.
struct Row {
  const float* x;
  int V, cut;
  float top, scale;
  Sum* parts;  // (2, warps) in shared memory
  int turn;

  // The sum over what lies at from or before it and weighs at least so much, and 1 at least.
  __device__ __forceinline__ Sum sum(u64 from, u32 least) {
    Sum s = {0, 0};
    for (int i = threadIdx.x; i < V; i += threads) {
      float z = x[i];
      u32 w = weight(z, top, scale);
      if (w >= least && w > 0 && place(z, i, cut) >= from) {
        s.weight += w;
        s.count++;
      }
    }
    s = over<32>(s);
    Sum* now = parts + turn * warps;
    turn ^= 1;  // what is read now is written again only after the next barrier
    if (threadIdx.x % 32 == 0) now[threadIdx.x / 32] = s;
    __syncthreads();
    return over<warps>(now[threadIdx.x % warps]);
  }

  // The place of the first index at which the running sum, or the running count, reaches need: 1 to what the row has. first and
  // past enclose it; at the end nothing else that weighs anything lies between them, and at is the running sum.
  __device__ __forceinline__ void find(u64 need, bool counts, u64& first, u64& past, Sum& at) {
    Sum behind = {0, 0};  // past
    while (at.count - behind.count > 1) {
      u64 middle = first + (past - first) / 2;
      Sum s = sum(middle, 0);
      if ((counts ? s.count : s.weight) >= need) {
        first = middle;
        at = s;
      } else {
        past = middle;
        behind = s;
      }
    }
  }
};

// ids[row] = the index drawn, -1 where the row holds a NaN or +Inf or nothing above -Inf. A block for a row. Each step of a search
// reads the row once, from L2: with V 131,072 and top-p about 40 times.
KERNEL sample_draw(int* ids, const float* x, const Draw* draws, int V) {
  __shared__ Sum parts[2 * warps];
  __shared__ u64 tops[warps];
  Draw d = draws[blockIdx.x];
  Row row = {x + (i64)blockIdx.x * V, V, d.cut, 0, d.scale, parts, 0};
  u64 most = 0;
  bool bad = false;
  for (int i = threadIdx.x; i < V; i += threads) {
    float z = row.x[i];
    bad = bad || !(z < infinity());
    u64 p = place(z, i, 1);
    if (z > -infinity() && p > most) most = p;
  }
#pragma unroll
  for (int o = 16; o > 0; o >>= 1) {
    u64 other = __shfl_xor_sync(all_lanes, most, o);
    if (other > most) most = other;
  }
  if (threadIdx.x % 32 == 0) tops[threadIdx.x / 32] = most;
  bad = __syncthreads_or(bad);
  for (int i = 0; i < warps; i++) {
    if (tops[i] > most) most = tops[i];
  }
  int best = (int)~(u32)most;
  if (bad || most == 0 || d.scale == 0) {
    if (threadIdx.x == 0) ids[blockIdx.x] = bad || most == 0 ? -1 : best;
    return;
  }
  row.top = row.x[best];
  // Where the search begins and ends: what lies further below weighs nothing (31·ln 2 < 22).
  u64 lowest = d.cut ? place(row.top - 22.0f / d.scale, 0, 1) >> 32 << 32 : (u32)~(V - 1);
  u64 end = d.cut ? most + 1 : (u64)1 << 32;
  Sum all = row.sum(lowest, 0);
  u64 left = all.weight;
  if (d.k > 0 && d.k < all.count) {
    u64 first = lowest, past = end;
    Sum at = all;
    row.find(d.k, true, first, past, at);
    left = at.weight;
  }
  if (d.p > 0) {
    u64 first = lowest, past = end, share = __umul64hi(d.p, left);
    Sum at = all;
    row.find(share > 0 ? share : 1, false, first, past, at);
    left = at.weight;
  }
  if (d.least > 0) {
    Sum heavy = row.sum(lowest, d.least);
    if (heavy.weight < left) left = heavy.weight;
  }
  u64 first = lowest, past = end;
  row.find(__umul64hi(d.u, left) + 1, false, first, past, all);
  for (int i = threadIdx.x; i < V; i += threads) {
    float z = row.x[i];
    u64 p = place(z, i, d.cut);
    if (p >= first && p < past && weight(z, row.top, d.scale) > 0) ids[blockIdx.x] = i;
  }
}
