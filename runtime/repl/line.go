package repl

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/peterh/liner"
)

const (
	prompt = ">>> "
	more   = "... "
)

// pasteTime is less than a person needs for a line, and more than a terminal needs to hand over one that was pasted.
const pasteTime = 15 * time.Millisecond

// The terminal as it was, and the line editor that changed it. They are the process's, as the terminal is.
var (
	termMu   sync.Mutex
	original liner.ModeApplier
	editor   *liner.State
)

// restoreTerminal puts the terminal back into the mode in which it was found.
func restoreTerminal() {
	termMu.Lock()
	defer termMu.Unlock()
	if editor != nil {
		editor.Close()
		editor = nil
	}
	if original != nil {
		original.ApplyMode()
	}
}

// line reads cells from a terminal, with history and completion.
func (r *repl) line() int {
	before, err := liner.TerminalMode()
	if err != nil {
		before = nil
	}
	ed := liner.NewLiner()
	during, _ := liner.TerminalMode()
	termMu.Lock()
	original, editor = before, ed
	termMu.Unlock()
	defer restoreTerminal()
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(term)
	go func() {
		if _, ok := <-term; ok {
			r.writeHistory(ed)
			restoreTerminal()
			os.Exit(143)
		}
	}()

	ed.SetCtrlCAborts(true)
	ed.SetMultiLineMode(true)
	ed.SetTabCompletionStyle(liner.TabPrints)
	pending, blank := "", 0
	var asked time.Time // when the prompt that is shown was
	pasted := func() bool { return time.Since(asked) < pasteTime }
	ed.SetWordCompleter(func(line string, pos int) (string, []string, string) {
		// liner counts runes.
		rs := []rune(line)
		at := len(string(rs[:min(pos, len(rs))]))
		if strings.TrimSpace(line[:at]) == "" {
			return line[:at], []string{"    "}, line[at:] // a tab at the start of a line indents
		}
		if pending != "" && pasted() {
			return line[:at], []string{"\t"}, line[at:]
		}
		return r.cfg.Session.Complete(line, at)
	})
	r.readHistory(ed)
	defer r.writeHistory(ed)

	if r.cfg.Banner != "" {
		fmt.Fprintln(r.cfg.Stdout, r.cfg.Banner)
	}
	// Scripts and their interrupts find the terminal as the shell left it.
	r.cook = func() {
		if before != nil {
			before.ApplyMode()
		}
	}
	for !r.leave {
		p := prompt
		if pending != "" {
			p = more
		}
		if during != nil {
			during.ApplyMode()
		}
		if r.again >= 2 {
			answer, err := ed.Prompt("leave tunebook? (y or n) ")
			if r.again = 0; err != nil || strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
				return r.code
			}
		}
		asked = time.Now()
		text, err := ed.Prompt(p)
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			pending, blank = "", 0
			r.again++
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(r.cfg.Stdout)
			return 0
		case err != nil:
			fmt.Fprintln(r.cfg.Stderr, err)
			return 1
		}
		r.again = 0
		if strings.TrimSpace(text) != "" {
			ed.AppendHistory(text)
		}
		if pending == "" {
			r.n++
		}
		if pasted() {
			blank = -1 << 20 // empty lines of what is pasted end nothing
		} else {
			blank = max(blank, 0)
		}
		pending, _ = r.feed(pending, text, fmt.Sprintf("[%d]", r.n), &blank)
	}
	return r.code
}

func (r *repl) readHistory(ed *liner.State) {
	if r.cfg.History == "" {
		return
	}
	if f, err := os.Open(r.cfg.History); err == nil {
		defer f.Close()
		ed.ReadHistory(f)
	}
}

// writeHistory replaces the file as a whole; only its owner may read it.
func (r *repl) writeHistory(ed *liner.State) {
	path := r.cfg.History
	if path == "" || os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".history-*") // mode 0600
	if err != nil {
		return
	}
	_, err = ed.WriteHistory(f)
	if err == nil {
		err = f.Close()
	} else {
		f.Close()
	}
	if err != nil || os.Rename(f.Name(), path) != nil {
		os.Remove(f.Name())
	}
}

// HistoryFile returns where a user's history belongs: under the state folder of the system. Without a home it is "".
func HistoryFile() string {
	if d := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "tunebook", "history")
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" || !filepath.IsAbs(home) {
		return ""
	}
	return filepath.Join(home, ".local", "state", "tunebook", "history")
}
