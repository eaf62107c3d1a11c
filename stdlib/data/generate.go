package data

import (
	"fmt"
	"strings"

	core "tunebook/engine/data"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Gen says what to generate: which skills, how broad, how many examples, and what share of the facts is wrong. What is
// left out has a plain meaning: all skills, their whole breadth, the training part, nothing wrong.
//
//	data.Gen{Skills: []string{"reading"}, Size: 800, Seed: 1}                 // one skill
//	data.Gen{Exclude: []string{"reading"}, Size: 800, Seed: 1, Breadth: 0.25} // the others, a quarter of each
//	data.Gen{Skills: []string{"reading"}, Split: "test", Size: 150}           // prompts that training cannot hold
type Gen = core.GenConfig

// SkillInfo describes one skill of the generator: its name, what it is about, whether WrongShare applies to it, and its
// sub-tasks.
type SkillInfo = core.SkillInfo

// Generate returns Size examples of instruction tasks whose answers are known to be right, or wrong by a known share.
// No prompt occurs twice; Size 500 begins with the examples of Size 250; the parts "train" and "test" share no prompt
// and no input, whatever their seeds.
func Generate(g Gen) *Set {
	s, err := core.Generate(g)
	stop.If("data.Generate", err)
	return used(wrap(s))
}

// SkillList is what Skills returns; it shows itself as a table.
type SkillList []SkillInfo

// Skills returns the generator's skills in alphabetical order.
func Skills() SkillList { return core.Skills() }

// Names returns the names of the skills, for Gen.Skills and Gen.Exclude.
func (l SkillList) Names() []string {
	out := make([]string, len(l))
	for i, s := range l {
		out[i] = s.Name
	}
	return out
}

// Show gives a table of the skills.
func (l SkillList) Show() (text, html string) {
	g := &grid.Table{Columns: []grid.Column{{Name: "skill"}, {Name: "what it is about"}, {Name: "factual"}, {Name: "sub-tasks", Right: true}, {Name: "among them"}}}
	total := 0
	for _, s := range l {
		factual := ""
		if s.Factual {
			factual = "yes"
		}
		total += len(s.Tasks)
		g.Rows = append(g.Rows, []string{s.Name, s.About, factual, fmt.Sprint(len(s.Tasks)), strings.Join(s.Tasks[:min(3, len(s.Tasks))], ", ")})
	}
	g.Caption = fmt.Sprintf("%d skills with %d sub-tasks", len(l), total)
	return g.Text(), g.HTML()
}

// String is what Show gives in text.
func (l SkillList) String() string { text, _ := l.Show(); return text }
