package data

import (
	"strconv"
	"strings"
)

// scene is a short made-up passage with what can be asked about it. Its people are never those of the world.
type scene struct {
	text  []string // sentences
	asked []sceneQuestion
}

// sceneQuestion is one question whose answer is a span of the passage.
type sceneQuestion struct {
	kind   string   // "where", "who", "what", "when", "why", "how many", "which"
	plain  string   // as a question: "Where did Anna go?"
	told   string   // as a noun phrase: "the place Anna went to"
	answer string   // a span of the passage
	others []string // what else it might have been
}

func (s *scene) String() string { return strings.Join(s.text, " ") }

// sceneMakers make one kind of scene each.
var sceneMakers = []func(d *draw) scene{errand, putAway, purchase, newcomer, service, contest, journey, delay, present}

func (d *draw) scene() scene { return sceneMakers[d.r.Intn(len(sceneMakers))](d) }

// sceneWith draws scenes until one has a question of that kind; every kind is asked by some scene.
func (d *draw) sceneWith(kind string) (scene, sceneQuestion) {
	for {
		s := d.scene()
		for _, i := range d.r.Perm(len(s.asked)) {
			if s.asked[i].kind == kind {
				return s, s.asked[i]
			}
		}
	}
}

// script writes the sentences and questions of one scene from shared slots.
type script struct {
	d     *draw
	slots []string
	scene scene
}

func (s *script) say(ways ...string) {
	s.scene.text = append(s.scene.text, fill(s.d.of(ways), s.slots...))
}

func (s *script) ask(kind, plain, told, answer string, others []string) {
	s.scene.asked = append(s.scene.asked, sceneQuestion{kind, fill(plain, s.slots...), fill(told, s.slots...), fill(answer, s.slots...), others})
}

func errand(d *draw) scene {
	n := d.some(firstNames, 2)
	s := &script{d: d, slots: []string{"n", n[0], "m", n[1], "he", he(n[0]), "his", his(n[0]), "town", d.pick(placeNames),
		"why", d.pick(purposes), "when", d.pick(times), "thing", d.pick(things)}}
	s.say("{n} went to {town} {why}.", "{n} walked to {town} {why}.", "{n} drove to {town} {why}.")
	s.say("{He} took {a thing} along.", "In {his} bag there was {a thing}.", "{He} carried {a thing}.")
	s.say("On the way {he} met {m}.", "In the street {he} met {m}.", "There {he} met {m}.")
	s.ask("where", "Where did {n} go?", "the place {n} went to", "{town}", d.words(placeNames))
	s.ask("why", "Why did {n} go there?", "the reason why {n} went there", "{why}", d.words(purposes))
	s.ask("who", "Whom did {n} meet?", "the person {n} met", "{m}", d.words(firstNames))
	s.ask("what", "What did {n} carry?", "the thing {n} carried", "{thing}", d.words(things))
	return s.scene
}

func putAway(d *draw) scene {
	n, t, c, p := d.some(firstNames, 2), d.some(things, 2), d.some(hues, 2), d.some(places, 2)
	s := &script{d: d, slots: []string{"n", n[0], "m", n[1], "x", t[0], "y", t[1], "c", c[0], "e", c[1], "p", p[0], "q", p[1]}}
	s.say("{n} put the {c} {x} in the {p}.", "{n} left the {c} {x} in the {p}.", "The {c} {x} of {n} is in the {p}.")
	s.say("{m} put the {e} {y} in the {q}.", "{m} left the {e} {y} in the {q}.", "{m} keeps the {e} {y} in the {q}.")
	s.ask("where", "Where is the {x}?", "the place of the {x}", "{p}", d.words(places))
	s.ask("where", "Where is the {y}?", "the place of the {y}", "{q}", d.words(places))
	s.ask("what", "What is in the {q}?", "the thing in the {q}", "{y}", d.words(things))
	s.ask("what", "What is in the {p}?", "the thing in the {p}", "{x}", d.words(things))
	s.ask("which", "What colour is the {x}?", "the colour of the {x}", "{c}", d.words(hues))
	s.ask("which", "What colour is the {y}?", "the colour of the {y}", "{e}", d.words(hues))
	return s.scene
}

func purchase(d *draw) scene {
	n, k, f := d.some(firstNames, 2), d.between(2, 20), d.some(fruits, 1)
	s := &script{d: d, slots: []string{"n", n[0], "m", n[1], "he", he(n[0]), "k", spell(k), "fs", plural(f[0]), "x", d.pick(things),
		"town", d.pick(placeNames), "day", d.pick(weekdays), "price", spell(d.between(2, 20))}}
	s.say("On {day} {n} bought {k} {fs} at the market in {town}.", "{n} bought {k} {fs} in {town} on {day}.", "In {town} {n} bought {k} {fs} on {day}.")
	s.say("{He} paid {price} coins.", "They cost {price} coins.", "The price was {price} coins.")
	s.say("{m} bought {a x}.", "{m} only wanted {a x}.", "{m} came home with {a x}.")
	s.ask("how many", "How many {fs} did {n} buy?", "the number of {fs} that {n} bought", "{k}", numberWords[2:])
	s.ask("how many", "How many coins did {n} pay?", "the number of coins that {n} paid", "{price}", numberWords[2:])
	s.ask("where", "Where did {n} buy the {fs}?", "the town where {n} bought the {fs}", "{town}", d.words(placeNames))
	s.ask("when", "On which day did {n} buy the {fs}?", "the day when {n} bought the {fs}", "{day}", d.words(weekdays))
	s.ask("what", "What did {m} get?", "the thing that {m} got", "{x}", d.words(things))
	s.ask("who", "Who got {a x}?", "the person who got {a x}", "{m}", d.words(firstNames))
	return s.scene
}

func newcomer(d *draw) scene {
	n := d.some(firstNames, 2)
	s := &script{d: d, slots: []string{"n", n[0], "m", n[1], "he", he(n[0]), "his", his(n[0]), "him", him(n[0]), "job", d.pick(jobs), "town", d.pick(placeNames),
		"age", strconv.Itoa(d.between(18, 80)), "pet", d.pick(pets), "food", d.pick(foods)}}
	s.say("{n} is {a job} from {town}.", "{n}, {a job}, comes from {town}.", "From {town} comes {n}, {a job}.")
	s.say("{He} is {age} years old and has {a pet}.", "At {age}, {he} lives alone with {a pet}.", "{He} is {age} and keeps {a pet}.")
	s.say("{m} cooks {food} for {his} new neighbour.", "{m} welcomed {him} with {food}.", "{m} often brings {him} {food}.")
	s.ask("which", "What is the job of {n}?", "the job of {n}", "{job}", d.words(jobs))
	s.ask("where", "Where does {n} come from?", "the town {n} comes from", "{town}", d.words(placeNames))
	s.ask("how many", "How old is {n}?", "the age of {n}", "{age}", numbers(18, 80))
	s.ask("which", "What pet does {n} have?", "the pet of {n}", "{pet}", d.words(pets))
	s.ask("who", "Who is {a job}?", "the one who is {a job}", "{n}", d.words(firstNames))
	s.ask("what", "Which food did {m} offer?", "the food that {m} offered", "{food}", d.words(foods))
	return s.scene
}

// favours are what one does for somebody.
var favours = strings.Fields("painted cleaned carried found washed drew built bought repaired brought chose made ordered")

func service(d *draw) scene {
	n, j, t := d.some(firstNames, 1), d.some(jobs, 2), d.some(things, 2)
	s := &script{d: d, slots: []string{"n", n[0], "j", j[0], "k", j[1], "x", t[0], "y", t[1], "v", d.past(favours...), "w", d.past(),
		"when", d.pick(times), "p", d.pick(places)}}
	s.say("The {j} {v} {a x} for {n} {when}.", "{When} the {j} {v} {a x} for {n}.")
	s.say("The {k} {w} {a y} in the {p}.", "In the {p} the {k} {w} {a y}.")
	s.ask("who", "Who {v} the {x}?", "the one who {v} the {x}", "the {j}", the(d.words(jobs)))
	s.ask("who", "Who {w} the {y}?", "the one who {w} the {y}", "the {k}", the(d.words(jobs)))
	s.ask("when", "When was the {j} busy?", "the time when the {j} was busy", "{when}", d.words(times))
	s.ask("where", "Where was the {k}?", "the place where the {k} was", "the {p}", the(d.words(places)))
	return s.scene
}

func contest(d *draw) scene {
	n, j := d.some(firstNames, 3), d.some(jobs, 1)
	s := &script{d: d, slots: []string{"a", n[0], "b", n[1], "c", n[2], "js", plural(j[0]), "town", d.pick(placeNames), "day", d.pick(weekdays),
		"race", d.of([]string{"race", "chess game", "song contest", "cake contest", "boat race", "dance"}), "x", d.pick(things)}}
	s.say("On {day} the {js} of {town} held a {race}.", "The {js} of {town} met for a {race} on {day}.", "In {town} there was a {race} for the {js} on {day}.")
	s.say("{a} won and {b} came second.", "{a} came first and {b} came second.", "{b} came second after {a}.")
	s.say("{c} came last and got {a x}.", "{c} was last and took home {a x}.")
	s.ask("who", "Who won the {race}?", "the winner of the {race}", "{a}", d.words(firstNames))
	s.ask("who", "Who was last?", "the one who came last", "{c}", d.words(firstNames))
	s.ask("who", "Who came second?", "the one in second place", "{b}", d.words(firstNames))
	s.ask("when", "On which day was the {race}?", "the day of the {race}", "{day}", d.words(weekdays))
	s.ask("where", "In which town was the {race}?", "the town of the {race}", "{town}", d.words(placeNames))
	s.ask("what", "What did {c} get?", "the thing {c} got", "{x}", d.words(things))
	return s.scene
}

func journey(d *draw) scene {
	n, p := d.some(firstNames, 1), d.some(placeNames, 2)
	s := &script{d: d, slots: []string{"n", n[0], "he", he(n[0]), "p", p[0], "q", p[1], "car", d.pick(vehicles), "day", d.pick(weekdays),
		"k", spell(d.between(2, 12)), "sight", d.pick(sights)}}
	s.say("On {day} {n} took the {car} from {p} to {q}.", "{n} went from {p} to {q} by {car} on {day}.")
	s.say("The trip lasted {k} hours.", "It was a trip of {k} hours.", "{He} needed {k} hours for the trip.")
	s.say("At the end {he} saw the {sight}.", "{He} wanted to see the {sight}.", "In {q} {he} looked at the {sight}.")
	s.ask("where", "Where did {n} start?", "the place where {n} started", "{p}", d.words(placeNames))
	s.ask("where", "Where did {n} arrive?", "the place where {n} arrived", "{q}", d.words(placeNames))
	s.ask("which", "What did {n} travel with?", "the vehicle that {n} used", "{car}", d.words(vehicles))
	s.ask("when", "On which day did {n} travel?", "the day of the trip", "{day}", d.words(weekdays))
	s.ask("how many", "How many hours did the trip last?", "the number of hours the trip took", "{k}", numberWords[2:13])
	s.ask("what", "What did {n} see?", "the sight that {n} saw", "{sight}", d.words(sights))
	return s.scene
}

func delay(d *draw) scene {
	n := d.some(firstNames, 2)
	s := &script{d: d, slots: []string{"n", n[0], "m", n[1], "he", he(n[0]), "why", d.pick(reasons), "day", d.pick(weekdays), "p", d.pick(places),
		"k", spell(d.between(2, 20))}}
	s.say("{n} stayed at home on {day} because {why}.", "Because {why}, {n} stayed at home on {day}.")
	s.say("{m} waited in the {p} for {k} minutes.", "In the {p} {m} waited for {k} minutes.")
	s.ask("why", "Why did {n} stay at home?", "the reason why {n} stayed at home", "{why}", d.words(reasons))
	s.ask("when", "On which day was {n} at home?", "the day {n} was at home", "{day}", d.words(weekdays))
	s.ask("where", "Where did {m} wait?", "the place where {m} waited", "{p}", d.words(places))
	s.ask("how many", "How many minutes did {m} wait?", "the number of minutes {m} waited", "{k}", numberWords[2:])
	s.ask("who", "Who waited?", "the person who waited", "{m}", d.words(firstNames))
	return s.scene
}

func present(d *draw) scene {
	n, t, c := d.some(firstNames, 3), d.some(things, 2), d.some(hues, 1)
	s := &script{d: d, slots: []string{"a", n[0], "b", n[1], "c", n[2], "x", t[0], "y", t[1], "h", c[0], "when", d.pick(times)}}
	s.say("{a} gave {b} {a h} {x} {when}.", "{When} {a} gave {b} {a h} {x}.")
	s.say("{c} wanted {a y} instead.", "{c} got {a y}.", "For {c} there was {a y}.")
	s.ask("who", "Who gave away the {x}?", "the giver of the {x}", "{a}", d.words(firstNames))
	s.ask("who", "Who got the {x}?", "the person who got the {x}", "{b}", d.words(firstNames))
	s.ask("what", "What did {a} give to {b}?", "the present from {a} to {b}", "{x}", d.words(things))
	s.ask("which", "What colour was the {x}?", "the colour of the {x}", "{h}", d.words(hues))
	s.ask("when", "When did {b} get the {x}?", "the time when {b} got the {x}", "{when}", d.words(times))
	return s.scene
}

func pastOf(vs []verb) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = v.past
	}
	return out
}

func the(ws []string) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = "the " + w
	}
	return out
}
