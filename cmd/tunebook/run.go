package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tunebook/runtime/child"
	"tunebook/runtime/notebook"
	"tunebook/runtime/session"
	"tunebook/stdlib/chart"
	"tunebook/stdlib/host"
)

// runFlags are what tunebook run was asked for besides the file.
type runFlags struct {
	notebook.Choice
	check, update bool
	html, ipynb   string
	noTimes       bool
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [FLAG]... FILE [ARGUMENT]...",
		Short: "Run a saved notebook",
		Long: `Run runs a notebook from its first cell to its last and stops at a cell that fails.

A notebook is a Go program whose func main is cut into cells by lines "// %% title", or a file of loose statements, a
Jupyter notebook of Go (.ipynb), or Markdown with Go in its fences (.md). It may import Go packages that lie beside it.
It is checked as a whole, as the compiler would, before anything runs. What the script prints goes to standard output;
numbers, titles and times of cells and progress go to standard error.

Which cells: cells that have code are counted from 1. --only takes a number, numbers (1,3-5) or a title, or the part of a
title that one cell alone has; it may be given several times. --from runs that cell and all after it. Earlier cells that
define or may change what the chosen ones use run too, without their output; what cells share through files cannot be seen.

Other values: --set name=value replaces the value of a constant or variable at the top of the file or of a cell. A text is
taken as it is, a duration is written 90s, anything else as in Go: --set seeds='[]int64{1, 2}'. It must have the type of
the value that it replaces; nothing runs when it has not.

Stored outputs: --update writes what each cell printed and showed to a file beside the notebook (nb.go: nb.outputs.txt; of
an .ipynb into the notebook itself), and --check compares with that: numbers to the last digit, times (1.5s, 3 min 2 s, a
date with its hour) not at all. With --only and --from only the cells that were chosen are compared and replaced.

Reports: --html writes one page that opens without a network: texts, code folded away, output with its tables and charts,
and what the run was made with. --ipynb writes the notebook as a Jupyter notebook with its outputs. Both are written too
when a cell fails or Ctrl-C stops it, with what there is until then. Without times (--no-times) the same run gives the same
bytes.

The exit code is 0, 1 for a cell that failed or an output that differs, 2 for a wrong use, 130 after Ctrl-C, 143 after
SIGTERM, or what the script gave to os.Exit.`,
		Example: `  tunebook run notebooks/quickstart.go
  tunebook run --html report.html notebooks/quickstart.go
  tunebook run --only "Before tuning" --set "greedy=eval.Greedy{MaxNew: 8}" notebooks/quickstart.go
  tunebook run --check study.go`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runNotebook(c, args[0], args, f) },
	}
	fs := c.Flags()
	fs.SetInterspersed(false) // what follows FILE is the script's
	fs.StringArrayVar(&f.Only, "only", nil, "run this `CELL`, by number or title, and what it needs")
	fs.StringVar(&f.From, "from", "", "run from this `CELL` on, and what that needs")
	fs.StringArrayVar(&f.Set, "set", nil, "give a constant or variable another value: `NAME=VALUE`")
	fs.BoolVar(&f.check, "check", false, "compare the outputs with the stored ones")
	fs.BoolVar(&f.update, "update", false, "store the outputs for --check")
	fs.StringVar(&f.html, "html", "", "write a report to this `FILE`")
	fs.StringVar(&f.ipynb, "ipynb", "", "write a Jupyter notebook with the outputs to this `FILE`")
	fs.BoolVar(&f.noTimes, "no-times", false, "leave the times of the run out of the report")
	c.MarkFlagsMutuallyExclusive("check", "update")
	c.MarkFlagsMutuallyExclusive("only", "from")
	return c
}

// wrong is a use of the command that cannot mean anything: exit code 2.
func wrong(format string, a ...any) error { return exit{2, fmt.Errorf("tunebook: "+format, a...)} }

// misplaced says that a flag of ours stands where the script's arguments are, when the script reads none.
func misplaced(c *cobra.Command, f *notebook.File, args []string) {
	if strings.Contains(f.Source, "os.Args") || strings.Contains(f.Source, "flag.") {
		return
	}
	for _, a := range args[1:] {
		name, _, _ := strings.Cut(strings.TrimPrefix(a, "--"), "=")
		if strings.HasPrefix(a, "--") && c.Flags().Lookup(name) != nil {
			fmt.Fprintf(os.Stderr, "note: --%s stands after %s, so it is handed to the script; before it, it is tunebook's\n", name, args[0])
		}
	}
}

func runNotebook(c *cobra.Command, path string, args []string, flags runFlags) error {
	f, err := notebook.Read(path)
	if err != nil {
		return wrong("%w", err)
	}
	misplaced(c, f, args)
	for _, out := range []string{flags.html, flags.ipynb} {
		if out == "" {
			continue
		}
		if a, err := os.Stat(out); err == nil {
			if b, err := os.Stat(path); err == nil && os.SameFile(a, b) && out != flags.ipynb {
				return wrong("%s is the notebook itself", out)
			}
			if a.IsDir() {
				return wrong("%s is a folder; a report is a file", out)
			}
		}
		if dir, err := os.Stat(filepath.Dir(out)); err != nil || !dir.IsDir() {
			return wrong("there is no folder %s for %s", filepath.Dir(out), out)
		}
	}
	whole := len(flags.Only) == 0 && flags.From == ""
	var golden *notebook.Golden
	if flags.check || flags.update && !whole {
		if golden, err = readStored(path, flags.update); err != nil {
			return err
		}
	}
	errs := host.Stderr()
	host.SetNotebook(path)
	gate := &gate{w: host.Stdout()}
	fresh, err := scratch(path, !f.Program)
	if err != nil {
		return exit{1, err}
	}
	plan, err := notebook.NewPlan(fresh, f, flags.Choice)
	if err != nil {
		var found notebook.Wrong
		if errors.As(err, &found) {
			return wrong("%w", err)
		}
		return exit{1, err}
	}
	s, err := newProcess(child.Setup{Args: args, Notebook: path, Preset: !f.Program, DeferToEnd: true, Manifest: flags.html != ""})
	if err != nil {
		return exit{1, err}
	}
	defer s.Close()
	ctx, killed := interruptible()
	rep := notebook.Lines(errs, plan, term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb" && os.Getenv("NO_COLOR") == "")
	start, end := rep.Start, rep.End
	rep.Start = func(n int, c *notebook.Cell) {
		start(n, c)
		gate.shut.Store(plan.For[n] != "")
		s.Quiet(plan.For[n] != "")
	}
	rep.End = func(n int, c *notebook.Cell, r *session.Result) {
		for _, note := range r.Notes {
			fmt.Fprintln(errs, "note:", note)
		}
		if r.Text != "" {
			fmt.Fprintln(gate, strings.TrimRight(r.Text, "\n"))
		}
		gate.shut.Store(false)
		s.Quiet(false)
		end(n, c, r)
	}
	began := time.Now()
	if golden == nil && (flags.check || !whole) && notebook.Kind(path) == ".ipynb" {
		golden = plan.Golden()
	}
	rec := notebook.Run(ctx, s, plan, rep)
	code := rec.Code
	if rec.Err != nil {
		fmt.Fprintln(os.Stderr, rec.Err)
		if session.Interrupted(rec.Err) {
			code = 130
		}
	}
	if n := killed.Load(); n == int32(syscall.SIGTERM) {
		code = 143
	}
	if flags.html != "" {
		if err := writeReport(rec, flags, args, began); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if flags.ipynb != "" {
		if err := writeFile(flags.ipynb, rec.Jupyter().Format()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if flags.update && code == 0 {
		if notebook.Kind(path) == ".ipynb" {
			err = writeFile(path, rec.Jupyter().Format())
		} else {
			err = writeFile(notebook.GoldenPath(path), []byte(golden.Merge(rec, whole).Format(path)))
		}
		if err != nil {
			return exit{1, err}
		}
	}
	if flags.check {
		diffs := golden.Check(rec, whole)
		for _, d := range diffs {
			fmt.Fprintln(os.Stderr, d)
		}
		if len(diffs) > 0 {
			fmt.Fprintf(os.Stderr, "%s: %s not as stored; --update stores what is now\n", path, plural(len(diffs), "output is", "outputs are"))
			code = max(code, 1)
		}
	}
	if code != 0 {
		return exit{code, nil}
	}
	return nil
}

// readStored reads the outputs beside a notebook. There must be some, unless they are about to be written; those of an .ipynb
// are in it, and nil stands for them.
func readStored(path string, mayLack bool) (*notebook.Golden, error) {
	if notebook.Kind(path) == ".ipynb" {
		return nil, nil
	}
	at := notebook.GoldenPath(path)
	b, err := os.ReadFile(at)
	switch {
	case errors.Is(err, os.ErrNotExist) && mayLack:
		return &notebook.Golden{}, nil
	case errors.Is(err, os.ErrNotExist):
		return nil, wrong("there are no stored outputs in %s; tunebook run --update %s writes them", at, path)
	case err != nil:
		return nil, wrong("%w", err)
	}
	g, err := notebook.ParseGolden(at, string(b))
	if err != nil {
		return nil, wrong("%w", err)
	}
	return g, nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// interruptible returns a context that Ctrl-C and SIGTERM end, and which of them it was. A second one ends the process.
func interruptible() (context.Context, *atomic.Int32) {
	ctx, cancel := context.WithCancel(context.Background())
	var which atomic.Int32
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-c
		signal.Stop(c)
		if n, ok := s.(syscall.Signal); ok {
			which.Store(int32(n))
		}
		cancel()
	}()
	return ctx, &which
}

// gate is standard output, which cells that run only for the sake of others do not reach.
type gate struct {
	w    io.Writer
	shut atomic.Bool
}

func (g *gate) Write(p []byte) (int, error) {
	if g.shut.Load() {
		return len(p), nil
	}
	return g.w.Write(p)
}

// Unwrap returns the writer behind, so that a progress line finds the terminal.
func (g *gate) Unwrap() io.Writer { return g.w }

// writeReport writes the HTML page of a run.
func writeReport(rec *notebook.Record, flags runFlags, args []string, began time.Time) error {
	page := chart.NewPage(rec.Plan.File.Title())
	about := notebook.About{Times: !flags.noTimes, When: began, Environment: [][2]string{
		{"tunebook", version()}, {"System", fmt.Sprintf("%s/%s, %d CPU", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())},
	}}
	if len(args) > 1 {
		about.Manifest = append(about.Manifest, [2]string{"Arguments", strings.Join(args[1:], " ")})
	}
	rec.Write(page, about)
	return writeFile(flags.html, []byte(page.HTML()))
}

// writeFile writes a file whole or not at all.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("tunebook: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("tunebook: %w", err)
	}
	return nil
}

func vetCommand() *cobra.Command {
	var set []string
	c := &cobra.Command{
		Use:   "vet FILE...",
		Short: "Check notebooks without running them",
		Long: `Vet type-checks notebooks (.go, .ipynb, .md) and the packages that lie beside them, as the compiler would, and names
everything that is wrong. It also names what the interpreter could not run. With --set it checks the values too.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			failed := false
			for _, path := range args {
				f, err := notebook.Read(path)
				if err != nil {
					return wrong("%w", err)
				}
				fresh, err := scratch(path, !f.Program)
				if err != nil {
					return exit{1, err}
				}
				if _, err := notebook.NewPlan(fresh, f, notebook.Choice{Set: set}); err != nil {
					var use notebook.Wrong
					if errors.As(err, &use) {
						return wrong("%w", err)
					}
					fmt.Fprintln(os.Stderr, err)
					failed = true
				}
			}
			if failed {
				return exit{1, nil}
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&set, "set", nil, "check with another value of a constant or variable: `NAME=VALUE`")
	return c
}
