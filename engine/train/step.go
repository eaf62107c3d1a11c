package train

import (
	"fmt"
	"math"
	"slices"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/grad"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// Step makes one optimizer update from the micro-batches of each device, one list for one device. Losses are summed and divided once, by
// the supervised tokens of all micro-batches, so the update does not depend on how its examples were split. With Config.Weights the gradient is that
// of the weighted mean, Σ weight·nll / Σ weight over supervised tokens; the losses of the report are not weighted.
func (t *Trainer) Step(shares ...[]data.Batch) (Report, error) {
	if len(shares) != len(t.replicas) {
		return Report{}, fmt.Errorf("train.Step: %d lists of micro-batches; the run has %d devices", len(shares), len(t.replicas))
	}
	micro := slices.Concat(shares...)
	n := 0
	for _, b := range micro {
		n += b.Supervised
	}
	if n == 0 && t.cfg.Objective == nil {
		return Report{}, &data.NoSupervision{Of: len(micro)}
	}
	total := float64(n)
	if t.cfg.Weights != nil {
		total = 0
		for _, b := range micro {
			for pos, target := range b.Targets {
				if target != backend.IgnoreIndex {
					total += t.cfg.Weights[b.SourceOf[pos]]
				}
			}
		}
	}
	t.forget() // what a failed update has left
	r := Report{Step: t.step + 1, Total: t.total, Epoch: t.step / t.perEpoch, LR: t.cfg.At(t.step, t.total), Supervised: n}
	for _, b := range micro {
		r.Tokens += len(b.IDs)
	}
	if t.cfg.Objective != nil {
		a, err := t.objective(shares)
		if err != nil {
			return r, err
		}
		r.Loss, r.BySource = a.sum, a.losses()
	} else if err := t.nextToken(shares, n, total, &r); err != nil {
		return r, err
	}
	if err := t.gather(); err != nil {
		return r, err
	}
	norm, err := t.gradNorm()
	if err != nil {
		return r, err
	}
	r.GradNorm = norm
	if bad(r.Loss) || bad(norm) {
		return r, &NonFinite{Step: r.Step, Loss: r.Loss, GradNorm: norm, LR: r.LR}
	}
	u := update{lr: r.LR, scale: 1, n: t.step + 1}
	if t.cfg.Clip > 0 && norm > t.cfg.Clip {
		u.scale = t.cfg.Clip / norm
	}
	if err := t.opt.step(t.masters, u); err != nil {
		return r, err
	}
	t.forget()
	if t.average != nil {
		if err := t.average.add(t.dev, t.params); err != nil {
			return r, err
		}
	}
	if err := t.dev.Sync(); err != nil {
		return r, err
	}
	t.step++
	return r, nil
}

// forget gives the gradients back. They exist from the backward pass that makes them to the update, so that what activations
// leave on the way back serves them.
func (t *Trainer) forget() {
	for _, r := range t.replicas {
		r.forget()
	}
}

// nextToken makes the gradients of an update's micro-batches, n supervised tokens whose weights sum to total, on the device of each share,
// and puts the losses into r.
func (t *Trainer) nextToken(shares [][]data.Batch, n int, total float64, r *Report) error {
	if err := t.spread(); err != nil {
		return err
	}
	first := make([]int, len(shares)) // documents of the shares before
	for i, micro := range shares {
		for _, b := range micro {
			for j := i + 1; j < len(shares); j++ {
				first[j] += len(b.Segments)
			}
		}
	}
	losses := make([][][]float32, len(shares)) // of the supervised tokens, by micro-batch
	if err := t.each(func(i int, rep *replica) (err error) {
		losses[i], err = t.passes(rep, shares[i], first[i], 1/float32(total))
		return err
	}); err != nil {
		return err
	}
	nll := make([]float64, len(t.Sources))
	count := make([]int, len(t.Sources))
	for i, micro := range shares {
		for j, b := range micro {
			host := losses[i][j]
			for pos, target := range b.Targets {
				if target == backend.IgnoreIndex {
					continue
				}
				nll[b.SourceOf[pos]] += float64(host[0])
				count[b.SourceOf[pos]]++
				host = host[1:]
			}
		}
	}
	for i := range nll {
		r.Loss += nll[i]
		r.BySource = append(r.BySource, nll[i]/float64(count[i]))
	}
	r.Loss /= float64(n)
	return nil
}

// passes makes the gradients of a replica's micro-batches and returns the losses of their supervised tokens. documents is the place in the
// update of its first document.
func (t *Trainer) passes(r *replica, micro []data.Batch, documents int, scale float32) ([][]float32, error) {
	out := make([][]float32, len(micro))
	for j, b := range micro {
		in := t.input(b, documents)
		documents += len(b.Segments)
		if b.Supervised == 0 {
			continue
		}
		tape := t.tape(r.dev, true)
		losses, rows := r.model.Loss(tape, in, b.Targets, t.weights(b), scale)
		tape.Backward()
		out[j] = make([]float32, rows)
		err := r.dev.Download(out[j], losses)
		tape.Free()
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// gradNorm returns the Euclidean norm of all gradients together.
func (t *Trainer) gradNorm() (float64, error) {
	grads := make([]backend.Buffer, len(t.params))
	for i, p := range t.params {
		grads[i] = p.Grad
	}
	t.dev.SumSquares(t.norms, grads)
	host := make([]float32, len(t.params))
	if err := t.dev.Download(host, t.norms); err != nil {
		return 0, err
	}
	sum := 0.0
	for _, x := range host {
		sum += float64(x)
	}
	return math.Sqrt(sum), nil
}

func bad(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }

// input is a batch on its way through a training pass; first is the place of its first document in the update.
func (t *Trainer) input(b data.Batch, first int) model.Input {
	in := input(b)
	in.Recompute = t.cfg.Recompute
	if t.cfg.NEFTune == 0 {
		return in
	}
	C := t.model.Config.HiddenSize
	in.Noise = make([]float32, len(b.IDs)*C)
	for i, s := range b.Segments {
		r := tensor.NewRNG(t.cfg.Seed, fmt.Sprintf("neftune/%d/%d", t.step, first+i))
		size := t.cfg.NEFTune / math.Sqrt(float64(s.QLen*C))
		noise := in.Noise[s.QStart*C : (s.QStart+s.QLen)*C]
		for j := range noise {
			noise[j] = float32(size * (2*r.Float64() - 1))
		}
	}
	return in
}

func input(b data.Batch) model.Input {
	return model.Input{IDs: b.IDs, Positions: b.Positions, Segments: &backend.Segments{List: b.Segments}}
}

// microBatches packs the named sequences, in order, into passes of at most tokens positions. Groups of so many stay together;
// a longer one has a pass of its own.
func microBatches(seqs []data.Sequence, which []int, tokens, group int) []data.Batch {
	var out []data.Batch
	var pass []data.Sequence
	n := 0
	for len(which) > 0 {
		size := min(group, len(which))
		length := 0
		for _, i := range which[:size] {
			length += len(seqs[i].IDs)
		}
		if len(pass) > 0 && n+length > tokens {
			out = append(out, data.Pack(pass))
			pass, n = nil, 0
		}
		for _, i := range which[:size] {
			pass = append(pass, seqs[i])
		}
		n += length
		which = which[size:]
	}
	if len(pass) > 0 {
		out = append(out, data.Pack(pass))
	}
	return out
}

// weights returns the loss weight of every position of a batch, nil where all are 1.
func (t *Trainer) weights(b data.Batch) []float32 {
	if t.cfg.Weights == nil {
		return nil
	}
	out := make([]float32, len(b.SourceOf))
	for i, source := range b.SourceOf {
		out[i] = float32(t.cfg.Weights[source])
	}
	return out
}

// Loss returns the summed negative log-likelihood, in nats, and the number of supervised tokens of sequences that are
// not trained on. The mean is the sum divided once by the count, whatever microTokens is.
func Loss(m *model.Model, seqs []data.Sequence, microTokens int) (nll float64, n int, err error) {
	err = eachLoss(m, seqs, microTokens, func(_ int, x float64) {
		nll += x
		n++
	})
	return nll, n, err
}

// LossBySource returns the loss per supervised token of each source of sequences that are not trained on, by their source
// index; NaN for a source without supervised tokens.
func LossBySource(m *model.Model, seqs []data.Sequence, microTokens int) (Losses, error) {
	k := 0
	for _, s := range seqs {
		k = max(k, s.Source+1)
	}
	nll, count := make(Losses, k), make([]int, k)
	if err := eachLoss(m, seqs, microTokens, func(source int, x float64) {
		nll[source] += x
		count[source]++
	}); err != nil {
		return nil, err
	}
	for i := range nll {
		nll[i] /= float64(count[i])
	}
	return nll, nil
}

// eachLoss calls f with the source and the negative log-likelihood of every supervised token, in order.
func eachLoss(m *model.Model, seqs []data.Sequence, microTokens int, f func(source int, nll float64)) error {
	which := make([]int, len(seqs))
	for i := range which {
		which[i] = i
	}
	for _, b := range microBatches(seqs, which, microTokens, 1) {
		tape := grad.New(m.Device(), false)
		buf, rows := m.Loss(tape, input(b), b.Targets, nil, 1)
		host := make([]float32, rows)
		var err error
		if rows > 0 {
			err = m.Device().Download(host, buf)
		}
		tape.Free()
		if err != nil {
			return err
		}
		i := 0
		for pos, target := range b.Targets {
			if target != backend.IgnoreIndex {
				f(b.SourceOf[pos], float64(host[i]))
				i++
			}
		}
	}
	return nil
}

func zeros(dev backend.Backend, n int) backend.Buffer { return dev.Alloc(tensor.F32, n) }
