package data

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// numbered is a file of n rows, the prompts of which are their numbers.
func numbered(t *testing.T, name string, n int) *Reader {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"prompt":"%d","completion":"C"}`+"\n", i)
	}
	r, err := Open(tempFile(t, name, b.String()), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSample(t *testing.T) {
	r := numbered(t, "big.jsonl", 5000)
	sample := func(r *Reader, seed int64, n int) []Example {
		s, err := r.Sample(seed, n)
		if err != nil {
			t.Fatal(err)
		}
		if s.Len() != n || s.Available != 5000 || s.Name != r.Name || s.Steps[0].Op != "read" || s.Steps[0].To != 5000 || s.Steps[1].From != 5000 || len(s.Notes) != 1 {
			t.Fatalf("%d rows of %d, name %q, steps %+v, notes %q", s.Len(), s.Available, s.Name, s.Steps, s.Notes)
		}
		return s.Rows
	}
	names := func(rows []Example) []int {
		out := make([]int, len(rows))
		for i, e := range rows {
			if e.Prompt != fmt.Sprint(e.Row) {
				t.Fatalf("row %d has prompt %q", e.Row, e.Prompt)
			}
			out[i] = e.Row
		}
		return out
	}
	a := names(sample(r, 1, 500))
	if b := names(sample(r, 1, 250)); !slices.Equal(a[:250], b) {
		t.Error("Sample(250) is not the beginning of Sample(500)")
	}
	if b := names(sample(r, 2, 500)); slices.Equal(a, b) {
		t.Error("seeds 1 and 2 give the same sample")
	}
	if b := names(sample(numbered(t, "other.jsonl", 5000), 1, 500)); slices.Equal(a, b) {
		t.Error("files of other names give the same sample")
	}
	if all := names(sample(r, 1, 5000)); len(slices.Compact(slices.Sorted(slices.Values(all)))) != 5000 {
		t.Error("rows of the whole stand there twice")
	}
	// Rows are equally likely wherever they stand: the mean of 40 samples of 500 lies within 4 standard errors.
	sum := 0.0
	for seed := range int64(40) {
		for _, row := range names(sample(r, seed, 500)) {
			sum += float64(row)
		}
	}
	mean, se := sum/20000, 5000/math.Sqrt(12)*math.Sqrt(0.9/20000)
	if math.Abs(mean-2499.5) > 4*se {
		t.Errorf("the mean row is %.1f; wanted 2499.5 within %.1f", mean, 4*se)
	}
	_, err := r.Sample(1, 5001)
	wantError(t, "too many", err, "5001 rows were asked for; there are 5000, wanted 1 to 5000")
	_, err = r.Sample(1, 0)
	wantError(t, "none", err, "0 rows were asked for")
}

func TestScan(t *testing.T) {
	r := numbered(t, "big.jsonl", 1000)
	s, err := r.Scan(func(e *Example) bool { return strings.HasSuffix(e.Prompt, "7") })
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 100 || s.Available != 1000 || s.Rows[1].Prompt != "17" {
		t.Errorf("%d rows of %d, the second %+v", s.Len(), s.Available, s.Rows[1])
	}
	bad, err := Open(tempFile(t, "bad.jsonl", `{"prompt":"P","completion":"C"}`+"\n{}\n"), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() (*Set, error){
		"scan":   func() (*Set, error) { return bad.Scan(func(*Example) bool { return true }) },
		"sample": func() (*Set, error) { return bad.Sample(1, 1) },
	} {
		_, err := f()
		wantError(t, name, err, "1 of 2 rows cannot be used")
	}
	bad.Fields.OnError = Skip
	s, err = bad.Scan(func(*Example) bool { return true })
	if err != nil || s.Len() != 1 || len(s.Notes) != 2 {
		t.Errorf("%v, %+v", err, s)
	}
}

// What a set was read from stands in its steps: each file with its rows, its size and its sum, compressed as it lies there.
func TestFilesInSteps(t *testing.T) {
	row := `{"prompt":"P","completion":"C"}` + "\n"
	zipped := gzipped(t, strings.Repeat(row, 3))
	files := map[string]string{"a.jsonl": row + row, "b.jsonl.gz": zipped}
	want := func(name, content string, n int) Step {
		return Step{"read", n, n, fmt.Sprintf("%s, %d bytes, SHA-256 %x", name, len(content), sha256.Sum256([]byte(content)))}
	}
	dir := folderOf(t, files)
	s, err := Read(dir, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if list := []Step{want("a.jsonl", row+row, 2), want("b.jsonl.gz", zipped, 3)}; !slices.Equal(s.Steps, list) {
		t.Errorf("%+v\nwanted %+v", s.Steps, list)
	}
	table := filepath.Join(t.TempDir(), "t.parquet")
	type pair struct {
		Prompt     string `parquet:"prompt"`
		Completion string `parquet:"completion"`
	}
	if err := parquet.WriteFile(table, []pair{{"P", "C"}, {"Q", "C"}}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = ReadParquet(table, Fields{Input: "prompt", Output: "completion"}); err != nil {
		t.Fatal(err)
	}
	if list := []Step{want("t.parquet", string(raw), 2)}; !slices.Equal(s.Steps, list) {
		t.Errorf("%+v\nwanted %+v", s.Steps, list)
	}
	many := map[string]string{}
	for i := range 9 {
		many[fmt.Sprintf("%d.jsonl", i)] = row
	}
	if s, err = Read(folderOf(t, many), OpenOptions{}); err != nil {
		t.Fatal(err)
	}
	if len(s.Steps) != 1 || s.Steps[0].To != 9 || !strings.HasPrefix(s.Steps[0].Note, fmt.Sprintf("9 files, %d bytes, SHA-256 of ", 9*len(row))) {
		t.Errorf("%+v", s.Steps)
	}
	// Files that were not read to their end have no sum.
	r, err := Open(dir, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range r.Rows() {
		break
	}
	if len(r.steps) != 0 {
		t.Errorf("%+v", r.steps)
	}
}
