package session

import (
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"tunebook/runtime/cell"
)

// Complete returns what the word that ends at byte pos of line can become: the line's part before the word, the
// candidates, and the rest of the line. Inside a string the candidates are files.
func (s *Session) Complete(line string, pos int) (head string, candidates []string, tail string) {
	before, tail := line[:pos], line[pos:]
	if quote := openQuote(before); quote >= 0 {
		return s.completeFile(before, quote, tail)
	}
	start := len(before)
	for start > 0 && (isWord(before[start-1]) || before[start-1] >= 0x80) {
		start--
	}
	word := before[start:]
	head = before[:start]
	var names []string
	if strings.HasSuffix(head, ".") {
		names = s.scope.Members(operand(head[:len(head)-1]))
	} else if word != "" {
		names = s.scope.Names()
	}
	for _, n := range names {
		if strings.HasPrefix(n, word) {
			candidates = append(candidates, n)
		}
	}
	if len(candidates) == 0 && word != "" {
		for _, n := range names {
			if strings.HasPrefix(strings.ToLower(n), strings.ToLower(word)) {
				candidates = append(candidates, n)
			}
		}
	}
	return head, candidates, tail
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// operand returns the expression that ends s: names, dots, calls and indexes.
func operand(s string) string {
	i := len(s)
	for i > 0 {
		switch c := s[i-1]; {
		case isWord(c) || c == '.' || c >= 0x80:
			i--
		case c == ')' || c == ']':
			open := map[byte]byte{')': '(', ']': '['}[c]
			depth, j := 0, i-1
			for ; j >= 0; j-- {
				if s[j] == c {
					depth++
				} else if s[j] == open {
					if depth--; depth == 0 {
						break
					}
				}
			}
			if j < 0 {
				return s[i:]
			}
			i = j
		default:
			return strings.TrimSpace(s[i:])
		}
	}
	return s
}

// openQuote returns where a string that is still open begins, or -1.
func openQuote(s string) int {
	quote, at := byte(0), -1
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote == 0 && (c == '"' || c == '`'):
			quote, at = c, i
		case quote == 0 && c == '/' && i+1 < len(s) && s[i+1] == '/':
			return -1
		case quote == 0 && c == '\'':
			if j := strings.IndexByte(s[i+1:], '\''); j >= 0 {
				i += j + 1
			}
		case quote == '"' && c == '\\':
			i++
		case c == quote:
			quote, at = 0, -1
		}
	}
	return at
}

func (s *Session) completeFile(before string, quote int, tail string) (string, []string, string) {
	path := before[quote+1:]
	dir, base := filepath.Split(path)
	read := dir
	if read == "" {
		read = "."
	}
	if rest, ok := strings.CutPrefix(read, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			read = filepath.Join(home, rest)
		}
	}
	entries, err := os.ReadDir(read)
	if err != nil {
		return before, nil, tail
	}
	var out []string
	for _, e := range entries {
		n := e.Name()
		if !strings.HasPrefix(n, base) || strings.HasPrefix(n, ".") && base == "" {
			continue
		}
		if e.IsDir() {
			n += "/"
		}
		out = append(out, n)
	}
	return before[:quote+1] + dir, out, tail
}

// TypeOf returns the type of an expression, without running it.
func (s *Session) TypeOf(expr string) (string, error) {
	t, err := s.scope.TypeOf(expr)
	if err != nil {
		return "", err
	}
	return cell.TypeString(t), nil
}

// Help returns what a name is and its doc comment; empty for a name that is not known.
func (s *Session) Help(name string) string {
	if token.IsKeyword(name) {
		return name + " is a keyword of Go: https://go.dev/ref/spec"
	}
	decl, path, key := s.scope.Describe(name)
	if decl == "" {
		return ""
	}
	text := decl
	if path != "" && s.cfg.Packages.Docs != nil {
		if docs, err := s.cfg.Packages.Docs(path); err == nil && docs[key] != "" {
			text += "\n\n" + docs[key]
		}
	}
	return text
}
