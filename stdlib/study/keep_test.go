package study

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tunebook/stdlib/eval"
	"tunebook/stdlib/host"
	"tunebook/stdlib/stop"
)

// A study that is run again computes what is new or has changed, and its table is the same to the byte.
func TestPointsAreKept(t *testing.T) {
	t.Setenv("TUNEBOOK_STORE", t.TempDir())
	calls := 0
	run := func(sizes []int, version string, broken int) *Study {
		st := New("kept")
		for _, n := range sizes {
			st.Point(Row{"n": n, "seed": 1}, Inputs{"corpus", version, map[string]int{"epochs": 3}}, func() Results {
				calls++
				if n == broken {
					stop.Now("train.Run", "loss is NaN at step 7", "lower the learning rate")
				}
				return Results{"score": scored(3, 1), "loss": Measured(1.0 / float64(n))}
			})
		}
		return st
	}
	first := run([]int{50, 100, 200}, "a", 100)
	if calls != 3 || first.Skipped() != "0 points kept, 3 computed" {
		t.Errorf("%d calls, %s", calls, first.Skipped())
	}
	table := first.Table("n")
	if table.Rows[1][1] != "—" || !strings.Contains(strings.Join(table.Notes, "\n"), "loss is NaN at step 7") || strings.Contains(table.CSV(), "\n100,0.0") {
		t.Errorf("a failed point is no gap: %q %q", table.Rows, table.Notes)
	}
	again := run([]int{50, 100, 200}, "a", 0) // the failed one is tried again
	if calls != 4 || again.Skipped() != "2 points kept, 1 computed" {
		t.Errorf("%d calls, %s", calls, again.Skipped())
	}
	third := run([]int{50, 100, 200}, "a", 0)
	if calls != 4 || third.Table("n").CSV() != again.Table("n").CSV() {
		t.Errorf("%d calls\n%s\n%s", calls, third.Table("n").CSV(), again.Table("n").CSV())
	}
	// Everything of a score comes back: it is compared and combined as before.
	a, b := again.rows[0]["score"].(eval.Score), third.rows[0]["score"].(eval.Score)
	if d := eval.Paired(a, b); d.Mean != 0 || b.At(0.8).Lo != a.At(0.8).Lo || len(b.Rows) != len(a.Rows) {
		t.Errorf("%v", d)
	}
	if run([]int{50}, "b", 0); calls != 5 {
		t.Error("another input was taken from the store")
	}
	if run([]int{50, 400}, "a", 0); calls != 6 {
		t.Error("a new point made an old one computed again")
	}
	// A file that was damaged is computed again, not read half.
	files, _ := filepath.Glob(filepath.Join(os.Getenv("TUNEBOOK_STORE"), "study", "*", "*.json"))
	if len(files) != 5 {
		t.Fatalf("%d files", len(files))
	}
	for _, f := range files {
		body, _ := os.ReadFile(f)
		os.WriteFile(f, body[:len(body)/2], 0o644)
	}
	if run([]int{50}, "a", 0); calls != 7 {
		t.Error("a damaged file was used")
	}
}

func TestPointsThatFailFirstAreGapsOfTheResults(t *testing.T) {
	t.Setenv("TUNEBOOK_STORE", "off")
	st := New("s")
	for n := range 3 {
		st.Point(Row{"n": n}, nil, func() Results {
			if n == 0 {
				stop.Now("train.Run", "no data", "")
			}
			return Results{"score": scored(n, 1)}
		})
	}
	table := st.Table("n")
	if strings.Join(table.Columns, "|") != "n|score (exact match)|95 %|documents|seeds|failed" || table.Rows[0][1] != "—" || table.Rows[0][5] != "1" {
		t.Errorf("%q %q", table.Columns, table.Rows)
	}
}

func TestPointStopsForMistakesAndInterrupts(t *testing.T) {
	t.Setenv("TUNEBOOK_STORE", "off")
	st := New("s")
	for want, f := range map[string]func(){
		"is a key and a result": func() {
			st.Point(Row{"n": 1}, nil, func() Results { return Results{"n": Measured(1)} })
		},
		"wanted an int": func() {
			st.Point(Row{"n": []int{1}}, nil, func() Results { return nil })
		},
		"JSON can hold": func() { st.Point(Row{"n": 2}, Inputs{func() {}}, func() Results { return nil }) },
	} {
		// A mistake in what the point returns is its own failure; the others end the study.
		func() {
			defer func() {
				if r := recover(); r != nil && !strings.Contains(r.(*stop.Error).Error(), want) {
					t.Errorf("%v; wanted %q", r, want)
				}
			}()
			f()
		}()
	}
	ctx, cancel := context.WithCancel(context.Background())
	host.SetContext(ctx)
	defer host.SetContext(context.Background())
	before := st.Len()
	defer func() {
		if recover() == nil || st.Len() != before {
			t.Error("an interrupt became a gap")
		}
	}()
	st.Point(Row{"n": 3}, nil, func() Results {
		cancel()
		stop.Now("train.Run", "interrupted", "")
		return nil
	})
}

func TestPickSortAndLaTeX(t *testing.T) {
	st := small()
	if n := st.Filter(Where{"mix": "mixed"}).Len(); n != 6 {
		t.Errorf("%d rows; wanted 6", n)
	}
	if n := st.Where(func(r Row) bool { return r["n"].(int64) > 100 }).Len(); n != 6 {
		t.Errorf("%d rows; wanted 6", n)
	}
	table := st.Table("mix", "n").Sort("n", true)
	if table.Rows[0][1] != "200" || table.Rows[3][1] != "50" {
		t.Errorf("%q", table.Rows)
	}
	if e := stopped(t, func() { table.Sort("nothing", false) }); !strings.Contains(e.Error(), "the table has mix, n") {
		t.Error(e)
	}
	hostile := &Table{Title: "50 %\n\\end", Columns: []string{"a_b & c", "x"}, Rows: [][]string{{`\input{x} $#~^<>`, "-1.5 to 2"}}, Notes: []string{"100 % of them"}, right: []bool{false, true}}
	want := "% 50 % \\end\n\\begin{tabular}{lr}\n\\toprule\na\\_b \\& c & x \\\\\n\\midrule\n" +
		"\\textbackslash{}input\\{x\\} \\$\\#\\textasciitilde{}\\textasciicircum{}\\textless{}\\textgreater{} & $-$1.5 to 2 \\\\\n" +
		"\\bottomrule\n\\end{tabular}\n\\par\\footnotesize 100 \\% of them\n"
	if got := hostile.LaTeX(); got != want {
		t.Errorf("%s\nwanted\n%s", got, want)
	}
	path := table.Save(filepath.Join(t.TempDir(), "t.tex"))
	if b, err := os.ReadFile(path); err != nil || string(b) != table.LaTeX() {
		t.Error(err)
	}
}

func TestLiveTable(t *testing.T) {
	var out bytes.Buffer
	stdout, stderr := host.Stdout(), host.Stderr()
	host.SetOutput(&out, &out)
	defer host.SetOutput(stdout, stderr)
	liveGap = 0
	defer func() { liveGap = 10e9 }()
	st := New("live")
	st.Live("n")
	st.Add(Row{"n": 50, "seed": 1, "score": scored(3, 1)})
	one := out.String()
	st.Add(Row{"n": 100, "seed": 1, "score": scored(5, 1)})
	if !strings.Contains(one, "30.0") || strings.Contains(one, "50.0") || !strings.Contains(out.String()[len(one):], "50.0") {
		t.Error(out.String())
	}
}
