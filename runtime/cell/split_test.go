package cell

import (
	"fmt"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"empty", "", ""},
		{"comment alone", "// a\n/* b */\n", ""},
		{"statements", "a := 1\n\nb := 2; c()", "stmt 1:1 a := 1|stmt 3:1 b := 2|stmt 3:9 c()"},
		{"import and statement", "import \"fmt\"\nfmt.Println(1)", "import 1:1 import \"fmt\"|stmt 2:1 fmt.Println(1)"},
		{"comment first, group", "// c\nimport (\n\t\"fmt\"\n)\n", "import 2:1 import (\n\t\"fmt\"\n)"},
		{"func and call", "func f() int {\n\treturn 1\n}; f()", "decl 1:1 func f() int {\n\treturn 1\n}|stmt 3:4 f()"},
		{"method", "func (t *T) M() {}", "decl 1:1 func (t *T) M() {}"},
		{"literal called", "func() { a() }()", "stmt 1:1 func() { a() }()"},
		{"literal with results called", "func(a int) (b, c int) { return }(1)", "stmt 1:1 func(a int) (b, c int) { return }(1)"},
		{"var is a statement", "var x = 1", "stmt 1:1 var x = 1"},
		{"type and const", "type T struct{ A int }\nconst (\n\tx = iota\n)", "decl 1:1 type T struct{ A int }|decl 2:1 const (\n\tx = iota\n)"},
		{"header of a for", "for i := 0; i < 3; i++ {\n\ta()\n}\nb()", "stmt 1:1 for i := 0; i < 3; i++ {\n\ta()\n}|stmt 4:1 b()"},
		{"header with a literal", "if f := func() bool { return true }; f() {\n\ta()\n} else if x := 1; x > 0 {\n}", "stmt 1:1 if f := func() bool { return true }; f() {\n\ta()\n} else if x := 1; x > 0 {\n}"},
		{"label", "L: for i := 0; ; {\nbreak L\n}", "stmt 1:1 L: for i := 0; ; {\nbreak L\n}"},
		{"switch", "switch x := f(); x {\ncase 1:\n}", "stmt 1:1 switch x := f(); x {\ncase 1:\n}"},
		{"raw string with braces", "s := `a\n}{`\nt()", "stmt 1:1 s := `a\n}{`|stmt 3:1 t()"},
		{"raw string with carriage returns", "s := `a\r\nb`; t()\r\nu()", "stmt 1:1 s := `a\r\nb`|stmt 2:5 t()|stmt 3:1 u()"},
		{"no UTF-8", "\xf7\na()", "stmt 1:1 \xf7\na()"},
		{"tab before", "\tx()", "stmt 1:2 x()"},
		{"non-ASCII before", "é := 1; f(é)", "stmt 1:1 é := 1|stmt 1:10 f(é)"}, // columns count bytes
		{"stray brace", "}\na()", "stmt 1:1 }|stmt 2:1 a()"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, p := range Split(c.src) {
				got = append(got, fmt.Sprintf("%s %d:%d %s", map[Kind]string{Statement: "stmt", Declaration: "decl", Import: "import"}[p.Kind], p.Line, p.Col, p.Text))
			}
			if g := strings.Join(got, "|"); g != c.want {
				t.Errorf("got  %q\nwant %q", g, c.want)
			}
		})
	}
}

// FuzzSplit holds Split to two promises on any text: it does not fail, and no part loses or gains text.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"a := 1", "func f() {\n}", "for ;; {", "\"", "`", "}\x00{", "if x {\n} else {", "/* "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		at := 0
		for _, p := range Split(src) {
			i := strings.Index(src[at:], p.Text)
			if i < 0 {
				t.Fatalf("part %q is not in the rest of %q", p.Text, src[at:])
			}
			at += i + len(p.Text)
		}
		Complete(src)
	})
}

func TestComplete(t *testing.T) {
	for src, want := range map[string]bool{
		"":                         true,
		"1+1":                      true,
		"// c":                     true,
		"f(":                       false,
		"f(1,":                     false,
		"f(\n1,\n)":                true,
		"x :=":                     false,
		"x := 1 +":                 false,
		"a.":                       false,
		"func f() {":               false,
		"func f() {\n}":            true,
		"if x {\n} else":           false,
		"s := `a":                  false,
		"s := `a\n`":               true,
		"/* a":                     false,
		"}":                        true, // wrong, and running it says so
		"x := \"a":                 true, // a string does not go on in the next line
		"type T struct {":          false,
		"for i := 0; i < 3; i++ {": false,
		"var (":                    false,
		"return":                   true,
		"x := []int{1, 2":          false,
	} {
		if got := Complete(src); got != want {
			t.Errorf("Complete(%q) is %v", src, got)
		}
	}
}

func TestCaret(t *testing.T) {
	for _, c := range []struct {
		source string
		col    int
		want   string
	}{
		{"a + b", 5, "  | a + b\n  |     ^"},
		{"\tx := y", 7, "  | \tx := y\n  | \t     ^"},                                      // the tab stays a tab
		{`s := "你好" + x`, 17, "  | s := \"你好\" + x\n  | " + strings.Repeat(" ", 14) + "^"}, // two columns for each
		{"short", 99, "  | short"},
		{"   ", 1, ""},
	} {
		if got := Caret(c.source, c.col); got != c.want {
			t.Errorf("Caret(%q, %d)\ngot  %q\nwant %q", c.source, c.col, got, c.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	e := &Error{Cell: "a.go", Line: 3, Col: 2, Msg: "no\n  hint: yes", Source: "\tf()"}
	if got, want := e.Error(), "a.go:3:2: no\n  | \tf()\n  | \t^\n  hint: yes"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	var many Errors
	for range 13 {
		many = append(many, &Error{Msg: "x"})
	}
	if got := many.Error(); strings.Count(got, "x\n") != 10 || !strings.HasSuffix(got, "… and 3 more") {
		t.Errorf("thirteen errors: %q", got)
	}
}
