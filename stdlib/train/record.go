package train

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"tunebook/engine/backend"
	store "tunebook/engine/runs"
	core "tunebook/engine/train"
	"tunebook/stdlib/host"
	"tunebook/stdlib/internal/keep"
	"tunebook/stdlib/model"
)

// checkpointEvery is the time between two checkpoints of a run whose checkpoints the store keeps until it is completed.
const checkpointEvery = 5 * time.Minute

// record is a run's place in the store; nil where nothing is kept.
type record struct {
	s    *store.Store
	spec store.Spec
	r    *store.Recorder
}

// kept is what the log file of a run holds: a Result without its model and its mix.
type kept struct {
	Log       []Report
	Trainable int
	Tokens    int
	Seconds   float64
	Sources   []string
	Held      []string
	Stopped   string
	Kept      int

	Samples     []Sample
	Sample      []string // the prompts, and how they were asked
	SampleEvery int
	SampleMax   int
}

// sampled tells whether the run was asked on the way what cfg asks.
func (k *kept) sampled(cfg Config) bool {
	return len(cfg.Sample) == 0 || slices.Equal(k.Sample, cfg.Sample) && k.SampleEvery == cfg.SampleEvery && k.SampleMax == cfg.SampleMax
}

var notes sync.Map // texts that a quiet process has said once

// note says something on Stderr; once in the process where it is quiet.
func note(quiet bool, key, format string, args ...any) {
	if _, said := notes.LoadOrStore(key, true); said && quiet {
		return
	}
	fmt.Fprintf(host.Stderr(), "note: "+format+"\n", args...)
}

// newRecord returns the run's place in the store, nil with a note where the store cannot be used.
func newRecord(base *model.Model, t *core.Trainer, devs []backend.Backend, name string, manifest any, cfg Config) *record {
	if cfg.NoStore {
		return nil
	}
	fail := func(err error) *record {
		note(true, "store", "runs are not kept: %v", err)
		return nil
	}
	s, err := keep.Store()
	if err != nil {
		return fail(err)
	}
	if s == nil {
		return nil
	}
	r := &record{s: s}
	data, config, err := t.Inputs()
	if err != nil {
		return fail(err)
	}
	code, err := codeVersion()
	if err != nil {
		return fail(err)
	}
	m, err := json.Marshal(manifest)
	if err != nil {
		return fail(err)
	}
	r.spec = store.Spec{Inputs: store.Inputs{Base: base.Fingerprint(), Data: data, Config: config, Code: code + " on " + names(devs)},
		Name: name, BaseName: base.Name(), Manifest: m, Notebook: host.Notebook(), Device: names(devs) + ": " + devs[0].Info(), Total: t.Total()}
	return r
}

// hit puts the result of the same run, made before, into the trainer's model and r; false where there is none.
func (k *record) hit(t *core.Trainer, r *Result, cfg Config) bool {
	run, err := k.s.Completed(k.spec.Identity())
	if err != nil || run == nil {
		return false
	}
	b, err := k.s.Read(run.ID, store.RoleLog)
	var old kept
	if err == nil {
		err = json.Unmarshal(b, &old)
	}
	if err == nil && !old.sampled(cfg) {
		return false // it has not said what is asked of it now
	}
	var path string
	if err == nil {
		path, err = k.s.Path(run.ID, store.RoleWeights)
	}
	if err == nil {
		err = t.Load(path)
	}
	if err != nil {
		note(false, run.ID, "run %s is in the store and cannot be used: %v; it is made again", run.ID, err)
		return false
	}
	if err := k.s.Touch(run.ID); err != nil {
		note(true, "store", "the store is not written to: %v", err)
	}
	r.Log, r.Trainable, r.Tokens, r.Seconds, r.Sources, r.Held = old.Log, old.Trainable, old.Tokens, old.Seconds, old.Sources, old.Held
	r.ID, r.Reused, r.Stopped, r.Kept, r.Samples = run.ID, true, old.Stopped, old.Kept, old.Samples
	if cfg.Quiet {
		note(true, "hit", "run %s (%s) is in the store %s, completed %s; it is reused, and so are further ones without a note", run.ID, run.Name, k.s.Dir, run.Ended.Format(time.DateTime))
	} else {
		note(false, "hit", "run %s (%s) is in the store, completed %s; it is reused", run.ID, run.Name, run.Ended.Format(time.DateTime))
	}
	return true
}

// begin writes the run into the store; a nil record does nothing.
func (k *record) begin(t *core.Trainer, ownDir bool) error {
	if k == nil {
		return nil
	}
	var err error
	if k.r, err = k.s.Begin(k.spec); err != nil {
		note(true, "store", "runs are not kept: %v", err)
		k.r = nil
		return nil
	}
	if dir := k.r.CheckpointDir(); dir != "" && !ownDir {
		return t.KeepIn(dir, checkpointEvery)
	}
	return nil
}

func (k *record) id() string {
	if k == nil || k.r == nil {
		return ""
	}
	return k.r.ID
}

// resumable tells whether a stopped run goes on from the store.
func (k *record) resumable() bool { return k != nil && k.r != nil && k.r.CheckpointDir() != "" }

func (k *record) step(rep Report, r *Result, extra map[string]float64) {
	if k == nil || k.r == nil {
		return
	}
	v := rep.Values(r.Sources, r.Held)
	for name, x := range extra {
		v[name] = x
	}
	k.r.Step(rep.Step, r.Tokens, v["seconds"], v)
}

func (k *record) sample(step, n int, prompt, output string) {
	if k != nil && k.r != nil {
		k.r.Sample(step, n, prompt, output)
	}
}

// complete keeps the results.
func (k *record) complete(t *core.Trainer, r *Result, output string, cfg Config) {
	if k == nil || k.r == nil {
		return
	}
	log, err := json.Marshal(kept{r.Log, r.Trainable, r.Tokens, r.Seconds, r.Sources, r.Held, r.Stopped, r.Kept, r.Samples, cfg.Sample, cfg.SampleEvery, cfg.SampleMax})
	if err == nil {
		err = k.r.Complete(output, map[string]func(w io.Writer) error{
			store.RoleLog:     func(w io.Writer) error { _, err := w.Write(log); return err },
			store.RoleWeights: t.Save,
		})
	}
	if err == nil {
		_, _, err = k.s.Trim(keep.Limit(), k.r.ID)
	}
	if err == nil {
		err = k.r.Err()
	}
	if err != nil {
		note(false, k.r.ID, "run %s is not kept whole in %s: %v", k.r.ID, k.s.Dir, err)
	}
}

// fail writes why the run ended; nothing when it has ended already.
func (k *record) fail(t *core.Trainer, err error) {
	if k == nil || k.r == nil {
		return
	}
	var bad *core.NonFinite
	switch {
	case errors.Is(err, core.ErrInterrupted):
		err = k.r.Interrupt(err.Error())
	case errors.As(err, &bad):
		err = k.r.Fail(bad.Step, bad.Loss, bad.GradNorm, err.Error())
	default:
		last := Report{}
		if len(t.Log) > 0 {
			last = t.Log[len(t.Log)-1]
		}
		err = k.r.Fail(t.Done(), last.Loss, last.GradNorm, err.Error())
	}
	if err != nil {
		note(false, k.r.ID, "the end of run %s could not be written to %s: %v", k.r.ID, k.s.Dir, err)
	}
}

// codeVersion names the code that trains: the commit that the binary was built from, or, where the build does not say or
// had changes, the SHA-256 of the binary itself.
var codeVersion = sync.OnceValues(func() (string, error) {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Path == "tunebook" {
		set := map[string]string{}
		for _, s := range b.Settings {
			set[s.Key] = s.Value
		}
		if set["vcs.revision"] != "" && set["vcs.modified"] == "false" {
			return set["vcs.revision"], nil
		}
	}
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "binary " + hex.EncodeToString(h.Sum(nil)), nil
})
