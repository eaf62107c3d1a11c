package host

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// clock replaces now by a time that only moves when told to.
func clock(t *testing.T) func(time.Duration) {
	at := time.Unix(1000, 0)
	now = func() time.Time { return at }
	t.Cleanup(func() { now = time.Now; EndProgress() })
	return func(d time.Duration) { at = at.Add(d) }
}

func redirect(t *testing.T, w io.Writer) {
	o, e := Stdout(), Stderr()
	SetOutput(w, w)
	t.Cleanup(func() { SetOutput(o, e) })
}

func TestProgressPlain(t *testing.T) {
	pass := clock(t)
	var out bytes.Buffer
	redirect(t, &out)
	b := Progress("train", 400, "step")
	for i := int64(1); i <= 400; i++ {
		pass(300 * time.Millisecond)
		b.Set(i, "loss 2.31")
	}
	b.Done("loss 1.90")
	b.Done("twice")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	// 120 seconds, a tenth of the way takes 12: lines at 10 s and 12 s, at 22 s and 24 s, and so on, then the end.
	if len(lines) < 10 || len(lines) > 20 {
		t.Errorf("%d lines:\n%s", len(lines), out.String())
	}
	if want := "train: 34/400 steps (8 %), 3.3 steps/s, 1m50s left, loss 2.31"; lines[0] != want {
		t.Errorf("got  %s\nwant %s", lines[0], want)
	}
	if want := "train: 400 steps in 2m00s, loss 1.90"; lines[len(lines)-1] != want {
		t.Errorf("got  %s\nwant %s", lines[len(lines)-1], want)
	}
}

func TestProgressShortIsSilent(t *testing.T) {
	pass := clock(t)
	var out bytes.Buffer
	redirect(t, &out)
	b := Progress("read", 100, "row")
	for i := int64(1); i <= 100; i++ {
		pass(time.Millisecond)
		b.Set(i, "")
	}
	b.Done("")
	if out.Len() != 0 {
		t.Errorf("printed %q", out.String())
	}
}

func TestProgressResumedRate(t *testing.T) {
	pass := clock(t)
	var out bytes.Buffer
	redirect(t, &out)
	b := Progress("train", 1000, "step")
	b.Set(500, "")
	pass(10 * time.Second)
	b.Set(510, "")
	if want := "train: 510/1000 steps (51 %), 1.0 steps/s, 8m10s left\n"; out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}

// wrap stands for a session's writer.
type wrap struct{ io.Writer }

func (w wrap) Unwrap() io.Writer { return w.Writer }

func TestProgressTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	pass := clock(t)
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminal: ", err)
	}
	defer ptmx.Close()
	pty.Setsize(ptmx, &pty.Winsize{Rows: 24, Cols: 40})
	screen := make(chan string)
	go func() {
		var all []byte
		buf := make([]byte, 4096)
		for {
			n, err := ptmx.Read(buf)
			all = append(all, buf[:n]...)
			if err != nil {
				screen <- string(all)
				return
			}
		}
	}()
	w := &terminal{f: tty}
	standard = [2]*terminal{w, w}
	t.Cleanup(func() { standard = [2]*terminal{{f: os.Stdout}, {f: os.Stderr}} })
	redirect(t, wrap{w})
	outer := Progress("runs", 3, "run")
	outer.Set(1, "")
	b := Progress("train", 100, "step")
	for i := int64(1); i <= 50; i++ {
		pass(50 * time.Millisecond)
		b.Set(i, "a long note\nwith a newline")
	}
	io.WriteString(Stdout(), "hello\n")
	io.WriteString(Stdout(), "half ")
	pass(time.Second)
	b.Set(60, "not over a half line")
	io.WriteString(Stdout(), "line\n")
	b.Done("")
	EndProgress()
	b.Set(70, "after the end")
	tty.Close()
	got := <-screen
	for _, want := range []string{"runs 1/3 · train: ", "\r\x1b[Khello\r\n", "half line\r\n", "…\x1b[K"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	if strings.Contains(got, "half \r") || strings.Contains(got, "after the end") || strings.Contains(got, "over a half") {
		t.Errorf("drawn where it must not be: %q", got)
	}
	for _, l := range strings.FieldsFunc(got, func(r rune) bool { return r == '\r' || r == '\n' }) {
		l = strings.TrimSuffix(l, "\x1b[K")
		if n := len([]rune(l)); n > 39 {
			t.Errorf("%d columns in a window of 40: %q", n, l)
		}
	}
	if strings.Count(got, "train: ") > 28 {
		t.Errorf("redrawn %d times in 2.5 s", strings.Count(got, "train: "))
	}
}

// A plain line goes through the process's own Stderr, whose writer orders itself against the bars: it must not wait for
// the bar that is writing.
func TestPlainLineToTheProcess(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o, e := Stdout(), Stderr()
	SetOutput(o, &terminal{f: f})
	t.Cleanup(func() { SetOutput(o, e); now = time.Now })
	at := time.Now()
	now = func() time.Time { return at }
	b := Progress("train", 100, "step")
	at = at.Add(time.Minute)
	done := make(chan bool)
	go func() { b.Set(50, ""); b.Done(""); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Set waits for itself")
	}
	if s, _ := os.ReadFile(f.Name()); len(s) == 0 {
		t.Error("no line was written")
	}
}
