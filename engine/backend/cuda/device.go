package cuda

import (
	"errors"
	"fmt"

	"tunebook/engine/backend/cuda/sim"
)

// device is what the operations need of a card. Addresses are the card's; work is done in the order of the calls.
type device interface {
	// alloc returns memory that holds anything, aligned to 256 bytes.
	alloc(bytes int) (uint64, error)
	free(addr uint64)
	// upload copies b, which may change as soon as it returns.
	upload(addr uint64, b []byte) error
	// download waits for all earlier work.
	download(b []byte, addr uint64) error
	zero(addr uint64, bytes int) error
	// pin returns host memory that is locked in place, or an error where there is none. fetch and store copy from and to it in the
	// order of the calls; it is touched again after a sync.
	pin(bytes int) ([]byte, error)
	unpin(b []byte) error
	fetch(addr uint64, b []byte) error
	store(b []byte, addr uint64) error
	// launch starts a kernel; args are the bits of its parameters.
	launch(kernel string, grid, block [3]int, shared int, args []uint64) error
	// library tells whether there is a library of products; multiply starts one by it, or returns false where it has no way.
	library() (bool, error)
	multiply(x multiplication) (bool, error)
	// load takes a program of the caller's own and returns what launches its kernels.
	load(name string, ptx []byte) (func(kernel string, grid, block [3]int, shared int, args []uint64) error, error)
	// sync waits for all earlier work.
	sync() error
	info() string
	// arch names the cubins that the card takes, "sm_90a"; empty where it takes the PTX.
	arch() string
	// available is the memory that alloc can still give, in bytes.
	available() (int64, error)
}

// simulated is the device that runs the PTX in Go.
type simulated struct {
	d       *sim.Device
	kernels map[string]*sim.Kernel
	hopper  bool // a card of compute capability 9.0
}

// newSimulated reads the PTX of all kernels.
func newSimulated() (*simulated, error) {
	kernels, err := shippedKernels()
	if err != nil {
		return nil, err
	}
	return &simulated{d: sim.NewDevice(), kernels: kernels}, nil
}

func (s *simulated) arch() string {
	if s.hopper {
		return "sm_90a"
	}
	return ""
}

func (s *simulated) alloc(bytes int) (uint64, error) { return s.d.Alloc(bytes, ""), nil }

func (s *simulated) free(addr uint64) {
	if err := s.d.Free(addr); err != nil {
		panic(err) // a buffer that was freed twice: a programmer's error
	}
}

func (s *simulated) upload(addr uint64, b []byte) error   { return s.d.Write(addr, b) }
func (s *simulated) download(b []byte, addr uint64) error { return s.d.Read(b, addr) }
func (s *simulated) zero(addr uint64, bytes int) error    { return s.d.Zero(addr, bytes) }
func (s *simulated) sync() error                          { return nil }
func (s *simulated) info() string {
	return "a simulated card: the PTX for compute_80, every access checked"
}

func (s *simulated) available() (int64, error) {
	return 0, errors.New("cuda-sim: a simulated card takes the machine's memory")
}

func (s *simulated) launch(kernel string, grid, block [3]int, shared int, args []uint64) error {
	k := s.kernels[kernel]
	if k == nil {
		return fmt.Errorf("cuda: no kernel %s", kernel)
	}
	return s.d.Launch(k, grid, block, shared, args)
}

func (s *simulated) library() (bool, error)                { return false, nil }
func (s *simulated) multiply(multiplication) (bool, error) { return false, nil }

func (s *simulated) load(name string, ptx []byte) (func(kernel string, grid, block [3]int, shared int, args []uint64) error, error) {
	m, err := sim.Parse(ptx)
	if err != nil {
		return nil, err
	}
	return func(kernel string, grid, block [3]int, shared int, args []uint64) error {
		return s.d.Launch(m.Kernels[kernel], grid, block, shared, args)
	}, nil
}
