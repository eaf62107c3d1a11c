package eval

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
	"tunebook/engine/token"
)

// Kind says how a task is answered.
type Kind string

// The kinds of answers.
const (
	KindGenerate Kind = "generate" // the model writes the answer
	KindSpan     Kind = "span"     // it writes a piece of the question: scored by SQuAD's token F1
	KindChoose   Kind = "choose"   // it finds the most likely of the example's choices, or of the task's labels
	KindClassify Kind = "classify" // it finds the most likely of the task's labels
	KindScore    Kind = "score"    // it only foresees the right answer: perplexity and the like
)

// Task is what is asked of a model and how its answers are read and scored.
type Task struct {
	Name     string
	Kind     Kind // KindGenerate when empty
	Examples []data.Example

	// Shots examples with their answers are shown before each question, drawn for each document anew from Pool (from Examples
	// where it is nil), and never the document itself or another one that asks the same.
	Shots    int
	Pool     []data.Example
	ShotSeed int64

	// Raw asks with plain text: shots and question, each with Delimiter before its answer and Separator between them.
	// Otherwise the model's chat template is used, and shots are earlier turns.
	Raw         bool
	Delimiter   string // " " when empty
	Separator   string // two newlines when empty
	Description string // stands before everything: the system message, or the beginning of the text

	Labels   []string // of KindClassify, and of KindChoose where examples have no choices of their own
	Norm     Norm     // of KindChoose and KindClassify
	Stops    []string // texts that end a written answer, beside the template's stop token
	MaxNew   int      // new tokens of a written answer at most; 64 when 0
	Sampling model.Sampling
	Clean    Cleaner // of written answers; Trimmed when zero, FirstLine for spans
	Metric   Metric  // the usual one of the kind when zero: exact match, token F1, choice accuracy, accuracy, perplexity
	Batch    int     // written answers at once; 32 when 0. It changes the speed, not the answers
}

// Filled returns the task with its defaults in place.
func (t Task) Filled() Task {
	if t.Kind == "" {
		t.Kind = KindGenerate
	}
	if t.Delimiter == "" {
		t.Delimiter = " "
	}
	if t.Separator == "" {
		t.Separator = "\n\n"
	}
	if t.MaxNew == 0 {
		t.MaxNew = 64
	}
	if t.Clean.Clean == nil {
		t.Clean = Trimmed()
		if t.Kind == KindSpan {
			t.Clean = FirstLine()
		}
	}
	if t.Batch == 0 {
		t.Batch = 32
	}
	if t.Metric.Name == "" {
		switch t.Kind {
		case KindChoose:
			t.Metric = Choice(t.Norm)
		case KindClassify:
			t.Metric = Accuracy()
		case KindSpan:
			t.Metric = TokenF1()
		case KindScore:
			t.Metric, _ = Find("perplexity")
		default:
			t.Metric = ExactMatch()
		}
	}
	return t
}

// writes tells whether the model writes the answer.
func (t Task) writes() bool { return t.Kind == KindGenerate || t.Kind == KindSpan }

// Run asks the model and returns the score of its answers.
func (t Task) Run(ctx context.Context, m *model.Model, done func(n int)) (Score, error) {
	rows, how, err := t.Rows(ctx, m, done)
	if err != nil {
		return Score{}, err
	}
	return ScoreTexts(t.Filled().Metric, rows, how)
}

// Rows asks the model and returns a row for each example, and how the answers were made. Rows do not depend on Batch,
// on the order of the examples or on which others there are. done, when not nil, is told how many answers are finished.
//
// No examples, a model without a template where one is wanted, fewer examples to show than Shots, and a prompt that
// leaves no room in the model's positions are errors; they name the example.
func (t Task) Rows(ctx context.Context, m *model.Model, done func(n int)) ([]Row, How, error) {
	t = t.Filled()
	how, err := t.how(m)
	if err != nil {
		return nil, How{}, err
	}
	rows := make([]Row, len(t.Examples))
	asked := make([]data.Example, len(t.Examples))
	for i := range t.Examples {
		if asked[i], err = t.ask(i); err != nil {
			return nil, How{}, t.at(i, err)
		}
		e := &asked[i]
		rows[i] = Row{Prompt: spoken(e), Answer: e.Answer, Refs: e.Refs, Task: e.Task}
		if t.Raw {
			rows[i].Prompt = t.text(e)
		}
	}
	if t.writes() {
		err = t.generate(ctx, m, asked, rows, done)
	} else {
		err = t.score(ctx, m, asked, rows, done)
	}
	if err != nil {
		return nil, How{}, err
	}
	return rows, how, nil
}

// at says in which example an error is.
func (t Task) at(i int, err error) error {
	e := &t.Examples[i]
	return fmt.Errorf("eval: task %s: %s row %d: %w", t.Name, e.Source, e.Row, err)
}

func (t Task) how(m *model.Model) (How, error) {
	how := How{TestSet: t.Name, Shots: t.Shots, Model: m.Name, Tokenizer: m.Tokenizer.Fingerprint()[:12]}
	fail := func(format string, args ...any) (How, error) {
		return How{}, fmt.Errorf("eval: task %s: %s", t.Name, fmt.Sprintf(format, args...))
	}
	switch {
	case len(t.Examples) == 0:
		return fail("no examples; wanted at least one")
	case t.Shots < 0:
		return fail("%d shots; wanted 0 or more", t.Shots)
	case m.Template == nil && !t.Raw:
		return fail("%s: the model has no template; wanted one to ask it with, or Raw", m.Name)
	}
	if t.Raw {
		how.Template = fmt.Sprintf("plain text, %q before answers, %q between examples", t.Delimiter, t.Separator)
	} else {
		how.Template = m.Template.Name
	}
	if t.Shots > 0 {
		how.Template += fmt.Sprintf(", shots drawn with seed %d", t.ShotSeed)
	}
	switch t.Kind {
	case KindGenerate, KindSpan:
		how.MaxNew, how.Decoding, how.Cleaning = t.MaxNew, t.Sampling.String(), t.Clean.Name
		if t.Raw {
			how.Stops = t.Stops
		} else {
			how.Stops = append([]string{m.Template.Stop}, t.Stops...)
		}
	case KindChoose, KindClassify:
		how.Decoding = "most likely answer"
		if t.Norm != NormNone {
			how.Decoding += ", log-likelihood by " + string(t.Norm)
		}
	case KindScore:
		how.Decoding = "log-likelihood of the right answer"
	default:
		return fail("kind %q; wanted generate, span, choose, classify or score", t.Kind)
	}
	return how, nil
}

// ask returns the example with its shots in its history.
func (t Task) ask(i int) (data.Example, error) {
	e := t.Examples[i]
	if t.Description != "" {
		e.System = t.Description
	}
	if t.Shots == 0 {
		return e, nil
	}
	pool := t.Pool
	if pool == nil {
		pool = t.Examples
	}
	// What is drawn depends on the question and on what the pool holds, and on no order.
	asks := map[string]bool{e.Asked(): true}
	type drawn struct {
		at   int
		rank uint64
	}
	var order []drawn
	for k := range pool {
		p := &pool[k]
		if len(p.History) == 0 {
			order = append(order, drawn{k, tensor.NewRNG(t.ShotSeed, "eval/shots/"+e.Asked()+"\x00"+p.Prompt+"\x00"+p.Answer).Uint64()})
		}
	}
	slices.SortFunc(order, func(a, b drawn) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(pool[a.at].Prompt, pool[b.at].Prompt))
	})
	var shots []token.Message
	for _, o := range order {
		p := &pool[o.at]
		if len(shots) == 2*t.Shots {
			break
		}
		if asks[p.Asked()] {
			continue
		}
		asks[p.Asked()] = true
		shots = append(shots, token.Message{Role: token.User, Content: p.Prompt}, token.Message{Role: token.Assistant, Content: p.Answer})
	}
	if len(shots) < 2*t.Shots {
		return e, fmt.Errorf("%d other examples to show; wanted %d", len(shots)/2, t.Shots)
	}
	e.History = append(shots, e.History...)
	return e, nil
}

// spoken returns what a person reads as the prompt: the turns before it and the question.
func spoken(e *data.Example) string {
	if len(e.History) == 0 {
		return e.Prompt
	}
	var b strings.Builder
	for _, m := range e.History {
		b.WriteString(m.Role + ": " + m.Content + "\n")
	}
	return b.String() + token.User + ": " + e.Prompt
}

// text returns the plain text of the question with its shots, up to the delimiter of the answer, which it leaves out.
func (t Task) text(e *data.Example) string {
	var b strings.Builder
	if e.System != "" {
		b.WriteString(e.System + t.Separator)
	}
	for i := 0; i+1 < len(e.History); i += 2 {
		b.WriteString(e.History[i].Content + t.Delimiter + e.History[i+1].Content + t.Separator)
	}
	return b.String() + e.Prompt
}

func (t Task) generate(ctx context.Context, m *model.Model, asked []data.Example, rows []Row, done func(n int)) error {
	requests := make([]model.Request, len(asked))
	same := map[string]int{}
	for i := range asked {
		r := model.Request{MaxNew: t.MaxNew, StopTexts: t.Stops, Sampling: t.Sampling}
		// Draws belong to the question, so that they do not depend on its place; one asked again draws anew.
		question := spoken(&asked[i])
		r.Seed = int64(tensor.NewRNG(t.Sampling.Seed, fmt.Sprintf("eval/answer/%d/%s", same[question], question)).Uint64() >> 1)
		same[question]++
		if t.Raw {
			tok := m.Tokenizer
			if tok.AddBOS() {
				r.Prompt = []int32{tok.BOS()}
			}
			// Space before an answer belongs to its first token.
			r.Prompt = append(r.Prompt, tok.Encode(rows[i].Prompt+strings.TrimRightFunc(t.Delimiter, pythonSpace))...)
			if id := tok.EOS(); id >= 0 {
				r.Stops = []int32{id}
			}
		} else {
			msgs := asked[i].Messages()
			enc, err := m.Template.Encode(m.Tokenizer, msgs[:len(msgs)-1], true)
			if err != nil {
				return t.at(i, err)
			}
			r.Prompt, r.Stops = enc.IDs, m.Template.StopIDs(m.Tokenizer)
		}
		if n := len(r.Prompt) + t.MaxNew; n > m.Config.MaxPositionEmbeddings {
			return t.at(i, fmt.Errorf("a prompt of %d tokens and %d new ones make %d; the model has %d positions", len(r.Prompt), t.MaxNew, n, m.Config.MaxPositionEmbeddings))
		}
		requests[i] = r
	}
	finished := 0
	answers, err := m.Sample(ctx, requests, t.Batch, func(_ int, a *model.Answer) {
		if a.End != "" && done != nil {
			finished++
			done(finished)
		}
	})
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Raw = answers[i].Text
		rows[i].Cleaned = t.Clean.Clean(answers[i].Text)
	}
	return nil
}

// score fills the options of rows with their log-likelihoods, and the chosen one.
func (t Task) score(ctx context.Context, m *model.Model, asked []data.Example, rows []Row, done func(n int)) error {
	groups := make([][]scoredText, len(asked))
	bare := map[string]int{}
	var alone [][]scoredText
	for i := range asked {
		options := t.options(&asked[i])
		if t.Kind != KindScore {
			if len(options) < 2 {
				return t.at(i, fmt.Errorf("%d choices; wanted at least 2 (Choices of the example or Labels of the task)", len(options)))
			}
			if !slices.ContainsFunc(rows[i].references(), func(ref string) bool { return slices.Contains(options, ref) }) {
				return t.at(i, fmt.Errorf("the answer %q is none of the choices %q", asked[i].Answer, options))
			}
		}
		for _, o := range options {
			s, err := t.option(m, &asked[i], rows[i].Prompt, o)
			if err == nil && len(s.ids)-1 > m.Config.MaxPositionEmbeddings {
				err = fmt.Errorf("a prompt and an answer of %d tokens; the model has %d positions", len(s.ids), m.Config.MaxPositionEmbeddings)
			}
			if err != nil {
				return t.at(i, fmt.Errorf("choice %q: %w", o, err))
			}
			groups[i] = append(groups[i], s)
			rows[i].Options = append(rows[i].Options, Option{Text: o, Tokens: s.last})
			if _, have := bare[o]; !have && t.Norm == NormUnconditional {
				text := o
				if t.Raw {
					text = t.Delimiter + o
				}
				if s, err = pairIDs(m, "", text); err != nil {
					return t.at(i, fmt.Errorf("choice %q: %w", o, err))
				}
				bare[o] = len(alone)
				alone = append(alone, []scoredText{s})
			}
		}
	}
	sums, err := logProbs(ctx, m, groups, done)
	if err != nil {
		return err
	}
	without, err := logProbs(ctx, m, alone, nil)
	if err != nil {
		return err
	}
	for i := range rows {
		for j := range rows[i].Options {
			o := &rows[i].Options[j]
			o.LogProb = sums[i][j]
			if len(without) > 0 {
				o.Unconditional = without[bare[o.Text]][0]
			}
		}
		if t.Kind != KindScore {
			best, err := t.Norm.Choose(rows[i].Options)
			if err != nil {
				return t.at(i, err)
			}
			rows[i].Raw = rows[i].Options[best].Text
			rows[i].Cleaned = rows[i].Raw
		}
	}
	return nil
}

func (t Task) options(e *data.Example) []string {
	switch {
	case t.Kind == KindScore:
		return []string{e.Answer}
	case t.Kind == KindChoose && e.Choices != nil:
		return e.Choices
	}
	return t.Labels
}

// option returns the ids of the question with this answer. With a template the answer is encoded by itself, as a
// generated one would be, and its stop token is left out.
func (t Task) option(m *model.Model, e *data.Example, prompt, answer string) (scoredText, error) {
	if t.Raw {
		return pairIDs(m, prompt, t.Delimiter+answer)
	}
	msgs := e.Messages()
	enc, err := m.Template.Encode(m.Tokenizer, msgs[:len(msgs)-1], true)
	if err != nil {
		return scoredText{}, err
	}
	ids := m.Tokenizer.Encode(answer)
	if len(ids) == 0 {
		return scoredText{}, fmt.Errorf("it has no tokens")
	}
	return scoredText{append(slices.Clone(enc.IDs), ids...), len(ids)}, nil
}
