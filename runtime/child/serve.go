package child

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"

	"tunebook/runtime/session"
)

// Files that the child has beyond the standard three. Its file 2 is the parent's to read: what Go itself writes when
// it ends a process goes there.
const (
	requestsFile = 3
	repliesFile  = 4
	stderrFile   = 5
)

// goStderr is where Go writes why it ends the process.
var goStderr os.File

// copied is how much of a cell's output is sent along while it runs.
const copied = 256 << 10

// Files opens what a child was started with, and makes the parent's standard error os.Stderr.
func Files() (requests io.Reader, replies io.Writer) {
	// All who hold os.Stderr hold the same pointer, some since the process began: what it points to is replaced. What it
	// pointed to is kept, since a file that nobody holds is closed.
	goStderr = *os.Stderr
	*os.Stderr = *os.NewFile(stderrFile, "/dev/stderr")
	return os.NewFile(requestsFile, "requests"), os.NewFile(repliesFile, "replies")
}

// server is the child's side.
type server struct {
	mu  sync.Mutex
	enc *gob.Encoder

	s       *session.Session
	program session.Pieces
	left    atomic.Int64 // bytes of output that may still be copied for this cell
	shut    atomic.Bool

	cancelMu sync.Mutex
	cancel   context.CancelFunc // of the running cell
}

// Serve answers requests until there are no more; then the process has no reason to go on, whatever it is doing. open
// makes the session, given the writers of its output.
func Serve(requests io.Reader, replies io.Writer, open func(set Setup, stdout, stderr io.Writer) (*session.Session, error), stdout, stderr io.Writer) {
	// Ctrl-C is for the parent. It is taken and not ignored, since programs that scripts start would inherit that.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	v := &server{enc: gob.NewEncoder(replies)}
	dec := gob.NewDecoder(requests)
	work := make(chan request, 16)
	go func() {
		for {
			var q request
			if err := dec.Decode(&q); err != nil {
				os.Exit(0)
			}
			if q.Op == opInterrupt {
				v.interrupt()
				continue
			}
			work <- q
		}
	}()
	out, errs := &copier{v, stdout, false}, &copier{v, stderr, true}
	for q := range work {
		var r reply
		if v.s == nil {
			set := Setup{}
			if q.Setup != nil {
				set = *q.Setup
			}
			s, err := open(set, out, errs)
			if err != nil {
				v.send(reply{Done: true, Err: pack(err)})
				continue
			}
			v.s = s
		}
		v.left.Store(copied)
		v.shut.Store(q.Quiet)
		v.answer(q, &r)
		v.shut.Store(false)
		r.Done = true
		v.send(r)
	}
}

func (v *server) send(r reply) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.enc.Encode(r) != nil {
		os.Exit(0) // nobody listens
	}
}

// begin gives a cell its context.
func (v *server) begin() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	v.cancelMu.Lock()
	v.cancel = cancel
	v.cancelMu.Unlock()
	return ctx, func() {
		v.cancelMu.Lock()
		v.cancel = nil
		v.cancelMu.Unlock()
		cancel()
	}
}

func (v *server) interrupt() {
	v.cancelMu.Lock()
	defer v.cancelMu.Unlock()
	if v.cancel != nil {
		v.cancel()
	}
}

func (v *server) answer(q request, r *reply) {
	ran := func(run func(context.Context) session.Result) {
		ctx, end := v.begin()
		r.Result = run(ctx)
		end()
		r.Err, r.Result.Err = pack(r.Result.Err), nil
	}
	switch q.Op {
	case opEval:
		ran(func(ctx context.Context) session.Result { return v.s.Eval(ctx, q.Name, q.Src) })
	case opLoad:
		p, err := v.s.Load(q.Name, q.Src, func(line int) int {
			if line < 0 || line >= len(q.Cells) {
				return -1
			}
			return q.Cells[line]
		})
		v.program, r.Err = p, pack(err)
	case opRun:
		if v.program == nil {
			r.Err = pack(errors.New("there is no program to run"))
			return
		}
		ran(func(ctx context.Context) session.Result { return v.program.Run(ctx, q.N) })
	case opEnd:
		ran(v.s.End)
	case opReset:
		r.Err = pack(v.s.Reset())
	case opComplete:
		r.Text, r.Names, r.Tail = v.s.Complete(q.Src, q.N)
	case opHelp:
		r.Text = v.s.Help(q.Name)
	case opTypeOf:
		t, err := v.s.TypeOf(q.Src)
		r.Text, r.Err = t, pack(err)
	case opVars:
		r.Vars = v.s.Vars()
	default:
		r.Err = pack(fmt.Errorf("no request %d", q.Op))
	}
}

// copier passes output on, and sends a copy of its beginning to the parent.
type copier struct {
	v      *server
	to     io.Writer
	stderr bool
}

// Write passes p on.
func (c *copier) Write(p []byte) (int, error) {
	if n := c.v.left.Add(-int64(len(p))); n >= 0 {
		c.v.send(reply{Output: &session.Piece{Stderr: c.stderr, Text: string(p)}})
	}
	if !c.stderr && c.v.shut.Load() {
		return len(p), nil
	}
	return c.to.Write(p)
}

// Unwrap returns the writer behind, so that a progress line finds the terminal.
func (c *copier) Unwrap() io.Writer {
	if !c.stderr && c.v.shut.Load() {
		return io.Discard
	}
	return c.to
}
