package data

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	core "tunebook/engine/data"
	"tunebook/stdlib/stop"
)

func put(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// stopped returns what f stops the cell with.
func stopped(t *testing.T, f func()) (e *stop.Error) {
	t.Helper()
	defer func() {
		var ok bool
		if e, ok = recover().(*stop.Error); !ok {
			t.Fatal("the cell went on; wanted it to stop")
		}
	}()
	f()
	return nil
}

func TestFilesBecomeSets(t *testing.T) {
	f := Fields{Input: "q", Output: "a"}
	for _, s := range []*Set{
		JSONL(put(t, "x.jsonl", "{\"q\":\"one\",\"a\":\"1\"}\n"), f),
		JSON(put(t, "x.json", "[{\"q\":\"one\",\"a\":\"1\"}]"), f),
		CSV(put(t, "x.csv", "q,a\none,1\n"), f),
		CSV(put(t, "x.tsv", "q\ta\none\t1\n"), f),
	} {
		if s.Name() != "x" || s.Len() != 1 || s.Row(0).Prompt != "one" || s.Row(0).Answer != "1" || len(s.Notes()) != 0 {
			t.Errorf("%s: %+v, notes %q", s.Name(), s.Rows(), s.Notes())
		}
	}
	task := put(t, "task1_add.json", `{"Definition":["Add."],"Instances":[{"input":"1+1","output":["2"]}]}`)
	if s := SuperNI(task); s.Row(0).Prompt != "Add.\n\n1+1" || s.Row(0).Task != "task1_add" {
		t.Errorf("%+v", s.Row(0))
	}
	if e := stopped(t, func() { SuperNI(task, SuperNIOptions{Positive: 2}) }); !strings.Contains(e.Error(), "there are 0 positive examples; wanted 2") {
		t.Error(e)
	}
	stopped(t, func() { SuperNI(task, SuperNIOptions{}, SuperNIOptions{}) })
}

func TestBadRowStopsTheCellOrIsCounted(t *testing.T) {
	path := put(t, "x.jsonl", "{\"q\":\"one\",\"a\":\"1\"}\n{\"q\":\"two\"}\n")
	f := Fields{Input: "q", Output: "a"}
	e := stopped(t, func() { JSONL(path, f) })
	var row *core.RowError
	if !errors.As(e, &row) || row.Line != 2 || strings.Count(e.Error(), "data.JSONL: ") != 1 || !strings.Contains(e.Error(), "\n  hint: OnError: data.Skip") {
		t.Error(e)
	}
	f.OnError = Skip
	s := JSONL(path, f)
	if s.Len() != 1 || len(s.Notes()) != 1 || !strings.HasPrefix(s.Notes()[0], "1 of 2 rows skipped, the first at "+path+":2: no field \"a\"") {
		t.Errorf("%d rows, notes %q", s.Len(), s.Notes())
	}
	if e := stopped(t, func() { JSONL(filepath.Join(t.TempDir(), "none.jsonl"), f) }); !errors.Is(e, os.ErrNotExist) {
		t.Error(e)
	}
}

func TestReadFindsOut(t *testing.T) {
	path := put(t, "chat.jsonl", `{"messages":[{"role":"user","content":"Q"},{"role":"user","content":"R"},{"role":"assistant","content":"A"}]}`+"\n")
	e := stopped(t, func() { Read(path) })
	if !strings.Contains(e.Msg, path+":1: two user messages in a row") {
		t.Errorf("%v", e)
	}
	s := Read(path, ReadOptions{Fields: Fields{Merge: true}})
	if s.Row(0).Prompt != "Q\nR" || len(s.Notes()) != 2 || !strings.Contains(s.Notes()[0], "OpenAI messages") {
		t.Errorf("%+v, notes %q", s.Row(0), s.Notes())
	}
	e = stopped(t, func() { Read(put(t, "t.csv", "a,b\n1,2\n")) })
	if !strings.Contains(e.Msg, `data.CSV(`) {
		t.Errorf("%v; wanted the call to make", e)
	}
	stopped(t, func() { Read(path, ReadOptions{}, ReadOptions{}) })
	if got := Texts(put(t, "t.txt", "a\n\nb\n"), TextOptions{Unit: Blocks}); len(got) != 2 || got[1] != "b" {
		t.Errorf("%q", got)
	}
	stopped(t, func() { Texts(path, TextOptions{OnError: Skip}) })
}

func TestPartsOfLargeFiles(t *testing.T) {
	path := put(t, "t.jsonl", strings.Repeat(`{"prompt":"P","completion":"C"}`+"\n", 20)+`{"prompt":"Q","completion":"C"}`+"\n")
	if s := Sample(path, 1, 5); s.Len() != 5 || s.Engine().Available != 21 {
		t.Errorf("%d rows of %d", s.Len(), s.Engine().Available)
	}
	if s := Scan(path, func(e Example) bool { return e.Prompt == "Q" }); s.Len() != 1 || s.Row(0).Row != 20 {
		t.Errorf("%d rows, the first %+v", s.Len(), s.Row(0))
	}
	stopped(t, func() { Sample(path, 1, 22) })
	stopped(t, func() { Sample(path+"x", 1, 1) })
}
