package bench

import (
	"context"
	"io"
	"os"
	"runtime"
	"testing"
)

// TestMain lets the tests' own program stand for a process that does a piece of work.
func TestMain(m *testing.M) {
	if os.Getenv("TUNEBOOK_BENCH_CHILD") == "" {
		os.Exit(m.Run())
	}
	work, err := io.ReadAll(os.Stdin)
	if err == nil {
		var line []byte
		if line, err = Child(context.Background(), work); err == nil {
			os.Stdout.Write(append(line, '\n'))
			os.Exit(0)
		}
	}
	os.Stderr.WriteString(err.Error())
	os.Exit(1)
}

// The memory that a process of training takes at its highest, as the system counts it, is what the trainer reckons and the weights,
// but for what the program itself and the kernels need.
func TestPlannedIsTaken(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("peaks of memory are counted in other ways elsewhere")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &Runner{Self: []string{self}, Log: t.Logf}
	t.Setenv("TUNEBOOK_BENCH_CHILD", "1")
	rows := RandomRows(16, 128, Geometries["tiny"].VocabSize, 1)
	for _, w := range []Work{{}, {LoRA: 16}} {
		w.Do, w.Model, w.Device, w.Rows, w.Steps = Steps, "tiny", "cpu", rows, 1
		got, err := r.Run(context.Background(), Side{Name: "ours", Work: &w}, rows)
		if err != nil {
			t.Fatal(err)
		}
		const own = 150 << 20 // the program, its kernels' working memory, and what the garbage collector has not come to
		if got.Planned == 0 || got.Peak < got.Planned*9/10 || got.Peak > got.Planned*11/10+own {
			t.Errorf("LoRA %d: %d bytes planned and %d taken; wanted at most %d more", w.LoRA, got.Planned, got.Peak, own)
		}
		t.Logf("LoRA %d: %d MB planned, %d MB taken", w.LoRA, got.Planned/1e6, got.Peak/1e6)
	}
}
