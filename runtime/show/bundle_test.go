package show

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"
)

type point struct {
	X, Y float64
	name string
}

type shower struct{ n int }

func (s *shower) Show() (text, html string) { return fmt.Sprint("shown ", s.n), "<b>shown</b>" }

type color int

func (c color) String() string { return fmt.Sprintf("color-%d", int(c)) }

type node struct {
	Val  int
	Next *node
}

func TestOf(t *testing.T) {
	loop := &node{Val: 1}
	loop.Next = loop
	long := make([]int, 200)
	for i := range long {
		long[i] = i
	}
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"int", 3, "3"},
		{"float", 0.1, "0.1"},
		{"whole float", 1e6, "1000000"},
		{"big float", 1e20, "1e+20"},
		{"float32", float32(0.1), "0.1"},
		{"not a number", math.NaN(), "NaN"},
		{"string", "a\n\x1b[31m", `"a\n\x1b[31m"`},
		{"nil", nil, "nil"},
		{"nil pointer with a method", (*shower)(nil), "nil"},
		{"nil error in an interface", error(nil), "nil"},
		{"error", errors.New("no"), "no"},
		{"Show", &shower{3}, "shown 3"},
		{"Stringer", color(2), "color-2"},
		{"duration", 1500 * time.Millisecond, "1.5s"},
		{"struct", point{1, 2.5, "p"}, `show.point{X: 1, Y: 2.5, name: "p"}`},
		{"pointer", &point{}, `&show.point{X: 0, Y: 0, name: ""}`},
		{"slice", []string{"a", "b"}, `["a", "b"]`},
		{"empty slice", []int{}, "[]"},
		{"nil slice", []int(nil), "[]"},
		{"slice of Stringers", []color{1, 2}, "[color-1, color-2]"},
		{"map in order", map[string]int{"b": 2, "a": 1}, `map["a": 1, "b": 2]`},
		{"map of numbers in order", map[int]bool{10: true, 9: false}, "map[9: false, 10: true]"},
		{"bytes", make([]byte, 100), strings.TrimSuffix(strings.Repeat("00 ", 16), " ") + "… (100 bytes)"},
		{"cycle", loop, "&show.node{Val: 1, Next: &show.node{Val: 1, Next: &…}}"},
		{"interface", []any{1, "a", nil}, `[1, "a", nil]`},
		{"func", func(int) string { return "" }, "func(int) string"},
	} {
		if got := Of(c.v).Text; got != c.want {
			t.Errorf("%s: got %s; want %s", c.name, got, c.want)
		}
	}
	if b := Of(&shower{}); b.HTML != "<b>shown</b>" {
		t.Errorf("the page gets %q", b.HTML)
	}
	if got := Of(long).Text; !strings.Contains(got, "24, … (200 values) …, 195") || len(got) > 300 {
		t.Errorf("a long slice shows %s", got)
	}
	if got := Of(strings.Repeat("é", 3000)).Text; !strings.HasSuffix(got, "é… (6000 bytes)") || len(got) > MaxString+40 {
		t.Errorf("a long string shows %d bytes, …%s", len(got), got[len(got)-40:])
	}
	big := map[int]int{}
	for i := range 1000 {
		big[i] = i
	}
	if got := Of(big).Text; !strings.Contains(got, "49: 49, … (1000 entries)]") {
		t.Errorf("a big map shows %s", got)
	}
}

type row struct {
	Name  string
	Score float64
	Tags  []string
}

func TestTable(t *testing.T) {
	b := Of([]row{{"a\nb", 1.0 / 3, nil}, {"<script>你好", 12, []string{"x"}}})
	want := `Name             Score  Tags
────────────  ────────  ─────
a⏎b           0.333333  []
<script>你好        12  ["x"]`
	if b.Text != want {
		t.Errorf("got\n%s\nwant\n%s", b.Text, want)
	}
	if !strings.Contains(b.HTML, "&lt;script&gt;你好") || strings.Contains(b.HTML, "<script") {
		t.Errorf("the page gets %s", b.HTML)
	}
	many := make([]*row, 45)
	many[1] = &row{Name: strings.Repeat("w", 100)}
	got := Of(many).Text
	lines := strings.Split(got, "\n")
	if len(lines) != 2+MaxRows+1 || lines[len(lines)-1] != "… and 25 more of 45 rows" {
		t.Errorf("a long table ends in %q after %d lines", lines[len(lines)-1], len(lines))
	}
	if !strings.HasPrefix(lines[2], "nil") || !strings.HasPrefix(lines[3], strings.Repeat("w", MaxCell-1)+"…") {
		t.Errorf("the rows are\n%s\n%s", lines[2], lines[3])
	}
}

func TestFit(t *testing.T) {
	sentence := strings.Repeat("word ", 20)
	text := sentence + "\n" + "name  what it is about, in words\n────  ─────────────────────────\né     你好你好你好你好你好你好你好\n\n" + sentence
	for _, width := range []int{21, 22} {
		lines := strings.Split(Fit(text, width), "\n")
		if lines[0] != sentence || lines[5] != sentence {
			t.Error("a sentence was cut")
		}
		for _, l := range lines[1:4] {
			if w := runewidth.StringWidth(l); w > width || w < width-1 || !strings.HasSuffix(l, "…") {
				t.Errorf("%q is %d columns wide; the window has %d", l, w, width)
			}
		}
	}
	if Fit(text, 200) != text {
		t.Error("a wide window changes the text")
	}
}
