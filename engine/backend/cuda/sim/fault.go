package sim

import (
	"fmt"
	"strings"
)

// Kind says what a Fault is about.
type Kind string

const (
	Bounds        Kind = "out of bounds"
	Misaligned    Kind = "misaligned address"
	Uninitialised Kind = "uninitialised read"
	Race          Kind = "race"
	Divergence    Kind = "divergent synchronisation"
	Pending       Kind = "copy in flight"
	Product       Kind = "product in flight"
	Unfenced      Kind = "missing fence"
	Deadlock      Kind = "deadlock"
	Arithmetic    Kind = "arithmetic"
	Limit         Kind = "limit"
)

// Fault is something that a kernel did wrong, where and by whom.
type Fault struct {
	Kind    Kind
	Message string

	Kernel string
	Block  [3]int
	Thread [3]int

	PTX     string // the instruction
	PTXLine int    // its line, from 1
	File    string // the CUDA source and its line, where the PTX has them; 0 otherwise
	Line    int
	Outer   string // "file:line" into which that line was inlined, or empty
}

// Error is one sentence with the place.
func (f *Fault) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: block (%d,%d,%d) thread (%d,%d,%d): %s: %s at ", f.Kernel, f.Block[0], f.Block[1], f.Block[2], f.Thread[0], f.Thread[1], f.Thread[2], f.Kind, f.Message)
	if f.File != "" {
		fmt.Fprintf(&b, "%s:%d", f.File, f.Line)
		if f.Outer != "" {
			fmt.Fprintf(&b, " in %s", f.Outer)
		}
		b.WriteString(", ")
	}
	fmt.Fprintf(&b, "PTX line %d: %s", f.PTXLine, f.PTX)
	return b.String()
}

// fail ends the launch with a fault of a lane. The panic is caught in launch.
func (w *warp) fail(k Kind, lane int, format string, args ...any) {
	in := w.cur
	f := &Fault{Kind: k, Message: fmt.Sprintf(format, args...), Kernel: w.b.k.Name, Block: w.b.id, Thread: w.b.thread(w.id*32 + lane),
		PTX: in.text, PTXLine: in.line}
	if in.loc != nil {
		f.File, f.Line = in.loc.file, in.loc.line
		if at := in.loc.at; at != nil {
			for at.at != nil {
				at = at.at
			}
			f.Outer = fmt.Sprintf("%s:%d", at.file, at.line)
		}
	}
	panic(f)
}
