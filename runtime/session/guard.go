package session

import (
	"bytes"
	"runtime"
	"strconv"
	"sync"
)

// Defers is what one call of a script's function has deferred. The rules are the language's: last in, first out; a
// panic in one does not keep the others from running, and replaces the panic before it; what a deferred function
// recovers is over.
type Defers struct {
	s     *Session
	fns   []func()
	panic *thrown // what the call is panicking with
}

// thrown is a panic on its way out, with the place where it began.
type thrown struct {
	value any
	mark  int
	calls []string
}

// Error returns the panic's text.
func (t *thrown) Error() string { return panicText(t.value) }

// running are the calls that run deferred functions now, by goroutine, the innermost last.
type running struct {
	mu sync.Mutex
	on map[int64][]*Defers
}

func (r *running) push(d *Defers) (id int64) {
	id = goroutineID()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.on == nil {
		r.on = map[int64][]*Defers{}
	}
	r.on[id] = append(r.on[id], d)
	return id
}

func (r *running) pop(id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.on[id]; len(l) > 1 {
		r.on[id] = l[:len(l)-1]
	} else {
		delete(r.on, id)
	}
}

func (r *running) some() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.on) > 0
}

func (r *running) top() *Defers {
	if !r.some() {
		return nil
	}
	id := goroutineID()
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.on[id]; len(l) > 0 {
		return l[len(l)-1]
	}
	return nil
}

// goroutineID returns the number that a stack trace of this goroutine begins with.
func goroutineID() int64 {
	var buf [40]byte
	b := buf[:runtime.Stack(buf[:], false)]
	b = bytes.TrimPrefix(b, []byte("goroutine "))
	if i := bytes.IndexByte(b, ' '); i > 0 {
		b = b[:i]
	}
	n, _ := strconv.ParseInt(string(b), 10, 64)
	return n
}

// guard runs the body of a function that defers, then what it deferred.
func (s *Session) guard(d *Defers, body func()) {
	defer func() {
		if p := recover(); p != nil {
			d.panic = s.thrown(p)
		}
		d.run()
		if d.panic != nil {
			panic(d.panic)
		}
	}()
	body()
}

// run runs what was deferred.
func (d *Defers) run() {
	for len(d.fns) > 0 {
		f := d.fns[len(d.fns)-1]
		d.fns = d.fns[:len(d.fns)-1]
		d.call(f)
	}
}

func (d *Defers) call(f func()) {
	// Which goroutine this is takes long to find out, and matters only to a recover that may find a panic.
	if d.panic != nil || d.s.running.some() {
		id := d.s.running.push(d)
		defer d.s.running.pop(id)
	}
	defer func() {
		if p := recover(); p != nil {
			d.panic = d.s.thrown(p)
		}
	}()
	f()
}

// thrown notes where a panic began.
func (s *Session) thrown(p any) *thrown {
	v := unwrapPanic(p)
	if t, ok := v.(*thrown); ok {
		return t
	}
	t := &thrown{value: v}
	if y, ok := s.eval.(*yaegi); ok {
		t.mark, t.calls = *y.mark, callsIn(y.trace.take())
	}
	return t
}

// recover is the script's recover.
func (s *Session) recover() any {
	d := s.running.top()
	if d == nil || d.panic == nil {
		return nil
	}
	if _, exit := d.panic.value.(Exit); exit {
		return nil
	}
	v := recovered(d.panic.value)
	d.panic = nil
	return v
}
