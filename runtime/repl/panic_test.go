//go:build linux

package repl

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"tunebook/runtime/cell"
	"tunebook/runtime/session"
)

// nothing is a session that runs nothing.
type nothing struct{}

func (nothing) Eval(context.Context, string, string) session.Result { return session.Result{} }
func (nothing) Complete(l string, p int) (string, []string, string) { return l[:p], nil, l[p:] }
func (nothing) Help(string) string                                  { return "" }
func (nothing) TypeOf(string) (string, error)                       { return "", nil }
func (nothing) Vars() []cell.Var                                    { return nil }
func (nothing) Reset() error                                        { return nil }

// TestMain lets the test binary be a REPL whose host panics.
func TestMain(m *testing.M) {
	if os.Getenv("REPL_PANICS") == "1" {
		os.Exit(Run(Config{Session: nothing{}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Commands: map[string]Command{
			"boom": {Use: ":boom", Help: "panic", Run: func(string, io.Writer) error { panic("in the host") }},
		}}))
	}
	os.Exit(m.Run())
}

// TestHostPanic leaves the terminal as it was when the REPL itself fails.
func TestHostPanic(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminal here: ", err)
	}
	defer p.Close()
	defer tty.Close()
	if err := pty.Setsize(p, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	mode := func() uint32 {
		m, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return m.Lflag & (unix.ECHO | unix.ICANON | unix.ISIG)
	}
	before := mode()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "REPL_PANICS=1", "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var text strings.Builder
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := p.Read(buf)
			mu.Lock()
			text.Write(buf[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	wrote := func(want string) bool {
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			ok := strings.Contains(text.String(), want)
			mu.Unlock()
			if ok {
				return true
			}
		}
		return false
	}
	if !wrote(prompt) {
		t.Fatal("no prompt")
	}
	if mode() == before {
		t.Error("the editor has not changed the terminal's mode")
	}
	io.WriteString(p, ":boom\r")
	if !wrote("panic: in the host") {
		t.Fatalf("it did not panic: %s", text.String())
	}
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("exit code %d", cmd.ProcessState.ExitCode())
	}
	if mode() != before {
		t.Error("after a panic the terminal's mode is not what it was")
	}
}
