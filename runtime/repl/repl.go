// Package repl reads lines from a terminal or a pipe and runs them in a session.
//
// At a terminal there is a prompt, a line editor with history and completion by Tab of names, members, fields and, inside
// strings, files; a cell ends where Go's syntax says that it is complete. Ctrl-C at the prompt forgets the line, during a
// cell stops the cell. A second one in a row ends the process that runs the script, if it still runs, and asks whether to
// leave; a third leaves. Ctrl-D leaves. Lines that begin with a colon are commands;
// :help lists them.
//
// From a pipe there is no prompt; errors name the line of the input, the cells after a failed one still run, and the
// exit code is 1 when one of them failed.
//
// While a script runs, the terminal is in the mode in which the shell left it; at the end, a signal included, it is so
// again.
package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"tunebook/runtime/cell"
	"tunebook/runtime/child"
	"tunebook/runtime/notebook"
	"tunebook/runtime/session"
	"tunebook/runtime/show"
)

// Session runs cells and answers questions about them: a session.Session, or one in a process of its own.
type Session interface {
	Eval(ctx context.Context, name, src string) session.Result
	Complete(line string, pos int) (head string, candidates []string, tail string)
	Help(name string) string
	TypeOf(expr string) (string, error)
	Vars() []cell.Var
	Reset() error
}

// Config says where a REPL reads and writes.
type Config struct {
	Session Session
	Stdin   *os.File
	Stdout  io.Writer
	Stderr  io.Writer
	// Window is the terminal behind Stdout, to whose width tables are cut; nil for none.
	Window *os.File
	// Banner is printed before the first prompt of a terminal.
	Banner string
	// History is the file that keeps typed lines between sessions; empty for none.
	History string
	// Commands are further commands, by name: what each prints, and what :help says of it.
	Commands map[string]Command
}

// Command is a command of whoever runs the REPL.
type Command struct {
	Use, Help string
	Run       func(arg string, out io.Writer) error
}

// repl is the state of one run.
type repl struct {
	cfg   Config
	n     int
	saved []string // cells that ran, for :save
	gone  []string // cells that ran in a process that is over, for :replay
	timed bool
	again int    // interrupts in a row
	cook  func() // gives a script the terminal as the shell left it; nil for none
	leave bool
	code  int // of os.Exit

	mu     sync.Mutex
	cancel context.CancelFunc // of the running cell
	urged  int                // interrupts since it began
}

// Run reads until the end of input. It returns the process's exit code: what the script gave to os.Exit, else 0 or, for
// input from a pipe, 1 when a cell failed.
func Run(cfg Config) int {
	r := &repl{cfg: cfg}
	stop := r.watchInterrupts()
	defer stop()
	if isTerminal(cfg.Stdin) {
		return r.line()
	}
	return r.plain()
}

// watchInterrupts sends Ctrl-C to the running cell. A cell that goes on after two of them is left by a third.
func (r *repl) watchInterrupts() (stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	go func() {
		for range c {
			r.mu.Lock()
			cancel := r.cancel
			if cancel != nil {
				r.urged++
			}
			urged := r.urged
			r.mu.Unlock()
			switch {
			case cancel == nil:
				if !isTerminal(r.cfg.Stdin) {
					os.Exit(130)
				}
			case urged == 1:
				cancel()
			case urged == 2:
				if k, ok := r.cfg.Session.(interface{ Kill() }); ok {
					k.Kill() // it has no variables worth the wait to the one who presses twice
				}
			default:
				r.restore()
				os.Exit(130)
			}
		}
	}()
	return func() { signal.Stop(c); close(c) }
}

// run runs one cell and prints what came of it.
func (r *repl) run(name, src string) bool {
	ctx, cancel := context.WithCancel(context.Background())
	r.mu.Lock()
	r.cancel, r.urged = cancel, 0
	r.mu.Unlock()
	if r.cook != nil {
		r.cook()
	}
	res := r.cfg.Session.Eval(ctx, name, src)
	r.mu.Lock()
	r.cancel = nil
	if r.urged == 0 {
		r.again = 0
	}
	r.again += r.urged
	r.mu.Unlock()
	cancel()
	r.print(&res)
	var lost *child.Lost
	if errors.As(res.Err, &lost) {
		r.gone, r.saved = append(r.gone, r.saved...), nil
		if n := len(r.gone); n > 0 {
			fmt.Fprintf(r.cfg.Stderr, "a new one begins; :replay runs again what had run (%s)\n", count(n, "cell"))
		}
	}
	if res.Err == nil && strings.TrimSpace(src) != "" {
		r.saved = append(r.saved, strings.TrimSpace(src))
	}
	if res.Exited {
		r.leave, r.code = true, res.Code
	}
	return res.Err == nil
}

func (r *repl) print(res *session.Result) {
	if isTerminal(r.cfg.Stdin) {
		r.newLine(res)
	}
	for _, n := range res.Notes {
		fmt.Fprintln(r.cfg.Stderr, "note:", n)
	}
	if res.Text != "" {
		text := strings.TrimRight(res.Text, "\n")
		if f := r.cfg.Window; f != nil && isTerminal(f) {
			if w, _, err := term.GetSize(int(f.Fd())); err == nil && w >= 20 {
				text = show.Fit(text, w)
			}
		}
		fmt.Fprintln(r.cfg.Stdout, text)
	}
	if res.Err != nil {
		fmt.Fprintln(r.cfg.Stderr, res.Err)
	}
	if r.timed {
		fmt.Fprintf(r.cfg.Stderr, "took %v\n", res.Took.Round(time.Microsecond))
	}
}

// newLine brings a terminal's cursor to the start of a line after a cell's output.
func (r *repl) newLine(res *session.Result) {
	switch n := len(res.Output); {
	case n > 0 && res.Output[n-1] != '\n':
		fmt.Fprintln(r.cfg.Stdout)
	case !session.Interrupted(res.Err):
	case os.Getenv("TERM") == "dumb":
		fmt.Fprintln(r.cfg.Stdout)
	default:
		fmt.Fprint(r.cfg.Stdout, "\r\x1b[K") // over the ^C that the terminal wrote
	}
}

// command runs a line that begins with a colon, or ends with a question mark.
func (r *repl) command(line string) (done, ok bool) {
	line = strings.TrimSpace(line)
	if n, cut := strings.CutSuffix(line, "?"); cut && isName(n) {
		return true, r.help(n)
	}
	if !strings.HasPrefix(line, ":") {
		return false, true
	}
	cmd, arg, _ := strings.Cut(line[1:], " ")
	arg = strings.TrimSpace(arg)
	out, s := r.cfg.Stdout, r.cfg.Session
	switch cmd {
	case "help", "h":
		if arg != "" {
			return true, r.help(arg)
		}
		fmt.Fprint(out, r.commands())
	case "vars":
		for _, v := range s.Vars() {
			fmt.Fprintf(out, "%s %s\n", v.Name, v.Type)
		}
	case "type":
		t, err := s.TypeOf(arg)
		if err != nil {
			fmt.Fprintln(r.cfg.Stderr, err)
			return true, false
		}
		fmt.Fprintln(out, t)
	case "reset":
		if err := s.Reset(); err != nil {
			fmt.Fprintln(r.cfg.Stderr, err)
			return true, false
		}
		r.saved, r.gone = nil, nil
	case "replay":
		return true, r.replay()
	case "time":
		r.timed = !r.timed
		fmt.Fprintf(out, "times are %s\n", map[bool]string{true: "shown", false: "not shown"}[r.timed])
	case "save":
		return true, r.save(arg)
	case "load":
		return true, r.load(arg)
	case "quit", "q", "exit":
		r.leave = true
	default:
		if c, ok := r.cfg.Commands[cmd]; ok {
			if err := c.Run(arg, out); err != nil {
				fmt.Fprintln(r.cfg.Stderr, err)
				return true, false
			}
			return true, true
		}
		fmt.Fprintf(r.cfg.Stderr, "no command :%s\n%s", cmd, r.commands())
		return true, false
	}
	return true, true
}

// commands lists the commands.
func (r *repl) commands() string {
	s := commands
	for _, n := range slices.Sorted(maps.Keys(r.cfg.Commands)) {
		c := r.cfg.Commands[n]
		s += fmt.Sprintf("%-13s %s\n", c.Use, c.Help)
	}
	return s + lastCommand
}

// replay runs again what ran in a process that is over.
func (r *repl) replay() bool {
	if len(r.gone) == 0 {
		fmt.Fprintln(r.cfg.Stderr, "there is nothing to replay: no process of a script has ended")
		return false
	}
	cells := r.gone
	r.gone = nil
	for i, c := range cells {
		if !r.run(fmt.Sprintf("[replay %d]", i+1), c) {
			r.gone = append(r.gone, cells[i:]...)
			return false
		}
	}
	fmt.Fprintf(r.cfg.Stderr, "%s ran again\n", count(len(cells), "cell"))
	return true
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprint(n, " ", what, "s")
}

const commands = `Go statements run as they are typed; the value of a last expression is shown.
:help NAME    what a package, function, type or variable is; NAME? does the same
:vars         the variables and their types
:type EXPR    the type of an expression, without running it
:time         show how long each cell takes, or stop showing it
:load FILE    run a notebook here
:save FILE    write the cells that ran as a notebook
:reset        forget everything
:replay       run the cells again that had run in a process that ended
`

const lastCommand = `:quit         leave; so does Ctrl-D. Ctrl-C stops what runs.
`

func isName(s string) bool {
	if s == "" {
		return false
	}
	for _, c := range s {
		if c != '.' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func (r *repl) help(name string) bool {
	text := r.cfg.Session.Help(name)
	if text == "" {
		fmt.Fprintf(r.cfg.Stderr, "nothing is called %s here\n", name)
		return false
	}
	fmt.Fprintln(r.cfg.Stdout, text)
	return true
}

// save writes the cells that ran as a notebook of loose cells.
func (r *repl) save(path string) bool {
	if path == "" {
		fmt.Fprintln(r.cfg.Stderr, "usage: :save FILE")
		return false
	}
	var b strings.Builder
	for _, c := range r.saved {
		b.WriteString("// %%\n" + c + "\n\n")
	}
	tmp := path + ".tmp"
	err := os.WriteFile(tmp, []byte(b.String()), 0o666)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		fmt.Fprintln(r.cfg.Stderr, err)
		return false
	}
	fmt.Fprintf(r.cfg.Stdout, "wrote %d cells to %s\n", len(r.saved), path)
	return true
}

// load runs the cells of a notebook in this session.
func (r *repl) load(path string) bool {
	f, err := notebook.Read(path)
	if err != nil {
		fmt.Fprintln(r.cfg.Stderr, err)
		return false
	}
	if f.Program {
		fmt.Fprintf(r.cfg.Stderr, "%s is a whole program; tunebook run %s runs it\n", path, path)
		return false
	}
	for i := range f.Cells {
		c := &f.Cells[i]
		if !c.Code() {
			continue
		}
		if !r.run(path, strings.Repeat("\n", c.First()-1)+c.Source) {
			return false
		}
	}
	return true
}

// feed takes one line of input. It returns the rest of an unfinished cell.
func (r *repl) feed(pending, line, name string, blank *int) (rest string, ok bool) {
	if pending == "" {
		if done, ok := r.command(line); done {
			return "", ok
		}
	}
	src := pending + line
	if strings.TrimSpace(line) == "" {
		*blank++
	} else {
		*blank = 0
	}
	if strings.TrimSpace(src) == "" {
		return "", true
	}
	// Two empty lines end a cell that will not become complete.
	if !cell.Complete(src) && *blank < 2 {
		return src + "\n", true
	}
	*blank = 0
	return "", r.run(name, src)
}
