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
	keepHTML = 32 << 20  // bytes of HTML of the values in it
)

// output takes what scripts and compiled packages print, passes it on, and keeps it for the cell's result. Standard
// output and standard error go through one lock, so that the order is that of the calls.
type output struct {
	mu        sync.Mutex
	out, err  io.Writer
	head      strings.Builder
	tail      []byte
	dropped   int  // bytes between head and tail
	lines     int  // newlines among them
	manifest  bool // what is used is noted
	used      [][2]string
	stretches []stretch
	html      int // bytes of HTML in stretches
	closed    bool
}

// Piece is a stretch of a cell's output: text of one of its streams or, where a value was printed that shows itself as
// HTML too, that value's text with its HTML.
type Piece struct {
	Stderr     bool
	Text, HTML string
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

// stretch is a Piece whose text ends at a byte of head, and begins where the one before it ends.
type stretch struct {
	to     int
	stderr bool
	html   string
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
	return s.write(Piece{Text: string(p), Stderr: s.name == "/dev/stderr"})
}

// write passes pieces on as one text and keeps them.
func (s *Stream) write(ps ...Piece) (int, error) {
	o := s.o
	o.mu.Lock()
	defer o.mu.Unlock()
	text := ""
	for _, p := range ps {
		text += p.Text
	}
	if o.closed {
		return len(text), nil
	}
	for _, p := range ps {
		o.keep(p)
	}
	if _, err := io.WriteString(s.to, text); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Passing passes p on and does not keep it: what tells of progress is no result.
func (s *Stream) Passing(p []byte) (int, error) {
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	if s.o.closed {
		return len(p), nil
	}
	return s.to.Write(p)
}

// Keeps reports that Used is worth calling.
func (s *Stream) Keeps() bool { return s.o.manifest }

// Used notes that a compiled package has used something from outside of the script, such as a file of data: its kind, and
// what tells it from others.
func (s *Stream) Used(kind, what string) {
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	if s.o.manifest && !s.o.closed {
		s.o.used = append(s.o.used, [2]string{kind, what})
	}
}

// takeUsed returns what was noted since the last call.
func (o *output) takeUsed() [][2]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	u := o.used
	o.used = nil
	return u
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

func (o *output) keep(piece Piece) {
	p := piece.Text
	if room := keepHead - o.head.Len(); room > 0 && len(o.tail) == 0 {
		n := min(room, len(p))
		o.head.WriteString(p[:n])
		if n < len(p) || o.html+len(piece.HTML) > keepHTML {
			piece.HTML = ""
		}
		o.html += len(piece.HTML)
		st := stretch{o.head.Len(), piece.Stderr, piece.HTML}
		if i := len(o.stretches) - 1; i >= 0 && st.html == "" && o.stretches[i].html == "" && o.stretches[i].stderr == st.stderr {
			o.stretches[i].to = st.to
		} else {
			o.stretches = append(o.stretches, st)
		}
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

// take returns what was printed since the last take, as one text and in pieces.
func (o *output) take() (string, []Piece) {
	o.mu.Lock()
	defer o.mu.Unlock()
	rest := string(o.tail)
	if o.dropped > 0 {
		rest = fmt.Sprintf("\n… %d bytes in %d lines left out …\n", o.dropped, o.lines) + rest
	}
	s := o.head.String()
	var pieces []Piece
	from := 0
	for _, st := range o.stretches {
		pieces = append(pieces, Piece{st.stderr, s[from:st.to], st.html})
		from = st.to
	}
	s += rest
	if rest != "" {
		pieces = append(pieces, Piece{Text: rest})
	}
	o.head.Reset()
	o.tail, o.dropped, o.lines, o.stretches, o.html = nil, 0, 0, nil, 0
	return s, pieces
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
