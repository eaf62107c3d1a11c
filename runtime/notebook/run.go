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

// Record is what came of a run.
type Record struct {
	Plan *Plan
	// Before is what the variables at the top of a program and its init functions did, After what was deferred to its end.
	Before, After session.Result
	Cells         []Ran // by cell
	// Err is why the run stopped; nil when it came to its end.
	Err error
	// Code is the script's exit code, or 1 after Err.
	Code int
	Took time.Duration
}

// Ran is what came of one cell.
type Ran struct {
	Ran    bool
	Result session.Result
}

// Failed returns the place in Cells of the one that failed, -1 for none.
func (r *Record) Failed() int {
	for i := range r.Cells {
		if r.Cells[i].Ran && r.Cells[i].Result.Err != nil {
			return i
		}
	}
	return -1
}

// Run runs the cells of a plan, in order, and stops at the first that fails.
func Run(ctx context.Context, s session.Runner, p *Plan, rep Report) *Record {
	r := &Record{Plan: p, Cells: make([]Ran, len(p.File.Cells))}
	start := time.Now()
	r.run(ctx, s, rep)
	if r.Err != nil {
		r.Code = 1
	} else if r.Code == 0 {
		r.After = s.End(ctx)
		if r.Err = r.After.Err; r.Err != nil {
			r.Code = 1
		}
	}
	r.Took = time.Since(start)
	return r
}

func (r *Record) run(ctx context.Context, s session.Runner, rep Report) {
	f := r.Plan.File
	eval := func(i int) session.Result {
		c := f.source(i)
		return s.Eval(ctx, c.Name, c.Text)
	}
	if f.Program {
		p, err := s.Load(f.Name, f.Source, f.CellOf)
		if err != nil {
			r.Err = err
			return
		}
		eval = func(i int) session.Result { return p.Run(ctx, i) }
		// Variables at the top of the file and init functions belong to no cell.
		if r.Before = eval(-1); r.Before.Err != nil || r.Before.Ended {
			r.Err, r.Code = r.Before.Err, r.Before.Code
			return
		}
	}
	for i := range f.Cells {
		if !r.Plan.Run[i] {
			continue
		}
		c := &f.Cells[i]
		if rep.Start != nil {
			rep.Start(i, c)
		}
		if r.Plan.Number[i] == 0 {
			continue
		}
		r.Cells[i] = Ran{true, eval(i)}
		res := &r.Cells[i].Result
		if rep.End != nil {
			rep.End(i, c, res)
		}
		if res.Err != nil || res.Ended {
			r.Err, r.Code = res.Err, res.Code
			return
		}
	}
}

// Lines returns a Report that writes what happens to w: the number and title of each cell before its output, and the
// time it took.
func Lines(w io.Writer, p *Plan, dim bool) Report {
	on, off := "", ""
	if dim {
		on, off = "\x1b[2m", "\x1b[0m"
	}
	several := 0
	for _, n := range p.Number {
		several = max(several, n)
	}
	said := func(c *Cell) bool { return c.Title != "" || several > 1 }
	return Report{
		Start: func(n int, c *Cell) {
			switch {
			case p.Number[n] == 0:
				fmt.Fprintf(w, "%s%s%s\n", on, c.Title, off)
			case said(c):
				because := ""
				if p.For[n] != "" {
					because = ", needed for " + p.For[n] + ": its output is left out"
				}
				fmt.Fprintf(w, "%s── %s%s%s\n", on, strings.TrimSpace(fmt.Sprint(p.Number[n], " ", c.Title)), because, off)
			}
		},
		End: func(n int, c *Cell, r *session.Result) {
			if said(c) && r.Took >= 100*time.Millisecond {
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
