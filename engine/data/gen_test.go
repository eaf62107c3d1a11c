package data

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tunebook/engine/tensor"
)

func newTestRNG(seed int64, stream string) *tensor.RNG { return tensor.NewRNG(seed, "test/"+stream) }

var update = flag.Bool("update", false, "rewrite golden files")

func mustGenerate(t *testing.T, cfg GenConfig) *Set {
	t.Helper()
	s, err := Generate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSamples keeps three rows of every sub-task in a file, for a reader.
func TestSamples(t *testing.T) {
	var b strings.Builder
	for _, s := range Skills() {
		fmt.Fprintf(&b, "# %s: %s\n", s.Name, s.About)
		set := mustGenerate(t, GenConfig{Seed: 5, Skills: []string{s.Name}, Size: 3 * len(s.Tasks)})
		for _, task := range s.Tasks {
			fmt.Fprintf(&b, "\n## %s\n", task)
			for _, r := range set.Rows {
				if r.Task == s.Name+"/"+task {
					fmt.Fprintf(&b, "> %s\n= %s\n", strings.ReplaceAll(r.Prompt, "\n", "\n  "), r.Answer)
					for _, ref := range r.Refs {
						fmt.Fprintf(&b, "| %s\n", ref)
					}
				}
			}
		}
		b.WriteString("\n")
	}
	path := filepath.Join("testdata", "samples.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != b.String() {
		t.Errorf("the samples differ from %s; see the difference with go test -run TestSamples -update and git diff", path)
	}
}

func TestGenerateIsNestedAndRepeatable(t *testing.T) {
	for _, cfg := range []GenConfig{{Seed: 0}, {Seed: 1, Split: "test"}, {Seed: 2, Breadth: 0.3, WrongShare: 0.4}, {Seed: 3, NumSkills: 5}} {
		cfg.Size = 500
		big := mustGenerate(t, cfg)
		cfg.Size = 250
		for i, r := range mustGenerate(t, cfg).Rows {
			if !same(&r, &big.Rows[i]) {
				t.Fatalf("%+v: row %d is %q of 250 and %q of 500", cfg, i, r.Prompt, big.Rows[i].Prompt)
			}
		}
	}
	a, b := mustGenerate(t, GenConfig{Seed: 0, Size: 50}), mustGenerate(t, GenConfig{Seed: 42, Size: 50})
	equal := 0
	for i := range a.Rows {
		if a.Rows[i].Prompt == b.Rows[i].Prompt {
			equal++
		}
	}
	if equal > 5 {
		t.Errorf("%d of 50 rows of seed 0 are those of seed 42", equal)
	}
}

func same(a, b *Example) bool { return fmt.Sprint(*a) == fmt.Sprint(*b) }

func TestGenerateMakesEveryPromptOnce(t *testing.T) {
	size := 6000
	set := mustGenerate(t, GenConfig{Seed: 7, Size: size})
	seen, skills := map[string]bool{}, map[string]int{}
	for i, r := range set.Rows {
		if seen[r.Prompt] {
			t.Fatalf("twice: %q", r.Prompt)
		}
		seen[r.Prompt] = true
		skills[r.Skill]++
		if r.Row != i || r.Source != set.Name || !strings.HasPrefix(r.Task, r.Skill+"/") {
			t.Fatalf("row %d is labelled %s row %d, task %s", i, r.Source, r.Row, r.Task)
		}
	}
	for _, s := range Skills() {
		if n := skills[s.Name]; n < size/len(skills) || n > size/len(skills)+1 {
			t.Errorf("%s has %d rows; wanted an equal share of %d", s.Name, n, size)
		}
	}
}

// TestSplitsShareNothing compares parts made with different seeds and breadths: neither a prompt nor an input under
// another phrasing is on both sides.
func TestSplitsShareNothing(t *testing.T) {
	test := map[string]bool{}
	for seed := range int64(3) {
		for _, r := range mustGenerate(t, GenConfig{Seed: seed, Split: "test", Size: 2000}).Rows {
			test[r.Prompt] = true
		}
	}
	for seed := range int64(3) {
		for _, breadth := range []float64{0.2, 1} {
			for _, r := range mustGenerate(t, GenConfig{Seed: seed, Breadth: breadth, Size: 2000}).Rows {
				if test[r.Prompt] {
					t.Fatalf("in both parts: %q", r.Prompt)
				}
			}
		}
	}
	facts := map[string]bool{}
	for _, r := range mustGenerate(t, GenConfig{Seed: 1, Split: "test", Skills: []string{"recall"}, Size: 600}).Rows {
		facts[factOf(&r)] = true
	}
	for _, r := range mustGenerate(t, GenConfig{Seed: 2, Skills: []string{"recall"}, Size: 3000}).Rows {
		if facts[factOf(&r)] {
			t.Fatalf("asked for in both parts: %s", factOf(&r))
		}
	}
}

func factOf(r *Example) string {
	for _, f := range theWorld().about[strings.Replace(strings.TrimPrefix(r.Task, "recall/"), "-", "/", 1)] {
		if strings.Contains(" "+strings.NewReplacer(".", " ", ",", " ", "?", " ", ":", " ", "'", " ").Replace(r.Prompt)+" ", " "+f.subject+" ") {
			return f.rel.key + " " + f.subject
		}
	}
	return "no subject in " + r.Prompt
}

func TestWrongShareIsExact(t *testing.T) {
	for _, share := range []float64{0, 0.1, 0.25, 0.5, 0.77, 1} {
		right := mustGenerate(t, GenConfig{Seed: 4, Size: 1000})
		got := mustGenerate(t, GenConfig{Seed: 4, Size: 1000, WrongShare: share})
		factual, wrong := 0, 0
		for i := range got.Rows {
			g, r := &got.Rows[i], &right.Rows[i]
			if g.Prompt != r.Prompt {
				t.Fatalf("share %g changes prompt %d", share, i)
			}
			isFactual := false
			for _, s := range Skills() {
				isFactual = isFactual || s.Name == g.Skill && s.Factual
			}
			if isFactual {
				factual++
			}
			switch {
			case g.Wrong && (!isFactual || has(r.Answers(), g.Answer) || g.Refs != nil):
				t.Fatalf("%s: %q = %q counts as wrong; right is %q", g.Task, g.Prompt, g.Answer, r.Answer)
			case g.Wrong:
				wrong++
			case !same(g, r):
				t.Fatalf("%q = %q, not marked as wrong; right is %q", g.Prompt, g.Answer, r.Answer)
			}
			if want := int(share*float64(factual) + 0.5); wrong != want {
				t.Fatalf("share %g: %d wrong of the first %d factual rows; wanted %d", share, wrong, factual, want)
			}
		}
	}
}

// TestBreadthNarrows: what a small breadth covers is a part of what a larger one does.
func TestBreadthNarrows(t *testing.T) {
	tasks := func(b float64) map[string]bool {
		out := map[string]bool{}
		for _, r := range mustGenerate(t, GenConfig{Seed: 6, Breadth: b, Size: 1500}).Rows {
			out[r.Task] = true
		}
		return out
	}
	narrow, middle, whole := tasks(0.1), tasks(0.5), tasks(1)
	total := 0
	for _, s := range Skills() {
		total += len(s.Tasks)
	}
	if len(whole) != total {
		t.Errorf("breadth 1 has %d sub-tasks; wanted all %d", len(whole), total)
	}
	if len(narrow) >= len(middle)/2 || len(middle) >= len(whole)*3/4 {
		t.Errorf("sub-tasks at breadth 0.1, 0.5, 1: %d, %d, %d", len(narrow), len(middle), len(whole))
	}
	for task := range narrow {
		if !middle[task] {
			t.Errorf("%s is covered at breadth 0.1 and not at 0.5", task)
		}
	}
	c := newCoverage(6, 0.25)
	if n := len(c.words(firstNames)); n != (len(firstNames.words)+3)/4 {
		t.Errorf("breadth 0.25 keeps %d of %d names", n, len(firstNames.words))
	}
	if n := len(c.words(weekdays)); n != 7 {
		t.Errorf("breadth 0.25 keeps %d of 7 days; a pool keeps at least %d", n, minPool)
	}
	// No draw loops for ever on narrow pools.
	for seed := range int64(40) {
		if _, err := Generate(GenConfig{Seed: seed, Breadth: 0.01, Size: 42}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGenerateErrors(t *testing.T) {
	for _, c := range []struct {
		cfg  GenConfig
		want string
	}{
		{GenConfig{}, "size is 0; wanted at least 1"},
		{GenConfig{Size: 1, Skills: []string{"chess"}}, `no skill "chess"; there are arithmetic, `},
		{GenConfig{Size: 1, Exclude: []string{"chess"}}, `no skill "chess"`},
		{GenConfig{Size: 1, Skills: []string{"lists"}, Exclude: []string{"lists"}}, "no skill is left"},
		{GenConfig{Size: 1, NumSkills: 99}, "99 skills were asked for; there are 21"},
		{GenConfig{Size: 1, Breadth: 1.5}, "breadth is 1.5"},
		{GenConfig{Size: 1, WrongShare: -1}, "wrong share is -1"},
		{GenConfig{Size: 1, Split: "dev"}, `split is "dev"`},
		{GenConfig{Size: 5000, Skills: []string{"recall"}, Split: "test"}, "5000 wanted"},
	} {
		if _, err := Generate(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; wanted %q", c.cfg, err, c.want)
		}
	}
	names := map[string]bool{}
	for _, r := range mustGenerate(t, GenConfig{Seed: 1, Size: 100, NumSkills: 3, Exclude: []string{"recall"}}).Rows {
		names[r.Skill] = true
	}
	if len(names) != 3 || names["recall"] {
		t.Errorf("skills %v; wanted three, recall not among them", names)
	}
}

// TestPhrasings: at least four ways to ask for each sub-task, all of them different, none of them in pretraining text.
func TestPhrasings(t *testing.T) {
	var b strings.Builder
	for i := range 6000 {
		b.WriteString(PretrainText(1, i))
		b.WriteByte('\n')
	}
	plain := b.String()
	for _, s := range skills {
		for _, task := range s.tasks {
			if len(task.ask) < 4 {
				t.Errorf("%s/%s has %d phrasings; wanted 4", s.name, task.name, len(task.ask))
			}
			seen := map[string]bool{}
			for _, ask := range task.ask {
				if seen[ask] {
					t.Errorf("%s/%s: twice: %q", s.name, task.name, ask)
				}
				seen[ask] = true
				if piece := longestPiece(ask); len(piece) >= 18 && strings.Contains(plain, piece) {
					t.Errorf("%s/%s: %q stands in pretraining text", s.name, task.name, piece)
				}
			}
		}
	}
}

// longestPiece is the longest run of fixed text of a phrasing.
func longestPiece(ask string) string {
	best := ""
	for _, p := range strings.FieldsFunc(strings.ReplaceAll(ask, "}", "{"), func(r rune) bool { return r == '{' || r == '\n' }) {
		if !strings.Contains(ask, "{"+p+"}") && len(p) > len(best) {
			best = p
		}
	}
	return best
}

func BenchmarkGenerate(b *testing.B) {
	for i := range b.N {
		if _, err := Generate(GenConfig{Seed: int64(i), Size: 1000}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPretrainText(b *testing.B) {
	for i := range b.N {
		PretrainText(1, i)
	}
}
