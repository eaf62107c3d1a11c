package data

import (
	"fmt"
	"strconv"
	"strings"
)

// This file makes the small pieces that both the pretraining text and the skills are built from: records, groups of
// words, sentences with a mood or a topic, comparisons, things that change place, and phrases of the invented tongue.

// card is a record about a made-up person, place or thing, with the sentences that say the same.
type card struct {
	kind   string      // "person", "place", "thing"
	fields [][2]string // name and value, in order
	ways   []string    // sentences, as templates of the field names
}

func (c *card) value(name string) string {
	for _, f := range c.fields {
		if f[0] == name {
			return f[1]
		}
	}
	return ""
}

// record writes the fields in order.
func (c *card) record(between, is string) string {
	parts := make([]string, len(c.fields))
	for i, f := range c.fields {
		parts[i] = f[0] + is + f[1]
	}
	return strings.Join(parts, between)
}

// sentences says the record in every way there is.
func (c *card) sentences() []string {
	var pairs []string
	for _, f := range c.fields {
		pairs = append(pairs, f[0], f[1])
	}
	n := c.value("name")
	pairs = append(pairs, "he", he(n), "his", his(n))
	out := make([]string, len(c.ways))
	for i, w := range c.ways {
		out[i] = fill(w, pairs...)
	}
	return out
}

func (d *draw) card() card {
	return []func() card{d.personCard, d.eatingPlace, d.goods}[d.r.Intn(3)]()
}

func (d *draw) personCard() card {
	c := card{kind: "person", fields: [][2]string{{"name", d.pick(firstNames)}}}
	switch d.r.Intn(4) {
	case 0:
		c.fields = append(c.fields, [2]string{"job", d.pick(jobs)}, [2]string{"town", d.pick(placeNames)})
		c.ways = []string{"{name} is {a job} who lives in {town}.", "{name} is {a job} from {town}.", "{name} works as {a job} in {town}.",
			"In {town} {name} works as {a job}.", "{name}, {a job}, lives in {town}."}
	case 1:
		c.fields = append(c.fields, [2]string{"age", strconv.Itoa(d.between(18, 80))}, [2]string{"job", d.pick(jobs)})
		c.ways = []string{"{name} is {a job} and {age} years old.", "{name} is {age} years old and works as {a job}.", "At {age}, {name} works as {a job}.",
			"{name} is {a job} aged {age}."}
	case 2:
		c.fields = append(c.fields, [2]string{"town", d.pick(placeNames)}, [2]string{"pet", d.pick(pets)})
		c.ways = []string{"{name} lives in {town} and has {a pet}.", "{name} lives in {town} with {a pet}.", "In {town} {name} keeps {a pet}.",
			"{name} from {town} has {a pet}."}
	default:
		c.fields = append(c.fields, [2]string{"job", d.pick(jobs)}, [2]string{"town", d.pick(placeNames)}, [2]string{"pet", d.pick(pets)})
		c.ways = []string{"{name} is {a job} who lives in {town} with {a pet}.", "{name} is {a job} from {town} and has {a pet}.",
			"{name} works as {a job} in {town} and keeps {a pet}.", "{name}, {a job} from {town}, has {a pet}."}
	}
	return c
}

var (
	inns = phrases("inns", `Blue Door; Old Oak; Green Lamp; Golden Spoon; Red Kettle; Silver Plate; Quiet Corner; White Swan; Black Horse; Sunny Side;
		Long Table; Little Pan; Stone Oven; Happy Cook; Seven Stars; Copper Pot; Wild Rose; Two Brothers; Iron Gate; Fat Goose; Warm Hearth; Yellow Chair; Corner Bell; River View; Three Cups`)
	eateries = words("eateries", `restaurant bakery pub inn cafe`)
	prices   = words("prices", `low high moderate`)
	areas    = phrases("areas", `by the river; in the old town; near the station; at the market; on the hill; in the park; at the harbour`)
	sorts    = words("sorts of thing", `wooden glass metal paper leather woollen stone plastic`)
)

func (d *draw) eatingPlace() card {
	c := card{kind: "place", fields: [][2]string{{"name", "The " + d.pick(inns)}, {"type", d.pick(eateries)}}}
	switch d.r.Intn(3) {
	case 0:
		c.fields = append(c.fields, [2]string{"food", d.pick(foods)}, [2]string{"area", d.pick(areas)})
		c.ways = []string{"{name} is {a type} {area} that serves {food}.", "{name} is {a type} that serves {food} {area}.",
			"There is {a type} {area} called {name} that serves {food}.", "{name}, {a type} {area}, serves {food}."}
	case 1:
		c.fields = append(c.fields, [2]string{"price", d.pick(prices)}, [2]string{"area", d.pick(areas)})
		c.ways = []string{"{name} is {a type} {area} with {price} prices.", "{name} is {a type} with {price} prices {area}.",
			"There is {a type} {area} called {name} with {price} prices.", "{name}, {a type} {area}, has {price} prices."}
	default:
		c.fields = append(c.fields, [2]string{"food", d.pick(foods)}, [2]string{"price", d.pick(prices)})
		c.ways = []string{"{name} is {a type} that serves {food} at {price} prices.", "{name} is {a type} with {price} prices that serves {food}.",
			"There is {a type} called {name} that serves {food} at {price} prices.", "{name}, {a type} with {price} prices, serves {food}."}
	}
	return c
}

func (d *draw) goods() card {
	c := card{kind: "thing", fields: [][2]string{{"item", d.pick(things)}, {"colour", d.pick(hues)}}}
	switch d.r.Intn(3) {
	case 0:
		c.fields = append(c.fields, [2]string{"price", spell(d.between(2, 20)) + " coins"})
		c.ways = []string{"The {colour} {item} costs {price}.", "The price of the {colour} {item} is {price}.", "For {price} one gets the {colour} {item}.",
			"The {item} is {colour} and costs {price}."}
	case 1:
		c.fields = append(c.fields, [2]string{"owner", d.pick(firstNames)})
		c.ways = []string{"The {colour} {item} belongs to {owner}.", "{owner} owns the {colour} {item}.", "The owner of the {colour} {item} is {owner}.",
			"The {item} is {colour} and belongs to {owner}."}
	default:
		c.fields = append(c.fields, [2]string{"place", d.pick(places)})
		c.ways = []string{"The {colour} {item} is in the {place}.", "In the {place} there is {a colour} {item}.", "The {item} in the {place} is {colour}.",
			"There is {a colour} {item} in the {place}."}
	}
	return c
}

// category draws a group of words whose name is none of not.
func (d *draw) category(not ...string) *category {
	for {
		c := &categories[d.r.Intn(len(categories))]
		if !has(not, c.one) {
			return c
		}
	}
}

// clear returns n members that belong to no other group.
func (c *category) clear(d *draw, n int) []string {
	var ok []string
	for _, w := range d.words(c.members) {
		if !twofold[w] {
			ok = append(ok, w)
		}
	}
	if len(ok) < n { // a narrow pool of twofold words: fall back on the whole group
		ok = nil
		for _, w := range c.members.words {
			if !twofold[w] {
				ok = append(ok, w)
			}
		}
	}
	return d.someOf(ok, n)
}

// mass tells whether a member of c goes without an article: "iron is a metal".
func mass(w string, c *category) bool {
	return c.one == "metal" || c.one == "colour" || w == "spinach" || w == "broccoli" || w == "celery"
}

func article(w string, c *category) string {
	if mass(w, c) {
		return w
	}
	return a(w)
}

func pluralAll(ws []string, c *category) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = w
		if !mass(w, c) && w != "pliers" {
			out[i] = plural(w)
		}
	}
	return out
}

// Sentences with a mood: the words decide it, the names and things do not.
var (
	goodThings = phrases("good news", `the soup was delicious; the room was bright and clean; the music was wonderful; the trip was great fun; the staff were very kind;
		the garden looked lovely; the show was brilliant; the bed was soft and warm; the price was fair; the view was beautiful; the cake tasted perfect; the teacher was patient and helpful;
		the train was on time and quiet; the story made me smile; the gift was just right; the water was clear; the game was exciting; the bread was fresh`)
	badThings = phrases("bad news", `the soup was cold and salty; the room was dark and dirty; the music was terrible; the trip was a waste of time; the staff were very rude;
		the garden looked dead; the show was boring; the bed was hard and wet; the price was far too high; the view was ugly; the cake tasted awful; the teacher was impatient and unfair;
		the train was late and crowded; the story made me yawn; the gift was broken; the water was muddy; the game was dull; the bread was stale`)
	openings = phrases("openings", `{n} says that; I must say that; we found that; {n} wrote that; everyone agreed that; yesterday {n} told us that; to be honest,; at the {inn},; in {town},; {n} thought that; the guests said that`)
)

func (d *draw) moodSentence() (text, mood string) {
	p, mood := goodThings, "positive"
	if d.oneIn(2) {
		p, mood = badThings, "negative"
	}
	open := fill(d.pick(openings), "n", d.pick(firstNames), "inn", d.pick(inns), "town", d.pick(placeNames))
	body := d.pick(p)
	if d.oneIn(3) {
		body += " and " + d.other(d.words(p), body)
	}
	return upperFirst(open) + " " + body + ".", mood
}

// topics are what a sentence may be about, with templates whose ordinary words give the topic away.
var topics = []struct {
	name string
	says []string
}{
	{"sport", []string{"{n} scored two goals in the last match.", "The team of {town} won the cup.", "{n} ran the race faster than anyone.", "The coach told {n} to train harder.",
		"{n} hit the ball over the net.", "In {town} the players wait for the referee.", "{n} has won a medal in swimming."}},
	{"weather", []string{"It will rain in {town} {when}.", "A strong wind blew over {town}.", "The sun shone on {town} all {day}.", "Snow fell on the roof of {n}.",
		"Thick fog covered {town} {when}.", "{n} heard the thunder before the storm.", "On {day} it will be cloudy and cold in {town}."}},
	{"food", []string{"{n} baked a {fruit} cake for the guests.", "The {inn} serves hot {food} with bread.", "{n} put too much salt into the {food}.", "For dinner {n} cooks {food}.",
		"{n} fried onions in a pan.", "The recipe of {n} needs two eggs and flour.", "In {town} they eat {food} with butter."}},
	{"music", []string{"{n} plays the {tune} in a band.", "The choir of {town} sang a new song.", "{n} learned a melody on the {tune}.", "The concert in {town} began with a {tune}.",
		"{n} sang the tune out of key.", "On {day} {n} has a {tune} lesson.", "The orchestra of {town} needs a {tune} player."}},
	{"health", []string{"The doctor gave {n} a bitter medicine.", "{n} has a fever and a sore throat.", "The nurse put a bandage on the arm of {n}.", "In {town} many people caught a cold.",
		"{n} went to the dentist with a bad tooth.", "After the illness {n} felt weak.", "The hospital in {town} has a new ward."}},
	{"school", []string{"{n} forgot to do the homework.", "The teacher in {town} gave a spelling test.", "{n} learned to read in the first class.", "On {day} the pupils have a lesson in history.",
		"{n} passed the exam with good marks.", "The school in {town} needs more desks.", "{n} wrote the sum on the blackboard."}},
	{"money", []string{"{n} paid the bill with a silver coin.", "The bank in {town} lends money to farmers.", "{n} saved every penny for a year.", "Taxes in {town} will rise on {day}.",
		"{n} owes the bank a large sum.", "The price of {food} went up in {town}.", "{n} sold the house for much money."}},
	{"travel", []string{"{n} took the night train to {town}.", "The ship to {town} leaves on {day}.", "{n} packed a suitcase for the long journey.", "The road to {town} is closed to cars.",
		"{n} bought a ticket to {town}.", "The guide showed tourists around {town}.", "{n} missed the bus to {town} on {day}."}},
	{"animals", []string{"The {pet} of {n} chased a bird.", "{n} fed the {pet} {when}.", "A fox ran through the fields near {town}.", "The {pet} has hidden under a bush in {town}.",
		"{n} saw a deer and two wolves.", "The {pet} of {n} has sharp claws.", "In {town} a goat escaped from the farm."}},
}

func (d *draw) topicSentence() (text, topic string) {
	t := topics[d.r.Intn(len(topics))]
	return fill(d.of(t.says), d.topicSlots()...), t.name
}

func (d *draw) topicSlots() []string {
	return []string{"n", d.pick(firstNames), "town", d.pick(placeNames), "when", d.pick(times), "day", d.pick(weekdays), "fruit", d.pick(fruits),
		"inn", d.pick(inns), "food", d.pick(foods), "tune", d.pick(tunes), "pet", d.pick(pets)}
}

// comparison is a text about two or three people, towns or things and a number each.
type comparison struct {
	text          string
	plain         string // question
	noun          string // "the older person", for requests
	answer, loser string // of two: the one that is more, the one that is less
	all           []string
	more, less    string // "older", "younger"
	unit          string
	big, small    int
}

var measures = []struct {
	subject    *pool
	say        []string
	who        string
	more, less string
	lo, hi     int
}{
	{firstNames, []string{"{x} is {v} years old.", "The age of {x} is {v}.", "{x} has turned {v}."}, "Who", "older", "younger", 10, 90},
	{firstNames, []string{"{x} is {v} centimetres tall.", "{x} measures {v} centimetres."}, "Who", "taller", "smaller", 120, 199},
	{firstNames, []string{"{x} weighs {v} kilos.", "The weight of {x} is {v} kilos."}, "Who", "heavier", "lighter", 40, 99},
	{firstNames, []string{"{x} has {v} coins.", "In the purse of {x} there are {v} coins."}, "Who", "richer", "poorer", 5, 99},
	{placeNames, []string{"{x} has {v} houses.", "In {x} there are {v} houses."}, "Which town", "bigger", "smaller", 20, 99},
	{placeNames, []string{"To {x} it is {v} miles.", "{x} is {v} miles away.", "The way to {x} is {v} miles long."}, "Which town", "farther away", "nearer", 2, 90},
	{placeNames, []string{"{x} is {v} years old.", "{x} was founded {v} years ago."}, "Which town", "older", "younger", 100, 900},
}

func (d *draw) comparison() comparison {
	m := measures[d.r.Intn(len(measures))]
	x := d.some(m.subject, 2)
	big := d.between(m.lo+1, m.hi)
	small := d.between(m.lo, big-1)
	c := comparison{more: m.more, less: m.less, answer: x[0], loser: x[1], big: big, small: small}
	way := d.of(m.say)
	lines := []string{fill(way, "x", x[0], "v", strconv.Itoa(big)), fill(way, "x", x[1], "v", strconv.Itoa(small))}
	if d.oneIn(2) {
		lines[0], lines[1] = lines[1], lines[0]
	}
	c.text = strings.Join(lines, " ")
	c.plain = fmt.Sprintf("%s is %s?", m.who, m.more)
	c.noun = m.who
	return c
}

// track is a text in which things move, and a question about where one of them ends up.
type track struct {
	text   string
	plain  string // "Where is the key now?"
	thing  string
	answer string   // a span of the text
	others []string // what else the text names of the same kind
	owner  bool     // the question is about who has it
}

func (d *draw) track() track {
	n, x, p := d.some(firstNames, 2), d.some(things, 2), d.some(places, 3)
	s := []string{"n", n[0], "m", n[1], "x", x[0], "y", x[1], "p", p[0], "q", p[1], "r", p[2], "he", he(n[0])}
	switch d.r.Intn(4) {
	case 0:
		return track{text: fill("{n} put the {x} in the {p}. {m} put the {y} in the {q}. Then {n} moved the {x} to the {r}.", s...),
			plain: fill("Where is the {x} now?", s...), thing: x[0], answer: p[2], others: p}
	case 1:
		return track{text: fill("The {x} was in the {p}. {n} took it to the {q}. {m} stayed in the {r}.", s...),
			plain: fill("Where is the {x} now?", s...), thing: x[0], answer: p[1], others: p}
	case 2:
		return track{text: fill("{n} had the {x} and {m} had the {y}. {n} gave the {x} to {m}.", s...),
			plain: fill("Who has the {x} now?", s...), thing: x[0], answer: n[1], others: n, owner: true}
	default:
		return track{text: fill("{n} had the {x} and {m} had the {y}. They swapped their things.", s...),
			plain: fill("Who has the {x} now?", s...), thing: x[0], answer: n[1], others: n, owner: true}
	}
}

// velani makes a phrase of n words (2 to 4) in English and in the invented tongue: adjective noun, verb noun, noun
// verb noun, noun verb adjective noun; word for word, without articles.
func (d *draw) velani(n int) (english, other string) {
	noun := func() [2]string { return glossary[d.r.Intn(glossNouns)] }
	adj := func() [2]string { return glossary[glossNouns+d.r.Intn(glossAdjs)] }
	act := func() [2]string { return glossary[glossNouns+glossAdjs+d.r.Intn(len(glossary)-glossNouns-glossAdjs)] }
	var ws [][2]string
	switch n {
	case 1:
		ws = [][2]string{glossary[d.r.Intn(len(glossary))]}
	case 2:
		ws = [][2]string{adj(), noun()}
	case 3:
		ws = [][2]string{noun(), act(), noun()}
	default:
		ws = [][2]string{noun(), act(), adj(), noun()}
	}
	var e, v []string
	for _, w := range ws {
		e, v = append(e, w[0]), append(v, w[1])
	}
	return strings.Join(e, " "), strings.Join(v, " ")
}
