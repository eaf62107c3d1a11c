package model

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

// Sampling says how the next token is drawn. The zero value always takes the most likely one, the lowest id among equals.
//
// The order is that of the transformers library: the repetition penalty, then the temperature, then the cuts TopK, TopP and
// MinP, each of what the one before left; then one token is drawn from the rest.
type Sampling struct {
	Temperature float64 // 0 takes the most likely token; 1 draws from the model's distribution
	TopK        int     // only the so many most likely tokens; 0 for no cut
	TopP        float64 // only the fewest tokens whose probabilities add up to this; 0 or 1 for no cut
	MinP        float64 // only tokens at least this times as likely as the most likely one; 0 for no cut
	// RepetitionPenalty above 1 lowers the scores of tokens that the prompt or the answer holds: positive ones are divided
	// by it, negative ones multiplied (Keskar et al. 2019, arXiv:1909.05858). 0 and 1 change nothing.
	RepetitionPenalty float64
	Seed              int64 // of the draws; the same seed and prompt give the same answer in any batch
}

// check returns an error for a setting that means nothing.
func (s Sampling) check() error {
	switch {
	case !(s.Temperature >= 0) || math.IsInf(s.Temperature, 0):
		return fmt.Errorf("temperature is %v; wanted 0 or more", s.Temperature)
	case s.TopK < 0:
		return fmt.Errorf("top-k is %d; wanted 1 or more, 0 for no cut", s.TopK)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return fmt.Errorf("top-p is %v; wanted a number between 0 and 1", s.TopP)
	case !(s.MinP >= 0 && s.MinP <= 1):
		return fmt.Errorf("min-p is %v; wanted a number between 0 and 1", s.MinP)
	case !(s.RepetitionPenalty >= 0) || math.IsInf(s.RepetitionPenalty, 0):
		return fmt.Errorf("repetition penalty is %v; wanted a number above 0, 1 for none", s.RepetitionPenalty)
	}
	return nil
}

// String says how tokens are drawn: "greedy", "temperature 0.7, top-p 0.9, seed 3".
func (s Sampling) String() string {
	var parts []string
	add := func(is bool, format string, v any) {
		if is {
			parts = append(parts, fmt.Sprintf(format, v))
		}
	}
	if s.Temperature == 0 {
		parts = append(parts, "greedy")
	} else {
		add(true, "temperature %v", s.Temperature)
		add(s.TopK > 0, "top-k %d", s.TopK)
		add(s.TopP > 0 && s.TopP < 1, "top-p %v", s.TopP)
		add(s.MinP > 0, "min-p %v", s.MinP)
	}
	add(s.RepetitionPenalty != 0 && s.RepetitionPenalty != 1, "repetition penalty %v", s.RepetitionPenalty)
	add(s.Temperature > 0, "seed %d", s.Seed)
	return strings.Join(parts, ", ")
}

// Request is a prompt and how it is continued. Requests in one call share forward passes and nothing else.
type Request struct {
	Prompt    []int32
	MaxNew    int       // new tokens at most, a stop token included
	Stops     []int32   // ids that end the answer; the one met is not part of it
	StopTexts []string  // texts that end the answer and are not part of it, wherever the borders of tokens fall
	Choices   [][]int32 // the only answers that there may be; nil for any
	LogProbs  bool      // fill Answer.LogProbs
	Sampling
}

// Answer is what a request was continued with.
type Answer struct {
	IDs      []int32   // new tokens; those that spell a stop text are among them, a stop token is not
	Text     string    // decoded, up to the stop text; "" without a tokenizer
	LogProbs []float64 // log-probability of each of IDs and, at the end, of the stop token met: the model's own, before Sampling
	End      string    // why it ended: "stop", "stop text", "choice" or "length"
}

// Sample continues every request and returns the answers in the requests' order. Requests of unequal length share each
// forward pass: a batch holds one new token of every running sequence and the whole prompts of those that start, packed
// without padding. batch is the number of sequences at once, 32 when 0; it changes the speed, not the answers. each, when not
// nil, is told of every request whose answer grew or ended, with the answer so far.
//
// Where a request has Choices, its answer is one of them: only tokens that go on with one are drawn, in the
// proportions of the model's probabilities. A choice that begins another one ends with one of Stops.
//
// An empty prompt, one that leaves no room within the model's positions, and settings that mean nothing are errors that
// name the request.
func (m *Model) Sample(ctx context.Context, requests []Request, batch int, each func(i int, a *Answer)) ([]Answer, error) {
	requests = slices.Clone(requests)
	for i := range requests {
		if err := m.checkRequest(&requests[i]); err != nil {
			return nil, fmt.Errorf("model.Sample: request %d: %w", i, err)
		}
	}
	out := make([]Answer, len(requests))
	states := make([]sampler, len(requests))
	for i := range requests {
		states[i] = newSampler(m, &requests[i])
	}
	prompt := func(i int) []int32 { return requests[i].Prompt }
	err := m.continuous(ctx, len(requests), batch, prompt, func(i int) int { return requests[i].MaxNew },
		func(in Input, last []int32, which []int) ([]int32, []bool, error) {
			now := make([]*sampler, len(which))
			for k, i := range which {
				now[k] = &states[i]
			}
			ids, nll, err := m.draw(in, last, now, "model.Sample: request", which)
			if err != nil {
				return nil, nil, err
			}
			ended := make([]bool, len(which))
			for k, i := range which {
				if requests[i].LogProbs {
					out[i].LogProbs = append(out[i].LogProbs, -float64(nll[k]))
				}
				ended[k] = states[i].take(ids[k], &out[i])
				if each != nil {
					each(i, &out[i])
				}
			}
			return ids, ended, nil
		})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (m *Model) checkRequest(r *Request) error {
	if m.Encoder() {
		return fmt.Errorf("%s is a %s, an encoder; wanted a decoder", m.Name, m.Config.ModelType)
	}
	if err := r.check(); err != nil {
		return err
	}
	longest := r.MaxNew
	if r.Choices != nil {
		for k, c := range r.Choices {
			if len(c) == 0 {
				return fmt.Errorf("choice %d has no tokens; wanted at least 1", k)
			}
			longest = max(longest, len(c)+1)
			for _, longer := range r.Choices {
				if len(longer) > len(c) && slices.Equal(longer[:len(c)], c) && len(r.Stops) == 0 {
					return fmt.Errorf("choice %d begins another one, and no stop token could end it", k)
				}
			}
		}
		if len(r.Choices) == 0 {
			return fmt.Errorf("there is no choice; wanted at least 1")
		}
		r.MaxNew = longest
	}
	switch {
	case len(r.Prompt) == 0:
		return fmt.Errorf("the prompt has no tokens; wanted at least 1")
	case r.MaxNew <= 0:
		return fmt.Errorf("max new tokens is %d; wanted at least 1", r.MaxNew)
	case len(r.Prompt)+r.MaxNew > m.Config.MaxPositionEmbeddings:
		return fmt.Errorf("%d tokens and %d new ones make %d; the model has %d positions",
			len(r.Prompt), r.MaxNew, len(r.Prompt)+r.MaxNew, m.Config.MaxPositionEmbeddings)
	case len(r.StopTexts) > 0 && m.Tokenizer == nil:
		return fmt.Errorf("stop texts want a tokenizer; the model has none")
	case slices.Contains(r.StopTexts, ""):
		return fmt.Errorf("a stop text is empty")
	}
	for _, id := range slices.Concat(append([][]int32{r.Prompt}, r.Choices...)...) {
		if id < 0 || int(id) >= m.Config.VocabSize {
			return fmt.Errorf("token %d is outside the vocabulary of %d", id, m.Config.VocabSize)
		}
	}
	return nil
}

// sampler is the state of one request.
type sampler struct {
	m    *Model
	r    *Request
	n    int // tokens of the answer so far
	rng  *tensor.RNG
	seen map[int32]bool // for the repetition penalty
	live [][]int32      // choices that the answer may still become
}

func newSampler(m *Model, r *Request) sampler {
	s := sampler{m: m, r: r, live: r.Choices, rng: tensor.NewRNG(r.Seed, "model/sample")}
	if p := r.RepetitionPenalty; p != 0 && p != 1 {
		s.seen = map[int32]bool{}
		for _, id := range r.Prompt {
			s.seen[id] = true
		}
	}
	return s
}

// take appends the next token to the answer and tells whether that ends it.
func (s *sampler) take(id int32, a *Answer) (ended bool) {
	allowed := s.allowed()
	stop := slices.Contains(s.r.Stops, id)
	if allowed != nil && s.complete(s.n) == nil { // within a choice a stop id is a token like others
		stop = false
	}
	if stop {
		a.End = "stop"
		if allowed != nil {
			a.End = "choice"
		}
		return true
	}
	a.IDs = append(a.IDs, id)
	s.n++
	if s.seen != nil {
		s.seen[id] = true
	}
	if s.m.Tokenizer != nil {
		a.Text = s.m.Tokenizer.Decode(a.IDs)
	}
	if s.r.Choices != nil {
		s.live = slices.DeleteFunc(slices.Clone(s.live), func(c []int32) bool { return len(c) < s.n || c[s.n-1] != id })
		if done := s.complete(s.n); done != nil && len(s.live) == countEqual(s.live, done) {
			a.End = "choice"
			return true
		}
	}
	if at := firstOf(a.Text, s.r.StopTexts); at >= 0 {
		a.Text, a.End = a.Text[:at], "stop text"
		return true
	}
	if s.n == s.r.MaxNew {
		a.End = "length"
		return true
	}
	return false
}

// firstOf returns where the first of the texts begins in s, -1 where there is none.
func firstOf(s string, texts []string) int {
	first := -1
	for _, t := range texts {
		if at := strings.Index(s, t); at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	return first
}

// complete returns the live choice of n tokens, nil where there is none.
func (s *sampler) complete(n int) []int32 {
	for _, c := range s.live {
		if len(c) == n {
			return c
		}
	}
	return nil
}

func countEqual(list [][]int32, c []int32) int {
	n := 0
	for _, x := range list {
		if slices.Equal(x, c) {
			n++
		}
	}
	return n
}

// allowed returns the ids that the answer may go on with in their order, nil where all may.
func (s *sampler) allowed() []int32 {
	if s.r.Choices == nil {
		return nil
	}
	var out []int32
	for _, c := range s.live {
		if len(c) > s.n {
			out = append(out, c[s.n])
		}
	}
	if s.complete(s.n) != nil {
		out = append(out, s.r.Stops...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// next says how the next token is drawn.
func (s *sampler) next() backend.Draw {
	d := backend.Draw{Temperature: s.r.Temperature, TopK: s.r.TopK, TopP: s.r.TopP, MinP: s.r.MinP}
	if d.Temperature > 0 {
		d.U = s.rng.Float64()
	}
	return d
}

// penalise lowers the scores of those ids that the repetition penalty names.
func (s *sampler) penalise(scores []float32, ids []int32) []float32 {
	out := slices.Clone(scores)
	for i, id := range ids {
		switch {
		case !s.seen[id]:
		case out[i] > 0:
			out[i] = float32(float64(out[i]) / s.r.RepetitionPenalty)
		default:
			out[i] = float32(float64(out[i]) * s.r.RepetitionPenalty)
		}
	}
	return out
}

// draw runs a batch and returns the next token of each sequence, after the named rows, and where one of them wants it the negative
// log-probabilities of all. Scores stay on the device, but for those that a penalty or choices name. Scores of which nothing can
// be drawn are an error that begins with what and the sequence's number in which.
func (m *Model) draw(in Input, rows []int32, states []*sampler, what string, which []int) (ids []int32, nll []float32, err error) {
	t := grad.New(m.dev, false)
	defer t.Free()
	v := m.Config.VocabSize
	z := m.Logits(t, in, rows).Value
	at := func(k int) backend.Buffer { return z.Slice(k*v, (k+1)*v) }
	refuse := func(k int, err error) error { return fmt.Errorf("%s %d: %w", what, which[k], err) }

	draws := make([]backend.Draw, len(rows))
	chosen := map[int]int32{}
	var undo []func()
	likely := false
	for k, s := range states {
		draws[k] = s.next()
		likely = likely || s.r.LogProbs
		if allowed := s.allowed(); allowed != nil {
			scores, err := m.pluck(at(k), allowed)
			if err != nil {
				return nil, nil, err
			}
			if chosen[k], err = m.choose(s.penalise(scores, allowed), allowed, draws[k]); err != nil {
				return nil, nil, refuse(k, err)
			}
			draws[k] = backend.Draw{}
		} else if s.seen != nil {
			seen := slices.Sorted(maps.Keys(s.seen))
			scores, err := m.pluck(at(k), seen)
			if err != nil {
				return nil, nil, err
			}
			m.put(at(k), seen, s.penalise(scores, seen))
			undo = append(undo, func() { m.put(at(k), seen, scores) })
		}
	}
	out := m.dev.AllocUninit(tensor.I32, len(rows))
	defer m.dev.Free(out)
	m.dev.Sample(out, z, draws, v)
	ids = make([]int32, len(rows))
	if err := m.dev.DownloadInts(ids, out); err != nil {
		return nil, nil, err
	}
	for k := range ids {
		if id, ok := chosen[k]; ok {
			ids[k] = id
		} else if ids[k] < 0 {
			scores := make([]float32, v)
			if err := m.dev.Download(scores, at(k)); err != nil {
				return nil, nil, err
			}
			return nil, nil, refuse(k, undrawable(scores, nil))
		}
	}
	if !likely {
		return ids, nil, nil
	}
	for _, f := range undo {
		f()
	}
	m.dev.UploadInts(out, ids)
	nll = make([]float32, len(rows))
	each := m.dev.AllocUninit(tensor.F32, len(rows))
	defer m.dev.Free(each)
	m.dev.CrossEntropy(each, z, out, len(rows), v)
	return ids, nll, m.dev.Download(nll, each)
}

// choose draws one of ids by scores of their own.
func (m *Model) choose(scores []float32, ids []int32, d backend.Draw) (int32, error) {
	x, out := m.dev.AllocUninit(tensor.F32, len(ids)), m.dev.AllocUninit(tensor.I32, 1)
	defer m.dev.Free(x)
	defer m.dev.Free(out)
	m.dev.Upload(x, scores)
	m.dev.Sample(out, x, []backend.Draw{d}, len(ids))
	drawn := make([]int32, 1)
	if err := m.dev.DownloadInts(drawn, out); err != nil {
		return 0, err
	}
	if drawn[0] < 0 {
		return 0, undrawable(scores, ids)
	}
	return ids[drawn[0]], nil
}

// undrawable says what is wrong with scores of which nothing can be drawn. They belong to ids, or to all in their order.
func undrawable(scores []float32, ids []int32) error {
	for i, z := range scores {
		if v := float64(z); math.IsNaN(v) || math.IsInf(v, 1) {
			if ids != nil {
				i = int(ids[i])
			}
			return fmt.Errorf("the score of token %d is %v; wanted a finite number", i, v)
		}
	}
	return fmt.Errorf("all %d scores are -Inf; wanted a finite one", len(scores))
}

// pluck returns the scores of some ids out of a row.
func (m *Model) pluck(row backend.Buffer, ids []int32) ([]float32, error) {
	at, y := m.dev.AllocUninit(tensor.I32, len(ids)), m.dev.AllocUninit(tensor.F32, len(ids))
	defer m.dev.Free(at)
	defer m.dev.Free(y)
	m.dev.UploadInts(at, ids)
	m.dev.Gather(y, row, at, len(ids), 1)
	scores := make([]float32, len(ids))
	return scores, m.dev.Download(scores, y)
}

// put writes the scores of some ids to a row.
func (m *Model) put(row backend.Buffer, ids []int32, scores []float32) {
	at, x := m.dev.AllocUninit(tensor.I32, len(ids)), m.dev.AllocUninit(tensor.F32, len(ids))
	defer m.dev.Free(at)
	defer m.dev.Free(x)
	m.dev.UploadInts(at, ids)
	m.dev.Upload(x, scores)
	m.dev.Scatter(row, x, at, len(ids), 1)
}

// logSum returns the logarithm of the sum of the exponentials.
func logSum(logits []float32) float64 {
	top, sum := float64(slices.Max(logits)), 0.0
	for _, z := range logits {
		sum += math.Exp(float64(z) - top)
	}
	return top + math.Log(sum)
}

// logits returns the scores of all tokens after each of the named rows, row by row.
func (m *Model) logits(in Input, rows []int32) ([]float32, error) {
	t := grad.New(m.dev, false)
	defer t.Free()
	z := m.Logits(t, in, rows)
	host := make([]float32, len(rows)*m.Config.VocabSize)
	return host, m.dev.Download(host, z.Value)
}

// continuous runs n sequences through the model, batch of them at once: pass runs a batch, in which sequences which[k] are at
// row last[k], and returns their next tokens and which of them have ended.
func (m *Model) continuous(ctx context.Context, n, batch int, prompt func(i int) []int32, maxNew func(i int) int,
	pass func(in Input, last []int32, which []int) (ids []int32, ended []bool, err error)) error {
	if n == 0 {
		return nil
	}
	if batch <= 0 {
		batch = 32
	}
	slots := min(batch, n)
	longest := 0
	for i := range n {
		longest = max(longest, len(prompt(i))+maxNew(i))
	}
	cache := m.NewKVCache(slots, longest)
	defer cache.Free()

	// Long prompts first: sequences that start together then have like lengths, and the last ones to finish are short.
	queue := make([]int, n)
	for i := range queue {
		queue[i] = i
	}
	sort.SliceStable(queue, func(a, b int) bool { return len(prompt(queue[a])) > len(prompt(queue[b])) })

	type seq struct {
		index  int
		slot   int
		length int   // positions in the cache
		last   int32 // the newest token, which is not in the cache yet
	}
	free := make([]int, slots)
	for i := range free {
		free[i] = i
	}
	var running []*seq
	const prefill = 2048 // tokens of starting prompts in one pass, at most (one prompt always fits)
	for len(queue) > 0 || len(running) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		var in Input
		var last []int32
		var which []int
		segs := &backend.Segments{}
		add := func(s *seq, ids []int32) {
			segs.List = append(segs.List, backend.Segment{QStart: len(in.IDs), QLen: len(ids),
				KStart: s.slot * cache.SlotLen, KLen: s.length + len(ids)})
			for _, id := range ids {
				in.IDs = append(in.IDs, id)
				in.Positions = append(in.Positions, int32(s.length))
				in.CacheRows = append(in.CacheRows, int32(s.slot*cache.SlotLen+s.length))
				s.length++
			}
			last, which = append(last, int32(len(in.IDs)-1)), append(which, s.index)
		}
		for _, s := range running {
			add(s, []int32{s.last})
		}
		for len(queue) > 0 && len(free) > 0 {
			p := prompt(queue[0])
			if n := len(in.IDs) - len(running); n > 0 && n+len(p) > prefill {
				break
			}
			s := &seq{index: queue[0], slot: free[len(free)-1]}
			queue, free = queue[1:], free[:len(free)-1]
			running = append(running, s)
			add(s, p)
		}
		in.Segments, in.Cache = segs, cache
		ids, ended, err := pass(in, last, which)
		if err != nil {
			return err
		}
		still := running[:0]
		for i, s := range running {
			if ended[i] {
				free = append(free, s.slot)
				continue
			}
			s.last = ids[i]
			still = append(still, s)
		}
		running = still
	}
	return nil
}
