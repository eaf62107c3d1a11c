package data

import (
	"fmt"
	"iter"
	"sort"
	"strconv"
	"strings"

	"tunebook/engine/tensor"
)

// PretrainText returns document i of the plain text that a base model is pretrained on: a pure function of (seed, i),
// 30 to 120 words long as a rule. Half of the documents tell facts of the world that the closed-book skills ask for; the others
// are made-up passages with questions and answers in prose, lists, sums, records and lines about words, numbers and
// days. There are no instructions in it and none of the instruction skills' wordings.
//
// Every fact of the world is stated. Questions with answers are there for 60 % of the facts only (by the fact, the same
// for every seed), so that answering about the others has to be learned from statements.
func PretrainText(seed int64, i int) string {
	d := &draw{r: tensor.NewRNG(seed, "pretrain/"+strconv.Itoa(i))}
	k := d.pretrainKind()
	text := k.write(d)
	for strings.Count(text, " ") < minDocument-1 {
		text += " " + k.write(d)
	}
	return text
}

// minDocument is the least number of words of a document.
const minDocument = 30

func (d *draw) pretrainKind() *pretrainKind {
	total := 0
	for i := range pretrainKinds {
		total += pretrainKinds[i].weight
	}
	at := d.r.Intn(total)
	for i := range pretrainKinds {
		if at -= pretrainKinds[i].weight; at < 0 {
			return &pretrainKinds[i]
		}
	}
	panic("data: the weights of the pretraining texts do not add up")
}

// PretrainTexts yields documents 0, 1, 2, … without end.
func PretrainTexts(seed int64) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := 0; yield(i, PretrainText(seed, i)); i++ {
		}
	}
}

type pretrainKind struct {
	name   string
	weight int
	write  func(d *draw) string
}

// pretrainKinds is the mix of the text, in documents.
var pretrainKinds = []pretrainKind{
	{"person", 20, personText},
	{"town", 6, townText},
	{"creature", 6, creatureText},
	{"world talk", 14, worldTalk},
	{"world sheet", 4, worldSheet},
	{"passage", 16, passageText},
	{"records", 7, recordText},
	{"lists", 7, listText},
	{"words", 6, wordText},
	{"sums", 7, sumText},
	{"days", 3, dayText},
	{"groups", 4, groupText},
	{"forms", 5, formText},
	{"glossary", 5, glossaryText},
	{"moods", 5, moodText},
	{"comparisons", 4, comparisonText},
	{"belongings", 4, belongingsText},
}

// doc collects the sentences of one document.
type doc struct {
	d     *draw
	parts []string
}

func (t *doc) add(sentences ...string) { t.parts = append(t.parts, sentences...) }
func (t *doc) addf(format string, args ...any) {
	t.parts = append(t.parts, fmt.Sprintf(format, args...))
}
func (t *doc) say(pairs []string, ways ...string) { t.add(fill(t.d.of(ways), pairs...)) }
func (t *doc) String() string                     { return strings.Join(t.parts, " ") }

// factsOf returns n facts about one subject in random order.
func (d *draw) factsOf(subject string, n int) []*fact {
	fs := theWorld().of[subject]
	var out []*fact
	for _, i := range d.r.Perm(len(fs)) {
		if len(out) < n {
			out = append(out, fs[i])
		}
	}
	return out
}

func (d *draw) say(f *fact) string { return f.text(d.of(f.rel.say)) }

// told states facts about one subject in running text: whole statements and clauses after the name or a pronoun.
func (t *doc) told(subject string, fs []*fact, pronoun string) {
	for i := 0; i < len(fs); i++ {
		f := fs[i]
		switch k := t.d.r.Intn(10); {
		case k < 4 || i == 0:
			t.add(upperFirst(t.d.say(f)))
		case k < 7 && i+1 < len(fs):
			g := fs[i+1]
			t.addf("%s %s and %s.", upperFirst(subject), f.text(t.d.of(f.rel.clause)), g.text(t.d.of(g.rel.clause)))
			i++
		case k < 9:
			t.addf("%s %s.", pronoun, f.text(t.d.of(f.rel.clause)))
		default:
			t.addf("%s %s.", upperFirst(subject), f.text(t.d.of(f.rel.clause)))
		}
	}
}

func personText(d *draw) string {
	w, t := theWorld(), &doc{d: d}
	p := d.of(w.people)
	t.told(p, d.factsOf(p, d.between(4, 8)), upperFirst(he(p)))
	if d.oneIn(2) {
		// a second person with the same relations, so that facts are told apart by name
		q := d.other(w.people, p)
		t.told(q, d.factsOf(q, d.between(2, 3)), upperFirst(he(q)))
	}
	return t.String()
}

func townText(d *draw) string {
	w, t := theWorld(), &doc{d: d}
	town := d.of(w.towns)
	t.told(town, d.factsOf(town, d.between(3, 6)), "The town")
	var here []*fact
	for _, f := range w.about["person/town"] {
		if f.value == town {
			here = append(here, f)
		}
	}
	for range min(2, len(here)) {
		f := here[d.r.Intn(len(here))]
		t.add(d.say(f))
		g := d.factsOf(f.subject, 1)[0]
		t.add(upperFirst(d.say(g)))
	}
	return t.String()
}

func creatureText(d *draw) string {
	w, t := theWorld(), &doc{d: d}
	for _, b := range d.someOf(w.beasts, d.between(2, 3)) {
		fs := d.factsOf(b, d.between(2, 4))
		for i, f := range fs {
			if i > 0 && d.oneIn(2) {
				t.addf("It %s.", f.text(d.of(f.rel.clause)))
				continue
			}
			t.add(upperFirst(d.say(f)))
		}
	}
	return t.String()
}

// worldTalk asks and answers about facts that are not held out, in prose or as a talk.
func worldTalk(d *draw) string {
	w, t := theWorld(), &doc{d: d}
	talk := d.oneIn(3)
	for range d.between(3, 5) {
		f := &w.facts[d.r.Intn(len(w.facts))]
		if f.heldOut() {
			t.add(upperFirst(d.say(f)))
			continue
		}
		q, v := f.text(d.of(f.rel.plain)), upperFirst(f.value)
		full := upperFirst(d.say(f))
		switch d.r.Intn(4) {
		case 0:
			v = full
		case 1:
			v = v + ". " + full
		default:
			v += "."
		}
		switch {
		case talk:
			n := d.some(firstNames, 2)
			t.addf(d.of([]string{"“%s” asks %s. “%s” says %s.", "“%s” asked %s. “%s” answered %s."}), q, n[0], v, n[1])
		default:
			t.addf("%s %s", q, v)
		}
	}
	// what a thing is not, and yes and no
	f := &w.facts[d.r.Intn(len(w.facts))]
	if !f.heldOut() {
		if d.oneIn(2) {
			t.addf("Is it so that %s? Yes.", f.text(d.of(f.rel.truth)))
		} else {
			g := *f
			g.value = d.other(f.rel.values, f.value)
			t.addf("Is it so that %s? No, %s.", g.text(d.of(f.rel.truth)), f.text(d.of(f.rel.truth)))
		}
	}
	return t.String()
}

// worldSheet lists facts as a table of the world's book would.
func worldSheet(d *draw) string {
	w, t := theWorld(), &doc{d: d}
	switch d.r.Intn(3) {
	case 0:
		for _, p := range d.someOf(w.people, d.between(3, 4)) {
			fs := d.factsOf(p, d.between(2, 4))
			var parts []string
			for _, f := range fs {
				_, key, _ := strings.Cut(f.rel.key, "/")
				parts = append(parts, key+" "+f.value)
			}
			t.addf("%s: %s.", p, strings.Join(parts, ", "))
		}
	case 1: // who shares something
		rel := personRelations[d.r.Intn(len(personRelations)-2)]
		fs := w.about[rel.key]
		f := fs[d.r.Intn(len(fs))]
		for _, i := range d.r.Perm(len(fs)) {
			if g := fs[i]; g.value == f.value && len(t.parts) < 6 {
				t.add(upperFirst(d.say(g)))
			}
		}
		for range 2 {
			g := fs[d.r.Intn(len(fs))]
			t.add(upperFirst(d.say(g)))
		}
	default: // two people compared
		ps := d.someOf(w.people, 2)
		for i, f := range w.of[ps[0]] {
			g := w.of[ps[1]][i]
			if f.rel.key == "person/month" || d.oneIn(2) {
				continue
			}
			t.addf("%s %s, but %s %s.", f.subject, f.text(f.rel.clause[0]), g.subject, g.text(g.rel.clause[0]))
		}
		t.add(upperFirst(d.say(w.of[ps[0]][d.r.Intn(8)])), upperFirst(d.say(w.of[ps[1]][d.r.Intn(8)])))
	}
	return t.String()
}

// passageText is a made-up passage, or two, followed by questions with answers from it.
func passageText(d *draw) string {
	t := &doc{d: d}
	for range d.between(1, 2) {
		s := d.scene()
		t.add(s.text...)
		n := d.between(1, min(4, len(s.asked)))
		for _, i := range d.r.Perm(len(s.asked))[:n] {
			q := s.asked[i]
			if q.kind == "who" && d.oneIn(3) {
				t.addf("%s was %s.", upperFirst(q.told), q.answer)
				continue
			}
			t.addf("%s %s.", q.plain, upperFirst(q.answer))
		}
	}
	return t.String()
}

func recordText(d *draw) string {
	t := &doc{d: d}
	for range d.between(2, 3) {
		c := d.card()
		sep := d.of([]string{"; ", ", ", " | ", ". "})
		card := c.record(sep, ": ")
		if d.oneIn(2) {
			t.add(card+".", d.of(c.sentences()))
		} else {
			t.add(d.of(c.sentences()), card+".")
		}
		if d.oneIn(2) {
			f := c.fields[d.r.Intn(len(c.fields))]
			t.addf("The %s is %s.", f[0], f[1])
		}
	}
	return t.String()
}

func listText(d *draw) string {
	t := &doc{d: d}
	ws := d.some(nouns, d.between(3, 6))
	list := strings.Join(ws, ", ")
	sorted := append([]string(nil), ws...)
	sort.Strings(sorted)
	back := reversed(ws)
	t.addf(d.of([]string{"On the list there are %s.", "The list says: %s.", "I wrote down %s.", "On the wall I read: %s."}), list)
	say := []string{
		fmt.Sprintf("The list begins with %s and ends with %s.", ws[0], ws[len(ws)-1]),
		fmt.Sprintf("There are %s words in it.", spell(len(ws))),
		fmt.Sprintf("From a to z they are %s.", strings.Join(sorted, ", ")),
		fmt.Sprintf("From back to front they are %s.", strings.Join(back, ", ")),
		fmt.Sprintf("The first one is %s, the second one is %s.", ws[0], ws[1]),
		fmt.Sprintf("After %s comes %s.", ws[1], ws[2]),
		fmt.Sprintf("Before %s comes %s.", ws[1], ws[0]),
		fmt.Sprintf("Without %s the list is %s.", ws[1], strings.Join(without(ws, ws[1]), ", ")),
		fmt.Sprintf("With a bell at the end it would be %s, bell.", list),
	}
	if l := longest(ws); l != "" {
		say = append(say, fmt.Sprintf("The longest word of them is %s.", l))
	}
	if s := shortest(ws); s != "" {
		say = append(say, fmt.Sprintf("The shortest word of them is %s.", s))
	}
	t.add(d.shuffle(say)[:d.between(3, 5)]...)
	return t.String()
}

func wordText(d *draw) string {
	t := &doc{d: d}
	for _, w := range d.some(nouns, d.between(3, 4)) {
		cap := strings.ToUpper(w)
		say := []string{
			fmt.Sprintf("In capitals %s is %s.", w, cap),
			fmt.Sprintf("%s in small letters is %s.", cap, w),
			fmt.Sprintf("The word %s begins with %s and ends with %s.", w, w[:1], w[len(w)-1:]),
			fmt.Sprintf("%s has %s letters: %s.", upperFirst(w), spell(len(w)), spaced(w)),
			fmt.Sprintf("Letter by letter %s is %s.", w, spaced(w)),
		}
		t.add(d.shuffle(say)[:d.between(2, 3)]...)
		x := d.pick(things)
		t.addf("One %s, two %s.", x, plural(x))
	}
	ns := d.some(firstNames, 2)
	last := d.pick(worldLast)
	t.addf("The initials of %s %s are %s. %s. The initials of %s %s are %s. %s.", ns[0], last, ns[0][:1], last[:1], ns[1], last, ns[1][:1], last[:1])
	x := d.some(nouns, 2)
	t.addf("%s and %s together make %s.", upperFirst(x[0]), x[1], x[0]+"-"+x[1])
	return t.String()
}

func sumText(d *draw) string {
	t := &doc{d: d}
	for range d.between(3, 5) {
		a, b := d.between(1, 20), d.between(1, 20)
		switch d.r.Intn(6) {
		case 0:
			t.addf("%d + %d = %d.", a, b, a+b)
		case 1:
			t.addf("%d - %d = %d.", max(a, b), min(a, b), max(a, b)-min(a, b))
		case 2:
			m, k := d.between(2, 9), d.between(2, 9)
			t.addf("%d times %d is %d.", m, k, m*k)
		case 3:
			t.addf("%d and %d make %d.", a, b, a+b)
		case 4:
			t.addf("%s is more than %s.", upperFirst(spell(a)), spell(d.r.Intn(a)))
		default:
			t.addf("The double of %d is %d, and half of %d is %d.", a, 2*a, 2*b, b)
		}
	}
	n, x := d.pick(firstNames), plural(d.pick(fruits))
	a, b := d.between(2, 20), d.between(1, 20)
	if a > b && d.oneIn(2) {
		t.addf("%s had %d %s and gave away %d of them. %d - %d = %d, so %d %s were left.", n, a, x, b, a, b, a-b, a-b, x)
		if a-b == 1 {
			t.parts[len(t.parts)-1] = fmt.Sprintf("%s had %d %s and gave away %d of them. %d - %d = %d, so only 1 was left.", n, a, x, b, a, b, a-b)
		}
	} else {
		t.addf("%s had %d %s and found %d more. %d + %d = %d, so now there are %d %s.", n, a, x, b, a, b, a+b, a+b, x)
	}
	return t.String()
}

func dayText(d *draw) string {
	t := &doc{d: d}
	for range d.between(3, 4) {
		i := d.r.Intn(7)
		day := func(k int) string { return weekdays.words[(i+k+14)%7] }
		m := d.r.Intn(12)
		month := func(k int) string { return months.words[(m+k+24)%12] }
		n := d.pick(firstNames)
		h, k := d.between(1, 6), d.between(1, 5)
		t.add(d.of([]string{
			fmt.Sprintf("After %s comes %s.", day(0), day(1)),
			fmt.Sprintf("The day before %s is %s.", day(0), day(-1)),
			fmt.Sprintf("Today is %s, so tomorrow is %s and yesterday was %s.", day(0), day(1), day(-1)),
			fmt.Sprintf("Two days after %s it is %s.", day(0), day(2)),
			fmt.Sprintf("After %s comes %s.", month(0), month(1)),
			fmt.Sprintf("The month before %s is %s.", month(0), month(-1)),
			fmt.Sprintf("%s left at %d and came back %d hours later, at %d.", n, h, k+1, h+k+1),
			fmt.Sprintf("%s came on %s and stayed three days, until %s.", n, day(0), day(3)),
		}))
	}
	n := d.some(firstNames, 3)
	v := d.verbs(3)
	x := d.some(things, 3)
	t.addf("First %s %s the %s, then %s %s the %s, and at last %s %s the %s. %s was before %s.",
		n[0], v[0].past, x[0], n[1], v[1].past, x[1], n[2], v[2].past, x[2], n[0], n[1])
	return t.String()
}

func groupText(d *draw) string {
	t := &doc{d: d}
	for range d.between(2, 3) {
		c := d.category()
		ms := c.clear(d, 3)
		e := d.category(c.one)
		x := e.clear(d, 1)[0]
		t.add(d.of([]string{
			fmt.Sprintf("%s are %s.", upperFirst(and(pluralAll(ms, c))), c.many),
			fmt.Sprintf("%s is %s.", upperFirst(article(ms[0], c)), a(c.one)),
			fmt.Sprintf("Among the %s there are %s.", c.many, and(ms)),
		}))
		t.add(d.of([]string{
			fmt.Sprintf("%s is not %s but %s.", upperFirst(article(x, e)), a(c.one), a(e.one)),
			fmt.Sprintf("%s: three of them are %s, but %s is %s.", upperFirst(strings.Join(append(ms, x), ", ")), c.many, article(x, e), a(e.one)),
		}))
	}
	return t.String()
}

func formText(d *draw) string {
	t := &doc{d: d}
	for range d.between(2, 4) {
		v := d.verbs(1)[0]
		j, x := d.pick(jobs), d.pick(things)
		o := opposites[d.r.Intn(len(opposites))]
		if d.oneIn(2) {
			o[0], o[1] = o[1], o[0]
		}
		n := d.some(firstNames, 2)
		q := d.some(things, 1)[0]
		t.add(d.of([]string{
			fmt.Sprintf("Today the %s %s %s. Yesterday the %s %s %s. Tomorrow the %s will %s %s.", j, v.third, a(x), j, v.past, a(x), j, v.base, a(x)),
			fmt.Sprintf("The %s %s the %s, so the %s was %s by the %s.", j, v.past, x, x, v.part, j),
			fmt.Sprintf("One %s is on the table, but two %s are on the floor.", x, plural(x)),
			fmt.Sprintf("The opposite of %s is %s.", o[0], o[1]),
			fmt.Sprintf("What is not %s may be %s.", o[0], o[1]),
			fmt.Sprintf("%s %s the %s. %s did not %s the %s.", n[0], v.past, x, n[1], v.base, x),
			fmt.Sprintf("Does the %s %s the %s? Yes, the %s %s it.", j, v.base, q, j, v.third),
			fmt.Sprintf("%s said: “I %s the %s.” So %s %s the %s.", n[0], v.past, x, n[0], v.past, x),
		}))
	}
	return t.String()
}

func glossaryText(d *draw) string {
	t := &doc{d: d}
	t.addf(d.of([]string{"In the old tongue of %s every thing has another name.", "These are words of %s.", "So one speaks %s."}), tongue)
	for range d.between(4, 7) {
		g := glossary[d.r.Intn(len(glossary))]
		t.add(d.of([]string{
			fmt.Sprintf("%s means %s.", upperFirst(g[1]), g[0]),
			fmt.Sprintf("The word for %s is %s.", g[0], g[1]),
			fmt.Sprintf("%s is called %s.", upperFirst(g[0]), g[1]),
		}))
	}
	e, v := d.velani(d.between(2, 4))
	t.addf("“%s” means “%s”.", v, e)
	return t.String()
}

func moodText(d *draw) string {
	t := &doc{d: d}
	for range d.between(2, 3) {
		if d.oneIn(2) {
			s, mood := d.moodSentence()
			t.add(s)
			t.addf(d.of([]string{"That was a %s thing to say.", "It sounds %s.", "The words are %s."}), mood)
			continue
		}
		s, topic := d.topicSentence()
		t.add(s)
		t.addf(d.of([]string{"This is about %s.", "People talk a lot about %s.", "Here the talk is of %s."}), topic)
	}
	return t.String()
}

func comparisonText(d *draw) string {
	t := &doc{d: d}
	for range d.between(2, 3) {
		c := d.comparison()
		t.add(c.text, c.plain, upperFirst(c.answer)+".")
		t.addf("%s is %s than %s.", c.answer, c.more, c.loser)
	}
	return t.String()
}

// belongingsText is a short story in which things change place or owner; it says where they end up.
func belongingsText(d *draw) string {
	t := &doc{d: d}
	for range 2 {
		m := d.track()
		t.add(m.text)
		t.addf("%s %s.", m.plain, upperFirst(m.answer))
	}
	return t.String()
}

func reversed(ws []string) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[len(ws)-1-i] = w
	}
	return out
}

func without(ws []string, w string) []string {
	var out []string
	for _, x := range ws {
		if x != w {
			out = append(out, x)
		}
	}
	return out
}

// longest returns the one longest word, or nothing when two words share that length; shortest likewise.
func longest(ws []string) string {
	return extreme(ws, func(a, b int) bool { return a > b })
}

func shortest(ws []string) string {
	return extreme(ws, func(a, b int) bool { return a < b })
}

func extreme(ws []string, better func(a, b int) bool) string {
	best, ties := ws[0], 1
	for _, w := range ws[1:] {
		switch {
		case better(len(w), len(best)):
			best, ties = w, 1
		case len(w) == len(best):
			ties++
		}
	}
	if ties > 1 {
		return ""
	}
	return best
}

// spaced writes a word letter by letter: "p l u m".
func spaced(w string) string { return strings.Join(strings.Split(w, ""), " ") }
