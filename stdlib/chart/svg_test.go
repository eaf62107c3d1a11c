package chart

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wellFormed reads the picture as XML and returns all its text.
func wellFormed(t *testing.T, svg string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	var text strings.Builder
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return text.String()
		}
		if err != nil {
			t.Fatalf("%v in\n%.400s", err, svg)
		}
		switch x := tok.(type) {
		case xml.CharData:
			text.Write(x)
			text.WriteByte('\n')
		case xml.StartElement:
			if x.Name.Local == "script" || x.Name.Local == "image" || x.Name.Local == "foreignObject" {
				t.Errorf("the picture holds a %s", x.Name.Local)
			}
			for _, a := range x.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" {
					t.Errorf("the picture holds %s=%q", a.Name.Local, a.Value)
				}
			}
		}
	}
}

func TestSVG(t *testing.T) {
	st := learning("mixed")
	c := Plot(st, Line{X: "n", By: "mix", LogX: true, Title: "Score & size", XName: "specialist examples"})
	first := c.SVG(Picture{})
	text := wellFormed(t, first)
	for _, want := range []string{"Score & size", "specialist examples", "exact match (normalised)", "1600", "mixed", "specialist only", "note: failed: mix=mixed"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Count(first, "<path") < 10 {
		t.Errorf("%d paths", strings.Count(first, "<path"))
	}
	losses(100).SVG(Picture{})
	if again := Plot(st, Line{X: "n", By: "mix", LogX: true, Title: "Score & size", XName: "specialist examples"}).SVG(Picture{}); again != first {
		t.Error("the same chart gave other bytes")
	}
	dark := c.SVG(Picture{Width: 400, Height: 300, Dark: true})
	if wellFormed(t, dark); !strings.Contains(dark, "#15171b") || !strings.Contains(dark, `width="400"`) {
		t.Error("not dark, or not 400 wide")
	}
	odd := Plot(learning(hostile), Line{X: "mix", Title: hostile, XName: hostile, YName: hostile})
	wellFormed(t, odd.SVG(Picture{}))
	dir := t.TempDir()
	for _, ext := range []string{".svg", ".html", ".txt", ".csv"} {
		b, err := os.ReadFile(c.Save(filepath.Join(dir, "c"+ext)))
		if err != nil || len(b) < 100 {
			t.Errorf("%s: %d bytes, %v", ext, len(b), err)
		}
	}
}

func TestGrid(t *testing.T) {
	one := losses(50)
	m := Grid("Losses <b>", one, losses(60), losses(70))
	text, page := m.Show()
	if strings.Count(page, "<figure") != 3 || strings.Contains(page, "<b>") || strings.Count(text, "Loss during training") != 3 {
		t.Errorf("%s\n%.300s", text, page)
	}
	p := NewPage("grid")
	p.Add(m)
	if p.charts != 3 || !strings.Contains(p.HTML(), "Apache") {
		t.Errorf("%d charts on the page", p.charts)
	}
	svg := m.SVG(2, Picture{})
	if wellFormed(t, svg); !strings.Contains(svg, `width="840" height="630"`) || strings.Count(svg, "<svg") < 4 {
		t.Errorf("%.300s", svg)
	}
}
