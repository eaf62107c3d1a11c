package cuda

import (
	"errors"
	"fmt"

	"tunebook/engine/backend"
)

// Plan returns a backend that does what this one does but for the card's work: the same operations ask for the same memory, what
// they need besides their operands included, and it is counted. What is kept of packed operands beyond those of one
// operation is not, since it gives way where room is wanted.
func (b *Backend) Plan() backend.Plan {
	b.mu.Lock()
	defer b.mu.Unlock()
	free, err := b.dev.available()
	if err != nil {
		free = 1 << 62
	}
	c := &counter{card: b.dev.arch(), blas: b.library, room: free, live: map[uint64]int{}, next: 1 << 40}
	p := &plan{Backend: &Backend{name: b.name, dev: c, of: b, bf16: b.bf16, packAlways: b.packAlways, logitBytes: b.logitBytes, library: b.library}}
	p.fault, _ = c.alloc(faultBytes)
	c.peak, c.inUse = 0, 0
	return p
}

type plan struct{ *Backend }

// Peak returns the most bytes that buffers and scratch memory took at a time, in the sizes in which the card's memory is dealt out.
func (p *plan) Peak() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(p.dev.(*counter).peak)
}

// counter is a card that does nothing. Memory given back is nobody's: a card gives up what it keeps for later before it
// is short of memory.
type counter struct {
	card        string // what arch returns
	blas        bool
	room        int64
	live        map[uint64]int // sizes by address
	next        uint64
	inUse, peak int

	kept map[int]int // blocks given back, by size
	held int         // bytes that were asked of the driver, when none are given back to it
}

func (c *counter) alloc(bytes int) (uint64, error) {
	size := sizeClass(bytes)
	addr := c.next
	c.next += uint64(size)
	c.live[addr] = size
	c.inUse += size
	c.peak = max(c.peak, c.inUse)
	if c.kept[size] > 0 {
		c.kept[size]--
	} else {
		c.held += size
	}
	return addr, nil
}

func (c *counter) free(addr uint64) {
	size, ok := c.live[addr]
	if !ok {
		panic(fmt.Sprintf("cuda: free of %#x, which is not in use", addr))
	}
	delete(c.live, addr)
	c.inUse -= size
	if c.kept == nil {
		c.kept = map[int]int{}
	}
	c.kept[size]++
}

func (c *counter) download(b []byte, _ uint64) error { clear(b); return nil }

func (c *counter) launch(string, [3]int, [3]int, int, []uint64) error { return nil }
func (c *counter) upload(uint64, []byte) error                        { return nil }
func (c *counter) zero(uint64, int) error                             { return nil }
func (c *counter) sync() error                                        { return nil }
func (c *counter) unpin([]byte) error                                 { return nil }
func (c *counter) fetch(uint64, []byte) error                         { return nil }
func (c *counter) store([]byte, uint64) error                         { return nil }
func (c *counter) library() (bool, error)                             { return c.blas, nil }
func (c *counter) multiply(multiplication) (bool, error)              { return c.blas, nil }
func (c *counter) info() string                                       { return "counts memory" }
func (c *counter) arch() string                                       { return c.card }
func (c *counter) available() (int64, error)                          { return c.room - int64(c.inUse), nil }
func (c *counter) pin(int) ([]byte, error)                            { return nil, errCounts }

func (c *counter) load(string, []byte) (func(kernel string, grid, block [3]int, shared int, args []uint64) error, error) {
	return nil, errCounts
}

var errCounts = errors.New("cuda: a plan computes nothing")
