package data

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestJSONListIsTheLinesOfJSONL(t *testing.T) {
	rows := []string{`{"q":"o]n}e, \"[{","a":"1"}`, "{\n  \"q\": \"t\u2028wo\",\r\n  \"a\": [\"2\", \"zwei\"],\n  \"x\": {\"y\": [[], {}]}\n}", `{"q":"three\\","a":"3"}`}
	flat := strings.NewReplacer("\r\n", "", "\n", "")
	lines, err := ReadJSONL(tempFile(t, "t.jsonl", flat.Replace(rows[0])+"\n"+flat.Replace(rows[1])+"\n"+rows[2]), qa)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"one line": "[" + strings.Join(rows, ",") + "]",
		"spread":   "\ufeff\r\n[\r\n" + strings.Join(rows, "\n,\n\n") + "\n]\r\n\n",
	} {
		list, err := ReadJSON(tempFile(t, "t.json", content), qa)
		if err != nil || texts(list) != texts(lines) {
			t.Errorf("%s: %v\n%s", name, err, texts(lines))
		}
	}
}

func TestJSONErrors(t *testing.T) {
	const good = `{"q":"Q","a":"A"}`
	for name, c := range map[string]struct{ content, want string }{
		"row error":        {"[\n" + good + ",\n{\"q\":\n\"Q\"},\n17]", "2 of 3 rows cannot be used"},
		"its line":         {"[\n" + good + ",\n{\"q\":\n\"Q\"}]", "t.json:3: no field \"a\""},
		"line of a fault":  {"[\n{\"q\":\"Q\",\n\"a\":\nnope}," + good + "]", "t.json:4: no JSON: invalid character 'o' in literal null"},
		"no comma":         {"[\n" + good + "\n" + good + "]", "reading ended after 1 rows; wanted the whole file\n"},
		"where":            {"[\n" + good + "\n" + good + "]", "t.json:3: '{' here; wanted ',': " + good + "]"},
		"comma too many":   {"[" + good + ",]", "']' here; wanted a value"},
		"cut between":      {"[" + good + ",", "the file ends here; wanted the rest of it"},
		"cut after":        {"[" + good, "the file ends here; wanted the rest of it"},
		"cut within":       {"[" + good + ",\n\n{\"q\":\"", "the file ends within the value that begins on line 3"},
		"cut in a string":  {"[\"", "the file ends within the value that begins on line 1"},
		"more behind":      {"[" + good + "]\n" + good, "'{' after the end; wanted the file to end"},
		"lines":            {good + "\n" + good + "\n", "the file begins with an object; wanted one list of objects (data.JSONL reads an object a line): " + good},
		"neither":          {"hello", "the file begins with no list"},
		"empty list":       {"[ ]", "there are 0 rows; wanted at least 1"},
		"nothing":          {" ", "there are 0 rows; wanted at least 1"},
		"brackets crossed": {"[{\"q\":[\"Q\"}},{]," + good + "]", "no JSON: "},
	} {
		_, err := ReadJSON(tempFile(t, "t.json", c.content), qa)
		wantError(t, name, err, "data.JSON: ", c.want)
	}
	skip := qa
	skip.OnError = Skip
	s, err := ReadJSON(tempFile(t, "t.json", "[{\"q\":nope},"+good+"]"), skip)
	if err != nil || s.Len() != 1 || s.Rows[0].Row != 1 || len(s.Notes) != 1 {
		t.Errorf("a broken row between whole ones: %v %v", s, err)
	}
	_, err = ReadJSON(tempFile(t, "t.json", "["+good+",{\"q\":"), skip)
	wantError(t, "cut off, skip", err, "reading ended after 1 rows; wanted the whole file", "the file ends within")
}

// A file that encoding/json takes is cut into the same elements, whatever the sizes of the reads.
func FuzzJSONList(f *testing.F) {
	for _, s := range []string{"[]", `[{"q":"Q","a":"A"}]`, "[1 , \"]\\\"\" ,[[]],\n{\"a\":{}}]", `[{"a":"\`, "[nope]", "[1 2]", `{"a":[}`, "[\"\\\n\"]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		s := newJSONScanner(bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(content)), 16))
		var got [][]byte
		var lines []int
		err := s.elements(func(line int, raw []byte) error {
			got = append(got, append([]byte(nil), raw...))
			lines = append(lines, line)
			return nil
		})
		if err == nil {
			err = s.end()
		}
		for i, raw := range got {
			if len(raw) == 0 || lines[i] < 1 || lines[i] > 1+bytes.Count(content, []byte("\n")) || !bytes.Contains(content, raw) {
				t.Fatalf("element %d is %q on line %d", i, raw, lines[i])
			}
		}
		var want []json.RawMessage
		if utf8.Valid(content) && json.Unmarshal(content, &want) == nil && want != nil {
			if err != nil || len(got) != len(want) {
				t.Fatalf("%d elements and %v; wanted %d", len(got), err, len(want))
			}
			for i := range want {
				if !bytes.Equal(got[i], want[i]) {
					t.Fatalf("element %d is %q; wanted %q", i, got[i], want[i])
				}
				if n := len(got[i]); jsonLen(append(got[i], ',')) != n {
					t.Fatalf("jsonLen(%q) is not %d", got[i], n)
				}
			}
		}
		c := &rowReader{op: "data.JSON", path: "fuzz", fields: Fields{Input: "q", Output: "a", OnError: Skip}}
		if c.jsonList(bufio.NewReader(bytes.NewReader(content))) == nil && len(c.rows)+c.badRows != c.seen {
			t.Fatalf("%d good, %d bad, %d met", len(c.rows), c.badRows, c.seen)
		}
	})
}
