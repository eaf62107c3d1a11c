package repl

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// isTerminal reports whether a person sits at the other end.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// plain reads cells from a pipe or a file: no prompt, and 1 at the end when one of them failed.
func (r *repl) plain() int {
	in := bufio.NewReader(r.cfg.Stdin)
	failed := false
	pending, blank, first := "", 0, 1
	for n := 1; !r.leave; n++ {
		line, err := in.ReadString('\n')
		if line == "" && err != nil {
			if err != io.EOF {
				fmt.Fprintln(r.cfg.Stderr, err)
				failed = true
			}
			break
		}
		line = strings.TrimRight(line, "\r\n")
		if pending == "" {
			first = n
		}
		var ok bool
		if pending == "" {
			var done bool
			if done, ok = r.command(line); done {
				failed = failed || !ok
				continue
			}
			if strings.TrimSpace(line) == "" {
				continue
			}
			pending = strings.Repeat("\n", first-1) // errors name the line of the input
		}
		pending, ok = r.feed(pending, line, "stdin", &blank)
		failed = failed || !ok
	}
	if strings.TrimSpace(pending) != "" {
		failed = !r.run("stdin", pending) || failed
	}
	if failed && r.code == 0 {
		return 1
	}
	return r.code
}

// restore gives the terminal back; a pipe has none.
func (r *repl) restore() {
	restoreTerminal()
}
