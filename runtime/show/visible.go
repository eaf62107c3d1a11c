package show

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// colours are a terminal's commands for how text looks and where the cursor stands.
var colours = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// Visible returns printed text as a page can hold it: what a terminal would have overwritten after a carriage return is
// gone, colours are gone, and every other control character, those that turn the direction of writing among them, is seen
// instead of working. Newlines and tabs stay.
func Visible(s string) string {
	s = colours.ReplaceAllString(s, "")
	if strings.Contains(s, "\r") {
		lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
		for i, l := range lines {
			l = strings.TrimRight(l, "\r")
			lines[i] = l[strings.LastIndexByte(l, '\r')+1:]
		}
		s = strings.Join(lines, "\n")
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r < ' ':
			b.WriteRune(0x2400 + r) // the pictures of control characters
		case r == 0x7f:
			b.WriteRune('\u2421')
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r >= 0x80 && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x2028, r == 0x2029, r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
