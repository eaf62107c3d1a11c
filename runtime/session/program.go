package session

import (
	"context"

	"tunebook/runtime/cell"
)

// Program is a Go file whose main is run in pieces.
type Program struct {
	s *Session
	u *cell.Unit
}

// Load checks a whole program and gives the interpreter its declarations. cellOf tells which piece a line belongs to.
// The error is cell.Errors for what the compiler would refuse.
func (s *Session) Load(name, src string, cellOf func(line int) int) (*Program, error) {
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

// Has reports whether a piece has anything to run.
func (p *Program) Has(piece int) bool {
	for _, st := range p.u.Steps {
		if st.Cell == piece {
			return true
		}
	}
	return false
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
