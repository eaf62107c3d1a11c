package notebook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// jupyter is a notebook with what Jupyter and its friends leave in one: unknown members at all levels, ids, a raw cell,
// outputs of all types, attachments, an empty cell, and texts that look like signs of the other kinds of file.
const jupyter = `{
 "cells": [
  {
   "cell_type": "markdown",
   "id": "a1b2",
   "metadata": {
    "collapsed": false,
    "tags": ["x", "y"]
   },
   "source": ["# Title  \n", "\n", "hard  \n", "break and <!-- %% --> and -->\n"],
   "attachments": {"p.png": {"image/png": "iVBORw0KGgo="}}
  },
  {
   "cell_type": "code",
   "execution_count": 7,
   "id": "c3",
   "metadata": {"jupyter": {"outputs_hidden": true}, "n": 1.50, "big": 12345678901234567890},
   "outputs": [
    {"name": "stdout", "output_type": "stream", "text": ["a < b & c > d\n", "// %% [jupyter]\n"]},
    {"data": {"text/html": ["<b>\u2028</b>\n"], "text/plain": ["x"]}, "metadata": {"k": [1, null]}, "output_type": "display_data"},
    {"ename": "E", "evalue": "v", "output_type": "error", "traceback": ["\u001b[31mred\u001b[0m"]},
    {"output_type": "unknown_type", "deep": {"er": []}}
   ],
   "source": ["x := 1\n", "x"]
  },
  {
   "cell_type": "raw",
   "id": "r",
   "metadata": {"format": "text/latex"},
   "source": ["\\alpha\n", "` + "```" + `\n"]
  },
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "tricky",
   "metadata": {"tunebook": {"title": "A ` + "`title`" + ` with -- > and spaces"}},
   "outputs": [],
   "source": ["// %% not a cell\n", "s := ` + "`raw\\n" + `\n", "\ttabs` + "`" + `\n", "` + "```" + `\n", "<!-- %% -->"]
  },
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "empty",
   "metadata": {},
   "outputs": [],
   "source": []
  },
  {"cell_type": "markdown", "id": "m2", "metadata": {}, "source": []},
  {"cell_type": "markdown", "id": "m3", "metadata": {}, "source": ["` + "```go" + `\n", "x := \"in a text\"\n", "` + "```" + `"]}
 ],
 "metadata": {
  "kernelspec": {"display_name": "Go", "language": "go", "name": "gonb"},
  "widgets": {"state": {}}
 },
 "nbformat": 4,
 "nbformat_minor": 5,
 "zz_unknown": ["kept", 1e400]
}
`

const loose = "x := 1\n\n// %% two\nfunc f() int {\n\treturn x\n}\n\n// %% [markdown]\n// # Text\n//\n// of it\n\n// %% [raw] kept\n// \\raw\n\n// %%\nf()\n"

const mdText = "# A study\n\nWords.\n\n```go Load\nx := 1\n```\n\n```sh\nnot go\n```\n\nMore.\n\n<!-- %% -->\n\nAnother text.\n\n<!-- %% Named -->\n\nA third.\n\n```{raw}\n\\raw\n```\n\n````go\ns := `\n```\n`\n````\n"

// sources are notebooks in each kind of file.
func sources(t testing.TB) map[string]string {
	t.Helper()
	m := map[string]string{"a.ipynb": jupyter, "program.go": program, "loose.go": loose, "a.md": mdText}
	files, err := filepath.Glob("../../notebooks/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no notebooks: ", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m[filepath.Base(f)] = string(b)
	}
	return m
}

func convert(t testing.TB, src, from, to string) string {
	t.Helper()
	if from == to {
		return src
	}
	out, err := Convert("nb"+from, src, from, to)
	if err != nil {
		t.Fatalf("%s to %s: %v", from, to, err)
	}
	return out
}

var kinds = []string{".go", ".ipynb", ".md"}

// Each way there and back, and all the way round, gives the same file.
func TestConvertLosesNothing(t *testing.T) {
	for name, src := range sources(t) {
		kind := Kind(name)
		if kind == ".ipynb" {
			n, err := ParseJupyter(name, []byte(src))
			if err != nil {
				t.Fatal(err)
			}
			src = string(n.Format()) // its own spelling of the same
		}
		for _, by := range kinds {
			for _, then := range kinds {
				got := convert(t, convert(t, convert(t, src, kind, by), by, then), then, kind)
				if got != src {
					t.Errorf("%s by way of %s and %s is\n%s\nnot\n%s", name, by, then, got, src)
				}
			}
		}
	}
}

// A notebook as Jupyter writes it stays so to the byte.
func TestFormatIsJupyters(t *testing.T) {
	const src = "{\n \"cells\": [\n  {\n   \"cell_type\": \"code\",\n   \"execution_count\": null,\n   \"id\": \"a\",\n   \"metadata\": {},\n   \"outputs\": [],\n   \"source\": [\n    \"x := \\\"<é>\\\"\\n\",\n    \"x\"\n   ]\n  }\n ],\n \"metadata\": {},\n \"nbformat\": 4,\n \"nbformat_minor\": 5\n}\n"
	n, err := ParseJupyter("a.ipynb", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(n.Format()); got != src {
		t.Errorf("got\n%s", got)
	}
}

// The notebooks convert in their own words: no exact copy is kept, and a program needs no block.
func TestNotebooksConvertPlainly(t *testing.T) {
	for name, src := range sources(t) {
		if Kind(name) != ".go" || name == "doc.go" || name == "program.go" {
			continue
		}
		n := fromText(src, golang)
		if o := n.own(); o.Go != "" {
			t.Errorf("%s: an exact copy is kept", name)
		}
		if strings.Contains(toText(n, golang), goMarks.open) {
			t.Errorf("%s: it has a block", name)
		}
	}
}

func TestConvertedFilesReadWell(t *testing.T) {
	n := fromText(program, golang)
	var kinds []string
	for i := range n.Cells {
		c := &n.Cells[i]
		kinds = append(kinds, c.Type+" "+c.own().Title+": "+strings.ReplaceAll(c.Source, "\n", ";"))
	}
	want := []string{
		"code : import \"fmt\";;func twice(n int) int { return 2 * n }", "code : x := 1", "code First, with 100 %: fmt.Println(twice(x))",
		"markdown : # A title;;and text;  indented", "code : fmt.Println(\"untitled\");// %%not a marker", "code Empty: ",
		"markdown Named: below", "code : x = 3",
	}
	if strings.Join(kinds, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(kinds, "\n"), strings.Join(want, "\n"))
	}
	md := convert(t, program, ".go", ".md")
	if !strings.Contains(md, "\n```go First, with 100 %\nfmt.Println(twice(x))\n```\n\n# A title\n\nand text\n  indented\n\n```go\n") {
		t.Errorf("the Markdown is\n%s", md)
	}
}

// A cell that was edited in the file keeps its id and metadata and loses its outputs; the others keep all, where they have
// moved to as well.
func TestEditedFileKeepsTheRest(t *testing.T) {
	const src = `{"cells": [
  {"cell_type": "code", "id": "a", "metadata": {"m": 1}, "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}], "execution_count": 1, "source": "fmt.Println(1)"},
  {"cell_type": "code", "id": "b", "metadata": {}, "outputs": [{"output_type": "stream", "name": "stdout", "text": "2"}], "execution_count": 2, "source": "fmt.Println(2)"}
 ], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`
	for _, kind := range []string{".go", ".md"} {
		text := convert(t, src, ".ipynb", kind)
		edited := strings.Replace(text, "fmt.Println(1)", "fmt.Println(3)", 1)
		if edited == text {
			t.Fatal("nothing was edited in\n" + text)
		}
		back, err := ParseJupyter("", []byte(convert(t, edited, kind, ".ipynb")))
		if err != nil {
			t.Fatal(err)
		}
		a, b := back.Cells[0], back.Cells[1]
		if a.Source != "fmt.Println(3)" || string(a.rest.get("id")) != `"a"` || string(a.rest.get("metadata")) != `{"m":1}` ||
			string(a.rest.get("outputs")) != "[]" || string(a.rest.get("execution_count")) != "null" {
			t.Errorf("%s: the edited cell is %s", kind, encode(a.object()))
		}
		if string(b.rest.get("id")) != `"b"` || !strings.Contains(string(b.rest.get("outputs")), `"2"`) {
			t.Errorf("%s: the other cell is %s", kind, encode(b.object()))
		}
	}
}

func TestParseJupyterRefuses(t *testing.T) {
	for src, want := range map[string]string{
		"{":              "not a Jupyter notebook",
		"[]":             "not a Jupyter notebook",
		`{"nbformat":3}`: "nbformat 3",
		`{"nbformat":4}`: "no list of cells",
		`{"nbformat":4,"cells":[{"cell_type":"x","source":""}]}`:          "unknown type",
		`{"nbformat":4,"cells":[{"cell_type":"code","source":1}]}`:        "neither a text nor a list",
		`{"nbformat":4,"cells":[{"cell_type":"code","source":"\ud800"}]}`: "half of a character",
	} {
		if _, err := ParseJupyter("n.ipynb", []byte(src)); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "n.ipynb: ") {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func FuzzConvertText(f *testing.F) {
	for name, src := range sources(f) {
		if Kind(name) != ".ipynb" {
			f.Add(src, Kind(name) == ".md")
		}
	}
	f.Add("// %% [markdown]\n// %% [raw]\n//  x\n\n\n// %%  a  b\r\nx", false)
	f.Add("```go\n```\n```go a\n\n```\n<!-- %% -->\n<!-- %%  -->\n~~~go x`\n~~~", true)
	f.Fuzz(func(t *testing.T, src string, md bool) {
		kind := ".go"
		if md {
			kind = ".md"
		}
		if strings.Contains(src, "%% [jupyter]") || strings.ContainsRune(src, '\uFFFD') || strings.ToValidUTF8(src, "") != src {
			t.Skip() // blocks are tested by what makes them; a file is UTF-8
		}
		for _, to := range kinds {
			if got := convert(t, convert(t, src, kind, to), to, kind); got != src {
				t.Errorf("%s to %s and back: %q, not %q", kind, to, got, src)
			}
		}
	})
}

func FuzzConvertJupyter(f *testing.F) {
	f.Add([]byte(jupyter))
	f.Add([]byte(`{"nbformat":4,"cells":[{"cell_type":"markdown","source":""},{"source":"a","cell_type":"raw"}]}`))
	f.Add([]byte(`{"cells":[{"cell_type":"code","metadata":{"tunebook":{"title":"a","part":"top"}},"source":"import \"fmt\""}],"metadata":{"tunebook":{"program":true,"head":"package main"}},"nbformat":4}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseJupyter("n.ipynb", b)
		if err != nil {
			t.Skip()
		}
		src := string(n.Format())
		m, err := ParseJupyter("n.ipynb", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(m.Format()); got != src {
			t.Fatalf("read and written again: %s\nnot\n%s", got, src)
		}
		for _, to := range []string{".go", ".md"} {
			if got := convert(t, convert(t, src, ".ipynb", to), to, ".ipynb"); got != src {
				t.Errorf("by way of %s: %s\nnot\n%s", to, got, src)
			}
		}
	})
}
