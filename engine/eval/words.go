package eval

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// lower is Python's str.lower, on which rouge_score and the SQuAD script rest. It differs from strings.ToLower in two
// characters: İ becomes i and a combining dot, and Σ becomes ς at the end of a word.
func lower(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	text := []rune(s)
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && besideCased(text[:i], true) && !besideCased(text[i+1:], false):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// besideCased tells whether the first character that has to do with case, seen from one end of text, is a letter with case.
//
// Source: The Unicode Standard 15, section 3.13, Final_Sigma.
func besideCased(text []rune, fromEnd bool) bool {
	for i := range text {
		r := text[i]
		if fromEnd {
			r = text[len(text)-1-i]
		}
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk), strings.ContainsRune("'.:·’‘․", r):
		default:
			return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r)
		}
	}
	return false
}

// asciiWords cuts text as rouge_score 0.1.2 does: lower case, every run of anything but a–z and 0–9 is a gap, and with
// stem set, words of more than three letters are stemmed. Text in other scripts leaves no words.
func asciiWords(text string, stem bool) []string {
	words := strings.FieldsFunc(lower(text), func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') })
	return stemmed(words, stem)
}

// unicodeWords cuts text of any script: NFKC, lower case, runs of letters, marks and digits are words, and in the
// scripts that are written without spaces each character with its marks is a word.
func unicodeWords(text string, stem bool) []string {
	text = lower(norm.NFKC.String(text))
	var words []string
	start, solo := -1, false // the open word, and whether it takes marks only
	end := func(at int) {
		if start >= 0 {
			words = append(words, text[start:at])
		}
		start = -1
	}
	for i, r := range text {
		switch {
		case unicode.IsMark(r) && start >= 0:
		case unicode.In(r, spaceless...):
			end(i)
			start, solo = i, true
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			if start < 0 || solo {
				end(i)
				start, solo = i, false
			}
		default:
			end(i)
		}
	}
	end(len(text))
	return stemmed(words, stem)
}

// spaceless are the scripts that put no space between words.
var spaceless = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
}

func stemmed(words []string, stem bool) []string {
	if stem {
		for i, w := range words {
			if len(w) > 3 && isASCII(w) {
				words[i] = Stem(w)
			}
		}
	}
	return words
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// squad returns the words that the SQuAD script compares: lower case, ASCII punctuation removed, and with articles set, a,
// an and the removed where they stand as words.
//
// Source: Rajpurkar et al. 2016, arXiv:1606.05250, evaluate-v1.1.
func squad(text string, articles bool) []string {
	text = strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			return -1
		}
		return r
	}, lower(text))
	if !articles {
		return wordsOf(text)
	}
	// An article is a whole run of word characters (letters, digits, underscore), wherever it stands between others.
	var b strings.Builder
	start := -1
	flush := func(end int) {
		if start < 0 {
			return
		}
		switch w := text[start:end]; w {
		case "a", "an", "the":
			b.WriteByte(' ')
		default:
			b.WriteString(w)
		}
		start = -1
	}
	for i, r := range text {
		if r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) {
			if start < 0 {
				start = i
			}
			continue
		}
		flush(i)
		b.WriteRune(r)
	}
	flush(len(text))
	return wordsOf(b.String())
}

// pythonSpace is Python's str.isspace: Unicode's spaces and the four information separators.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }
