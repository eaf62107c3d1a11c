package data

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func tempFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(t testing.TB, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wantError checks that the error's text holds every part.
func wantError(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error; wanted one with %q", what, parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%s: error %q; wanted %q in it", what, err, p)
		}
	}
}

// texts returns prompt and answer of every row.
func texts(s *Set) string {
	var b strings.Builder
	for _, e := range s.Rows {
		fmt.Fprintf(&b, "%s/%d %q -> %q\n", e.Source, e.Row, e.Prompt, e.Answers())
	}
	return b.String()
}

var qa = Fields{Input: "q", Output: "a"}

func TestNamesOfFiles(t *testing.T) {
	for path, want := range map[string]string{
		"a/train.jsonl": "train", "a/train.jsonl.gz": "train", "x.v2.csv": "x.v2", "bare": "bare", ".json": ".json", "T.TSV.GZ": "T", ".gz": ".gz",
	} {
		if got := baseName(path); got != want {
			t.Errorf("baseName(%q) = %q; wanted %q", path, got, want)
		}
	}
	if got := extension("T.TSV.GZ"); got != ".tsv" {
		t.Errorf("extension = %q", got)
	}
}

func TestFirstTenErrorsAndTheCount(t *testing.T) {
	var b strings.Builder
	for i := range 200 {
		if i%4 == 3 && i < 4*47 {
			fmt.Fprintf(&b, "{\"q\": \"row %d\"}\n", i)
		} else {
			fmt.Fprintf(&b, "{\"q\": \"row %d\", \"a\": \"x\"}\n", i)
		}
	}
	path := tempFile(t, "t.jsonl", b.String())
	_, err := ReadJSONL(path, qa)
	wantError(t, "stop", err, "data.JSONL: "+path+": 47 of 200 rows cannot be used; wanted none\n",
		path+`:4: no field "a"; the row has "q": {"q": "row 3"}`+"\n", path+":40: ", "\n  … and 37 more")
	if strings.Contains(err.Error(), path+":44:") || strings.Count(err.Error(), "\n") != 11 {
		t.Errorf("wanted ten errors and the count: %v", err)
	}
	var all *ReadErrors
	var one *RowError
	if !errors.As(err, &all) || all.Bad != 47 || all.Rows != 200 || len(all.First) != 10 || !errors.As(err, &one) || one.Line != 4 || one.Row != 3 {
		t.Errorf("%+v %+v", all, one)
	}

	skip := qa
	skip.OnError = Skip
	s, err := ReadJSONL(path, skip)
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 153 || s.Rows[3].Row != 4 || len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], "47 of 200 rows skipped, the first at "+path+":4: no field") {
		t.Errorf("%d rows, row 3 is %d, notes %q", s.Len(), s.Rows[3].Row, s.Notes)
	}
}

func TestPromptsAndStrip(t *testing.T) {
	path := tempFile(t, "t.jsonl", `{"q":"Q<e>","c":"C","a":["A<e>","B"]}
{"q":"","c":"C","a":"A<e>"}
{"q":"Q","c":"","a":"A"}
{"q":"Q","c":null,"a":"A"}
{"q":"Q","a":"A"}
`)
	s, err := ReadJSONL(path, Fields{Input: "q", Context: "c", Output: "a", Instruction: "Do.", Task: "k/t", Strip: "<e>"})
	if err != nil {
		t.Fatal(err)
	}
	want := `t/0 "Do.\n\nQ\n\nC" -> ["A" "B"]
t/1 "Do.\n\nC" -> ["A"]
t/2 "Do.\n\nQ" -> ["A"]
t/3 "Do.\n\nQ" -> ["A"]
t/4 "Do.\n\nQ" -> ["A"]
`
	if got := texts(s); got != want {
		t.Errorf("got\n%swanted\n%s", got, want)
	}
	if s.Rows[0].Task != "k/t" || len(s.Notes) != 1 || s.Notes[0] != `"<e>" removed from the end of 2 of 6 outputs` {
		t.Errorf("task %q, notes %q", s.Rows[0].Task, s.Notes)
	}
	_, err = ReadJSONL(path, Fields{Input: "q", Context: "contxt", Output: "a"})
	wantError(t, "context", err, `0 of 5 rows have the context field "contxt"; the first row has "q", "c", "a"`)
	_, err = ReadJSONL(path, Fields{Input: "q"})
	wantError(t, "no output", err, `Input "q" and Output ""`)
	_, err = ReadJSONL(path, Fields{Input: "q", Output: "a", OnError: 7})
	wantError(t, "policy", err, "OnError 7")
}

func TestFilesThatAreNotWhatTheySay(t *testing.T) {
	rows := `{"q":"Q","a":"A"}` + "\n"
	good := gzipped(t, strings.Repeat(rows, 3))
	s, err := ReadJSONL(tempFile(t, "t.jsonl.gz", good), qa)
	if err != nil || s.Len() != 3 || s.Name != "t" {
		t.Fatalf("%+v %v", s, err)
	}
	for name, c := range map[string]struct{ file, content, want string }{
		"plain named gz": {"t.jsonl.gz", rows, "is named .gz, but gzip: invalid header"},
		"gz named plain": {"t.jsonl", good, "is compressed with gzip; wanted its name to end in .gz"},
		"gz cut off":     {"t.jsonl.gz", good[:len(good)-9], "the compressed file ends too early"},
		"gz changed":     {"t.jsonl.gz", good[:len(good)-6] + "xx" + good[len(good)-4:], "gzip: invalid checksum"},
		"UTF-16":         {"t.jsonl", "\xff\xfe{\x00", "is UTF-16; wanted UTF-8"},
		"empty":          {"t.jsonl", "", "there are 0 rows; wanted at least 1"},
		"blank":          {"t.jsonl", "\n \r\n", "there are 0 rows; wanted at least 1"},
	} {
		_, err := ReadJSONL(tempFile(t, c.file, c.content), qa)
		wantError(t, name, err, c.want)
		skip := qa
		skip.OnError = Skip
		_, err = ReadJSONL(tempFile(t, c.file, c.content), skip)
		wantError(t, name+", skip", err, c.want)
	}
	_, err = ReadJSONL(t.TempDir(), qa)
	wantError(t, "folder", err, "is a folder; wanted a file")
	if _, err = ReadJSONL(filepath.Join(t.TempDir(), "none"), qa); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v; wanted os.ErrNotExist", err)
	}
}

func TestErrorsShowNoControlCharacters(t *testing.T) {
	_, err := ReadJSONL(tempFile(t, "t.jsonl", "\x1b[31m\a"+strings.Repeat("ж", 500)+"\n"), qa)
	wantError(t, "escape", err, "…")
	if strings.ContainsAny(err.Error(), "\x1b\a") || len([]rune(err.Error())) > 400 {
		t.Errorf("%q", err)
	}
}
