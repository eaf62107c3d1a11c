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

// compile builds a notebook as the program that it is, runs it in dir, and returns what it prints.
func compile(t *testing.T, dir, file string) string {
	t.Helper()
	exe := filepath.Join(dir, "notebook")
	if out, err := exec.Command("go", "build", "-o", exe, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, errs, _, code := run(t, dir, exe)
	if code != 0 {
		t.Fatalf("compiled: exit code %d\n%s", code, errs)
	}
	return out
}

// same checks that every line that the compiled notebook prints is printed by the interpreted one as well, in the same order.
func same(t *testing.T, interpreted, compiled string) {
	t.Helper()
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
}

// The short notebooks, interpreted and compiled: the same lines, the same bytes of HTML, and what they are there to show.
func TestShort(t *testing.T) {
	t.Setenv("TUNEBOOK_STORE", "off")
	bin := tunebook(t)
	for name, wants := range map[string][]string{
		"masks.go":    {"[M][e][ow][.]", "3 cut from the front", "border: token 13 of the pack", "at most 4096 tokens in a forward pass"},
		"mixing.go":   {"ratio 3", "50 of 50 rows of the smaller take begin the larger one", "rows 60 to 79", "● broad   ■ own"},
		"lora.go":     {"base unchanged: true", "40 of 40 answers equal after merging"},
		"charts.go":   {"● specialist only   ■ with generalist data", "note: 1 point not finite, drawn as gaps", "note: 1 value not finite, left out", "report: "},
		"evaluate.go": {"chrF2 ", "made alike: false", "macro F1", "bits per byte", "token F1 = ", `\begin{tabular}`},
	} {
		t.Run(name, func(t *testing.T) {
			file := abs(t, name)
			a, b := t.TempDir(), t.TempDir()
			interpreted, errs, took, code := run(t, a, bin, "run", file)
			if code != 0 {
				t.Fatalf("tunebook run: exit code %d\n%s\n%s", code, interpreted, errs)
			}
			t.Logf("tunebook run took %s", took.Round(time.Second/10))
			same(t, interpreted, compile(t, b, file))
			for _, want := range wants {
				if !strings.Contains(interpreted, want) {
					t.Errorf("%q is not printed:\n%s", want, interpreted)
				}
			}
			pages, _ := filepath.Glob(filepath.Join(a, "*.html"))
			for _, page := range pages {
				x, _ := os.ReadFile(page)
				y, err := os.ReadFile(filepath.Join(b, filepath.Base(page)))
				if err != nil || !bytes.Equal(x, y) {
					t.Errorf("%s: the two reports differ (%v)", filepath.Base(page), err)
				}
			}
		})
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
	compiled := compile(t, b, file)
	same(t, interpreted, compiled)
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

// The whole study, shortened: interpreted on generated tasks, compiled in the same folder, where every point is kept, and on
// the public data, where the small model reads what it can.
func TestPaper(t *testing.T) {
	if testing.Short() {
		t.Skip("trains seventeen small models; not with -short")
	}
	bin, file, dir := tunebook(t), abs(t, "paper.go"), t.TempDir()
	small := []string{"-sizes", "12", "-tests", "8", "-seeds", "1", "-general", "12", "-epochs", "1"}
	first, progress, took, code := run(t, dir, bin, append([]string{"run", file}, small...)...)
	if code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, first, progress)
	}
	t.Logf("took %s", took.Round(time.Second))
	for _, want := range []string{"Generalist data helps (tracking, 12 examples)", "Wrong answers in it hurt factual knowledge", "8 documents", "not decided", "report:"} {
		if !strings.Contains(first, want) {
			t.Errorf("%q is not in the output:\n%s", want, first)
		}
	}
	if strings.Contains(first, "failed") {
		t.Errorf("a point failed:\n%s", first)
	}
	x, err := os.ReadFile(filepath.Join(dir, "paper.html"))
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(t.TempDir(), "paper")
	if out, err := exec.Command("go", "build", "-o", exe, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	again, errs, _, code := run(t, dir, exe, small...)
	if code != 0 {
		t.Fatalf("compiled: exit code %d\n%s", code, errs)
	}
	if again != first {
		t.Errorf("interpreted:\n%s\ncompiled, from the store:\n%s", first, again)
	}
	y, err := os.ReadFile(filepath.Join(dir, "paper.html"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Error("the two reports differ")
	}
	root := sharedDir(t)
	public, progress, took, code := run(t, t.TempDir(), bin, append([]string{"run", file, "-data", filepath.Join(root, "data"), "-maxlen", "500"}, small...)...)
	if code != 0 {
		t.Fatalf("on public data: exit code %d\n%s\n%s", code, public, progress)
	}
	t.Logf("on public data it took %s", took.Round(time.Second))
	for _, want := range []string{"Generalist data helps (Banking77 intents, 12 examples)", "Wrong answers in it hurt reasoning", "report:"} {
		if !strings.Contains(public, want) {
			t.Errorf("on public data: %q is not in the output:\n%s", want, public)
		}
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
