// Package cuda runs the operations of package backend on NVIDIA GPUs with kernels of its own, or on a simulated card.
//
// # Measured
//
// Nothing here has been measured on a card, and no kernel has run on one. What is proven is proven on the simulator: the
// conformance suite, whole training runs, planted mistakes. The first machine with a card should run (card_test.go)
//
//	CGO_ENABLED=0 go test -c -o cuda.test ./engine/backend/cuda
//	./cuda.test -test.v -test.run Card -record instructions.json -test.bench Card
//
// # Devices
//
//	cuda       the first card through the driver (libcuda), which purego loads when it is there
//	cuda-bf16  the same; products of at least 64 rows, columns and 32 terms, and attention with heads of at most 128, round
//	           their operands to bf16 and run on tensor cores
//	cuda-sim   a simulated card (package sim): the PTX that ships, with every access checked
//
// The build tag nogpu leaves purego out, and the first two with it. device.go is all that the operations need of a card;
// driver.go is the driver as a table of functions, behind which tests put the simulator.
//
// # Kernels
//
// kernels/<op>.cu hold CUDA C++, forward and backward; `go run ./cmd/gen kernels` compiles them, for each generation of
// cards and as PTX for those still to come, to built, which is embedded. built/USAGE.md says what each kernel takes of a
// multiprocessor. A kernel's name begins with its source's. Buffers are float32, and all sums are.
//
// Bound by memory (bytes moved for T rows of C): rmsnorm and layernorm 8 to 20·T·C forward, gated 12 to 20 an element, rope 8,
// adamw 28, softmax 12·V a row. These give a row to a warp or an element to a thread and read each operand once from
// memory. Bound by arithmetic: product, whose tiles of 64×64 do 16 multiplications for each element that is loaded to
// shared memory; bf16_product, the same tiles through cp.async, ldmatrix and mma, after packing (6 bytes for each element of
// both operands); attention, whose blocks hold 16 queries and pass over keys 32 at a time; flash, the same on tensor cores with 64
// queries a block, a warp owning 16.
//
// Sources in 90 are for compute capability 9.0 (Hopper) alone: flash90 and back90 have operands packed as tiles of 128 rows in the
// order that wgmma reads, brought by bulk copies at mbarriers, and give 64 rows to each of two warpgroups; a third one
// copies. flash90_forward multiplies 4·128·128·D times a block of keys for 4·128·D bytes; back90_q takes three products and
// back90_kv four where five would do with atomics.
//
// Sums over rows (gradients of norms, biases and embeddings) are made in chunks that follow from the shape alone and added
// in their order; no kernel adds with atomics. The same inputs give the same bits on the same card.
//
// # Failures
//
// A call that cannot be made because of its shape panics at once. What fails on the card (memory that is not there, a
// launch, an index outside its table) is kept, nothing more is launched, and the next Download or Sync returns it.
package cuda
