package notebooks

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tunebook builds the binary once for all tests.
func tunebook(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "tunebook")
	out, err := exec.Command("go", "build", "-o", bin, "tunebook/cmd/tunebook").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// run returns what a command prints, its time, and its exit code.
func run(t *testing.T, dir string, name string, args ...string) (stdout, stderr string, took time.Duration, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	start := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return o.String(), e.String(), time.Since(start), cmd.ProcessState.ExitCode()
}

// sharedDir returns the folder of models and data beside the module; without it the test is skipped, or fails where the
// environment says CI_SHARED=required. (engine/internal/shared knows it too, but is not for this floor.)
func sharedDir(t *testing.T) string {
	t.Helper()
	dir := abs(t, "../../shared")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI_SHARED") == "required" {
			t.Fatal("no folder ../shared beside the module; CI_SHARED=required wants one")
		}
		t.Skip("no folder ../shared beside the module")
	}
	return dir
}

func abs(t *testing.T, path string) string {
	t.Helper()
	p, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every notebook is a Go program that go vet accepts.
func TestVet(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(src, []byte("//go:build ignore")) {
			continue
		}
		n++
		if out, err := exec.Command("go", "vet", f).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", f, err, out)
		}
	}
	if n < 3 {
		t.Errorf("%d notebooks were found", n)
	}
}

// The quickstart interpreted and compiled: the same tables, line for line, and the same bytes of HTML.
func TestQuickstart(t *testing.T) {
	if testing.Short() {
		t.Skip("the quickstart trains eighteen models, twice; not with -short")
	}
	bin, file := tunebook(t), abs(t, "quickstart.go")
	a, b := t.TempDir(), t.TempDir()
	interpreted, progress, took, code := run(t, a, bin, "run", file)
	if code != 0 {
		t.Fatalf("tunebook run: exit code %d\n%s\n%s", code, interpreted, progress)
	}
	t.Logf("tunebook run took %s", took.Round(time.Second))
	if !strings.Contains(progress, "left") || !strings.Contains(progress, "point") {
		t.Errorf("no rate and time left in the progress:\n%s", progress)
	}
	exe := filepath.Join(b, "quickstart")
	if out, err := exec.Command("go", "build", "-o", exe, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	compiled, errs, _, code := run(t, b, exe)
	if code != 0 {
		t.Fatalf("compiled: exit code %d\n%s", code, errs)
	}
	rest := interpreted
	for _, line := range strings.Split(strings.TrimSpace(compiled), "\n") {
		if strings.HasPrefix(line, "report:") {
			continue // the folder differs
		}
		at := strings.Index(rest, line)
		if at < 0 {
			t.Fatalf("compiled prints %q; interpreted, it is not there or elsewhere:\n%s", line, interpreted)
		}
		rest = rest[at+len(line):]
	}
	x, err := os.ReadFile(filepath.Join(a, "quickstart.html"))
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(filepath.Join(b, "quickstart.html"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Error("the two reports differ")
	}
	for _, want := range []string{"specialist + generalist", "95 %", "exact match", "Training loss"} {
		if !bytes.Contains(x, []byte(want)) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

// The real model, shortened: it trains on both mixes and scores before and after.
func TestSmolLM2(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a model of 135 million parameters; not with -short")
	}
	root := sharedDir(t)
	out, progress, took, code := run(t, t.TempDir(), tunebook(t), "run", abs(t, "smollm2.go"),
		"-model", filepath.Join(root, "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"),
		"-task", filepath.Join(root, "data/superni/task875_emotion_classification"),
		"-general", filepath.Join(root, "data/generalist/t0_train_50k"),
		"-n", "16", "-tests", "8", "-seeds", "1")
	if code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, out, progress)
	}
	t.Logf("took %s", took.Round(time.Second))
	for _, want := range []string{"exact match", "specialist + generalist", "8 documents", "report:"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in the output:\n%s", want, out)
		}
	}
}

// Without its data the notebook says what is missing and what to do, and fails.
func TestSmolLM2WithoutData(t *testing.T) {
	out, errs, _, code := run(t, t.TempDir(), tunebook(t), "run", abs(t, "smollm2.go"), "-model", "nowhere.gguf")
	if all := out + errs; code != 1 || !strings.Contains(all, "nowhere.gguf") || !strings.Contains(all, "-model, -task and -general") {
		t.Errorf("exit code %d:\n%s", code, all)
	}
}

// TestKernels: the notebook about CUDA kernels says the same interpreted and compiled, and finds each mistake by its line. It
// needs NVIDIA's compiler library.
func TestKernels(t *testing.T) {
	out, errs, _, code := run(t, ".", "go", "run", "kernels.go")
	if strings.Contains(errs, "nvrtc: no ") {
		t.Skip("no NVRTC: ", errs)
	}
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{
		"[2080 2970] of 2080 and 2970\n", "kernel.cu:6, PTX line", "hint: line 6: if (threadIdx.x < half)", "out of bounds: 4 bytes at byte 400 of",
		"race: reads byte 0 of", "kernel.cu:2: identifier \"y\" is undefined", "\n[1 0 0.26894143 0.7310586 1 1]\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	interpreted, errs, _, code := run(t, ".", tunebook(t), "run", "kernels.go")
	if code != 0 {
		t.Fatalf("tunebook run: exit code %d\n%s%s", code, interpreted, errs)
	}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if !strings.Contains(interpreted, line) {
			t.Errorf("interpreted, it does not say %q:\n%s", line, interpreted)
		}
	}
}
