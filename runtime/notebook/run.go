package notebook

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"tunebook/runtime/session"
)

// Report is told what happens while a notebook runs. Each function may be nil.
type Report struct {
	Start func(n int, c *Cell)                      // a code cell begins, or a text cell is passed
	End   func(n int, c *Cell, res *session.Result) // a code cell has ended
}

// Run runs all cells, in order, and stops at the first that fails. The error is that cell's.
func Run(ctx context.Context, s *session.Session, f *File, rep Report) (code int, err error) {
	if f.Program {
		return runProgram(ctx, s, f, rep)
	}
	for i := range f.Cells {
		c := &f.Cells[i]
		if rep.Start != nil {
			rep.Start(i, c)
		}
		if !c.Code() {
			continue
		}
		// Blank lines in front give the cell its lines in the file.
		r := s.Eval(ctx, f.Name, strings.Repeat("\n", c.First()-1)+c.Source)
		if rep.End != nil {
			rep.End(i, c, &r)
		}
		if r.Err != nil {
			return 1, r.Err
		}
		if r.Ended {
			return r.Code, nil
		}
	}
	return 0, s.Close(ctx)
}

// runProgram checks the whole program first; nothing runs when the compiler would refuse it.
func runProgram(ctx context.Context, s *session.Session, f *File, rep Report) (int, error) {
	p, err := s.Load(f.Name, f.Source, f.CellOf)
	if err != nil {
		return 1, err
	}
	run := func(i int) (*session.Result, bool) {
		r := p.Run(ctx, i)
		return &r, r.Err == nil && !r.Ended
	}
	// Variables at the top of the file and init functions belong to no cell.
	if r, ok := run(-1); !ok {
		if r.Err != nil {
			return 1, r.Err
		}
		return r.Code, nil
	}
	for i := range f.Cells {
		c := &f.Cells[i]
		steps := p.Has(i)
		if rep.Start != nil && (steps || c.Text()) {
			rep.Start(i, c)
		}
		if !steps {
			continue
		}
		r, ok := run(i)
		if rep.End != nil {
			rep.End(i, c, r)
		}
		if r.Err != nil {
			return 1, r.Err
		}
		if !ok {
			if r.Code != 0 {
				return r.Code, nil
			}
			break
		}
	}
	return 0, s.Close(ctx)
}

// Lines returns a Report that writes what happens to w: each cell's title before its output, and the time it took.
func Lines(w io.Writer, dim bool) Report {
	on, off := "", ""
	if dim {
		on, off = "\x1b[2m", "\x1b[0m"
	}
	return Report{
		Start: func(n int, c *Cell) {
			switch {
			case c.Text():
				fmt.Fprintf(w, "%s%s%s\n", on, c.Title, off)
			case c.Title != "":
				fmt.Fprintf(w, "%s── %s%s\n", on, c.Title, off)
			}
		},
		End: func(n int, c *Cell, r *session.Result) {
			if c.Title != "" && r.Took >= 100*time.Millisecond {
				fmt.Fprintf(w, "%s   %s%s\n", on, Took(r.Took), off)
			}
		},
	}
}

// Took returns a duration as a person reads it.
func Took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}
