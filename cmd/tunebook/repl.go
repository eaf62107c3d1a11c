package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"tunebook/runtime/child"
	"tunebook/runtime/repl"
	"tunebook/stdlib/host"
	"tunebook/stdlib/runs"
)

// startREPL reads from the terminal, or from whatever standard input is.
func startREPL() error {
	out, errs := host.Stdout(), host.Stderr()
	s, err := newProcess(child.Setup{Args: []string{"tunebook"}, Preset: true})
	if err != nil {
		return exit{1, err}
	}
	defer s.Close()
	code := repl.Run(repl.Config{
		Session: s, Stdin: os.Stdin, Stdout: out, Stderr: errs, Window: os.Stdout,
		Banner:  "tunebook " + version() + "  :help for help, Ctrl-D to leave",
		History: repl.HistoryFile(), Commands: map[string]repl.Command{
			"runs": {Use: ":runs", Help: "what was trained and kept here", Run: listRuns},
		},
	})
	if code != 0 {
		return exit{code, nil}
	}
	return nil
}

// listRuns prints a line for each run of the store.
func listRuns(_ string, out io.Writer) error {
	s, err := openStore("")
	if errors.Is(err, fs.ErrNotExist) {
		_, err = fmt.Fprintln(out, "no runs are kept here yet; train.Run keeps them")
		return err
	}
	if err != nil {
		return err
	}
	defer s.Close()
	rs, err := s.List()
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(out, runs.Wrap(s, rs...))
	return err
}
