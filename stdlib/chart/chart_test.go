package chart

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"tunebook/stdlib/eval"
	"tunebook/stdlib/stop"
	"tunebook/stdlib/study"
)

// hostile is a name that would run as code or tear the page if it were read as anything but text.
const hostile = `</script><img src=x onerror="document.title='owned'">__f__function(){document.title='owned'}__f__`

func scored(share float64, seed int64) eval.Score {
	rows := make([]eval.Row, 40)
	for i := range rows {
		rows[i] = eval.Row{Prompt: fmt.Sprint(i), Answer: "yes", Cleaned: "no"}
		if float64((i*37+int(seed)*11)%40) < 40*share {
			rows[i].Cleaned = "yes"
		}
	}
	return eval.Rows(eval.Find("exact-normalised"), rows, eval.How{Seeds: []int64{seed}})
}

// learning is a study of sizes, mixes and seeds with one point that failed.
func learning(second string) *study.Study {
	st := study.New("Specialist or generalist?")
	for _, n := range []int{25, 100, 400, 1600} {
		for m, mix := range []string{"specialist only", second} {
			for seed := 1; seed <= 3; seed++ {
				share := 0.22 + 0.1*math.Log2(float64(n)/25) + float64(m)*(0.14*math.Exp(-float64(n)/200)-0.04) + 0.015*float64(seed)
				row := study.Row{"n": n, "mix": mix, "seed": seed, "score": scored(share, int64(seed))}
				if m == 1 && n == 1600 && seed == 2 {
					row["score"] = study.Failed("loss was not finite at step 12")
				}
				st.Add(row)
			}
		}
	}
	return st
}

func losses(n int) *Chart {
	a, b := make([]float64, n), make([]float64, n)
	for i := range a {
		a[i] = 1 + 3*math.Exp(-float64(i)/40) + 0.1*math.Sin(float64(i*i))
		b[i] = 1.3 + 2.6*math.Exp(-float64(i)/70) + 0.1*math.Cos(float64(i*i))
	}
	return Curves("Loss during training", "step", "loss (nats per supervised token)", Series{Name: "specialist only", Y: a}, Series{Name: "with generalist data", Y: b})
}

// full is a page with one of everything, hostile texts among it.
func full() *Page {
	st := learning("specialist + generalist")
	p := NewPage("Report </title><script>document.title='owned'</script>")
	p.Text("A study of **which data helps**, as a page that opens with the network off.\n\n## The question\n\nDoes generalist data help when specialist examples are few? `n` counts *specialist* examples.\n\n- one line per mix\n- three seeds each\n")
	p.Text("## Scores\n\n### By size")
	p.Table(st.Table("n", "mix"))
	p.Chart(Plot(st, Line{X: "n", By: "mix", LogX: true, Title: "Score against number of specialist examples", XName: "specialist examples"}))
	p.Text("### Compared")
	p.Table(st.Paired("score", study.Where{"mix": "specialist only"}, study.Where{"mix": "specialist + generalist"}))
	p.Text("## Losses")
	p.Chart(losses(300))
	p.Chart(losses(6000))
	p.Text("## Bars")
	p.Add(Bars(st, Bar{X: "n", By: "mix", Title: "The same as bars", XName: "specialist examples"}))
	p.Text("## Hostile texts\n\n<script>document.title='owned'</script> and <img src=x onerror=\"document.title='owned'\"> and ![x](x.png)")
	odd := learning(hostile)
	p.Chart(Plot(odd, Line{X: "mix", Title: hostile, XName: hostile, YName: hostile}))
	p.Chart(Curves(hostile, hostile, hostile, Series{Name: hostile, Y: []float64{1, math.NaN(), 3, math.Inf(1), 2}}, Series{Name: "plain", Y: []float64{2, 2, 2, 1, 1}}))
	p.Add(scored(0.7, 1))
	p.Add(scored(0.7, 1).Worst(3))
	p.Add("\x1b[31mplain\tvalue")
	return p
}

func TestTheScriptIsTheOneOfThePackage(t *testing.T) {
	z, err := gzip.NewReader(bytes.NewReader(echartsGz))
	if err != nil {
		t.Fatal(err)
	}
	src, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(src)); got != "bf4a223524e40b77c304bec67e1222cf551f14880cf42c69dc046558e11c07b1" {
		t.Errorf("sha256 %s", got)
	}
	if strings.Contains(strings.ToLower(echartsJS()), "</script") {
		t.Error("the script would end its own element")
	}
}

func TestPageHoldsNoAddressAndOneScript(t *testing.T) {
	p := NewPage("twenty")
	for range 20 {
		p.Chart(losses(50))
	}
	saved := p.HTML()
	if strings.Contains(saved, "http") {
		t.Error("the letters http stand in the page")
	}
	for _, bad := range []string{`src="`, `href="//`, "url(", "@import"} {
		if at := strings.Index(strings.Replace(saved, echartsJS(), "", 1), bad); at >= 0 {
			t.Errorf("%q stands in the page", bad)
		}
	}
	if n := strings.Count(saved, "Licensed to the Apache Software Foundation"); n != 1 {
		t.Errorf("%d copies of the script; wanted 1", n)
	}
	if n := strings.Count(saved, `<figure class="tb-chart">`); n != 20 {
		t.Errorf("%d charts", n)
	}
	if strings.Contains(NewPage("none").HTML(), "Apache") {
		t.Error("a page without charts holds the script")
	}
}

func TestTheSamePageIsTheSameBytes(t *testing.T) {
	a, b := full().HTML(), full().HTML()
	if a != b {
		t.Error("two pages of the same parts differ")
	}
	if strings.Contains(strings.Replace(a, echartsJS(), "", 1), ` id="chart`) {
		t.Error("charts have ids; wanted none, so that none can be there twice")
	}
}

func TestHostileTextIsText(t *testing.T) {
	p := full()
	saved := strings.Replace(p.HTML(), echartsJS(), "", 1)
	if n := strings.Count(saved, "<script"); n != strings.Count(saved, "</script>") || n != 3+p.charts || p.charts != 6 {
		t.Errorf("%d script elements, %d ends; wanted three of ours and one of data for each of %d charts", n, strings.Count(saved, "</script>"), p.charts)
	}
	if strings.Contains(saved, "<img") || strings.Contains(saved, "\x1b") {
		t.Error("a text became an element or a control character")
	}
	if !strings.Contains(saved, "__f__function") || !strings.Contains(saved, "&lt;img src=x onerror") {
		t.Error("the hostile text is gone; wanted it shown")
	}
}

func TestNotFiniteIsAGapWithANote(t *testing.T) {
	c := Curves("", "step", "loss", Series{Name: "a", Y: []float64{1, math.NaN(), 3, math.Inf(1)}})
	if len(c.Notes) != 1 || c.Notes[0] != "2 points not finite, drawn as gaps" {
		t.Errorf("%q", c.Notes)
	}
	var p struct {
		Option struct {
			Series []struct{ Data [][]any }
		}
	}
	if err := json.Unmarshal(c.payload, &p); err != nil {
		t.Fatal(err)
	}
	if d := p.Option.Series[0].Data; len(d) != 4 || d[1][1] != nil || d[3][1] != nil || d[2][1] != 3.0 {
		t.Errorf("%v", d)
	}
	text, _ := Curves("", "x", "y", Series{Y: []float64{math.NaN()}}).Show()
	if text != "(no finite point)\nnote: 1 point not finite, drawn as gaps\n" {
		t.Errorf("%q", text)
	}
}

func TestPlotShowsGapsZerosAndCategories(t *testing.T) {
	st := learning("mixed")
	for seed := 1; seed <= 2; seed++ {
		st.Add(study.Row{"n": 0, "mix": "specialist only", "seed": seed, "score": scored(0.1, int64(seed))})
	}
	c := Plot(st, Line{X: "n", By: "mix", LogX: true})
	notes := strings.Join(c.Notes, "\n")
	if !strings.Contains(notes, "failed: mix=mixed n=1600 seed=2: loss was not finite at step 12") || !strings.Contains(notes, "1 point at zero or below left out") {
		t.Error(notes)
	}
	if c.xName != "n" || c.yName != "exact match (normalised)" || c.Title != "Specialist or generalist?" {
		t.Errorf("%q %q %q", c.xName, c.yName, c.Title)
	}
	if c = Plot(st, Line{X: "mix"}); !strings.Contains(string(c.payload), `"data":["specialist only","mixed"]`) {
		t.Errorf("no axis of categories: %s", c.payload)
	}
	wide, narrow := Plot(st, Line{X: "n", CI: 0.99}), Plot(st, Line{X: "n", CI: 0.5})
	for i, row := range wide.data.Rows {
		if row[3] >= narrow.data.Rows[i][3] {
			t.Errorf("99 %% from %s, 50 %% from %s", row[3], narrow.data.Rows[i][3])
		}
	}
	if bare := Plot(st, Line{X: "n", CI: -1}); strings.Contains(string(bare.payload), "band") {
		t.Error("a band was drawn")
	}
}

func TestCallsThatCannotBeDrawnStop(t *testing.T) {
	st := learning("mixed")
	for want, f := range map[string]func(){
		"chart.Plot: the study has no rows":        func() { Plot(study.New("x"), Line{X: "n"}) },
		"chart.Plot: X is empty":                   func() { Plot(st, Line{}) },
		`study.Points: "m" is no key`:              func() { Plot(st, Line{X: "m"}) },
		"chart.Plot: LogX wants numbers":           func() { Plot(st, Line{X: "mix", LogX: true}) },
		"chart.Plot: CI is 95":                     func() { Plot(st, Line{X: "n", CI: 95}) },
		`chart.Curves: series "a" has 1 x and 2 y`: func() { Curves("", "", "", Series{Name: "a", X: []float64{1}, Y: []float64{1, 2}}) },
		"chart.Curves: 0 series":                   func() { Curves("", "", "") },
	} {
		func() {
			defer func() {
				e, ok := recover().(*stop.Error)
				if !ok || !strings.HasPrefix(e.Error(), want) {
					t.Errorf("%v; wanted %s …", e, want)
				}
			}()
			f()
		}()
	}
}

func TestTheTerminalPlotFits(t *testing.T) {
	for _, c := range []*Chart{Plot(learning("a mix with a rather long name 你好"), Line{X: "n", By: "mix", LogX: true}), losses(300), Bars(learning("b"), Bar{X: "n", By: "mix"}), Plot(learning(hostile), Line{X: "mix"})} {
		text, _ := c.Show()
		for _, line := range strings.Split(c.plot.String(), "\n") {
			if w := runewidth.StringWidth(line); w > 72 {
				t.Errorf("%d columns: %q", w, line)
			}
		}
		if strings.ContainsRune(text, '\x1b') {
			t.Error("an escape passes")
		}
		t.Log("\n" + text)
	}
}

func TestManyPointsAreSampledAndSaidSo(t *testing.T) {
	c := losses(6000)
	if len(c.Notes) != 1 || !strings.HasPrefix(c.Notes[0], "12000 points, of which the picture shows a sample") {
		t.Errorf("%q", c.Notes)
	}
	if n := len(c.data.Rows); n > tableRows {
		t.Errorf("%d rows in the table", n)
	}
}
