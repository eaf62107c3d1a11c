package model

import (
	"context"
	"fmt"
	"slices"
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
	for i, p := range prompts {
		if len(p) == 0 {
			return nil, fmt.Errorf("model.Generate: prompt %d: has no tokens; wanted at least 1", i)
		}
		if n := len(p) + g.MaxNew; n > m.Config.MaxPositionEmbeddings {
			return nil, fmt.Errorf("model.Generate: prompt %d: %d tokens and %d new ones make %d; the model has %d positions",
				i, len(p), g.MaxNew, n, m.Config.MaxPositionEmbeddings)
		}
	}
	out := make([][]int32, len(prompts))
	stop := map[int32]bool{}
	for _, id := range g.Stops {
		stop[id] = true
	}
	finished := 0
	err := m.continuous(ctx, len(prompts), g.Batch, func(i int) []int32 { return prompts[i] }, func(int) int { return g.MaxNew },
		func(in Input, last []int32, which []int) ([]int32, []bool, error) {
			ids, _, err := m.draw(in, last, m.greedy(len(last)), "model.Generate: prompt", which)
			if err != nil {
				return nil, nil, err
			}
			ended := make([]bool, len(ids))
			for k, i := range which {
				if !stop[ids[k]] {
					out[i] = append(out[i], ids[k])
				}
				if ended[k] = stop[ids[k]] || len(out[i]) == g.MaxNew; ended[k] {
					finished++
				}
			}
			if done != nil {
				done(finished)
			}
			return ids, ended, nil
		})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// greedy are the states of n sequences that are continued with the most likely tokens.
func (m *Model) greedy(n int) []*sampler { return slices.Repeat([]*sampler{{m: m, r: &Request{}}}, n) }
