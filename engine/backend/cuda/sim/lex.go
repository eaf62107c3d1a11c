package sim

import "fmt"

// token is a word, a number, a string or one sign of PTX.
type token struct {
	s    string
	line int
}

// word tells which characters a name, a number or an instruction is made of.
func word(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '%' || c == '.'
}

// lex cuts PTX into tokens, comments left out.
func lex(src string) ([]token, error) {
	var out []token
	line := 1
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r' || c == 0:
			i++
		case c == '/' && i+1 < len(src) && src[i+1] == '/':
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case c == '/' && i+1 < len(src) && src[i+1] == '*':
			from := line
			for i += 2; i+1 < len(src) && (src[i] != '*' || src[i+1] != '/'); i++ {
				if src[i] == '\n' {
					line++
				}
			}
			if i+1 >= len(src) {
				return nil, fmt.Errorf("PTX line %d: a comment without end", from)
			}
			i += 2
		case c == '"':
			j := i + 1
			for j < len(src) && src[j] != '"' && src[j] != '\n' {
				j++
			}
			if j >= len(src) || src[j] != '"' {
				return nil, fmt.Errorf("PTX line %d: a string without end", line)
			}
			out = append(out, token{src[i : j+1], line})
			i = j + 1
		case word(c):
			j := i
			for j < len(src) && (word(src[j]) || src[j] == ':' && j+2 < len(src) && src[j+1] == ':' && word(src[j+2])) {
				if src[j] == ':' {
					j++ // "shared::cta" is one word
				}
				j++
			}
			out = append(out, token{src[i:j], line})
			i = j
		default:
			out = append(out, token{src[i : i+1], line})
			i++
		}
	}
	return out, nil
}
