package eval

import (
	"strings"
	"unicode"
)

// mtTokenizers are the ways in which sacreBLEU cuts a line.
var mtTokenizers = map[string]func(string) []string{
	"13a":  words13a,
	"intl": wordsIntl,
	"zh":   wordsZh,
	"char": func(s string) []string { return wordsOf(apart(s, func(rune) bool { return true })) },
	"none": wordsOf,
}

// wordsOf splits at white space as Python's str.split does.
func wordsOf(s string) []string { return strings.FieldsFunc(s, pythonSpace) }

// apart puts blanks around every character that is meant.
func apart(s string, meant func(rune) bool) string {
	var b strings.Builder
	for _, r := range s {
		if meant(r) {
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// pairs rewrites neighbours of which the first is a and the second is b, from the left, each character in one pair at
// most, with blanks before the pair, between its characters and after it where layout has them.
func pairs(s string, a, b func(rune) bool, layout string) string {
	before, after := strings.HasPrefix(layout, " "), strings.HasSuffix(layout, " ")
	in := []rune(s)
	var out strings.Builder
	for i := 0; i < len(in); i++ {
		if i+1 == len(in) || !a(in[i]) || !b(in[i+1]) {
			out.WriteRune(in[i])
			continue
		}
		if before {
			out.WriteByte(' ')
		}
		out.WriteRune(in[i])
		out.WriteByte(' ')
		out.WriteRune(in[i+1])
		if after {
			out.WriteByte(' ')
		}
		i++
	}
	return out.String()
}

func isDigit(r rune) bool    { return '0' <= r && r <= '9' }
func notDigit(r rune) bool   { return !isDigit(r) }
func isPoint(r rune) bool    { return r == '.' || r == ',' }
func isHyphen(r rune) bool   { return r == '-' }
func isWestern(r rune) bool  { return strings.ContainsRune("{|}~[\\]^_` !\"#$%&()*+:;<=>?@/", r) }
func isNumber(r rune) bool   { return unicode.IsNumber(r) }
func notNumber(r rune) bool  { return !unicode.IsNumber(r) }
func isPunctMT(r rune) bool  { return unicode.IsPunct(r) }
func isSymbolMT(r rune) bool { return unicode.IsSymbol(r) }

// western cuts as the language-dependent part of mteval-v13a does.
func western(s string) []string {
	s = apart(s, isWestern)
	s = pairs(s, notDigit, isPoint, "ab ")
	s = pairs(s, isPoint, notDigit, " ab")
	s = pairs(s, isDigit, isHyphen, "ab ")
	return wordsOf(s)
}

var entities = strings.NewReplacer("&quot;", `"`) // applied one after another: &amp;quot; becomes "

// words13a cuts as mteval-v13a, the WMT's script.
func words13a(s string) []string {
	s = strings.ReplaceAll(s, "<skipped>", "")
	s = strings.ReplaceAll(s, "-\n", "")
	s = strings.ReplaceAll(s, "\n", " ")
	s = entities.Replace(s)
	s = strings.ReplaceAll(s, "&amp;", "&")
	s = strings.ReplaceAll(s, "&lt;", "<")
	s = strings.ReplaceAll(s, "&gt;", ">")
	return western(" " + s + " ")
}

// wordsIntl cuts as mteval-v14 --international-tokenization: punctuation stands alone unless between digits, symbols always.
func wordsIntl(s string) []string {
	s = pairs(s, notNumber, isPunctMT, "ab ")
	s = pairs(s, isPunctMT, notNumber, " ab")
	return wordsOf(apart(s, isSymbolMT))
}

// wordsZh sets Chinese characters apart and cuts the rest as 13a does.
func wordsZh(s string) []string { return western(apart(strings.TrimFunc(s, pythonSpace), isChinese)) }

// isChinese tells whether sacreBLEU's zh tokenizer sets r apart. Two of its ranges are written with five digits after \u
// and so take in U+2001 to U+2A6D (dashes, quotation marks, currency, arrows) and not the planes beyond; equal
// numbers want the same.
func isChinese(r rune) bool {
	for _, in := range chinese {
		if in[0] <= r && r <= in[1] {
			return true
		}
	}
	return false
}

var chinese = [][2]rune{
	{0x3400, 0x4db5}, {0x4e00, 0x9fbb}, {0xf900, 0xfa2d}, {0xfa30, 0xfa6a}, {0xfa70, 0xfad9}, {0x2001, 0x2a6d}, {0x2f81, 0x2fa1},
	{0xff00, 0xffef}, {0x2e80, 0x2eff}, {0x3000, 0x303f}, {0x31c0, 0x31ef}, {0x2f00, 0x2fdf}, {0x2ff0, 0x2fff}, {0x3100, 0x312f},
	{0x31a0, 0x31bf}, {0xfe10, 0xfe1f}, {0xfe30, 0xfe4f}, {0x2600, 0x27bf}, {0x3200, 0x33ff},
}
