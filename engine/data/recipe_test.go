package data

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/tensor"
)

func blend(t *testing.T, r Recipe) *Mixed {
	t.Helper()
	m, err := r.Blend()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// drawn returns how many rows each part gave.
func drawn(m *Mixed) map[string]int {
	n := map[string]int{}
	for _, p := range m.Places {
		n[p.Part]++
	}
	return n
}

// Every way to say how much gives the number that it means.
func TestAmounts(t *testing.T) {
	a, b, c := rowsOf("a", 100), rowsOf("b", 1000), rowsOf("c", 30)
	for _, k := range []struct {
		name string
		r    Recipe
		want map[string]int
	}{
		{"count", Recipe{Parts: []Part{{Set: a, Count: 1}, {Set: b, Count: 250}}}, map[string]int{"a": 1, "b": 250}},
		{"fraction", Recipe{Parts: []Part{{Set: a, Fraction: 1}, {Set: b, Fraction: 0.25}}}, map[string]int{"a": 100, "b": 250}},
		{"passes", Recipe{Parts: []Part{{Set: a, Passes: 1}, {Set: c, Passes: 2.5}}}, map[string]int{"a": 100, "c": 75}},
		{"ratio", Recipe{Parts: []Part{{Set: a, Fraction: 0.2}, {Set: b, Ratio: 4}}}, map[string]int{"a": 20, "b": 80}},
		{"shares of a size", Recipe{Size: 101, Parts: []Part{{Set: a, Share: 0.5}, {Set: b, Share: 0.5}}}, map[string]int{"a": 51, "b": 50}},
		{"first ends", Recipe{Parts: []Part{{Set: a, Share: 0.25}, {Set: b, Share: 0.75}}}, map[string]int{"a": 100, "b": 300}},
		{"all ended", Recipe{End: AllEnded, Parts: []Part{{Set: a, Share: 0.5}, {Set: b, Share: 0.5}}}, map[string]int{"a": 1000, "b": 1000}},
		{"share beside a pass", Recipe{Parts: []Part{{Set: a, Passes: 1}, {Set: b, Share: 0.8}}}, map[string]int{"a": 100, "b": 400}},
		{"temperature 1", Recipe{Temperature: 1, Parts: []Part{{Set: a}, {Set: b}}}, map[string]int{"a": 100, "b": 1000}},
		{"temperature, equal", Recipe{Temperature: 1e9, Parts: []Part{{Set: a}, {Set: b}}}, map[string]int{"a": 100, "b": 100}},
	} {
		m := blend(t, k.r)
		if got := drawn(m); !reflect.DeepEqual(got, k.want) {
			t.Errorf("%s: %v, wanted %v", k.name, got, k.want)
		}
		for _, s := range m.Manifest.Sources {
			if s.Drawn != k.want[s.Name] || s.Realised != float64(s.Drawn) || s.Available != s.Drawn-s.Repeated+s.Unused || math.Abs(s.Planned-s.Realised) >= 0.5+1e-9 {
				t.Errorf("%s: %+v", k.name, s)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	a, b := rowsOf("a", 100), rowsOf("b", 1000)
	for want, r := range map[string]Recipe{
		"exactly one":            {Parts: []Part{{Set: a, Passes: 1}, {Set: b, Ratio: 0}}},
		"2 of Count":             {Parts: []Part{{Set: a, Passes: 1, Count: 3}}},
		"add to 0.9":             {Parts: []Part{{Set: a, Share: 0.5}, {Set: b, Share: 0.4}}},
		"Fraction is 2":          {Parts: []Part{{Set: a, Fraction: 2}}},
		"Share is 4":             {Parts: []Part{{Set: a, Passes: 1}, {Set: b, Share: 4}}},
		"at most 1 are allowed":  {Parts: []Part{{Set: a, Count: 101}}},
		"at most 3 are allowed":  {End: AllEnded, Parts: []Part{{Set: a, Share: 0.5, MaxPasses: 3}, {Set: b, Share: 0.5}}},
		"has no examples":        {Parts: []Part{{Set: a, Passes: 1}, {Set: &Set{Name: "b"}, Passes: 1}}},
		"two sources are called": {Parts: []Part{{Set: a, Passes: 1}, {Set: a, Passes: 1}}},
		"Measure is not given":   {Unit: AllTokens, Parts: []Part{{Set: a, Passes: 1}}},
		`the unit is "rows"`:     {Unit: "rows", Parts: []Part{{Set: a, Passes: 1}}},
		"wanted neither":         {Size: 10, Parts: []Part{{Set: a, Passes: 1}}},
		"enough for one example": {Size: 10, Parts: []Part{{Set: a, Share: 0.999}, {Set: b, Share: 0.001}}},
		"wanted one of them":     {Size: 10, End: FirstEnds, Parts: []Part{{Set: a, Share: 1}}},
		"Clean is set":           {Clean: true, Parts: []Part{{Set: a, Passes: 1}}},
		"a ratio to a":           {Parts: []Part{{Set: a, Share: 0.5}, {Set: b, Ratio: 2}}},
		"stage 1 is at 0.5":      {Size: 10, Policy: Curriculum{Stages: []Stage{{0.5, []float64{0.5, 0.5}}}}, Parts: []Part{{Set: a}, {Set: b}}},
	} {
		if _, err := r.Blend(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("wanted %q: %v", want, err)
		}
	}
}

// A mix that repeats rows is not split or deduplicated, whatever was done to it since.
func TestRepeatsAreNotSplit(t *testing.T) {
	a, b := rowsOf("a", 10), rowsOf("b", 30)
	m := blend(t, Recipe{Parts: []Part{{Set: a, Passes: 3}, {Set: b, Passes: 1}}})
	taken, err := m.Take(1, 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Set{&m.Set, taken, m.Named("other"), Concat("both", &m.Set, b), m.Filter(func(*Example) bool { return true })} {
		if _, _, err := s.Split(1, 5); err == nil || !strings.Contains(err.Error(), "wanted a set before mixing") {
			t.Errorf("%s: %v", s.Name, err)
		}
		if _, _, err := Dedup(DedupOptions{}, s); err == nil {
			t.Errorf("%s was deduplicated", s.Name)
		}
	}
	once := blend(t, Recipe{Parts: []Part{{Set: a, Passes: 1}, {Set: b, Passes: 1}}})
	if _, _, err := once.Split(1, 5); err != nil {
		t.Error(err)
	}
}

// Count n draws what Take(n) takes; a larger amount begins with a smaller one; a further source and another order of the
// parts change no other source's rows, nor their order among themselves.
func TestDrawsAreNestedAndApart(t *testing.T) {
	a, b, c := rowsOf("a", 100), rowsOf("b", 300), rowsOf("c", 50)
	rows := func(m *Mixed, part string) (out []Example) {
		for i, p := range m.Places {
			if p.Part == part {
				out = append(out, m.Rows[i])
			}
		}
		return out
	}
	set := func(list []Example) map[int]bool {
		s := map[int]bool{}
		for _, e := range list {
			s[e.Row] = true
		}
		return s
	}
	small := blend(t, Recipe{Seed: 7, Parts: []Part{{Set: a, Count: 20}, {Set: b, Count: 40}}})
	large := blend(t, Recipe{Seed: 7, Parts: []Part{{Set: b, Count: 40}, {Set: c, Passes: 2}, {Set: a, Count: 60}}})
	take, err := a.Take(7, 20)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(set(take.Rows), set(rows(small, "a"))) {
		t.Error("Count 20 and Take(20) differ")
	}
	for r := range set(rows(small, "a")) {
		if !set(rows(large, "a"))[r] {
			t.Errorf("row %d of the small draw is not in the large one", r)
		}
	}
	if !reflect.DeepEqual(rows(small, "b"), rows(large, "b")) {
		t.Error("another source changes the rows of b or their order")
	}
	visits := func(m *Mixed) (out []uint64) {
		for _, i := range NewSampler(3, m.Places).Epoch(2) {
			if m.Places[i].Part == "b" {
				out = append(out, m.Places[i].Key)
			}
		}
		return out
	}
	if !slices.Equal(visits(small), visits(large)) {
		t.Error("another source changes the order in which training visits b")
	}
}

// With replacement each draw is its own; caps hold; without, every pass holds every row once.
func TestReplacement(t *testing.T) {
	a := rowsOf("a", 50)
	count := func(m *Mixed) (times []int) {
		times = make([]int, 50)
		for _, e := range m.Rows {
			times[e.Row]++
		}
		return times
	}
	m := blend(t, Recipe{Seed: 1, Parts: []Part{{Set: a, Count: 50, Replace: true}}})
	acc := m.Manifest.Sources[0]
	if acc.Drawn != 50 || acc.Repeated < 8 || acc.Unused != acc.Repeated || slices.Max(count(m)) != acc.Most { // expected: 50/e = 18.4
		t.Errorf("%+v", acc)
	}
	m = blend(t, Recipe{Seed: 1, Parts: []Part{{Set: a, Count: 100, Replace: true, MaxPasses: 2}}})
	if times := count(m); slices.Max(times) != 2 || slices.Min(times) != 2 {
		t.Errorf("a full cap of 2: %v", times)
	}
	m = blend(t, Recipe{Seed: 1, Parts: []Part{{Set: a, Passes: 2.5}}})
	if times := count(m); slices.Max(times) != 3 || slices.Min(times) != 2 || m.Manifest.Sources[0].Most != 3 || m.Manifest.Sources[0].Repeated != 75 {
		t.Errorf("two passes and a half: %v", times)
	}
}

// In tokens, a mix comes within half a row of its plan, and whole passes hold every row.
func TestTokenUnits(t *testing.T) {
	a, b := rowsOf("a", 60), rowsOf("b", 60)
	measure := func(e *Example) (int, int, error) { return len(e.Answer), len(e.Answer) + len(e.Prompt), nil }
	r := Recipe{Seed: 2, Unit: SupervisedTokens, Measure: measure, Size: 1000, Parts: []Part{{Set: a, Share: 0.3}, {Set: b, Share: 0.7}}}
	m := blend(t, r)
	got := map[string]int{}
	for i, e := range m.Rows {
		got[m.Places[i].Part] += len(e.Answer)
	}
	for _, s := range m.Manifest.Sources {
		if math.Abs(s.Planned-s.Realised) > 30 || s.Realised != float64(got[s.Name]) || s.Planned != map[string]float64{"a": 300, "b": 700}[s.Name] {
			t.Errorf("%+v; counted %d", s, got[s.Name])
		}
	}
	if reflect.DeepEqual(drawn(m), map[string]int{"a": 300, "b": 700}) {
		t.Error("tokens were taken for examples")
	}
	whole := blend(t, Recipe{Unit: AllTokens, Measure: measure, Parts: []Part{{Set: a, Passes: 2}}})
	if whole.Len() != 120 || whole.Manifest.Planned != whole.Manifest.Realised {
		t.Errorf("%+v", whole.Manifest)
	}
}

// Each block holds the plan: exactly where it is a whole number, and within the stated bound for any shares.
func TestBlocksHoldThePlan(t *testing.T) {
	m := blend(t, Recipe{Seed: 4, Size: 400, Block: 20, Parts: []Part{{Set: rowsOf("a", 400), Share: 0.25}, {Set: rowsOf("b", 400), Share: 0.7}, {Set: rowsOf("c", 400), Share: 0.05}}})
	s := NewSampler(9, m.Places)
	for epoch := range 2 {
		order := s.Epoch(epoch)
		for from := 0; from < 400; from += 20 {
			n := map[string]int{}
			for _, i := range order[from : from+20] {
				n[m.Places[i].Part]++
			}
			if !reflect.DeepEqual(n, map[string]int{"a": 5, "b": 14, "c": 1}) {
				t.Fatalf("epoch %d, rows %d to %d: %v", epoch, from, from+20, n)
			}
		}
	}
	r := tensor.NewRNG(1, "shares")
	for range 20 {
		k := 2 + r.Intn(7)
		var parts []Part
		shares, sum := make([]float64, k), 0.0
		for i := range shares {
			shares[i] = 0.02 + r.Float64()
			sum += shares[i]
		}
		for i := range shares {
			shares[i] /= sum
			parts = append(parts, Part{Set: rowsOf(fmt.Sprint("s", i), 300), Share: shares[i]})
		}
		m := blend(t, Recipe{Seed: 3, Size: 300, Block: 7, Parts: parts})
		given := map[string]float64{}
		for i, p := range m.Places {
			given[p.Part]++
			if (i+1)%7 == 0 {
				for _, acc := range m.Manifest.Sources {
					share := acc.Planned / 300
					if d := math.Abs(given[acc.Name] - share*float64(i+1)); d > 0.5+share*float64(k)/2+1e-9 {
						t.Fatalf("%d sources: after %d rows %s has given %g; its share is %g", k, i+1, acc.Name, given[acc.Name], share*float64(i+1))
					}
				}
			}
		}
	}
}

// A single index, computed by itself, is that of the whole epoch; every row is visited once; seeds and epochs differ; 0 is
// a seed.
func TestSamplerIsPure(t *testing.T) {
	m := blend(t, Recipe{Seed: 4, Size: 100, Block: 8, Parts: []Part{{Set: rowsOf("a", 100), Share: 0.3}, {Set: rowsOf("b", 100), Share: 0.7}}})
	s := NewSampler(0, m.Places)
	for _, epoch := range []int{0, 1, 7} {
		order := s.Epoch(epoch)
		for _, i := range tensor.NewRNG(1, "indices").Perm(100) {
			if got := NewSampler(0, m.Places).At(epoch, i); got != order[i] {
				t.Fatalf("epoch %d: At(%d) is %d; the epoch has %d there", epoch, i, got, order[i])
			}
		}
		if sorted := slices.Sorted(slices.Values(order)); s.Len() != 100 || sorted[0] != 0 || sorted[99] != 99 || len(slices.Compact(sorted)) != 100 {
			t.Fatalf("epoch %d visits %v", epoch, order)
		}
	}
	if slices.Equal(s.Epoch(0), s.Epoch(1)) || slices.Equal(s.Epoch(0), NewSampler(42, m.Places).Epoch(0)) {
		t.Error("the order is not a function of seed and epoch")
	}
	st := &stream{seed: 3, name: "a", n: 10}
	var seq []int
	for i := range 35 {
		seq = append(seq, st.at(i))
	}
	for _, i := range tensor.NewRNG(2, "indices").Perm(35) {
		if got := (&stream{seed: 3, name: "a", n: 10}).at(i); got != seq[i] || st.at(i) != seq[i] {
			t.Fatalf("position %d of a stream: %d alone, %d in sequence", i, got, seq[i])
		}
	}
}

// A curriculum gives each source what its stages say, in every stage.
func TestCurriculum(t *testing.T) {
	a, b := rowsOf("a", 400), rowsOf("b", 400)
	staged := Curriculum{Stages: []Stage{{0, []float64{1, 0}}, {0.25, []float64{0.5, 0.5}}}}
	m := blend(t, Recipe{Seed: 1, Size: 400, Block: 20, Policy: staged, Parts: []Part{{Set: a}, {Set: b}}})
	if got := drawn(m); got["a"] != 250 || got["b"] != 150 {
		t.Fatalf("%v", got)
	}
	for from := 0; from < 400; from += 20 {
		want := 20
		if from >= 100 {
			want = 10
		}
		n := 0
		for _, p := range m.Places[from : from+20] {
			if p.Part == "a" {
				n++
			}
		}
		if n != want {
			t.Errorf("rows %d to %d: %d of a, wanted %d", from, from+20, n, want)
		}
	}
	linear := Curriculum{Stages: []Stage{{0, []float64{1, 0}}, {1, []float64{0, 1}}}, Linear: true}
	if s := linear.Sum(0.5); math.Abs(s[0]-0.375) > 1e-12 || math.Abs(s[1]-0.125) > 1e-12 {
		t.Errorf("half of a line from 1 to 0 has given %v", s)
	}
	m = blend(t, Recipe{Seed: 1, Size: 400, Block: 40, Policy: linear, Parts: []Part{{Set: a}, {Set: b}}})
	given := 0.0
	for i, p := range m.Places {
		if p.Part == "a" {
			given++
		}
		if (i+1)%40 == 0 {
			if want := 400 * linear.Sum(float64(i+1) / 400)[0]; math.Abs(given-want) > 1.5 {
				t.Errorf("after %d rows a has given %g; wanted %g", i+1, given, want)
			}
		}
	}
	for p := range 11 {
		x := float64(p) / 10
		if s := linear.Shares(x); math.Abs(s[0]-(1-x)) > 1e-12 || math.Abs(s[1]-x) > 1e-12 {
			t.Errorf("at %g: %v", x, s)
		}
	}
	if s := staged.Shares(0.25); s[0] != 0.5 {
		t.Errorf("the stage at 0.25 begins later: %v", s)
	}
}

func TestTemperature(t *testing.T) {
	got, err := Temperature([]float64{100, 400}, 2)
	if err != nil || math.Abs(got[0]-1./3) > 1e-12 {
		t.Errorf("%v %v", got, err)
	}
	for _, x := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := Temperature([]float64{1, 2}, x); err == nil {
			t.Errorf("t = %g was taken", x)
		}
	}
}

// One update is the formula; a source at its reference loses share to one above it; shares stay shares.
func TestAdaptive(t *testing.T) {
	a, err := NewAdaptive(2, []float64{2, 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Observe([]float64{3, 1}); err != nil {
		t.Fatal(err)
	}
	want := 0.999*math.E/(math.E+1) + 0.0005
	if got := a.Now(); math.Abs(got[0]-want) > 1e-12 || math.Abs(got[0]+got[1]-1) > 1e-12 {
		t.Errorf("%v; wanted %g", got, want)
	}
	for range 50 {
		if err := a.Observe([]float64{1e6, 1}); err != nil {
			t.Fatal(err)
		}
	}
	if got := a.Now(); math.Abs(got[1]-0.0005) > 1e-12 || math.Abs(a.Mean()[0]+a.Mean()[1]-1) > 1e-9 {
		t.Errorf("%v, mean %v", got, a.Mean())
	}
	if a.Observe([]float64{math.NaN(), 1}) == nil || a.Observe([]float64{1}) == nil {
		t.Error("a loss of NaN, or one loss for two sources, was taken")
	}
	m := blend(t, Recipe{Size: 2000, Policy: a, Parts: []Part{{Set: rowsOf("a", 2000)}, {Set: rowsOf("b", 2000)}}})
	if got := drawn(m); got["b"] != 1 {
		t.Errorf("%v", got)
	}
}

func TestSlices(t *testing.T) {
	s := rowsOf("s", 10)
	for i := range s.Rows {
		s.Rows[i].Skill = []string{"odd", ""}[i%2]
	}
	by := s.By(func(e *Example) string { return e.Skill })
	if len(by) != 2 || by[0].Name != "s/-" || by[1].Name != "s/odd" || by[1].Len() != 5 || by[1].Rows[0].Source != "s" {
		t.Fatalf("%+v", by)
	}
	m := blend(t, Recipe{Parts: []Part{{Set: by[0], Count: 1}, {Set: by[1], Ratio: 3}}})
	if got := drawn(m); got["s/odd"] != 3 || got["s/-"] != 1 {
		t.Errorf("%v", got)
	}
}

// Whatever a recipe says: every row is accounted for, nothing is there more often than allowed, the same recipe gives the
// same mix, and the order of the parts behind the first changes nothing.
func TestAnyRecipeAddsUp(t *testing.T) {
	r := tensor.NewRNG(8, "recipes")
	for trial := range 200 {
		k := 1 + r.Intn(5)
		rec := Recipe{Seed: int64(trial), Block: r.Intn(3) * 9}
		shares := r.Intn(3) == 0
		left := 1.0
		for i := range k {
			p := Part{Set: rowsOf(fmt.Sprint("s", i), 5+r.Intn(60)), MaxPasses: 60, Replace: r.Intn(4) == 0, Weight: float64(r.Intn(3))}
			switch mode := r.Intn(4); {
			case shares && i+1 < k:
				p.Share = left * (0.1 + 0.8*r.Float64())
				left -= p.Share
			case shares:
				p.Share = left
			case mode == 0:
				p.Count = 1 + r.Intn(100)
			case mode == 1:
				p.Fraction = 0.2 + 0.8*r.Float64()
			case mode == 2 || i == 0:
				p.Passes = 0.3 + 3*r.Float64()
			default:
				p.Ratio = 0.5 + r.Float64()
			}
			rec.Parts = append(rec.Parts, p)
		}
		if shares {
			rec.Size = 100 + r.Intn(200)
		}
		m, err := rec.Blend()
		if err != nil {
			if strings.Contains(err.Error(), "enough for one example") {
				continue
			}
			t.Fatalf("trial %d: %v", trial, err)
		}
		got, all := drawn(m), 0
		type id struct {
			part string
			row  int
		}
		times := map[id]int{}
		for i, p := range m.Places {
			if again := times[id{p.Part, m.Rows[i].Row}]; again > 60 {
				t.Fatalf("trial %d: %s row %d is there %d times", trial, p.Part, m.Rows[i].Row, again+1)
			}
			times[id{p.Part, m.Rows[i].Row}]++
		}
		for i, s := range m.Manifest.Sources {
			distinct, repeated, most := 0, 0, 0
			for key, n := range times {
				if key.part == s.Name {
					distinct, repeated, most = distinct+1, repeated+n-1, max(most, n)
				}
			}
			if s.Drawn != got[s.Name] || s.Available != distinct+s.Unused || s.Repeated != repeated || s.Most != most ||
				math.Abs(s.Planned-float64(s.Drawn)) > 0.5+1e-9 || s.Available != rec.Parts[i].Set.Len() {
				t.Fatalf("trial %d: %+v; %d distinct, %d repeated, at most %d", trial, s, distinct, repeated, most)
			}
			all += s.Drawn
		}
		if all != m.Len() || shares && all != rec.Size || m.Repeats != m.Len()-len(times) {
			t.Fatalf("trial %d: %d drawn, %d rows, size %d", trial, all, m.Len(), rec.Size)
		}
		slices.Reverse(rec.Parts[1:])
		again := blend(t, rec)
		if !reflect.DeepEqual(again.Rows, m.Rows) || !reflect.DeepEqual(again.Places, m.Places) {
			t.Fatalf("trial %d: the order of the parts changes the mix", trial)
		}
	}
}
