package eval

import (
	"fmt"
	"path/filepath"

	core "tunebook/engine/eval"
	"tunebook/stdlib/host"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/model"
	"tunebook/stdlib/stop"
)

// SuperNIOptions are the choices of SuperNI; the zero value is the official protocol. Raw asks with plain text instead of the
// model's chat template.
type SuperNIOptions struct {
	Raw       bool
	Instances int // of each task at most; 100 when 0
	Positive  int // positive examples in the prompt; 2 when 0, none when negative
	MaxSource int // tokens of the prompt at most; 1024 when 0
	MaxNew    int // new tokens at most; 128 when 0
	Batch     int // answers at once; 32 when 0
	Quiet     bool
}

// SuperNIScores is the result of the protocol: ROUGE-L and exact match over all instances, and each task by its category's
// metric.
type SuperNIScores struct {
	RougeL, ExactMatch Score
	Tasks              []SuperNITask
}

// SuperNITask is one task's part of the result.
type SuperNITask struct {
	Name, Category string
	Score          Score
}

// SuperNI asks a model by the official protocol of Super-NaturalInstructions about the task files that the pattern names, such as
// "tasks/task*.json": definition and two positive examples in the prompt, the first 100 instances of each task, greedy
// answers, ROUGE-L and exact match as its script computes them.
func SuperNI(m *model.Model, pattern string, o SuperNIOptions) SuperNIScores {
	const op = "eval.SuperNI"
	files, err := filepath.Glob(pattern)
	stop.If(op, err)
	if len(files) == 0 {
		stop.Now(op, fmt.Sprintf("no file is called %q", pattern), "")
	}
	var done func(int)
	if !o.Quiet {
		each := o.Instances
		if each == 0 {
			each = 100
		}
		bar := host.Progress("ask Super-NI", int64(len(files)*each), "answer")
		defer bar.Done("")
		done = func(n int) { bar.Set(int64(n), "") }
	}
	r, err := core.SuperNI{Files: files, Raw: o.Raw, Instances: o.Instances, Positive: o.Positive, MaxSource: o.MaxSource,
		MaxNew: o.MaxNew, Batch: o.Batch}.Run(host.Context(), m.Engine(), done)
	stop.If(op, err)
	out := SuperNIScores{RougeL: Score{r.RougeL}, ExactMatch: Score{r.ExactMatch}}
	for _, t := range r.Tasks {
		out.Tasks = append(out.Tasks, SuperNITask{t.Name, t.Category, Score{t.Score}})
	}
	return out
}

// Show returns the two scores and a table of the tasks.
func (s SuperNIScores) Show() (text, html string) {
	t := grid.Table{Caption: "by task", Columns: []grid.Column{{Name: "task"}, {Name: "category"}, {Name: "metric"}, {Name: "score", Right: true}, {Name: "95 %", Right: true}, {Name: "documents", Right: true}}}
	for _, x := range s.Tasks {
		t.Rows = append(t.Rows, []string{x.Name, x.Category, x.Score.Metric, x.Score.Text(x.Score.Mean), x.Score.Text(x.Score.Lo) + " to " + x.Score.Text(x.Score.Hi), fmt.Sprint(x.Score.N)})
	}
	rouge, rougePage := s.RougeL.Show()
	_, exactPage := s.ExactMatch.Show()
	return rouge + s.ExactMatch.String() + "\n" + t.Text(), rougePage + exactPage + t.HTML()
}

// String is what Show gives in text, for fmt.Println.
func (s SuperNIScores) String() string { text, _ := s.Show(); return text }
