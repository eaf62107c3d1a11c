package study

import (
	"strconv"
	"strings"
)

// leading returns the number that a cell is or begins with: "43.2 (41.0 to 45.3)" is 43.2.
func leading(cell string) (float64, bool) {
	word, _, _ := strings.Cut(strings.TrimSpace(cell), " ")
	v, err := strconv.ParseFloat(strings.TrimPrefix(word, "+"), 64)
	return v, err == nil
}

// LaTeX returns the table as a tabular in the form of the package booktabs, with the title as a comment and the notes below.
// Every text is escaped, so that a name with & or _ stays a name.
func (t *Table) LaTeX() string {
	var b strings.Builder
	if t.Title != "" {
		b.WriteString("% " + strings.Join(strings.Fields(t.Title), " ") + "\n")
	}
	b.WriteString("\\begin{tabular}{")
	for i := range t.Columns {
		if t.rightOf(i) {
			b.WriteByte('r')
		} else {
			b.WriteByte('l')
		}
	}
	b.WriteString("}\n\\toprule\n")
	line := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(latexText(c))
		}
		b.WriteString(" \\\\\n")
	}
	line(t.Columns)
	b.WriteString("\\midrule\n")
	for _, r := range t.Rows {
		line(r)
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	for _, n := range t.Notes {
		b.WriteString("\\par\\footnotesize " + latexText(n) + "\n")
	}
	return b.String()
}

var latexReplacer = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "<", `\textless{}`, ">", `\textgreater{}`, "—", "---", "·", `\textperiodcentered{}`)

// latexText returns text that LaTeX prints as it stands; line breaks and control characters become blanks, and a minus sign
// before a number is one.
func latexText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	minus := strings.HasPrefix(s, "-")
	if _, is := leading(s); minus && is {
		return "$-$" + latexReplacer.Replace(s[1:])
	}
	return latexReplacer.Replace(s)
}
