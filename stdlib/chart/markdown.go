package chart

import (
	"fmt"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// heading is a line of the table of contents.
type heading struct {
	level int // of the HTML element: 2 and more
	text  string
}

func parser() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough))
}

// highest returns the level of the highest heading in Markdown, 6 for none.
func highest(markdown string) int {
	level := 6
	ast.Walk(parser().Parser().Parse(text.NewReader([]byte(markdown))), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.Heading); ok {
			level = min(level, h.Level)
		}
		return ast.WalkContinue, nil
	})
	return level
}

// render returns Markdown as HTML. Headings of the level top become h2, since h1 is the page's title, and lower ones
// follow; they are appended to all, and their ids are numbered through the page.
func render(markdown string, top int, all *[]heading) string {
	md := parser()
	md.Renderer().AddOptions(renderer.WithNodeRenderers(util.Prioritized(&harmless{all: all, down: 2 - top}, 100)))
	var b strings.Builder
	if err := md.Convert([]byte(markdown), &b); err != nil {
		return "<pre>" + html.EscapeString(markdown) + "</pre>\n" // only the writer can fail, and it does not
	}
	return b.String()
}

// harmless renders what a page must not take over: HTML becomes text, pictures their description.
type harmless struct {
	all  *[]heading
	down int // levels that headings move
}

func (h *harmless) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindRawHTML, h.rawHTML)
	reg.Register(ast.KindHTMLBlock, h.htmlBlock)
	reg.Register(ast.KindImage, h.image)
	reg.Register(ast.KindHeading, h.heading)
}

func (h *harmless) rawHTML(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		w.WriteString(html.EscapeString(string(n.(*ast.RawHTML).Segments.Value(src))))
	}
	return ast.WalkSkipChildren, nil
}

func (h *harmless) htmlBlock(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		text := string(n.Lines().Value(src))
		if b := n.(*ast.HTMLBlock); b.HasClosure() {
			text += string(b.ClosureLine.Value(src))
		}
		w.WriteString("<pre>" + html.EscapeString(text) + "</pre>\n")
	}
	return ast.WalkSkipChildren, nil
}

func (h *harmless) image(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		fmt.Fprintf(w, "[picture: %s]", html.EscapeString(plainText(n, src)))
	}
	return ast.WalkSkipChildren, nil
}

func (h *harmless) heading(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	level := min(6, n.(*ast.Heading).Level+h.down)
	if !entering {
		fmt.Fprintf(w, "</h%d>\n", level)
		return ast.WalkContinue, nil
	}
	*h.all = append(*h.all, heading{level, plainText(n, src)})
	fmt.Fprintf(w, `<h%d id="part-%d">`, level, len(*h.all))
	return ast.WalkContinue, nil
}

// plainText returns the text of a node without its markup.
func plainText(n ast.Node, src []byte) string {
	var b strings.Builder
	ast.Walk(n, func(c ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			switch t := c.(type) {
			case *ast.Text:
				text := t.Value(src)
				if n := c.Parent(); n == nil || n.Kind() != ast.KindCodeSpan {
					text = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(text)))
				}
				b.Write(text)
				if t.SoftLineBreak() {
					b.WriteByte(' ')
				}
			case *ast.String:
				b.Write(t.Value)
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// contents returns the table of contents of headings of the second and third level, nothing for fewer than four.
func contents(all []heading) string {
	shown := 0
	for _, h := range all {
		if h.level <= 3 {
			shown++
		}
	}
	if shown < 4 {
		return ""
	}
	var b strings.Builder
	b.WriteString("<nav aria-label=\"Contents\"><h2>Contents</h2>\n<ol>")
	open, inner := false, false
	for i, h := range all {
		link := fmt.Sprintf(`<a href="#part-%d">%s</a>`, i+1, html.EscapeString(h.text))
		switch {
		case h.level == 2 || h.level == 3 && !open:
			if inner {
				b.WriteString("</ol>")
			}
			if open {
				b.WriteString("</li>\n")
			}
			b.WriteString("<li>" + link)
			open, inner = true, false
		case h.level == 3:
			if !inner {
				b.WriteString("\n<ol>")
			}
			b.WriteString("<li>" + link + "</li>")
			inner = true
		}
	}
	if inner {
		b.WriteString("</ol>")
	}
	b.WriteString("</li></ol></nav>\n")
	return b.String()
}
