package train

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tunebook/engine/weights"
)

var kills = flag.Int("kills", 6, "how often TestKilledAtRandomMoments kills a run")

// killed is the configuration of the run that is killed: a checkpoint after every update, the best score's among them.
func killed(dir string) Config {
	return Config{LR: 1e-2, Steps: 60, BatchSize: 6, Seed: 4, Dir: dir, Every: 1, Best: true, Validation: sequences(4), ValidateEvery: 2, EMA: 0.9}
}

// TestKilledAtRandomMoments trains in a process that is killed at random moments, most of them while a checkpoint is being
// written. Whatever is left can be read, no update whose checkpoint was reported is lost, and the run ends in the bits of one
// that was never stopped. More kills:
//
//	go test -run TestKilledAtRandomMoments ./engine/train -kills 50
func TestKilledAtRandomMoments(t *testing.T) {
	if dir := os.Getenv("TUNEBOOK_TRAIN_DIR"); dir != "" {
		tr, err := New(tinyModel(t, "cpu"), sequences(20), []string{"a", "b"}, killed(dir))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("from", tr.Done())
		if err := tr.Run(context.Background(), func(r Report) { fmt.Println("made", r.Step) }); err != nil {
			t.Fatal(err)
		}
		fmt.Println("ends in", fingerprint(t, tr.model))
		return
	}
	straight := tinyModel(t, "cpu")
	fit(t, straight, 20, killed(""))
	want := fingerprint(t, straight)
	dir, finished, inside := t.TempDir(), 0, 0
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for n := range *kills {
		cmd := process(dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewScanner(out)
		in.Scan()
		wait := time.Duration(r.Int64N(int64(80 * time.Millisecond)))
		time.AfterFunc(wait, func() { cmd.Process.Kill() })
		made, ended := 0, ""
		for ok := true; ok; ok = in.Scan() {
			fmt.Sscanf(in.Text(), "from %d", &made)
			fmt.Sscanf(in.Text(), "made %d", &made)
			fmt.Sscanf(in.Text(), "ends in %s", &ended)
		}
		cmd.Wait()
		if left, _ := filepath.Glob(filepath.Join(dir, ".*.tmp-*")); len(left) > 0 {
			inside++
		}
		tr, err := New(tinyModel(t, "cpu"), sequences(20), []string{"a", "b"}, killed(dir))
		if err != nil {
			t.Fatalf("kill %d, after %v: %v", n+1, wait, err)
		}
		if tr.Done() < made {
			t.Fatalf("kill %d, after %v: update %d was reported and the run goes on from %d", n+1, wait, made, tr.Done())
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".*.tmp-*")); len(left) > 0 {
			t.Errorf("kill %d: left behind: %v", n+1, left)
		}
		tr.Close()
		if ended != "" || tr.Done() == 60 {
			if ended != "" && ended != want {
				t.Fatalf("kill %d: the run ends in %s; the straight one in %s", n+1, ended, want)
			}
			dir = t.TempDir()
			finished++
		}
	}
	out, err := process(dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "ends in "+want) {
		t.Errorf("the resumed run ends elsewhere than the straight one:\n%s", out)
	}
	t.Logf("%d kills, %d of them while a file was being written; %d runs came to their end meanwhile", *kills, inside, finished)
}

func process(dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledAtRandomMoments$")
	cmd.Env = append(os.Environ(), "TUNEBOOK_TRAIN_DIR="+dir)
	return cmd
}

// limited fails after n bytes, as a full disk does.
type limited struct {
	w io.Writer
	n int
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.n {
		n, _ := l.w.Write(p[:l.n])
		l.n -= n
		return n, syscall.ENOSPC
	}
	l.n -= len(p)
	return l.w.Write(p)
}

// A checkpoint whose writing fails after any number of bytes leaves the one before as it was; the run says so and goes on,
// and later checkpoints are written again.
func TestDiskFull(t *testing.T) {
	size := 0
	defer func() { write = weights.AtomicWrite }()
	cfg := Config{LR: 1e-2, Steps: 6, BatchSize: 6, Every: 2, Keep: 1}
	straight := tinyModel(t, "cpu")
	fit(t, straight, 20, cfg)
	for _, after := range []int{-1, 0, 1, 8, 100, 1000, 10000} {
		cfg.Dir = t.TempDir()
		calls := 0
		write = func(path string, f func(io.Writer) error) error {
			calls++
			return weights.AtomicWrite(path, func(w io.Writer) error {
				if calls == 2 && after >= 0 { // the second checkpoint, of step 4
					return f(&limited{w, after})
				}
				c := &limited{w, 1 << 40}
				err := f(c)
				size = 1<<40 - c.n
				return err
			})
		}
		m := tinyModel(t, "cpu")
		tr, err := New(m, sequences(20), []string{"a", "b"}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		var notes []string
		var there [][]string
		if err := tr.Run(context.Background(), func(r Report) {
			if r.Note != "" {
				notes = append(notes, r.Note)
			}
			paths, _ := Checkpoints(cfg.Dir)
			there = append(there, paths)
		}); err != nil {
			t.Fatal(err)
		}
		if fingerprint(t, m) != fingerprint(t, straight) {
			t.Error("the trouble changed the result")
		}
		if after < 0 {
			continue
		}
		if after >= size {
			t.Fatalf("a checkpoint has %d bytes", size)
		}
		if len(notes) != 1 || !strings.Contains(notes[0], "no space left") || !strings.Contains(notes[0], "step-000002") {
			t.Errorf("after %d bytes: %q", after, notes)
		}
		if len(there[3]) != 1 || filepath.Base(there[3][0]) != "step-000002.safetensors" || filepath.Base(there[5][0]) != "step-000006.safetensors" {
			t.Errorf("after %d bytes: %v", after, there)
		}
		if left, _ := filepath.Glob(filepath.Join(cfg.Dir, ".*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	// The last checkpoint is what the run leaves: without it the run has not ended well.
	write = func(string, func(io.Writer) error) error { return syscall.ENOSPC }
	cfg.Dir = t.TempDir()
	tr, err := New(tinyModel(t, "cpu"), sequences(20), []string{"a", "b"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), nil); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "there is none before it") {
		t.Error(err)
	}
}

// A real disk that fills up, where the test may make one.
func TestSmallDisk(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{LR: 1e-2, Steps: 8, BatchSize: 6, Dir: t.TempDir(), Every: 2, Keep: 8}
	straight := tinyModel(t, "cpu")
	fit(t, straight, 20, cfg)
	st, err := os.Stat(stepFile(cfg.Dir, checkpointPrefix, 8))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", 3*(st.Size()+4096)), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no small disk can be made here: %v %s", err, out)
	}
	defer exec.Command("umount", dir).Run()
	cfg.Dir = filepath.Join(dir, "run")
	tr, err := New(tinyModel(t, "cpu"), sequences(20), []string{"a", "b"}, cfg) // four checkpoints do not fit
	if err != nil {
		t.Fatal(err)
	}
	err = tr.Run(context.Background(), nil)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("a disk for three checkpoints took four: %v", err)
	}
	cfg.Keep = 1
	again := tinyModel(t, "cpu")
	tr, err = New(again, sequences(20), []string{"a", "b"}, cfg)
	if err != nil || tr.Done() < 2 {
		t.Fatal(tr, err)
	}
	if err := tr.prune(); err != nil { // the person makes room
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if fingerprint(t, again) != fingerprint(t, straight) {
		t.Error("another end than on a large disk")
	}
}

// Any byte of a checkpoint that is changed is seen, and the one before is taken.
func TestChangedByteIsSeen(t *testing.T) {
	cfg := Config{LR: 1e-2, Steps: 4, BatchSize: 6, Dir: t.TempDir(), Every: 2, Keep: 5, Optimizer: "sgd"}
	m := tinyModel(t, "cpu")
	fit(t, m, 20, cfg)
	want := fingerprint(t, m)
	paths, err := Checkpoints(cfg.Dir)
	if err != nil || len(paths) != 2 {
		t.Fatal(paths, err)
	}
	whole, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	seen := 0
	for range 40 {
		at := r.IntN(len(whole))
		b := slices.Clone(whole)
		b[at] ^= 1 << r.IntN(8)
		if err := os.WriteFile(paths[0], b, 0o644); err != nil {
			t.Fatal(err)
		}
		tr, err := New(tinyModel(t, "cpu"), sequences(20), []string{"a", "b"}, cfg)
		var other *OtherRun
		if errors.As(err, &other) {
			t.Fatalf("byte %d: taken for another run's", at)
		}
		if err != nil {
			t.Fatalf("byte %d: %v", at, err)
		}
		if tr.Done() == 4 && fingerprint(t, tr.model) != want { // a letter of the header's names, say, changes nothing
			t.Fatalf("byte %d of %d: resumed with other parameters", at, len(whole))
		}
		seen += (4 - tr.Done()) / 2
		tr.Close()
	}
	if seen < 35 {
		t.Errorf("%d of 40 changes were seen", seen)
	}
}

// The best score's parameters are the run's end; the files of earlier bests go with the last checkpoint that names them.
func TestBestIsKept(t *testing.T) {
	scores := []float64{1, 3, 2, 5, 4, 4, 4, 4}
	n := 0
	cfg := Config{LR: 1e-2, Steps: 8, BatchSize: 6, Dir: t.TempDir(), Every: 1, Keep: 1, ValidateEvery: 1, Best: true, ScoreName: "given"}
	cfg.Score = scoreOf(func() float64 { n++; return scores[n-1] })
	m := tinyModel(t, "cpu")
	tr, err := New(m, sequences(20), []string{"a", "b"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var at []string
	if err := tr.Run(context.Background(), func(r Report) {
		at = append(at, fingerprint(t, m))
		files, _ := filepath.Glob(filepath.Join(cfg.Dir, "best-*"))
		if want := fmt.Sprintf("best-%06d.safetensors", []int{1, 2, 2, 4, 4, 4, 4, 4}[r.Step-1]); len(files) != 1 || filepath.Base(files[0]) != want {
			t.Errorf("step %d: %v; wanted %s", r.Step, files, want)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if fingerprint(t, m) != at[3] || tr.Kept() != 4 {
		t.Error("the run does not end in the best score's parameters")
	}
	// With patience it ends early.
	n = 0
	cfg.Dir, cfg.Patience, cfg.MinDelta = "", 2, 0.5
	m = tinyModel(t, "cpu")
	tr, err = New(m, sequences(20), []string{"a", "b"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if tr.Done() != 6 || fingerprint(t, m) != at[3] || !strings.Contains(tr.Stopped(), "step 4, 5, was not passed in 2 measurements") {
		t.Errorf("stopped at %d: %s", tr.Done(), tr.Stopped())
	}
	cfg.ScoreName = ""
	if _, err := New(tinyModel(t, "cpu"), sequences(20), []string{"a", "b"}, cfg); err == nil {
		t.Error("a score without a name was taken")
	}
}
