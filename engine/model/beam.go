package model

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"tunebook/engine/backend"
)

// Beam says how beam search goes.
type Beam struct {
	Width         int     // sequences kept, 1 or more
	MaxNew        int     // new tokens at most, the stop token included
	Stops         []int32 // ids that end a sequence
	LengthPenalty float64 // a sequence is worth its summed log-probability over its length to this power, the stop token counted
}

// BeamAnswer is one finished sequence of a beam search.
type BeamAnswer struct {
	IDs     []int32 // without the stop token
	Text    string
	LogProb float64 // summed, the stop token's included
	Score   float64 // LogProb over length^LengthPenalty; what sequences are ranked by
	End     string  // "stop" or "length"
}

// BeamSearch returns up to Width continuations of the prompt, the best first: the search keeps the Width sequences with the
// highest summed log-probabilities at each length, and ends when no kept one can come before those that are finished.
func (m *Model) BeamSearch(ctx context.Context, prompt []int32, b Beam) ([]BeamAnswer, error) {
	if b.Width < 1 {
		return nil, fmt.Errorf("model.BeamSearch: width is %d; wanted 1 or more", b.Width)
	}
	if math.IsNaN(b.LengthPenalty) || math.IsInf(b.LengthPenalty, 0) {
		return nil, fmt.Errorf("model.BeamSearch: length penalty is %v; wanted a finite number", b.LengthPenalty)
	}
	r := Request{Prompt: prompt, MaxNew: b.MaxNew}
	if err := m.checkRequest(&r); err != nil {
		return nil, fmt.Errorf("model.BeamSearch: %w", err)
	}
	cache := m.NewKVCache(2*b.Width, len(prompt)+b.MaxNew)
	defer cache.Free()
	type beam struct {
		ids    []int32
		sum    float64
		slot   int
		length int
	}
	live := []beam{{slot: 0}}
	var done []BeamAnswer
	worth := func(sum float64, n int) float64 { return sum / math.Pow(float64(n), b.LengthPenalty) }
	feed := prompt
	for step := 1; step <= b.MaxNew && len(live) > 0; step++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in := Input{Segments: &backend.Segments{}, Cache: cache}
		var last []int32
		for i := range live {
			s := &live[i]
			ids := feed
			if step > 1 {
				ids = s.ids[len(s.ids)-1:]
			}
			in.Segments.List = append(in.Segments.List, backend.Segment{QStart: len(in.IDs), QLen: len(ids), KStart: s.slot * cache.SlotLen, KLen: s.length + len(ids)})
			for _, id := range ids {
				in.IDs = append(in.IDs, id)
				in.Positions = append(in.Positions, int32(s.length))
				in.CacheRows = append(in.CacheRows, int32(s.slot*cache.SlotLen+s.length))
				s.length++
			}
			last = append(last, int32(len(in.IDs)-1))
		}
		logits, err := m.logits(in, last)
		if err != nil {
			return nil, err
		}
		type move struct {
			from int
			id   int32
			sum  float64
		}
		var moves []move
		v := m.Config.VocabSize
		for i := range live {
			row := logits[i*v : (i+1)*v]
			norm := logSum(row)
			if math.IsNaN(norm) {
				return nil, fmt.Errorf("model.BeamSearch: the scores after %d new tokens are not finite", step-1)
			}
			for id, z := range row {
				moves = append(moves, move{i, int32(id), live[i].sum + float64(z) - norm})
			}
		}
		slices.SortStableFunc(moves, func(x, y move) int { return cmp.Compare(y.sum, x.sum) })
		var next []beam
		taken := map[int]bool{} // slots whose sequence goes on
		var copies [][2]int     // to next[k] from slot
		for rank, mv := range moves {
			if len(next) == b.Width || step == b.MaxNew && rank == b.Width {
				break
			}
			parent := live[mv.from]
			if stop := slices.Contains(b.Stops, mv.id); stop || step == b.MaxNew {
				a := BeamAnswer{IDs: slices.Clone(parent.ids), LogProb: mv.sum, Score: worth(mv.sum, step), End: "stop"}
				if !stop {
					a.IDs, a.End = append(a.IDs, mv.id), "length"
				}
				if rank < 2*b.Width { // an unlikely end does not fill the list of those that are finished
					done = append(done, a)
				}
				continue
			}
			child := beam{append(slices.Clone(parent.ids), mv.id), mv.sum, parent.slot, parent.length}
			if taken[parent.slot] {
				child.slot = -1
				copies = append(copies, [2]int{len(next), parent.slot})
			}
			taken[parent.slot] = true
			next = append(next, child)
		}
		for _, c := range copies {
			slot := 0
			for taken[slot] {
				slot++
			}
			taken[slot] = true
			next[c[0]].slot = slot
			cache.copySlot(slot, c[1], next[c[0]].length)
		}
		slices.SortStableFunc(done, func(x, y BeamAnswer) int { return cmp.Compare(y.Score, x.Score) })
		done = done[:min(len(done), b.Width)]
		live = next
		if len(done) == b.Width && len(live) > 0 {
			// Sums only fall, so this is the most that a live sequence can still be worth.
			most := max(worth(live[0].sum, step+1), worth(live[0].sum, b.MaxNew))
			if most <= done[len(done)-1].Score {
				break
			}
		}
	}
	if m.Tokenizer != nil {
		for i := range done {
			done[i].Text = m.Tokenizer.Decode(done[i].IDs)
		}
	}
	return done, nil
}

// copySlot writes the first n rows of one slot over those of another, in every layer.
func (c *KVCache) copySlot(to, from, n int) {
	at := func(slot int) (int, int) { return slot * c.SlotLen * c.width, (slot*c.SlotLen + n) * c.width }
	t0, t1 := at(to)
	f0, f1 := at(from)
	for l := range c.k {
		c.dev.Copy(c.k[l].Slice(t0, t1), c.k[l].Slice(f0, f1))
		c.dev.Copy(c.v[l].Slice(t0, t1), c.v[l].Slice(f0, f1))
	}
}
