package data

import (
	"os"
	"path/filepath"
	"testing"
)

// A reader says where a row's input begins: after the instruction that all rows share, or at the second field.
func TestReadersMarkTheInput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.jsonl")
	if err := os.WriteFile(path, []byte(`{"q":"Name the colour.","c":"The sky is blue.","a":"blue"}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]Fields{
		"The sky is blue.":                     {Input: "q", Context: "c", Output: "a"},
		"Name the colour.\n\nThe sky is blue.": {Instruction: "Answer.", Input: "q", Context: "c", Output: "a"},
		"Name the colour.":                     {Input: "q", Output: "a"}, // all of it
	} {
		s, err := ReadJSONL(path, f)
		if err != nil {
			t.Fatal(err)
		}
		if e := s.Rows[0]; e.Prompt[e.Input:] != want {
			t.Errorf("%+v: the input is %q", f, e.Prompt[e.Input:])
		}
	}
}
