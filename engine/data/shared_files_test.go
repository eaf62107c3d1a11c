package data

import (
	"path/filepath"
	"strings"
	"testing"

	"tunebook/engine/internal/shared"
)

// The row counts are those of SOURCES.md.
func TestSharedFiles(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "data")
	gpteacher := Fields{Input: "instruction", Context: "input", Output: "response"}
	selfInstruct := Fields{Input: "instruction", Context: "instances.0.input", Output: "instances.0.output"}
	t0 := Fields{Input: "prompt", Output: "completion", Strip: "<|endoftext|>"}
	for _, c := range []struct {
		path string
		read func(string, Fields) (*Set, error)
		f    Fields
		rows int
	}{
		{"generalist/t0_train_50k/paws_labeled_final_Meaning.jsonl", ReadJSONL, t0, 200},
		{"generalist/t0_train_50k/paws_labeled_final_paraphrase_task.jsonl", ReadJSONL, t0, 91},
		{"generalist/self_instruct/seed_tasks.jsonl", ReadJSONL, selfInstruct, 175},
		{"generalist/self_instruct/user_oriented_instructions.jsonl", ReadJSONL, selfInstruct, 252},
		{"specialist/gsm8k/train.jsonl", ReadJSONL, Fields{Input: "question", Output: "answer"}, 7473},
		{"specialist/gsm8k/test.jsonl", ReadJSONL, Fields{Input: "question", Output: "answer"}, 1319},
		{"generalist/gpteacher/codegen-instruct.json", ReadJSON, gpteacher, 4535},
		{"generalist/gpteacher/roleplay-instruct.json", ReadJSON, gpteacher, 1923},
		{"specialist/svamp/SVAMP.json", ReadJSON, Fields{Input: "Body", Context: "Question", Output: "Answer", Numbers: true}, 1000},
		{"specialist/olora/NLI/CB/train.json", ReadJSON, Fields{Input: "sentence", Output: "label"}, 250},
		{"specialist/banking77/train.csv", ReadCSV, Fields{Input: "text", Output: "category"}, 10003},
		{"specialist/banking77/test.csv", ReadCSV, Fields{Input: "text", Output: "category"}, 3080},
		{"specialist/e2e/devset.csv", ReadCSV, Fields{Input: "mr", Output: "ref"}, 4672},
		{"specialist/e2e/testset_w_refs.csv", ReadCSV, Fields{Input: "mr", Output: "ref"}, 4693},
	} {
		s, err := c.read(filepath.Join(dir, c.path), c.f)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if s.Len() != c.rows {
			t.Errorf("%s: %d rows; wanted %d", c.path, s.Len(), c.rows)
		}
		for i, e := range s.Rows {
			if e.Source != s.Name || e.Row != i || e.Prompt == "" || e.Answer == "" || strings.Contains(e.Answer, "<|endoftext|>") {
				t.Fatalf("%s: row %d is %+v", c.path, i, e)
			}
		}
	}
}

func TestSharedSuperNI(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "data", "superni")
	rows := map[string]int{
		"task002_quoref_answer_generation/test.json":                               100,
		"task073_commonsenseqa_answer_generation/train.json":                       975,
		"task1510_evalution_relation_extraction/train.json":                        1000,
		"task1590_diplomacy_text_generation/train.json":                            126,
		"task1687_sentiment140_classification/test.json":                           100,
		"task181_outcome_extraction/train.json":                                    338,
		"task363_sst2_polarity_classification/train.json":                          1000,
		"task639_multi_woz_user_utterance_generation/train.json":                   142,
		"task875_emotion_classification/train.json":                                1000,
		"single/task1393_superglue_copa_text_completion.json":                      496,
		"single/task957_e2e_nlg_text_generation_generate.json":                     2161,
		"single/task664_mmmlu_answer_generation_abstract_algebra.json":             112,
		"single/testset_task648_answer_generation.json":                            285,
		"single/task729_mmmlu_answer_generation_professional_law.json":             302,
		"single/task701_mmmlu_answer_generation_high_school_computer_science.json": 111,
	}
	all, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil || len(all) < len(rows) {
		t.Fatalf("%d files in %s: %v", len(all), dir, err)
	}
	counted := 0
	for _, path := range all {
		s, err := ReadSuperNI(path, SuperNIOptions{Positive: 1})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		rel, _ := filepath.Rel(dir, path)
		if want, ok := rows[filepath.ToSlash(rel)]; ok {
			counted++
			if s.Len() != want {
				t.Errorf("%s: %d rows; wanted %d", rel, s.Len(), want)
			}
		}
		if !strings.HasPrefix(s.Rows[0].Task, "task") {
			t.Errorf("%s: task %q", rel, s.Rows[0].Task)
		}
	}
	if counted != len(rows) {
		t.Errorf("%d of %d counted files were met", counted, len(rows))
	}
	s, err := ReadSuperNI(filepath.Join(dir, "task002_quoref_answer_generation", "test.json"), SuperNIOptions{})
	if err != nil {
		t.Fatal(err)
	}
	refs := 0
	for _, e := range s.Rows {
		refs += len(e.Refs)
	}
	if s.Name != "task002_quoref_answer_generation/test" || s.Rows[0].Task != "task002_quoref_answer_generation" || refs != 30 {
		t.Errorf("set %s, task %s, %d further answers; wanted 30", s.Name, s.Rows[0].Task, refs)
	}
}
