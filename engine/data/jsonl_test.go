package data

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// A byte order mark, CRLF, blank lines and U+2028 change nothing: FIELD.md, B.
func TestJSONLFileFormsAreOne(t *testing.T) {
	rows := []string{`{"q":"one","a":"1"}`, "{\"q\":\"t\u2028w\u0085o\",\"a\":\"2\"}", `{"q":"thr\u2028ee","a":"3"}`}
	plain, err := ReadJSONL(tempFile(t, "t.jsonl", strings.Join(rows, "\n")+"\n"), qa)
	if err != nil || plain.Len() != 3 {
		t.Fatalf("%+v %v", plain, err)
	}
	if plain.Rows[1].Prompt != "t\u2028w\u0085o" || plain.Rows[2].Prompt != "thr\u2028ee" {
		t.Errorf("U+2028: %s", texts(plain))
	}
	for name, content := range map[string]string{
		"mark, CRLF, blank last line": "\ufeff" + strings.Join(rows, "\r\n") + "\r\n\r\n",
		"no last line end":            strings.Join(rows, "\n"),
		"blank lines":                 "\n\n" + strings.Join(rows, "\n \t\n\n") + "\n\n",
		"mark only before few rows":   "\ufeff" + strings.Join(rows, "\n"),
	} {
		s, err := ReadJSONL(tempFile(t, "t.jsonl", content), qa)
		if err == nil {
			s.Steps = plain.Steps // the sums of the files differ
		}
		if err != nil || !reflect.DeepEqual(s, plain) {
			t.Errorf("%s: %v\n%s", name, err, texts(s))
		}
	}
}

func TestJSONLRowErrors(t *testing.T) {
	for _, c := range []struct{ row, want string }{
		{`{"q":"Q","b":"A"}`, `:2: no field "a"; the row has "q", "b": {"q":"Q","b":"A"}`},
		{`{}`, `no field "q"; the row has none`},
		{`{"q":1.50,"a":"A"}`, `field "q" is a number; wanted a text: 1.50`},
		{`{"q":"Q","a":null}`, `field "a" is null; wanted a text or a list of texts: null`},
		{`{"q":"Q","a":{"x":1}}`, `field "a" is an object; wanted a text or a list of texts`},
		{`{"q":"Q","a":[]}`, `field "a" is an empty list; wanted at least one answer`},
		{`{"q":"Q","a":["A",true]}`, `element 1 of field "a" is true; wanted a text: true`},
		{`{"q":"Q","a":["A",""]}`, `output 2 of 2 is empty; wanted an answer: Q`},
		{`{"q":"","a":"A"}`, `the input is empty; wanted a prompt for this answer: A`},
		{`{"q":"Q","a":"A","q":"R"}`, `field "q" is there 2 times; wanted it once`},
		{`{"q":"Q","a":"A","\u0071":"R"}`, `field "q" is there 2 times; wanted it once`},
		{`["Q","A"]`, `the row is a list; wanted an object`},
		{`"Q"`, `the row is a text; wanted an object`},
		{`17`, `the row is a number; wanted an object`},
		{`{"q":"Q","a":"A"} {}`, `no JSON: invalid character '{' after top-level value`},
		{`{"q":'Q'}`, `no JSON: invalid character '\'' looking for beginning of value: {"q":'Q'}`},
		{"{\"q\":\"Q\xe9\",\"a\":\"A\"}", `byte 0xe9 is no UTF-8; wanted UTF-8 text`},
		{`{"q":"\ud83d","a":"A"}`, `field "q" holds \ud83d, half a character; wanted Unicode text`},
		{`{"q":"\ude00\ud83d","a":"A"}`, `field "q" holds \ude00, half a character`},
		{strings.Repeat("[", 20000), `exceeded max depth`},
	} {
		content := `{"q":"first","a":"1"}` + "\n" + c.row + "\n" + `{"q":"last","a":"3"}` + "\n"
		path := tempFile(t, "t.jsonl", content)
		_, err := ReadJSONL(path, qa)
		wantError(t, shorten([]byte(c.row)), err, "1 of 3 rows cannot be used", path+":2: ", c.want)
		skip := qa
		skip.OnError = Skip
		s, err := ReadJSONL(path, skip)
		if err != nil || s.Len() != 2 || s.Rows[1].Row != 2 || len(s.Notes) != 1 {
			t.Errorf("%s: skip: %v %v", shorten([]byte(c.row)), s, err)
		}
	}
	_, err := ReadJSONL(tempFile(t, "t.jsonl", "{\"q\":\"Q\",\"a\":\"A\"}\n{\"q\":\"Q\",\"a\":\"A"), qa)
	wantError(t, "cut off", err, ":2: the file ends within this row; wanted a whole object")
	_, err = ReadJSONL(tempFile(t, "t.jsonl", "\n[\n{\"q\":\"Q\",\"a\":\"A\"}\n]"), qa)
	wantError(t, "list", err, "line 2 begins with a list", "data.JSON reads a file that is one list")
}

func TestJSONLTextsAreExact(t *testing.T) {
	path := tempFile(t, "t.jsonl", `{"q":" \u0000\n\\ud83d \"\ud83d\ude00\" \ufffd ","a":" A\t"}`)
	s, err := ReadJSONL(path, qa)
	if err != nil {
		t.Fatal(err)
	}
	if want := " \x00\n\\ud83d \"😀\" \ufffd "; s.Rows[0].Prompt != want || s.Rows[0].Answer != " A\t" {
		t.Errorf("%q %q; wanted %q", s.Rows[0].Prompt, s.Rows[0].Answer, want)
	}
}

func TestJSONLPathsAndNumbers(t *testing.T) {
	path := tempFile(t, "t.jsonl", `{"a.b":"exact","a":{"b":"no"},"l":[ {"x": "zero"} , {"x":["one", 2]} ],"n":51.0,"t":true}`)
	for _, c := range []struct{ in, out, prompt, answer, err string }{
		{"a.b", "a.b", "exact", "exact", ""},
		{"l.0.x", "l.1.x", "zero", "one", ""},
		{"n", "t", "51.0", "true", ""},
		{"l.2.x", "n", "", "", `no field "l.2.x"`},
		{"l.0.y", "n", "", "", `no field "l.0.y"`},
		{"l.00.x", "n", "", "", `no field "l.00.x"`},
		{"n.0", "n", "", "", `no field "n.0"`},
		{"l", "n", "", "", `field "l" is a list; wanted a text`},
	} {
		s, err := ReadJSONL(path, Fields{Input: c.in, Output: c.out, Numbers: true})
		if c.err != "" {
			wantError(t, c.in, err, c.err)
			continue
		}
		if err != nil || s.Rows[0].Prompt != c.prompt || s.Rows[0].Answer != c.answer {
			t.Errorf("%s %s: %v %v", c.in, c.out, s, err)
		}
	}
}

// Rows may be longer than any buffer.
func TestJSONLLongRows(t *testing.T) {
	const size = 16 << 20
	path := filepath.Join(t.TempDir(), "long.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	w.WriteString(`{"q":"`)
	w.Write(bytes.Repeat([]byte("x"), size))
	w.WriteString("\",\"a\":\"A\"}\n{\"q\":\"Q\",\"a\":\"A\"}\n")
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := ReadJSONL(path, qa)
	if err != nil || s.Len() != 2 || len(s.Rows[0].Prompt) != size || s.Rows[1].Prompt != "Q" {
		t.Fatalf("%d rows, %v", s.Len(), err)
	}
}

// What a row holds beside its fields is not kept.
func TestJSONLKeepsOnlyTheFields(t *testing.T) {
	var b strings.Builder
	pad := strings.Repeat("y", 4096)
	for range 5000 {
		fmt.Fprintf(&b, "{\"pad\":%q,\"q\":\"Q\",\"a\":\"A\"}\n", pad)
	}
	path := tempFile(t, "t.jsonl", b.String())
	b.Reset()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s, err := ReadJSONL(path, qa)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("%d rows hold %d bytes of a file of 20 MB; wanted less than 4 MB", s.Len(), grown)
	}
	runtime.KeepAlive(s)
}

// Whatever the bytes, the reader says the same as encoding/json about each line, and loses no row without a number.
func FuzzJSONL(f *testing.F) {
	for _, s := range []string{
		"\ufeff{\"q\":\"Q\",\"a\":\"A\"}\r\n\r\n{\"a\":[\"A\",\"B\"],\"q\":\"\\ud83d\\ude00\"}", `{"q":"\ud83d","a":""}`, "{\"q\":1}\n{", "[]", "null\n\"x\"\n-1e5",
		"{\"q\":\"Q\",\"q\":\"R\",\"a\":[]}\n{\"x\":{\"y\":[1,{}]},\"q\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		fields := qa
		fields.OnError = Skip
		c := &rowReader{op: "data.JSONL", path: "fuzz", fields: fields}
		r := bufio.NewReaderSize(iotest.HalfReader(bytes.NewReader(content)), 16)
		if err := skipMark(r); err != nil {
			return
		}
		if err := c.jsonLines(r); err != nil {
			return
		}
		want, lines, comparable := 0, 0, true // a field twice, a list and half a surrogate are told apart by us alone
		for _, line := range bytes.Split(bytes.TrimPrefix(content, []byte("\ufeff")), []byte("\n")) {
			if line = trimJSON(line); len(line) == 0 {
				continue
			}
			lines++
			if bytes.ContainsAny(line, "\\[") || bytes.Count(line, []byte(`"q"`)) > 1 || bytes.Count(line, []byte(`"a"`)) > 1 {
				comparable = false
			}
			var row map[string]any
			if utf8.Valid(line) && json.Unmarshal(line, &row) == nil {
				q, isText := row["q"].(string)
				if a, ok := row["a"].(string); isText && ok && q != "" && a != "" {
					want++
				}
			}
		}
		for _, e := range c.rows {
			if !utf8.ValidString(e.Prompt) || !utf8.ValidString(e.Answer) || e.Prompt == "" || e.Answer == "" {
				t.Fatalf("row %+v", e)
			}
		}
		if c.seen != lines || len(c.rows)+c.badRows != c.seen {
			t.Fatalf("%d lines, %d rows met, %d good, %d bad", lines, c.seen, len(c.rows), c.badRows)
		}
		if comparable && len(c.rows) != want {
			t.Fatalf("%d rows; encoding/json finds %d in %q", len(c.rows), want, content)
		}
		_, _ = c.set("fuzz")
	})
}
