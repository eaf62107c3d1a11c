package session

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// Limits on what is kept of one cell's output.
const (
	keepHead = 256 << 10 // bytes from the start
	keepTail = 64 << 10  // bytes before the end
)

// output takes what scripts and compiled packages print, passes it on, and keeps it for the cell's result. Standard
// output and standard error go through one lock, so that the order is that of the calls.
type output struct {
	mu       sync.Mutex
	out, err io.Writer
	head     strings.Builder
	tail     []byte
	dropped  int // bytes between head and tail
	lines    int // newlines among them
	closed   bool
}

func newOutput(out, err io.Writer) *output {
	if out == nil {
		out = io.Discard
	}
	if err == nil {
		err = io.Discard
	}
	return &output{out: out, err: err}
}

// Stream is one of a cell's two streams of output: os.Stdout and os.Stderr in a script.
type Stream struct {
	o    *output
	to   io.Writer
	name string
}

func (o *output) stdout() *Stream { return &Stream{o, o.out, "/dev/stdout"} }
func (o *output) stderr() *Stream { return &Stream{o, o.err, "/dev/stderr"} }

// Write passes p on and keeps it. After the session has given up its interpreter, nothing is written any more.
func (s *Stream) Write(p []byte) (int, error) {
	o := s.o
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return len(p), nil
	}
	o.keep(p)
	if _, err := s.to.Write(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteString is Write.
func (s *Stream) WriteString(t string) (int, error) { return s.Write([]byte(t)) }

// Sync does nothing: what was written has been passed on.
func (s *Stream) Sync() error { return nil }

// Close does nothing: the streams are the session's.
func (s *Stream) Close() error { return nil }

// Name returns the name that the file has in a compiled program.
func (s *Stream) Name() string { return s.name }

// Unwrap returns the writer behind, so that a progress line finds the terminal.
func (s *Stream) Unwrap() io.Writer { return s.to }

func (o *output) keep(p []byte) {
	if room := keepHead - o.head.Len(); room > 0 && len(o.tail) == 0 {
		n := min(room, len(p))
		o.head.Write(p[:n])
		p = p[n:]
	}
	o.tail = append(o.tail, p...)
	if extra := len(o.tail) - keepTail; extra > keepTail {
		o.dropped += extra
		for _, c := range o.tail[:extra] {
			if c == '\n' {
				o.lines++
			}
		}
		o.tail = append(o.tail[:0], o.tail[extra:]...)
	}
}

// take returns what was printed since the last take.
func (o *output) take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.head.String()
	if o.dropped > 0 {
		s += fmt.Sprintf("\n… %d bytes in %d lines left out …\n", o.dropped, o.lines)
	}
	s += string(o.tail)
	o.head.Reset()
	o.tail, o.dropped, o.lines = nil, 0, 0
	return s
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}

// printTo is the builtin print and println.
func printTo(w io.Writer, sep, end string, args []any) {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteString(sep)
		}
		switch a := a.(type) {
		case float32:
			fmt.Fprintf(&b, "%+e", a)
		case float64:
			fmt.Fprintf(&b, "%+e", a)
		default:
			fmt.Fprint(&b, a)
		}
	}
	io.WriteString(w, b.String()+end)
}
