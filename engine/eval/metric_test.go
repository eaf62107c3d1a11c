package eval

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/internal/shared"
)

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(z).Decode(into)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := json.NewDecoder(f).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, name string) Metric {
	t.Helper()
	m, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestStemEqualsNLTK(t *testing.T) {
	var pairs [][2]string
	readJSON(t, filepath.Join(shared.Dir(t), "golden", "porter_nltk", "stem.json.gz"), &pairs)
	if len(pairs) != 25811 {
		t.Fatalf("%d words; wanted 25,811", len(pairs))
	}
	wrong := 0
	for _, p := range pairs {
		if got := Stem(p[0]); got != p[1] {
			if wrong++; wrong < 10 {
				t.Errorf("Stem(%q) = %q; NLTK: %q", p[0], got, p[1])
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d stems differ", wrong, len(pairs))
	}
}

// The file of rouge_score's own tests, line by line: precision, recall and F of four measures.
func TestRougeEqualsRougeScoreOnItsLargeFile(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "golden", "rouge_score")
	text := func(name string) []string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(b), "\n")
	}
	var golden map[string][][12]float64
	readJSON(t, filepath.Join(dir, "golden_rouge_score_0.1.2.json.gz"), &golden)
	predictions, targets := text("prediction_large.txt"), text("target_large.txt")
	for stem, key := range []string{"large_stem0", "large_stem1"} {
		rows := golden[key]
		if len(rows) != len(predictions) || len(rows) != len(targets) || len(rows) < 1000 {
			t.Fatalf("%s: %d golden rows, %d predictions, %d targets", key, len(rows), len(predictions), len(targets))
		}
		for i, want := range rows {
			for k, v := range variants {
				got := v.of(predictions[i], targets[i], asciiWords, stem == 1)
				for c, g := range []float64{got.Precision, got.Recall, got.F} {
					if math.Abs(g-want[3*k+c]) > 1e-9 {
						t.Fatalf("%s line %d %s[%d] = %.12f; rouge_score: %.12f", key, i+1, v.name, c, g, want[3*k+c])
					}
				}
			}
		}
	}
}

func TestRougeEqualsRougeScoreWithSeveralReferences(t *testing.T) {
	var rows []struct {
		Prediction string
		References []string
		Stem0      []float64
		Stem1      []float64
	}
	readJSON(t, "testdata/rouge_score_0.1.2.json", &rows)
	for i, r := range rows {
		for k, name := range []string{"rouge1", "rouge2", "rougeL", "rougeLsum"} {
			for suffix, want := range map[string]float64{"": r.Stem0[k], "+stem": r.Stem1[k]} {
				if got := find(t, name+suffix).Of(r.Prediction, r.References); math.Abs(got-want) > 1e-9 {
					t.Errorf("row %d %s%s = %.12f; rouge_score: %.12f\n%q\n%q", i, name, suffix, got, want, r.Prediction, r.References)
				}
			}
		}
	}
	if len(rows) < 200 {
		t.Errorf("%d rows; wanted at least 200", len(rows))
	}
}

func TestRougeLIsNotRougeLsum(t *testing.T) {
	ref, swapped := "the cat sat\nthe dog ran", "the dog ran\nthe cat sat"
	for name, want := range map[string]float64{"rougeL": 0.5, "rougeLsum": 1, "rouge2": 0.8} {
		if got := find(t, name).Of(swapped, []string{ref}); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s = %v; wanted %v", name, got, want)
		}
	}
	flat := strings.NewReplacer("\n", " ")
	if got := find(t, "rougeLsum").Of(flat.Replace(swapped), []string{flat.Replace(ref)}); math.Abs(got-0.5) > 1e-9 {
		t.Errorf("rougeLsum without newlines = %v; wanted 0.5", got)
	}
}

func TestTextOfOtherScriptsScoresZeroWithANoteOrOneInUnicode(t *testing.T) {
	rows := []Row{{Cleaned: "你好 世界", Answer: "你好 世界"}, {Cleaned: "cat", Answer: "cat"}}
	s, err := ScoreTexts(RougeL(), rows, How{})
	if err != nil || s.PerDoc[0] != 0 || len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], "1 of 2 documents") {
		t.Errorf("score %v, notes %q, error %v; wanted 0 and a note", s.PerDoc, s.Notes, err)
	}
	u, err := ScoreTexts(find(t, "rougeL+unicode"), rows, How{})
	if err != nil || u.PerDoc[0] != 1 || len(u.Notes) != 0 || u.Metric != "ROUGE-L (unicode)" {
		t.Errorf("unicode: score %v of %q, notes %q, error %v", u.PerDoc, u.Metric, u.Notes, err)
	}
	if _, err := Paired(s, u); err == nil || !strings.Contains(err.Error(), "normalisation") {
		t.Errorf("the two forms were compared: %v", err)
	}
}

func TestUnicodeWords(t *testing.T) {
	for text, want := range map[string]string{
		"Grüße, Welt!":  "grüße|welt",
		"你好 世界abc":      "你|好|世|界|abc",
		"ＡＢＣ１２":         "abc12",
		"नमस्ते दुनिया": "नमस्ते|दुनिया",
		"ไทย":           "ไ|ท|ย",
		"…—!":           "",
		"e\u0301te":     "éte",
	} {
		if got := strings.Join(unicodeWords(text, false), "|"); got != want {
			t.Errorf("%q: %q; wanted %q", text, got, want)
		}
	}
}

func TestSquadWordsEqualThePythonScript(t *testing.T) {
	var rows []struct {
		Text  string
		Words []string
	}
	readJSON(t, "testdata/squad_words.json", &rows)
	for _, r := range rows {
		if got := squad(r.Text, true); !slices.Equal(got, r.Words) && len(got)+len(r.Words) > 0 {
			t.Errorf("%q: %q; Python: %q", r.Text, got, r.Words)
		}
	}
}

func TestMatchAndF1(t *testing.T) {
	for _, c := range []struct {
		metric, prediction, reference string
		want                          float64
	}{
		{"exact", "Paris", "Paris", 1},
		{"exact", "Paris ", "Paris", 0},
		{"exact", "paris", "Paris", 0},
		{"exact-normalised", "The Paris!", "paris", 1},
		{"exact-normalised", "", "paris", 0},
		{"f1", "the big cat", "a cat sat", 0.5}, // {big cat} and {cat sat}: one of two, both ways
		{"f1", "cat cat", "cat", 2.0 / 3},
		{"f1", "", "cat", 0},
		{"rougeL", "", "cat", 0},
		{"rougeL", "cat", "", 0},
	} {
		if got := find(t, c.metric).Of(c.prediction, []string{c.reference}); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s(%q, %q) = %v; wanted %v", c.metric, c.prediction, c.reference, got, c.want)
		}
	}
}

func TestFindUnderstandsWhatMetricsPrint(t *testing.T) {
	for _, name := range []string{"exact", "exact-normalised", "f1", "rouge1", "rouge2", "rougeL", "rougeLsum", "rougeL+stem", "rougeL+unicode", "rouge1+unicode+stem"} {
		m := find(t, name)
		if again := find(t, m.Name); again.Name != m.Name || again.Normalise != m.Normalise {
			t.Errorf("%s prints %q, which is read as %q", name, m.Name, again.Name)
		}
	}
	for _, name := range []string{"", "rouge", "exact+stem", "f1+unicode", "rougeL+porter", "rougeL+normalised"} {
		if m, err := Find(name); err == nil {
			t.Errorf("Find(%q) = %q; wanted an error", name, m.Name)
		}
	}
}
