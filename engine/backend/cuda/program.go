package cuda

import (
	"fmt"
	"sort"
	"strings"

	"tunebook/engine/backend/cuda/nvrtc"
	"tunebook/engine/backend/cuda/sim"
)

// Program is kernels of the caller's own, ready for the card of one Backend.
type Program struct {
	b      *Backend
	params map[string][]sim.Param
	load   func(kernel string, grid, block [3]int, shared int, args []uint64) error
}

// IsPTX tells PTX from CUDA C++.
func IsPTX(source string) bool {
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "//") {
			return strings.HasPrefix(line, ".version")
		}
	}
	return false
}

// Compile makes a program of CUDA C++ (or of PTX, which needs no compiler). name is what messages call the source. Mistakes in
// it are a *nvrtc.CompileError with the lines.
func (b *Backend) Compile(name, source string) (*Program, error) {
	ptx := []byte(source)
	if !IsPTX(source) {
		c, err := nvrtc.Open()
		if err != nil {
			return nil, err
		}
		p, err := c.Compile(name, source, nvrtc.Options{Arch: "compute_80", Lines: true})
		if err != nil {
			return nil, err
		}
		ptx = p.Image
	}
	params, err := sim.Signatures(ptx)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	load, err := b.dev.load(name, ptx)
	if err != nil {
		return nil, err
	}
	return &Program{b, params, load}, nil
}

// Kernels lists the names as the PTX has them: C++ names are mangled unless the source says extern "C".
func (p *Program) Kernels() []string {
	var names []string
	for n := range p.params {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Params are a kernel's parameters.
func (p *Program) Params(kernel string) []sim.Param { return p.params[kernel] }

// Launch runs a kernel and waits for it. args are the bits of its parameters. What a simulated card finds is a *sim.Fault.
func (p *Program) Launch(kernel string, grid, block [3]int, shared int, args []uint64) error {
	if n := len(p.params[kernel]); len(args) != n {
		return fmt.Errorf("cuda: %s: %d arguments; wanted %d", kernel, len(args), n)
	}
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if err := p.b.take(); err != nil {
		return err
	}
	if err := p.load(kernel, grid, block, shared, args); err != nil {
		return err
	}
	return p.b.dev.sync()
}
