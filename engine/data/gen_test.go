package data

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
