package model

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// spread is a tiny model whose next tokens are far from certain.
func spread(t *testing.T) *Model {
	t.Helper()
	m, err := New(refDevice(t), tiny(true, false), 9)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// scores returns the logits after ids, in one pass without a cache.
func scores(t *testing.T, m *Model, ids []int32) []float32 {
	t.Helper()
	in := Input{IDs: ids, Segments: &backend.Segments{List: []backend.Segment{{QLen: len(ids), KLen: len(ids)}}}}
	for j := range ids {
		in.Positions = append(in.Positions, int32(j))
	}
	z, err := m.logits(in, []int32{int32(len(ids) - 1)})
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// logProb returns the log-probability of id.
func logProb(logits []float32, id int32) float64 { return float64(logits[id]) - logSum(logits) }

// exact returns the distribution that Sampling means, worked out from its definition: each cut made on sorted probabilities.
func exact(z []float32, prompt []int32, s Sampling) []float64 {
	type token struct {
		id int
		p  float64
	}
	list := make([]token, len(z))
	sum := 0.0
	for i, v := range z {
		x := float64(v)
		if r := s.RepetitionPenalty; r > 0 && slices.Contains(prompt, int32(i)) {
			if x > 0 {
				x /= r
			} else {
				x *= r
			}
		}
		list[i] = token{i, math.Exp(x / s.Temperature)}
		sum += list[i].p
	}
	slices.SortFunc(list, func(a, b token) int { return cmp.Compare(b.p, a.p) })
	if s.TopK > 0 {
		list = list[:min(s.TopK, len(list))]
	}
	normal := func() {
		sum := 0.0
		for _, t := range list {
			sum += t.p
		}
		for i := range list {
			list[i].p /= sum
		}
	}
	normal()
	if s.TopP > 0 {
		have := 0.0
		keep := list[:0:0]
		for _, t := range list {
			if have >= s.TopP {
				break
			}
			have += t.p
			keep = append(keep, t)
		}
		list = keep
	}
	normal()
	if s.MinP > 0 {
		list = slices.DeleteFunc(list, func(t token) bool { return t.p < s.MinP*list[0].p })
	}
	normal()
	out := make([]float64, len(z))
	for _, t := range list {
		out[t.id] = t.p
	}
	return out
}

// Drawn tokens have the frequencies of the exact distribution: a chi-squared test for each setting, and no token that the
// cuts exclude.
func TestSampleDrawsTheExactDistribution(t *testing.T) {
	m := spread(t)
	prompt := []int32{3, 11, 3, 6}
	z := scores(t, m, prompt)
	for _, s := range []Sampling{
		{Temperature: 1}, {Temperature: 0.5}, {Temperature: 2}, {Temperature: 1, TopK: 5}, {Temperature: 1, TopP: 0.7},
		{Temperature: 1, MinP: 0.2}, {Temperature: 1, RepetitionPenalty: 1.8}, {Temperature: 0.8, TopK: 10, TopP: 0.8, MinP: 0.05, RepetitionPenalty: 1.2},
	} {
		const draws = 3000
		requests := make([]Request, draws)
		for i := range requests {
			requests[i] = Request{Prompt: prompt, MaxNew: 1, Sampling: s}
			requests[i].Seed = int64(i)
		}
		answers, err := m.Sample(context.Background(), requests, 200, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := make([]float64, len(z))
		for _, a := range answers {
			seen[a.IDs[0]]++
		}
		want := exact(z, prompt, s)
		chi, kinds := 0.0, -1
		rare, rareSeen := 0.0, 0.0 // pooled, as the test wants
		for id, p := range want {
			if p == 0 {
				if seen[id] > 0 {
					t.Errorf("%v: token %d was drawn %v times; it is cut", s, id, seen[id])
				}
				continue
			}
			if p*draws < 8 {
				rare, rareSeen = rare+p*draws, rareSeen+seen[id]
				continue
			}
			chi += (seen[id] - p*draws) * (seen[id] - p*draws) / (p * draws)
			kinds++
		}
		if rare > 0 {
			chi += (rareSeen - rare) * (rareSeen - rare) / max(rare, 1)
			kinds++
		}
		// The mean is kinds, the standard deviation sqrt(2·kinds); four of them are exceeded once in ten thousand or so.
		if limit := float64(kinds) + 5*math.Sqrt(2*float64(max(kinds, 1))); chi > limit {
			t.Errorf("%v: chi-squared %.1f with %d degrees of freedom; wanted at most %.1f", s, chi, kinds, limit)
		}
	}
}

func manyRequests(m *Model) []Request {
	r := tensor.NewRNG(2, "prompts")
	var out []Request
	for i, n := range []int{2, 9, 1, 5, 14, 3, 3} {
		q := Request{MaxNew: 8, Stops: []int32{4, 7}, LogProbs: i%2 == 0}
		for range n {
			q.Prompt = append(q.Prompt, int32(r.Intn(m.Config.VocabSize)))
		}
		switch i {
		case 0, 4:
		case 5:
			q.Choices = [][]int32{{1, 2, 3}, {1, 2, 9}, {5}, {1, 2}}
			q.Temperature = 1
		default:
			q.Sampling = Sampling{Temperature: 1.5, TopP: 0.95, Seed: int64(i)}
		}
		out = append(out, q)
	}
	return out
}

// Answers, and their log-probabilities, do not depend on what else is in the batch.
func TestSampleDoesNotDependOnTheBatch(t *testing.T) {
	m := spread(t)
	requests := manyRequests(m)
	var want []Answer
	for _, q := range requests {
		a, err := m.Sample(context.Background(), []Request{q}, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, a[0])
	}
	for _, batch := range []int{1, 2, 3, 16} {
		got, err := m.Sample(context.Background(), requests, batch, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if fmt.Sprint(got[i]) != fmt.Sprint(want[i]) {
				t.Errorf("batch %d, request %d: %+v, alone %+v", batch, i, got[i], want[i])
			}
		}
	}
	greedy, err := m.Generate(context.Background(), [][]int32{requests[0].Prompt}, Greedy{MaxNew: 8, Stops: []int32{4, 7}}, nil)
	if err != nil || !slices.Equal(greedy[0], want[0].IDs) {
		t.Errorf("greedy: %v and %v (%v)", greedy, want[0].IDs, err)
	}
}

func TestSampleLogProbs(t *testing.T) {
	m := spread(t)
	a, err := m.Sample(context.Background(), []Request{{Prompt: []int32{3, 5}, MaxNew: 6, LogProbs: true, Sampling: Sampling{Temperature: 3, TopK: 4, Seed: 8}}}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	ids := []int32{3, 5}
	for i, id := range a[0].IDs {
		if want := logProb(scores(t, m, ids), id); math.Abs(a[0].LogProbs[i]-want) > 1e-5 {
			t.Errorf("token %d: %v; wanted %v", i, a[0].LogProbs[i], want)
		}
		ids = append(ids, id)
	}
	if len(a[0].IDs) != 6 || a[0].End != "length" {
		t.Errorf("%+v", a[0])
	}
}

// A constrained answer is one of the choices, drawn in proportion to the probabilities of the tokens that are left.
func TestSampleChoices(t *testing.T) {
	m := spread(t)
	prompt := []int32{2, 8}
	choices := [][]int32{{1, 2}, {1, 3, 4}, {6}}
	first := scores(t, m, prompt)
	second := scores(t, m, append(slices.Clone(prompt), 1))
	p6 := 1 / (1 + math.Exp(float64(first[1]-first[6])))
	p2 := 1 / (1 + math.Exp(float64(second[3]-second[2])))
	want := []float64{(1 - p6) * p2, (1 - p6) * (1 - p2), p6}
	const draws = 2000
	requests := make([]Request, draws)
	for i := range requests {
		requests[i] = Request{Prompt: prompt, Choices: choices, Stops: []int32{4}, Sampling: Sampling{Temperature: 1, Seed: int64(i)}}
	}
	answers, err := m.Sample(context.Background(), requests, 200, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]float64, 3)
	for _, a := range answers {
		k := slices.IndexFunc(choices, func(c []int32) bool { return slices.Equal(c, a.IDs) })
		if k < 0 || a.End != "choice" {
			t.Fatalf("%+v is no choice", a)
		}
		seen[k]++
	}
	for k, p := range want {
		if sd := math.Sqrt(draws * p * (1 - p)); math.Abs(seen[k]-draws*p) > 4.5*sd+1 {
			t.Errorf("choice %v: %v of %d; wanted %.1f", choices[k], seen[k], draws, draws*p)
		}
	}
	// A choice that begins another can be given, and needs a stop token to end with.
	both := [][]int32{{1}, {1, 2}}
	ends := map[int]bool{}
	for seed := range int64(40) {
		a, err := m.Sample(context.Background(), []Request{{Prompt: prompt, Choices: both, Stops: []int32{4}, Sampling: Sampling{Temperature: 2, Seed: seed}}}, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		ends[len(a[0].IDs)] = true
	}
	if !ends[1] || !ends[2] || len(ends) != 2 {
		t.Errorf("lengths %v; wanted 1 and 2", ends)
	}
	if _, err := m.Sample(context.Background(), []Request{{Prompt: prompt, Choices: both}}, 0, nil); err == nil || !strings.Contains(err.Error(), "choice 0 begins another one") {
		t.Error(err)
	}
}

// With a beam as wide as all sequences are many, beam search finds the best ones; the search over every sequence says which.
func TestBeamSearchFindsTheBest(t *testing.T) {
	m := spread(t)
	prompt := []int32{3, 11}
	stops := []int32{4, 7}
	const maxNew = 3
	for _, penalty := range []float64{0, 1, -0.5} {
		type found struct {
			ids   []int32
			score float64
		}
		var all []found
		var walk func(ids []int32, sum float64)
		walk = func(ids []int32, sum float64) {
			n := len(ids)
			z := scores(t, m, append(slices.Clone(prompt), ids...))
			for id := range z {
				s := sum + logProb(z, int32(id))
				switch {
				case slices.Contains(stops, int32(id)):
					all = append(all, found{ids, s / math.Pow(float64(n+1), penalty)})
				case n+1 == maxNew:
					all = append(all, found{append(slices.Clone(ids), int32(id)), s / math.Pow(float64(n+1), penalty)})
				default:
					walk(append(slices.Clone(ids), int32(id)), s)
				}
			}
		}
		walk(nil, 0)
		best := slices.MaxFunc(all, func(a, b found) int { return cmp.Compare(a.score, b.score) })
		got, err := m.BeamSearch(context.Background(), prompt, Beam{Width: 400, MaxNew: maxNew, Stops: stops, LengthPenalty: penalty})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got[0].IDs, best.ids) || math.Abs(got[0].Score-best.score) > 1e-5 {
			t.Errorf("penalty %v: %v %v; the best of %d is %v %v", penalty, got[0].IDs, got[0].Score, len(all), best.ids, best.score)
		}
		if !slices.IsSortedFunc(got, func(a, b BeamAnswer) int { return cmp.Compare(b.Score, a.Score) }) {
			t.Errorf("penalty %v: not sorted", penalty)
		}
	}
	greedy, err := m.Generate(context.Background(), [][]int32{prompt}, Greedy{MaxNew: 6, Stops: stops}, nil)
	if err != nil {
		t.Fatal(err)
	}
	one, err := m.BeamSearch(context.Background(), prompt, Beam{Width: 1, MaxNew: 6, Stops: stops})
	if err != nil || len(one) != 1 || one[0].End == "length" && !slices.Equal(one[0].IDs, greedy[0]) {
		t.Errorf("width 1: %+v (%v); greedy %v", one, err, greedy[0])
	}
	// Each sum is that of its sequence: the rows of the cache that beams share were copied rightly.
	three, err := m.BeamSearch(context.Background(), prompt, Beam{Width: 3, MaxNew: 7})
	if err != nil || len(three) != 3 {
		t.Fatal(three, err)
	}
	for _, a := range three {
		sum, ids := 0.0, slices.Clone(prompt)
		for _, id := range a.IDs {
			sum += logProb(scores(t, m, ids), id)
			ids = append(ids, id)
		}
		if math.Abs(sum-a.LogProb) > 1e-4 {
			t.Errorf("%v: sum %v; wanted %v", a.IDs, a.LogProb, sum)
		}
	}
}

func TestSampleRefuses(t *testing.T) {
	m := spread(t)
	good := Request{Prompt: []int32{1}, MaxNew: 2}
	for want, change := range map[string]func(r *Request){
		"temperature is -1":           func(r *Request) { r.Temperature = -1 },
		"top-k is -2":                 func(r *Request) { r.TopK = -2 },
		"top-p is 1.5":                func(r *Request) { r.TopP = 1.5 },
		"min-p is NaN":                func(r *Request) { r.MinP = math.NaN() },
		"repetition penalty is -3":    func(r *Request) { r.RepetitionPenalty = -3 },
		"the prompt has no tokens":    func(r *Request) { r.Prompt = nil },
		"max new tokens is 0":         func(r *Request) { r.MaxNew = 0 },
		"1 tokens and 90 new":         func(r *Request) { r.MaxNew = 90 },
		"token 77 is outside":         func(r *Request) { r.Prompt = []int32{77} },
		"choice 1 has no tokens":      func(r *Request) { r.Choices = [][]int32{{1}, {}} },
		"there is no choice":          func(r *Request) { r.Choices = [][]int32{} },
		"stop texts want a tokenizer": func(r *Request) { r.StopTexts = []string{"x"} },
	} {
		bad := good
		change(&bad)
		if _, err := m.Sample(context.Background(), []Request{good, bad}, 0, nil); err == nil || !strings.Contains(err.Error(), "request 1: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; wanted %q", err, want)
		}
	}
	broken := spread(t)
	w := broken.Params()[0].Value
	broken.dev.Fill(w, float32(math.NaN()))
	for _, r := range []Request{good, {Prompt: good.Prompt, MaxNew: 1, Choices: [][]int32{{3}, {5}}}, {Prompt: good.Prompt, MaxNew: 1, Sampling: Sampling{Temperature: 1, RepetitionPenalty: 2}}} {
		if _, err := broken.Sample(context.Background(), []Request{r}, 0, nil); err == nil || !strings.Contains(err.Error(), "model.Sample: request 0: the score of token") || !strings.Contains(err.Error(), "is NaN") {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if _, err := broken.Generate(context.Background(), [][]int32{{1}}, Greedy{MaxNew: 1}, nil); err == nil || !strings.Contains(err.Error(), "model.Generate: prompt 0: the score of token 0 is NaN") {
		t.Error(err)
	}
	if _, err := m.BeamSearch(context.Background(), []int32{1}, Beam{MaxNew: 2}); err == nil {
		t.Error("a beam of no width searched")
	}
	if got := (Sampling{Temperature: 0.7, TopP: 0.9, Seed: 3}).String(); got != "temperature 0.7, top-p 0.9, seed 3" {
		t.Error(got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	_, err := m.Sample(ctx, []Request{{Prompt: []int32{1}, MaxNew: 20}}, 0, func(int, *Answer) {
		if n++; n == 3 {
			cancel()
		}
	})
	if err != context.Canceled || n != 3 {
		t.Errorf("%d tokens, %v", n, err)
	}
}
