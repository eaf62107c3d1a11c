package grad

// Recompute runs f, a part of a forward pass, so that of its activations only the outputs are kept: the backward pass runs f
// a second time, with a tape of its own, and goes on through that. Memory falls to the inputs and outputs of such parts,
// for the price of a second forward pass. The gradients are those of f on this tape, to the same bits.
//
// f must compute the same both times. It makes its values of in and of parameters alone, on the tape that it is given;
// buffers of the outer tape (Ints, Floats) may be read. The inputs may not be changed in place. An output may be one of in, or nil.
//
// Source: Chen et al. 2016, arXiv:1604.06174.
func (t *Tape) Recompute(in []*Var, f func(t *Tape, in []*Var) []*Var) []*Var {
	if !t.record {
		return f(t, in)
	}
	first := New(t.dev, false)
	defer first.Free()
	// To the tapes below the inputs are as parameters are: memory of someone else's.
	stand := func(gradients bool) (of map[*Var]*Var, list []*Var) {
		of, list = map[*Var]*Var{}, make([]*Var, len(in))
		for i, x := range in {
			if x == nil {
				continue
			}
			if of[x] == nil {
				of[x] = &Var{Value: x.Value, Rows: x.Rows, Cols: x.Cols, param: true}
				if gradients {
					of[x].needs, of[x].grad, of[x].of = x.needs, x.grad, x.of
				}
			}
			list[i] = of[x]
		}
		return of, list
	}
	inputs, held := stand(false)
	results := f(first, held)
	needs := false
	for _, x := range in {
		needs = needs || x != nil && x.needs
	}
	for p := range first.vars {
		needs = needs || p.wantsGrad()
	}
	out := make([]*Var, len(results))
	var made []*Var
	for i, r := range results {
		if r == nil {
			continue
		}
		for x, h := range inputs {
			if r == h {
				out[i] = x
			}
		}
		if out[i] == nil {
			out[i] = &Var{Value: r.Value, Rows: r.Rows, Cols: r.Cols, needs: needs}
			r.Value = nil // this tape's now
			t.acts = append(t.acts, out[i])
			made = append(made, out[i])
		}
	}
	t.push(func() {
		again := New(t.dev, true)
		defer again.Free()
		of, leaves := stand(true)
		for i, r := range f(again, leaves) {
			for _, m := range made {
				if r != nil && out[i] == m {
					r.grad, m.grad = m.grad, nil
				}
			}
		}
		again.Backward()
		for x, leaf := range of {
			x.grad = leaf.grad // what was there before, and what was added
		}
	}, made...)
	return out
}
