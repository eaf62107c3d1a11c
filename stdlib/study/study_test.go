package study

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tunebook/stdlib/eval"
	"tunebook/stdlib/stop"
)

// scored is an exact-match score over 100 documents, right of every ten right, on a model of that seed.
func scored(right int, seed int64) eval.Score {
	rows := make([]eval.Row, 100)
	for i := range rows {
		rows[i] = eval.Row{Prompt: fmt.Sprint(i), Answer: "yes", Cleaned: "no"}
		if (i*7+int(seed))%10 < right {
			rows[i].Cleaned = "yes"
		}
	}
	return eval.Rows(eval.Find("exact"), rows, eval.How{Seeds: []int64{seed}})
}

// small is a study of 2 sizes, 2 mixes and 3 seeds; the mixed point at 200 with seed 3 failed.
func small() *Study {
	st := New("small")
	for _, n := range []int{50, 200} {
		for m, mix := range []string{"specialist", "mixed"} {
			for seed := 1; seed <= 3; seed++ {
				row := Row{"n": n, "mix": mix, "seed": seed, "score": scored(4+m+n/100, int64(seed)), "loss": Measured(float64(seed) / 4)}
				if n == 200 && m == 1 && seed == 3 {
					row["score"], row["loss"] = Failed("loss was NaN at step 7"), Failed("loss was NaN at step 7")
				}
				st.Add(row)
			}
		}
	}
	return st
}

func stopped(t *testing.T, f func()) (err *stop.Error) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			err = r.(*stop.Error)
		}
	}()
	f()
	t.Error("nothing stopped")
	return &stop.Error{}
}

func TestTable(t *testing.T) {
	table := small().Table("n", "mix")
	if got := strings.Join(table.Columns, "|"); got != "n|mix|loss|loss range|loss runs|score (exact match)|score 95 %|score documents|score seeds|failed" {
		t.Errorf("columns %s", got)
	}
	if len(table.Rows) != 4 {
		t.Fatalf("%d rows", len(table.Rows))
	}
	if r := table.Rows[0]; r[0] != "50" || r[1] != "specialist" || r[2] != "0.5" || r[3] != "0.25 to 0.75" || r[5] != "40.0" || r[7] != "100" || r[8] != "3" || r[9] != "0" {
		t.Errorf("%q", r)
	}
	last := table.Rows[3]
	if last[1] != "mixed" || last[5] != "70.0" || last[8] != "2" || last[9] != "2" {
		t.Errorf("the row with a gap: %q; wanted a mean of the two that are there", last)
	}
	if want := "failed: mix=mixed n=200 seed=3: loss was NaN at step 7"; table.Notes[0] != want {
		t.Errorf("note %q; wanted %q", table.Notes[0], want)
	}
	text, page := table.Show()
	again, pageAgain := small().Table("n", "mix").Show()
	if text != again || page != pageAgain {
		t.Error("the same study gave other bytes")
	}
}

func TestAGapIsNeverAZero(t *testing.T) {
	st := New("gaps")
	st.Add(Row{"n": 1, "score": Failed("no memory")})
	st.Add(Row{"n": 2, "score": errors.New("killed")})
	st.Add(Row{"n": 3, "score": Measured(math.NaN())})
	table := st.Table("n")
	for i, row := range table.Rows {
		if row[1] != "—" || strings.Contains(strings.Join(row, " "), "0.0") {
			t.Errorf("row %d: %q", i, row)
		}
	}
	if len(table.Notes) != 3 || !strings.HasSuffix(table.Notes[1], "n=2: killed") || !strings.HasSuffix(table.Notes[2], "measured NaN") {
		t.Errorf("%q", table.Notes)
	}
	if p := st.Pivot("n", "n", ""); p.Rows[0][1] != "failed" || p.Rows[0][2] != "—" {
		t.Errorf("%q", p.Rows)
	}
}

func TestPaired(t *testing.T) {
	table := small().Paired("score", Where{"mix": "specialist"}, Where{"mix": "mixed"})
	if table.Title != "small: score, mix=mixed minus mix=specialist" || strings.Join(table.Columns, "|") != "n|difference|95 %|p|p (Holm)|p (BH)|documents|seeds|in words" {
		t.Errorf("%s %q", table.Title, table.Columns)
	}
	if r := table.Rows[0]; r[0] != "50" || r[1] != "+10.0" || r[6] != "100" || r[7] != "3" || !strings.HasPrefix(r[8], "+10.0 exact match, 95 % ") {
		t.Errorf("%q", r)
	}
	if r := table.Rows[1]; r[1] != "+10.0" || r[7] != "2" {
		t.Errorf("seed 3 is on one side only: %q", r)
	}
	notes := strings.Join(table.Notes, "\n")
	if !strings.Contains(notes, "n=200: seed 3 left out: only mix=specialist has it") || !strings.Contains(notes, "NaN at step 7") {
		t.Errorf("%s", notes)
	}
	none := New("one side")
	none.Add(Row{"mix": "a", "score": scored(5, 1)})
	none.Add(Row{"mix": "b", "score": Failed("lost")})
	if r := none.Paired("", Where{"mix": "a"}, Where{"mix": "b"}).Rows[0]; r[0] != "—" || r[7] != "no score of mix=b" {
		t.Errorf("%q", r)
	}
}

func TestCurveAndWorth(t *testing.T) {
	st := New("curves")
	for i, n := range []int{50, 100, 200, 400} { // the mix is right once more in ten
		for seed := range int64(2) {
			st.Add(Row{"mix": "alone", "n": n, "seed": seed, "score": scored(2+2*i, seed)})
			st.Add(Row{"mix": "mixed", "n": n, "seed": seed, "score": scored(3+2*i, seed)})
		}
	}
	if text, _ := st.Curve("n", "", Where{"mix": "alone"}).Show(); !strings.Contains(text, "exact match = ") || !strings.Contains(text, "4 sizes from 50 to 400 examples") {
		t.Error(text)
	}
	e := st.Worth("n", "", Where{"mix": "alone"}, Where{"mix": "mixed"}, 200)
	if e.Alone < 250 || e.Alone >= 400 || e.Lo < 50 || e.Hi > 400 || e.Lo > e.Hi {
		t.Error(e)
	}
	if err := stopped(t, func() { st.Curve("mix", "", nil) }); !strings.Contains(err.Error(), "wanted numbers above 0") {
		t.Error(err)
	}
}

func TestAddRefusesWhatWouldBeLost(t *testing.T) {
	st := New("s")
	st.Add(Row{"n": 1, "ratio": 0.5, "score": scored(5, 1)})
	if e := stopped(t, func() { st.Add(Row{"n": 1, "ratio": 0.5, "score": scored(6, 1)}) }); !strings.Contains(e.Error(), "n=1 ratio=0.5 is there already") {
		t.Error(e)
	}
	if e := stopped(t, func() { st.Add(Row{"n": 2}) }); !strings.Contains(e.Msg, "has no result") {
		t.Error(e)
	}
	if e := stopped(t, func() { st.Add(Row{"n": []int{2}, "score": scored(6, 1)}) }); !strings.Contains(e.Msg, `"n" is a []int`) {
		t.Error(e)
	}
	if e := stopped(t, func() { st.Add(Row{"n": 2, "ratio": 1.0, "score": 0.4}) }); !strings.Contains(e.Msg, `"score" is a float64 here`) {
		t.Error(e)
	}
	if e := stopped(t, func() { st.Table("m") }); !strings.Contains(e.Msg, `"m" is no key of study "s"; it has n, ratio`) {
		t.Error(e)
	}
	st.Set(Row{"n": 1, "ratio": 0.5, "score": scored(7, 1)})
	if st.Len() != 1 || st.Table("n").Rows[0][1] != "70.0" {
		t.Error("Set did not replace the row")
	}
	if !st.Has(Where{"n": 1.0, "ratio": 0.5}) || st.Has(Where{"n": 1}) {
		t.Error("Has")
	}
}

func TestUnlikeScoresOfOneGroupStop(t *testing.T) {
	st := New("s")
	st.Add(Row{"n": 1, "seed": 1, "score": scored(5, 1)})
	st.Add(Row{"n": 1, "seed": 2, "score": eval.Texts("exact", []string{"a"}, []string{"a"})})
	if e := stopped(t, func() { st.Table("n") }); !strings.Contains(e.Error(), "fingerprint") {
		t.Error(e)
	}
}

func TestPivotPointsAndSave(t *testing.T) {
	st := small()
	p := st.Pivot("n", "mix", "score")
	if len(p.Rows) != 2 || p.Columns[1] != "mix specialist" || !strings.HasPrefix(p.Rows[1][2], "70.0 (") {
		t.Errorf("%q %q", p.Columns, p.Rows)
	}
	pts := st.Points("n", "mix", "score")
	if len(pts) != 4 || pts[0].XValue != 50 || pts[0].By != "specialist" || pts[0].Score.N != 100 || len(pts[3].Failed) != 1 {
		t.Errorf("%d points", len(pts))
	}
	dir := t.TempDir()
	for _, name := range []string{"t.csv", "t.md"} {
		if path := st.Table("n").Save(filepath.Join(dir, name)); path == "" {
			t.Error("no path")
		} else if b, err := os.ReadFile(path); err != nil || !strings.Contains(string(b), "exact match") {
			t.Errorf("%s %v", b, err)
		}
	}
	stopped(t, func() { st.Table("n").Save(filepath.Join(dir, "t.xls")) })
}

func TestLinesThatAverageOverMoreSaySo(t *testing.T) {
	table := small().Table("mix")
	if n := table.Notes[len(table.Notes)-1]; n != "each line is over the values of n as well" {
		t.Error(n)
	}
	if !strings.Contains(strings.Join(table.Columns, "|"), "score seeds|score runs") {
		t.Errorf("six runs of three seeds are not told apart: %q", table.Columns)
	}
}

func ExampleStudy_Table() {
	st := New("does size help?")
	for _, n := range []int{50, 200} {
		for seed := 1; seed <= 3; seed++ {
			st.Add(Row{"n": n, "seed": seed, "accuracy": scored(3+n/50, int64(seed))})
		}
	}
	fmt.Print(st.Table("n").CSV())
	// Output:
	// n,accuracy (exact match),95 %,documents,seeds
	// 50,40.0,32.2 to 47.8,100,3
	// 200,70.0,62.9 to 76.8,100,3
}

// A table that a script fills by itself shows as one that a study made.
func TestOwnTable(t *testing.T) {
	own := &Table{Title: "own", Columns: []string{"what", "how much"}, Rows: [][]string{{"a", "1.5"}, {"b", "+20.0 (1 to 3)"}}, Notes: []string{"n"}}
	if text, _ := own.Show(); !strings.Contains(text, "a                1.5\n") {
		t.Errorf("%s", text)
	}
	if !strings.Contains(own.LaTeX(), "{lr}") {
		t.Errorf("%s", own.LaTeX())
	}
	own.Rows[1] = own.Rows[1][:1]
	defer func() {
		if e, ok := recover().(*stop.Error); !ok || !strings.Contains(e.Msg, "row 1 has 1 cells; there are 2 columns") {
			t.Errorf("%v", e)
		}
	}()
	own.Show()
}
