package train

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// killed is the configuration of the run that is killed: a checkpoint after every update.
func killed(dir string) Config {
	return Config{LR: 1e-2, Steps: 12, BatchSize: 6, Seed: 4, Dir: dir, Every: 1}
}

// TestKilledRunResumes trains in a process that is killed at several moments, some of them in the middle of writing a
// checkpoint. Whatever is left can be read, and the run ends in the bits of one that was never stopped.
func TestKilledRunResumes(t *testing.T) {
	if dir := os.Getenv("TUNEBOOK_TRAIN_DIR"); dir != "" {
		tr, err := New(tinyModel(t, "cpu"), sequences(20), []string{"a", "b"}, killed(dir))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("from", tr.Done())
		if err := tr.Run(context.Background(), func(r Report) { fmt.Println("made", r.Step) }); err != nil {
			t.Fatal(err)
		}
		f := fingerprint(t, tr.model)
		fmt.Println("ends in", f)
		return
	}
	straight := tinyModel(t, "cpu")
	fit(t, straight, 20, killed(""))
	want := fingerprint(t, straight)
	dir := t.TempDir()
	for _, after := range []string{"from 0", "made 2", "made 5", "made 9"} {
		cmd := process(dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for in := bufio.NewScanner(out); in.Scan() && in.Text() != after; {
		}
		cmd.Process.Kill()
		cmd.Wait()
		paths, err := Checkpoints(dir)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := New(tinyModel(t, "cpu"), sequences(20), []string{"a", "b"}, killed(dir))
		if err != nil {
			t.Fatalf("killed after %q: %v", after, err)
		}
		if len(paths) > 0 && tr.Done() == 0 {
			t.Fatalf("killed after %q: %v were left and none was taken up", after, paths)
		}
	}
	out, err := process(dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "ends in "+want) {
		t.Errorf("the resumed run ends elsewhere than the straight one:\n%s", out)
	}
}

func process(dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledRunResumes$")
	cmd.Env = append(os.Environ(), "TUNEBOOK_TRAIN_DIR="+dir)
	return cmd
}
