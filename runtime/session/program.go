package session

import (
	"context"

	"tunebook/runtime/cell"
)

// Runner runs the cells of a notebook: a Session, or one in another process.
type Runner interface {
	Eval(ctx context.Context, name, src string) Result
	Load(name, src string, cellOf func(line int) int) (Pieces, error)
	End(ctx context.Context) Result
}

// Pieces is a program that was loaded, to be run in pieces.
type Pieces interface {
	// Run runs the statements of one piece; -1 is what comes before main.
	Run(ctx context.Context, piece int) Result
}

// Program is a Go file whose main is run in pieces.
type Program struct {
	s *Session
	u *cell.Unit
}

// Load checks a whole program and gives the interpreter its declarations. cellOf tells which piece a line belongs to.
// The error is cell.Errors for what the compiler would refuse.
func (s *Session) Load(name, src string, cellOf func(line int) int) (Pieces, error) {
	u, err := s.scope.CheckFile(name, src, cellOf)
	if err != nil {
		return nil, err
	}
	if err := s.define(u); err != nil {
		return nil, err
	}
	return &Program{s, u}, nil
}

// Check says what is wrong with a program, without running anything of it.
func (s *Session) Check(name, src string) error {
	_, err := s.scope.CheckFile(name, src, func(int) int { return 0 })
	return err
}

// Run runs the statements of one piece; -1 is what comes before main.
func (p *Program) Run(ctx context.Context, piece int) Result {
	var steps []cell.Step
	for _, st := range p.u.Steps {
		if st.Cell == piece {
			steps = append(steps, st)
		}
	}
	return p.s.watch(ctx, func(ctx context.Context, r *Result) {
		p.s.run(ctx, p.u, steps, r)
	})
}
