package data

import (
	"fmt"
	"strconv"
	"strings"
)

// The skills about numbers, comparisons, time, things that move, and translation.

func sum(key string, answer int, slots ...any) item {
	it := item{key: key, answer: strconv.Itoa(answer)}
	for _, s := range slots {
		it.slots = append(it.slots, fmt.Sprint(s))
	}
	return it
}

var arithmeticSkill = skill{
	name: "arithmetic", about: "sums and small word problems",
	tasks: []subtask{
		{"add", []string{"What is {a} + {b}?", "Add {a} and {b}.", "Work out {a} plus {b}.", "{a} + {b} =", "Give the sum of {a} and {b}.", "How much is {a} and {b} together?"}, func(d *draw) item {
			a, b := d.between(1, 60), d.between(1, 39)
			return sum("add", a+b, "a", a, "b", b)
		}},
		{"subtract", []string{"What is {a} - {b}?", "Take {b} away from {a}.", "Work out {a} minus {b}.", "{a} - {b} =", "How much is left of {a} without {b}?", "Give the difference of {a} and {b}."}, func(d *draw) item {
			b := d.between(1, 39)
			a := b + d.between(1, 60)
			return sum("subtract", a-b, "a", a, "b", b)
		}},
		{"multiply", []string{"What is {a} times {b}?", "Multiply {a} by {b}.", "Work out {a} x {b}.", "{a} x {b} =", "Give the product of {a} and {b}."}, func(d *draw) item {
			a, b := d.between(2, 12), d.between(2, 12)
			return sum("multiply", a*b, "a", a, "b", b)
		}},
		{"three", []string{"Add up {a}, {b} and {c}.", "What do {a}, {b} and {c} make?", "{a} + {b} + {c} =", "Total of {a}, {b}, {c}:"}, func(d *draw) item {
			a, b, c := d.between(1, 20), d.between(1, 20), d.between(1, 20)
			return sum("three", a+b+c, "a", a, "b", b, "c", c)
		}},
		{"get-more", []string{"{n} has {a} {x} and {way} {b} more. How many {x} does {he} have now?", "Solve: {n} owns {a} {x}, then {he} {way} {b} others. Number of {x}?",
			"How many {x} are there in the end? {n} has {a} {x}. {He} {way} {b} more.", "{n} has {a} {x}. {He} {way} another {b}. Give the total."}, func(d *draw) item {
			a, b, n := d.between(2, 40), d.between(2, 20), d.pick(firstNames)
			return sum("more", a+b, "n", n, "he", he(n), "a", a, "b", b, "x", d.countable(), "way", d.of([]string{"buys", "finds", "gets", "wins"}))
		}},
		{"give-away", []string{"{n} has {a} {x} and {way} {b} of them. How many {x} are left?", "Solve: of {a} {x}, {n} {way} {b}. How many remain?", "How many {x} does {n} keep? {He} has {a} and {way} {b}.",
			"{n} has {a} {x}. {He} {way} {b}. Give the rest."}, func(d *draw) item {
			b, n := d.between(2, 20), d.pick(firstNames)
			a := b + d.between(2, 30)
			return sum("fewer", a-b, "n", n, "he", he(n), "a", a, "b", b, "x", d.countable(), "way", d.of([]string{"sells", "loses", "gives away", "hides"}))
		}},
		{"together", []string{"{n} has {a} {x} and {m} has {b}. How many do they have together?", "Count the {x} of both: {n} has {a}, {m} has {b}.", "{m} owns {b} {x}, {n} owns {a}. What is the total?", "How many {x} are {a} from {n} and {b} from {m}?"}, func(d *draw) item {
			a, b, n := d.between(2, 40), d.between(2, 40), d.some(firstNames, 2)
			return sum("together", a+b, "n", n[0], "m", n[1], "a", a, "b", b, "x", d.countable())
		}},
		{"price", []string{"One {x} costs {p} coins. What do {k} {xs} cost?", "What must {n} pay for {k} {xs} at {p} coins each?", "{n} buys {k} {xs}. Each costs {p} coins. Give the price in coins.", "Price of one {x}: {p} coins. Price of {k}?"}, func(d *draw) item {
			p, k, x := d.between(2, 10), d.between(2, 9), d.pick(things)
			return sum("price", p*k, "p", p, "k", k, "x", x, "xs", plural(x), "n", d.pick(firstNames))
		}},
		{"missing", []string{"Which number is missing? {a} + ? = {c}", "What must I add to {a} to get {c}?", "From {a} to {c}: how much more?", "{a} plus some number makes {c}. Which number?"}, func(d *draw) item {
			a, b := d.between(1, 40), d.between(1, 30)
			return sum("missing", b, "a", a, "c", a+b)
		}},
		{"double", []string{"Double the number {a}.", "What is twice {a}?", "Add {a} to itself.", "{a} doubled is"}, func(d *draw) item {
			a := d.between(1, 150)
			return sum("double", 2*a, "a", a)
		}},
		{"half", []string{"Halve the number {a}.", "What is one half of {a}?", "Two children share {a} nuts. How many does each get?", "{a} divided by two is"}, func(d *draw) item {
			a := d.between(1, 150)
			return sum("half", a, "a", 2*a)
		}},
		{"words", []string{"Work out, and answer in words: {a} plus {b}", "Answer with a word: how much is {a} and {b}?", "Spell out the sum of {a} and {b}.", "{A} and {b}: write the total as a word."}, func(d *draw) item {
			a := d.between(1, 13)
			b := d.between(1, 20-a)
			return item{slots: []string{"a", spell(a), "b", spell(b)}, key: "words", answer: spell(a + b)}
		}},
	},
}

// countable is the plural of something one has many of.
func (d *draw) countable() string {
	if d.oneIn(2) {
		return plural(d.pick(things))
	}
	return plural(d.pick(fruits))
}

func comparisonTask(name string, ask []string, answer func(c comparison) string) subtask {
	return subtask{name, ask, func(d *draw) item {
		c := d.comparison()
		return item{slots: []string{"s", c.text, "more", c.more, "less", c.less, "w", strings.TrimPrefix(strings.ToLower(c.noun), "which ")}, key: name, answer: answer(c)}
	}}
}

var comparisonSkill = skill{
	name: "comparison", about: "which of several is older, taller, nearer or larger",
	tasks: []subtask{
		comparisonTask("more", []string{"{s}\nName the one that is {more}.", "Which of the two is {more}? {s}", "{s} Now tell me which one is {more}.", "Compare and write the name of the {more} one.\n{s}", "Find the {more} of the two: {s}"}, func(c comparison) string { return c.answer }),
		comparisonTask("less", []string{"{s}\nName the one that is {less}.", "Which of the two is {less}? {s}", "{s} Now tell me which one is {less}.", "Compare and write the name of the {less} one.\n{s}", "Find the {less} of the two: {s}"}, func(c comparison) string { return c.loser }),
		comparisonTask("difference", []string{"{s}\nBy how much do the two numbers differ?", "Give the difference of the numbers in the text: {s}", "{s} How large is the gap between the numbers?", "Subtract the smaller number from the larger one. {s}"},
			func(c comparison) string { return strconv.Itoa(c.big - c.small) }),
		comparisonTask("sentence", []string{"{s}\nCompare the two in one sentence with {more} than.", "Write a comparison with the words is {more} than: {s}", "{s} Say it with {more} than.", "Make one sentence out of these two, with {more} than.\n{s}"},
			func(c comparison) string { return c.answer + " is " + c.more + " than " + c.loser + "." }),
		{"largest", []string{"Which number is the largest? {list}", "Find the biggest of these numbers: {list}", "{list}\nMaximum:", "Write the greatest number of {list}."}, func(d *draw) item {
			ns, texts := d.numbers(4)
			return item{slots: []string{"list", texts}, key: "largest", answer: strconv.Itoa(max(ns[0], ns[1], ns[2], ns[3]))}
		}},
		{"smallest", []string{"Which number is the smallest? {list}", "Find the lowest of these numbers: {list}", "{list}\nMinimum:", "Write the least number of {list}."}, func(d *draw) item {
			ns, texts := d.numbers(4)
			return item{slots: []string{"list", texts}, key: "smallest", answer: strconv.Itoa(min(ns[0], ns[1], ns[2], ns[3]))}
		}},
		{"is-more", []string{"Is {a} more than {b}? Answer yes or no.", "Yes or no: {a} is larger than {b}.", "{a} against {b}: is the first number the larger one? Yes or no.", "Say yes if {a} is above {b}, otherwise no."}, func(d *draw) item {
			ns, _ := d.numbers(2)
			return yesNo(ns[0] > ns[1], "a", strconv.Itoa(ns[0]), "b", strconv.Itoa(ns[1]))
		}},
		{"chain", []string{"{s}\nWho is the {most}?", "Name the {most} of the three. {s}", "{s} Which of the three is the {most}?", "Put them in order and give the {most}: {s}"}, func(d *draw) item {
			n := d.some(firstNames, 3)
			w := [][3]string{{"older", "oldest", "youngest"}, {"taller", "tallest", "smallest"}, {"faster", "fastest", "slowest"}, {"richer", "richest", "poorest"}}[d.r.Intn(4)]
			s := []string{n[0] + " is " + w[0] + " than " + n[1] + ".", n[1] + " is " + w[0] + " than " + n[2] + "."}
			if d.oneIn(2) {
				s[0], s[1] = s[1], s[0]
			}
			it := item{slots: []string{"s", s[0] + " " + s[1], "most", w[1]}, answer: n[0]}
			if d.oneIn(2) {
				it.slots[3], it.answer = w[2], n[2]
			}
			return it
		}},
	},
}

// numbers draws n different numbers below 100.
func (d *draw) numbers(n int) (ns []int, text string) {
	ts := d.someOf(numbers(1, 99), n)
	for _, t := range ts {
		k, _ := strconv.Atoi(t)
		ns = append(ns, k)
	}
	return ns, commas(ts)
}

func cycle(ws []string, i, k int) string { return ws[((i+k)%len(ws)+len(ws))%len(ws)] }

var timeSkill = skill{
	name: "time", about: "days, months, hours and the order of events",
	tasks: []subtask{
		{"days-later", []string{"{n} arrives on {d} and leaves {k} days later. On which day does {he} leave?", "Which day is {k} days after {d}, when {n} comes?", "{n} comes on {d}. {K} days later {he} goes. Name the day.", "Count on from {d}: {n} needs {k} days. On what day is {he} ready?"}, func(d *draw) item {
			n, i, k := d.pick(firstNames), d.r.Intn(7), d.between(2, 6)
			return item{slots: []string{"n", n, "he", he(n), "d", weekdays.words[i], "k", spell(k)}, answer: cycle(weekdays.words, i, k)}
		}},
		{"day-before", []string{"{n} has to be in {t} on {d} and travels the day before. When does {he} travel?", "The party of {n} in {t} is on {d}. Name the day before it.", "{n} leaves {t} one day before {d}. Which day is that?", "On {d} {n} is in {t}. What day was the one before?"}, func(d *draw) item {
			n, i := d.pick(firstNames), d.r.Intn(7)
			return item{slots: []string{"n", n, "he", he(n), "t", d.pick(placeNames), "d", weekdays.words[i]}, answer: cycle(weekdays.words, i, -1)}
		}},
		{"day-after", []string{"{n} was in {t} on {d} and came home the day after. When did {he} come home?", "The market of {t} is on {d}, and {n} comes one day too late. On which day?", "{n} leaves {t} one day after {d}. Which day is that?", "On {d} {n} is in {t}. What day is the one after?"}, func(d *draw) item {
			n, i := d.pick(firstNames), d.r.Intn(7)
			return item{slots: []string{"n", n, "he", he(n), "t", d.pick(placeNames), "d", weekdays.words[i]}, answer: cycle(weekdays.words, i, 1)}
		}},
		{"month", []string{"{n} began to {v} the {x} in {m} and ended one month later. In which month?", "It was {m} when {n} came to {v} the {x}. Name the month after it.", "{n} will {v} the {x} in the month after {m}. Which month is that?", "One month after {m}, {n} can {v} the {x}. Name that month."}, func(d *draw) item {
			i := d.r.Intn(12)
			return item{slots: []string{"n", d.pick(firstNames), "v", d.of([]string{"paint", "repair", "build", "clean", "draw", "mend"}), "x", d.pick(things), "m", months.words[i]}, answer: cycle(months.words, i, 1)}
		}},
		{"hours", []string{"{n} leaves at {h} and needs {k} hours. At what time does {he} arrive?", "A train starts at {h} with {n} in it. The trip lasts {k} hours. When does it arrive?", "{n} slept for {k} hours from {h} on. At what time did {he} wake up?", "Work of {k} hours, begun by {n} at {h}: when is it done?"}, func(d *draw) item {
			h, n := d.between(1, 9), d.pick(firstNames)
			k := d.between(2, 12-h)
			return sum("hours", h+k, "n", n, "he", he(n), "h", h, "k", k)
		}},
		{"what-first", []string{"Who did something first? {s}", "{s}\nGive the name of the one who was first.", "Who began? {s}", "Put the events in order and name who came first.\n{s}"}, func(d *draw) item { return d.events(true) }},
		{"what-last", []string{"Who did something last? {s}", "{s}\nGive the name of the one who was last.", "Whose turn came at the end? {s}", "Put the events in order and name who came last.\n{s}"}, func(d *draw) item { return d.events(false) }},
		{"between", []string{"Which day lies between {a} and {b}? {n} wants to know.", "{n} is free on {a} and on {b}. Name the day between.", "Tell {n} the day that comes after {a} and before {b}.", "Between {a} and {b} {n} rests for a day. Which one?"}, func(d *draw) item {
			i := d.r.Intn(7)
			return item{slots: []string{"a", weekdays.words[i], "b", cycle(weekdays.words, i, 2), "n", d.pick(firstNames)}, answer: cycle(weekdays.words, i, 1)}
		}},
	},
}

// events is a text about two things that happened, told in either order; the answer is the one who was first or last.
func (d *draw) events(first bool) item {
	n, v, x := d.some(firstNames, 2), d.verbs(2), d.some(things, 2)
	p := []string{"n", n[0], "m", n[1], "v", v[0].past, "w", v[1].past, "x", x[0], "y", x[1]}
	s := fill(d.of([]string{"{n} {v} the {x} before {m} {w} the {y}.", "{m} {w} the {y} after {n} {v} the {x}.", "First {n} {v} the {x}, then {m} {w} the {y}.",
		"Before {m} {w} the {y}, {n} {v} the {x}.", "After {n} {v} the {x}, {m} {w} the {y}."}), p...)
	if first {
		return item{slots: []string{"s", s}, key: "first", answer: n[0]}
	}
	return item{slots: []string{"s", s}, key: "last", answer: n[1]}
}

var trackSkill = skill{
	name: "tracking", about: "where a thing is, or who has it, after a few moves",
	tasks: []subtask{
		trackTask("where", false, []string{"{s}\nIn which place is the {x} in the end?", "Follow the {x}. Where does it end up? {s}", "{s} To get the {x}, to which place must I go?", "Track the {x} and name its last place: {s}"},
			func(t *track, d *draw) string { return t.answer }),
		trackTask("who", true, []string{"{s}\nTo whom does the {x} belong in the end?", "Follow the {x}. Who ends up with it? {s}", "{s} Whom should I ask for the {x}?", "Track the {x} and name its last owner: {s}"},
			func(t *track, d *draw) string { return t.answer }),
		{"place-yes-no", []string{"{s}\nIs the {x} in the {p} at the end? Answer yes or no.", "Yes or no: in the end the {x} is in the {p}. {s}", "{s} Will I find the {x} in the {p}? Yes or no.", "Say yes if the {x} ends up in the {p}, otherwise no: {s}"}, func(d *draw) item {
			t := d.trackOf(false)
			if d.oneIn(2) {
				return yesNo(true, "s", t.text, "x", t.thing, "p", t.answer)
			}
			return yesNo(false, "s", t.text, "x", t.thing, "p", d.other(t.others, t.answer))
		}},
		{"count", []string{"{s} How many {xs} are in the box now?", "Count the {xs} in the box: {s}", "{s}\nNumber of {xs} in the box:", "Follow what happens and say how many {xs} the box holds. {s}"}, func(d *draw) item {
			a, b, x, n := d.between(2, 9), d.between(1, 6), d.pick(fruits), d.some(firstNames, 2)
			xs := plural(x)
			if d.oneIn(2) {
				return item{slots: []string{"s", fmt.Sprintf("%s put %s %s in the box. %s put %s more in.", n[0], spell(a), xs, n[1], spell(b)), "xs", xs}, answer: spell(a + b)}
			}
			b = min(b, a)
			return item{slots: []string{"s", fmt.Sprintf("%s put %s %s in the box. %s took %s out.", n[0], spell(a), xs, n[1], spell(b)), "xs", xs}, answer: spell(a - b)}
		}},
	},
}

func (d *draw) trackOf(owner bool) track {
	for {
		if t := d.track(); t.owner == owner {
			return t
		}
	}
}

func trackTask(name string, owner bool, ask []string, answer func(t *track, d *draw) string) subtask {
	return subtask{name, ask, func(d *draw) item {
		t := d.trackOf(owner)
		return item{slots: []string{"s", t.text, "x", t.thing}, answer: answer(&t, d)}
	}}
}

func velaniTask(name string, n int, back bool, ask []string) subtask {
	return subtask{name, ask, func(d *draw) item {
		e, v := d.velani(n)
		it := item{slots: []string{"s", e, "n", d.pick(firstNames)}, about: "velani|" + e, answer: v}
		if back {
			it.slots[1], it.answer = v, e
		}
		return it
	}}
}

var translateSkill = skill{
	name: "translate", about: "words and phrases into an invented language and back",
	tasks: []subtask{
		velaniTask("word", 1, false, []string{"Tell {n} the Velani word for {s}.", "{n} wants to say {s} in Velani. Which word is it?", "Translate into Velani for {n}: {s}", "In Velani, how does {n} say {s}?"}),
		velaniTask("word-back", 1, true, []string{"Tell {n} the English word for {s}.", "{n} says {s} in Velani. What is it in English?", "Translate from Velani for {n}: {s}", "Which English word does {n} mean by the Velani word {s}?"}),
		velaniTask("phrase", 2, false, []string{"Translate into Velani: {s}", "Say {s} in Velani.", "Write these two words in Velani: {s}", "English: {s}\nVelani:"}),
		velaniTask("phrase-back", 2, true, []string{"Translate from Velani: {s}", "Say {s} in English.", "Write these two Velani words in English: {s}", "Velani: {s}\nEnglish:"}),
		velaniTask("sentence", 4, false, []string{"Translate word for word into Velani: {s}", "Write this sentence in Velani: {s}", "{s}\nThe same in Velani:", "How would a speaker of Velani say: {s}?"}),
		velaniTask("sentence-back", 4, true, []string{"Translate word for word from Velani: {s}", "Write this Velani sentence in English: {s}", "{s}\nThe same in English:", "What does a speaker of Velani mean by: {s}?"}),
		{"glossary", []string{"Words: {g}. Translate: {s}", "Use this list of words ({g}) to translate {s}.", "{g}\nWith these words, put into English: {s}", "A language has the words {g}. What does {s} mean?"}, func(d *draw) item {
			ws, ns := d.list(4, 4), lower(d.some(worldLast, 4)) // a language made up on the spot
			i := d.r.Perm(4)[:2]
			var g []string
			for k := range ws {
				g = append(g, ns[k]+" = "+ws[k])
			}
			return item{slots: []string{"g", commas(g), "s", ns[i[0]] + " " + ns[i[1]]}, answer: ws[i[0]] + " " + ws[i[1]]}
		}},
	},
}
