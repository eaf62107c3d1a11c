// Package cuda runs the operations of package backend on NVIDIA GPUs with kernels of its own, or on a simulated card.
//
// # Measured
//
// On one H100 80GB HBM3 (SXM, driver for CUDA 13.0, cuBLASLt 13.1), where the conformance suite, whole training runs and
// every instruction family of testdata/instructions.json passed as they do on the simulator:
//
//	copy of 1 GiB                                            2.4 TB/s
//	product of 4096, 8192, float32 / bf16 once packed       50 / 690, 760 TFLOP/s
//	the same by our own kernels                              27 / 130, 122 TFLOP/s
//	attention forward, 16 heads of 128, 4096 causal          7 (float32), 143 (bf16, older cards' kernels), 410 (bf16, Hopper) TFLOP/s
//	attention backward, likewise                             6, 109, 391 TFLOP/s
//	AdamW over all tensors, moments float32, bf16, 8-bit     2.8, 2.8, 1.3 TB/s
//	moments from and to locked memory                        53, 54 GB/s
//
// Whole updates of 4 × 4,096 tokens on cuda-bf16, in thousands of tokens a second (BenchmarkCardStep): SmolLM2 135M all weights 151,
// adapters of rank 16 129; Llama 3.2 1B's geometry with 4 of its 16 layers, all weights, 130 and 133: 393 and 403 TFLOP/s in products with
// weights, 40 and 41 % of the 989 that the card is sold with. PyTorch 2.11 in the first of these calls (everything in bf16, SDPA, fused AdamW,
// a batch of 2 twice) did 109 thousand.
//
// The command, on a machine with a card (card_test.go, card_step_test.go; it needs no Go there):
//
//	CGO_ENABLED=0 go test -c -o cuda.test ./engine/backend/cuda
//	./cuda.test -test.v -test.run Card -record instructions.json -test.bench Card -test.benchtime 1x
//
// No other card was measured, and bf16 buffers are not there. Sampling (sample.cu), and graphs, which are off, have run on the simulator
// only. Several cards at once, and NCCL, have run on no card yet: only on simulated ones, and on a stand-in for the library.
//
// # Devices
//
//	cuda       the first card through the driver (libcuda), which purego loads when it is there; cuda:1 the second, and so on for
//	           all three
//	cuda-bf16  the same; products of at least 8 rows, columns and terms and 2^18 multiplications, and attention with heads of at
//	           most 128, round their operands to bf16 and run on tensor cores
//	cuda-sim   a simulated card (package sim): the PTX that ships, with every access checked
//
// The build tag nogpu leaves purego out, and the first two devices with it. device.go is all that the operations need of a card;
// driver.go is the driver as a table of functions, behind which tests put the simulator.
//
// # Several cards
//
// A model is trained on several cards by a copy on each (package train). Their gradients are added on the first, which makes the update, and its
// parameters go to the others: ncclReduce and ncclBroadcast on the streams on which the cards work (nccl.go), without a copy on the host.
// Both go round a ring in an order that follows from the machine, so that the same run has the same bits there; ncclAllReduce, which
// would move as many bytes, may choose sums without a fixed order. NCCL is looked for at run time; without it the numbers go
// through the machine's memory (backend.NewCollective). They are moved after the last backward pass: nothing of it is hidden behind work.
//
// # Kernels
//
// kernels/<op>.cu hold CUDA C++, forward and backward; `go run ./cmd/gen kernels` compiles them, for each generation of
// cards and as PTX for those still to come, to built, which is embedded. built/USAGE.md says what each kernel takes of a
// multiprocessor. A kernel's name begins with its source's. Buffers are float32, and all sums are.
//
// Bound by memory (bytes moved for T rows of C): rmsnorm and layernorm 8 to 20·T·C forward, gated 12 to 20 an element, rope 8,
// adamw 28 (20 with moments in bf16, 16 in 8 bits; all tensors in one launch), softmax 12·V a row, sample 4·V for each step of its
// search (some 40 with cuts, 20 without). These give a row to a warp or an element to a thread and read each operand once from
// memory. Bound by arithmetic: products and attention. Products go through cuBLASLt
// (blas.go), which is found at run time, with an algorithm kept for each shape; where it is not there, or has no way, through
// product, whose tiles of 64×64 do 16 multiplications for each element that is loaded to shared memory, and bf16_product, the
// same tiles through cp.async, ldmatrix and mma. Operands in bf16 are packed once (6 bytes an element) and kept until they are
// written or room is wanted (bf16.go). attention has blocks of 16 queries that pass over keys 32 at a time; flash, on tensor
// cores, 64 queries a block, a warp owning 16, with the next block of keys copied while one is multiplied; flash90, for
// compute capability 9.0 alone, two warpgroups of 64 queries that take turns on the tensor cores (wgmma) while a third has
// keys copied (bulk copies that arrive at barriers).
//
// Sources in 90 are for compute capability 9.0 (Hopper) alone: flash90 and back90 have operands packed as tiles of 128 rows in the
// order that wgmma reads, brought by bulk copies at mbarriers, and give 64 rows to each of two warpgroups; a third one
// copies. flash90_forward multiplies 4·128·128·D times a block of keys for 4·128·D bytes; back90_q takes three products and
// back90_kv four where five would do with atomics.
//
// Sums over rows (gradients of norms, biases and embeddings) are made in chunks that follow from the shape alone and added
// in their order; no kernel adds with atomics; sample adds integers. The same inputs give the same bits on the same card.
//
// # Graphs
//
// With card.graphs set, which only tests do until a card has run it, the card's operations between two copies or waits are kept as lists of
// up to 256 (graph.go). One that is asked for again, to the last argument, is captured (cuStreamBeginCapture) and from then on started with one call;
// operations that begin like a known list are held back until it is clear whether they go on like it, and are started one
// by one where they do not. It needs no knowledge of steps: memory is given out by the lowest address, and tapes give back the tables of
// their documents, so a step whose batch has the shape of an earlier one finds its buffers at the same addresses. Token ids and targets
// are copied before the lists that read them. Batches of ever other lengths repeat nothing and are started one by one; steps of generation and
// sequences of one length repeat. What it saves is the driver's time for each launch and the card's between two kernels.
//
// # Memory
//
// What a run takes is counted before its first update by a plan (plan.go): the same operations on a card that does nothing.
// On a simulated card what buffers really take is what the plan says (plan_test.go). For full tuning of Llama 3.2 1B, one
// update of 4 documents of 4,096 tokens in one pass on an 80 GB H100, device cuda-bf16, in GB of 10⁹ bytes; weights 4.9
// and cuBLASLt's 0.07 are in the sums, the driver's context is not. This is planned, not measured:
//
//	                             gradients, activations   moments   in all
//	adamw                        31.1                     9.9       46.0
//	adamw, Recompute              9.9                     9.9       24.8
//	adamw-bf16, Recompute         9.9                     4.9       19.8
//	adamw8bit, Recompute          9.9                     2.5       17.4
//	adamw, Recompute, offloaded   9.9                     0.03      14.9, and 9.9 of the machine's memory
//	adamw8bit, Recompute, passes of 4,096 tokens: 8.4, 2.5, 15.9
//
// That is what has to be there. Where there is more, memory given back is kept for buffers of the same size until another size
// is short: 23.6 GB in the run with adamw8bit, and besides as much as 4 GB of packed operands.
//
// # Failures
//
// A call that cannot be made because of its shape panics at once. What fails on the card (memory that is not there, a
// launch, an index outside its table) is kept, nothing more is launched, and the next Download or Sync returns it.
package cuda
