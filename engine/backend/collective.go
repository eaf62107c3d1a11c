package backend

import "tunebook/engine/tensor"

// Collective moves float32 numbers among several devices: gradients of a model's copies to the first device, whose sum is
// the update's, and parameters from there. In the calls parts[d] are buffers of device d, each as long as the one at its
// place of parts[0].
type Collective interface {
	// Reduce adds to the buffers of parts[0] those of parts[1], then of parts[2], and so on, or in another order that is the
	// same in every call with these lengths: the same numbers give the same bits. The others stay as they are.
	Reduce(parts [][]Buffer) error
	// Broadcast copies the buffers of parts[0] to all others.
	Broadcast(parts [][]Buffer) error
	// Info says in one line how the numbers go: "by …", "through …".
	Info() string
	// Close gives back what the collective holds.
	Close() error
}

// Linked is a device with a faster way to others of its kind than the machine's memory. Link returns it, or why there is none.
type Linked interface {
	Link(devs []Backend) (Collective, error)
}

// NewCollective returns the devices' own way of moving numbers, or, where they have none, one through the machine's memory,
// whose Info says why. Both add in an order of their own, so that their sums may differ by rounding.
func NewCollective(devs []Backend) Collective {
	c := &throughHost{devs: devs}
	if l, ok := devs[0].(Linked); ok {
		own, err := l.Link(devs)
		if err == nil {
			return own
		}
		c.why = err
	}
	return c
}

// throughHost works on devices of any kind. It adds in the devices' order.
type throughHost struct {
	devs []Backend
	why  error // why the devices' own way is none; nil where there never is one
	buf  []float32
}

// hostPiece is how many elements go through the machine's memory at a time.
var hostPiece = 4 << 20

func (c *throughHost) Info() string {
	s := "through the machine's memory"
	if c.why != nil {
		s += "; " + c.why.Error()
	}
	return s
}

func (c *throughHost) Close() error { return nil }

func (c *throughHost) Reduce(parts [][]Buffer) error {
	root := c.devs[0]
	longest := 0
	for _, b := range parts[0] {
		longest = max(longest, b.Len())
	}
	var scratch Buffer // of the root, for what comes from other devices' memory
	if !OnHost(root) {
		scratch = root.AllocUninit(tensor.F32, min(longest, hostPiece))
		defer func() { root.Free(scratch) }()
	}
	for i, sum := range parts[0] {
		for d := 1; d < len(parts); d++ {
			if err := c.pieces(d, parts[d][i], func(x []float32, from, to int) {
				if scratch == nil {
					root.AddScaled(sum.Slice(from, to), &HostBuffer{F: x}, 1)
					return
				}
				s := scratch.Slice(0, to-from)
				root.Upload(s, x)
				root.AddScaled(sum.Slice(from, to), s, 1)
			}); err != nil {
				return err
			}
		}
	}
	return root.Sync()
}

func (c *throughHost) Broadcast(parts [][]Buffer) error {
	for i, from := range parts[0] {
		if err := c.pieces(0, from, func(x []float32, at, to int) {
			for d := 1; d < len(parts); d++ {
				c.devs[d].Upload(parts[d][i].Slice(at, to), x)
			}
		}); err != nil {
			return err
		}
	}
	for _, dev := range c.devs {
		if err := dev.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// pieces hands f a buffer of device d, piece by piece, in the machine's memory.
func (c *throughHost) pieces(d int, b Buffer, f func(x []float32, from, to int)) error {
	h, there := b.(*HostBuffer)
	if !there && c.buf == nil {
		c.buf = make([]float32, hostPiece)
	}
	for from := 0; from < b.Len(); from += hostPiece {
		to := min(from+hostPiece, b.Len())
		if there {
			f(h.F[from:to], from, to)
			continue
		}
		x := c.buf[:to-from]
		if err := c.devs[d].Download(x, b.Slice(from, to)); err != nil {
			return err
		}
		f(x, from, to)
	}
	return nil
}
