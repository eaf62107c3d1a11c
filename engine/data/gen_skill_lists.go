package data

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// The skills about lists, letters, word forms and conditions.

// list draws from n to m different words.
func (d *draw) list(n, m int) []string { return d.some(nouns, d.between(n, m)) }

func commas(ws []string) string { return strings.Join(ws, ", ") }

func sorted(ws []string) []string {
	out := append([]string(nil), ws...)
	sort.Strings(out)
	return out
}

// listTask makes a task whose only input is a list; answer "" means that the list will not do.
func listTask(name string, ask []string, answer func(ws []string) string) subtask {
	return subtask{name, ask, func(d *draw) item {
		for tries := 0; ; tries++ {
			ws := d.list(3, 6)
			if tries > 100 { // a narrow pool whose words are all of one length
				ws = d.someOf(nouns.words, 3)
			}
			if a := answer(ws); a != "" {
				return item{slots: []string{"list", commas(ws)}, answer: a}
			}
		}
	}}
}

var listSkill = skill{
	name: "lists", about: "simple operations on a list of words",
	tasks: []subtask{
		listTask("first", []string{"What is the first word of this list? {list}", "{list}\nWrite the first item only.", "Give the word that opens the list: {list}", "Which word stands at the front of {list}?", "Take the first of these: {list}"},
			func(ws []string) string { return ws[0] }),
		listTask("last", []string{"What is the last word of this list? {list}", "{list}\nWrite the last item only.", "Give the word that closes the list: {list}", "Which word stands at the end of {list}?", "Take the last of these: {list}"},
			func(ws []string) string { return ws[len(ws)-1] }),
		{"nth", []string{"What is word number {k} of this list? {list}", "{list}\nWrite item {k} only.", "Give the word at place {k}: {list}", "Counting from one, which is number {k} here? {list}"}, func(d *draw) item {
			ws := d.list(3, 6)
			k := d.between(2, len(ws)-1)
			return item{slots: []string{"list", commas(ws), "k", strconv.Itoa(k)}, answer: ws[k-1]}
		}},
		listTask("count", []string{"How many words are in this list? {list}", "Count the items: {list}", "{list}\nNumber of words:", "Tell me how long this list is, in words: {list}", "Count: {list}"},
			func(ws []string) string { return spell(len(ws)) }),
		listTask("sort", []string{"Sort these words by the alphabet: {list}", "Put the list in alphabetical order.\n{list}", "{list}\nSort from a to z.", "Arrange as in a dictionary: {list}", "Order alphabetically: {list}"},
			func(ws []string) string { return commas(sorted(ws)) }),
		listTask("reverse", []string{"Reverse this list: {list}", "Write the list backwards, last word first.\n{list}", "{list}\nTurn the order round.", "Start with the last and end with the first: {list}"},
			func(ws []string) string { return commas(reversed(ws)) }),
		listTask("longest", []string{"Which word has the most letters? {list}", "{list}\nWrite the longest word.", "Find the longest one: {list}", "Of these words, name the longest. {list}"}, longest),
		listTask("shortest", []string{"Which word has the fewest letters? {list}", "{list}\nWrite the shortest word.", "Find the shortest one: {list}", "Of these words, name the shortest. {list}"}, shortest),
		{"remove", []string{"Remove {w} from this list: {list}", "{list}\nWrite it without {w}.", "Cross out {w}: {list}", "Leave out {w} and copy the rest: {list}"}, func(d *draw) item {
			ws := d.list(3, 6)
			w := d.of(ws)
			return item{slots: []string{"w", w, "list", commas(ws)}, answer: commas(without(ws, w))}
		}},
		{"append", []string{"Add {w} at the end of this list: {list}", "{list}\nWrite it with {w} as the last word.", "Put {w} behind the others: {list}", "Append {w} to {list}."}, func(d *draw) item {
			ws := d.list(3, 6)
			w := ws[0]
			return item{slots: []string{"w", w, "list", commas(ws[1:])}, answer: commas(append(append([]string(nil), ws[1:]...), w))}
		}},
		{"contains", []string{"Is {w} in this list? {list}", "{list}\nDoes it contain {w}? Answer yes or no.", "Yes or no: {w} is one of {list}.", "Look for {w} here and say yes or no: {list}"}, func(d *draw) item {
			ws := d.list(4, 6)
			if d.oneIn(2) {
				return yesNo(true, "w", d.of(ws), "list", commas(ws))
			}
			return yesNo(false, "w", ws[0], "list", commas(ws[1:]))
		}},
		{"after", []string{"Which word comes after {w} in the list? {list}", "{list}\nWrite the one behind {w}.", "Name the neighbour to the right of {w}: {list}", "In {list}, what follows {w}?"}, func(d *draw) item {
			ws := d.list(3, 6)
			k := d.between(0, len(ws)-2)
			return item{slots: []string{"w", ws[k], "list", commas(ws)}, answer: ws[k+1]}
		}},
	},
}

var letterSkill = skill{
	name: "letters", about: "operations on the letters of words",
	tasks: []subtask{
		{"upper", []string{"Write {w} in capitals.", "Make this upper case: {w}", "{w}\nAll in capital letters, please.", "Shout it: {w}", "Change {w} to big letters."}, func(d *draw) item {
			w := strings.Join(d.list(1, 2), " ")
			return item{slots: []string{"w", w}, answer: strings.ToUpper(w)}
		}},
		{"lower", []string{"Write {w} in small letters.", "Make this lower case: {w}", "{w}\nNo capitals, please.", "Do not shout: {w}", "Change {w} to small letters."}, func(d *draw) item {
			w := strings.Join(d.list(1, 2), " ")
			return item{slots: []string{"w", strings.ToUpper(w)}, answer: w}
		}},
		{"first-letter", []string{"What is the first letter of {w}?", "With which letter does {w} begin?", "Give the letter that {w} starts with.", "{w}: first letter?"}, func(d *draw) item {
			w := d.anyWord()
			return item{slots: []string{"w", w}, answer: w[:1]}
		}},
		{"last-letter", []string{"What is the last letter of {w}?", "With which letter does {w} end?", "Give the letter that {w} stops with.", "{w}: last letter?"}, func(d *draw) item {
			w := d.anyWord()
			return item{slots: []string{"w", w}, answer: w[len(w)-1:]}
		}},
		{"initials", []string{"What are the initials of {n}?", "Give the first letters of the name {n}.", "Shorten {n} to initials.", "{n}\nInitials:"}, func(d *draw) item {
			f, l := d.pick(firstNames), d.pick(placeNames)
			return item{slots: []string{"n", f + " " + l}, answer: f[:1] + ". " + l[:1] + "."}
		}},
		{"spell", []string{"Spell {w} letter by letter.", "Write {w} with a space after each letter.", "{w}\nPull the letters apart.", "How do you spell {w}? Put spaces between the letters."}, func(d *draw) item {
			w := d.anyWord()
			return item{slots: []string{"w", w}, answer: spaced(w)}
		}},
		{"join", []string{"Join {a} and {b} with a hyphen.", "Make one word with a hyphen: {a}, {b}", "Put a hyphen between {a} and {b}.", "{a} {b}\nWrite with a hyphen instead of the space."}, func(d *draw) item {
			ws := d.list(2, 2)
			return item{slots: []string{"a", ws[0], "b", ws[1]}, answer: ws[0] + "-" + ws[1]}
		}},
		{"first-letters", []string{"Write the first letter of each word: {list}", "{list}\nTake the first letters and join them.", "Which letters do these words begin with? Write them as one word: {list}", "Make a word from the first letters of {list}."}, func(d *draw) item {
			ws := d.list(3, 4)
			var b strings.Builder
			for _, w := range ws {
				b.WriteByte(w[0])
			}
			return item{slots: []string{"list", commas(ws)}, answer: b.String()}
		}},
		{"starts-with", []string{"Which of these begins with {c}? {list}", "Find the word that starts with the letter {c}: {list}", "{list}\nOnly one has {c} as its first letter. Which?", "Pick the word in {c}: {list}"}, func(d *draw) item {
			for tries := 0; ; tries++ {
				ws := d.list(3, 5)
				if tries > 100 { // a narrow pool whose words all begin alike
					ws = d.someOf(nouns.words, 3)
				}
				w := d.of(ws)
				n := 0
				for _, x := range ws {
					if x[0] == w[0] {
						n++
					}
				}
				if n == 1 {
					return item{slots: []string{"c", w[:1], "list", commas(ws)}, answer: w}
				}
			}
		}},
	},
}

// anyWord is a word of any list of single words.
func (d *draw) anyWord() string { return d.pick(wordLists[d.r.Intn(len(wordLists))]) }

var wordLists = []*pool{nouns, adjectives, things, foods, jobsOneWord, fruits, vegetables, birds, beasts, insects, tools, clothes, vehicles, pets, tunes, bodyParts}

var jobsOneWord = words("jobs of one word", strings.Join(jobs.words, " "))

// nounsInForms are countable nouns for plurals.
var nounsInForms = words("countable nouns", strings.Join(append(append(append(append([]string(nil), things.words...), beasts.words...), tools.words[:8]...), fruits.words...), " "))

// comparatives are adjectives with their comparative.
var comparatives = strings.Fields(`old/older young/younger tall/taller small/smaller big/bigger long/longer short/shorter warm/warmer cold/colder hot/hotter
	dark/darker bright/brighter soft/softer hard/harder fast/faster slow/slower clean/cleaner dirty/dirtier happy/happier heavy/heavier light/lighter
	wide/wider narrow/narrower rich/richer poor/poorer strong/stronger weak/weaker loud/louder quiet/quieter high/higher deep/deeper
	early/earlier late/later sweet/sweeter thick/thicker thin/thinner wet/wetter dry/drier cheap/cheaper kind/kinder easy/easier lazy/lazier`)

// antonyms are all opposites of a word: short is the opposite of tall and of long.
func antonyms(w string) []string {
	var out []string
	for _, p := range opposites {
		for k := range p {
			if p[k] == w && !has(out, p[1-k]) {
				out = append(out, p[1-k])
			}
		}
	}
	return out
}

var formSkill = skill{
	name: "forms", about: "opposites, plurals and other forms of a word",
	tasks: []subtask{
		{"opposite", []string{"What is the opposite of {w} in this line? {s}", "Write the line with the opposite of {w}.\n{s}", "{s}\nChange {w} to its opposite.", "Say the contrary by exchanging {w}: {s}"}, func(d *draw) item {
			o := thingOpposites[d.among("opposites of things", len(thingOpposites))]
			i := d.r.Intn(2)
			x := d.pick(things)
			ways := []string{"the {x} is {w}", "the {x} was {w}", "{n} thinks that the {x} is {w}", "the {x} of {n} is {w}"}
			way, n := d.of(ways), d.pick(firstNames)
			it := item{slots: []string{"w", o[i], "s", fill(way, "x", x, "w", o[i], "n", n)}, answer: fill(way, "x", x, "w", o[1-i], "n", n)}
			for _, other := range antonyms(o[i]) {
				if other != o[1-i] {
					it.refs = append(it.refs, fill(way, "x", x, "w", other, "n", n))
				}
			}
			return it
		}},
		{"antonym", []string{"{n} said {w}, but meant the opposite. Which word did {he} mean?", "In a game {n} calls out {w} and I must call the contrary. What do I call?",
			"{n} needs the opposite of the word {w}. Give it.", "Tell {n} which word means the contrary of {w}.", "A riddle of {n} asks for an antonym of {w}. Write it."}, func(d *draw) item {
			o := opposites[d.among("opposites", len(opposites))]
			i, n := d.r.Intn(2), d.pick(firstNames)
			return item{slots: []string{"w", o[i], "n", n, "he", he(n)}, about: "antonym|" + o[i], answer: o[1-i], refs: without(antonyms(o[i]), o[1-i])}
		}},
		{"plural", []string{"{n} has one {w} and wants two. Write the plural of that word.", "If {n} buys more than one {w}, what does {he} buy? One word.", "Give {n} the plural of {w}.",
			"{n} saw {a w}. Write the noun in the plural.", "How does {n} write {w} when there are several?"}, func(d *draw) item {
			w, n := d.pick(nounsInForms), d.pick(firstNames)
			return item{slots: []string{"w", w, "n", n, "he", he(n)}, about: "plural|" + w, answer: plural(w)}
		}},
		{"plural-phrase", []string{"Make this plural, with {k}: one {a} {w}", "Now there are {k}. Write it with the number: one {a} {w}", "One {a} {w}. With {k} of them, how do you write it?", "Change the number to {k}: one {a} {w}"}, func(d *draw) item {
			w, a, k := d.pick(nounsInForms), d.pick(hues), spell(d.between(2, 12))
			return item{slots: []string{"w", w, "a", a, "k", k}, answer: k + " " + a + " " + plural(w)}
		}},
		{"past", []string{"Yesterday {n} ___ the {x}. Put in the right form of {v}.", "{n} wants to {v} the {x}. Write only the verb, in the past.", "Past tense of {v}, please: {n} ___ the {x} last week.",
			"Which form of {v} is missing? Last year {n} ___ the {x}."}, func(d *draw) item {
			v := d.verbs(1)[0]
			return item{slots: []string{"v", v.base, "n", d.pick(firstNames), "x", d.pick(things)}, about: "past|" + v.base, answer: v.past}
		}},
		{"ing", []string{"Write {v} in the ing form: {s}", "Finish the line with the ing form of {v}: {s}", "{s}\nThe missing word is a form of {v} with ing. Write it.", "Which form of {v} belongs in the gap? {s}"}, func(d *draw) item {
			v := d.verbs(1)[0]
			return item{slots: []string{"v", v.base, "s", fill("{n} is ___ the {x}.", "n", d.pick(firstNames), "x", d.pick(things))}, answer: v.ing}
		}},
		{"comparative", []string{"Complete with the right form of {w}: {s}", "Fill the gap with the comparative of {w}.\n{s}", "{s}\nThe gap wants a form of {w}. Write it.", "Which form of {w} is missing? {s}"}, func(d *draw) item {
			w, c, _ := strings.Cut(comparatives[d.among("comparatives", len(comparatives))], "/")
			x := d.some(things, 2)
			return item{slots: []string{"w", w, "s", fill("The {x} is ___ than the {y}.", "x", x[0], "y", x[1])}, answer: c}
		}},
	},
}

// codeWords are what a condition makes one say.
var codeWords = words("code words", `stop go left right up down open shut north south east west hot cold full half fast slow`)

var conditionSkill = skill{
	name: "conditions", about: "an answer that depends on a condition in the instruction",
	tasks: []subtask{
		{"group-in-list", []string{"If there is {a c} in the list, say {u}, otherwise say {v}.\n{list}", "{list}\nAnswer {u} when you see {a c} here and {v} when you do not.", "Say {v}, unless one of these is {a c}; then say {u}: {list}",
			"Look for {a c}. Found: write {u}. Not found: write {v}. {list}"}, func(d *draw) item {
			c := d.category()
			yes := d.oneIn(2)
			var ws []string
			for len(ws) < 3 {
				if w := d.category(c.one).clear(d, 1)[0]; !has(ws, w) {
					ws = append(ws, w)
				}
			}
			if yes {
				ws[0] = c.clear(d, 1)[0]
			}
			return d.either(yes, "c", c.one, "list", commas(d.shuffle(ws)))
		}},
		{"number", []string{"If {n} is more than {m}, write {u}, otherwise {v}.", "Is {n} above {m}? Then answer {u}. If not, answer {v}.", "Write {v}, but {u} in case {n} is larger than {m}.", "Say {u} for numbers over {m} and {v} for all others. The number is {n}."}, func(d *draw) item {
			n, m := d.between(1, 99), d.between(5, 95)
			for n == m {
				n = d.between(1, 99)
			}
			return d.either(n > m, "n", strconv.Itoa(n), "m", strconv.Itoa(m))
		}},
		{"letter", []string{"If the word {w} begins with {c}, say {u}, otherwise {v}.", "Say {u} when {w} starts with the letter {c}, and {v} when it starts with another.", "Answer {v}, unless {w} has {c} as its first letter; then answer {u}.", "Does {w} begin with {c}? Reply {u} if so, {v} if not."}, func(d *draw) item {
			w := d.pick(nouns)
			c := w[:1]
			if d.oneIn(2) {
				c = d.pick(nouns)[:1]
			}
			return d.either(w[:1] == c, "w", w, "c", c)
		}},
		{"same", []string{"If both words are equal, say {u}, otherwise {v}: {a}, {b}", "Compare {a} with {b}. Equal: {u}. Different: {v}.", "{a} / {b}\nWrite {u} for the same word twice, {v} for two words.", "Say {v} when {a} and {b} are different words, else {u}."}, func(d *draw) item {
			ws := d.list(2, 2)
			if d.oneIn(2) {
				ws[1] = ws[0]
			}
			return d.either(ws[0] == ws[1], "a", ws[0], "b", ws[1])
		}},
		{"length", []string{"If the list has more than {k} words, say {u}, otherwise {v}: {list}", "More than {k} items: {u}. Else: {v}.\n{list}", "{list}\nWrite {u} when you count over {k} words, and {v} when not.", "Answer {v}, but {u} if there are over {k} words here: {list}"}, func(d *draw) item {
			ws := d.list(2, 6)
			k := d.between(2, 5)
			return d.either(len(ws) > k, "k", spell(k), "list", commas(ws))
		}},
		{"form", []string{"If the word {w} has five letters, write it in capitals, otherwise copy it.", "Capitals for words of five letters, no change for others: {w}", "{w}\nFive letters? Then write it big. Otherwise leave it.", "Copy {w}, but in capitals in case it has exactly five letters."}, func(d *draw) item {
			w := d.anyWord()
			for five := d.oneIn(2); five && len(w) != 5; {
				w = d.anyWord() // some list always holds a word of five letters: the short ones are never narrowed
			}
			if len(w) == 5 {
				return item{slots: []string{"w", w}, key: "form", answer: strings.ToUpper(w)}
			}
			return item{slots: []string{"w", w}, key: "form", answer: w}
		}},
	},
}

// either adds two code words to the slots: u is the answer when yes.
func (d *draw) either(yes bool, slots ...string) item {
	ws := d.some(codeWords, 2)
	it := item{slots: append(slots, "u", ws[0], "v", ws[1]), answer: ws[1]}
	if yes {
		it.answer = ws[0]
	}
	return it
}

var patternSkill = skill{
	name: "patterns", about: "what comes next",
	tasks: []subtask{
		{"step", []string{"What number comes next? {s}", "Continue: {s}", "{s}\nNext number:", "Which number follows? {s}", "Find the rule and write the next number: {s}"}, func(d *draw) item {
			a, k := d.between(1, 40), d.between(1, 10)
			return item{slots: []string{"s", fmt.Sprintf("%d, %d, %d, %d", a, a+k, a+2*k, a+3*k)}, answer: strconv.Itoa(a + 4*k)}
		}},
		{"down", []string{"Count down: {s}. What comes next?", "{s}\nWhich number follows in this falling row?", "Go on downwards: {s}", "The numbers get smaller. Write the next: {s}"}, func(d *draw) item {
			k := d.between(1, 9)
			a := d.between(4*k, 4*k+50)
			return item{slots: []string{"s", fmt.Sprintf("%d, %d, %d, %d", a, a-k, a-2*k, a-3*k)}, answer: strconv.Itoa(a - 4*k)}
		}},
		{"gap", []string{"Which number is missing? {s}", "Fill the gap in the row: {s}", "{s}\nThe missing number:", "One number was wiped out. Write it: {s}"}, func(d *draw) item {
			a, k := d.between(1, 40), d.between(1, 10)
			return item{slots: []string{"s", fmt.Sprintf("%d, %d, __, %d, %d", a, a+k, a+3*k, a+4*k)}, answer: strconv.Itoa(a + 2*k)}
		}},
		{"alternate", []string{"What word comes next? {s}", "Continue the pattern with one word: {s}", "{s}\nNext word:", "Which word goes on with this row? {s}"}, func(d *draw) item {
			ws := d.list(2, 3)
			long := append(append(append([]string(nil), ws...), ws...), ws...)
			n := d.between(len(ws)+1, len(ws)*2)
			return item{slots: []string{"s", commas(long[:n])}, answer: long[n]}
		}},
		{"analogy", []string{"{a} is to {A2} as {b} is to what?", "{a}: {A2}. {b}: what?", "First {a} becomes {A2}. In the same way, what does {b} become?", "Apply the change from {a} to {A2} to the word {b}."}, func(d *draw) item {
			ws := d.some(things, 2)
			f := []func(string) string{strings.ToUpper, plural, func(w string) string { return w[:1] }, func(w string) string { return "the " + w }, upperFirst}[d.r.Intn(5)]
			return item{slots: []string{"a", ws[0], "A2", f(ws[0]), "b", ws[1]}, answer: f(ws[1])}
		}},
	},
}
