// Package bench measures how fast the engine is on a machine: what the machine can do (Machine), what each kernel makes of that
// (Kernels), and what whole pieces of work take (Work): training steps, runs on rows of unequal length, generation and
// log-likelihoods. Compare runs the same pieces of work by other programs in turn with ours and forms ratios.
//
// A piece of work is measured in a process of its own, ours like the others': a Work goes in, a Result comes out as one line of
// JSON, and the process that started it reads the peak of its memory from the operating system. So the time from the start of
// the process, the memory and the speed are of the same kind on both sides. Nothing here prints.
package bench
