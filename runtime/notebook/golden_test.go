package notebook

import (
	"strings"
	"testing"

	"tunebook/runtime/session"
)

func TestGoldenText(t *testing.T) {
	g := &Golden{[]GoldenCell{{0, "", "top"}, {1, "One  two", "a\n\n== 2 no cell\n| bar\n  indented"}, {2, "empty", ""}, {-1, "", "end"}}}
	text := g.Format("dir/nb.go")
	back, err := ParseGolden("x", text)
	if err != nil {
		t.Fatal(err)
	}
	if back.Format("nb.go") != text || len(back.Cells) != 4 || back.Cells[1].Output != g.Cells[1].Output || back.Cells[1].Title != "One two" {
		t.Errorf("%q\nbecomes %+v", text, back)
	}
}

func FuzzParseGolden(f *testing.F) {
	f.Add("Outputs of a\n\n== 1 x\n| y\n|\n| z\n")
	f.Add("== \n")
	f.Fuzz(func(t *testing.T, s string) {
		g, err := ParseGolden("x", s)
		if err != nil {
			return
		}
		text := g.Format("a")
		h, err := ParseGolden("x", text)
		if err != nil || h.Format("a") != text {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func TestFirstDifference(t *testing.T) {
	for _, c := range []struct{ want, got, diff string }{
		{"a\nb", "a\nb", ""},
		{"took 1.5s, 12 ms and 3 min 2 s", "took 20m1.25s, 900 ms and 1 min 59 s", ""},
		{"at 2026-01-02 03:04:05", "at 2027-11-12T13:14:15.5Z", ""},
		{"x = 0.1", "x = 0.10000000000000001", "  line 1, stored: x = 0.1\n  line 1, now:    x = 0.10000000000000001"},
		{"5 steps", "6 steps", "  line 1, stored: 5 steps\n  line 1, now:    6 steps"},
		{"a", "a\nb", "  line 2 is new: b"},
		{"a\nb", "a", "  line 2 is missing: b"},
		{"n1s = 2", "n2s = 2", "  line 1, stored: n1s = 2\n  line 1, now:    n2s = 2"},
	} {
		if got := firstDifference(c.want, c.got); got != c.diff {
			t.Errorf("%q and %q: %q; want %q", c.want, c.got, got, c.diff)
		}
	}
}

func TestGoldenMerge(t *testing.T) {
	old := &Golden{[]GoldenCell{{0, "", "a"}, {2, "two", "old"}, {-1, "", "end"}}}
	plan := &Plan{File: &File{Cells: []Cell{{Title: "one"}, {Title: "two"}}}, Number: []int{1, 2}, Run: []bool{true, true}, For: []string{"", "1"}}
	out := func(s string) session.Result {
		return session.Result{Pieces: []session.Piece{{Text: s}, {Text: "no", Stderr: true}}}
	}
	r := &Record{Plan: plan, Cells: []Ran{{true, out("new\n")}, {true, out("needed only")}}}
	got := old.Merge(r, false).Format("nb")
	want := (&Golden{[]GoldenCell{{0, "", "a"}, {1, "one", "new"}, {2, "two", "old"}, {-1, "", "end"}}}).Format("nb")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestHighlight(t *testing.T) {
	got := highlight("if x == \"</pre>\" { // <b>\r\n\ty := 'a' + 0x1F\n} `raw\r\n<i>` \x00 @")
	for _, want := range []string{`<span class="tb-k">if</span>`, `<span class="tb-s">&#34;&lt;/pre&gt;&#34;</span>`, `<span class="tb-n">0x1F</span>`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if strings.Contains(got, "<b>") || strings.Contains(got, "<i>") || strings.Contains(got, "\x00") {
		t.Errorf("a text became HTML: %s", got)
	}
}

// Places of a report's title: the first heading of the first text, however it is written.
func TestTitle(t *testing.T) {
	for src, want := range map[string][2]string{
		"// %% [markdown]\n// # A *study* of `x` \\<b\\>\n//\n// Words.\n": {"A study of x <b>", "Words."},
		"// %% [markdown]\n// A study\n// =======\n// Words.\n":            {"A study", "Words."},
		"// %% [markdown]\n// Words.\n":                                    {"nb.go", "Words."},
		"// %% [markdown]\n// ## Second level\n":                           {"nb.go", "## Second level"},
		"x := 1\n// %% [markdown]\n// # Late\n":                            {"nb.go", "# Late"},
		"// %% [markdown]\n// # Closed #\n// next line\n":                  {"Closed", "next line"},
	} {
		f := Parse("dir/nb.go", src)
		if got := f.Title(); got != want[0] {
			t.Errorf("%q: the title is %q; want %q", src, got, want[0])
		}
		if _, at := f.heading(); at >= 0 {
			if got := afterHeading(f.Cells[at].Markdown); got != want[1] {
				t.Errorf("%q: the text is %q; want %q", src, got, want[1])
			}
		}
	}
}
