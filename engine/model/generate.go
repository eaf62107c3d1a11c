package model

import (
	"context"
	"fmt"
	"sort"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

// Greedy says how to generate: always the most likely token, the lowest id among equals.
type Greedy struct {
	MaxNew int     // new tokens at most, the stop token included
	Stops  []int32 // ids that end a sequence; the one met is not part of the output
	Batch  int     // sequences at once; 0 means 32. It changes the speed, not the output
}

// Generate continues every prompt and returns the new ids in the prompts' order. Prompts of unequal length share each
// forward pass: a batch holds one new token of every running sequence and the whole prompts of those that start, packed
// without padding. done, when not nil, is told how many prompts are finished.
//
// An empty prompt, or one that leaves no room within the model's positions, is an error that names it.
func (m *Model) Generate(ctx context.Context, prompts [][]int32, g Greedy, done func(n int)) ([][]int32, error) {
	if m.Encoder() {
		return nil, fmt.Errorf("model.Generate: %s is a %s, an encoder; wanted a decoder", m.Name, m.Config.ModelType)
	}
	if g.MaxNew <= 0 {
		return nil, fmt.Errorf("model.Generate: max new tokens is %d; wanted at least 1", g.MaxNew)
	}
	longest := 0
	for i, p := range prompts {
		if len(p) == 0 {
			return nil, fmt.Errorf("model.Generate: prompt %d: has no tokens; wanted at least 1", i)
		}
		if n := len(p) + g.MaxNew; n > m.Config.MaxPositionEmbeddings {
			return nil, fmt.Errorf("model.Generate: prompt %d: %d tokens and %d new ones make %d; the model has %d positions",
				i, len(p), g.MaxNew, n, m.Config.MaxPositionEmbeddings)
		}
		longest = max(longest, len(p))
	}
	out := make([][]int32, len(prompts))
	if len(prompts) == 0 {
		return out, nil
	}
	slots := g.Batch
	if slots <= 0 {
		slots = 32
	}
	slots = min(slots, len(prompts))
	cache := m.NewKVCache(slots, longest+g.MaxNew)
	defer cache.Free()
	stop := map[int32]bool{}
	for _, id := range g.Stops {
		stop[id] = true
	}

	// Long prompts first: sequences that start together then have like lengths, and the last ones to finish are short.
	queue := make([]int, len(prompts))
	for i := range queue {
		queue[i] = i
	}
	sort.SliceStable(queue, func(a, b int) bool { return len(prompts[queue[a]]) > len(prompts[queue[b]]) })

	type seq struct {
		prompt int
		slot   int
		length int // positions in the cache
	}
	free := make([]int, slots)
	for i := range free {
		free[i] = i
	}
	var running []*seq
	finished := 0
	const prefill = 2048 // tokens of starting prompts in one pass, at most (one prompt always fits)
	for len(queue) > 0 || len(running) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var in Input
		var last []int32
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
			last = append(last, int32(len(in.IDs)-1))
		}
		for _, s := range running {
			o := out[s.prompt]
			add(s, o[len(o)-1:])
		}
		for len(queue) > 0 && len(free) > 0 {
			p := prompts[queue[0]]
			if n := len(in.IDs) - len(running); n > 0 && n+len(p) > prefill {
				break
			}
			s := &seq{prompt: queue[0], slot: free[len(free)-1]}
			queue, free = queue[1:], free[:len(free)-1]
			running = append(running, s)
			add(s, p)
		}
		in.Segments, in.Cache = segs, cache
		ids, err := m.argmax(in, last)
		if err != nil {
			return nil, err
		}
		still := running[:0]
		for i, s := range running {
			if !stop[ids[i]] {
				out[s.prompt] = append(out[s.prompt], ids[i])
			}
			if stop[ids[i]] || len(out[s.prompt]) == g.MaxNew {
				free = append(free, s.slot)
				finished++
				continue
			}
			still = append(still, s)
		}
		running = still
		if done != nil {
			done(finished)
		}
	}
	return out, nil
}

// argmax returns the most likely next id after each of the named rows.
func (m *Model) argmax(in Input, rows []int32) ([]int32, error) {
	t := grad.New(m.dev, false)
	defer t.Free()
	logits := m.Logits(t, in, rows)
	best := m.dev.AllocUninit(tensor.I32, len(rows))
	defer m.dev.Free(best)
	m.dev.Argmax(best, logits.Value, len(rows), m.Config.VocabSize)
	ids := make([]int32, len(rows))
	return ids, m.dev.DownloadInts(ids, best)
}
