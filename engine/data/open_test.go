package data

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"tunebook/engine/token"
)

func zstdOf(t testing.TB, content string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(content), nil))
}

// folderOf writes files and returns their folder.
func folderOf(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "chats")
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestWhatAFileHolds(t *testing.T) {
	const alpaca = `{"instruction":"I","input":"","output":"O","text":"all of it"}`
	for name, c := range map[string]struct{ file, content, note, first string }{
		"Alpaca":        {"t.jsonl", alpaca, `read as jsonl, Alpaca (input "instruction", context "input", output "output")`, `t/0 "I" -> ["O"]`},
		"list":          {"t.json", "[" + alpaca + "]", `read as json, Alpaca`, `"I" -> ["O"]`},
		"lines in json": {"t.json", alpaca + "\n" + alpaca, `read as jsonl, Alpaca`, `"I" -> ["O"]`},
		"one line":      {"t.json", alpaca, `read as jsonl, Alpaca`, `"I" -> ["O"]`},
		"no extension":  {"rows", alpaca + "\n", `read as jsonl, Alpaca`, `"I" -> ["O"]`},
		"GPTeacher":     {"t.json", `[{"instruction":"I","input":"in","response":"O"}]`, "instruction and response", `"I\n\nin" -> ["O"]`},
		"zstd":          {"t.jsonl.zst", zstdOf(t, "\ufeff"+alpaca+"\r\n\r\n"), "read as jsonl.zst, Alpaca", `"I" -> ["O"]`},
		"gzip":          {"t.jsonl.gz", gzipped(t, alpaca), "read as jsonl.gz, Alpaca", `"I" -> ["O"]`},
		"completion":    {"t.jsonl", `{"prompt":"P","completion":"C"}`, "prompt and completion", `"P" -> ["C"]`},
		"qa":            {"t.csv", "question,answer\nQ,A\n", `read as csv, question and answer (input "question", output "answer")`, `"Q" -> ["A"]`},
		"tsv":           {"t.tsv", "answer\tquestion\nA\tQ\n", "read as tsv, question and answer", `"Q" -> ["A"]`},
		"OpenAI":        {"t.jsonl", `{"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]}`, `OpenAI messages (messages "messages")`, `"Q" -> ["A"]`},
		"ShareGPT":      {"t.json", `[{"id":"1","conversations":[{"from":"human","value":"Q"},{"from":"gpt","value":"A"}]}]`, "ShareGPT", `"Q" -> ["A"]`},
		"choice":        {"t.jsonl", `{"question":"Q?","choices":["x","y"],"answer":1}`, "multiple choice", `"Q?\n\nA. x\nB. y" -> ["B"]`},
		"task":          {"t.json", "{\n\"Definition\":[\"D\"],\"Positive Examples\":[],\n\"Instances\":[{\"input\":\"i\",\"output\":[\"o\"]}]}", "read as superni", `"D\n\ni" -> ["o"]`},
	} {
		s, err := Read(tempFile(t, c.file, c.content), OpenOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(s.Notes[0], c.note) || !strings.Contains(texts(s), c.first) {
			t.Errorf("%s: notes %q, rows %s", name, s.Notes, texts(s))
		}
	}
}

func TestNothingIsGuessed(t *testing.T) {
	for name, c := range map[string]struct{ file, content, want string }{
		"two kinds":   {"t.jsonl", `{"prompt":"P","completion":"C","question":"Q","answer":"A"}`, `fields "prompt", "completion", "question", "answer": they can be prompt and completion or question and answer; wanted to be told, as in data.JSONL(`},
		"no kind":     {"t.json", `[{"body":"b","label":1}]`, `fields "body", "label": they are of no known kind; wanted to be told, as in data.JSON(`},
		"columns":     {"t.csv", "a,b\n1,2\n", `data.CSV(`},
		"text":        {"t.txt", "hello", "is plain text"},
		"who knows":   {"rows", "a,b\n1,2\n", "the name does not say a format"},
		"object":      {"t.json", "{\n \"data\": [1]\n}", "begins with an object of several lines"},
		"number":      {"t.json", "12", "wanted a list of objects"},
		"empty":       {"t.json", " \n", "there are 0 rows"},
		"empty lines": {"t.jsonl", " \n", "there are 0 rows"},
		"broken":      {"t.jsonl", "{\"a\":\n", "1 of 1 rows cannot be used"},
		"not zstd":    {"t.jsonl.zst", strings.Repeat("{}\n", 9), "does not begin as a zstd file does"},
		"zstd":        {"t.jsonl", zstdOf(t, "{}"), "is compressed with zstd"},
		"no parquet":  {"t.parquet", "PAR1....", "no Parquet file"},
	} {
		_, err := Read(tempFile(t, c.file, c.content), OpenOptions{})
		wantError(t, name, err, c.want)
	}
	half := zstdOf(t, strings.Repeat(`{"prompt":"P","completion":"C"}`+"\n", 5000))
	_, err := Read(tempFile(t, "t.jsonl.zst", half[:len(half)-20]), OpenOptions{})
	wantError(t, "half zstd", err, "ends too early")
	_, err = Read(filepath.Join(t.TempDir(), "no*.jsonl"), OpenOptions{})
	wantError(t, "pattern", err, "0 files of that name")
	_, err = Read(t.TempDir(), OpenOptions{})
	wantError(t, "folder", err, "0 files of a known format among 0")
}

func TestFoldersAndPatterns(t *testing.T) {
	row := func(q string) string { return fmt.Sprintf(`{"prompt":%q,"completion":"C"}`+"\n", q) }
	dir := folderOf(t, map[string]string{"b.jsonl": row("b") + row("c"), "a.jsonl.gz": gzipped(t, row("a")), "deep/d.jsonl": row("d"), "README.md": "hello", ".hidden.jsonl": "x", "x.bin": "x"})
	s, err := Read(dir, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(s); got != `chats/0 "a" -> ["C"]
chats/1 "b" -> ["C"]
chats/2 "c" -> ["C"]
chats/3 "d" -> ["C"]
` {
		t.Errorf("rows\n%s", got)
	}
	if len(s.Notes) != 2 || !strings.HasPrefix(s.Notes[0], "3 files read as jsonl") || !strings.HasPrefix(s.Notes[1], "3 files of other kinds left out: ") {
		t.Errorf("notes %q", s.Notes)
	}
	s, err = Read(filepath.Join(dir, "*.jsonl*"), OpenOptions{})
	if err != nil || s.Len() != 3 || s.Name != "chats" {
		t.Errorf("%v %+v", err, s)
	}
	if err := os.WriteFile(filepath.Join(dir, "e.jsonl"), []byte(`{"question":"Q","answer":"A"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Read(dir, OpenOptions{})
	wantError(t, "two layouts", err, "e.jsonl is jsonl, question and answer", "wanted files of one kind")
	if err := os.WriteFile(filepath.Join(dir, "e.jsonl"), []byte(row("e")+"{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Read(dir, OpenOptions{})
	wantError(t, "a bad row", err, "1 of 6 rows cannot be used", filepath.Join(dir, "e.jsonl")+":2: no field")
}

func TestConversations(t *testing.T) {
	m := func(role, content string) string { return fmt.Sprintf(`{"role":%q,"content":%q}`, role, content) }
	row := func(msgs ...string) string { return `{"messages":[` + strings.Join(msgs, ",") + "]}\n" }
	good := row(m("system", "S"), m("user", "Q1"), m("assistant", "A1"), m("user", "Q2"), m("assistant", "A2"))
	s, err := Read(tempFile(t, "chat.jsonl", good), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e := s.Rows[0]
	want := []token.Message{{Role: "system", Content: "S"}, {Role: "user", Content: "Q1"}, {Role: "assistant", Content: "A1"}, {Role: "user", Content: "Q2"}, {Role: "assistant", Content: "A2"}}
	if e.System != "S" || e.Prompt != "Q2" || e.Answer != "A2" || !slices.Equal(e.Messages(), want) {
		t.Errorf("%+v", e)
	}

	two := row(m("user", "Q"), m("user", "and"), m("assistant", "A"))
	path := tempFile(t, "chat.jsonl", strings.Repeat(good, 16)+two)
	_, err = Read(path, OpenOptions{})
	wantError(t, "two users", err, path+":17: two user messages in a row")
	s, err = Read(path, OpenOptions{Fields: Fields{Merge: true}})
	if err != nil || s.Len() != 17 || s.Rows[16].Prompt != "Q\nand" || !strings.Contains(s.Notes[1], "1 of 17 conversations had messages of one role in a row") {
		t.Errorf("%v %+v", err, s)
	}
	s, err = Read(path, OpenOptions{Fields: Fields{OnError: Skip}})
	if err != nil || s.Len() != 16 || !strings.Contains(s.Notes[1], "1 of 17 rows skipped") {
		t.Errorf("%v %+v", err, s)
	}

	for name, c := range map[string]struct{ row, want string }{
		"assistant first": {row(m("assistant", "A")), "begins with the assistant"},
		"no answer":       {row(m("user", "Q")), "ends with the user; wanted an answer"},
		"system late":     {row(m("user", "Q"), m("system", "S"), m("assistant", "A")), "a system message after others"},
		"tool":            {row(m("tool", "Q"), m("assistant", "A")), `message 1 of field "messages": role is "tool"`},
		"empty":           {row(m("user", ""), m("assistant", "A")), "message 1, of the user, is empty"},
		"none":            {row(), "there are no messages"},
		"calls":           {row(m("user", "Q"), `{"role":"assistant","content":"A","tool_calls":[{}]}`), "has tool_calls; wanted text alone"},
		"null":            {row(m("user", "Q"), `{"role":"assistant","content":null}`), `field "content" is null`},
		"image":           {row(`{"role":"user","content":[{"type":"image_url"}]}`, m("assistant", "A")), "a part of the content is no text"},
		"number":          {row("1"), "is a number; wanted an object"},
	} {
		_, err := ReadJSONL(tempFile(t, "chat.jsonl", c.row), Fields{Messages: "messages"})
		wantError(t, name, err, c.want, ":1: ")
	}
	s, err = ReadJSONL(tempFile(t, "chat.jsonl", `{"system":"S","c":[{"from":"human","value":"Q"},{"from":"gpt","value":"A","tool_calls":null}]}`+"\n"+
		`{"c":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","content":"A"}]}`), Fields{Messages: "c", System: "system"})
	if err != nil || s.Rows[0].System != "S" || s.Rows[1].System != "" || s.Rows[1].Prompt != "ab" {
		t.Errorf("%v %+v", err, s)
	}
	_, err = ReadJSONL(path, Fields{Messages: "messages", Input: "x"})
	wantError(t, "both", err, "one or the other")
	_, err = ReadJSONL(path, Fields{Input: "x", Output: "y", Merge: true})
	wantError(t, "merge", err, "Merge without Messages")
	_, err = ReadCSV(tempFile(t, "t.csv", "messages\nx\n"), Fields{Messages: "messages"})
	wantError(t, "csv", err, "a column is one text")
}

func TestEncodeConversations(t *testing.T) {
	tok, tmpl := plain(t)
	e := Example{Prompt: "b", Answer: "A2", History: []token.Message{{Role: "user", Content: "a"}, {Role: "assistant", Content: "A1"}}}
	count := func(o EncodeOptions) (ids, supervised int) {
		t.Helper()
		out, err := Encode(tok, tmpl, []Example{e}, o)
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Sequences[0].IDs), out.Sequences[0].Supervised()
	}
	ids, all := count(EncodeOptions{})
	_, last := count(EncodeOptions{Train: OnLastResponse})
	if one := len(tok.Encode("A2")) + 1; last != one || all != 2*one {
		t.Errorf("%d trained of all answers and %d of the last; wanted %d and %d", all, last, 2*one, one)
	}
	if n, on := count(EncodeOptions{MaxLen: ids - 2, Policy: CutPrompt, Train: OnLastResponse}); n != ids-2 || on != last {
		t.Errorf("cut to %d ids, %d trained", n, on)
	}
	_, err := Encode(tok, tmpl, []Example{e}, EncodeOptions{MaxLen: last, Policy: CutPrompt})
	wantError(t, "answer", err, "the limit is")
}

func TestChoices(t *testing.T) {
	row := func(choices, answer string) string {
		return fmt.Sprintf(`{"question":"Q?","choices":%s,"answer":%s}`, choices, answer)
	}
	for name, c := range map[string]struct{ choices, answer, want string }{
		"number":      {`["x","y","z"]`, "2", "C"},
		"letter":      {`["x","y","z"]`, `"B"`, "B"},
		"text":        {`["x","y","z"]`, `"x"`, "A"},
		"text number": {`["3","4"]`, `"4"`, "B"},
		"position":    {`["x","y"]`, `"1"`, "B"},
		"labels":      {`{"text":["x","y"],"label":["1","2"]}`, `"1"`, "A"},
		"numbers":     {`[3,4]`, `"3"`, "A"},
	} {
		s, err := Read(tempFile(t, "t.jsonl", row(c.choices, c.answer)), OpenOptions{})
		if err != nil || s.Rows[0].Answer != c.want || len(s.Rows[0].Choices) < 2 || !slices.Contains(s.Rows[0].Choices, c.want) {
			t.Errorf("%s: %v %+v", name, err, s)
		}
	}
	for name, c := range map[string]struct{ choices, answer, want string }{
		"beyond":     {`["x","y"]`, "2", "is 2; wanted a number from 0 to 1"},
		"none":       {`["x","y"]`, `"z"`, "names none of the choices"},
		"two":        {`["B","A"]`, `"A"`, "can mean 2 of the choices"},
		"null":       {`["x","y"]`, "null", "is null"},
		"one choice": {`["x"]`, "0", "has 1 choices; wanted 2 to 26"},
		"labels":     {`{"text":["x","y"],"label":["1"]}`, `"1"`, "has 1 labels for 2 choices"},
		"a text":     {`"x"`, "0", "is a text; wanted a list of texts"},
	} {
		_, err := Read(tempFile(t, "t.jsonl", row(c.choices, c.answer)), OpenOptions{})
		wantError(t, name, err, c.want)
	}
}

func TestDocuments(t *testing.T) {
	all := func(path string, o TextOptions) []string {
		t.Helper()
		x, err := OpenTexts(path, o)
		if err != nil {
			t.Fatal(err)
		}
		texts, notes, err := x.All()
		if err != nil || len(notes) == 0 {
			t.Fatalf("%v, notes %q", err, notes)
		}
		return texts
	}
	const content = "\ufeffone\r\ntwo\u2028three\r\n\r\n \t\nfour\n"
	for _, c := range []struct {
		o    TextOptions
		want []string
	}{
		{TextOptions{}, []string{"one\ntwo\u2028three\n\n \t\nfour\n"}},
		{TextOptions{Unit: Blocks}, []string{"one\ntwo\u2028three", "four"}},
	} {
		if got := all(tempFile(t, "t.txt.gz", gzipped(t, content)), c.o); !slices.Equal(got, c.want) {
			t.Errorf("%v: %q; wanted %q", c.o.Unit, got, c.want)
		}
	}
	dir := folderOf(t, map[string]string{"b.txt": "b", "a.txt": "a", "c.md": "c"})
	if got := all(dir, TextOptions{}); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("folder %q", got)
	}
	if got := all(tempFile(t, "t.jsonl", `{"text":"a"}`+"\n"+`{"text":"b"}`), TextOptions{}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("rows %q", got)
	}
	if got := all(tempFile(t, "t.csv", "n,body\n1,a\n2,b\n"), TextOptions{Field: "body"}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("columns %q", got)
	}
	_, err := OpenTexts(tempFile(t, "t.jsonl", `{"body":"a"}`), TextOptions{})
	wantError(t, "no text", err, `no field "text"`)
	_, err = OpenTexts(tempFile(t, "t.txt", `a`), TextOptions{Field: "text"})
	wantError(t, "field of text", err, "wanted no field")
	x, err := OpenTexts(tempFile(t, "t.txt", "a\n\nb\xff\n"), TextOptions{Unit: Blocks})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = x.All()
	wantError(t, "bytes", err, ":3: byte 0xff is no UTF-8")
	x, err = OpenTexts(tempFile(t, "t.txt", "\n \n"), TextOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = x.All()
	wantError(t, "empty", err, "there are 0 rows")
}

// lines writes n rows and returns the file's path.
func lines(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "big.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range n {
		fmt.Fprintf(w, `{"prompt":"What is the number of this row, counted from zero? It is row %d.","completion":"%d"}`+"\n", i, i)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	n := 300_000
	if testing.Short() {
		n = 30_000
	}
	path := lines(t, n)
	r, err := Open(path, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before, most, rows := heapBytes(), uint64(0), 0
	for e, err := range r.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Row != rows || e.Source != "big" {
			t.Fatalf("row %d is %+v", rows, e)
		}
		if rows++; rows%(n/10) == 0 {
			most = max(most, heapBytes())
		}
	}
	if rows != n {
		t.Errorf("%d rows; wanted %d", rows, n)
	}
	if most > before+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes while %d rows were read; wanted less than 1 MiB more", before, most, n)
	}
}

func TestRowsCanBeLeftAndBegunAgain(t *testing.T) {
	dir := folderOf(t, map[string]string{"a.jsonl": strings.Repeat(`{"prompt":"P","completion":"C"}`+"\n", 10), "b.jsonl": strings.Repeat(`{"prompt":"P","completion":"C"}`+"\n", 10)})
	for _, o := range []OpenOptions{{}, {Format: JSONL}} {
		r, err := Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, stop := range []int{3, 10, 15, 20} {
			n := 0
			for _, err := range r.Rows() {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n == stop {
					break
				}
			}
			if n != stop {
				t.Errorf("%d rows; wanted to stop after %d", n, stop)
			}
		}
	}
	// With Stop no example follows a bad row, and the error counts all of them.
	r, err := Open(tempFile(t, "t.jsonl", `{"prompt":"P","completion":"C"}`+"\n{}\n"+`{"prompt":"P","completion":"C"}`+"\n{}\n"), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range r.Rows() {
		if n++; e != nil {
			wantError(t, "bad rows", e, "2 of 4 rows cannot be used")
		}
	}
	if n != 2 {
		t.Errorf("%d steps; wanted one example and the error", n)
	}
}

// BenchmarkRows reads 5 million rows: go test -bench Rows -benchtime 1x. The largest heap seen is reported.
func BenchmarkRows(b *testing.B) {
	path := lines(b, 5_000_000)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	most := uint64(0)
	for b.Loop() {
		r, err := Open(path, OpenOptions{})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, err := range r.Rows() {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n%1_000_000 == 0 {
				most = max(most, heapBytes())
			}
		}
		if n != 5_000_000 {
			b.Fatalf("%d rows", n)
		}
	}
	b.ReportMetric(float64(most)/(1<<20), "heap-MiB")
}

// FuzzConversation: a row either is bad or has user and assistant by turns.
func FuzzConversation(f *testing.F) {
	f.Add([]byte(`{"m":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]}`), false)
	f.Add([]byte(`{"m":[{"from":"human","value":"Q"},{"from":"human","value":"Q"},{"from":"gpt","value":"A"}]}`), true)
	f.Add([]byte(`{"m":[{"role":"user","content":[{"type":"text","text":"a"}]}]}`), false)
	f.Fuzz(func(t *testing.T, row []byte, merge bool) {
		c := &rowReader{op: "data.JSONL", path: "fuzz", whole: "fuzz", fields: Fields{Messages: "m", Merge: merge, OnError: Skip}}
		if len(trimJSON(row)) == 0 {
			return
		}
		c.jsonRow(1, trimJSON(row))
		if len(c.rows)+c.badRows != 1 {
			t.Fatalf("%d rows and %d bad ones of one", len(c.rows), c.badRows)
		}
		for _, e := range c.rows {
			spans, err := token.Plain.Render(e.Messages(), false)
			if err != nil || len(spans) == 0 || e.Prompt == "" || e.Answer == "" {
				t.Fatalf("%+v: %v", e, err)
			}
		}
	})
}

// FuzzChoices: a row either is bad or its answer is one of its choices.
func FuzzChoices(f *testing.F) {
	f.Add([]byte(`{"q":"Q","c":["a","b"],"a":1}`))
	f.Add([]byte(`{"q":"Q","c":{"text":["a","b"],"label":["1","2"]},"a":"2"}`))
	f.Fuzz(func(t *testing.T, row []byte) {
		c := &rowReader{op: "data.JSONL", path: "fuzz", whole: "fuzz", fields: Fields{Input: "q", Choices: "c", Output: "a", OnError: Skip}}
		if len(trimJSON(row)) == 0 {
			return
		}
		c.jsonRow(1, trimJSON(row))
		if len(c.rows)+c.badRows != 1 {
			t.Fatalf("%d rows and %d bad ones of one", len(c.rows), c.badRows)
		}
		for _, e := range c.rows {
			if !slices.Contains(e.Choices, e.Answer) {
				t.Fatalf("%+v", e)
			}
		}
	})
}

// FuzzDocuments: every line of a text that is not blank is in exactly one block, in order.
func FuzzDocuments(f *testing.F) {
	f.Add([]byte("one\r\ntwo\n\n \t\nfour"))
	f.Fuzz(func(t *testing.T, content []byte) {
		c := &rowReader{op: "data.Texts", path: "fuzz", whole: "fuzz", fields: Fields{OnError: Skip}}
		if err := c.documents(bufio.NewReader(bytes.NewReader(content)), Blocks); err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, e := range c.rows {
			got = append(got, strings.Split(e.Answer, "\n")...)
		}
		for _, l := range strings.SplitAfter(string(content), "\n") {
			whole := strings.HasSuffix(l, "\n")
			l = strings.TrimSuffix(l, "\n")
			if whole {
				l = strings.TrimSuffix(l, "\r")
			}
			if strings.TrimSpace(l) != "" {
				want = append(want, l)
			}
		}
		if c.badRows == 0 && utf8.Valid(content) && strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Fatalf("blocks %q of lines %q", got, want)
		}
	})
}
