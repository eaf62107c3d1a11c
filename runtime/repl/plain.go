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
		// Blank lines in front give errors the line of the input.
		var ok bool
		src := pending
		if src == "" && strings.TrimSpace(line) != "" && !strings.HasPrefix(strings.TrimSpace(line), ":") {
			src = strings.Repeat("\n", first-1)
		}
		if src == "" {
			pending, ok = r.feed("", line, "stdin", &blank)
		} else {
			pending, ok = r.feed(src, line, "stdin", &blank)
		}
		failed = failed || !ok
	}
	if strings.TrimSpace(pending) != "" {
		failed = !r.run("stdin", pending) || failed
	}
	if failed {
		return 1
	}
	return 0
}

// restore gives the terminal back; a pipe has none.
func (r *repl) restore() {
	restoreTerminal()
}
