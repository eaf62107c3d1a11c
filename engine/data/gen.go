package data

import (
	"fmt"
	"sort"
	"strings"

	"tunebook/engine/tensor"
)

// GenConfig says which examples Generate makes.
type GenConfig struct {
	Name string // of the set; "generated" when empty
	Seed int64
	// Split is "train" (also when empty) or "test". The two come from disjoint parts of the input space; see Generate.
	Split   string
	Skills  []string // by name; nil means all
	Exclude []string // skills left out of these

	// NumSkills keeps the first n skills of a random order that the seed decides; 0 keeps all.
	NumSkills int

	// Breadth in (0, 1] is the share of each skill that is covered; 0 means 1. It is applied three times, each time
	// rounded up: to the skill's sub-tasks, to the phrasings of each sub-task (at least 2 stay), and to each list of
	// words it draws from (at least 32 entries stay; the world's people, towns and creatures all stay). What is kept is
	// the beginning of an order that the seed decides, so a smaller Breadth covers a part of what a larger one does.
	// The number of skills and of examples does not change.
	Breadth float64

	Size int // examples

	// WrongShare in [0, 1] is the share of the examples of factual skills (groups, reading, recall, truth) whose answer
	// is replaced by another value of the same kind. Of the first n factual examples, WrongShare·n rounded to a whole
	// number are wrong, for every n. Prompts do not depend on it.
	WrongShare float64
}

// SkillInfo describes one skill of the generator.
type SkillInfo struct {
	Name    string
	About   string
	Factual bool     // WrongShare applies to it
	Tasks   []string // its sub-tasks
}

// Skills lists the skills that Generate knows, in alphabetical order.
func Skills() []SkillInfo {
	var out []SkillInfo
	for _, s := range skills {
		info := SkillInfo{Name: s.name, About: s.about, Factual: s.factual}
		for _, t := range s.tasks {
			info.Tasks = append(info.Tasks, t.name)
		}
		out = append(out, info)
	}
	return out
}

// skill is a family of sub-tasks.
type skill struct {
	name, about string
	factual     bool
	tasks       []subtask
}

// subtask makes examples of one kind. Its phrasings are templates over the slots of the item.
type subtask struct {
	name string
	ask  []string
	make func(d *draw) item
}

// item is one example before it is phrased.
type item struct {
	slots  []string // name, value, name, value, …
	answer string
	refs   []string
	wrong  []string // other values of the same kind; for factual skills
	key    string   // what the example is about, when the slots do not say all of it
	about  string   // what the example is about, when the slots say more than that: a fact, a word
}

// content is what decides to which split an item belongs, whatever its phrasing.
func (it *item) content() string {
	if it.about != "" {
		return it.about
	}
	parts := []string{it.key}
	for i := 1; i < len(it.slots); i += 2 {
		parts = append(parts, strings.ToLower(it.slots[i]))
	}
	return strings.Join(parts, "|")
}

// skills in alphabetical order; the files gen_skill_*.go hold them.
var skills = func() []skill {
	all := []skill{recallSkill(), truthSkill(), readingSkill, topicSkill, sentimentSkill, arithmeticSkill, listSkill, letterSkill,
		comparisonSkill, describeSkill, extractSkill, rewriteSkill, timeSkill, groupSkill, conditionSkill, translateSkill,
		formSkill, copySkill, repairSkill, patternSkill, trackSkill}
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	return all
}()

const (
	testContent = 4   // one content in testContent belongs to the test part
	testPrompt  = 3   // and one prompt in testPrompt
	drawLimit   = 500 // draws in a row that give nothing new, after which a sub-task counts as used up
)

// inSplit tells whether an example belongs to the test part or to the training part; many belong to neither. A test
// example is one whose content and whose prompt both hash into the test's share, a training example one of which
// neither does. So no prompt can be in both, and neither can an input (a list, a fact asked for, a passage) under
// different phrasings.
func inSplit(test bool, content, prompt string) bool {
	return (hash64("content|"+content)%testContent == 0) == test && (hash64("prompt|"+prompt)%testPrompt == 0) == test
}

// Generate makes a set of examples of instruction tasks with known answers; no prompt occurs twice. It is a pure function of
// its arguments. Size 500 begins with the rows of Size 250. Each run of as many rows as there are skills holds one row
// of each skill, in random order, and the sub-tasks of a skill take turns.
//
// The splits "train" and "test" share no prompt and no input, for any two seeds (see inSplit).
//
// Errors: an unknown skill; numbers out of range; a Size for which a skill has too few different prompts, with
// both numbers.
func Generate(cfg GenConfig) (*Set, error) {
	chosen, test, err := cfg.check()
	if err != nil {
		return nil, err
	}
	name := cfg.Name
	if name == "" {
		name = "generated"
	}
	cover := newCoverage(cfg.Seed, cfg.Breadth)
	part := "train"
	if test {
		part = "test"
	}
	makers := make([]*maker, len(chosen))
	for i, s := range chosen {
		makers[i] = newMaker(s, cover, tensor.NewRNG(cfg.Seed, "generate/"+part+"/"+s.name), test)
	}
	order := tensor.NewRNG(cfg.Seed, "generate/"+part+"/order")
	set := &Set{Name: name, Rows: make([]Example, 0, cfg.Size)}
	seen := map[string]bool{}
	factual := 0
	for len(set.Rows) < cfg.Size {
		for _, k := range order.Perm(len(makers)) {
			if len(set.Rows) == cfg.Size {
				break
			}
			m := makers[k]
			e, wrong, ok := m.next(seen)
			if !ok {
				return nil, fmt.Errorf("data.Generate: skill %s (%s, breadth %g): about %d different prompts; %d wanted; ask for fewer examples, more skills or more breadth",
					m.skill.name, part, cover.breadth, m.made, (cfg.Size+len(makers)-1)/len(makers))
			}
			e.Source, e.Row = name, len(set.Rows)
			if m.skill.factual {
				before := rounded(cfg.WrongShare, factual)
				factual++
				if rounded(cfg.WrongShare, factual) > before {
					r := tensor.NewRNG(cfg.Seed, fmt.Sprintf("generate/%s/wrong/%d", part, e.Row))
					e.Answer, e.Refs, e.Wrong = wrong[r.Intn(len(wrong))], nil, true
				}
			}
			set.Rows = append(set.Rows, e)
		}
	}
	return set, nil
}

func rounded(share float64, n int) int { return int(share*float64(n) + 0.5) }

// check returns the chosen skills.
func (cfg *GenConfig) check() (chosen []*skill, test bool, err error) {
	fail := func(format string, args ...any) ([]*skill, bool, error) {
		return nil, false, fmt.Errorf("data.Generate: "+format, args...)
	}
	switch {
	case cfg.Size < 1:
		return fail("size is %d; wanted at least 1", cfg.Size)
	case !(cfg.Breadth >= 0 && cfg.Breadth <= 1):
		return fail("breadth is %g; wanted more than 0 and at most 1, or 0 for 1", cfg.Breadth)
	case !(cfg.WrongShare >= 0 && cfg.WrongShare <= 1):
		return fail("wrong share is %g; wanted 0 to 1", cfg.WrongShare)
	case cfg.Split != "" && cfg.Split != "train" && cfg.Split != "test":
		return fail("split is %q; wanted train or test", cfg.Split)
	}
	names := map[string]*skill{}
	var all []string
	for i := range skills {
		names[skills[i].name] = &skills[i]
		all = append(all, skills[i].name)
	}
	for _, n := range append(append([]string(nil), cfg.Skills...), cfg.Exclude...) {
		if names[n] == nil {
			return fail("no skill %q; there are %s", n, strings.Join(all, ", "))
		}
	}
	for _, n := range all {
		if (cfg.Skills == nil || has(cfg.Skills, n)) && !has(cfg.Exclude, n) {
			chosen = append(chosen, names[n])
		}
	}
	if len(chosen) == 0 {
		return fail("no skill is left; %d were named and %d excluded", len(cfg.Skills), len(cfg.Exclude))
	}
	if cfg.NumSkills < 0 || cfg.NumSkills > len(chosen) {
		return fail("%d skills were asked for; there are %d", cfg.NumSkills, len(chosen))
	}
	if cfg.NumSkills > 0 {
		var some []*skill
		for _, i := range tensor.NewRNG(cfg.Seed, "generate/skills").Perm(len(chosen))[:cfg.NumSkills] {
			some = append(some, chosen[i])
		}
		chosen = some
	}
	return chosen, cfg.Split == "test", nil
}

// maker makes the rows of one skill.
type maker struct {
	skill *skill
	d     *draw
	test  bool
	tasks []coveredTask // those that are not used up
	turn  int
	made  int
}

type coveredTask struct {
	*subtask
	ask []string // the phrasings that are covered
}

func newMaker(s *skill, cover *coverage, r *tensor.RNG, test bool) *maker {
	m := &maker{skill: s, d: &draw{r: r, cover: cover}, test: test}
	for _, i := range cover.part("tasks/"+s.name, len(s.tasks), 1) {
		t := coveredTask{subtask: &s.tasks[i]}
		for _, j := range cover.part("phrasings/"+s.name+"/"+t.name, len(t.subtask.ask), 2) {
			t.ask = append(t.ask, t.subtask.ask[j])
		}
		m.tasks = append(m.tasks, t)
	}
	return m
}

// next returns an example whose prompt is not in seen, and puts it there. A sub-task that gives nothing new any more
// leaves its turns to the others of its skill; false means that none is left.
func (m *maker) next(seen map[string]bool) (e Example, wrong []string, ok bool) {
	for len(m.tasks) > 0 {
		if m.turn >= len(m.tasks) {
			m.turn = 0
		}
		t := m.tasks[m.turn]
		for range drawLimit {
			it := t.make(m.d)
			prompt := fill(m.d.of(t.ask), it.slots...)
			if seen[prompt] || !inSplit(m.test, it.content(), prompt) {
				continue
			}
			seen[prompt] = true
			m.turn++
			m.made++
			for _, w := range it.wrong {
				if w != it.answer && !has(it.refs, w) {
					wrong = append(wrong, w)
				}
			}
			return Example{Prompt: prompt, Answer: it.answer, Refs: it.refs, Task: m.skill.name + "/" + t.name, Skill: m.skill.name}, wrong, true
		}
		m.tasks = append(m.tasks[:m.turn:m.turn], m.tasks[m.turn+1:]...)
	}
	return Example{}, nil, false
}
