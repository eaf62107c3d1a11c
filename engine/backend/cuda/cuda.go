package cuda

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"tunebook/engine/backend"
)

// Backend runs operations on one card, or on a simulated one.
type Backend struct {
	name string

	mu  sync.Mutex
	dev device
	err error // the first failure since the last Sync; while there is one, nothing more is launched

	of *Backend // a plan's: whose buffers it takes besides its own

	fault   uint64 // where kernels report an index outside its table
	faulted bool   // a kernel that may report was launched since it was read last

	bf16       bool // products of some size round their operands to bf16 and run on tensor cores
	packAlways bool // products of any size do, in tests

	logitBytes int // the largest chunk of logits of LinearCrossEntropy

	library    bool      // the device has a library of products
	packs      []*packed // the one that was used last at the end
	packBytes  int
	packBudget int

	squares, updates table  // of SumSquares and AdamW
	codes8           uint64 // the codes of 8-bit moments; 0 until they are wanted

	garbage []uint64 // tables of Segments that nobody holds any more
}

func init() {
	for name, bf16 := range map[string]bool{"cuda": false, "cuda-bf16": true} {
		backend.RegisterNumbered(name, func(i int) (backend.Backend, error) {
			b, err := Open(i)
			if err != nil {
				return nil, err
			}
			b.name, b.bf16 = backend.Numbered(name, i), bf16
			return b, nil
		})
	}
	backend.RegisterNumbered("cuda-sim", func(i int) (backend.Backend, error) {
		b, err := NewSim()
		if err != nil {
			return nil, err
		}
		b.name = backend.Numbered("cuda-sim", i)
		return b, nil
	})
}

// NewSim returns a backend whose card is simulated, which shares nothing with other ones. It finds mistakes in kernels and
// needs no GPU; a product takes it some thousand times as long as the cpu backend.
func NewSim() (*Backend, error) {
	d, err := newSimulated()
	if err != nil {
		return nil, err
	}
	return newBackend("cuda-sim", d)
}

// newBackend takes a device into use.
func newBackend(name string, d device) (*Backend, error) {
	b := &Backend{name: name, dev: d, logitBytes: 256 << 20, packBudget: 64 << 20}
	addr, err := d.alloc(faultBytes)
	if err == nil {
		b.fault, err = addr, d.zero(addr, faultBytes)
	}
	if err == nil {
		b.library, err = d.library()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if free, err := d.available(); err == nil {
		b.packBudget = int(min(4<<30, free/16))
		b.logitBytes = int(min(1<<30, max(int64(b.logitBytes), free/64))) // each chunk costs a pass over dW
	}
	return b, nil
}

// Name returns "cuda", "cuda-bf16" where products round their operands to bf16, or "cuda-sim" for a simulated card, with
// ":1" for the second card and so on.
func (b *Backend) Name() string { return b.name }

// Info names the card.
func (b *Backend) Info() string { return b.dev.info() }

// Card describes the card; false where it is a simulated one.
func (b *Backend) Card() (Card, bool) {
	c, ok := b.dev.(*card)
	if !ok {
		return Card{}, false
	}
	return c.Card, true
}

// Available returns the bytes that the card can still give.
func (b *Backend) Available() (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dev.available()
}

// faultBytes is the size of the kernels' Fault: code, row, value, limit.
const faultBytes = 16

// places are what a Fault's code stands for.
var places = []string{"", "EmbeddingForward: id", "EmbeddingBackward: id", "Gather: row", "Scatter: row", "LinearCrossEntropy: target", "EmbeddingPacked: id", "CrossEntropy: id"}

const (
	placeEmbeddingForward = 1 + iota
	placeEmbeddingBackward
	placeGather
	placeScatter
	placeTarget
	placeEmbeddingPacked
	placeEntropy
)

// launch starts a kernel unless something has failed before.
func (b *Backend) launch(kernel string, grid, block [3]int, shared int, args ...uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.start(kernel, grid, block, shared, args...)
}

// start is launch for a caller that holds the lock.
func (b *Backend) start(kernel string, grid, block [3]int, shared int, args ...uint64) {
	if b.err != nil {
		return
	}
	b.sweep()
	b.err = b.dev.launch(kernel, grid, block, shared, args)
}

// multiply starts a product by the device's library; false where it has to be done by kernels.
func (b *Backend) multiply(x multiplication) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return true
	}
	done, err := b.dev.multiply(x)
	b.fail2(err)
	return done || err != nil
}

// rows launches a kernel that gives a row to each of the four warps of a block.
func (b *Backend) rows(kernel string, n int, args ...uint64) {
	if n > 0 {
		b.launch(kernel, [3]int{(n + 3) / 4, 1, 1}, [3]int{128, 1, 1}, 0, args...)
	}
}

// elements launches a kernel with a thread for each of n elements.
func (b *Backend) elements(kernel string, n int, args ...uint64) {
	if n > 0 {
		b.launch(kernel, [3]int{(n + 255) / 256, 1, 1}, [3]int{256, 1, 1}, 0, args...)
	}
}

// Arguments of kernels: the bits of an int, a long long, a float, a pointer.
func i32(v int) uint64     { return uint64(uint32(int32(v))) }
func i64(v int) uint64     { return uint64(v) }
func f32(v float32) uint64 { return uint64(math.Float32bits(v)) }
func truth(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}

// fail keeps a failure for the next Sync or Download.
func (b *Backend) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// take returns the failure to report and forgets it. It reads the kernels' fault where one may have been left.
func (b *Backend) take() error {
	if b.err == nil && b.faulted {
		b.faulted = false
		var f [faultBytes]byte
		if b.err = b.dev.download(f[:], b.fault); b.err == nil {
			if code := binary.LittleEndian.Uint32(f[:]); code != 0 {
				row, value, limit := int32(binary.LittleEndian.Uint32(f[4:])), int32(binary.LittleEndian.Uint32(f[8:])), int32(binary.LittleEndian.Uint32(f[12:]))
				b.err = fmt.Errorf("%s %d at position %d; wanted one of %d", places[min(int(code), len(places)-1)], value, row, limit)
				if err := b.dev.zero(b.fault, faultBytes); err != nil {
					b.err = err
				}
			}
		}
	}
	err := b.err
	b.err = nil
	return err
}

// faultArgs are the last two parameters of a kernel that checks indices.
func (b *Backend) faultArgs(place int) (fault, code uint64) {
	b.faulted = true
	return b.fault, i32(place)
}
