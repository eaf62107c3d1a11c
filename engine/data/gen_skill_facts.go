package data

import "strings"

// The factual skills: what the world says, what a passage says, and which group a word belongs to.

// someFact draws a fact of one relation. Breadth does not narrow the subjects.
func (d *draw) someFact(rel *relation) *fact {
	fs := theWorld().about[rel.key]
	return fs[d.r.Intn(len(fs))]
}

func allRelations() []*relation {
	return append(append(append([]*relation(nil), personRelations...), townRelations...), beastRelations...)
}

func recallSkill() skill {
	s := skill{name: "recall", about: "facts of the invented world, asked without a text", factual: true}
	for _, rel := range allRelations() {
		s.tasks = append(s.tasks, subtask{
			name: strings.ReplaceAll(rel.key, "/", "-"),
			ask:  rel.ask,
			make: func(d *draw) item {
				f := d.someFact(rel)
				return item{slots: []string{"x", f.subject, "he", he(f.subject), "his", his(f.subject)}, about: rel.key + "|" + f.subject, answer: f.value, wrong: rel.values}
			},
		})
	}
	return s
}

// statement is a true or false sentence about the world, without the full stop.
func (d *draw) statement(rels []*relation) (s string, right bool) {
	f := *d.someFact(rels[d.r.Intn(len(rels))])
	right = d.oneIn(2)
	if !right {
		f.value = d.other(f.rel.values, f.value)
	}
	return f.text(d.of(f.rel.truth)), right
}

func truthSkill() skill {
	s := skill{name: "truth", about: "whether a statement about the invented world is true", factual: true}
	for _, g := range []struct {
		kind string
		rels []*relation
	}{{"person", personRelations}, {"town", townRelations}, {"creature", beastRelations}} {
		s.tasks = append(s.tasks, subtask{
			name: g.kind + "-yes-no",
			ask: []string{"Answer yes or no: {s}, right?", "{S}. Is that correct? Answer yes or no.", "Yes or no: {s}.", "Can I believe that {s}? Say yes or no.",
				"Somebody claims that {s}. Is the claim right, yes or no?", "Check this and reply yes or no: {s}.", "Is the following so (yes or no)? {S}."},
			make: func(d *draw) item {
				s, right := d.statement(g.rels)
				return yesNo(right, "s", s)
			},
		}, subtask{
			name: g.kind + "-true-false",
			ask: []string{"True or false? {S}.", "Decide whether this is true or false: {s}.", "{S}. True or false?", "Label the statement as true or false: {S}.",
				"Mark as true or false.\n{S}.", "Fact check, true or false: {s}."},
			make: func(d *draw) item {
				s, right := d.statement(g.rels)
				it := item{slots: []string{"s", s}, answer: "false", wrong: []string{"true"}}
				if right {
					it.answer, it.wrong = "true", []string{"false"}
				}
				return it
			},
		})
	}
	return s
}

// yesNo is an item that is answered with yes or no.
func yesNo(yes bool, slots ...string) item {
	if yes {
		return item{slots: slots, answer: "yes", wrong: []string{"no"}}
	}
	return item{slots: slots, answer: "no", wrong: []string{"yes"}}
}

var readingAsk = []string{"Read the text and answer the question.\n{p}\n{q}", "{p}\nQuestion: {q}", "Text: {p}\nUse the text to answer: {q}",
	"{q}\nThe answer is in this text: {p}", "From the text below, give {t}.\n{p}", "{p}\nAccording to this, tell me {t}.", "Look for {t} in the text below.\n{p}",
	"Passage: {p}\nBased on the passage, {ql}"}

func readingTask(kind string) subtask {
	return subtask{
		name: strings.ReplaceAll(kind, " ", "-"),
		ask:  readingAsk,
		make: func(d *draw) item {
			s, q := d.sceneWith(kind)
			if kind == "where" { // "library", as other scenes have it
				q.answer = strings.TrimPrefix(q.answer, "the ")
				others := make([]string, len(q.others))
				for i, o := range q.others {
					others[i] = strings.TrimPrefix(o, "the ")
				}
				q.others = others
			}
			return item{slots: []string{"p", s.String(), "q", q.plain, "ql", strings.ToLower(q.plain[:1]) + q.plain[1:], "t", q.told}, answer: q.answer, wrong: q.others}
		},
	}
}

var readingSkill = skill{
	name: "reading", about: "a question about a short made-up passage; the answer is a piece of it", factual: true,
	tasks: []subtask{readingTask("where"), readingTask("who"), readingTask("what"), readingTask("when"), readingTask("why"), readingTask("how many"), readingTask("which")},
}

// groupNames are the names of all groups, for wrong answers.
var groupNames = func() []string {
	var out []string
	for _, c := range categories {
		out = append(out, c.one)
	}
	return out
}()

var groupSkill = skill{
	name: "groups", about: "which group a word belongs to, and which word does not belong", factual: true,
	tasks: []subtask{
		{"odd-one-out", []string{"Which word does not belong with the others? {list}", "Find the odd one out: {list}", "One of these is of another kind. Which one?\n{list}",
			"{list}: which of these does not fit?", "Pick the word that is not like the rest.\n{list}", "Name the one that should not be in this list: {list}"}, func(d *draw) item {
			c := d.category()
			ms := c.clear(d, 3)
			e := d.category(c.one)
			x := e.clear(d, 1)[0]
			return item{slots: []string{"list", strings.Join(d.shuffle(append(append([]string(nil), ms...), x)), ", ")}, answer: x, wrong: ms}
		}},
		{"kind", []string{"What kind of thing is meant by {w}: {o}?", "Choose the group for the word {w}: {o}", "Put {w} into the right group. Groups: {o}",
			"{o}: which of these fits the word {w}?", "Which group has {w} in it: {o}?", "Sort the word {w} under one of these: {o}"}, func(d *draw) item {
			c := d.category()
			e := d.category(c.one)
			f := d.category(c.one, e.one)
			opts := d.shuffle([]string{c.one, e.one, f.one})
			return item{slots: []string{"w", c.clear(d, 1)[0], "o", opts[0] + ", " + opts[1] + " or " + opts[2]}, answer: c.one, wrong: opts}
		}},
		{"find-member", []string{"Which word in this list is {a c}? {list}", "Find the {c} in the list: {list}", "{list}\nOne of them is {a c}. Write it down.",
			"Pick {a c} out of these: {list}", "Look for {a c} here: {list}", "Only one of these words means {a c}: {list}. Which?"}, func(d *draw) item {
			c := d.category()
			x := c.clear(d, 1)[0]
			var rest []string
			for len(rest) < 3 {
				if w := d.category(c.one).clear(d, 1)[0]; !has(rest, w) {
					rest = append(rest, w)
				}
			}
			return item{slots: []string{"c", c.one, "list", strings.Join(d.shuffle(append(append([]string(nil), rest...), x)), ", ")}, answer: x, wrong: rest}
		}},
		{"all-members", []string{"List only the {cs} from these words: {list}", "Keep the {cs} and leave out everything else: {list}", "{list}\nWrite down the {cs} among them.",
			"Which of these are {cs}? {list}", "Take the {cs} out of this list, in order: {list}"}, func(d *draw) item {
			c := d.category()
			e := d.category(c.one)
			ms, xs := c.clear(d, 2), e.clear(d, 2)
			list := d.shuffle(append(append([]string(nil), ms...), xs...))
			return item{slots: []string{"cs", c.many, "list", strings.Join(list, ", ")}, answer: strings.Join(keep(list, ms), ", "),
				wrong: []string{strings.Join(keep(list, xs), ", ")}}
		}},
		{"belongs", []string{"Is {ax} {a c}? Answer yes or no.", "Yes or no: {ax} is {a c}.", "Does the word {x} name {a c}? Reply with yes or no.",
			"Say yes if {x} belongs to the {cs}, otherwise no.", "Would you count {x} among the {cs}? Yes or no.", "Answer with yes or no. Do we find {ax} among the {cs}?"}, func(d *draw) item {
			c := d.category()
			yes := d.oneIn(2)
			e := c
			if !yes {
				e = d.category(c.one)
			}
			x := e.clear(d, 1)[0]
			it := yesNo(yes, "x", x, "ax", article(x, e), "c", c.one, "cs", c.many)
			return it
		}},
	},
}

// keep returns the words of list that are in of, in the order of list.
func keep(list, of []string) []string {
	var out []string
	for _, w := range list {
		if has(of, w) {
			out = append(out, w)
		}
	}
	return out
}
