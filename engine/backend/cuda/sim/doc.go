// Package sim runs PTX, the assembly of NVIDIA's GPUs, on the processor: the very text that a driver is given, instruction by
// instruction, a warp of 32 threads at a time. It is slow, needs no GPU, and looks at what a GPU does not: every load and
// store is checked, and the first thing that is not right ends the launch with a Fault that names the kernel, the block,
// the thread, and the line in the PTX and in the CUDA source.
//
// Checked are
//
//   - addresses: inside one allocation, aligned to the access, not freed;
//   - values: memory and registers are written before they are read;
//   - order: two accesses of one word, one of them a write, by two threads with no barrier between them, or by two
//     blocks of one launch (atomics aside);
//   - barriers: all warps wait at the same one, warp-wide instructions find all their lanes;
//   - copies in flight (cp.async, cp.async.bulk): nobody touches the destination before they are waited for;
//   - products in flight (wgmma): nobody uses their registers or overwrites what they read before they are waited for, fences
//     stand where the manual wants them, all warps of a warpgroup run the same ones, descriptors name tiles that are there;
//   - waits that never end: at an mbarrier, or at a barrier for some of the warps.
//
// Threads of a warp run in lockstep, lanes that diverge one group after the other, the one that is further back first; warps that
// wait for others take turns; blocks run one after another; copies arrive as late as they may. Nothing depends on that order
// unless one of the checks above says so. Approximate instructions (ex2, rsqrt, …) err by as much as the PTX manual allows
// them to, so that a result that needs better luck than promised shows. Sums inside mma and wgmma run in float32 from left to
// right.
//
// An instruction that the package does not know is refused when the text is read. What it does not model: time, caches,
// memory order weaker than barriers, more than one launch at once.
package sim
