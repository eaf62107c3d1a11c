package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
)

var csvFields = Fields{Input: "q", Context: "c", Output: "a"}

func TestCSVForms(t *testing.T) {
	const want = `t/0 "one\n\nwith, comma" -> ["1"]
t/1 "two \"quoted\"" -> ["2\n2"]
t/2 "\u2028three" -> ["3"]
`
	rows := "q,x,c,a\none,,\"with, comma\",1\n\"two \"\"quoted\"\"\",,,\"2\n2\"\n\n\u2028three,,,3\n"
	for name, content := range map[string]string{
		"LF":                  rows,
		"CRLF":                strings.ReplaceAll(rows, "\n", "\r\n"),
		"mark":                "\ufeff" + rows,
		"mark before a quote": "\ufeff\"q\"" + rows[1:],
		"no last line end":    strings.TrimSuffix(rows, "\n"),
	} {
		s, err := ReadCSV(tempFile(t, "t.csv", content), csvFields)
		if err != nil || texts(s) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := ReadCSV(tempFile(t, "t.csv.gz", gzipped(t, rows)), csvFields)
	if err != nil || texts(s) != want {
		t.Errorf("gz: %v", err)
	}
}

func TestTSV(t *testing.T) {
	s, err := ReadCSV(tempFile(t, "t.tsv.gz", gzipped(t, "\ufeffq\ta\r\n5\" disk, \"A\r\n\r\n\"two\"\t\"2\"\r\n")), qa)
	_ = s
	wantError(t, "too few fields", err, ":2: the row has 1 fields; wanted 2 as in the header: 5\" disk, \"A")
	s, err = ReadCSV(tempFile(t, "t.tsv", "\ufeffq\ta\r\n5\" disk\t\"A\r\n\r\n\"two\"\t\"2\"\r\n"), qa)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := texts(s), "t/0 \"5\\\" disk\" -> [\"\\\"A\"]\nt/1 \"\\\"two\\\"\" -> [\"\\\"2\\\"\"]\n"; got != want {
		t.Errorf("got %s wanted %s", got, want)
	}
	if len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], "2 fields begin and end with a quote, which is kept") {
		t.Errorf("notes %q", s.Notes)
	}
}

func TestCSVErrors(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"no column":     {"q;c;a\n1;2;3\n", `t.csv:1: no column "q"; the header has ["q;c;a"]`},
		"twice":         {"q,c,a,q\n", `column "q" is there twice; wanted it once`},
		"no context":    {"q,a\n1,2\n", `no column "c"; the header has ["q" "a"]`},
		"few fields":    {"q,c,a\n1,2\n1,2,3\n", "t.csv:2: the row has 2 fields; wanted 3 as in the header: 1,2"},
		"many fields":   {"q,c,a\n1,2,3\n1,2,3,4\n", "t.csv:3: the row has 4 fields; wanted 3"},
		"quote":         {"q,c,a\n1,2,3\n5\" disk,2,3\n1,2,3\n", "t.csv:3: line 3, column 2: a quote inside a field"},
		"quote ends":    {"q,c,a\n\"1\"x,2,3\n1,2,3\n", "t.csv:2: line 2, column 3: a quoted field does not end where it should"},
		"quote open":    {"q,c,a\n1,2,3\n\"1,2,3\n1,2,3\n1,2,3\n", "t.csv:3: a quote that begins here is not closed as it should be by line 5"},
		"header quote":  {"q\",c,a\n1,2,3\n", "t.csv:1: the header: line 1, column 2: a quote inside a field"},
		"no UTF-8":      {"q,c,a\n\xe9,2,3\n", "t.csv:2: byte 0xe9 is no UTF-8"},
		"empty answer":  {"q,c,a\n1,2,\n", "t.csv:2: output 1 of 1 is empty; wanted an answer: 1"},
		"empty prompt":  {"q,c,a\n,,3\n", "t.csv:2: the input is empty"},
		"header only":   {"q,c,a\n", "there are 0 rows; wanted at least 1"},
		"nothing":       {"", "there are 0 rows; wanted at least 1"},
		"line of a row": {"q,c,a\n\"1\n\n\n\",2,3\n\n,,3\n", "t.csv:7: the input is empty"},
	} {
		_, err := ReadCSV(tempFile(t, "t.csv", c.content), csvFields)
		wantError(t, name, err, "data.CSV: ", c.want)
	}
	skip := csvFields
	skip.OnError = Skip
	s, err := ReadCSV(tempFile(t, "t.csv", "q,c,a\n5\" disk,2,3\n1,2,3\n1,2\n"), skip)
	if err != nil || s.Len() != 1 || s.Rows[0].Row != 1 || !strings.HasPrefix(s.Notes[0], "2 of 3 rows skipped") {
		t.Errorf("skip: %v %v", s, err)
	}
	_, err = ReadCSV(tempFile(t, "t.csv", "q,c,a\n1,2,3\n\"1,2,3\n1,2,3\n"), skip)
	wantError(t, "an open quote is not skipped", err, "reading ended after 1 rows; wanted the whole file")
	cut := gzipped(t, "q,c,a\n"+strings.Repeat("1,2,3\n", 50000))
	_, err = ReadCSV(tempFile(t, "t.csv.gz", cut[:len(cut)/2]), skip)
	wantError(t, "gz cut off", err, "the compressed file ends too early", "somewhere after this line")
}

// Every record of encoding/csv is an example or an error.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"q,a\n1,2\n", "\ufeffq,a\r\n\"x\r\ny\",\"\"\"\"\r\n", "q,a\n\"1,2\n3,4", "q,a\n1\",2\n1,2,3\n\xff,2", "a\tq\n1\t2\n\n"} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, content []byte, tabs bool) {
		c := &csvReader{rowReader: &rowReader{op: "data.CSV", path: "fuzz", fields: Fields{Input: "q", Output: "a", OnError: Skip}}}
		read := c.commas
		if tabs {
			read = c.tabs
		}
		if read(bufio.NewReaderSize(bytes.NewReader(content), 16)) != nil {
			return
		}
		if len(c.rows)+c.badRows != c.seen {
			t.Fatalf("%d good, %d bad, %d met", len(c.rows), c.badRows, c.seen)
		}
		_, _ = c.set("fuzz")
		r := csv.NewReader(bytes.NewReader(content))
		if all, err := r.ReadAll(); !tabs && err == nil && len(all) > 0 && (c.end != nil || c.seen != len(all)-1) {
			t.Fatalf("%d rows met, end %v; encoding/csv has %d", c.seen, c.end, len(all)-1)
		}
	})
}
