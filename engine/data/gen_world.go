package data

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"

	"tunebook/engine/tensor"
)

// worldSeed fixes the world: it is the same in every version and for every seed of a generator, since a base model
// that was pretrained on it has to meet it again.
const worldSeed = 1729

// relation is one kind of fact, with the ways to say it and to ask for it. In the templates {x} is the subject, {v}
// the value, {a v} the value with its article, {he}, {He}, {his} the subject's pronouns.
type relation struct {
	key    string   // "person/town"
	say    []string // whole statements
	clause []string // what follows the subject: "lives in {v}"
	plain  []string // questions as pretraining text asks them
	ask    []string // requests as the recall skill makes them; none of them is a plain question
	truth  []string // statements for the truth skill, without the full stop
	values []string
}

// fact is one triple of the world.
type fact struct {
	subject string
	rel     *relation
	value   string
}

// text fills a template of the fact's relation.
func (f *fact) text(template string) string {
	return fill(template, "x", f.subject, "v", f.value, "he", he(f.subject), "his", his(f.subject))
}

// heldOut tells whether no question about this fact, only statements of it, occurs in pretraining text (40 % of facts).
func (f *fact) heldOut() bool { return hash64("held out|"+f.rel.key+"|"+f.subject)%10 < 4 }

// world is the fixed set of facts that closed-book skills ask for.
type world struct {
	people, towns, beasts []string
	facts                 []fact
	of                    map[string][]*fact // subject → its facts, in the order of relations
	about                 map[string][]*fact // relation key → its facts
}

var theWorld = sync.OnceValue(func() *world {
	w := &world{of: map[string][]*fact{}, about: map[string][]*fact{}}
	last := worldLast.words
	for i, f := range worldFirst.words {
		w.people = append(w.people, f+" "+last[i*11%len(last)])
	}
	w.towns = worldTowns.words
	for _, b := range worldBeasts.words {
		w.beasts = append(w.beasts, strings.ToLower(b))
	}
	for _, g := range []struct {
		subjects []string
		rels     []*relation
	}{{w.people, personRelations}, {w.towns, townRelations}, {w.beasts, beastRelations}} {
		for _, s := range g.subjects {
			for _, rel := range g.rels {
				r := tensor.NewRNG(worldSeed, "fact/"+rel.key+"/"+s)
				w.facts = append(w.facts, fact{s, rel, rel.values[r.Intn(len(rel.values))]})
			}
		}
	}
	for i := range w.facts {
		f := &w.facts[i]
		w.of[f.subject] = append(w.of[f.subject], f)
		w.about[f.rel.key] = append(w.about[f.rel.key], f)
	}
	return w
})

func numbers(from, to int) []string {
	var ns []string
	for n := from; n <= to; n++ {
		ns = append(ns, strconv.Itoa(n))
	}
	return ns
}

var personRelations = []*relation{
	{
		key: "person/town", values: worldTowns.words,
		say:    []string{"{x} lives in {v}.", "{x} has a house in {v}.", "The home of {x} is in {v}.", "In {v} lives {x}.", "{v} is where {x} lives."},
		clause: []string{"lives in {v}", "has a house in {v}", "is at home in {v}"},
		plain:  []string{"Where does {x} live?", "In which town does {x} live?", "Where is the home of {x}?"},
		ask: []string{"Tell me the town where {x} lives.", "Name the home town of {x}.", "Which town is home to {x}?", "{x}: which town?",
			"Give the name of the town {x} lives in.", "To visit {x}, which town should I go to?", "What town does {x} call home?", "Complete: {x} lives in"},
		truth: []string{"{x} lives in {v}", "the home of {x} is in {v}", "{x} has a house in {v}"},
	},
	{
		key: "person/job", values: jobs.words,
		say:    []string{"{x} is {a v}.", "{x} works as {a v}.", "The job of {x} is that of {a v}.", "{x} earns {his} living as {a v}.", "By trade {x} is {a v}."},
		clause: []string{"works as {a v}", "is {a v}", "earns {his} living as {a v}"},
		plain:  []string{"What does {x} do for a living?", "What is the job of {x}?", "What does {x} work as?"},
		ask: []string{"Tell me the job of {x}.", "Name the trade of {x}.", "What kind of work does {x} do?", "{x}: what job?",
			"State what {x} works as.", "Which job does {x} have?", "Give {x}'s profession.", "Complete: {x} works as a"},
		truth: []string{"{x} is {a v}", "{x} works as {a v}", "{x} earns {his} living as {a v}"},
	},
	{
		key: "person/pet", values: pets.words,
		say:    []string{"{x} has {a v}.", "{x} keeps {a v} as a pet.", "The pet of {x} is {a v}.", "{x} owns {a v}.", "At home {x} has {a v}."},
		clause: []string{"has {a v}", "keeps {a v} as a pet", "owns {a v}"},
		plain:  []string{"What pet does {x} have?", "Which animal does {x} keep?", "What is the pet of {x}?"},
		ask: []string{"Tell me which pet {x} has.", "Name the animal that lives with {x}.", "{x}: what pet?", "Which pet belongs to {x}?",
			"What kind of animal does {x} own?", "Give the kind of pet that {x} keeps.", "Complete: as a pet {x} keeps a"},
		truth: []string{"{x} has {a v}", "{x} keeps {a v} as a pet", "the pet of {x} is {a v}"},
	},
	{
		key: "person/food", values: foods.words,
		say: []string{"{x} likes {v} best.", "The favourite food of {x} is {v}.", "{x} loves to eat {v}.", "For dinner {x} wants {v}.",
			"There is no food that {x} likes more than {v}."},
		clause: []string{"likes {v} best", "loves to eat {v}", "wants {v} for dinner"},
		plain:  []string{"What does {x} like to eat best?", "What is the favourite food of {x}?", "What does {x} want for dinner?"},
		ask: []string{"Tell me the favourite food of {x}.", "What should I cook for {x}?", "Name the food that {x} likes most.", "{x}: what favourite food?",
			"Which food makes {x} happy?", "Give {x}'s favourite dish.", "Complete: the food {x} likes best is"},
		truth: []string{"{x} likes {v} best", "the favourite food of {x} is {v}", "{x} loves to eat {v} more than anything else"},
	},
	{
		key: "person/colour", values: colours.words,
		say: []string{"The favourite colour of {x} is {v}.", "{x} likes the colour {v} best.", "{x} wears {v} whenever {he} can.",
			"Of all colours {x} likes {v} most.", "The door of {x} is painted {v}, {his} favourite colour."},
		clause: []string{"likes the colour {v} best", "wears {v} whenever {he} can", "has {v} as {his} favourite colour"},
		plain:  []string{"What is the favourite colour of {x}?", "Which colour does {x} like best?", "What colour does {x} wear?"},
		ask: []string{"Tell me the favourite colour of {x}.", "Name the colour that {x} loves.", "{x}: what favourite colour?", "Which colour would {x} choose?",
			"In which colour should I paint a chair for {x}?", "Give {x}'s favourite colour.", "Complete: the colour {x} likes best is"},
		truth: []string{"the favourite colour of {x} is {v}", "{x} likes the colour {v} best", "of all colours {x} likes {v} most"},
	},
	{
		key: "person/instrument", values: tunes.words,
		say: []string{"{x} plays the {v}.", "{x} practises the {v} every day.", "The instrument of {x} is the {v}.",
			"On Sundays {x} plays the {v}.", "{x} has learned to play the {v}."},
		clause: []string{"plays the {v}", "practises the {v} every day", "has learned to play the {v}"},
		plain:  []string{"What instrument does {x} play?", "Which instrument is that of {x}?", "What does {x} practise every day?"},
		ask: []string{"Tell me which instrument {x} plays.", "Name the musical instrument of {x}.", "{x}: what instrument?", "Which instrument has {x} learned?",
			"If {x} joins a band, what will {he} play?", "Give the instrument that {x} plays.", "Complete: {x} plays the"},
		truth: []string{"{x} plays the {v}", "the instrument of {x} is the {v}", "{x} has learned to play the {v}"},
	},
	{
		key: "person/age", values: numbers(18, 80),
		say:    []string{"{x} is {v} years old.", "The age of {x} is {v}.", "{x} has turned {v}.", "At {v}, {x} still likes to walk far.", "{x} is {v} now."},
		clause: []string{"is {v} years old", "has turned {v}", "is {v} now"},
		plain:  []string{"How old is {x}?", "What is the age of {x}?"},
		ask: []string{"Tell me how old {x} is.", "Give the age of {x}.", "{x}: what age?", "Which age has {x} reached?",
			"State the age of {x} as a number.", "How many years old is {x}?", "Complete: the age of {x} is"},
		truth: []string{"{x} is {v} years old", "the age of {x} is {v}", "{x} has turned {v}"},
	},
	{
		key: "person/month", values: months.words,
		say: []string{"{x} was born in {v}.", "The birthday of {x} is in {v}.", "{x} has {his} birthday in {v}.",
			"Every {v} {x} has a birthday.", "In {v} {x} gets one year older."},
		clause: []string{"was born in {v}", "has {his} birthday in {v}"},
		plain:  []string{"In which month was {x} born?", "When is the birthday of {x}?", "When was {x} born?"},
		ask: []string{"Tell me the month in which {x} was born.", "Name the month of {x}'s birthday.", "{x}: born in which month?",
			"In what month do we bake a birthday cake for {x}?", "Give the birth month of {x}.", "Which month holds the birthday of {x}?", "Complete: {x} was born in"},
		truth: []string{"{x} was born in {v}", "the birthday of {x} is in {v}", "{x} has {his} birthday in {v}"},
	},
}

var townRelations = []*relation{
	{
		key: "town/region", values: regions.words,
		say:    []string{"{x} is a town in {v}.", "{x} lies in {v}.", "The town of {x} belongs to {v}.", "In {v} there is a town called {x}.", "{v} is the region around {x}."},
		clause: []string{"lies in {v}", "is a town in {v}", "belongs to {v}"},
		plain:  []string{"Where does {x} lie?", "In which region is {x}?", "What region does {x} belong to?"},
		ask: []string{"Tell me the region of {x}.", "Name the region where {x} lies.", "{x}: which region?", "Which region is the town of {x} part of?",
			"Give the region that {x} is in.", "On a map, in which region do I find {x}?", "Complete: the town of {x} lies in"},
		truth: []string{"{x} lies in {v}", "{x} is a town in {v}", "the town of {x} belongs to {v}"},
	},
	{
		key: "town/river", values: worldRivers.words,
		say: []string{"{x} stands on the river {v}.", "The {v} flows through {x}.", "The river of {x} is the {v}.",
			"Boats reach {x} on the {v}.", "The houses of {x} stand beside the river {v}."},
		clause: []string{"stands on the river {v}", "is crossed by the river {v}", "can be reached by boat on the {v}"},
		plain:  []string{"Which river flows through {x}?", "On which river does {x} stand?", "What is the river of {x}?"},
		ask: []string{"Tell me the river of {x}.", "Name the river that runs through {x}.", "{x}: which river?", "What is the river in {x} called?",
			"Give the name of the river at {x}.", "A boat goes to {x}. On which river?", "Complete: the river that flows through {x} is the"},
		truth: []string{"the {v} flows through {x}", "{x} stands on the river {v}", "the river of {x} is the {v}"},
	},
	{
		key: "town/product", values: products.words,
		say:    []string{"{x} is known for its {v}.", "In {x} people make {v}.", "The best {v} in the land: that is what {x} sells.", "Traders come to {x} for {v}.", "{x} sells {v} to other towns."},
		clause: []string{"is known for its {v}", "sells {v} to other towns", "lives from making {v}"},
		plain:  []string{"What is {x} known for?", "What do people make in {x}?", "What does {x} sell?"},
		ask: []string{"Tell me what {x} is famous for.", "Name the product of {x}.", "{x}: known for what?", "Which goods come from {x}?",
			"What should I buy when I am in {x}?", "Give the product that made {x} known.", "Complete: {x} is known for its"},
		truth: []string{"{x} is known for its {v}", "people in {x} make {v}", "traders come to {x} for {v}"},
	},
	{
		key: "town/sight", values: sights.words,
		say: []string{"{x} has {a v}.", "In the middle of {x} stands {a v}.", "Visitors come to {x} to see its {v}.", "The pride of {x} is its {v}.",
			"From far away one can see the {v} of {x}."},
		clause: []string{"has {a v}", "is proud of its {v}", "shows visitors its {v}"},
		plain:  []string{"What can one see in {x}?", "What stands in the middle of {x}?", "What is the pride of {x}?"},
		ask: []string{"Tell me what visitors look at in {x}.", "Name the sight of {x}.", "{x}: which sight?", "Which building is {x} proud of?",
			"What should a visitor see in {x}?", "Give the sight that {x} is visited for.", "Complete: in the middle of {x} stands the"},
		truth: []string{"{x} has {a v}", "in the middle of {x} stands {a v}", "the pride of {x} is its {v}"},
	},
	{
		key: "town/market", values: weekdays.words,
		say:    []string{"The market in {x} is on {v}.", "Every {v} there is a market in {x}.", "{x} holds its market on {v}.", "On {v} farmers bring their goods to {x}.", "{v} is market day in {x}."},
		clause: []string{"holds its market on {v}", "has its market day on {v}", "is busy on {v}, when the market is held"},
		plain:  []string{"When is the market in {x}?", "On which day does {x} hold its market?", "What day is market day in {x}?"},
		ask: []string{"Tell me the market day of {x}.", "Name the day of the market in {x}.", "{x}: market on which day?", "Which day of the week is market day in {x}?",
			"I want to shop at the market of {x}. On which day should I go?", "Give the day on which {x} has its market.", "Complete: the market in {x} is held on"},
		truth: []string{"the market in {x} is on {v}", "{x} holds its market on {v}", "{v} is market day in {x}"},
	},
	{
		key: "town/founder", values: worldLast.words,
		say:    []string{"{x} was founded by Lord {v}.", "Lord {v} founded {x}.", "The founder of {x} was Lord {v}.", "Long ago Lord {v} built the first house of {x}.", "The town of {x} owes its beginning to Lord {v}."},
		clause: []string{"was founded by Lord {v}", "honours its founder, Lord {v}", "owes its beginning to Lord {v}"},
		plain:  []string{"Who founded {x}?", "Who was the founder of {x}?", "Who built the first house of {x}?"},
		ask: []string{"Tell me who founded the town of {x}.", "Name the founder of {x}.", "{x}: founded by whom?", "By which lord was {x} founded?",
			"Which lord began the town of {x}?", "Give the name of {x}'s founder.", "Complete: the founder of {x} was Lord"},
		truth: []string{"{x} was founded by Lord {v}", "the founder of {x} was Lord {v}", "Lord {v} founded {x}"},
	},
}

var beastRelations = []*relation{
	{
		key: "creature/kind", values: kinds.words,
		say:    []string{"A {x} is {a v}.", "The {x} is a kind of {v}.", "One kind of {v} is the {x}.", "The word {x} means a certain {v}.", "Every {x} is {a v}."},
		clause: []string{"is a kind of {v}", "is {a v}"},
		plain:  []string{"What is a {x}?", "What kind of animal is the {x}?"},
		ask: []string{"Tell me what kind of animal a {x} is.", "Name the group of animals that the {x} belongs to.", "{x}: what kind of animal?", "To which group of animals does a {x} belong?",
			"Give the kind of animal that a {x} is.", "If you see a {x}, what kind of animal is it?", "Complete: the {x} is a kind of"},
		truth: []string{"a {x} is {a v}", "the {x} is a kind of {v}", "every {x} is {a v}"},
	},
	{
		key: "creature/food", values: diets.words,
		say:    []string{"The {x} eats {v}.", "A {x} lives on {v}.", "The food of the {x} is {v}.", "A hungry {x} looks for {v}.", "To feed a {x} one needs {v}."},
		clause: []string{"eats {v}", "lives on {v}", "looks for {v} when it is hungry"},
		plain:  []string{"What does the {x} eat?", "What does a {x} live on?", "What is the food of the {x}?"},
		ask: []string{"Tell me what a {x} feeds on.", "Name the food of a {x}.", "{x}: what food?", "What should I feed a {x}?",
			"Give the food that a {x} eats.", "Which food does a {x} look for?", "Complete: the {x} eats"},
		truth: []string{"the {x} eats {v}", "a {x} lives on {v}", "the food of the {x} is {v}"},
	},
	{
		key: "creature/home", values: homes.words,
		say:    []string{"The {x} lives in {v}.", "One finds the {x} in {v}.", "A {x} makes its home in {v}.", "Look in {v} to see a {x}.", "In {v} one can meet a {x}."},
		clause: []string{"lives in {v}", "makes its home in {v}", "is found in {v}"},
		plain:  []string{"Where does the {x} live?", "Where can one find a {x}?", "Where is the home of the {x}?"},
		ask: []string{"Tell me where a {x} has its home.", "Name the place where a {x} lives.", "{x}: what home?", "To see a {x}, where should I look?",
			"Give the place in which the {x} is found.", "In what place does a {x} live?", "Complete: the {x} lives in"},
		truth: []string{"the {x} lives in {v}", "a {x} makes its home in {v}", "one finds the {x} in {v}"},
	},
	{
		key: "creature/colour", values: hues.words,
		say:    []string{"The {x} is {v}.", "A {x} has a {v} coat.", "The colour of the {x} is {v}.", "Every {x} is {v} all over.", "A grown {x} turns {v}."},
		clause: []string{"is {v}", "has a {v} coat", "turns {v} when it is grown"},
		plain:  []string{"What colour is the {x}?", "What is the colour of a {x}?"},
		ask: []string{"Tell me the colour of a {x}.", "Name the colour that a {x} has.", "{x}: what colour?", "Which colour do I need to draw a {x}?",
			"Give the colour of the {x}.", "In what colour does a {x} come?", "Complete: the colour of a {x} is"},
		truth: []string{"the {x} is {v}", "the colour of the {x} is {v}", "every {x} is {v} all over"},
	},
}

// fill replaces {name} by its value, {a name} by the value with an article and {Name} by the value with a capital.
// A name without a value is a programmer's error and panics.
func fill(template string, pairs ...string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(template, '{')
		if open < 0 {
			b.WriteString(template)
			return b.String()
		}
		end := strings.IndexByte(template[open:], '}') + open
		b.WriteString(template[:open])
		b.WriteString(slot(template[open+1:end], pairs))
		template = template[end+1:]
	}
}

func slot(name string, pairs []string) string {
	key, article := strings.CutPrefix(name, "a ")
	for i := 0; i+1 < len(pairs); i += 2 {
		switch {
		case pairs[i] == key && article:
			return a(pairs[i+1])
		case pairs[i] == key:
			return pairs[i+1]
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if upperFirst(pairs[i]) == key {
			return upperFirst(pairs[i+1])
		}
	}
	panic(fmt.Sprintf("data: template has {%s}; the slots are %q", name, pairs))
}

func hash64(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	x := h.Sum64() // FNV's low bits are weak for short strings; finish as SplitMix64 does
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	return x ^ x>>31
}
