package eval

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/internal/shared"
)

// close9 tells whether two numbers agree to nine decimals.
func close9(a, b float64) bool { return math.Abs(a-b) <= 1e-9 }

func score(t *testing.T, name string, rows []Row) Score {
	t.Helper()
	s, err := ScoreTexts(find(t, name), rows, How{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

func TestTranslationMetricsEqualSacreBLEU(t *testing.T) {
	var corpora []struct {
		Predictions []string
		References  [][]string
		Scores      map[string][2]any
		Sentences   map[string][]float64
	}
	readJSON(t, "testdata/sacrebleu_2.6.0.json", &corpora)
	for k, c := range corpora {
		rows := make([]Row, len(c.Predictions))
		for i, p := range c.Predictions {
			rows[i] = Row{Cleaned: p, Refs: c.References[i]}
		}
		for name, want := range c.Scores {
			s := score(t, name, rows)
			if !close9(100*s.Mean, want[0].(float64)) {
				t.Errorf("corpus %d %s = %.12f; sacreBLEU: %.12f", k, name, 100*s.Mean, want[0])
			}
			if s.How.Signature != want[1] {
				t.Errorf("corpus %d %s: signature %q; sacreBLEU: %q", k, name, s.How.Signature, want[1])
			}
			if m := find(t, s.Metric); m.Name != s.Metric {
				t.Errorf("%s prints %q, which is read as %q", name, s.Metric, m.Name)
			}
			if want := c.Sentences[name]; want != nil {
				for i := range rows {
					if !close9(100*s.PerDoc[i], want[i]) {
						t.Errorf("corpus %d sentence %d %s = %.12f; sacreBLEU: %.12f\n%q\n%q", k, i, name, 100*s.PerDoc[i], want[i], rows[i].Cleaned, rows[i].Refs)
					}
				}
			}
		}
	}
	if len(corpora) < 5 {
		t.Errorf("%d corpora; wanted 5", len(corpora))
	}
}

func TestLabelMetricsEqualScikitLearn(t *testing.T) {
	var cases []struct {
		Gold, Said []string
		Scores     map[string]float64
	}
	readJSON(t, "testdata/sklearn_labels.json", &cases)
	for k, c := range cases {
		rows := make([]Row, len(c.Gold))
		for i := range rows {
			rows[i] = Row{Answer: c.Gold[i], Cleaned: c.Said[i]}
		}
		for name, want := range c.Scores {
			if got := score(t, name, rows).Mean; !close9(got, want) {
				t.Errorf("case %d %s = %.12f; scikit-learn: %.12f", k, name, got, want)
			}
		}
	}
}

func TestEntityF1EqualsSeqeval(t *testing.T) {
	var cases []map[string]any
	readJSON(t, "testdata/seqeval_1.2.2.json", &cases)
	for k, c := range cases {
		gold, said := c["gold"].([]any), c["said"].([]any)
		rows := make([]Row, len(gold))
		for i := range rows {
			rows[i] = Row{Answer: gold[i].(string), Cleaned: said[i].(string)}
		}
		scheme := "+strict+" + strings.ToLower(c["scheme"].(string))
		for name, key := range map[string]string{"entity-f1": "default", "entity-f1+macro": "macro", "entity-f1" + scheme: "strict", "entity-f1" + scheme + "+macro": "strict macro"} {
			if got := score(t, name, rows).Mean; !close9(got, c[key].(float64)) {
				t.Errorf("case %d (%s) %s = %.12f; seqeval: %.12f", k, c["scheme"], name, got, c[key])
			}
		}
	}
	_, err := ScoreTexts(find(t, "entity-f1+strict"), []Row{{Answer: "B-X O", Cleaned: "E-X O"}, {Answer: "O", Cleaned: "O O"}}, How{})
	if err == nil || !strings.Contains(err.Error(), `row 0: tag "E-X"`) || !strings.Contains(err.Error(), "row 1: 2 tags where the answer has 1") {
		t.Errorf("bad tags: %v", err)
	}
}

func TestRankingMetricsEqualScikitLearn(t *testing.T) {
	var cases []struct {
		Ranked  []string
		Gains   map[string]int
		K       int
		NDCG    float64 `json:"ndcg"`
		NDCGk   float64 `json:"ndcg@k"`
		MAP     float64 `json:"map"`
		RecallK float64 `json:"recall@k"`
	}
	readJSON(t, "testdata/sklearn_rankings.json", &cases)
	for k, c := range cases {
		r := Row{Cleaned: strings.Join(c.Ranked, "\n")}
		for item, g := range c.Gains {
			r.Refs = append(r.Refs, item+"\t"+string(rune('0'+g)))
		}
		for name, m := range map[string]Metric{"ndcg": NDCG(0), "ndcg@k": NDCG(c.K), "map": MAP(), "recall@k": RecallAt(c.K)} {
			want := map[string]float64{"ndcg": c.NDCG, "ndcg@k": c.NDCGk, "map": c.MAP, "recall@k": c.RecallK}[name]
			if got, err := m.document(r, nil); err != nil || !close9(got, want) {
				t.Errorf("case %d %s = %.12f (%v); scikit-learn: %.12f", k, name, got, err, want)
			}
		}
	}
	for want, r := range map[string]Row{`item "a" is listed twice`: {Cleaned: "a\na", Refs: []string{"a"}}, "no relevant item": {Cleaned: "a", Refs: []string{"a\t0"}}, "is no number": {Cleaned: "a", Refs: []string{"a\tx"}}} {
		if _, err := ScoreTexts(MAP(), []Row{r}, How{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; wanted %q", err, want)
		}
	}
}

func TestSuperNIWordsEqualThePythonScript(t *testing.T) {
	var rows []struct {
		Text  string
		Words []string
	}
	readJSON(t, "testdata/superni_words.json", &rows)
	for _, r := range rows {
		if got := squad(r.Text, false); !slices.Equal(got, r.Words) && len(got)+len(r.Words) > 0 {
			t.Errorf("%q: %q; Python: %q", r.Text, got, r.Words)
		}
	}
	if len(rows) < 40 {
		t.Errorf("%d rows", len(rows))
	}
}

// TestGoldensAreWhatTheToolsSay runs the script that made the goldens again, where a Python with the pinned packages is named.
func TestGoldensAreWhatTheToolsSay(t *testing.T) {
	python := os.Getenv("TUNEBOOK_METRICS_PYTHON")
	if python == "" {
		t.Skip("TUNEBOOK_METRICS_PYTHON names no Python with the packages of testdata/golden.py")
	}
	dir := t.TempDir()
	if out, err := exec.Command(python, "testdata/golden.py", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	made, err := os.ReadDir(dir)
	if err != nil || len(made) == 0 {
		t.Fatalf("%d files, %v", len(made), err)
	}
	for _, f := range made {
		got, _ := os.ReadFile(filepath.Join(dir, f.Name()))
		want, err := os.ReadFile(filepath.Join("testdata", f.Name()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the tools make today (%v)", f.Name(), err)
		}
	}
}

func eachLine(t *testing.T, path string, each func(line []byte)) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.SplitSeq(bytes.TrimSpace(b), []byte("\n")) {
		each(line)
	}
}

// The averages that Suzgun et al. 2022 print for Codex, from its published answers: the three logical deductions and the
// three tracking tasks count as one each.
func TestBBHCodexAverages(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "golden")
	var tables map[string]map[string]any
	readJSON(t, filepath.Join(dir, "expected_tables.json"), &tables)
	for kind, key := range map[string]string{"direct": "direct23", "cot": "cot23"} {
		files, _ := filepath.Glob(filepath.Join(dir, "bbh_codex", kind, "*.jsonl"))
		groups := map[string][]float64{}
		for _, f := range files {
			var rows []Row
			eachLine(t, f, func(line []byte) {
				var x struct{ Prediction, Target string }
				if err := json.Unmarshal(line, &x); err != nil {
					t.Fatal(err)
				}
				rows = append(rows, Row{Raw: x.Prediction, Answer: strings.TrimSpace(x.Target)})
			})
			clean := Trimmed()
			if kind == "cot" {
				clean = BBH()
			}
			name := strings.TrimSuffix(filepath.Base(f), ".jsonl")
			for _, several := range []string{"logical_deduction", "tracking_shuffled_objects"} {
				if strings.HasPrefix(name, several) {
					name = several
				}
			}
			hits := 0.0
			for _, r := range clean.Apply(rows) {
				hits += ExactMatch().Of(r.Cleaned, []string{r.Answer})
			}
			groups[name] = append(groups[name], hits/float64(len(rows)))
		}
		sum := 0.0
		for _, g := range groups {
			sum += mean(g)
		}
		want := tables["bbh_codex"][key].(float64)
		if got := 100 * sum / float64(len(groups)); len(groups) != 23 || math.Abs(got-want) > 0.005 {
			t.Errorf("%s: %d tasks, average %.4f; published %.2f of 23", kind, len(groups), got, want)
		}
	}
}

// The E2E challenge's systems, from their published outputs.
func TestE2EChallengeBLEU(t *testing.T) {
	root := shared.Dir(t)
	var tables map[string]map[string]any
	readJSON(t, filepath.Join(root, "golden", "expected_tables.json"), &tables)
	refs := map[string][]string{}
	for _, r := range csvRows(t, filepath.Join(root, "data", "specialist", "e2e", "testset_w_refs.csv"), ',') {
		refs[r[0]] = append(refs[r[0]], r[1])
	}
	m := find(t, "bleu+lower+smooth-none")
	files, _ := filepath.Glob(filepath.Join(root, "golden", "e2e_challenge", "*.tsv"))
	if os.Getenv("TUNEBOOK_LONG") == "" { // all 15 take half a minute
		files = slices.DeleteFunc(files, func(f string) bool {
			return !slices.Contains([]string{"tgen.tsv", "tnt1.tsv", "forge1.tsv"}, filepath.Base(f))
		})
	}
	cache := map[string][]string{} // references are cut once for all systems
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".tsv")
		var docs, bare []Tally
		for _, r := range csvRows(t, f, '\t') {
			var cut [][]string
			for _, ref := range refs[strings.Trim(r[0], "'")] {
				if cache[ref] == nil {
					cache[ref] = words13a(lower(ref))
				}
				cut = append(cut, cache[ref])
			}
			if len(cut) == 0 {
				t.Fatalf("%s: no reference for %q", name, r[0])
			}
			docs = append(docs, bleuTally(words13a(lower(r[1])), cut))
			bare = append(bare, bleuTally(words13a(lower(strings.Trim(r[1], "'"))), cut))
		}
		want := tables["e2e_bleu"][name].(float64)
		if got := 100 * m.value(total(docs, sizeOf(docs))); math.Abs(got-want) > 0.005 {
			t.Errorf("%s: BLEU %.4f of %d documents; published %.2f", name, got, len(docs), want)
		}
		// The files of one team carry apostrophes around every text; the challenge's table is of the texts within.
		if want, quoted := map[string]float64{"tnt1": 65.61, "tnt2": 65.02}[name]; quoted {
			if got := 100 * m.value(total(bare, sizeOf(bare))); math.Abs(got-want) > 0.005 {
				t.Errorf("%s without its apostrophes: BLEU %.4f; published %.2f", name, got, want)
			}
		}
	}
	if len(files) < 3 {
		t.Errorf("%d systems", len(files))
	}
}

// The flags that come with GSM8K's published solutions, and the shares that they add up to.
func TestGSM8KFlags(t *testing.T) {
	root := shared.Dir(t)
	var tables map[string]map[string]float64
	b, err := os.ReadFile(filepath.Join(root, "golden", "expected_tables.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	tables = map[string]map[string]float64{"gsm8k": {}}
	want := tables["gsm8k"]
	if err := json.Unmarshal(all["gsm8k_examples"], &want); err != nil || len(want) != 4 {
		t.Fatal(want, err)
	}
	clean := GSM8K().Clean
	right, n, differ := map[string]int{}, 0, 0
	eachLine(t, filepath.Join(root, "golden", "gsm8k", "example_model_solutions.jsonl"), func(line []byte) {
		var x map[string]json.RawMessage
		if err := json.Unmarshal(line, &x); err != nil {
			t.Fatal(err)
		}
		var truth string
		json.Unmarshal(x["ground_truth"], &truth)
		answer := clean(truth)
		n++
		for system := range want {
			var s struct {
				Correct  bool `json:"is_correct"`
				Solution string
			}
			if err := json.Unmarshal(x[system], &s); err != nil {
				t.Fatal(err)
			}
			got := answer != "" && clean(s.Solution) == answer
			if got != s.Correct {
				if differ++; differ < 5 {
					t.Errorf("%s %q against %q: %v; published %v", system, clean(s.Solution), answer, got, s.Correct)
				}
			}
			if got {
				right[system]++
			}
		}
	})
	for system, share := range want {
		if got := 100 * float64(right[system]) / float64(n); math.Abs(got-share) > 0.005 {
			t.Errorf("%s: %.4f %% of %d right; published %.2f", system, got, n, share)
		}
	}
	if differ > 0 {
		t.Errorf("%d flags differ", differ)
	}
}

func csvRows(t *testing.T, path string, comma rune) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v", path, len(rows), err)
	}
	return rows[1:]
}
