package child

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"tunebook/runtime/cell"
	"tunebook/runtime/session"
)

// patience is how long a cell may take to stop after an interrupt. Tests shorten it.
var patience = 2 * time.Second

// Config says how a child is started.
type Config struct {
	// Command makes the command that ends up in Serve; its files are set here.
	Command func() *exec.Cmd
	Setup   Setup
	// Stdin, Stdout and Stderr are the script's.
	Stdin, Stdout, Stderr *os.File
}

// Process is a session in a child. Its methods are called from one goroutine, Kill apart. A child that has ended is
// replaced at the next call; the session is then a new one.
type Process struct {
	cfg   Config
	quiet bool

	mu  sync.Mutex
	run *running // nil before the first call and after an end that was told
}

// running is one child.
type running struct {
	cmd     *exec.Cmd
	to      *os.File
	enc     *gob.Encoder
	replies chan reply    // closed when there are no more
	ended   chan struct{} // closed when the process is over
	crash   crash
	killed  atomic.Pointer[string] // why we killed it; nil when we did not
	setup   *Setup                 // to be sent with the first request
}

// crash keeps the beginning of what Go writes when it ends a process.
type crash struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps p.
func (c *crash) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.b.Len() < 64<<10 {
		c.b.Write(p)
	}
	return len(p), nil
}

// New returns a session in a child, which starts at once.
func New(cfg Config) (*Process, error) {
	p := &Process{cfg: cfg}
	r, err := p.start()
	p.run = r
	return p, err
}

func (p *Process) start() (*running, error) {
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		inR.Close()
		inW.Close()
		return nil, err
	}
	r := &running{cmd: p.cfg.Command(), to: inW, enc: gob.NewEncoder(inW), replies: make(chan reply, 64), ended: make(chan struct{}), setup: &p.cfg.Setup}
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = p.cfg.Stdin, p.cfg.Stdout, &r.crash
	r.cmd.ExtraFiles = []*os.File{inR, outW, p.cfg.Stderr}
	err = r.cmd.Start()
	inR.Close()
	outW.Close()
	if err != nil {
		inW.Close()
		outR.Close()
		return nil, fmt.Errorf("the process that runs scripts does not start: %w", err)
	}
	go func() {
		dec := gob.NewDecoder(outR)
		for {
			var a reply
			if dec.Decode(&a) != nil {
				break
			}
			r.replies <- a
		}
		outR.Close()
		close(r.replies)
	}()
	go func() {
		r.cmd.Wait()
		close(r.ended)
	}()
	return r, nil
}

// Lost says that the process that ran the script is over: why, and that its variables went with it.
type Lost struct {
	Why         string
	interrupted bool
}

// Error says so.
func (l *Lost) Error() string { return l.Why + "; the variables are gone" }

// Unwrap tells an interrupt.
func (l *Lost) Unwrap() error {
	if l.interrupted {
		return context.Canceled
	}
	return nil
}

// lost describes the end of a child, after it has come.
func (r *running) lost() *Lost {
	<-r.ended
	r.to.Close()
	if why := r.killed.Load(); why != nil {
		return &Lost{*why, true}
	}
	text := r.crash.b.String()
	// Go says first what it was, then, at length, where its own code stood.
	for _, l := range strings.Split(text, "\n") {
		for _, sign := range []string{"fatal error: ", "runtime: goroutine stack exceeds", "panic: ", "SIG"} {
			if strings.HasPrefix(l, sign) {
				if strings.HasPrefix(sign, "runtime") {
					l = "fatal error: stack overflow"
				}
				return &Lost{Why: "the process of the script ended: " + strings.TrimSpace(l)}
			}
		}
	}
	if ws, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		why := fmt.Sprintf("the process of the script was ended by a signal: %v", ws.Signal())
		if ws.Signal() == syscall.SIGKILL {
			why += " (was the machine out of memory?)"
		}
		return &Lost{Why: why}
	}
	return &Lost{Why: fmt.Sprintf("the process of the script ended with exit code %d", r.cmd.ProcessState.ExitCode())}
}

// current returns the child, started anew if the last one's end was told. A child that ended since the last call is
// told as an error.
func (p *Process) current() (*running, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		r, err := p.start()
		if err != nil {
			return nil, err
		}
		p.run = r
		return r, nil
	}
	select {
	case <-p.run.ended:
		r := p.run
		p.run = nil
		return nil, r.lost()
	default:
		return p.run, nil
	}
}

func (p *Process) forget(r *running) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == r {
		p.run = nil
	}
}

// ask sends a request and waits for the reply. Output that came before the child ended is in the reply too.
func (p *Process) ask(ctx context.Context, q request) (a reply, err error) {
	r, err := p.current()
	if err != nil {
		return a, err
	}
	q.Setup, r.setup = r.setup, nil
	if err := r.enc.Encode(q); err != nil {
		r.cmd.Process.Kill()
		p.forget(r)
		return a, r.lost()
	}
	var out []session.Piece
	stop, kill := ctx.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case b, ok := <-r.replies:
			switch {
			case !ok:
				r.cmd.Process.Kill()
				p.forget(r)
				for _, o := range out {
					a.Result.Output += o.Text
				}
				a.Result.Pieces = out
				return a, r.lost()
			case b.Done:
				return b, b.Err.unpack()
			case b.Output != nil:
				if n := len(out) - 1; n >= 0 && out[n].Stderr == b.Output.Stderr {
					out[n].Text += b.Output.Text
				} else {
					out = append(out, *b.Output)
				}
			}
		case <-stop:
			stop = nil
			r.enc.Encode(request{Op: opInterrupt})
			t := time.NewTimer(patience)
			defer t.Stop()
			kill = t.C
		case <-kill:
			kill = nil
			p.end(r, "interrupted, but a call did not stop, so its process was ended")
		}
	}
}

func (p *Process) end(r *running, why string) {
	r.killed.CompareAndSwap(nil, &why)
	r.cmd.Process.Kill()
}

// Kill ends the child at once, from another goroutine than the one that waits for a cell.
func (p *Process) Kill() {
	p.mu.Lock()
	r := p.run
	p.mu.Unlock()
	if r != nil {
		p.end(r, "interrupted; its process was ended")
	}
}

// ran asks for something that runs a part of a script.
func (p *Process) ran(ctx context.Context, q request) session.Result {
	start := time.Now()
	q.Quiet = p.quiet
	a, err := p.ask(ctx, q)
	res := a.Result
	res.Err = err
	if l, ok := err.(*Lost); ok {
		res.Took = time.Since(start)
		res.Err = &session.Failure{Cell: q.Name, Msg: l.Error(), Err: l}
	}
	return res
}

// Eval runs a cell, as session.Session does.
func (p *Process) Eval(ctx context.Context, name, src string) session.Result {
	return p.ran(ctx, request{Op: opEval, Name: name, Src: src})
}

// Load checks a program and gives the child its declarations.
func (p *Process) Load(name, src string, cellOf func(line int) int) (session.Pieces, error) {
	q := request{Op: opLoad, Name: name, Src: src}
	for i := range strings.Count(src, "\n") + 2 {
		q.Cells = append(q.Cells, cellOf(i))
	}
	if _, err := p.ask(context.Background(), q); err != nil {
		return nil, err
	}
	return program{p, name}, nil
}

// program is a loaded program.
type program struct {
	p    *Process
	name string
}

// Run runs the statements of one piece.
func (g program) Run(ctx context.Context, piece int) session.Result {
	return g.p.ran(ctx, request{Op: opRun, Name: g.name, N: piece})
}

// End runs what was deferred to the end.
func (p *Process) End(ctx context.Context) session.Result {
	return p.ran(ctx, request{Op: opEnd})
}

// Quiet keeps standard output of what runs from now on from being passed on, or passes it on again.
func (p *Process) Quiet(on bool) { p.quiet = on }

// Reset forgets all that was declared: the next child is a new one.
func (p *Process) Reset() error {
	p.Close()
	r, err := p.start()
	p.mu.Lock()
	p.run = r
	p.mu.Unlock()
	return err
}

// Complete returns what the word at a place of a line can become, as session.Session does.
func (p *Process) Complete(line string, pos int) (head string, candidates []string, tail string) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	a, err := p.ask(ctx, request{Op: opComplete, Src: line, N: pos})
	if err != nil {
		return line[:pos], nil, line[pos:]
	}
	return a.Text, a.Names, a.Tail
}

// Help returns what a name is and its doc comment.
func (p *Process) Help(name string) string {
	a, err := p.ask(context.Background(), request{Op: opHelp, Name: name})
	if err != nil {
		return err.Error()
	}
	return a.Text
}

// TypeOf returns the type of an expression.
func (p *Process) TypeOf(expr string) (string, error) {
	a, err := p.ask(context.Background(), request{Op: opTypeOf, Src: expr})
	return a.Text, err
}

// Vars returns the session's variables.
func (p *Process) Vars() []cell.Var {
	a, _ := p.ask(context.Background(), request{Op: opVars})
	return a.Vars
}

// Close ends the child.
func (p *Process) Close() {
	p.mu.Lock()
	r := p.run
	p.run = nil
	p.mu.Unlock()
	if r == nil {
		return
	}
	r.to.Close() // the child ends by itself
	select {
	case <-r.ended:
	case <-time.After(time.Second):
		r.cmd.Process.Kill()
		<-r.ended
	}
}
