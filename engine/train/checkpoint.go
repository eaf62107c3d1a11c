package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"tunebook/engine/backend"
	"tunebook/engine/weights"
)

// A checkpoint is one safetensors file, "step-000100.safetensors": the trained parameters, AdamW's two moments of each
// under "m/" and "v/", and in its metadata the step, the run's identity and the log. It is written whole or not at all,
// and older ones are removed only after that.

const (
	checkpointPrefix = "step-"
	checkpointSuffix = ".safetensors"
)

// checkpoint writes the state after the last update, when there is a place for it.
func (t *Trainer) checkpoint() error {
	if t.cfg.Dir == "" {
		return nil
	}
	path := filepath.Join(t.cfg.Dir, fmt.Sprintf("%s%06d%s", checkpointPrefix, t.step, checkpointSuffix))
	if _, err := os.Stat(path); err == nil {
		return nil // this step is there already: an interrupt right after it was written
	}
	var list []weights.Tensor
	add := func(name string, shape []int, b backend.Buffer) error {
		x := make([]float32, b.Len())
		if err := t.dev.Download(x, b); err != nil {
			return err
		}
		list = append(list, weights.Tensor{Name: name, Shape: shape, Data: x})
		return nil
	}
	for i, p := range t.params {
		if err := errors.Join(add(p.Name, p.Shape, p.Value), add("m/"+p.Name, p.Shape, t.moments[i].m), add("v/"+p.Name, p.Shape, t.moments[i].v)); err != nil {
			return err
		}
	}
	log, err := json.Marshal(t.Log)
	if err != nil {
		return err
	}
	meta := map[string]string{"format": "tunebook checkpoint 1", "step": strconv.Itoa(t.step), "identity": t.identity, "log": string(log)}
	err = weights.AtomicWrite(path, func(w io.Writer) error { return weights.WriteSafetensors(w, list, meta, "F32") })
	if err != nil {
		return fmt.Errorf("train: checkpoint at step %d: %w", t.step, err)
	}
	t.saved = time.Now()
	old, err := Checkpoints(t.cfg.Dir)
	if err != nil {
		return err
	}
	for _, p := range old[min(t.cfg.Keep, len(old)):] {
		if err := os.Remove(p); err != nil {
			return err
		}
	}
	return nil
}

// Checkpoints returns the paths of a folder's checkpoints, newest first. Temporary files are not among them.
func Checkpoints(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		if n := e.Name(); strings.HasPrefix(n, checkpointPrefix) && strings.HasSuffix(n, checkpointSuffix) {
			out = append(out, filepath.Join(dir, n))
		}
	}
	sort.Sort(sort.Reverse(sort.StringSlice(out)))
	return out, err
}

// resume continues from the newest checkpoint that is whole.
func (t *Trainer) resume() error {
	if err := os.MkdirAll(t.cfg.Dir, 0o755); err != nil {
		return err
	}
	id, err := t.Identity()
	if err != nil {
		return err
	}
	paths, err := Checkpoints(t.cfg.Dir)
	if err != nil {
		return err
	}
	var broken []error
	for _, path := range paths {
		err := t.load(path, id)
		if err == nil {
			return nil
		}
		var other *OtherRun
		if errors.As(err, &other) {
			return err
		}
		broken = append(broken, err)
	}
	if len(broken) > 0 {
		return fmt.Errorf("train.New: no checkpoint in %s can be read; choose another folder or remove them: %w", t.cfg.Dir, errors.Join(broken...))
	}
	return nil
}

// OtherRun is returned when a folder holds checkpoints of a run with another configuration, data or base.
type OtherRun struct{ Path string }

func (e *OtherRun) Error() string {
	return fmt.Sprintf("train.New: %s: was written by a run with other data, configuration or starting weights; choose another folder", e.Path)
}

// load reads a checkpoint. The trainer is changed only after the whole file was read.
func (t *Trainer) load(path, id string) error {
	f, err := weights.OpenSafetensors(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.Metadata["identity"] != id {
		return &OtherRun{Path: path}
	}
	step, err := strconv.Atoi(f.Metadata["step"])
	if err != nil || step < 0 || step > t.total {
		return fmt.Errorf("train: %s: step is %q; the run has %d", path, f.Metadata["step"], t.total)
	}
	var log []Report
	if err := json.Unmarshal([]byte(f.Metadata["log"]), &log); err != nil {
		return fmt.Errorf("train: %s: the log: %w", path, err)
	}
	type load struct {
		to   backend.Buffer
		data []float32
	}
	var loads []load
	for i, p := range t.params {
		for prefix, b := range map[string]backend.Buffer{"": p.Value, "m/": t.moments[i].m, "v/": t.moments[i].v} {
			x, err := f.Tensor(prefix + p.Name)
			if err != nil {
				return err
			}
			if len(x.Data) != p.Len() {
				return fmt.Errorf("train: %s: tensor %s: %d elements; the model has %d", path, prefix+p.Name, len(x.Data), p.Len())
			}
			loads = append(loads, load{b, x.Data})
		}
	}
	for _, l := range loads {
		t.dev.Upload(l.to, l.data)
	}
	t.step, t.Log = step, log
	return t.dev.Sync()
}
