package cuda

import "slices"

// op is something that a card is asked to do on its stream, with all that it depends on but the contents of memory: a kernel, a
// product of the library, or zeros. Two that are equal do the same.
type op struct {
	kernel      string
	function    uintptr
	grid, block [3]int
	shared      int
	args        [maxArgs]uint64

	product multiplication
	plan    *blasPlan

	zeros uint64
	bytes int
}

// A list of operations ends at the next copy or wait, or when it is as long as this: the card has something to do while the
// next ones are being asked for. What is shorter than the least is not worth a graph. most lists are kept.
const (
	longestList = 256
	leastList   = 4
	mostLists   = 512
)

// list is operations that were asked for one after the other, and the graph of them once they have been asked for twice.
type list struct {
	ops  []op
	exec uintptr
	used int // when it was used last
}

// graphs are lists of operations that a card starts with one call where they repeat to the last argument. What a step asks for
// repeats when its batch has the shape of an earlier one: memory is given out by address, so its buffers lie where those did.
// Operations that begin as a known list does are held back until the list ends or they differ from it; in the second case they
// are started one by one as without graphs. So what runs, and in what order, never depends on what is known.
type graphs struct {
	c     *card
	known map[op][]*list // by their first operation
	n     int            // of lists
	clock int

	now  []op  // since the last copy or wait
	with *list // which now is the beginning of; its operations are held back. nil: all of now has been started

	replays int // graphs started
}

func newGraphs(c *card) *graphs { return &graphs{c: c, known: map[op][]*list{}} }

// add starts an operation or holds it back.
func (g *graphs) add(o op) error {
	switch {
	case len(g.now) == 0:
		g.with = g.like(o)
	case g.with != nil && !continues(g.with, g.now, o):
		if g.with = g.like(o); g.with == nil {
			if err := g.straight(); err != nil {
				return err
			}
		}
	}
	g.now = append(g.now, o)
	if g.with == nil {
		if err := g.c.begin(&o); err != nil {
			g.now = g.now[:0]
			return err
		}
	}
	if len(g.now) == longestList {
		return g.end()
	}
	return nil
}

// continues tells whether a list goes on with o after ops, which it begins with.
func continues(l *list, ops []op, o op) bool {
	return len(l.ops) > len(ops) && l.ops[len(ops)] == o
}

// like returns the list used last of those that begin with now and o.
func (g *graphs) like(o op) (best *list) {
	first := o
	if len(g.now) > 0 {
		first = g.now[0]
	}
	for _, l := range g.known[first] {
		if (best == nil || l.used > best.used) && continues(l, g.now, o) && slices.Equal(l.ops[:len(g.now)], g.now) {
			best = l
		}
	}
	return best
}

// straight starts what is held back. At an error nothing of the list is left.
func (g *graphs) straight() error {
	for i := range g.now {
		if err := g.c.begin(&g.now[i]); err != nil {
			g.now, g.with = g.now[:0], nil
			return err
		}
	}
	return nil
}

// end ends the list: afterwards nothing is held back.
func (g *graphs) end() error {
	if len(g.now) == 0 {
		return nil
	}
	defer func() { g.now, g.with = g.now[:0], nil }()
	g.clock++
	if l := g.with; l != nil && len(l.ops) == len(g.now) {
		l.used = g.clock
		if l.exec == 0 {
			if l.exec = g.capture(); l.exec == 0 {
				return g.straight()
			}
		}
		g.replays++
		return g.c.do("a graph", func() int32 { return g.c.t.GraphLaunch(l.exec, g.c.stream) })
	}
	if g.with != nil {
		if err := g.straight(); err != nil {
			return err
		}
	}
	if len(g.now) < leastList {
		return nil
	}
	if g.n == mostLists {
		if err := g.dropOldest(); err != nil {
			return err
		}
	}
	g.n++
	g.known[g.now[0]] = append(g.known[g.now[0]], &list{ops: slices.Clone(g.now), used: g.clock})
	return nil
}

// capture makes a graph of now, whose kernels and plans have all been loaded when it was asked for first. 0 where the driver does
// not.
func (g *graphs) capture() (exec uintptr) {
	const relaxed = 2 // CU_STREAM_CAPTURE_MODE_RELAXED: what other threads do is their own
	c := g.c
	if c.do("cuStreamBeginCapture", func() int32 { return c.t.BeginCapture(c.stream, relaxed) }) != nil {
		return 0
	}
	var failed error
	for i := range g.now {
		if failed = c.begin(&g.now[i]); failed != nil {
			break
		}
	}
	var graph uintptr
	if c.do("cuStreamEndCapture", func() int32 { return c.t.EndCapture(c.stream, &graph) }) != nil || graph == 0 {
		return 0
	}
	if failed == nil && c.do("cuGraphInstantiate", func() int32 { return c.t.GraphInstantiate(&exec, graph, 0) }) != nil {
		exec = 0
	}
	if c.do("cuGraphDestroy", func() int32 { return c.t.GraphDestroy(graph) }) != nil {
		return 0
	}
	return exec
}

// dropOldest forgets the list that was not used for the longest time.
func (g *graphs) dropOldest() error {
	var oldest *list
	for _, same := range g.known {
		for _, l := range same {
			if oldest == nil || l.used < oldest.used {
				oldest = l
			}
		}
	}
	first := oldest.ops[0]
	g.known[first] = slices.DeleteFunc(g.known[first], func(l *list) bool { return l == oldest })
	if len(g.known[first]) == 0 {
		delete(g.known, first)
	}
	g.n--
	if oldest.exec == 0 {
		return nil
	}
	if err := g.c.do("the card's work", func() int32 { return g.c.t.StreamSynchronize(g.c.stream) }); err != nil { // it may still run
		return err
	}
	return g.c.do("cuGraphExecDestroy", func() int32 { return g.c.t.GraphExecDestroy(oldest.exec) })
}
