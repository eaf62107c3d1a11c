package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tunebook runs this binary as tunebook and returns what it printed.
func tunebook(t *testing.T, dir, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return output(t, dir, stdin, self, args...)
}

func output(t *testing.T, dir, stdin, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	var out, errs bytes.Buffer
	c.Dir, c.Stdin, c.Stdout, c.Stderr = dir, strings.NewReader(stdin), &out, &errs
	c.Env = append(os.Environ(), "TUNEBOOK_TEST_MAIN=1")
	c.WaitDelay = time.Second
	err := c.Run()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// typed returns the lines of a notebook as a person would type them at the prompt: what stands before main, then what
// stands in it, without its indentation.
func typed(t *testing.T, src string) string {
	t.Helper()
	head, body, ok := strings.Cut(src, "\nfunc main() {\n")
	if !ok {
		t.Fatal("no func main")
	}
	body, tail, ok := strings.Cut(body, "\n}\n")
	if !ok {
		t.Fatal("func main has no end")
	}
	_, head, ok = strings.Cut(head, "package main\n")
	if !ok {
		t.Fatal("no package main")
	}
	lines := strings.Split(body, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, "\t")
	}
	return head + "\n" + tail + "\n" + strings.Join(lines, "\n") + "\n"
}

// TestThreeWays runs one notebook compiled, interpreted, and typed line by line: the output is the same to the byte.
func TestThreeWays(t *testing.T) {
	file, err := filepath.Abs("testdata/notebooks/study.go")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ran, errs, code := tunebook(t, dir, "", "run", file)
	if code != 0 || !strings.Contains(ran, "rougeL") || strings.Count(ran, "both 4: ") != 2 {
		t.Fatalf("tunebook run: exit code %d\n%s%s", code, ran, errs)
	}
	t.Run("typed", func(t *testing.T) {
		out, errs, code := tunebook(t, dir, typed(t, string(src)))
		if code != 0 || out != ran {
			t.Errorf("exit code %d\n%s\nprinted\n%s\nwant\n%s", code, errs, out, ran)
		}
	})
	t.Run("go run", func(t *testing.T) {
		if testing.Short() {
			t.Skip("links a program")
		}
		out, errs, code := output(t, ".", "", "go", "run", file)
		if code != 0 || out != ran {
			t.Errorf("exit code %d\n%s\nprinted\n%s\nwant\n%s", code, errs, out, ran)
		}
	})
	t.Run("arguments", func(t *testing.T) {
		out, errs, code := tunebook(t, dir, "", "run", file, "-n", "16")
		if code != 0 || !strings.Contains(out, "specialist: 16 examples") {
			t.Errorf("exit code %d\n%s%s", code, out, errs)
		}
	})
}

// TestNotebooksAreAccepted checks the notebooks as the runtime does before it runs them: all of Go that they use is
// among what can be interpreted.
func TestNotebooksAreAccepted(t *testing.T) {
	files, err := filepath.Glob("../../notebooks/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no notebooks: ", err)
	}
	checked := 0
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(src), "\nfunc main() {\n") {
			continue // doc.go
		}
		checked++
		t.Run(filepath.Base(f), func(t *testing.T) {
			if out, errs, code := tunebook(t, ".", "", "vet", f); code != 0 || out+errs != "" {
				t.Errorf("tunebook vet: exit code %d\n%s%s", code, out, errs)
			}
		})
	}
	if checked == 0 {
		t.Error("no notebook has a func main")
	}
}
