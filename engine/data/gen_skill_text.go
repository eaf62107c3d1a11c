package data

import (
	"strings"
)

// The skills about sentences: topic, mood, records, rewriting, copying, repairing.

var topicNames = func() []string {
	var out []string
	for _, t := range topics {
		out = append(out, t.name)
	}
	return out
}()

var topicSkill = skill{
	name: "topic", about: "what a sentence is about",
	tasks: []subtask{
		{"name", []string{"What is the topic of this sentence? {s}", "Give the topic in one word: {s}", "{s}\nTopic:", "In one word, which subject does this text deal with?\n{s}",
			"Label the sentence with its topic.\n{s}", "Under which heading would a newspaper print this? {s}", "Classify by topic: {s}"}, func(d *draw) item {
			s, t := d.topicSentence()
			return item{slots: []string{"s", s}, answer: t}
		}},
		{"choose", []string{"Is this sentence about {o}? {s}", "{s}\nChoose the topic: {o}.", "Topics: {o}. Which one fits the text?\n{s}", "Does the writer deal with {o}?\n{s}",
			"Pick one of {o} as the topic of this: {s}"}, func(d *draw) item {
			s, t := d.topicSentence()
			o := d.shuffle([]string{t, d.other(topicNames, t)})
			return item{slots: []string{"s", s, "o", o[0] + " or " + o[1]}, answer: t}
		}},
		{"yes-no", []string{"Does this sentence deal with {t}? Answer yes or no.\n{s}", "Yes or no: the topic is {t}.\n{s}", "{s}\nIs {t} the topic here? Reply yes or no.",
			"Say yes if the text is about {t}, and no if it is not: {s}"}, func(d *draw) item {
			s, t := d.topicSentence()
			if d.oneIn(2) {
				return yesNo(true, "s", s, "t", t)
			}
			return yesNo(false, "s", s, "t", d.other(topicNames, t))
		}},
		{"which-sentence", []string{"Which sentence is about {t}, the first or the second?\n{s}\n{r}", "First: {s}\nSecond: {r}\nWhich of the two deals with {t}? Answer first or second.",
			"Two sentences: {s} {r} Say first or second: which one has the topic {t}?", "Only one of these is about {t}. Write first or second.\n{s}\n{r}"}, func(d *draw) item {
			s, t := d.topicSentence()
			r, u := d.topicSentence()
			for u == t {
				r, u = d.topicSentence()
			}
			if d.oneIn(2) {
				return item{slots: []string{"t", t, "s", s, "r", r}, answer: "first"}
			}
			return item{slots: []string{"t", u, "s", s, "r", r}, answer: "second"}
		}},
	},
}

var sentimentSkill = skill{
	name: "sentiment", about: "whether a sentence is friendly or not",
	tasks: []subtask{
		{"polarity", []string{"Is the sentiment positive or negative? {s}", "{s}\nSentiment:", "Classify the review as positive or negative: {s}", "Label the opinion, positive or negative.\n{s}",
			"Decide: positive or negative?\n{s}", "Read this and name its sentiment (positive, negative): {s}"}, func(d *draw) item {
			s, m := d.moodSentence()
			return item{slots: []string{"s", s}, answer: m}
		}},
		{"yes-no", []string{"Is this person pleased? Answer yes or no.\n{s}", "{s}\nDid the speaker like it, yes or no?", "Would you call this a good review? Yes or no.\n{s}",
			"Say yes if this is praise and no if it is a complaint: {s}"}, func(d *draw) item {
			s, m := d.moodSentence()
			return yesNo(m == "positive", "s", s)
		}},
		{"praise", []string{"Is this praise or a complaint? {s}", "Answer praise or complaint: {s}", "{s}\nPraise or complaint?", "Sort this letter under praise or complaint.\n{s}"}, func(d *draw) item {
			s, m := d.moodSentence()
			if m == "positive" {
				return item{slots: []string{"s", s}, answer: "praise"}
			}
			return item{slots: []string{"s", s}, answer: "complaint"}
		}},
		{"which-sentence", []string{"Which sentence is the friendlier one, the first or the second?\n{s}\n{r}", "First: {s}\nSecond: {r}\nWhich is positive? Answer first or second.",
			"One of these two is a complaint, the other is not. Is the positive one first or second?\n{s}\n{r}", "Write first or second for the sentence that praises something.\n{s}\n{r}"}, func(d *draw) item {
			s, m := d.moodSentence()
			r, k := d.moodSentence()
			for k == m {
				r, k = d.moodSentence()
			}
			it := item{slots: []string{"s", s, "r", r}, answer: "second"}
			if m == "positive" {
				it.answer = "first"
			}
			return it
		}},
	},
}

func describeTask(name string, make func(d *draw) card) subtask {
	return subtask{name: name,
		ask: []string{"Write a sentence from this record.\n{r}", "Turn the data into one sentence: {r}", "{r}\nSay this in a full sentence.", "Make a sentence out of these fields: {r}",
			"Describe the following in words.\n{r}", "Put this record into plain English: {r}", "Data: {r}\nText:"},
		make: func(d *draw) item {
			c := make(d)
			ways := c.sentences()
			return item{slots: []string{"r", c.record(" | ", ": ")}, answer: ways[0], refs: ways[1:]}
		}}
}

var describeSkill = skill{
	name: "describe", about: "a record put into a sentence",
	tasks: []subtask{describeTask("person", (*draw).personCard), describeTask("place", (*draw).eatingPlace), describeTask("thing", (*draw).goods)},
}

func extractTask(name string, make func(d *draw) card) subtask {
	return subtask{name: name,
		ask: []string{"Write the record for this sentence. Fields: {f}\n{s}", "Fill in the fields {f}.\n{s}", "Get {f} from the sentence as a record: {s}", "{s}\nMake a record with {f}.",
			"Turn this into data with the fields {f}: {s}"},
		make: func(d *draw) item {
			c := make(d)
			var names []string
			for _, f := range c.fields {
				names = append(names, f[0])
			}
			return item{slots: []string{"s", d.of(c.sentences()), "f", strings.Join(names, ", ")}, answer: c.record(" | ", ": ")}
		}}
}

var extractSkill = skill{
	name: "extract", about: "a record, or one field of it, out of a sentence",
	tasks: []subtask{extractTask("person", (*draw).personCard), extractTask("place", (*draw).eatingPlace), extractTask("thing", (*draw).goods),
		{"field", []string{"Extract the {f}: {s}", "{s}\nReturn only the {f}.", "Which {f} does this sentence give? {s}", "Sentence: {s}\n{F}:", "Copy the {f} from this sentence.\n{s}"}, func(d *draw) item {
			c := d.card()
			f := c.fields[d.r.Intn(len(c.fields))]
			return item{slots: []string{"s", d.of(c.sentences()), "f", f[0]}, answer: f[1]}
		}},
		{"record-field", []string{"{r}\nGive only the {f}.", "Look up the {f} in this record: {r}", "Record: {r}\nWhich {f} is in it?", "What does the record say under {f}? {r}"}, func(d *draw) item {
			c := d.card()
			f := c.fields[d.r.Intn(len(c.fields))]
			return item{slots: []string{"r", c.record(" | ", ": "), "f", f[0]}, answer: f[1]}
		}},
	},
}

// clause is a sentence "The baker painted a door" in pieces.
type clause struct {
	who, thing string
	v          verb
}

func (d *draw) clause() clause {
	c := clause{who: "the " + d.pick(jobs), thing: d.pick(things), v: d.verbs(1)[0]}
	if d.oneIn(3) {
		c.who = d.pick(firstNames)
	}
	return c
}

func (c clause) past() string { return upperFirst(c.who) + " " + c.v.past + " the " + c.thing + "." }
func (c clause) present() string {
	return upperFirst(c.who) + " " + c.v.third + " the " + c.thing + "."
}

// sentence makes a rewriting item of two forms of one clause.
func rewriteTask(name string, ask []string, from, to func(c clause) string) subtask {
	return subtask{name, ask, func(d *draw) item {
		c := d.clause()
		return item{slots: []string{"s", from(c)}, key: name, answer: to(c)}
	}}
}

var rewriteSkill = skill{
	name: "rewrite", about: "a sentence put into another form",
	tasks: []subtask{
		rewriteTask("past", []string{"Put this into the past tense: {s}", "Rewrite as if it happened yesterday.\n{s}", "{s}\nSame sentence in the past tense:", "Change the tense to past. {s}"},
			clause.present, clause.past),
		rewriteTask("present", []string{"Put this into the present tense: {s}", "Rewrite as if it happens now.\n{s}", "{s}\nSame sentence in the present tense:", "Change the tense to present. {s}"},
			clause.past, clause.present),
		rewriteTask("future", []string{"Put this into the future with will: {s}", "Rewrite as if it will happen tomorrow.\n{s}", "{s}\nSame sentence in the future tense:", "Change the tense to future. {s}"},
			clause.past, func(c clause) string { return upperFirst(c.who) + " will " + c.v.base + " the " + c.thing + "." }),
		rewriteTask("negative", []string{"Make this negative: {s}", "Say that it is not so.\n{s}", "{s}\nWrite the opposite with did not.", "Turn into a sentence with not: {s}", "Deny this: {s}"},
			clause.past, func(c clause) string { return upperFirst(c.who) + " did not " + c.v.base + " the " + c.thing + "." }),
		rewriteTask("question", []string{"Turn this into a yes-no question: {s}", "Ask whether this is so.\n{s}", "{s}\nMake a question that begins with did.", "Rewrite the statement as a question: {s}"},
			clause.past, func(c clause) string { return "Did " + c.who + " " + c.v.base + " the " + c.thing + "?" }),
		rewriteTask("passive", []string{"Put this into the passive: {s}", "Begin the sentence with the thing instead of the person.\n{s}", "{s}\nRewrite in the passive voice.", "Change active to passive: {s}"},
			clause.past, func(c clause) string { return "The " + c.thing + " was " + c.v.part + " by " + c.who + "." }),
		rewriteTask("active", []string{"Put this into the active: {s}", "Begin the sentence with the one who did it.\n{s}", "{s}\nRewrite in the active voice.", "Change passive to active: {s}"},
			func(c clause) string { return "The " + c.thing + " was " + c.v.part + " by " + c.who + "." }, clause.past),
		rewriteTask("plural", []string{"Put the thing into the plural: {s}", "Rewrite with more than one thing.\n{s}", "{s}\nSame sentence, but with several things:", "Change the last noun to its plural. {s}"},
			clause.past, func(c clause) string { return upperFirst(c.who) + " " + c.v.past + " the " + plural(c.thing) + "." }),
		{"pronoun", []string{"Replace the name by he or she: {s}", "Use a pronoun instead of {n}.\n{s}", "{s}\nWrite it again without the name, with he or she.", "Rewrite with a pronoun for {n}: {s}"}, func(d *draw) item {
			c := d.clause()
			c.who = d.pick(firstNames)
			n := c.who
			s := c.past()
			c.who = he(n)
			return item{slots: []string{"n", n, "s", s}, key: "pronoun", answer: c.past()}
		}},
	},
}

var copySkill = skill{
	name: "copy", about: "a piece of the text given back, filled in or exchanged",
	tasks: []subtask{
		{"quote", []string{"Repeat only what is in quotes: {s}", "What exactly did {n} say? {s}", "{s}\nCopy the words between the quotes.", "Write down the quoted words and nothing else.\n{s}"}, func(d *draw) item {
			n := d.pick(firstNames)
			q := fill(d.of([]string{"the {x} is in the {p}", "bring me the {x}", "I lost my {x}", "do not open the {x}", "leave the {x} in the {p}"}), "x", d.pick(things), "p", d.pick(places))
			return item{slots: []string{"n", n, "s", fill(d.of([]string{`{n} said “{q}” {when}.`, `“{q}”, said {n} {when}.`, `{When} {n} said “{q}”.`}), "n", n, "q", q, "when", d.pick(times))}, answer: q}
		}},
		{"gap", []string{"Fill the gap with a word from the first sentence.\n{s} {g}", "{s}\nComplete: {g}", "Read: {s}\nWhich word is missing here? {g}", "First: {s}\nThen: {g}\nWrite the missing word."}, func(d *draw) item {
			c := d.clause()
			col, p := d.pick(hues), d.pick(places)
			s := upperFirst(c.who) + " " + c.v.past + " the " + col + " " + c.thing + " in the " + p + "."
			switch d.r.Intn(3) {
			case 0:
				return item{slots: []string{"s", s, "g", "The " + c.thing + " is ___."}, answer: col}
			case 1:
				return item{slots: []string{"s", s, "g", "The " + c.thing + " was in the ___."}, answer: p}
			default:
				return item{slots: []string{"s", s, "g", "It was the " + col + " ___."}, answer: c.thing}
			}
		}},
		{"repeat", []string{"Write the word {w} {k} times.", "{K} times {w}, please, with spaces between.", "Say {w} {k} times in a row.", "Repeat {w} until it stands there {k} times."}, func(d *draw) item {
			w, k := d.pick(nouns), d.between(2, 5)
			return item{slots: []string{"w", w, "k", spell(k)}, answer: strings.TrimSpace(strings.Repeat(w+" ", k))}
		}},
		{"replace", []string{"Replace {a} by {b}: {s}", "Write the sentence with {b} instead of {a}.\n{s}", "{s}\nExchange the word {a} for {b}.", "Take out {a}, put in {b}: {s}"}, func(d *draw) item {
			c := d.clause()
			b := d.other(d.words(things), c.thing)
			s := c.past()
			a := c.thing
			c.thing = b
			return item{slots: []string{"a", a, "b", b, "s", s}, answer: c.past()}
		}},
		{"next-word", []string{"Which word comes right after {w} in this sentence? {s}", "{s}\nGive the word that follows {w}.", "In the sentence below, what stands directly behind the word {w}?\n{s}", "Find {w} in the text and write the next word: {s}"}, func(d *draw) item {
			ws := []string{"the", d.pick(hues), d.pick(nouns), "and", "the", d.pick(adjectives), d.pick(things)}
			for ws[1] == ws[5] || ws[2] == ws[6] {
				ws[5], ws[6] = d.pick(adjectives), d.pick(things)
			}
			i := d.of([]string{"1", "2", "5"})
			at := int(i[0] - '0')
			return item{slots: []string{"w", ws[at], "s", upperFirst(strings.Join(ws, " ")) + "."}, answer: ws[at+1]}
		}},
		{"sentence", []string{"Copy only the second sentence.\n{a} {b}", "Repeat the last sentence of this text: {a} {b}", "{a} {b}\nWrite the second sentence again.", "Leave out the first sentence: {a} {b}"}, func(d *draw) item {
			a, b := d.clause(), d.clause()
			return item{slots: []string{"a", a.past(), "b", b.past()}, answer: b.past()}
		}},
	},
}

var repairSkill = skill{
	name: "repair", about: "a sentence with one mistake put right",
	tasks: []subtask{
		{"capital", []string{"Put in the missing capital letters: {s}", "Correct the capital letters.\n{s}", "{s}\nWrite this with capitals where they belong.", "All capitals are lost here. Put them back: {s}"}, func(d *draw) item {
			s := d.plainSentence()
			return item{slots: []string{"s", strings.ToLower(s)}, answer: s}
		}},
		{"doubled", []string{"One word stands there twice. Remove it: {s}", "Delete the repeated word.\n{s}", "{s}\nCorrect the doubled word.", "Fix the typing mistake (a word was typed twice): {s}"}, func(d *draw) item {
			s := d.plainSentence()
			ws := strings.Fields(s)
			i := d.between(1, len(ws)-2)
			bad := append(append(append([]string(nil), ws[:i+1]...), ws[i]), ws[i+1:]...)
			return item{slots: []string{"s", strings.Join(bad, " ")}, answer: s}
		}},
		{"stop", []string{"Add the missing mark at the end: {s}", "Finish this with a full stop or a question mark.\n{s}", "{s}\nThe last mark is missing. Write the whole line again.", "Put the right mark at the end of this: {s}"}, func(d *draw) item {
			s := d.plainSentence()
			if d.oneIn(2) {
				c := d.clause()
				s = "Did " + c.who + " " + c.v.base + " the " + c.thing + "?"
			}
			return item{slots: []string{"s", s[:len(s)-1]}, answer: s}
		}},
		{"article", []string{"Choose a or an and write the sentence: {s}", "Correct the sentence by writing a or an.\n{s}", "{s}\nWhich is right, a or an? Write it out.", "Write this with the right one of a/an: {s}"}, func(d *draw) item {
			w := d.pick(fruits)
			if d.oneIn(2) {
				w = d.pick(beasts)
			}
			who, v := upperFirst(d.clause().who), d.of([]string{"saw", "found", "drew", "wanted", "bought"})
			return item{slots: []string{"s", who + " " + v + " a/an " + w + "."}, answer: who + " " + v + " " + a(w) + "."}
		}},
		{"order", []string{"Put the words in the right order: {s}", "These words are mixed up. Write the sentence.\n{s}", "{s}\nMake a sentence of these words.", "Sort the words into a sentence that begins with {n}: {s}"}, func(d *draw) item {
			c := d.clause()
			c.who = d.pick(firstNames)
			ws := strings.Fields(strings.TrimSuffix(c.past(), "."))
			mixed := d.shuffle(ws)
			for strings.Join(mixed, " ") == strings.Join(ws, " ") {
				mixed = d.shuffle(ws)
			}
			return item{slots: []string{"n", c.who, "s", strings.Join(mixed, " ")}, answer: c.past()}
		}},
	},
}

// plainSentence is a sentence with a name in it.
func (d *draw) plainSentence() string {
	c := d.clause()
	c.who = d.pick(firstNames)
	s := c.past()
	switch d.r.Intn(3) {
	case 0:
		s = strings.TrimSuffix(s, ".") + " in " + d.pick(placeNames) + "."
	case 1:
		s = strings.TrimSuffix(s, ".") + " on " + d.pick(weekdays) + "."
	}
	return s
}
