package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSaveWritesTheWholePage(t *testing.T) {
	dir := t.TempDir()
	p := NewPage("t")
	p.Text("hello")
	path := p.Save(filepath.Join(dir, "a.html"))
	b, err := os.ReadFile(path)
	if err != nil || !filepath.IsAbs(path) || string(b) != p.HTML() {
		t.Errorf("%s %v", path, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files; wanted one", len(left))
	}
}

func TestContentsListHeadings(t *testing.T) {
	p := NewPage("t")
	p.Text("# One\n\n## *One* point two\n\n# Two & <b>three</b>\n\n## Deep\n\n### Deeper")
	page := p.HTML()
	want := `<ol><li><a href="#part-1">One</a>
<ol><li><a href="#part-2">One point two</a></li></ol></li>
<li><a href="#part-3">Two &amp; three</a>
<ol><li><a href="#part-4">Deep</a></li></ol></li></ol></nav>`
	if !strings.Contains(page, want) {
		t.Errorf("no\n%s\nin\n%s", want, page[strings.Index(page, "<nav"):])
	}
	if !strings.Contains(page, `<h2 id="part-3">Two &amp; &lt;b&gt;three&lt;/b&gt;</h2>`) || !strings.Contains(page, `<h4 id="part-5">`) {
		t.Error("headings do not follow the title with their ids")
	}
	few := NewPage("t")
	few.Text("# One\n\n# Two")
	if strings.Contains(few.HTML(), "<nav") {
		t.Error("two headings need no table of contents")
	}
	second := NewPage("t")
	second.Text("## One\n\n### Below")
	second.Text("## Two")
	if page := second.HTML(); !strings.Contains(page, `<h2 id="part-1">One`) || !strings.Contains(page, `<h3 id="part-2">Below`) || !strings.Contains(page, `<h2 id="part-3">Two`) {
		t.Error("## is not right below the title")
	}
}

type hasText struct{}

func (*hasText) Show() (text, html string) { return "a <b>\n  text", "" }

func TestAddShowsWhatHasShow(t *testing.T) {
	p := NewPage("t")
	p.Add(hasText{})
	p.Add(&hasText{})
	p.Add(41 + 1)
	p.Add(nil)
	if page := p.HTML(); strings.Count(page, "<pre>a &lt;b&gt;\n  text</pre>") != 2 || !strings.Contains(page, "<pre>42</pre>") {
		t.Error(page)
	}
}

func TestMarkdownLoadsAndRunsNothing(t *testing.T) {
	p := NewPage("t")
	p.Text("![a picture](//x.example/p.png)\n\n[l](javascript:alert(1))\n\n<iframe src=x></iframe>\n\n| a | b |\n|---|--:|\n| 1 | 2 |")
	page := p.HTML()
	for _, bad := range []string{"<img", "<iframe", "javascript:", "x.example"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q passes", bad)
		}
	}
	if !strings.Contains(page, "[picture: a picture]") || !strings.Contains(page, "<table>") {
		t.Error("the description or the table is gone")
	}
}
