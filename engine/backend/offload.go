package backend

import "tunebook/engine/tensor"

// Pinner is a device with memory of its own whose driver locks host memory in place for it: copies from and to such memory are
// queued like all calls, where those of other memory wait or go through the driver's own.
type Pinner interface {
	// AllocPinned returns n zeros in locked host memory, or an error where the driver gives none.
	AllocPinned(dt tensor.DType, n int) (*HostBuffer, error)
	// FreePinned waits for all earlier calls and gives the memory back.
	FreePinned(b *HostBuffer)
	// Fetch writes src to the start of dst, Store the start of src to dst. The host side is not touched until the next Sync.
	Fetch(dst Buffer, src *HostBuffer)
	Store(dst *HostBuffer, src Buffer)
}

// OnHost tells whether a device's buffers lie in Go memory.
func OnHost(dev Memory) bool {
	if t, ok := dev.(*Timed); ok {
		dev = t.Backend
	}
	_, ok := dev.(Adopter)
	return ok
}

// Offloaded holds numbers of a device in host memory: locked in place where the device is a Pinner and its driver gives it, in Go
// memory otherwise. They may be touched after a Sync of the device.
type Offloaded struct {
	*HostBuffer
	dev Memory
	pin Pinner // nil for Go memory
}

// Offload returns n zeros.
func Offload(dev Memory, dt tensor.DType, n int) *Offloaded {
	if p, ok := dev.(Pinner); ok {
		if b, err := p.AllocPinned(dt, n); err == nil {
			return &Offloaded{b, dev, p}
		}
	}
	b := &HostBuffer{}
	if dt == tensor.I32 {
		b.I = make([]int32, n)
	} else {
		b.F = make([]float32, n)
	}
	return &Offloaded{b, dev, nil}
}

// Fetch fills dst with the elements from from on.
func (o *Offloaded) Fetch(dst Buffer, from int) {
	part := o.Slice(from, from+dst.Len()).(*HostBuffer)
	switch {
	case o.pin != nil:
		o.pin.Fetch(dst, part)
	case o.DType() == tensor.I32:
		o.dev.UploadInts(dst, part.I)
	default:
		o.dev.Upload(dst, part.F)
	}
}

// Store writes all of src to the elements from from on.
func (o *Offloaded) Store(src Buffer, from int) error {
	part := o.Slice(from, from+src.Len()).(*HostBuffer)
	switch {
	case o.pin != nil:
		o.pin.Store(part, src)
		return nil
	case o.DType() == tensor.I32:
		return o.dev.DownloadInts(part.I, src)
	}
	return o.dev.Download(part.F, src)
}

// Free gives the memory back.
func (o *Offloaded) Free() {
	if o.pin != nil {
		o.pin.FreePinned(o.HostBuffer)
	}
	o.HostBuffer = nil
}
