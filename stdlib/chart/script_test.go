package chart

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"

	"tunebook/stdlib/eval"
	"tunebook/stdlib/study"
)

// The calls of a study must work from an interpreted script: maps with values of any type, scores as structs, variadic
// names, func values as metrics.
func TestAStudyAsAScript(t *testing.T) {
	var out bytes.Buffer
	i := interp.New(interp.Options{Stdout: &out, Stderr: &out})
	if err := i.Use(stdlib.Symbols); err != nil {
		t.Fatal(err)
	}
	of := reflect.ValueOf
	err := i.Use(interp.Exports{
		"tunebook/stdlib/eval/eval": {"Texts": of(eval.Texts), "TextsRefs": of(eval.TextsRefs), "Paired": of(eval.Paired), "Rows": of(eval.Rows), "NewMetric": of(eval.NewMetric),
			"Combine": of(eval.Combine), "Find": of(eval.Find), "Score": of((*eval.Score)(nil)), "Row": of((*eval.Row)(nil)), "How": of((*eval.How)(nil))},
		"tunebook/stdlib/study/study": {"New": of(study.New), "Row": of((*study.Row)(nil)), "Where": of((*study.Where)(nil)), "Failed": of(study.Failed), "Measured": of(study.Measured)},
		"tunebook/stdlib/chart/chart": {"Plot": of(Plot), "Line": of((*Line)(nil)), "Curves": of(Curves), "Series": of((*Series)(nil)), "NewPage": of(NewPage)},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "p.html")
	_, err = i.Eval(`package main

import (
	"fmt"

	"tunebook/stdlib/chart"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/study"
)

func main() {
	st := study.New("script")
	for _, n := range []int{50, 200} {
		for _, mix := range []string{"specialist", "mixed"} {
			for seed := 1; seed <= 2; seed++ {
				pred, ref := []string{}, []string{}
				for i := 0; i < 40; i++ {
					ref = append(ref, "yes")
					if (i+seed)%10 < 3+n/50+len(mix)/10 {
						pred = append(pred, "yes")
					} else {
						pred = append(pred, "no")
					}
				}
				score := eval.Texts("exact", pred, ref)
				st.Add(study.Row{"n": n, "mix": mix, "seed": seed, "score": score, "loss": study.Measured(1.5)})
			}
		}
	}
	st.Add(study.Row{"n": 800, "mix": "mixed", "seed": 1, "score": study.Failed("too long")})
	fmt.Println(st.Table("n", "mix").Markdown())
	fmt.Println(st.Paired("score", study.Where{"mix": "specialist"}, study.Where{"mix": "mixed"}).Rows[0])
	mine := eval.NewMetric("length", "none", func(p, r string) float64 { return float64(len(p)) / 10 })
	s := eval.Rows(mine, []eval.Row{{Answer: "a", Cleaned: "abc"}}, eval.How{Model: "m"})
	fmt.Println(s.Mean, s.N, s.How.Model, s)
	p := chart.NewPage("page")
	p.Text("# hello")
	p.Table(st.Table("n"))
	p.Chart(chart.Plot(st, chart.Line{X: "n", By: "mix", Y: "score"}))
	p.Chart(chart.Curves("loss", "step", "nats", chart.Series{Name: "a", Y: []float64{2, 1}}))
	fmt.Println(p.Save(` + "`" + path + "`" + `))
}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| 50 | specialist |", "0.3 1 m length 30.0 (95 %", path, "exact match, 95 %", "failed: mix=mixed n=800 seed=1: too long"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if b, err := os.ReadFile(path); err != nil || !strings.Contains(string(b), "tb-chart") {
		t.Errorf("%v", err)
	}
}
