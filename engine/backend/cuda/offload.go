package cuda

import (
	"unsafe"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// AllocPinned returns n zeros in host memory that the driver has locked in place.
func (b *Backend) AllocPinned(dt tensor.DType, n int) (*backend.HostBuffer, error) {
	x := &backend.HostBuffer{F: []float32{}}
	if dt == tensor.I32 {
		x = &backend.HostBuffer{I: []int32{}}
	}
	if n == 0 {
		return x, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	mem, err := b.dev.pin(4 * n)
	if err != nil {
		return nil, err
	}
	clear(mem)
	if dt == tensor.I32 {
		x.I = unsafe.Slice((*int32)(unsafe.Pointer(&mem[0])), n)
	} else {
		x.F = unsafe.Slice((*float32)(unsafe.Pointer(&mem[0])), n)
	}
	return x, nil
}

// hostBytes is a host buffer's memory.
func hostBytes(x *backend.HostBuffer) []byte {
	if x.I != nil {
		return bytesOf(x.I)
	}
	return bytesOf(x.F)
}

// FreePinned waits for all earlier calls and gives the memory back.
func (b *Backend) FreePinned(x *backend.HostBuffer) {
	mem := hostBytes(x)
	if len(mem) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail2(b.dev.sync())
	b.fail2(b.dev.unpin(mem))
	x.F, x.I = nil, nil
}

// Fetch queues a copy of src to the start of dst.
func (b *Backend) Fetch(dst backend.Buffer, src *backend.HostBuffer) {
	b.transfer("Fetch", dst, src, func(addr uint64, mem []byte) error { return b.dev.fetch(addr, mem) })
}

// Store queues a copy of the start of src to dst.
func (b *Backend) Store(dst *backend.HostBuffer, src backend.Buffer) {
	b.transfer("Store", src, dst, func(addr uint64, mem []byte) error { return b.dev.store(mem, addr) })
}

func (b *Backend) transfer(op string, card backend.Buffer, host *backend.HostBuffer, move func(addr uint64, mem []byte) error) {
	x, mem := b.own(op, "buffer", card), hostBytes(host)
	x.want(op, "buffer", host.DType(), host.Len())
	b.mu.Lock()
	defer b.mu.Unlock()
	x.mem.writes++
	if b.err == nil && len(mem) > 0 {
		b.fail2(move(x.addr, mem))
	}
}

func (c *card) pin(bytes int) ([]byte, error) {
	var p *byte
	if err := c.do("cuMemHostAlloc", func() int32 { return c.t.MemHostAlloc(&p, uint64(bytes), 0) }); err != nil {
		return nil, err
	}
	return unsafe.Slice(p, bytes), nil
}

func (c *card) unpin(b []byte) error {
	if err := c.settle(); err != nil {
		return err
	}
	return c.do("cuMemFreeHost", func() int32 { return c.t.MemFreeHost(&b[0]) })
}

func (c *card) fetch(addr uint64, b []byte) error {
	if err := c.settle(); err != nil {
		return err
	}
	return c.do("a copy to the card", func() int32 { return c.t.CopyToDevice(addr, &b[0], uint64(len(b)), c.stream) })
}

func (c *card) store(b []byte, addr uint64) error {
	if err := c.settle(); err != nil {
		return err
	}
	return c.do("a copy from the card", func() int32 { return c.t.CopyToHost(&b[0], addr, uint64(len(b)), c.stream) })
}

// A simulated card has the machine's memory: it moves at once.
func (s *simulated) pin(bytes int) ([]byte, error)     { return make([]byte, bytes), nil }
func (s *simulated) unpin([]byte) error                { return nil }
func (s *simulated) fetch(addr uint64, b []byte) error { return s.d.Write(addr, b) }
func (s *simulated) store(b []byte, addr uint64) error { return s.d.Read(b, addr) }
