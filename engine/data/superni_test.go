package data

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The full form: lists for the definition and the outputs, and the instances before the definition.
const fullTask = `{
  "Contributors": ["x"], "Reasoning": [],
  "Positive Examples": [
    {"input": "1+1", "output": "2", "explanation": "because"},
    {"input": "2+2", "output": ["4", "four"], "explanation": ""}
  ],
  "Negative Examples": [{"input": "1+1", "output": "3", "explanation": "no"}],
  "Instances": [
    {"id": "task7-a", "input": "3+3", "output": ["6", "six"]},
    {"id": "task7-b", "input": "4+4", "output": "8"},
    {"id": "task7-c", "input": "5+5", "output": ["10"]}
  ],
  "Definition": ["Add the numbers.", "Give the sum."], "Instance License": "MIT"
}
`

func TestSuperNIPrompts(t *testing.T) {
	path := tempFile(t, "task007_add.json", fullTask)
	s, err := ReadSuperNI(path, SuperNIOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := `task007_add/0 "Add the numbers.\n\nGive the sum.\n\n3+3" -> ["6" "six"]
task007_add/1 "Add the numbers.\n\nGive the sum.\n\n4+4" -> ["8"]
task007_add/2 "Add the numbers.\n\nGive the sum.\n\n5+5" -> ["10"]
`
	if texts(s) != want || s.Rows[2].Task != "task007_add" || len(s.Notes) != 0 || s.Available != 0 {
		t.Errorf("got %s notes %q, available %d", texts(s), s.Notes, s.Available)
	}
	s, err = ReadSuperNI(path, SuperNIOptions{Positive: 2, MaxInstances: 1})
	if err != nil {
		t.Fatal(err)
	}
	prompt := "Add the numbers.\n\nGive the sum.\n\nExample 1\nInput: 1+1\nOutput: 2\n\nExample 2\nInput: 2+2\nOutput: 4\n\nInput: 3+3\nOutput:"
	if s.Len() != 1 || s.Rows[0].Prompt != prompt || s.Available != 3 || len(s.Notes) != 1 || s.Notes[0] != "the first 1 of 3 instances" {
		t.Errorf("%+v", s)
	}
	s, err = ReadSuperNI(path, SuperNIOptions{Positive: 1, Negative: 1, Explain: true, MaxInstances: 1})
	if err != nil {
		t.Fatal(err)
	}
	prompt = "Add the numbers.\n\nGive the sum.\n\nExample 1\nInput: 1+1\nOutput: 2\nExplanation: because\n\nWrong example 1\nInput: 1+1\nOutput: 3\nExplanation: no\n\nInput: 3+3\nOutput:"
	if s.Rows[0].Prompt != prompt {
		t.Errorf("%q", s.Rows[0].Prompt)
	}
	s, err = ReadSuperNI(path, SuperNIOptions{Positive: 2, Negative: 1, Explain: true, Official: true, MaxInstances: 1})
	if err != nil {
		t.Fatal(err)
	}
	prompt = "Definition: Add the numbers.\n\n Positive Example 1 -\nInput: 1+1.\n Output: 2.\n Explanation: because.\n\n Positive Example 2 -\nInput: 2+2.\n Output: 4.\n\n" +
		" Negative Example 1 -\nInput: 1+1.\n Output: 3.\n Explanation: no.\n\nNow complete the following example -\nInput: 3+3.\nOutput: "
	if s.Rows[0].Prompt != prompt {
		t.Errorf("%q", s.Rows[0].Prompt)
	}
	_, err = ReadSuperNI(path, SuperNIOptions{Negative: 2})
	wantError(t, "too few", err, "there are 1 negative examples; wanted 2")
	_, err = ReadSuperNI(path, SuperNIOptions{Explain: true})
	wantError(t, "nothing to explain", err, "shows no examples")
	_, err = ReadSuperNI(path, SuperNIOptions{Positive: 3})
	wantError(t, "too few", err, "data.SuperNI: "+path+": there are 2 positive examples; wanted 3")
	_, err = ReadSuperNI(path, SuperNIOptions{MaxInstances: -1})
	wantError(t, "negative", err, "MaxInstances -1; wanted 0 or more")
}

func TestSuperNINames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "task875_emotion")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "train.json")
	if err := os.WriteFile(path, []byte(`{"Definition":"D","Instances":[{"input":"i","output":"o"}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := ReadSuperNI(path, SuperNIOptions{})
	if err != nil || s.Name != "task875_emotion/train" || s.Rows[0].Task != "task875_emotion" || s.Rows[0].Source != s.Name {
		t.Errorf("%+v %v", s, err)
	}
	for path, want := range map[string][2]string{
		"a/task1_x.json.gz":            {"task1_x", "task1_x"},
		"task9_y/testset_task1_x.json": {"testset_task1_x", "task1_x"},
		"a/other.json":                 {"other", "other"},
	} {
		if name, task := superNINames(path); name != want[0] || task != want[1] {
			t.Errorf("%s: %s, %s; wanted %s", path, name, task, want)
		}
	}
}

func TestSuperNIErrors(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"bad instances":   {strings.Replace(strings.Replace(fullTask, `"8"`, `8`, 1), `"input": "5+5", `, "", 1), "2 of 3 rows cannot be used; wanted none"},
		"line":            {strings.Replace(fullTask, `"8"`, `8`, 1), `t.json:10: field "output" is a number; wanted a text or a list of texts: 8`},
		"no instances":    {`{"Definition":"D"}`, `no "Instances"; wanted a task`},
		"none":            {`{"Definition":"D","Instances":[]}`, "there are 0 rows; wanted at least 1"},
		"no definition":   {`{"Instances":[{"input":"i","output":"o"}]}`, `no "Definition"; wanted a task`},
		"definition":      {`{"Definition":[7],"Instances":[{"input":"i","output":"o"}]}`, `element 0 of field "Definition" is a number; wanted a text`},
		"blank":           {`{"Definition":[""],"Instances":[{"input":"i","output":"o"}]}`, `is empty; wanted the task's definition`},
		"example":         {strings.Replace(fullTask, `"output": "2"`, `"output": 2`, 1), `Positive Examples: number 1: field "output" is a number`},
		"examples":        {`{"Positive Examples":{},"Definition":"D","Instances":[{"input":"i","output":"o"}]}`, "Positive Examples is an object; wanted a list"},
		"other instances": {`{"Definition":"D","Instances":{"input":"i"}}`, "Instances begins with '{'; wanted a list"},
		"twice":           {`{"Definition":"D","Definition":"E"}`, `"Definition" is there twice, first on line 1; wanted it once`},
		"other part":      {"{\"URL\":\n[nope],\"Definition\":\"D\",\"Instances\":[]}", "t.json:2: URL: no JSON: invalid character 'o'"},
		"cut off":         {fullTask[:strings.Index(fullTask, `"4+4"`)], "reading ended after 1 rows; wanted the whole file"},
		"more behind":     {fullTask + "{}", "'{' after the end; wanted the file to end"},
		"list":            {"[]", "the file begins with '['; wanted an object with Definition and Instances"},
		"empty":           {"", "the file is empty; wanted a task"},
		"key":             {`{Definition:"D"}`, "wanted a key in quotes: Definition"},
	} {
		_, err := ReadSuperNI(tempFile(t, "t.json", c.content), SuperNIOptions{Positive: 1})
		wantError(t, name, err, "data.SuperNI: ", c.want)
	}
	s, err := ReadSuperNI(tempFile(t, "t.json", strings.Replace(fullTask, `"8"`, `8`, 1)), SuperNIOptions{OnError: Skip})
	if err != nil || s.Len() != 2 || s.Rows[1].Row != 2 || len(s.Notes) != 1 {
		t.Errorf("skip: %+v %v", s, err)
	}
}

// Whatever the bytes, every instance met is an example or an error.
func FuzzSuperNI(f *testing.F) {
	f.Add([]byte(fullTask))
	for _, s := range []string{`{"Definition":"D","Instances":[{"input":"i","output":"o"},7]}`, `{"Instances":[`, `{"a":1,"b"}`, "{\"\\u0044efinition\":[\"D\"],\"Positive Examples\":[{}]}", "{"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c := &superNI{rowReader: rowReader{op: "data.SuperNI", path: "fuzz", fields: Fields{Input: "input", Output: "output", OnError: Skip}}, options: SuperNIOptions{Positive: 1, MaxInstances: 2}}
		err := c.read(bufio.NewReaderSize(bytes.NewReader(content), 16))
		if len(c.rows)+c.badRows != c.seen || c.seen != min(c.instances, 2) {
			t.Fatalf("%d good, %d bad, %d met of %d", len(c.rows), c.badRows, c.seen, c.instances)
		}
		if err == nil && c.end == nil && len(c.definition) == 0 {
			t.Fatal("no definition and no error")
		}
		if err == nil {
			_, _ = c.set("fuzz")
			_, _ = c.prompt()
		}
	})
}
