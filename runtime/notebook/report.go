package notebook

import (
	"crypto/sha256"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"tunebook/runtime/session"
	"tunebook/runtime/show"
)

// Page is where a report is written: texts in Markdown, and values that show themselves as HTML. It makes the whole
// document, with its table of contents. The script API's chart.Page is one.
type Page interface {
	Text(markdown string)
	Add(value any)
}

// About is what a report says of the run as a whole.
type About struct {
	// Environment and Manifest are name and value of what the run was made with, in order. The manifest comes after what
	// the record itself knows: the notebook's sum, settings and cells.
	Environment, Manifest [][2]string
	// Times puts the time of each cell into the report; without it the same run gives the same bytes.
	Times bool
	When  time.Time // of the run's start; left out without Times
}

// fragment is a piece of a page that is HTML already.
type fragment string

// Show returns it.
func (f fragment) Show() (text, html string) { return "", string(f) }

// Title returns what a report of the notebook is called: its first heading, when a text cell begins with one, or the name
// of its file.
func (f *File) Title() string {
	if t, _ := f.heading(); t != "" {
		return t
	}
	return base(f.Name)
}

func base(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// heading returns the heading that the first text cell begins with, and that cell's place.
func (f *File) heading() (title string, cell int) {
	for i := range f.Cells {
		c := &f.Cells[i]
		if c.Code() && !(i == 0 && f.Program && c.Title == "") {
			return "", -1
		}
		if !c.Text() {
			continue
		}
		src := []byte(c.Markdown)
		h, ok := markdownOf(c.Markdown).FirstChild().(*ast.Heading)
		if !ok || h.Level != 1 || h.Lines().Len() == 0 {
			return "", -1
		}
		return strings.TrimSpace(plainText(h, src)), i
	}
	return "", -1
}

func markdownOf(s string) ast.Node { return goldmark.DefaultParser().Parse(text.NewReader([]byte(s))) }

func plainText(n ast.Node, src []byte) string {
	var b strings.Builder
	ast.Walk(n, func(c ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := c.(*ast.Text); ok && entering {
			text := t.Value(src)
			if n := c.Parent(); n == nil || n.Kind() != ast.KindCodeSpan {
				text = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(text)))
			}
			b.Write(text)
			if t.SoftLineBreak() {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// afterHeading returns Markdown without the heading that it begins with.
func afterHeading(s string) string {
	h := markdownOf(s).FirstChild()
	lines := h.Lines()
	rest := s[lines.At(lines.Len()-1).Stop:]
	// What ends a heading's line is no text of it: closing signs, or the line below it.
	_, rest, _ = strings.Cut(rest, "\n")
	if l, more, _ := strings.Cut(rest, "\n"); !strings.HasPrefix(strings.TrimSpace(s), "#") && strings.Trim(l, "=- \t\r") == "" {
		rest = more
	}
	return strings.TrimSpace(rest)
}

// headings returns the highest level of heading in the text cells, 0 for none.
func (f *File) headings(without int) int {
	top := 0
	for i := range f.Cells {
		s := f.Cells[i].Markdown
		if i == without {
			s = afterHeading(s)
		}
		ast.Walk(markdownOf(s), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if h, ok := n.(*ast.Heading); ok && entering && (top == 0 || h.Level < top) {
				top = h.Level
			}
			return ast.WalkContinue, nil
		})
	}
	return top
}

// literalMarkdown writes a text so that Markdown takes nothing in it for a sign.
func literalMarkdown(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(visible(s)), " ") {
		if r < 0x80 && strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Write puts the record on a page: text cells, code folded away, output with its tables and charts, what failed, and at
// the end what the run was made with.
func (r *Record) Write(page Page, about About) {
	f := r.Plan.File
	_, titled := f.heading()
	top := f.headings(titled)
	level := 2
	if top > 0 {
		level = min(top+1, 6)
	} else {
		top = 2
	}
	section := func(level int, title string) { page.Text(strings.Repeat("#", level) + " " + literalMarkdown(title)) }

	if s := r.summary(about); s != "" {
		page.Add(fragment(s))
	}
	before, parts, after := f.parts()
	first := codeHTML("Imports and declarations", before) + r.outputHTML(&r.Before)
	for i := range f.Cells {
		c, number := &f.Cells[i], r.Plan.Number[i]
		if !r.Plan.Run[i] {
			continue
		}
		if c.Text() {
			s := c.Markdown
			switch {
			case i == titled:
				s = afterHeading(s)
			case c.Title != firstLine(s):
				section(level, c.Title)
			}
			if strings.TrimSpace(s) != "" {
				page.Text(s)
			}
			if number == 0 {
				continue
			}
		}
		if first != "" {
			page.Add(fragment(first))
			first = ""
		}
		if !c.Text() && c.Title != "" {
			section(level, c.Title)
		}
		ran := &r.Cells[i]
		var b strings.Builder
		meta := []string{"cell " + strconv.Itoa(number)}
		switch {
		case !ran.Ran:
			meta = append(meta, "not run")
		case about.Times:
			meta = append(meta, "<time>"+Took(ran.Result.Took)+"</time>")
		}
		if r.Plan.For[i] != "" {
			meta = append(meta, "needed for "+r.Plan.For[i]+", output left out")
		}
		fmt.Fprintf(&b, "<p class=\"tb-meta\" id=\"cell-%d\">%s</p>\n", number, strings.Join(meta, " · "))
		b.WriteString(codeHTML("Code", parts[i]))
		if ran.Ran {
			if r.Plan.For[i] == "" {
				b.WriteString(r.outputHTML(&ran.Result))
			}
			if ran.Result.Err != nil {
				what := "Failed"
				if session.Interrupted(ran.Result.Err) {
					what = "Interrupted"
				}
				b.WriteString(failureHTML(what, ran.Result.Err))
			}
		}
		page.Add(fragment(b.String()))
	}
	if first != "" {
		page.Add(fragment(first))
	}
	if out := r.outputHTML(&r.After); out != "" {
		page.Add(fragment(`<p class="tb-meta">deferred to the end</p>` + "\n" + out))
	}
	if r.After.Err != nil {
		page.Add(fragment(failureHTML("Failed at the end", r.After.Err)))
	}
	if code := codeHTML("Declarations after main", after); code != "" {
		page.Add(fragment(code))
	}

	section(top, "Environment")
	env := about.Environment
	if about.Times && !about.When.IsZero() {
		env = append(env[:len(env):len(env)], [2]string{"Run on", about.When.Format("2 January 2006, 15:04 MST")}, [2]string{"Took", Took(r.Took)})
	}
	page.Add(fragment(listHTML(env)))
	section(top, "Manifest")
	page.Add(fragment(listHTML(append(r.manifest(), about.Manifest...))))
}

// manifest is what the record knows of what it was made from.
func (r *Record) manifest() [][2]string {
	f := r.Plan.File
	m := [][2]string{{"Notebook", fmt.Sprintf("%s, sha256 %x", base(f.Name), sha256.Sum256([]byte(f.original)))}}
	for _, path := range r.Plan.Local {
		if b, err := os.ReadFile(path); err == nil {
			name := path
			if rel, err := filepath.Rel(absDir(f.Name), path); err == nil {
				name = filepath.ToSlash(rel)
			}
			m = append(m, [2]string{"Package file", fmt.Sprintf("%s, sha256 %x", name, sha256.Sum256(b))})
		}
	}
	for _, s := range r.Plan.Set {
		m = append(m, [2]string{"Set", s})
	}
	m = append(m, r.used()...)
	ran, all, last := 0, 0, 0
	for i, n := range r.Plan.Number {
		if n > 0 {
			all++
		}
		if r.Cells[i].Ran {
			ran, last = ran+1, n
		}
	}
	s := fmt.Sprintf("%d of %d", ran, all)
	if ran == 0 {
		s = fmt.Sprintf("none of %d", all)
	} else if ran == all {
		s = fmt.Sprintf("all %d", all)
	}
	switch {
	case r.Err != nil && session.Interrupted(r.Err):
		s += fmt.Sprintf("; interrupted in cell %d", last)
	case r.Failed() >= 0:
		s += fmt.Sprintf("; cell %d failed", last)
	case r.Code != 0 && r.Err == nil:
		s += fmt.Sprintf("; the script ended itself with code %d", r.Code)
	}
	return append(m, [2]string{"Cells run", s})
}

// maxUsed is how many things that were used a manifest lists.
const maxUsed = 100

// used is what the cells used from outside of the script, each thing once.
func (r *Record) used() (rows [][2]string) {
	seen := map[[2]string]bool{}
	left := 0
	all := append([][2]string(nil), r.Before.Used...)
	for i := range r.Cells {
		all = append(all, r.Cells[i].Result.Used...)
	}
	for _, u := range append(all, r.After.Used...) {
		switch {
		case seen[u]:
			continue
		case len(seen) >= maxUsed:
			left++
		default:
			rows = append(rows, u)
		}
		seen[u] = true
	}
	if left > 0 {
		rows = append(rows, [2]string{"And", strconv.Itoa(left) + " more"})
	}
	return rows
}

// summary is what a reader has to know before the first cell: that the run did not come to its end, or is a part.
func (r *Record) summary(about About) string {
	var b strings.Builder
	if r.Err != nil {
		i := r.Failed()
		what, where := "failed", "before its first cell"
		if session.Interrupted(r.Err) {
			what = "was interrupted"
		}
		switch {
		case i >= 0:
			where = fmt.Sprintf(`in <a href="#cell-%d">cell %d</a>; the cells after it did not run`, r.Plan.Number[i], r.Plan.Number[i])
		case r.After.Err != nil:
			where = "at its end"
		}
		fmt.Fprintf(&b, "<p class=\"tb-fail\"><strong>This run %s</strong> %s.</p>\n", what, where)
		if i < 0 && r.After.Err == nil {
			b.WriteString(failureHTML("Failed", r.Err))
		}
	}
	var left []string
	for i, n := range r.Plan.Number {
		if n > 0 && !r.Plan.Run[i] {
			left = append(left, strconv.Itoa(n))
		}
	}
	if len(left) > 0 {
		fmt.Fprintf(&b, "<p class=\"tb-note\">A part of the notebook: cells left out: %s.</p>\n", strings.Join(left, ", "))
	}
	return b.String()
}

// outputHTML is what a cell printed and showed.
func (r *Record) outputHTML(res *session.Result) string {
	var b strings.Builder
	for _, p := range res.Pieces {
		switch {
		case p.HTML != "":
			b.WriteString(p.HTML)
		case strings.TrimSpace(p.Text) == "":
		case p.Stderr:
			b.WriteString(preHTML("tb-err", "Messages", p.Text))
		default:
			b.WriteString(preHTML("tb-out", "Output", p.Text))
		}
	}
	for _, n := range res.Notes {
		b.WriteString(`<p class="tb-note">note: ` + html.EscapeString(visible(n)) + "</p>\n")
	}
	switch {
	case res.HTML != "":
		b.WriteString(res.HTML)
	case res.Text != "":
		b.WriteString(preHTML("tb-out", "Value", res.Text))
	}
	return b.String()
}

// preHTML is text as it was printed. A region that a keyboard can scroll has a name.
func preHTML(class, name, s string) string {
	if strings.ContainsAny(s, "─│┤") {
		class += " tb-wide" // tables and pictures made of signs come apart when their lines are broken
	}
	return fmt.Sprintf("<pre class=%q tabindex=\"0\" role=\"region\" aria-label=%q>%s</pre>\n", class, name, html.EscapeString(strings.Trim(visible(s), "\n")))
}

func failureHTML(what string, err error) string {
	return fmt.Sprintf("<div class=\"tb-fail\"><strong>%s</strong>%s</div>\n", what, preHTML("tb-out", what, err.Error()))
}

// codeHTML is code, folded away; nothing for no code.
func codeHTML(name, src string) string {
	src = strings.Trim(src, "\n")
	if strings.TrimSpace(src) == "" {
		return ""
	}
	lines := strings.Count(src, "\n") + 1
	n := strconv.Itoa(lines) + " lines"
	if lines == 1 {
		n = "1 line"
	}
	return fmt.Sprintf("<details class=\"tb-code\"><summary>%s (%s)</summary><pre tabindex=\"0\" role=\"region\" aria-label=%q>%s</pre></details>\n",
		name, n, name, highlight(src))
}

func listHTML(rows [][2]string) string {
	var b strings.Builder
	b.WriteString("<dl class=\"tb-list\">\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "<dt>%s</dt><dd>%s</dd>\n", html.EscapeString(visible(r[0])), html.EscapeString(visible(r[1])))
	}
	b.WriteString("</dl>\n")
	return b.String()
}

// visible is a text as a page can hold it: what a terminal overwrites is gone, colours are gone, and every other control
// character, and those that turn the direction of writing, are seen instead of working.
func visible(s string) string { return show.Visible(s) }

func absDir(file string) string {
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return filepath.Dir(file)
	}
	return dir
}
