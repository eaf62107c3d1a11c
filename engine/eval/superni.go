package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"tunebook/engine/data"
	"tunebook/engine/model"
)

// SuperNI says how models are asked by the protocol of Super-NaturalInstructions. The zero value is the protocol: the first 100
// instances of each task, its definition and two positive examples in the prompt, greedy answers of at most 128 tokens,
// prompts of at most 1,024.
type SuperNI struct {
	Files     []string // task files, as they are published
	Raw       bool     // ask with the prompt as plain text; otherwise it is the user's message in the model's chat template
	Instances int      // of each task at most; 100 when 0
	Positive  int      // positive examples in the prompt; 2 when 0, none when negative
	MaxSource int      // tokens of the prompt at most, 1024 when 0: examples that do not fit are left out, then the input's end
	MaxNew    int      // 128 when 0
	Batch     int
}

// SuperNIResult is what the protocol gives.
type SuperNIResult struct {
	RougeL     Score // stemmed, over all instances
	ExactMatch Score // with the protocol's normalisation
	Tasks      []SuperNITask
}

// SuperNITask is one task's part of the result.
type SuperNITask struct {
	Name, Category string
	Metric         string // by which its category is reported: exact match for classification, ROUGE-L for the rest
	Score          Score
}

// superNIExact are the categories that the protocol reports by exact match.
var superNIExact = []string{"Textual Entailment", "Cause Effect Classification", "Coreference Resolution", "Dialogue Act Recognition",
	"Answerability Classification", "Word Analogy"}

// Run asks the model about every task. Notes of the scores count the prompts that lost examples or the end of their input.
//
// Source: Wang et al. 2022, arXiv:2204.07705, section 5 and the published evaluation script.
func (s SuperNI) Run(ctx context.Context, m *model.Model, done func(n int)) (SuperNIResult, error) {
	fill := func(v *int, usual int) {
		if *v == 0 {
			*v = usual
		}
	}
	fill(&s.Instances, 100)
	fill(&s.Positive, 2)
	fill(&s.MaxSource, 1024)
	fill(&s.MaxNew, 128)
	s.Positive = max(0, s.Positive)
	if len(s.Files) == 0 {
		return SuperNIResult{}, fmt.Errorf("eval.SuperNI: no task files; wanted at least one")
	}
	var examples []data.Example
	category := map[string]string{}
	fewer, cut := 0, 0
	for _, path := range s.Files {
		rows, left, shortened, err := s.read(m, path)
		if err != nil {
			return SuperNIResult{}, err
		}
		name := rows[0].Task
		if _, twice := category[name]; twice {
			return SuperNIResult{}, fmt.Errorf("eval.SuperNI: task %s is there twice", name)
		}
		if category[name], err = superNICategory(path); err != nil {
			return SuperNIResult{}, err
		}
		fewer, cut, examples = fewer+left, cut+shortened, append(examples, rows...)
	}
	// The prompt's last blank belongs to the answer's first token.
	task := Task{Name: "Super-NaturalInstructions", Examples: examples, Raw: s.Raw, MaxNew: s.MaxNew, Batch: s.Batch}
	if s.Raw {
		for i := range examples {
			examples[i].Prompt = strings.TrimRight(examples[i].Prompt, " ")
		}
		task.Stops = []string{"\n\n"} // as the prompt parts its examples
	}
	rows, how, err := task.Rows(ctx, m, done)
	if err != nil {
		return SuperNIResult{}, err
	}
	how.Template += fmt.Sprintf("; definition and %d positive examples within %d tokens", s.Positive, s.MaxSource)
	rouge, err := Find("rougeL+stem")
	if err != nil {
		return SuperNIResult{}, err
	}
	var out SuperNIResult
	if out.RougeL, err = ScoreTexts(rouge, rows, how); err != nil {
		return out, err
	}
	if out.ExactMatch, err = ScoreTexts(SuperNIMatch(), rows, how); err != nil {
		return out, err
	}
	var notes []string
	if fewer > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d prompts had room for fewer than %d positive examples", fewer, len(rows), s.Positive))
	}
	if cut > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d prompts lost the end of their input", cut, len(rows)))
	}
	out.RougeL.Notes, out.ExactMatch.Notes = append(out.RougeL.Notes, notes...), append(out.ExactMatch.Notes, notes...)
	for from := 0; from < len(rows); {
		to := from
		for to < len(rows) && rows[to].Task == rows[from].Task {
			to++
		}
		name := rows[from].Task
		metric := rouge
		if slices.Contains(superNIExact, category[name]) {
			metric = SuperNIMatch()
		}
		part := how
		part.TestSet = name
		score, err := ScoreTexts(metric, rows[from:to], part)
		if err != nil {
			return out, err
		}
		out.Tasks = append(out.Tasks, SuperNITask{name, category[name], metric.Name, score})
		from = to
	}
	return out, nil
}

// read returns a task's instances, and how many of their prompts have fewer positive examples and a shorter input than they
// should.
func (s SuperNI) read(m *model.Model, path string) (rows []data.Example, fewer, cut int, err error) {
	var with []*data.Set // by the number of positive examples
	for n := range s.Positive + 1 {
		set, err := data.ReadSuperNI(path, data.SuperNIOptions{Positive: n, Official: true, MaxInstances: s.Instances})
		if err != nil {
			return nil, 0, 0, err
		}
		with = append(with, set)
	}
	fits := func(prompt string) bool { return len(m.Tokenizer.Encode(prompt)) <= s.MaxSource }
	for i := range with[0].Rows {
		n := s.Positive
		for n > 0 && !fits(with[n].Rows[i].Prompt) {
			n--
		}
		fewer += int(truth(n < s.Positive))
		e := with[n].Rows[i]
		if !fits(e.Prompt) {
			cut++
			body := strings.TrimSuffix(e.Prompt, superNIEnd)
			for !fits(e.Prompt) {
				at := strings.LastIndexByte(body[:len(body)*19/20], ' ')
				if at < 0 {
					break // the task's run says that the prompt is too long
				}
				body = body[:at]
				e.Prompt = body + superNIEnd
			}
		}
		rows = append(rows, e)
	}
	return rows, fewer, cut, nil
}

// superNIEnd is what stands after the input in the protocol's prompts.
const superNIEnd = "\nOutput: "

// superNICategory returns the first category that a task file names, "" for none.
func superNICategory(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("eval.SuperNI: %w", err)
	}
	var f struct{ Categories json.RawMessage }
	if err := json.Unmarshal(b, &f); err != nil {
		return "", fmt.Errorf("eval.SuperNI: %s: %w", path, err)
	}
	var one string
	var several []string
	if json.Unmarshal(f.Categories, &one) == nil {
		return one, nil
	}
	if json.Unmarshal(f.Categories, &several) == nil && len(several) > 0 {
		return several[0], nil
	}
	return "", nil
}
