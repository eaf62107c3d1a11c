package main

import (
	"os"

	"tunebook/runtime/repl"
	"tunebook/stdlib/host"
)

// startREPL reads from the terminal, or from whatever standard input is.
func startREPL() error {
	out, errs := host.Stdout(), host.Stderr()
	s, err := newSession([]string{"tunebook"}, out, true, false, false)
	if err != nil {
		return exit{1, err}
	}
	code := repl.Run(repl.Config{
		Session: s, Stdin: os.Stdin, Stdout: out, Stderr: errs, Window: os.Stdout,
		Banner:  "tunebook " + version() + "  :help for help, Ctrl-D to leave",
		History: repl.HistoryFile(),
	})
	if code != 0 {
		return exit{code, nil}
	}
	return nil
}
