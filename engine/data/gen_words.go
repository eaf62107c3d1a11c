package data

import (
	"strings"

	"tunebook/engine/tensor"
)

// pool is a named list of words to draw from. Breadth below 1 uses the first part of it, in an order that the seed
// decides (see GenConfig.Breadth).
type pool struct {
	name  string
	words []string
}

func words(name, list string) *pool { return &pool{name: name, words: strings.Fields(list)} }

// phrases is words for entries that hold spaces: they are separated by semicolons.
func phrases(name, list string) *pool {
	p := &pool{name: name}
	for _, w := range strings.Split(list, ";") {
		if w = strings.TrimSpace(w); w != "" {
			p.words = append(p.words, w)
		}
	}
	return p
}

// invent makes n different names from syllables. The names are a pure function of the list's name; those in not are
// left out, so that lists can be kept apart.
func invent(name string, n int, onsets, middles, endings string, not ...*pool) *pool {
	on, mid, end := strings.Fields(onsets), strings.Fields(middles), strings.Fields(endings)
	taken := map[string]bool{}
	for _, w := range strings.Fields(realWords) {
		taken[w] = true
	}
	for _, p := range not {
		for _, w := range p.words {
			taken[strings.ToLower(w)] = true
		}
	}
	r := tensor.NewRNG(worldSeed, "names/"+name)
	p := &pool{name: name}
	for tries := 0; len(p.words) < n; tries++ {
		if tries > 1000*n {
			panic("data: the syllables of " + name + " do not give enough names")
		}
		w := on[r.Intn(len(on))] + mid[r.Intn(len(mid))] + end[r.Intn(len(end))]
		if taken[w] || len(w) < 3 || len(w) > 7 {
			continue
		}
		taken[w] = true
		p.words = append(p.words, strings.ToUpper(w[:1])+w[1:])
	}
	return p
}

// realWords are words that the syllables can spell by accident and that a reader would stumble over.
const realWords = `anal anus bane bare barn bean bela bela bell ben bent bile bin bolt bora bore born dale damn dana dane dare
dean dela dell den dent dirt dole dolt done dora dorm fall fan fare farm fart fell fen gala gale gall gel golden halt hare
harm hell helm her hero holden hole holt horn kale karma ken kill lame lane learn lent liar lice line lion loan lone lorn
man mane mare marina marine melt men mile mill mina mine minor mole molt moron moan moor morel nil nine none nora norm pale pall
pan pane par pen penal pent penis pile pill pin pine pole port pore porn raven rare real ren rent role roll sale salt san
sane sell semen sent silt sin sol sole solo son sore sort tale tall tan tar tell ten tent tile till tin tire tole toll
torn tore vale vane vent vile wall wane want ware warn well went were will win wine wolf worn zone
narrow kindle token use ole sue carton salton fly mani tome tons mares bone leto`

var (
	worldFirst = invent("world first names", 160,
		"b br c d dr f g h j k l m n p r s st t tr v w z", "a e i o u a e i o u ai ia ei",
		"da la ra na sa mia vi lia ren ric lo ldo rto ndel skar ben mir rin vin las tan dor mek nna lka rith ssa vran")
	worldLast = invent("world last names", 70,
		"b br c cr d f gr h k l m n p r s sk t th v w", "a e i o u a e i o u ar or en",
		"llen ken sten rov dal mar tell nik sby nder wick gar rin zek lund more bren dorf", worldFirst)
	worldTowns = invent("world towns", 40,
		"al ar b br d dr el f gl h k l m n or p r s sk t v w", "a e i o u a o",
		"sk rn lm ndar th rrow venna ska lby rford lton rmouth sund grad vik mere ndeep", worldFirst, worldLast)
	worldRivers = invent("world rivers", 24,
		"a e i o u sil mar ten lor vel ner", "l r v n m w d s", "e o a ia un ane ure in ay", worldFirst, worldLast, worldTowns)
	worldBeasts = invent("world creatures", 40,
		"b cr d f gl gr k l m n p pl qu s sn t tr v w z", "a e i o oo", "bble lk mp nk rl zzle ff rrow dge ndle mmet sk plo rbit",
		worldFirst, worldLast, worldTowns, worldRivers)

	// Names for what is made up per example: ordinary ones and invented ones; none of them is a name of the world.
	firstNames = func() *pool {
		p := words("first names", `Anna Ben Clara David Emma Frank Greta Henry Ivan Julia Karl Laura Martin Nina Oscar Paula Robert Sara
			Thomas Vera Walter Alma Bruno Carla Daniel Elsa Felix Gloria Hugo Irma Jack Kira Leo Maria Nathan Olga Peter Rosa Simon Tina
			Victor Wilma Adam Bella Conrad Dora Edwin Flora George Hanna Jacob Lena Max Nora Otto Ralph Sonia Tom Ursula Vincent Agatha
			Albert Amanda Arthur Cora Edgar Ella Emil Erica Frida Gustav Helena Ida Jan Johanna Ken Leon Linda Lukas Mark Mila Monica
			Norman Oliver Patrick Petra Philip Roland Samuel Sandra Stella Stephen Teresa Viola Wendy Emily Lucy Mary Nancy Betty`)
		q := invent("more first names", 140, "b br d f g h j k l m n p r s t v w y z", "a e i o u",
			"la na ra ta do ro mo lo ri li ni dan lan ron tin min len sel kel vor bert nald rick wen lyn ssi mma",
			worldFirst, worldLast, worldTowns, worldRivers, worldBeasts, p)
		p.words = append(p.words, q.words...)
		return p
	}()
	placeNames = invent("places", 120,
		"b br c cl d f g gr h k l m n p r s st t w", "a e i o u al el ol ar er or",
		"by ton ham ford field wick dale haven stead combe ley port gate worth", worldFirst, worldLast, worldTowns, worldRivers, worldBeasts, firstNames)
)

// isShe gives a first name its pronoun: names that end in a, i, y or lyn are women's here.
func isShe(name string) bool {
	first, _, _ := strings.Cut(name, " ")
	for _, end := range []string{"a", "i", "y", "lyn"} {
		if strings.HasSuffix(first, end) {
			return true
		}
	}
	return false
}

func he(name string) string {
	if isShe(name) {
		return "she"
	}
	return "he"
}

func his(name string) string {
	if isShe(name) {
		return "her"
	}
	return "his"
}

func him(name string) string {
	if isShe(name) {
		return "her"
	}
	return "him"
}

// Ordinary words.
var (
	jobs = phrases("jobs", `baker; teacher; doctor; farmer; painter; pilot; nurse; cook; tailor; carpenter; sailor; gardener; writer;
		singer; driver; builder; barber; miner; clerk; judge; printer; weaver; potter; dentist; guard; dancer; fisher; butcher;
		florist; plumber; jeweller; librarian`)
	pets     = words("pets", `cat dog parrot rabbit hamster goat pony turtle goose lizard snake frog mouse duck canary ferret`)
	foods    = words("foods", `soup bread cheese rice pasta salad pie cake stew honey porridge pancakes dumplings noodles beans fish curry omelette pudding toast`)
	colours  = words("colours", `red blue green yellow orange purple brown black white grey pink gold silver violet`)
	hues     = words("hues", `red blue green yellow orange purple brown black white grey pink`)
	tunes    = words("instruments", `piano violin flute drum guitar trumpet harp cello banjo organ fiddle horn clarinet accordion`)
	months   = words("months", `January February March April May June July August September October November December`)
	weekdays = words("weekdays", `Monday Tuesday Wednesday Thursday Friday Saturday Sunday`)
	regions  = words("regions", `Northmark Eastfell Southwold Westmere Highland Lowmarsh`)
	products = words("products", `cheese glass wool honey bricks boats cider lace knives paper salt carpets clocks candles pottery soap bells apples leather tea`)
	sights   = phrases("sights", `old mill; stone bridge; tall tower; round church; glass palace; iron gate; long wall; white castle; deep well; wooden fort; marble fountain; red lighthouse; clock tower; great library; market hall`)
	kinds    = words("kinds of creature", `bird fish insect lizard frog mouse snail bat`)
	diets    = words("diets", `berries seeds leaves moss flies worms nuts roots grass shells mushrooms flowers`)
	homes    = phrases("habitats", `the forest; the marsh; caves; lakes; the desert; the hills; old walls; rivers; the meadow; the sand; hollow trees; the snow`)

	fruits     = words("fruits", `apple pear plum cherry peach grape lemon orange banana melon mango fig lime apricot raspberry strawberry kiwi papaya coconut pineapple`)
	vegetables = words("vegetables", `carrot onion potato cabbage pea leek turnip spinach celery radish beetroot pumpkin lettuce cucumber broccoli`)
	birds      = words("birds", `robin owl eagle crow swan sparrow heron pigeon hawk gull stork finch wren raven duck`)
	fishes     = words("fish", `salmon trout shark tuna cod eel herring carp pike perch sardine`)
	beasts     = words("mammals", `horse cow sheep pig wolf bear fox deer lion tiger rabbit mouse camel otter badger goat donkey monkey zebra`)
	insects    = words("insects", `ant bee wasp beetle moth fly cricket butterfly mosquito grasshopper ladybird`)
	tools      = words("tools", `hammer saw drill axe spade rake wrench chisel file shovel pliers screwdriver`)
	clothes    = words("clothes", `shirt coat hat scarf sock glove dress skirt shoe boot belt jacket jumper`)
	furniture  = words("furniture", `table chair bed sofa desk shelf stool bench cupboard wardrobe`)
	vehicles   = words("vehicles", `car bus train bike boat ship lorry tram plane van ferry truck`)
	metals     = words("metals", `iron gold silver copper tin lead zinc steel brass bronze`)
	bodyParts  = words("parts of the body", `hand foot arm leg nose ear eye knee elbow shoulder finger toe neck`)

	// Things that one can hold, own, move and paint.
	things = words("things", `key lamp book cup ball box bag coin map ring bell kite drum pen clock basket bottle brush candle mirror
		rope ladder bucket spoon plate knife chair stool hat coat scarf shoe letter card stamp toy doll vase jar tray flag hammer torch
		umbrella pillow blanket carpet picture radio camera`)
	places = words("rooms and spots", `kitchen garden cellar attic garage hall bedroom barn shed office bathroom pantry yard cabin library stable workshop`)

	nouns = words("nouns", `apple river stone cloud table window garden bread candle forest bridge silver market winter summer basket
		island mirror paper pencil button ladder meadow castle hammer blanket pocket engine cotton feather thunder village kitchen
		lantern copper pepper saddle tunnel valley orchard harbour blossom shadow ribbon pebble needle saucer barrel carpet anchor
		wagon gate plum lamp coat ship rain snow wind road tree leaf sand wood wool milk salt soup cake fish bird horse wolf bear
		fox moon star sun fire ice hill lake field barn door wall roof bell drum kite rope nail coin ring crown sword shield flag
		map book pen cup plate spoon knife bowl`)
	adjectives = words("adjectives", `small large red blue green old new warm cold bright dark soft hard quiet loud sweet bitter clean dirty
		heavy light wide narrow smooth rough early late strong weak happy gentle brave clever round flat sharp`)
	purposes = phrases("purposes", `to buy bread; to see the doctor; to visit a friend; to sell honey; to mend a boat; to hear a concert; to look for work;
		to pay a bill; to fetch a letter; to learn to swim; to paint a house; to watch a race; to feed the horses; to borrow a book; to thank a neighbour; to collect wood`)
	reasons = phrases("reasons", `it was raining; the shop was closed; the bus was late; it was very cold; the road was icy; the light was broken;
		the door was locked; the wind was strong; the cat was ill; the guests were early; the bridge was closed; it was too dark`)
	times = phrases("parts of the day", `in the morning; at noon; in the afternoon; in the evening; at night; before breakfast; after lunch; at dawn; at midnight; after school`)
)

// category is a word for a group and its members.
type category struct {
	one, many string // "fruit", "fruits"
	members   *pool
}

var categories = []category{
	{"fruit", "fruits", fruits}, {"vegetable", "vegetables", vegetables}, {"bird", "birds", birds}, {"fish", "fish", fishes},
	{"insect", "insects", insects}, {"tool", "tools", tools}, {"piece of clothing", "clothes", clothes},
	{"piece of furniture", "furniture", furniture}, {"vehicle", "vehicles", vehicles}, {"metal", "metals", metals},
	{"part of the body", "parts of the body", bodyParts}, {"colour", "colours", hues}, {"mammal", "mammals", beasts},
	{"musical instrument", "musical instruments", tunes},
}

// twofold are words that belong to two groups, or that a reader may put into two; category questions leave them out.
var twofold = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`orange mouse gold silver fly cricket duck raven lime peach plum apricot pike perch lead file copper
		bronze organ horn kiwi cherry lemon melon mango salmon crow crane belt boot pumpkin cucumber coconut butterfly ladybird`) {
		m[w] = true
	}
	return m
}()

// verb holds the forms of one verb that takes a thing as object. The last one, give, wants a receiver too; skills leave it out.
type verb struct{ base, third, past, part, ing string }

var verbs = func() []verb {
	var vs []verb
	for _, line := range strings.Split(`paint paints painted painted painting
clean cleans cleaned cleaned cleaning
carry carries carried carried carrying
open opens opened opened opening
find finds found found finding
sell sells sold sold selling
wash washes washed washed washing
draw draws drew drawn drawing
build builds built built building
buy buys bought bought buying
break breaks broke broken breaking
repair repairs repaired repaired repairing
take takes took taken taking
bring brings brought brought bringing
hide hides hid hidden hiding
drop drops dropped dropped dropping
push pushes pushed pushed pushing
lift lifts lifted lifted lifting
choose chooses chose chosen choosing
lose loses lost lost losing
move moves moved moved moving
steal steals stole stolen stealing
hold holds held held holding
make makes made made making
see sees saw seen seeing
keep keeps kept kept keeping
watch watches watched watched watching
order orders ordered ordered ordering
throw throws threw thrown throwing
give gives gave given giving`, "\n") {
		f := strings.Fields(line)
		vs = append(vs, verb{f[0], f[1], f[2], f[3], f[4]})
	}
	return vs
}()

// opposites are pairs of adjectives, each the opposite of the other.
var opposites = func() [][2]string {
	var ps [][2]string
	for _, p := range strings.Fields(`hot/cold big/small tall/short old/young fast/slow happy/sad rich/poor hard/soft wet/dry light/dark
		early/late full/empty clean/dirty open/closed strong/weak loud/quiet near/far high/low wide/narrow thick/thin heavy/light
		deep/shallow sweet/sour safe/dangerous cheap/expensive easy/difficult right/wrong true/false good/bad long/short sharp/blunt
		rough/smooth brave/afraid kind/cruel lazy/busy alive/dead awake/asleep first/last polite/rude tight/loose
		careful/careless straight/crooked public/private simple/complex`) {
		a, b, _ := strings.Cut(p, "/")
		ps = append(ps, [2]string{a, b})
	}
	return ps
}()

// thingOpposites are the opposites that can be said of any thing.
var thingOpposites = func() [][2]string {
	var ps [][2]string
	for _, p := range opposites {
		if strings.Contains(" hot big hard wet light full clean open strong near wide thick heavy safe cheap good long sharp rough tight straight ", " "+p[0]+" ") {
			ps = append(ps, p)
		}
	}
	return ps
}()

var numberWords = strings.Fields(`zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
	sixteen seventeen eighteen nineteen twenty`)

// spell writes numbers up to twenty as words.
func spell(n int) string { return numberWords[n] }

// plural of a regular or listed noun.
func plural(w string) string {
	switch w {
	case "mouse":
		return "mice"
	case "goose":
		return "geese"
	case "knife", "leaf", "wolf", "shelf", "scarf", "loaf":
		return strings.TrimSuffix(strings.TrimSuffix(w, "fe"), "f") + "ves"
	case "foot":
		return "feet"
	case "sheep", "fish", "deer", "salmon", "trout", "cod":
		return w
	case "child":
		return "children"
	case "mosquito", "potato", "mango", "radish":
		return w + "es"
	}
	switch {
	case strings.HasSuffix(w, "s"), strings.HasSuffix(w, "x"), strings.HasSuffix(w, "ch"), strings.HasSuffix(w, "sh"):
		return w + "es"
	case strings.HasSuffix(w, "y") && !strings.ContainsAny(w[len(w)-2:len(w)-1], "aeiou"):
		return w[:len(w)-1] + "ies"
	}
	return w + "s"
}

// a puts the indefinite article before a word.
func a(w string) string {
	if strings.ContainsAny(w[:1], "aeiou") && !strings.HasPrefix(w, "uni") {
		return "an " + w
	}
	return "a " + w
}

// upperFirst makes the first letter a capital.
func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// and joins words as English does: "a, b and c".
func and(ws []string) string {
	if len(ws) < 2 {
		return strings.Join(ws, "")
	}
	return strings.Join(ws[:len(ws)-1], ", ") + " and " + ws[len(ws)-1]
}

// glossary is the invented language of the translation skill: word for word, adjective before noun, no articles.
var glossary = func() [][2]string {
	english := strings.Fields(`house tree river stone bread water fire moon star road hill bird fish horse dog cat child woman man friend
		king door window garden boat knife book song rain snow sun wind mountain flower milk salt
		red blue green white black big small old new good cold warm long quick
		sees eats finds loves carries hears sells hides wants makes`)
	r := tensor.NewRNG(worldSeed, "glossary")
	on := strings.Fields("t k m n s l r v b d z h")
	vo := strings.Fields("a e i o u")
	seen := map[string]bool{}
	for _, w := range strings.Fields(realWords) {
		seen[w] = true
	}
	for _, w := range strings.Fields("tomato banana nose rose bike lake name make made male same side time life") {
		seen[w] = true
	}
	var out [][2]string
	for _, e := range english {
		for {
			w := on[r.Intn(len(on))] + vo[r.Intn(5)] + on[r.Intn(len(on))] + vo[r.Intn(5)]
			if r.Intn(3) == 0 {
				w += strings.Fields("n l s k")[r.Intn(4)]
			}
			if !seen[w] {
				seen[w] = true
				out = append(out, [2]string{e, w})
				break
			}
		}
	}
	return out
}()

const (
	glossNouns = 36 // glossary[:glossNouns] are nouns, then adjectives, then verbs
	glossAdjs  = 14
	tongue     = "Velani" // the name of the invented language
)
