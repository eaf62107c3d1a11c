// Package cpu is the fast backend for the machine's processor. It keeps the rules of package backend: float32 in and
// out, the same bits on any number of threads. New says how many threads; backend.Open("cpu") takes GOMAXPROCS.
//
// # Kernels and their choice
//
// What is worth vectorising is a kernel: a function on pointers and strides, listed in the struct kernels of
// dispatch.go. There are three sets: AVX-512, AVX2 with FMA, and plain Go (generic.go); a fourth is AVX-512 with other tiles for bf16. best picks one when a Backend is
// made. The assembly and its declarations (*_amd64.s and the Go files of the same names) are written by cmd/gen/asm,
// which holds every kernel once for both instruction sets; run it again after a change there. The plain Go kernels run
// on other processors and are what the tests hold the assembly against (equiv_test.go). Everything above the kernels is
// one piece of Go for all sets.
//
//	tile14x2v … tile1x1v     C = alpha·A·B + beta·C for a tile; heights 14, 8, 4, 2, 1 (AVX2: 6, 4, 2, 1), one or two vectors wide
//	dot1x8 … dot3x8          the same from rows along k, for products with few rows
//	transpose, copyLanes     packing
//	axpy … adamw             elementwise, sums
//	maxRow … softmaxGrad     softmax along rows and along the columns of a tile
//
// # Products
//
// A product goes through blocks of at most 576 along K and 1024 along N (matmul.go). For each, the threads together
// pack the columns of B into panels two vectors wide; then each thread packs blocks of up to 112 rows of A into panels
// as high as a tile and multiplies them with all panels of B. Where the caches are small, the blocks of rows and columns are
// smaller, which leaves the bits as they are. A second product of few terms, as an adapter's, is added to each tile while it is at hand (MatMulSum). Edges are not padded: they are cut into lower tiles, and
// the narrow tiles mask their lanes. A small result over a long K, as a weight's gradient, is made in steps along K that threads take apart
// and that are added in their order (apart.go). A product with at most 32 rows on one side, as in decoding and in adapters, reads its longer
// operand where it lies (fewrows.go): with dot kernels where the rows run along K, with tiles where they run across.
//
// # Packed weights
//
// Products by a weight in codes and scales (quant.go) turn codes into numbers as they pack panels of it; one row is multiplied by
// codes that become numbers in registers. In the forms int8 and int4, forward products run in whole numbers (int8.go), with AVX2 those
// of one row: rows of A become 8-bit codes and a scale for 32 elements, and 32-bit sums of a block are scaled and added in float32.
//
// # bf16
//
// On the device "cpu-bf16" (NewBF16) products with at least 64 rows and columns, over at least 32 elements, round their
// operands to bf16 while they pack them; sums, results, master weights, attention and everything else are in float32. Where
// the processor multiplies pairs of bf16 faster than float32 numbers, a word of a panel holds two elements along K and
// the tiles are pairTile…; elsewhere the float32 tiles multiply rounded operands. Both mean the same numbers and differ in
// the order of sums. Which is faster is a matter of the processor's make (best in dispatch_amd64.go).
//
// # Attention
//
// The same tiles compute scores transposed, a row for each key and a lane for each query, so that softmax works on
// whole vectors without sums across lanes, and P·V and dS·K read the scores as they lie. Forward goes through keys in
// blocks of 128 with a running maximum; backward computes scores again from lse. No buffer grows with the square of
// the length. A segment of one query, as in decoding, takes one pass over its keys.
//
// # Threads and determinism
//
// An operation is cut into items (a block of rows, a head of a segment, 16,384 elements) by its shape alone; threads
// claim items in any order. Each element is computed within one item, or sums of items are added in their order, so
// the number of threads leaves no trace in the bits. Which kernels run does: AVX2 and AVX-512 round differently.
//
// Operations allocate nothing once their scratch memory has grown to its size; it stays with the Backend. The largest
// piece is the chunk of logits of LinearCrossEntropy: 8 MB, or 512 rows where that is more.
//
// # PERF
//
// Where an update's time goes in float32 on two cores of a Xeon with AVX-512 (Sapphire Rapids; the largest tile out of the
// first cache does 314 GFLOP/s on both), in percent, with the rate in GFLOP/s. Each column is one process of
// "tunebook bench --only steps"; the machine was shared, and the same binary differs by 20 % between runs.
//
//	                  SmolLM2-135M 4 × 256   LoRA 16, the same   9.4 M, 32 × 128
//	products           68.5   226             68.1   220          75.0   231
//	cross-entropy      18.0   229             18.2   205          10.2   212
//	attention           6.1   124              8.4   122           6.9    92
//	pointwise           3.8                    4.6                 6.5
//	optimizer           3.0                    0.2                 0.7
//	movement, rest      0.5                    0.5                 0.7
//
// Products and cross-entropy, which is three of them and a pass over the logits, run at 60 to 75 % of that peak: packing takes 8 % of the time. A
// tile runs at the core's peak whenever the core is its own (177 GFLOP/s on one thread, out of the second cache and in any of a dozen forms), and
// at 130 to 150 while other programs share it, which here is most of the time; other blocks, distances of prefetching and pages of
// 2 MB made no difference that could be told from that, nor did multiplying A where it lies, unpacked. Were products at 85 %, an update would take a fifth less;
// all else together is 13 % of the largest model's. Of that, attention (41 % of the peak; its tiles are cut by
// the causal edge and are 64 deep) and SwiGLU, which is bound by memory in large passes, are what is left. AdamW and the norm of
// the gradients move 4.3 GB in 0.13 s. Narrower moments save memory and no time here: 0.7 ns an element in float32, 2.9 in
// bf16, 15 in 8 bits, which are computed in plain Go, on the same two threads.
package cpu
