package eval

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"tunebook/engine/tensor"
)

func TestPairedIsNarrowerThanTheScores(t *testing.T) {
	a := texts(t, How{Model: "a"}, func(i int) bool { return i%2 == 0 }, 300)
	b := texts(t, How{Model: "b"}, func(i int) bool { return i%2 == 0 || i%20 == 1 }, 300)
	d, err := Paired(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(d.Mean-0.05) > 1e-12 || d.Better != 15 || d.Worse != 0 || d.N != 300 || d.Seeds != 1 {
		t.Errorf("%+v", d)
	}
	if d.Lo <= 0.02 || d.Hi >= 0.08 {
		t.Errorf("interval %v to %v; wanted about 0.027 to 0.077", d.Lo, d.Hi)
	}
	if want := 2 * math.Pow(0.5, 15); d.Test != "McNemar, exact" || math.Abs(d.TestP-want) > 1e-9 || d.P > 0.001 {
		t.Errorf("P %v, %s %v; wanted McNemar %v", d.P, d.Test, d.TestP, want)
	}
	if s := d.String(); !strings.HasPrefix(s, "+5.0 exact match, 95 % 2.") || !strings.HasSuffix(s, ", 300 documents, 1 seed") {
		t.Error(s)
	}
	back, err := Paired(b, a)
	if err != nil || math.Abs(back.Mean+0.05) > 1e-12 {
		t.Errorf("back %v %v", back.Mean, err)
	}
}

func TestPairedWithItself(t *testing.T) {
	a := texts(t, How{}, func(i int) bool { return i%3 == 0 }, 300)
	d, err := Paired(a, a)
	if err != nil || d.Mean != 0 || d.P != 1 || d.TestP != 1 || !math.IsNaN(d.Effect) {
		t.Errorf("%+v %v", d, err)
	}
	if d.Lo >= 0 || d.Lo < -0.02 || d.Hi <= 0 || d.Hi > 0.02 {
		t.Errorf("no document differs in 300: %v to %v; wanted about ±0.012", d.Lo, d.Hi)
	}
}

func TestUnlikeScoresAreRefusedWithEveryDifference(t *testing.T) {
	all := func(int) bool { return true }
	a := texts(t, How{Template: "chatml", Stops: []string{"\n"}, MaxNew: 64, Decoding: "greedy"}, all, 10)
	b := texts(t, How{Template: "alpaca", Stops: []string{"###"}, MaxNew: 64, Shots: 5, Decoding: "greedy"}, all, 10)
	_, err := Paired(a, b)
	var un *Unlike
	if !errors.As(err, &un) {
		t.Fatalf("%v; wanted *Unlike", err)
	}
	want := []string{"template: chatml, alpaca", "shots: 0, 5", `stops: ["\n"], ["###"]`}
	if !reflect.DeepEqual(un.Differences, want) {
		t.Errorf("%q; wanted %q", un.Differences, want)
	}
	c := texts(t, How{}, all, 11)
	if _, err := Paired(texts(t, How{}, all, 10), c); err == nil || !strings.Contains(err.Error(), "fingerprint") || !strings.Contains(err.Error(), "documents: 10, 11") {
		t.Errorf("%v", err)
	}
	// Every field that says how must be looked at: change each in turn.
	for i := range reflect.TypeFor[How]().NumField() {
		f := reflect.TypeFor[How]().Field(i)
		x := a
		switch v := reflect.ValueOf(&x.How).Elem().Field(i); v.Kind() {
		case reflect.String:
			v.SetString("other")
		case reflect.Int:
			v.SetInt(99)
		case reflect.Slice:
			if f.Name == "Seeds" {
				v.Set(reflect.ValueOf([]int64{9}))
			} else {
				v.Set(reflect.ValueOf([]string{"other"}))
			}
		}
		_, err := Paired(a, x)
		if free := f.Name == "Model" || f.Name == "Seeds"; (err == nil) != free {
			t.Errorf("scores that differ in %s: %v", f.Name, err)
		}
	}
}

func combined(t *testing.T, seeds []int64, right func(seed int64, i int) bool) Score {
	t.Helper()
	var scores []Score
	for _, s := range seeds {
		scores = append(scores, texts(t, How{Seeds: []int64{s}}, func(i int) bool { return right(s, i) }, 100))
	}
	c, err := Combine(scores)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPairedOverSeeds(t *testing.T) {
	// The seeds differ by 20 points, the gain is 10 in each: paired by seed it is plain, unpaired it is not.
	a := combined(t, []int64{1, 2, 3}, func(s int64, i int) bool { return i%10 < 2*int(s) })
	b := combined(t, []int64{3, 1, 2}, func(s int64, i int) bool { return i%10 < 2*int(s)+1 })
	d, err := Paired(a, b)
	if err != nil || d.Seeds != 3 || math.Abs(d.Mean-0.1) > 1e-12 || d.Lo < 0.05 || len(d.Notes) != 0 {
		t.Errorf("%v, notes %q, %v", d, d.Notes, err)
	}
	if d.Test != "permutation of signs" || d.TestP > 0.001 {
		t.Errorf("%s %v", d.Test, d.TestP)
	}
	c := combined(t, []int64{4, 5, 6}, func(s int64, i int) bool { return i%10 < 2*int(s-3)+1 })
	u, err := Paired(a, c)
	if err != nil || len(u.Notes) != 1 || u.Lo > 0 || u.Hi < 0.2 {
		t.Errorf("%v, notes %q, %v; wanted a wide interval and a note", u, u.Notes, err)
	}
}

func TestMcNemarAndSigns(t *testing.T) {
	// Binomial tails by hand: 1 of 6 discordant: 2·(1+6)/64.
	if got := mcNemar(5, 1); math.Abs(got-14.0/64) > 1e-12 {
		t.Errorf("mcNemar(5, 1) = %v; wanted %v", got, 14.0/64)
	}
	if mcNemar(0, 0) != 1 || mcNemar(3, 3) != 1 {
		t.Error("no evidence, yet p < 1")
	}
	if got := signTest([]float64{1, 1, 1, 0, 0}); got != 0.25 {
		t.Errorf("three of one sign: %v; wanted 2/8", got)
	}
	// Under no effect the p-value must be below 0.05 in about 5 % of data sets.
	low, sets := 0, 200
	for i := range sets {
		rng := tensor.NewRNG(int64(i), "test/signs")
		v := make([]float64, 30)
		for j := range v {
			v[j] = rng.Norm()
		}
		if signTest(v) < 0.05 {
			low++
		}
	}
	if low < 2 || low > 22 {
		t.Errorf("%d of %d data sets without an effect had p < 0.05", low, sets)
	}
}

func TestHolm(t *testing.T) {
	got := Holm([]float64{0.01, 0.04, math.NaN(), 0.03, 0.005})
	want := []float64{0.03, 0.06, math.NaN(), 0.06, 0.02}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12 || math.IsNaN(got[i]) != math.IsNaN(want[i]) {
			t.Errorf("%v; wanted %v", got, want)
		}
	}
}
