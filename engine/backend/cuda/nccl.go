package cuda

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// ncclTable is the part of NCCL that several cards use: the library's functions, or a test's. All but ErrorString return 0 or a
// result code. Source: NCCL user guide, "NCCL API" (versions 2.2 to 2.32).
type ncclTable struct {
	GetVersion  func(v *int32) int32
	ErrorString func(code int32) string
	InitAll     func(comms *uintptr, n int32, devices *int32) int32
	Destroy     func(comm uintptr) int32
	GroupStart  func() int32
	GroupEnd    func() int32
	Reduce      func(send, recv, count uint64, dataType, op, root int32, comm, stream uintptr) int32
	Broadcast   func(send, recv, count uint64, dataType, root int32, comm, stream uintptr) int32
}

func (t *ncclTable) symbols() map[string]any {
	return map[string]any{
		"ncclGetVersion": &t.GetVersion, "ncclGetErrorString": &t.ErrorString, "ncclCommInitAll": &t.InitAll, "ncclCommDestroy": &t.Destroy,
		"ncclGroupStart": &t.GroupStart, "ncclGroupEnd": &t.GroupEnd, "ncclReduce": &t.Reduce, "ncclBroadcast": &t.Broadcast,
	}
}

// Numbers of NCCL.
const (
	ncclFloat32 = 7
	ncclSum     = 0
)

// ncclGroup is how many buffers go into one group of calls.
const ncclGroup = 64

func (t *ncclTable) check(what string, code int32) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("cuda: NCCL: %s: %s (%d)", what, t.ErrorString(code), code)
}

// version returns the library's, "2.27.3". Source of the code's form: NCCL_VERSION in nccl.h.
func (t *ncclTable) version() string {
	var v int32
	if t.GetVersion(&v) != 0 {
		return "of unknown version"
	}
	if v < 10000 { // before 2.9
		return fmt.Sprintf("%d.%d.%d", v/1000, v/100%10, v%100)
	}
	return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100)
}

// nccl joins several cards by NCCL, on the stream on which each card's work runs.
type nccl struct {
	t     *ncclTable
	info  string
	of    []*Backend
	cards []*card
	comms []uintptr
	order []int // in which the backends are locked: by the driver's numbers, the same in every collective
}

// Link joins cards by NCCL.
func (b *Backend) Link(devs []backend.Backend) (backend.Collective, error) {
	of, cards := make([]*Backend, len(devs)), make([]*card, len(devs))
	for i, d := range devs {
		var ok bool
		if of[i], ok = d.(*Backend); ok {
			cards[i], ok = of[i].dev.(*card)
		}
		if !ok {
			return nil, fmt.Errorf("cuda: NCCL joins cards; %s is none", d.Name())
		}
	}
	t, path, err := loadNCCL()
	if err != nil {
		return nil, err
	}
	c := &nccl{t: t, info: fmt.Sprintf("by NCCL %s, %s", t.version(), path), of: of, cards: cards}
	if err := c.start(); err != nil {
		return nil, err
	}
	return c, nil
}

// start makes the cards' communicators.
func (c *nccl) start() error {
	c.comms = make([]uintptr, len(c.cards))
	ordinals := make([]int32, len(c.cards))
	for i, card := range c.cards {
		ordinals[i] = card.ordinal
		c.order = append(c.order, i)
	}
	slices.SortFunc(c.order, func(a, b int) int { return cmp.Compare(ordinals[a], ordinals[b]) })
	runtime.LockOSThread() // NCCL changes the thread's card; each call of ours sets its own
	defer runtime.UnlockOSThread()
	return c.t.check("the cards cannot be joined", c.t.InitAll(&c.comms[0], int32(len(c.comms)), &ordinals[0]))
}

func (c *nccl) Info() string { return c.info }

// Close ends the communicators.
func (c *nccl) Close() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all []error
	for i, b := range c.of {
		all = append(all, b.Sync(), c.t.check("the end", c.t.Destroy(c.comms[i])))
	}
	c.comms = nil
	return errors.Join(all...)
}

// Reduce adds to the first card's buffers those of the others. ncclReduce goes round a ring of the cards, whose order follows from
// the machine: it has no other algorithm, where ncclAllReduce may take one whose sums have no fixed order (NVLink SHARP).
func (c *nccl) Reduce(parts [][]backend.Buffer) error {
	return c.calls("Reduce", parts, func(x *buffer, d int) int32 {
		return c.t.Reduce(x.addr, x.addr, uint64(x.n), ncclFloat32, ncclSum, 0, c.comms[d], c.cards[d].stream)
	}, func(d int) bool { return d == 0 })
}

// Broadcast copies the first card's buffers to the others.
func (c *nccl) Broadcast(parts [][]backend.Buffer) error {
	return c.calls("Broadcast", parts, func(x *buffer, d int) int32 {
		return c.t.Broadcast(x.addr, x.addr, uint64(x.n), ncclFloat32, 0, c.comms[d], c.cards[d].stream)
	}, func(d int) bool { return d > 0 })
}

// calls queues one for every card and buffer; written tells whose buffers it changes. Nothing is queued where a card has failed: the
// others would wait for it for ever.
func (c *nccl) calls(op string, parts [][]backend.Buffer, call func(x *buffer, d int) int32, written func(d int) bool) error {
	all := make([][]*buffer, len(parts))
	for d, list := range parts {
		for i, b := range list {
			x := c.of[d].own(op, "buffer", b)
			x.want(op, "buffer", tensor.F32, parts[0][i].Len())
			if n := parts[0][i].Len(); x.n != n {
				panic(fmt.Sprintf("%s: buffer %d holds %d elements on device %d and %d on the first", op, i, x.n, d, n))
			}
			all[d] = append(all[d], x)
		}
	}
	for _, i := range c.order {
		c.of[i].mu.Lock()
		defer c.of[i].mu.Unlock()
	}
	for d, b := range c.of {
		if err := b.take(); err != nil {
			return err
		}
		if err := c.cards[d].settle(); err != nil {
			return err
		}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for from := 0; from < len(parts[0]); from += ncclGroup {
		if err := c.t.check("a group", c.t.GroupStart()); err != nil {
			return err
		}
		var first error
		for i := from; i < min(from+ncclGroup, len(parts[0])); i++ {
			for d := range parts {
				x := all[d][i]
				if written(d) {
					x.mem.writes++
				}
				if first == nil && x.n > 0 {
					first = c.t.check(op, call(x, d))
				}
			}
		}
		if err := c.t.check("the end of a group", c.t.GroupEnd()); first == nil {
			first = err
		}
		if first != nil {
			return first
		}
	}
	return nil
}

// Collectives says which NCCL several cards are joined by, in one line, or in an error's sentence why there is none.
func Collectives() (string, error) {
	t, path, err := loadNCCL()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("NCCL %s, %s", t.version(), path), nil
}
