package runs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "a store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func spec(base, config string) Spec {
	return Spec{Inputs: Inputs{Base: base, Data: "d1", Config: json.RawMessage(config), Code: "v1"}, Name: "mix", BaseName: "base",
		Manifest: json.RawMessage(`{"seed":3,"sources":[{"name":"own","drawn":24,"weight":1}]}`), Device: "cpu", Total: 3}
}

func content(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// record makes a completed run of three steps.
func record(t *testing.T, s *Store, sp Spec, output, weights string) *Run {
	t.Helper()
	r, err := s.Begin(sp)
	if err != nil {
		t.Fatal(err)
	}
	for step := 1; step <= 3; step++ {
		r.Step(step, 10*step, float64(step), map[string]float64{"loss": 1 / float64(step), "loss/own": 1.0 / 3, "gradient norm": 2, "seconds": float64(step), "nothing": math.NaN()})
	}
	r.Sample(3, 0, "who?", "me")
	if err := r.Complete(output, map[string]func(io.Writer) error{RoleWeights: content(weights), RoleLog: content("[]")}); err != nil {
		t.Fatal(err)
	}
	run, err := s.Find(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestRecordAndFind(t *testing.T) {
	s := newStore(t)
	sp := spec("b", `{"LR":0.1}`)
	if r, err := s.Completed(sp.Identity()); r != nil || err != nil {
		t.Fatal("a hit in an empty store: ", r, err)
	}
	r := record(t, s, sp, "out", "weights")
	if r.Status != Completed || r.Step != 3 || *r.Loss != 1.0/3 || r.Tokens != 30 || r.Output != "out" || len(r.Files) != 2 || r.System.Cores < 1 {
		t.Errorf("%+v", r)
	}
	curve, err := s.Curve(r.ID, "loss")
	if err != nil || len(curve) != 3 || curve[1] != (Point{2, 0.5}) || curve[2].Value != 1.0/3 {
		t.Errorf("%v %v", curve, err)
	}
	if names, _ := s.Metrics(r.ID); strings.Join(names, " ") != "gradient norm loss loss/own seconds" {
		t.Errorf("metrics %v", names)
	}
	if x, err := s.Samples(r.ID); err != nil || len(x) != 1 || x[0] != (Sample{3, "who?", "me"}) {
		t.Errorf("%v %v", x, err)
	}
	hit, err := s.Completed(sp.Identity())
	if err != nil || hit == nil || hit.ID != r.ID {
		t.Fatal(hit, err)
	}
	if b, err := s.Read(hit.ID, RoleWeights); err != nil || string(b) != "weights" {
		t.Errorf("%q %v", b, err)
	}
	if err := s.Touch(r.ID); err != nil {
		t.Fatal(err)
	}
	for i, change := range []func(*Spec){
		func(x *Spec) { x.Base = "b2" }, func(x *Spec) { x.Data = "d2" }, func(x *Spec) { x.Code = "v2" },
		func(x *Spec) { x.Config = json.RawMessage(`{"LR":0.2}`) },
	} {
		other := sp
		change(&other)
		if hit, err := s.Completed(other.Identity()); hit != nil || err != nil {
			t.Errorf("change %d is a hit: %v", i, err)
		}
	}
	again := record(t, s, sp, "out", "weights")
	if again.ID != r.ID+".2" || again.Identity != r.Identity {
		t.Errorf("the second run of one identity is called %s, the first %s", again.ID, r.ID)
	}
	if _, err := s.Find(r.ID[:4]); err == nil || !strings.Contains(err.Error(), "2 runs begin with") {
		t.Error(err)
	}
	if x, err := s.Find(r.ID); err != nil || x.ID != r.ID || x.Reused != 1 {
		t.Error(x, err)
	}
}

// What is not completed is no hit and does not say that it is.
func TestStates(t *testing.T) {
	s := newStore(t)
	sp := spec("b", `{}`)
	r, err := s.Begin(sp)
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := s.Find(r.ID); x.Status != Running || !x.Ended.IsZero() {
		t.Errorf("%+v", x)
	}
	r.Step(1, 5, 1, map[string]float64{"loss": 2, "gradient norm": 1})
	if err := r.Fail(2, math.NaN(), math.Inf(1), "look at own row 7"); err != nil {
		t.Fatal(err)
	}
	if err := r.Complete("out", nil); err != nil { // too late: nothing happens
		t.Fatal(err)
	}
	x, _ := s.Find(r.ID)
	if x.Status != Failed || x.Step != 2 || x.Loss != nil || x.State() != "failed at step 2 of 3: loss not a number, gradient norm not a number: look at own row 7" {
		t.Errorf("%s %+v", x.State(), x)
	}
	r, _ = s.Begin(sp)
	r.Step(1, 5, 1, map[string]float64{"loss": 2, "gradient norm": 1})
	if err := r.Interrupt("by Ctrl-C"); err != nil {
		t.Fatal(err)
	}
	if x, _ := s.Find(r.ID); x.Status != Interrupted || x.Step != 1 || *x.Loss != 2 {
		t.Errorf("%+v", x)
	}
	// Results that cannot be stored make a failed run.
	r, _ = s.Begin(sp)
	if err := r.Complete("out", map[string]func(io.Writer) error{RoleWeights: func(io.Writer) error { return errors.New("no room") }}); err == nil {
		t.Error("results that could not be stored were no error")
	}
	if x, _ := s.Find(r.ID); x.Status != Failed || !strings.Contains(x.Message, "no room") {
		t.Errorf("%+v", x)
	}
	if hit, err := s.Completed(sp.Identity()); hit != nil || err != nil {
		t.Errorf("a hit without a completed run: %+v %v", hit, err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "objects", ".tmp-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestDied kills a process in the middle of a run: the run is at once shown as dead, at a step that it had reached.
func TestDied(t *testing.T) {
	if dir := os.Getenv("TUNEBOOK_RUNS_DIED"); dir != "" {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Begin(spec("b", `{}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Step(1, 1, 1, map[string]float64{"loss": 1})
		if err := r.flush("running", ""); err != nil {
			t.Fatal(err)
		}
		fmt.Println("at step 1")
		select {}
	}
	if place() == "" {
		t.Skip("no /proc to look processes up in")
	}
	s := newStore(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestDied$")
	cmd.Env = append(os.Environ(), "TUNEBOOK_RUNS_DIED="+s.Dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(out); in.Scan() && in.Text() != "at step 1"; {
	}
	list, err := s.List()
	if err != nil || len(list) != 1 || list[0].Status != Running {
		t.Fatalf("%+v %v", list, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	list, err = s.List()
	if err != nil || list[0].Status != Died || list[0].Step != 1 || !strings.HasPrefix(list[0].State(), "died at step 1 of 3") {
		t.Fatalf("%+v %v", list[0], err)
	}
	// A process of another machine is judged by its heartbeat.
	far := `{"place":"elsewhere","pid":1,"start":"1"}`
	if !alive(far, time.Second) || alive(far, 2*silence) {
		t.Error("a heartbeat is not judged by its age")
	}
}

// TestProcesses lets several processes write runs, with files in common, into one new store at once, while others are
// removed.
func TestProcesses(t *testing.T) {
	const each = 6
	work := func(s *Store, who string) error {
		for i := range each {
			r, err := s.Begin(spec(who, fmt.Sprintf(`{"i":%d}`, i)))
			if err != nil {
				return err
			}
			for step := range 30 {
				r.Step(step, step, 0, map[string]float64{"loss": float64(step), "loss/own": 1})
				if step%10 == 9 {
					if err := r.flush("running", ""); err != nil {
						return err
					}
				}
			}
			if err := r.Complete("o"+who, map[string]func(io.Writer) error{RoleWeights: content("common to all"), RoleLog: content(who)}); err != nil {
				return err
			}
			if i%2 == 1 {
				if _, err := s.Remove(r.ID); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if dir := os.Getenv("TUNEBOOK_RUNS_SHARE"); dir != "" {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := work(s, os.Getenv("TUNEBOOK_RUNS_WHO")); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := filepath.Join(t.TempDir(), "store")
	var wg sync.WaitGroup
	const processes = 4
	for i := range processes {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestProcesses$")
			cmd.Env = append(os.Environ(), "TUNEBOOK_RUNS_SHARE="+dir, fmt.Sprintf("TUNEBOOK_RUNS_WHO=%d", i))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	wg.Wait()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	list, err := s.List()
	if err != nil || len(list) != processes*each/2 {
		t.Fatalf("%d runs, wanted %d: %v", len(list), processes*each/2, err)
	}
	for _, r := range list {
		if c, err := s.Curve(r.ID, "loss"); err != nil || len(c) != 30 || c[29].Value != 29 {
			t.Errorf("%s: %d values, %v", r.ID, len(c), err)
		}
		if b, err := s.Read(r.ID, RoleWeights); err != nil || string(b) != "common to all" {
			t.Errorf("%s: %q %v", r.ID, b, err)
		}
	}
	n := 0
	filepath.WalkDir(filepath.Join(dir, "objects"), func(_ string, d fs.DirEntry, _ error) error {
		if !d.IsDir() {
			n++
		}
		return nil
	})
	if n != processes+1 {
		t.Errorf("%d objects; wanted %d logs and one of weights", n, processes)
	}
}

func TestRemove(t *testing.T) {
	s := newStore(t)
	a := record(t, s, spec("base", `{"a":1}`), "A", "weights a")
	b := record(t, s, spec("A", `{"b":1}`), "B", "weights b")
	c := record(t, s, spec("B", `{"c":1}`), "C", "weights a") // has a's bytes
	rem, err := s.Removal([]string{a.ID}, true)
	if err != nil || len(rem.Runs) != 1 || len(rem.Dependents) != 2 {
		t.Fatalf("%+v %v", rem, err)
	}
	if want := int64(len("weights a") + len("weights b") + len("[]")); rem.Bytes != want {
		t.Errorf("%d bytes; wanted %d", rem.Bytes, want)
	}
	if rem, _ := s.Removal([]string{a.ID}, false); rem.Bytes != 0 {
		t.Errorf("%d bytes of a alone, all of which c has too", rem.Bytes)
	}
	// Another run that ends in the same model: nothing depends on a any more.
	d := record(t, s, spec("base", `{"d":1}`), "A", "weights d")
	if rem, _ := s.Removal([]string{a.ID}, true); len(rem.Dependents) != 0 {
		t.Errorf("%+v", rem.Dependents)
	}
	if _, err := s.Remove(a.ID, d.ID); err != nil {
		t.Fatal(err)
	}
	if x, err := s.Read(c.ID, RoleWeights); err != nil || string(x) != "weights a" {
		t.Errorf("%q %v", x, err)
	}
	if _, err := s.Find(a.ID); err == nil {
		t.Error("it is still there")
	}
	if m, _ := s.Metrics(a.ID); len(m) != 0 {
		t.Errorf("its metrics are still there: %v", m)
	}
	if _, err := s.Remove(a.ID); err == nil {
		t.Error("a run that is not there was removed")
	}
	running, err := s.Begin(spec("base", `{"e":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Removal([]string{running.ID}, false); err == nil || !strings.Contains(err.Error(), "is running") {
		t.Error(err)
	}
	running.Interrupt("")
	_ = b
}

func TestTrimKeepsTheNewest(t *testing.T) {
	s := newStore(t)
	var all []*Run
	for i := range 4 {
		all = append(all, record(t, s, spec("base", fmt.Sprintf(`{"i":%d}`, i)), fmt.Sprint(i), strings.Repeat(fmt.Sprint(i), 100)))
		if _, err := s.db.Exec("UPDATE runs SET started = ?, used = 0 WHERE id = ?", 1000+i, all[i].ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Touch(all[0].ID); err != nil { // used last
		t.Fatal(err)
	}
	freed, n, err := s.Trim(250, "")
	if err != nil || n != 2 || freed != 200 {
		t.Fatal(freed, n, err)
	}
	for i, r := range all {
		hit, err := s.Completed(r.Identity)
		if kept := i == 0 || i == 3; (hit != nil) != kept || err != nil {
			t.Errorf("run %d is a hit: %v; wanted %v (%v)", i, hit != nil, kept, err)
		}
		if _, err := s.Read(r.ID, RoleLog); err != nil {
			t.Errorf("run %d lost its log: %v", i, err)
		}
	}
	if _, n, _ := s.Trim(0, all[3].ID); n != 1 {
		t.Errorf("%d runs trimmed; one is kept whatever the limit", n)
	}
}

func TestDamageIsSeen(t *testing.T) {
	s := newStore(t)
	r := record(t, s, spec("base", `{}`), "A", "weights")
	path, err := s.Path(r.ID, RoleWeights)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("weightz"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(r.ID, RoleWeights); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Error(err)
	}
	if _, err := s.Path(r.ID, RoleWeights); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Error(err)
	}
	if _, err := s.Read(r.ID, "picture"); !errors.Is(err, ErrNoFile) {
		t.Error(err)
	}
	if _, err := OpenExisting(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, indexName), bytes.Repeat([]byte("no index "), 1000), 0o644)
	if _, err := Open(dir); err == nil {
		t.Error("a file that is no index was opened")
	}
	if _, err := s.db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(s.Dir); err == nil || !strings.Contains(err.Error(), "version 99") {
		t.Error(err)
	}
}

func TestSettings(t *testing.T) {
	s := newStore(t)
	a := record(t, s, spec("base", `{"LR":0.1,"LoRA":{"Rank":4},"Targets":["q","v"]}`), "A", "a")
	b := record(t, s, spec("base", `{"LR":0.2,"LoRA":{"Rank":4}}`), "B", "b")
	got := map[string]string{}
	for _, x := range Settings(a, b) {
		if x.Differ() {
			got[x.Name] = strings.Join(x.Values, " | ")
		}
	}
	if len(got) != 2 || got["LR"] != "0.1 | 0.2" || got["Targets"] != `["q","v"] | ` {
		t.Errorf("%v", got)
	}
}

// Two that train the same at once do not share a place for checkpoints; what a removed run left there goes with it.
func TestCheckpointPlaces(t *testing.T) {
	s := newStore(t)
	sp := spec("b", `{}`)
	one, err := s.Begin(sp)
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Begin(sp)
	if err != nil {
		t.Fatal(err)
	}
	if one.CheckpointDir() == "" || two.CheckpointDir() != "" {
		t.Errorf("%q and %q", one.CheckpointDir(), two.CheckpointDir())
	}
	if err := two.Complete("o", nil); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(one.CheckpointDir(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(one.CheckpointDir(), "step-1"), make([]byte, 100), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := one.Interrupt(""); err != nil {
		t.Fatal(err)
	}
	three, err := s.Begin(sp)
	if err != nil || three.CheckpointDir() != one.CheckpointDir() {
		t.Fatal(three.CheckpointDir(), err)
	}
	if err := three.Interrupt(""); err != nil {
		t.Fatal(err)
	}
	r, err := s.Find(one.ID)
	if err != nil {
		t.Fatal(err)
	}
	if dir, size := s.Checkpoints(r); dir != one.CheckpointDir() || size != 100 {
		t.Errorf("%s, %d bytes", dir, size)
	}
	if _, err := s.Remove(one.ID); err != nil {
		t.Fatal(err)
	}
	if _, size := s.Checkpoints(r); size != 100 {
		t.Error("checkpoints of a run that others share went with it")
	}
	if freed, err := s.Remove(two.ID, three.ID); err != nil || freed != 100 {
		t.Errorf("%d bytes freed, %v", freed, err)
	}
	tmp := filepath.Join(s.Dir, "objects", ".tmp-1")
	if err := os.WriteFile(tmp, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.tidy(time.Hour)
	if _, err := os.Stat(tmp); err != nil {
		t.Error("a file that may be someone's work was removed")
	}
	s.tidy(-time.Hour)
	if _, err := os.Stat(tmp); err == nil {
		t.Error("an old file is still there")
	}
}
