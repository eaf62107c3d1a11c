package eval

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu"
	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/model/base"
	"tunebook/engine/tensor"
)

var opened = sync.OnceValues(func() (*model.Model, error) {
	dev, err := backend.Open("cpu")
	if err != nil {
		return nil, err
	}
	return model.OpenFS(dev, base.Files, base.Name)
})

func openBase(t *testing.T) *model.Model {
	t.Helper()
	m, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// questions are a few examples with choices.
func questions(n int) []data.Example {
	out := make([]data.Example, n)
	colours := []string{"red", "dark blue", "green", "a very light grey"}
	for i := range out {
		out[i] = data.Example{Prompt: fmt.Sprintf("What is the colour of the door of number %d?", i), Answer: colours[i%4], Choices: colours, Source: "doors", Row: i}
	}
	return out
}

func runRows(t *testing.T, task Task) []Row {
	t.Helper()
	rows, _, err := task.Rows(context.Background(), openBase(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Rows of every kind are the same bits for every batch size and in every order.
func TestTasksDoNotDependOnBatchOrOrder(t *testing.T) {
	examples := questions(9)
	examples[3].Prompt = strings.Repeat("A long way off. ", 20) + examples[3].Prompt
	for name, task := range map[string]Task{
		"greedy":       {MaxNew: 8, Shots: 2, ShotSeed: 5},
		"sampled":      {MaxNew: 8, Sampling: model.Sampling{Temperature: 1, Seed: 4}},
		"choose":       {Kind: KindChoose, Norm: NormUnconditional, Shots: 1},
		"choose, text": {Kind: KindChoose, Raw: true, Norm: NormBytes},
		"foresee":      {Kind: KindScore, Raw: true, Shots: 1},
	} {
		task.Name, task.Examples = name, examples
		want := runRows(t, task)
		for _, size := range []int{1, 4, 16} {
			task.Batch = size
			if got := runRows(t, task); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: batch %d gives other rows", name, size)
			}
		}
		order := tensor.NewRNG(3, name).Perm(len(examples))
		task.Examples = nil
		for _, i := range order {
			task.Examples = append(task.Examples, examples[i])
		}
		for k, got := range runRows(t, task) {
			if !reflect.DeepEqual(got, want[order[k]]) {
				t.Errorf("%s: in another order document %d is %+v; it was %+v", name, order[k], got, want[order[k]])
			}
		}
	}
}

// direct returns the log-probability of the last n ids, one pass for each text and the sum in double precision.
func direct(t *testing.T, m *model.Model, ids []int32, n int) float64 {
	t.Helper()
	sum := 0.0
	for at := len(ids) - n; at < len(ids); at++ {
		a, err := m.Sample(context.Background(), []model.Request{{Prompt: ids[:at], Choices: [][]int32{{ids[at]}}, LogProbs: true}}, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		sum += a[0].LogProbs[0]
	}
	return sum
}

// A token that spans question and answer, and white space at the end of the question: the answer always has a token, and its
// log-likelihood is that of the ids.
func TestPairsAtTokenBorders(t *testing.T) {
	m := openBase(t)
	tok := m.Tokenizer
	for _, p := range [][2]string{{"Ans", "wer"}, {"hello wor", "ld"}, {"What is it? ", "red"}, {"What is it?\n", " red"}, {"", "red"}, {"a", "b"}, {" ", "x"}} {
		s, err := pairIDs(m, p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		if s.last < 1 || s.last >= len(s.ids) {
			t.Errorf("%q: %d of %d ids are the answer's", p, s.last, len(s.ids))
		}
		if got := tok.Decode(s.ids[len(s.ids)-s.last:]); !strings.HasSuffix(got, strings.TrimLeft(p[1], " ")) {
			t.Errorf("%q: the answer's ids say %q", p, got)
		}
		v, err := groupProbs(context.Background(), m, []scoredText{s})
		if err != nil || math.IsNaN(v[0]) || v[0] >= 0 || math.Abs(v[0]-direct(t, m, s.ids, s.last)) > 1e-3 {
			t.Errorf("%q: %v (%v); token by token %v", p, v, err, direct(t, m, s.ids, s.last))
		}
	}
	trailing, _ := pairIDs(m, "What is it? ", "red")
	plain, _ := pairIDs(m, "What is it?", " red")
	if !reflect.DeepEqual(trailing, plain) {
		t.Error("a blank at the end of the question does not go to the answer")
	}
}

func TestShotsNeverHoldTheQuestion(t *testing.T) {
	examples := questions(6)
	examples = append(examples, examples[2]) // the same question twice
	examples[6].Answer = "green"
	task := Task{Name: "doors", Examples: examples, Shots: 4}
	seen := map[string]bool{}
	for seed := range int64(20) {
		task.ShotSeed = seed
		for i := range examples {
			e, err := task.ask(i)
			if err != nil {
				t.Fatal(err)
			}
			asked := map[string]bool{}
			for k := 0; k < len(e.History); k += 2 {
				q := e.History[k].Content
				if q == examples[i].Prompt || asked[q] {
					t.Fatalf("seed %d: question %d is shown %q", seed, i, q)
				}
				asked[q] = true
			}
			if len(asked) != 4 {
				t.Fatalf("%d shots; wanted 4", len(asked))
			}
			seen[fmt.Sprint(i, asked)] = true
		}
	}
	if len(seen) < 30 {
		t.Errorf("%d different draws; wanted many", len(seen))
	}
	task.Shots = 6
	if _, _, err := task.Rows(context.Background(), openBase(t), nil); err == nil || !strings.Contains(err.Error(), "doors row 0: 5 other examples to show; wanted 6") {
		t.Error(err)
	}
}

// The chosen answer is the one that the log-likelihoods say, by each norm, and the metric agrees with the choice.
func TestChooseByLogLikelihood(t *testing.T) {
	m := openBase(t)
	examples := questions(4)
	for _, norm := range []Norm{NormNone, NormLength, NormBytes, NormUnconditional} {
		task := Task{Name: "doors", Kind: KindChoose, Examples: examples, Norm: norm, Raw: true}
		s, err := task.Run(context.Background(), m, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range s.Rows {
			for _, o := range r.Options {
				pair, _ := pairIDs(m, r.Prompt, " "+o.Text)
				if want := direct(t, m, pair.ids, pair.last); math.Abs(o.LogProb-want) > 1e-3 || o.Tokens != pair.last {
					t.Errorf("%q %q: %v; token by token %v", r.Prompt, o.Text, o.LogProb, want)
				}
			}
			if (s.PerDoc[i] == 1) != (r.Cleaned == r.Answer) {
				t.Errorf("%s: %q was chosen, %q is right, score %v", norm, r.Cleaned, r.Answer, s.PerDoc[i])
			}
		}
	}
	labels := Task{Name: "doors", Kind: KindClassify, Examples: examples, Labels: []string{"red", "dark blue", "green", "a very light grey", "brown"}, Metric: LabelF1(true, false)}
	if s, err := labels.Run(context.Background(), m, nil); err != nil || s.Metric != "macro F1" || len(s.Rows[0].Options) != 5 {
		t.Errorf("%v %v", s, err)
	}
	labels.Labels = []string{"red", "brown"}
	if _, err := labels.Run(context.Background(), m, nil); err == nil || !strings.Contains(err.Error(), `doors row 1: the answer "dark blue" is none of the choices`) {
		t.Error(err)
	}
}

// A question asked for a score and in a talk gets the same greedy answer.
func TestScoredAndSpokenAnswersAreTheSame(t *testing.T) {
	m := openBase(t)
	examples := questions(3)
	rows := runRows(t, Task{Name: "doors", Examples: examples, MaxNew: 16})
	for i, e := range examples {
		c := model.Conversation{Model: m, MaxNew: 16}
		if got, err := c.Say(context.Background(), e.Prompt, nil); err != nil || got != rows[i].Cleaned {
			t.Errorf("%q: scored %q, spoken %q (%v)", e.Prompt, rows[i].Cleaned, got, err)
		}
	}
}

// Each task's answers end at its own stops, though the model answers both in the same way.
func TestStopsBelongToTheirTask(t *testing.T) {
	examples := questions(3)
	free := runRows(t, Task{Name: "free", Examples: examples, MaxNew: 20, Raw: true})
	for _, stop := range []string{" ", "e"} {
		rows := runRows(t, Task{Name: "cut", Examples: examples, MaxNew: 20, Raw: true, Stops: []string{stop}})
		for i, r := range rows {
			if want, _, _ := strings.Cut(free[i].Raw, stop); r.Raw != want {
				t.Errorf("stop %q: %q; wanted %q", stop, r.Raw, want)
			}
		}
	}
}

func TestWindowsPredictEveryTokenOnce(t *testing.T) {
	for _, c := range [][3]int{{1, 4, 1}, {4, 4, 1}, {5, 4, 1}, {13, 4, 1}, {13, 4, 3}, {13, 4, 4}, {3, 100, 1}} {
		n, window, context := c[0], c[1], c[2]
		ids := make([]int32, n+1)
		for i := range ids {
			ids[i] = int32(i)
		}
		var predicted []int32
		for _, p := range windows(ids, window, context) {
			if len(p.ids)-1 > window {
				t.Errorf("%v: a window sees %d tokens", c, len(p.ids)-1)
			}
			if before := len(p.ids) - p.last; before < min(context, int(p.ids[len(p.ids)-p.last])) {
				t.Errorf("%v: %v has %d tokens before what it predicts", c, p, before)
			}
			predicted = append(predicted, p.ids[len(p.ids)-p.last:]...)
		}
		if !slices.Equal(predicted, ids[1:]) {
			t.Errorf("%v predicts %v", c, predicted)
		}
	}
}

func TestTextRows(t *testing.T) {
	m := openBase(t)
	texts := []string{"Mira lives in Velton.", strings.Repeat("The door is red. ", 30)}
	rows, how, err := TextRows(context.Background(), m, texts, Rolling{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	prefix, _ := begin(m)
	ids := append([]int32{prefix}, m.Tokenizer.Encode(texts[0])...)
	if got, want := rows[0].Options[0].LogProb, direct(t, m, ids, len(ids)-1); math.Abs(got-want) > 1e-3 {
		t.Errorf("%v; token by token %v", got, want)
	}
	cut, howCut, err := TextRows(context.Background(), m, texts, Rolling{Window: 16, Context: 8}, nil)
	if err != nil || how.Window == howCut.Window || cut[1].Options[0].LogProb == rows[1].Options[0].LogProb || cut[0].Options[0] != rows[0].Options[0] {
		t.Errorf("%v; with less context %v, %v", rows[1].Options[0], cut[1].Options[0], err)
	}
	s, err := ScoreTexts(find(t, "bits-per-byte"), rows, how)
	if err != nil {
		t.Fatal(err)
	}
	nats := -(rows[0].Options[0].LogProb + rows[1].Options[0].LogProb)
	if want := nats / math.Ln2 / float64(len(texts[0])+len(texts[1])); math.Abs(s.Mean-want) > 1e-12 {
		t.Errorf("%v bits per byte; wanted %v", s.Mean, want)
	}
	for want, c := range map[string]Rolling{"a window of 4 tokens with 9": {Window: 4, Context: 9}, "a window of 99999": {Window: 99999}} {
		if _, _, err := TextRows(context.Background(), m, texts, c, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
	if _, _, err := TextRows(context.Background(), m, []string{"x", ""}, Rolling{}, nil); err == nil || !strings.Contains(err.Error(), "document 1 is empty") {
		t.Error(err)
	}
}

func TestTaskRefuses(t *testing.T) {
	m := openBase(t)
	bare := *m
	bare.Template = nil
	long := questions(1)
	long[0].Prompt = strings.Repeat("word ", m.Config.MaxPositionEmbeddings)
	for want, c := range map[string]struct {
		task Task
		m    *model.Model
	}{
		"no examples":               {Task{}, m},
		"has no template":           {Task{Examples: questions(1)}, &bare},
		`kind "guess"`:              {Task{Kind: "guess", Examples: questions(1)}, m},
		"-1 shots":                  {Task{Shots: -1, Examples: questions(1)}, m},
		"doors row 0: a prompt of":  {Task{Examples: long}, m},
		"doors row 0: choice \"red": {Task{Kind: KindChoose, Examples: long}, m},
	} {
		c.task.Name = "bad"
		if _, _, err := c.task.Rows(context.Background(), c.m, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "task bad") {
			t.Errorf("%v; wanted %q", err, want)
		}
	}
	raw := Task{Name: "raw", Examples: questions(1), Raw: true, MaxNew: 2}
	if _, err := raw.Run(context.Background(), &bare, nil); err != nil {
		t.Error(err)
	}
}
