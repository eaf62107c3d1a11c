package cpu

import (
	"runtime"
	"sync/atomic"
	"time"
)

// task is one operation cut into items. do computes item i; w tells which thread runs it, below pool.threads, so that
// the task can use that thread's scratch memory. What an item computes must depend on i alone.
type task interface{ do(w, i int) }

// pool shares a task's items among threads. The calling goroutine takes part; helpers are goroutines that start when
// there is work, stay awake for a moment after it, because the next operation mostly follows at once, and then end. So
// an idle pool holds no goroutine and costs nothing.
type pool struct {
	threads int
	helpers []helper

	// claims is the state of the current task: the number of items in the upper half, the next free one in the lower.
	// Whoever raises the lower half owns that item.
	claims atomic.Uint64
	done   atomic.Int64 // items finished
	task   task         // set before claims, read after a successful claim
	failed atomic.Pointer[failure]
}

// failure carries a panic of a helper to the goroutine that called run.
type failure struct{ value any }

type helper struct {
	awake atomic.Bool
	start func()
	_     [40]byte // a cache line each
}

func newPool(threads int) *pool {
	p := &pool{threads: threads, helpers: make([]helper, threads-1)}
	for i := range p.helpers {
		p.helpers[i].start = func() { p.help(i + 1) }
	}
	return p
}

// run calls t.do for every item 0 … n-1 and returns when all are done. It must not be called from within a task.
func (p *pool) run(n int, t task) {
	if n <= 0 {
		return
	}
	if n == 1 || p.threads == 1 {
		for i := range n {
			t.do(0, i)
		}
		return
	}
	p.task = t
	p.done.Store(0)
	p.claims.Store(uint64(n) << 32)
	for i := range min(n, p.threads) - 1 {
		if h := &p.helpers[i]; h.awake.CompareAndSwap(false, true) {
			go h.start()
		}
	}
	p.work(0)
	for spins := 0; p.done.Load() < int64(n); spins++ {
		switch {
		case spins > 10000: // a long item, or another program has the processor: leave it alone
			time.Sleep(20 * time.Microsecond)
		case spins > 100:
			runtime.Gosched()
		}
	}
	p.task = nil
	if f := p.failed.Swap(nil); f != nil {
		panic(f.value)
	}
}

// work claims and computes items until none is left.
func (p *pool) work(w int) {
	for {
		c := p.claims.Load()
		if uint32(c) >= uint32(c>>32) {
			return
		}
		if p.claims.CompareAndSwap(c, c+1) {
			p.item(w, int(uint32(c)))
		}
	}
}

func (p *pool) item(w, i int) {
	defer p.finish()
	p.task.do(w, i)
}

// finish counts an item, also one that panicked: the panic is kept for run and the pool stays whole.
func (p *pool) finish() {
	if r := recover(); r != nil {
		p.failed.CompareAndSwap(nil, &failure{r})
	}
	p.done.Add(1)
}

// linger is how long a helper looks for the next task before it ends. It covers the gap between two operations of a
// step and the last item of another thread, after which a thread that sleeps would come late: on a virtual machine
// waking one takes 50 to 200 µs. It does not cover the gap between two steps.
const linger = 200 * time.Microsecond

func (p *pool) help(w int) {
	h := &p.helpers[w-1]
	for {
		p.work(w)
		for since := time.Now(); !p.soon() && time.Since(since) < linger; {
			runtime.Gosched()
		}
		if p.pending() {
			continue
		}
		h.awake.Store(false)
		// A task that came between the last look and the store did not start this helper.
		if !p.pending() || !h.awake.CompareAndSwap(false, true) {
			return
		}
	}
}

func (p *pool) pending() bool {
	c := p.claims.Load()
	return uint32(c) < uint32(c>>32)
}

// soon looks for a task for about a microsecond: as long as handing the processor to the scheduler and back takes.
func (p *pool) soon() bool {
	for range 500 {
		if p.pending() {
			return true
		}
	}
	return false
}
