package data

import (
	"fmt"
	"strings"

	core "tunebook/engine/data"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Gen says what to generate: which skills, how broad, how many examples, and what share of the facts is wrong.
//
//	data.Gen{Skills: []string{"reading"}, Size: 800, Seed: 1}                 // one skill
//	data.Gen{Exclude: []string{"reading"}, Size: 800, Seed: 1, Breadth: 0.25} // the others, a quarter of each
//	data.Gen{Skills: []string{"reading"}, Split: "test", Size: 150}           // prompts that training cannot hold
type Gen = core.GenConfig

// Generate returns instruction examples of our own making whose answers are known. The same arguments give the same
// examples; a larger Size begins with the examples of a smaller one; no prompt of the split "test" is ever in "train".
func Generate(g Gen) *Set {
	s, err := core.Generate(g)
	stop.If("data.Generate", err)
	return wrap(s)
}

// SkillList is what the generator can ask for.
type SkillList []core.SkillInfo

// Skills lists the generator's skills with their tasks.
func Skills() SkillList { return core.Skills() }

// Show gives the skills as a table.
func (l SkillList) Show() (text, html string) {
	g := &grid.Table{Caption: fmt.Sprintf("%d skills", len(l)), Columns: []grid.Column{{Name: "skill"}, {Name: "factual"}, {Name: "about"}, {Name: "tasks"}}}
	for _, s := range l {
		factual := ""
		if s.Factual {
			factual = "yes"
		}
		g.Rows = append(g.Rows, []string{s.Name, factual, s.About, strings.Join(s.Tasks, " ")})
	}
	return g.Text(), g.HTML()
}

// String is what Show gives in text.
func (l SkillList) String() string { text, _ := l.Show(); return text }
