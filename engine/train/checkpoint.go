package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"tunebook/engine/weights"
)

// A checkpoint is one safetensors file, "step-000100.safetensors": the trained parameters in float32, the optimizer's state
// under names with a prefix, the average under "average/", and in its metadata the step, the run's identity, the log, and
// a SHA-256 over all of that. It is written whole or not at all, and older ones are removed only after that.
//
// The parameters of the best score are a file of their own, "best-000080.safetensors", which stays as long as a checkpoint
// whose log has that step as its best.

const (
	checkpointPrefix = "step-"
	bestPrefix       = "best-"
	checkpointSuffix = ".safetensors"
)

// write is replaced by tests that let it fail.
var write = weights.AtomicWrite

func stepFile(dir, prefix string, step int) string {
	return filepath.Join(dir, fmt.Sprintf("%s%06d%s", prefix, step, checkpointSuffix))
}

// checksum returns the SHA-256 of metadata, its own place left out, and of tensors, both in the order of their names.
func checksum(meta map[string]string, list []weights.Tensor) string {
	h := sha256.New()
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		if k != "sha256" {
			fmt.Fprintf(h, "%d %s %d %s\n", len(k), k, len(meta[k]), meta[k])
		}
	}
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b weights.Tensor) int { return strings.Compare(a.Name, b.Name) })
	buf := make([]byte, 0, 1<<14)
	for _, t := range sorted {
		fmt.Fprintf(h, "%d %s %v\n", len(t.Name), t.Name, t.Shape)
		for from := 0; from < len(t.Data); from += 1 << 12 {
			buf = buf[:0]
			for _, v := range t.Data[from:min(len(t.Data), from+1<<12)] {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
			h.Write(buf)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// put writes tensors and metadata with their checksum.
func put(path string, list []weights.Tensor, meta map[string]string) error {
	meta["sha256"] = checksum(meta, list)
	return write(path, func(w io.Writer) error { return weights.WriteSafetensors(w, list, meta, "F32") })
}

// get reads what put wrote; a file that was changed since is an error.
func get(path string) (map[string][]float32, map[string]string, error) {
	f, err := weights.OpenSafetensors(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	var list []weights.Tensor
	out := map[string][]float32{}
	for _, name := range f.Names() {
		x, err := f.Tensor(name)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, x)
		out[name] = x.Data
	}
	if sum := checksum(f.Metadata, list); sum != f.Metadata["sha256"] {
		return nil, nil, fmt.Errorf("train: %s: is damaged: its checksum is %s; wanted %s", path, sum, f.Metadata["sha256"])
	}
	return out, f.Metadata, nil
}

// checkpoint writes the state after the last update, when there is a place for it, and returns the file. Parameters that
// are not finite are not written: the run is about to end.
func (t *Trainer) checkpoint() (string, error) {
	if t.cfg.Dir == "" {
		return "", nil
	}
	path := stepFile(t.cfg.Dir, checkpointPrefix, t.step)
	if _, err := os.Stat(path); err == nil {
		return path, nil // this step is there already: an interrupt right after it was written
	}
	var list []weights.Tensor
	add := func(name string, shape []int, x []float32) {
		if shape == nil {
			shape = []int{len(x)}
		}
		list = append(list, weights.Tensor{Name: name, Shape: shape, Data: x})
	}
	for i, p := range t.params {
		b := p.Value
		if t.masters != nil {
			b = t.masters[i]
		}
		x, err := view(t.dev, b)
		if err != nil {
			return "", err
		}
		for _, v := range x {
			if v-v != 0 {
				return "", nil
			}
		}
		add(p.Name, p.Shape, x)
		if t.average != nil && t.average.x != nil {
			add("average/"+p.Name, p.Shape, t.average.x[i])
		}
	}
	if err := t.opt.save(add); err != nil {
		return "", err
	}
	log, err := json.Marshal(t.Log)
	if err != nil {
		return "", err
	}
	best := t.Kept()
	meta := map[string]string{"format": "tunebook checkpoint 2", "step": strconv.Itoa(t.step), "identity": t.identity, "log": string(log), "best": strconv.Itoa(best)}
	if err := put(path, list, meta); err != nil {
		old, _ := Checkpoints(t.cfg.Dir)
		last := "there is none before it"
		if len(old) > 0 {
			last = "the last whole one is " + old[0]
		}
		return "", fmt.Errorf("train: checkpoint at step %d: %w; %s", t.step, err, last)
	}
	t.saved = time.Now()
	return path, t.prune()
}

// prune removes the oldest checkpoints beyond those kept, and the best parameters that none of these names.
func (t *Trainer) prune() error {
	old, err := Checkpoints(t.cfg.Dir)
	if err != nil {
		return err
	}
	keep := min(t.cfg.Keep, len(old))
	for _, p := range old[keep:] {
		if err := os.Remove(p); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(escape(t.cfg.Dir), bestPrefix+"*"+checkpointSuffix))
	if err != nil || len(files) == 0 {
		return err
	}
	named := map[string]bool{}
	for _, p := range old[:keep] {
		f, err := weights.OpenSafetensors(p)
		if err != nil {
			return nil // one that cannot be read: its best may be any of them
		}
		step, _ := strconv.Atoi(f.Metadata["best"])
		named[stepFile(t.cfg.Dir, bestPrefix, step)] = true
		f.Close()
	}
	for _, p := range files {
		if !named[p] {
			if err := os.Remove(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// escape makes a folder's name a pattern that matches it alone.
func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// keepBest writes the parameters of the best score so far, when there is a place for them.
func (t *Trainer) keepBest(step int) error {
	if t.cfg.Dir == "" {
		return nil
	}
	var list []weights.Tensor
	for i, p := range t.params {
		list = append(list, weights.Tensor{Name: p.Name, Shape: p.Shape, Data: t.best[i]})
	}
	err := put(stepFile(t.cfg.Dir, bestPrefix, step), list, map[string]string{"format": "tunebook best 1", "step": strconv.Itoa(step), "identity": t.identity})
	if err != nil {
		return fmt.Errorf("train: the parameters of step %d, the best so far: %w", step, err)
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
	for _, prefix := range []string{checkpointPrefix, bestPrefix} { // what a killed process left of a file that it wrote
		left, err := filepath.Glob(filepath.Join(escape(t.cfg.Dir), "."+prefix+"*.tmp-*"))
		if err != nil {
			return err
		}
		for _, p := range left {
			if err := os.Remove(p); err != nil {
				return err
			}
		}
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

// load reads a checkpoint. The trainer is changed only after all of it was read.
func (t *Trainer) load(path, id string) error {
	tensors, meta, err := get(path)
	if err != nil {
		return err
	}
	if meta["identity"] != id {
		return &OtherRun{Path: path}
	}
	step, err := strconv.Atoi(meta["step"])
	if err != nil || step < 0 || step > t.total {
		return fmt.Errorf("train: %s: step is %q; the run has %d", path, meta["step"], t.total)
	}
	var log []Report
	if err := json.Unmarshal([]byte(meta["log"]), &log); err != nil {
		return fmt.Errorf("train: %s: the log: %w", path, err)
	}
	find := func(name string, n int) ([]float32, error) {
		x, ok := tensors[name]
		if !ok || len(x) != n {
			return nil, fmt.Errorf("train: %s: tensor %s: %d elements; wanted %d", path, name, len(x), n)
		}
		return x, nil
	}
	values, means := make([][]float32, len(t.params)), make([][]float32, len(t.params))
	averaged := t.average != nil && step > 0
	for i, p := range t.params {
		if values[i], err = find(p.Name, p.Len()); err != nil {
			return err
		}
		if averaged {
			if means[i], err = find("average/"+p.Name, p.Len()); err != nil {
				return err
			}
		}
	}
	apply, err := t.opt.load(find)
	if err != nil {
		return err
	}
	var bestValues [][]float32
	if at, _ := best(log, t.cfg.MinDelta); at > 0 && t.cfg.keepsBest() {
		file := stepFile(t.cfg.Dir, bestPrefix, at)
		x, meta, err := get(file)
		if err != nil {
			return err
		}
		if meta["identity"] != id {
			return &OtherRun{Path: file}
		}
		for _, p := range t.params {
			if len(x[p.Name]) != p.Len() {
				return fmt.Errorf("train: %s: tensor %s: %d elements; wanted %d", file, p.Name, len(x[p.Name]), p.Len())
			}
			bestValues = append(bestValues, x[p.Name])
		}
	}
	apply()
	for i, p := range t.params {
		if t.masters != nil {
			t.dev.Upload(t.masters[i], values[i])
		} else {
			t.dev.Upload(p.Value, values[i])
		}
	}
	if t.masters != nil {
		if err := t.rounded(); err != nil {
			return err
		}
	}
	if averaged {
		t.average.x = means
	}
	t.best = bestValues
	t.step, t.Log = step, log
	return t.dev.Sync()
}
