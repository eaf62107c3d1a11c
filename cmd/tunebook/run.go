package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tunebook/runtime/notebook"
	"tunebook/runtime/session"
	"tunebook/stdlib/host"
)

func runCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "run FILE [ARGUMENT]...",
		Short: "Run a saved notebook",
		Long: `Run runs a notebook from its first cell to its last and stops at a cell that fails.

A notebook is a Go program whose func main is cut into cells by lines "// %% title", or a file of loose statements.
What the script prints goes to standard output; titles, times and progress go to standard error.
The exit code is 0, 1 for a cell that failed, 2 for a wrong use, or what the script gave to os.Exit.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runNotebook(args[0], args) },
	}
	c.Flags().SetInterspersed(false) // what follows FILE is the script's
	return c
}

func runNotebook(path string, args []string) error {
	f, err := notebook.Read(path)
	if err != nil {
		return exit{2, fmt.Errorf("tunebook: %w", err)}
	}
	errs := host.Stderr()
	host.SetNotebook(path)
	s, err := newSession(args, !f.Program, true)
	if err != nil {
		return exit{1, err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process
	rep := notebook.Lines(errs, term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb" && os.Getenv("NO_COLOR") == "")
	if !f.Program {
		end := rep.End
		rep.End = func(n int, c *notebook.Cell, r *session.Result) {
			for _, note := range r.Notes {
				fmt.Fprintln(errs, "note:", note)
			}
			if r.Text != "" {
				fmt.Println(strings.TrimRight(r.Text, "\n"))
			}
			end(n, c, r)
		}
	}
	code, err := notebook.Run(ctx, s, f, rep)
	if err != nil {
		if session.Interrupted(err) {
			return exit{130, err}
		}
		return exit{1, err}
	}
	if code != 0 {
		return exit{code, nil}
	}
	return nil
}

func vetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "vet FILE",
		Short: "Check a notebook without running it",
		Long: `Vet type-checks a notebook that is a Go program, as the compiler would, and names everything that is wrong.
It also names what the interpreter could not run.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := notebook.Read(args[0])
			if err != nil {
				return exit{2, fmt.Errorf("tunebook: %w", err)}
			}
			if !f.Program {
				return exit{2, fmt.Errorf("tunebook: %s has no package clause; loose cells are checked when they run", args[0])}
			}
			s, err := newSession(args, false, true)
			if err != nil {
				return exit{1, err}
			}
			if err := s.Check(f.Name, f.Source); err != nil {
				return exit{1, err}
			}
			return nil
		},
	}
}
