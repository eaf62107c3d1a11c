// What several kernels use. No header of the toolkit is needed to compile them.
//
// Letters are those of package tensor: T rows, C columns, H query heads, K key-value heads, D head size, V vocabulary.
// Row kernels give a row to a warp, four warps to a block. No kernel adds with atomics: sums have one order, so the
// same inputs give the same bits.
#pragma once

typedef unsigned int u32;
typedef unsigned short u16;
typedef long long i64;
typedef unsigned long long u64;

#define KERNEL extern "C" __global__ void

constexpr u32 all_lanes = 0xffffffffu;
constexpr float log2_e = 1.4426950408889634f;
constexpr float ln_2 = 0.6931471805599453f;

__device__ __forceinline__ float infinity() { return __int_as_float(0x7f800000); }

__device__ __forceinline__ float warp_sum(float v) {
#pragma unroll
  for (int o = 16; o > 0; o >>= 1) v += __shfl_xor_sync(all_lanes, v, o);
  return v;
}

__device__ __forceinline__ float warp_max(float v) {
#pragma unroll
  for (int o = 16; o > 0; o >>= 1) v = fmaxf(v, __shfl_xor_sync(all_lanes, v, o));
  return v;
}

// exp2_fast is 2^x within 2 units in the last place, 0 below the normal numbers.
__device__ __forceinline__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

__device__ __forceinline__ float exp_fast(float x) { return exp2_fast(x * log2_e); }

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + exp_fast(-x)); }

// A Fault is the first index of a launch that lies outside its table, for the host to report.
struct Fault {
  int code;   // 0: none; else what the host numbered the operation with
  int row;    // which index
  int value;  // what it is
  int limit;  // the size of the table
};

// inside tells whether an index lies in [0, limit); if not, it leaves a report.
__device__ __forceinline__ bool inside(Fault* fault, int code, int row, int value, int limit) {
  if ((u32)value < (u32)limit) return true;
  if (atomicCAS(&fault->code, 0, code) == 0) {
    fault->row = row;
    fault->value = value;
    fault->limit = limit;
  }
  return false;
}

// The row of this warp, for row kernels.
__device__ __forceinline__ i64 warp_row() { return (i64)blockIdx.x * 4 + threadIdx.x / 32; }
