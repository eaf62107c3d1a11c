package eval

import (
	"fmt"
	"regexp"
	"strings"
)

// Cleaner takes the answer out of a model's text.
type Cleaner struct {
	Name  string // part of how a score was made: scores of different cleaners are not compared
	Clean func(raw string) string
}

// Trimmed removes the white space around the text, and nothing else.
func Trimmed() Cleaner {
	return Cleaner{"white space around the answer removed", strings.TrimSpace}
}

// FirstLine keeps the first line that has text in it.
func FirstLine() Cleaner {
	return Cleaner{"first line with text", func(raw string) string {
		line, _, _ := strings.Cut(strings.TrimSpace(raw), "\n")
		return strings.TrimSpace(line)
	}}
}

// BBH takes what follows the last "answer is ", without a full stop at its end: how BIG-Bench Hard's chains of thought
// close. A text without it is taken whole.
//
// Source: Suzgun et al. 2022, arXiv:2210.09261.
func BBH() Cleaner {
	return Cleaner{`BBH: what follows the last "answer is "`, func(raw string) string {
		if at := strings.LastIndex(raw, "answer is "); at >= 0 {
			raw = strings.TrimSuffix(raw[at+len("answer is "):], ".")
		}
		return strings.TrimSpace(raw)
	}}
}

var (
	gsmMarked = regexp.MustCompile(`(?m)(?:####|^A:) *(-?[0-9.,]+)`)
	gsmNumber = regexp.MustCompile(`-?[$0-9.,]{2,}|-?[0-9]+`)
)

// GSM8K takes the number after the first "####", or "A:" at the beginning of a line, as the data set's own script does; nothing where there is none.
// Thousands commas are dropped.
//
// Source: Cobbe et al. 2021, arXiv:2110.14168.
func GSM8K() Cleaner {
	return Cleaner{`GSM8K: the number after "####" or "A:"`, func(raw string) string {
		m := gsmMarked.FindStringSubmatch(raw)
		if m == nil {
			return ""
		}
		return number(m[1])
	}}
}

// LastNumber takes the last number of the text, whatever stands around it: GSM8K's flexible form. Signs of currency, commas
// and a full stop at its end are dropped.
func LastNumber() Cleaner {
	return Cleaner{"the last number", func(raw string) string {
		all := gsmNumber.FindAllString(raw, -1)
		for i := len(all) - 1; i >= 0; i-- {
			if n := number(all[i]); strings.ContainsAny(n, "0123456789") {
				return n
			}
		}
		return ""
	}}
}

func number(s string) string {
	return strings.TrimSuffix(strings.NewReplacer(",", "", "$", "").Replace(strings.TrimSpace(s)), ".")
}

var (
	inBrackets = regexp.MustCompile(`\(([A-Za-z])\)`)
	aloneFirst = regexp.MustCompile(`^\W*([A-Za-z])(?:[).:,]|\s*$)`)
)

// Letter takes the letter of an option: the first in brackets, else one that stands alone, or before a full stop, colon,
// comma or bracket, at the beginning; written as "(A)". A text without one gives nothing.
func Letter() Cleaner {
	return Cleaner{"the letter of an option", func(raw string) string {
		m := inBrackets.FindStringSubmatch(raw)
		if m == nil {
			m = aloneFirst.FindStringSubmatch(raw)
		}
		if m == nil {
			return ""
		}
		return "(" + strings.ToUpper(m[1]) + ")"
	}}
}

// NewCleaner returns a cleaner of your own. The name says in words what it does.
func NewCleaner(name string, clean func(raw string) string) Cleaner { return Cleaner{name, clean} }

// FindCleaner returns the cleaner of that name: trim, first-line, bbh, gsm8k, last-number, letter.
func FindCleaner(name string) (Cleaner, error) {
	switch strings.ToLower(name) {
	case "", "trim":
		return Trimmed(), nil
	case "first-line":
		return FirstLine(), nil
	case "bbh":
		return BBH(), nil
	case "gsm8k":
		return GSM8K(), nil
	case "last-number":
		return LastNumber(), nil
	case "letter":
		return Letter(), nil
	}
	return Cleaner{}, fmt.Errorf("eval: cleaner %q is not known; wanted trim, first-line, bbh, gsm8k, last-number or letter", name)
}

// Apply fills Cleaned of every row anew from Raw.
func (c Cleaner) Apply(rows []Row) []Row {
	out := append([]Row(nil), rows...)
	for i := range out {
		out[i].Cleaned = c.Clean(out[i].Raw)
	}
	return out
}
