// Package host is where the script API meets whatever runs the script: the context that ends when a cell is
// interrupted, the writers that a cell's output goes to, and the progress of long calls. The session sets the first
// two; a compiled notebook (go run) uses the defaults: Ctrl-C and the process's own output.
package host

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
)

var (
	mu     sync.Mutex
	ctx    context.Context
	stdout io.Writer = &terminal{f: os.Stdout}
	stderr io.Writer = &terminal{f: os.Stderr}

	notebook string
)

// Context ends when the running cell is interrupted. Every call that may take longer than a moment watches it.
func Context() context.Context {
	mu.Lock()
	defer mu.Unlock()
	if ctx == nil {
		ctx, _ = signal.NotifyContext(context.Background(), os.Interrupt)
	}
	return ctx
}

// SetContext makes c the context of the cell that now runs.
func SetContext(c context.Context) {
	mu.Lock()
	defer mu.Unlock()
	ctx = c
}

// Stdout is where tables and results go.
func Stdout() io.Writer {
	mu.Lock()
	defer mu.Unlock()
	return stdout
}

// Stderr is where progress and notes go.
func Stderr() io.Writer {
	mu.Lock()
	defer mu.Unlock()
	return stderr
}

// SetOutput redirects Stdout and Stderr. A writer that passes on to another one says so by a method
// Unwrap() io.Writer, so that Progress finds the terminal behind it.
func SetOutput(out, err io.Writer) {
	mu.Lock()
	defer mu.Unlock()
	stdout, stderr = out, err
}

// Notebook returns the path of the notebook that runs, empty at a prompt and in a compiled program.
func Notebook() string {
	mu.Lock()
	defer mu.Unlock()
	return notebook
}

// SetNotebook says which notebook runs.
func SetNotebook(path string) {
	mu.Lock()
	defer mu.Unlock()
	notebook = path
}
