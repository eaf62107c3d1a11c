// Tensor cores, copies and barriers of compute capability 9.0 (Hopper). What is said here of layouts is in the PTX ISA (9.1),
// "Asynchronous warpgroup level matrix instructions", and in the comments of CUTLASS's mma_traits_sm90_gmma.hpp.
#pragma once
#include "bf16.cuh"

// A tile in shared memory is rows of 64 elements of bf16, 128 bytes, from an address that is a multiple of 1,024; a wider matrix
// is several tiles, one behind the other. In row r the 16 bytes that hold elements 8c… lie at place c ^ r%8 (the 128-byte
// swizzle: bits 4 to 6 of the address are xored with bits 7 to 9).
constexpr int tile_columns = 64;

// place is the index of 8 elements, from column 8c on, in a matrix of tiles with rows rows.
__device__ __forceinline__ int place(int rows, int r, int c) { return (c / 8 * rows + r) * tile_columns + ((c ^ r) % 8) * 8; }

// first_tile is the first place in dynamic shared memory that a tile may have.
__device__ __forceinline__ u16* first_tile(u16* shared) { return shared + (1024 - shared_address(shared) % 1024) % 1024 / 2; }

// descriptor names a matrix of such tiles: its address and the distances between eight rows (1,024 bytes) and between tiles,
// which counts only where the columns of a tile are those of the product (turned), all in units of 16 bytes; 1 in the
// top two bits is the 128-byte swizzle.
__device__ __forceinline__ u64 descriptor(const void* p, int tile_bytes) {
  return (u64)(shared_address(p) >> 4 & 0x3fff) | (u64)(tile_bytes >> 4) << 16 | (u64)(1024 >> 4) << 32 | (u64)1 << 62;
}

// along moves a descriptor by 16 columns, k in all, in a matrix with rows rows; down by whole rows, of which 8 are 1,024 bytes.
__device__ __forceinline__ u64 along(u64 d, int k, int rows) { return d + (k / tile_columns * rows * 128 + k % tile_columns * 2 >> 4); }
__device__ __forceinline__ u64 down(u64 d, int rows) { return d + (rows * 128 >> 4); }

// Products are asynchronous: fence before the first one and after registers that take part were written, commit ends a group,
// wait_products lets all but the last n groups end. All warps of a warpgroup do the same.
__device__ __forceinline__ void products_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void products_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int n>
__device__ __forceinline__ void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(n) : "memory");
}

// now has numbers computed here, where products run beside it, rather than where they are used.
template <int N>
__device__ __forceinline__ void now(float (&x)[N]) {
#pragma unroll
  for (int i = 0; i < N; i++) asm volatile("" : "+f"(x[i]));
}

// Products of 64 rows: d (64, N) = a (64, 16) · b (16, N) for start_group, d += a · b for multiply_group. Thread t of the warpgroup
// holds of d the rows 16·(t/32) + t%32/4 and the one 8 below: d[4j+e] is row e/2·8, column 8j + t%4·2 + e%2 of them. a is in
// shared memory, or in registers in the way of multiply (bf16.cuh). b lies as (N, 16), or, turned, as (16, N).
#define REGISTERS_32                                                                                                       \
  "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, " \
  "%26, %27, %28, %29, %30, %31"
#define REGISTERS_64                                                                                                         \
  REGISTERS_32                                                                                                               \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, " \
  "%56, %57, %58, %59, %60, %61, %62, %63"
#define SUMS_8(how, d, i) \
  how(d[i]), how(d[i + 1]), how(d[i + 2]), how(d[i + 3]), how(d[i + 4]), how(d[i + 5]), how(d[i + 6]), how(d[i + 7])
#define SUMS_32(how, d, i) SUMS_8(how, d, i), SUMS_8(how, d, i + 8), SUMS_8(how, d, i + 16), SUMS_8(how, d, i + 24)
#define WGMMA(n) "wgmma.mma_async.sync.aligned.m64n" #n "k16.f32.bf16.bf16 "
#define ADD "{.reg .pred p; setp.eq.b32 p, 0, 0; "
#define START "{.reg .pred p; setp.ne.b32 p, 0, 0; "

__device__ __forceinline__ void start_group(float (&d)[32], u64 a, u64 b) {
  asm volatile(START WGMMA(64) REGISTERS_32 "}, %32, %33, p, 1, 1, 0, 0;}" : SUMS_32("=f", d, 0) : "l"(a), "l"(b));
}
__device__ __forceinline__ void start_group(float (&d)[64], u64 a, u64 b) {
  asm volatile(START WGMMA(128) REGISTERS_64 "}, %64, %65, p, 1, 1, 0, 0;}"
               : SUMS_32("=f", d, 0), SUMS_32("=f", d, 32)
               : "l"(a), "l"(b));
}
__device__ __forceinline__ void multiply_group(float (&d)[32], u64 a, u64 b) {
  asm volatile(ADD WGMMA(64) REGISTERS_32 "}, %32, %33, p, 1, 1, 0, 0;}" : SUMS_32("+f", d, 0) : "l"(a), "l"(b));
}
__device__ __forceinline__ void multiply_group(float (&d)[64], u64 a, u64 b) {
  asm volatile(ADD WGMMA(128) REGISTERS_64 "}, %64, %65, p, 1, 1, 0, 0;}"
               : SUMS_32("+f", d, 0), SUMS_32("+f", d, 32)
               : "l"(a), "l"(b));
}
// The same with a in registers and b turned.
__device__ __forceinline__ void multiply_turned(float (&d)[32], const u32 (&a)[4], u64 b) {
  asm volatile(ADD WGMMA(64) REGISTERS_32 "}, {%32, %33, %34, %35}, %36, p, 1, 1, 1;}"
               : SUMS_32("+f", d, 0)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}
__device__ __forceinline__ void multiply_turned(float (&d)[64], const u32 (&a)[4], u64 b) {
  asm volatile(ADD WGMMA(128) REGISTERS_64 "}, {%64, %65, %66, %67}, %68, p, 1, 1, 1;}"
               : SUMS_32("+f", d, 0), SUMS_32("+f", d, 32)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

// Barriers in shared memory: a phase ends when count arrivals and the bytes that were announced have come. Phases count from 0;
// wait returns when the phase of that parity has ended, at once for parity 1 of a new barrier.
__device__ __forceinline__ void barrier_init(u64* b, int count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(b)), "r"(count) : "memory");
}
// barriers_ready makes new barriers known to the copy engine.
__device__ __forceinline__ void barriers_ready() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
__device__ __forceinline__ void barrier_arrive(u64* b) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(b)) : "memory");
}
__device__ __forceinline__ void barrier_wait(u64* b, int parity) {
  u32 done;
  do {
    asm volatile("{.reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p;}"
                 : "=r"(done)
                 : "r"(shared_address(b)), "r"(parity)
                 : "memory");
  } while (!done);
}

// barrier_expect arrives and announces bytes that copy_bulk brings.
__device__ __forceinline__ void barrier_expect(u64* b, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(b)), "r"(bytes) : "memory");
}

// copy_bulk copies bytes, a multiple of 16, from global to shared memory and counts them at the barrier.
__device__ __forceinline__ void copy_bulk(void* to, const void* from, int bytes, u64* b) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(shared_address(to)),
               "l"(from), "r"(bytes), "r"(shared_address(b))
               : "memory");
}

// share_writes makes this thread's writes to shared memory seen by products and copies that start after the next barrier.
__device__ __forceinline__ void share_writes() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// Barriers of some of the block's threads, 1 to 15. arrive_some counts without waiting.
__device__ __forceinline__ void sync_some(int barrier, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}
__device__ __forceinline__ void arrive_some(int barrier, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

// The registers per thread that a warpgroup has from here on.
template <int n>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(n));
}
template <int n>
__device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(n));
}

// load8 reads 8 elements of a row, zeros from n on. wide: the row's elements may be read four at a time.
__device__ __forceinline__ void load8(float (&x)[8], const float* from, int n, bool wide) {
  if (wide && n >= 8) {
    float4 low = *(const float4*)from, high = *(const float4*)(from + 4);
    x[0] = low.x, x[1] = low.y, x[2] = low.z, x[3] = low.w;
    x[4] = high.x, x[5] = high.y, x[6] = high.z, x[7] = high.w;
  } else {
#pragma unroll
    for (int i = 0; i < 8; i++) x[i] = i < n ? from[i] : 0.0f;
  }
}

__device__ __forceinline__ uint4 round8(const float (&x)[8]) {
  return make_uint4(pair(x[0], x[1]), pair(x[2], x[3]), pair(x[4], x[5]), pair(x[6], x[7]));
}
