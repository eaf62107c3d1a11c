package host

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

const (
	redraw   = 100 * time.Millisecond // a terminal's line is rewritten at most this often
	lineGap  = 10 * time.Second       // elsewhere a line is due after this long
	tenthGap = time.Second            // or at each tenth of the way, but not more often than this
)

// now is replaced by tests.
var now = time.Now

// Bar counts towards a total. Its methods may be called from any goroutine, as often as is convenient.
type Bar struct {
	label, unit string
	total       int64
	start       time.Time

	first, done int64 // first is the count of the first Set: a resumed run's rate leaves out what was done before
	seen        bool
	note        string
	last        time.Time // when it was last shown
	lastDone    int64
	ended       bool
}

// bars are those that have not ended, the innermost last. Only that one is drawn, with the counts of the others before
// it. barMu also orders what is written to the terminal, and is taken after mu when both are needed.
var (
	barMu sync.Mutex
	bars  []*Bar
	drawn *os.File // where a bar's line now stands
)

// Progress begins a count of total units ("step", "example", "B"); total 0 means that the end is not known.
//
// On a terminal one line of Stderr is rewritten in place, with the rate and the time left. Elsewhere plain lines go to
// Stderr, at each tenth of the way or every ten seconds.
func Progress(label string, total int64, unit string) *Bar {
	b := &Bar{label: label, unit: unit, total: total, start: now()}
	b.last = b.start
	barMu.Lock()
	defer barMu.Unlock()
	bars = append(bars, b)
	return b
}

// Set says that done units are behind us; note is shown after the numbers ("loss 2.31") and may be empty.
func (b *Bar) Set(done int64, note string) {
	w := Stderr()
	if line := b.set(w, done, note); line != "" {
		pass(w, line) // outside barMu: the writer takes it
	}
}

// set takes the count, redraws a terminal's line, and returns the plain line that is due elsewhere.
func (b *Bar) set(w io.Writer, done int64, note string) string {
	barMu.Lock()
	defer barMu.Unlock()
	if b.ended {
		return ""
	}
	if !b.seen {
		b.seen = true
		// A first report of one or a few units is work done since the start; a jump to the middle is a resumed run.
		if b.total > 0 && done > b.total/10+1 && now().Sub(b.start) < 2*time.Second {
			b.first, b.start = done, now()
		}
	}
	b.done, b.note = done, note
	t := now()
	if f := terminalOf(w); f != nil {
		if bars[len(bars)-1] == b && (t.Sub(b.last) >= redraw || b.lastDone == 0) && atLineStart(f) {
			b.last, b.lastDone = t, done
			draw(f)
		}
		return ""
	}
	tenth := b.total > 0 && done*10/b.total > b.lastDone*10/b.total && done < b.total
	if gap := t.Sub(b.last); gap >= lineGap || tenth && gap >= tenthGap {
		b.last, b.lastDone = t, done
		return b.line(t)
	}
	return ""
}

// Done ends the count. With a note, one line stays: the label, the count, the time taken and the note; without one,
// nothing stays on a terminal. A second call does nothing.
func (b *Bar) Done(note string) {
	w := Stderr()
	barMu.Lock()
	if b.ended {
		barMu.Unlock()
		return
	}
	erase()
	b.end()
	line := ""
	if f := terminalOf(w); note != "" || f == nil && now().Sub(b.start) >= tenthGap {
		line = b.label + ":"
		if b.done > 0 {
			line += " " + count(b.done, 0, b.unit)
		}
		line += " in " + span(now().Sub(b.start))
		if note != "" {
			line += ", " + note
		}
	}
	barMu.Unlock()
	if line != "" {
		pass(w, line)
	}
}

// pass writes a line that tells of progress. A writer that keeps what it passes on as a cell's result says by the method
// Passing how to write what is none.
func pass(w io.Writer, line string) {
	if p, ok := w.(interface{ Passing([]byte) (int, error) }); ok {
		p.Passing([]byte(line + "\n"))
		return
	}
	fmt.Fprintln(w, line)
}

// EndProgress ends every count that is still open and takes its line off the terminal: the cell is over, however.
func EndProgress() {
	barMu.Lock()
	defer barMu.Unlock()
	erase()
	for len(bars) > 0 {
		bars[len(bars)-1].end()
	}
}

func (b *Bar) end() {
	b.ended = true
	for i, o := range bars {
		if o == b {
			bars = append(bars[:i:i], bars[i+1:]...)
			return
		}
	}
}

// line returns "label: 40/400 steps (10 %), 3.2 steps/s, 1m52s left, note".
func (b *Bar) line(t time.Time) string {
	s := b.label + ": " + count(b.done, b.total, b.unit)
	if b.total > 0 {
		s += fmt.Sprintf(" (%d %%)", b.done*100/b.total)
	}
	if el := t.Sub(b.start).Seconds(); el > 0.2 && b.done > b.first {
		rate := float64(b.done-b.first) / el
		s += ", " + perSecond(rate, b.unit)
		if b.total > b.done {
			s += ", " + span(time.Duration(float64(b.total-b.done)/rate*float64(time.Second))) + " left"
		}
	}
	if b.note != "" {
		s += ", " + b.note
	}
	return s
}

// draw writes the innermost bar's line over the one that stands there, cut to the window.
func draw(f *os.File) {
	var s string
	for _, b := range bars[:len(bars)-1] {
		s += b.label + " " + count(b.done, b.total, "") + " · "
	}
	s += bars[len(bars)-1].line(now())
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 2 {
		width = 80
	}
	// One column stays free: a full line makes some terminals wrap, and then \r goes back to the wrong place.
	s = runewidth.Truncate(strings.Map(printable, s), width-1, "…")
	io.WriteString(f, "\r"+s+"\x1b[K")
	drawn = f
}

// erase takes the bar's line off the terminal.
func erase() {
	if drawn != nil {
		io.WriteString(drawn, "\r\x1b[K")
		drawn = nil
	}
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// count returns "40/400 steps", "40 steps" or, for bytes, "1.2/3.4 MB".
func count(done, total int64, unit string) string {
	if unit == "B" {
		if total > 0 {
			return size(float64(done)) + "/" + size(float64(total))
		}
		return size(float64(done))
	}
	s := fmt.Sprint(done)
	n := done
	if total > 0 {
		s += fmt.Sprintf("/%d", total)
		n = total
	}
	if unit == "" {
		return s
	}
	return s + " " + plural(unit, n)
}

func perSecond(r float64, unit string) string {
	switch {
	case unit == "B":
		return size(r) + "/s"
	case r >= 100:
		return fmt.Sprintf("%.0f %s/s", r, plural(unit, 2))
	case r >= 1:
		return fmt.Sprintf("%.1f %s/s", r, plural(unit, 2))
	}
	return fmt.Sprintf("%.1f s/%s", 1/r, unit)
}

func plural(unit string, n int64) string {
	if n == 1 || unit == "" || strings.HasSuffix(unit, "s") {
		return unit
	}
	return unit + "s"
}

// size returns bytes in powers of 1000: "512 B", "1.2 MB".
func size(b float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for b >= 1000 && i < len(units)-1 {
		b /= 1000
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", b)
	}
	return fmt.Sprintf("%.1f %s", b, units[i])
}

// span returns a duration as a person says it: "0.4s", "12s", "1m52s", "2h05m".
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// terminal is a file of the process that may be a terminal. What is written through it takes a bar's line off first,
// so that the two never share a line.
type terminal struct {
	f       *os.File
	midLine bool // the last byte written was not a newline
}

// Write takes a bar's line off the terminal and writes p.
func (t *terminal) Write(p []byte) (int, error) {
	barMu.Lock()
	defer barMu.Unlock()
	erase()
	if len(p) > 0 {
		t.midLine = p[len(p)-1] != '\n'
	}
	return t.f.Write(p)
}

// Fd is the file's descriptor, for those who ask whether it is a terminal.
func (t *terminal) Fd() uintptr { return t.f.Fd() }

var standard = [2]*terminal{stdout.(*terminal), stderr.(*terminal)}

// atLineStart reports that the script has not left the cursor in the middle of a line on f or its twin.
func atLineStart(f *os.File) bool {
	for _, t := range standard {
		if t.midLine && (t.f == f || term.IsTerminal(int(t.f.Fd()))) {
			return false
		}
	}
	return true
}

// terminalOf returns the terminal that w writes to in the end, or nil.
func terminalOf(w io.Writer) *os.File {
	for {
		switch v := w.(type) {
		case *terminal:
			w = v.f
		case *os.File:
			if term.IsTerminal(int(v.Fd())) && os.Getenv("TERM") != "dumb" {
				return v
			}
			return nil
		case interface{ Unwrap() io.Writer }:
			w = v.Unwrap()
		default:
			return nil
		}
	}
}
