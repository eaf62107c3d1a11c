package eval

import (
	"context"
	"fmt"
	"strings"

	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/train"
)

// Greedy says how answers are generated for scoring.
type Greedy struct {
	MaxNew int // new tokens at most, the stop token included; 64
	Batch  int // sequences at once; 32. It changes the speed, not the answers
}

func (g Greedy) fill() Greedy {
	if g.MaxNew == 0 {
		g.MaxNew = 64
	}
	if g.Batch == 0 {
		g.Batch = 32
	}
	return g
}

// Answers returns a row for each example with the model's greedy answer. The prompt is rendered by the model's template
// exactly as in training; Cleaned is the answer without the white space around it. done, when not nil, is told how many
// answers are finished.
//
// A model without a template, and a prompt that leaves no room for an answer, are errors.
func Answers(ctx context.Context, m *model.Model, examples []data.Example, g Greedy, done func(n int)) ([]Row, error) {
	g = g.fill()
	if m.Template == nil {
		return nil, fmt.Errorf("eval.Answers: %s: the model has no template; wanted one to ask it with", m.Name)
	}
	prompts := make([][]int32, len(examples))
	for i := range examples {
		e := &examples[i]
		msgs := e.Messages()
		enc, err := m.Template.Encode(m.Tokenizer, msgs[:len(msgs)-1], true)
		if err != nil {
			return nil, fmt.Errorf("eval.Answers: %s row %d: %w", e.Source, e.Row, err)
		}
		prompts[i] = enc.IDs
	}
	ids, err := m.Generate(ctx, prompts, model.Greedy{MaxNew: g.MaxNew, Stops: m.Template.StopIDs(m.Tokenizer), Batch: g.Batch}, done)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(examples))
	for i := range rows {
		e := &examples[i]
		raw := m.Tokenizer.Decode(ids[i])
		rows[i] = Row{Prompt: e.Prompt, Answer: e.Answer, Refs: e.Refs, Raw: raw, Cleaned: strings.TrimSpace(raw), Task: e.Task}
	}
	return rows, nil
}

// HowGreedy returns the record of scores made by Answers.
func HowGreedy(m *model.Model, testSet string, g Greedy) How {
	return How{TestSet: testSet, Template: m.Template.Name, MaxNew: g.fill().MaxNew, Decoding: "greedy",
		Stops: []string{m.Template.Stop}, Cleaning: "white space around the answer removed", Model: m.Name}
}

// Likelihood returns the summed negative log-likelihood, in nats, of the examples' answers and the number of their
// tokens. It does not depend on how the examples are batched.
func Likelihood(m *model.Model, examples []data.Example) (nll float64, n int, err error) {
	if m.Template == nil {
		return 0, 0, fmt.Errorf("eval.Likelihood: %s: the model has no template; wanted one to ask it with", m.Name)
	}
	e, err := data.Encode(m.Tokenizer, m.Template, examples, data.EncodeOptions{MaxLen: m.Config.MaxPositionEmbeddings})
	if err != nil {
		return 0, 0, err
	}
	return train.Loss(m, e.Sequences, 4096)
}

// TextLikelihood is Likelihood for plain documents, every token of them but the first.
func TextLikelihood(m *model.Model, texts []string) (nll float64, n int, err error) {
	seqs, _ := data.EncodeText(m.Tokenizer, texts, m.Config.MaxPositionEmbeddings)
	if nll, n, err = train.Loss(m, seqs, 4096); err == nil && n == 0 {
		err = &data.NoSupervision{Of: len(texts)}
	}
	return nll, n, err
}
