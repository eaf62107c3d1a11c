// Package cuda runs the operations of package backend on NVIDIA GPUs with kernels of its own.
//
// # Kernels
//
// kernels/<op>.cu hold CUDA C++; cmd/gen kernels compiles them ahead of time, for each generation of cards and as PTX
// for those still to come, to built, which is embedded. built/USAGE.md says what each kernel takes of a multiprocessor.
// A backend runs them on a simulated card (package sim): the PTX that ships, with every access checked. Nothing in this
// package has been measured on a card yet.
package cuda
