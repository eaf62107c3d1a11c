package eval

import (
	"context"
	"fmt"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/model"
)

// scoredText is a sequence of which the log-probabilities of the last tokens are wanted.
type scoredText struct {
	ids  []int32
	last int // how many, fewer than there are ids
}

// passTokens is the number of tokens in a forward pass of logProbs, at most; one text always fits.
const passTokens = 4096

// logProbs returns the summed log-probability of the last tokens of each text. The texts of a group, such as the answers to one
// question, share forward passes, packed without padding; groups do not. So the bits of a result depend on its group alone and
// not on what else is asked. done is told how many groups are finished.
func logProbs(ctx context.Context, m *model.Model, groups [][]scoredText, done func(n int)) ([][]float64, error) {
	out := make([][]float64, len(groups))
	for g, texts := range groups {
		var err error
		if out[g], err = groupProbs(ctx, m, texts); err != nil {
			return nil, err
		}
		if done != nil {
			done(g + 1)
		}
	}
	return out, nil
}

func groupProbs(ctx context.Context, m *model.Model, texts []scoredText) ([]float64, error) {
	out := make([]float64, len(texts))
	for from := 0; from < len(texts); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		in := model.Input{Segments: &backend.Segments{}}
		var targets []int32
		to := from
		for ; to < len(texts) && (to == from || len(in.IDs)+len(texts[to].ids) <= passTokens); to++ {
			t := texts[to]
			n := len(t.ids) - 1 // the last id is only predicted
			at := len(in.IDs)
			in.Segments.List = append(in.Segments.List, backend.Segment{QStart: at, QLen: n, KStart: at, KLen: n})
			for i, id := range t.ids[:n] {
				in.IDs, in.Positions = append(in.IDs, id), append(in.Positions, int32(i))
				target := int32(backend.IgnoreIndex)
				if i >= n-t.last {
					target = t.ids[i+1]
				}
				targets = append(targets, target)
			}
		}
		tape := grad.New(m.Device(), false)
		buf, rows := m.Loss(tape, in, targets, nil, 1)
		host := make([]float32, rows)
		err := m.Device().Download(host, buf)
		tape.Free()
		if err != nil {
			return nil, err
		}
		k := 0
		for i := from; i < to; i++ {
			for range texts[i].last {
				out[i] -= float64(host[k])
				k++
			}
		}
		from = to
	}
	return out, nil
}

// begin returns the id that stands before a text without context: BOS, or EOS where there is none.
func begin(m *model.Model) (int32, error) {
	if id := m.Tokenizer.BOS(); id >= 0 {
		return id, nil
	}
	if id := m.Tokenizer.EOS(); id >= 0 {
		return id, nil
	}
	return 0, fmt.Errorf("eval: %s: the tokenizer has no BOS and no EOS; a text without context is scored after one", m.Name)
}

// pairIDs returns the ids of a continuation after a context, and how many of them are the continuation's. The white space
// at the end of the context belongs to the continuation, as in lm-evaluation-harness; where one token spans the border so
// that the continuation would have none, it is encoded by itself.
func pairIDs(m *model.Model, context, continuation string) (scoredText, error) {
	if continuation == "" {
		return scoredText{}, fmt.Errorf("the continuation is empty")
	}
	bare := strings.TrimRightFunc(context, pythonSpace)
	continuation = context[len(bare):] + continuation
	context = bare
	tok := m.Tokenizer
	var head []int32
	if tok.AddBOS() {
		head = []int32{tok.BOS()}
	}
	if context == "" {
		if head == nil {
			id, err := begin(m)
			if err != nil {
				return scoredText{}, err
			}
			head = []int32{id}
		}
		ids := tok.Encode(continuation)
		return scoredText{append(head, ids...), len(ids)}, nil
	}
	before, whole := tok.Encode(context), tok.Encode(context+continuation)
	if len(whole) <= len(before) {
		whole = append(before[:len(before):len(before)], tok.Encode(continuation)...)
	}
	return scoredText{append(head, whole...), len(whole) - len(before)}, nil
}

// Rolling says how long texts are cut for their log-likelihood.
type Rolling struct {
	Window int // tokens that the model sees at once; its positions when 0
	// Context is the number of tokens of a window that were predicted before and are only seen: 1 to Window. 1, the default,
	// cuts a text into pieces that are scored one by one, as lm-evaluation-harness does.
	Context int
}

// String says how texts are cut.
func (r Rolling) String() string {
	return fmt.Sprintf("windows of %d tokens, %d of them context", r.Window, r.Context)
}

// TextRows returns a row for each document with its log-likelihood, every token counted, the first one after BOS (or EOS
// where there is none). Score them with perplexity, word-perplexity, byte-perplexity, bits-per-byte or nats-per-token. An empty
// document is an error.
func TextRows(ctx context.Context, m *model.Model, texts []string, r Rolling, done func(n int)) ([]Row, How, error) {
	if r.Window == 0 {
		r.Window = m.Config.MaxPositionEmbeddings
	}
	if r.Context == 0 {
		r.Context = 1
	}
	if r.Window < 1 || r.Window > m.Config.MaxPositionEmbeddings || r.Context < 1 || r.Context > r.Window {
		return nil, How{}, fmt.Errorf("eval.TextRows: a window of %d tokens with %d of context; wanted 1 to %d (the model's positions) with 1 to as many", r.Window, r.Context, m.Config.MaxPositionEmbeddings)
	}
	prefix, err := begin(m)
	if err != nil {
		return nil, How{}, err
	}
	rows := make([]Row, len(texts))
	groups := make([][]scoredText, len(texts))
	for i, text := range texts {
		ids := m.Tokenizer.Encode(text)
		if len(ids) == 0 {
			return nil, How{}, fmt.Errorf("eval.TextRows: document %d is empty; wanted at least one token", i)
		}
		rows[i] = Row{Answer: text, Options: []Option{{Text: text, Tokens: len(ids)}}}
		groups[i] = windows(append([]int32{prefix}, ids...), r.Window, r.Context)
	}
	sums, err := logProbs(ctx, m, groups, done)
	if err != nil {
		return nil, How{}, err
	}
	for i, pieces := range sums {
		for _, v := range pieces {
			rows[i].Options[0].LogProb += v
		}
	}
	return rows, How{Decoding: "log-likelihood", Window: r.String(), Tokenizer: m.Tokenizer.Fingerprint()[:12], Model: m.Name}, nil
}

// windows cuts ids, the first of which is only seen, so that every other one is predicted once, with at least context
// tokens before it where there are as many.
func windows(ids []int32, window, context int) []scoredText {
	n := len(ids) - 1
	first := min(window, n)
	out := []scoredText{{ids[:first+1], first}}
	for done := first; done < n; {
		step := min(n-done, window-context+1)
		done += step
		out = append(out, scoredText{ids[done-window : done+1], step})
	}
	return out
}
