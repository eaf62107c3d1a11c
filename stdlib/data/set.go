// Package data is how a script gets examples and mixes them.
//
//	spec := data.JSONL("samsum.jsonl", data.Fields{Input: "dialogue", Output: "summary"})
//	train, test := spec.Split(1, 300)
//	mix := data.Mix(1, train.Take(1, 250), general.Take(1, 1000))
//
// A call that cannot do what it says stops the cell with a sentence; nothing is dropped without a number.
package data

import (
	"fmt"
	"os"
	"strings"

	core "tunebook/engine/data"
	"tunebook/engine/token"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Example is one prompt with its answer.
type Example = core.Example

// Message is one turn of a conversation: Role is "system", "user" or "assistant".
type Message = token.Message

// Set is a named list of examples. It is never changed; methods return new sets.
type Set struct {
	s        *core.Set
	manifest *core.Manifest // of a mix
}

func wrap(s *core.Set) *Set { return &Set{s: s} }

// New makes a set of a script's own examples; their Source and Row are filled in.
func New(name string, rows []Example) *Set {
	s := &core.Set{Name: name, Rows: append([]Example(nil), rows...)}
	for i := range s.Rows {
		s.Rows[i].Source, s.Rows[i].Row = name, i
	}
	return wrap(s)
}

// Engine returns the engine's set, for other packages of the script API.
func (s *Set) Engine() *core.Set { return s.s }

// Name returns the set's name.
func (s *Set) Name() string { return s.s.Name }

// Len returns the number of examples.
func (s *Set) Len() int { return len(s.s.Rows) }

// Row returns example i, from 0.
func (s *Set) Row(i int) Example {
	if i < 0 || i >= s.Len() {
		stop.Now("data.Row", fmt.Sprintf("%s: row %d; there are %d, from 0", s.Name(), i, s.Len()), "")
	}
	return s.s.Rows[i]
}

// Rows returns all examples.
func (s *Set) Rows() []Example { return append([]Example(nil), s.s.Rows...) }

// Named returns the set under another name.
func (s *Set) Named(name string) *Set { return wrap(s.s.Named(name)) }

// Head returns the first n examples.
func (s *Set) Head(n int) *Set { return done("data.Head")(s.s.Head(n)) }

// Take returns n examples drawn at random without replacement. For one seed, Take(seed, 250) is the beginning of
// Take(seed, 500).
func (s *Set) Take(seed int64, n int) *Set { return done("data.Take")(s.s.Take(seed, n)) }

// TakeFraction returns the share f of the examples, 0 < f ≤ 1, drawn as Take draws.
func (s *Set) TakeFraction(seed int64, f float64) *Set {
	return done("data.TakeFraction")(s.s.TakeFraction(seed, f))
}

// Split returns the set without nTest examples drawn at random, and those. No prompt is on both sides.
func (s *Set) Split(seed int64, nTest int) (train, test *Set) {
	a, b, err := s.s.Split(seed, nTest)
	stop.If("data.Split", err)
	return wrap(a), wrap(b)
}

// Where returns the examples for which keep is true.
func (s *Set) Where(keep func(e Example) bool) *Set {
	return wrap(s.s.Filter(func(e *core.Example) bool { return keep(*e) }))
}

// Task returns the examples of a task, or of all tasks below it: Task("arithmetic") holds "arithmetic/add".
func (s *Set) Task(task string) *Set {
	return s.Where(func(e Example) bool { return e.Task == task || strings.HasPrefix(e.Task, task+"/") })
}

// Skill returns the examples of a skill.
func (s *Set) Skill(skill string) *Set {
	return s.Where(func(e Example) bool { return e.Skill == skill })
}

// BySkill cuts the set into one set for each skill, called "<name>/<skill>", in alphabetical order: parts for Blend.
func (s *Set) BySkill() []*Set { return s.By(func(e Example) string { return e.Skill }) }

// ByTask cuts the set into one set for each task, called "<name>/<task>", in alphabetical order.
func (s *Set) ByTask() []*Set { return s.By(func(e Example) string { return e.Task }) }

// By cuts the set into one set for each label, called "<name>/<label>", in alphabetical order; an empty label is "-".
func (s *Set) By(label func(e Example) string) []*Set {
	var out []*Set
	for _, c := range s.s.By(func(e *core.Example) string { return label(*e) }) {
		out = append(out, wrap(c))
	}
	return out
}

// Fingerprint returns a SHA-256 of the examples in their order.
func (s *Set) Fingerprint() string { return s.s.Fingerprint() }

// Corrupt returns the set with a share of its answers replaced by wrong ones of the same task, marked as such.
func (s *Set) Corrupt(seed int64, share float64) *Set {
	return done("data.Corrupt")(s.s.Corrupt(seed, share))
}

// done returns what turns an engine call's result into a script's.
func done(op string) func(s *core.Set, err error) *Set {
	return func(s *core.Set, err error) *Set {
		stop.If(op, err)
		return wrap(s)
	}
}

// Show gives a mix's manifest, or a set's size, tasks, lengths, repeats and three examples.
func (s *Set) Show() (text, html string) {
	if s.manifest != nil {
		g := manifestGrid(s.Name(), *s.manifest)
		g.Notes = append(g.Notes, s.s.Notes...)
		return g.Text(), g.HTML()
	}
	_, repeats := s.s.Dedup()
	g := &grid.Table{Caption: fmt.Sprintf("%s: %d examples, %d tasks, %d repeated, mean words %.1f in and %.1f out",
		s.Name(), s.Len(), s.tasks(), repeats, s.words(func(e *Example) string { return e.Prompt }), s.words(func(e *Example) string { return e.Answer })),
		Columns: []grid.Column{{Name: "task"}, {Name: "prompt"}, {Name: "answer"}}}
	for _, i := range []int{0, s.Len() / 2, s.Len() - 1} {
		if i < 0 || i >= s.Len() || len(g.Rows) > i {
			continue
		}
		e := &s.s.Rows[i]
		g.Rows = append(g.Rows, []string{e.Task, short(e.Prompt, 80), short(e.Answer, 40)})
	}
	g.Notes = s.s.Notes
	return g.Text(), g.HTML()
}

func (s *Set) tasks() int {
	seen := map[string]bool{}
	for i := range s.s.Rows {
		seen[s.s.Rows[i].Task] = true
	}
	return len(seen)
}

func (s *Set) words(of func(e *Example) string) float64 {
	n := 0
	for i := range s.s.Rows {
		n += len(strings.Fields(of(&s.s.Rows[i])))
	}
	return float64(n) / float64(max(1, s.Len()))
}

func short(s string, n int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= n {
		return string(r)
	}
	return string(r[:n-1]) + "…"
}

// String is what Show gives in text, for fmt.Println.
func (s *Set) String() string { text, _ := s.Show(); return text }

// Concat returns all examples of several sets, in order, as one set of a new name.
func Concat(name string, sets ...*Set) *Set {
	list := make([]*core.Set, len(sets))
	for i, s := range sets {
		list[i] = s.s
	}
	return wrap(core.Concat(name, list...))
}

// Need stops the cell with a sentence that names the paths which do not exist; hint says what to do about it.
func Need(hint string, paths ...string) {
	var missing []string
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			missing = append(missing, p)
		}
	}
	if len(missing) > 0 {
		stop.Now("data.Need", "not there: "+strings.Join(missing, ", "), hint)
	}
}
