package chart

import (
	"math"
	"strings"
	"testing"

	"tunebook/stdlib/data"
	"tunebook/stdlib/train"
)

func TestLossBySource(t *testing.T) {
	r := &train.Result{Sources: []string{"a", "b"}}
	for i := range 10 {
		b := math.NaN()
		if i >= 5 {
			b = 2
		}
		r.Log = append(r.Log, train.Report{Step: i + 1, Loss: 1, BySource: train.Losses{float64(i), b}})
	}
	c := LossBySource(r, 5)
	if len(c.data.Rows) != 3 || c.data.Rows[0][2] != "2" || c.data.Rows[1][2] != "7" || c.data.Rows[2][0] != "b" || c.data.Rows[2][1] != "10" {
		t.Errorf("%q", c.data.Rows)
	}
}

func TestMixFlow(t *testing.T) {
	a := data.Generate(data.Gen{Skills: []string{"tracking"}, Size: 40, Seed: 1}).Named("a")
	b := data.Generate(data.Gen{Skills: []string{"reading"}, Size: 60, Seed: 1}).Named("b")
	c := Mix(data.Mix(1, a, b.Take(1, 20)))
	text := strings.Join(c.plot.bars, "\n")
	total := 0.0
	for _, r := range c.data.Rows {
		if r[1] == "in the mix" {
			total++
		}
	}
	if total != 2 || !strings.Contains(text, "40") || !strings.Contains(text, "20") || !strings.Contains(text, "not in the mix") {
		t.Errorf("%q\n%s", c.data.Rows, text)
	}
}
