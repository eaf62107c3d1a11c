package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	core "tunebook/engine/eval"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/host"
	"tunebook/stdlib/internal/file"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/internal/keep"
	"tunebook/stdlib/stop"
)

// Inputs are what a point's results were made from besides its keys: models, data sets, settings. A value with a method
// Fingerprint() string counts by that, any other by what JSON makes of it.
type Inputs []any

// Results are a point's results by name, as in a Row.
type Results map[string]any

// Point adds the row of keys with the results that compute returns. Results are kept in the run store (see the package runs)
// under what produced them, keys and inputs: where they are there already compute is not called, so a study that is run
// again computes only what is new or has changed. What compute itself says is not part of that; put a version into inputs
// where it matters.
//
// Where compute stops, the point becomes a gap with the reason; it is computed again in the next run. An interrupted
// cell ends the study.
func (s *Study) Point(keys Row, inputs Inputs, compute func() Results) {
	const op = "study.Point"
	id := s.identity(op, keys, inputs)
	path := ""
	if dir := keep.Dir(); dir != "" {
		path = filepath.Join(dir, "study", id[:2], id+".json")
	}
	row := Row{}
	for k, v := range keys {
		row[k] = v
	}
	if found := s.recall(op, path, row); found {
		s.kept++
		s.Set(row)
		s.nameGaps()
		return
	}
	reason := s.attempt(row, compute)
	if reason != "" {
		for _, name := range s.expectedResults() {
			row[name] = Failed(reason)
		}
	}
	s.computed++
	s.Set(row)
	s.nameGaps()
	if reason == "" && path != "" {
		stop.If(op, s.remember(path, row))
	}
}

// Skipped says how many points were found in the store and how many were computed: "12 points kept, 3 computed".
func (s *Study) Skipped() string {
	return fmt.Sprintf("%s kept, %d computed", grid.Plural(s.kept, "point"), s.computed)
}

// unnamed stands for the results of points that failed before any point said what its results are called.
const unnamed = "result"

// expectedResults are the results that a failed point has a gap for: those of earlier rows.
func (s *Study) expectedResults() []string {
	if len(s.results) > 0 {
		return s.results
	}
	return []string{unnamed}
}

// nameGaps gives the gaps of points that failed first the names that results have now.
func (s *Study) nameGaps() {
	if len(s.results) < 2 || s.results[0] != unnamed {
		return
	}
	for _, row := range s.rows {
		if _, gap := row[unnamed].(Failure); row[unnamed] != nil && !gap {
			return // a result of that name
		}
	}
	s.results = s.results[1:]
	for _, row := range s.rows {
		if gap, is := row[unnamed]; is {
			delete(row, unnamed)
			for _, name := range s.results {
				row[name] = gap
			}
		}
	}
}

// attempt calls compute and puts its results into row; it returns the reason where compute stopped.
func (s *Study) attempt(row Row, compute func() Results) (reason string) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		var stopped *stop.Error
		err, is := r.(error)
		if !is || !errors.As(err, &stopped) || host.Context().Err() != nil || errors.Is(err, context.Canceled) {
			panic(r) // a mistake of the script, or an interrupt
		}
		reason = strings.SplitN(stopped.Error(), "\n", 2)[0]
	}()
	for name, v := range compute() {
		if _, key := row[name]; key {
			stop.Now("study.Point", fmt.Sprintf("%q is a key and a result", name), "give the result another name")
		}
		row[name] = v
	}
	return ""
}

// identity returns a SHA-256 over the keys and the inputs, in hexadecimal.
func (s *Study) identity(op string, keys Row, inputs Inputs) string {
	h := sha256.New()
	fmt.Fprintf(h, "study/1 %q\n", s.Name)
	names := make([]string, 0, len(keys))
	for k := range keys {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, k := range names {
		v, result, wrong := normal(keys[k])
		if result || wrong != "" {
			stop.Now(op, fmt.Sprintf("key %q is a %T; wanted an int, float64, string or bool", k, keys[k]), "")
		}
		fmt.Fprintf(h, "%q=%q\n", k, id(v))
	}
	for i, in := range inputs {
		if f, is := in.(interface{ Fingerprint() string }); is {
			fmt.Fprintf(h, "%d fingerprint %s\n", i, f.Fingerprint())
			continue
		}
		b, err := json.Marshal(in)
		if err != nil {
			stop.Now(op, fmt.Sprintf("input %d is a %T: %v; wanted a value that JSON can hold or one with a fingerprint", i, in, err), "")
		}
		fmt.Fprintf(h, "%d %T %s\n", i, in, b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// kept is one result in a file.
type kept struct {
	Score    *core.Score `json:",omitempty"`
	Measured *float64    `json:",omitempty"`
}

// remember writes the results of a row, whole or not at all.
func (s *Study) remember(path string, row Row) error {
	out := map[string]kept{}
	for name, v := range row {
		n, result, _ := normal(v)
		if !result {
			continue
		}
		switch x := n.(type) {
		case eval.Score:
			out[name] = kept{Score: &x.Score}
		case Measurement:
			f := float64(x)
			out[name] = kept{Measured: &f}
		default:
			return nil // a gap is tried again
		}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	_, err = file.Write(path, b)
	return err
}

// recall puts the results that a file holds into row, and tells whether there was one that can be read.
func (s *Study) recall(op, path string, row Row) bool {
	if path == "" {
		return false
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	stop.If(op, err)
	var in map[string]kept
	if json.Unmarshal(b, &in) != nil || len(in) == 0 {
		fmt.Fprintf(host.Stderr(), "note: %s cannot be read; the point is computed again\n", path)
		return false
	}
	for name, k := range in {
		switch {
		case k.Score != nil:
			row[name] = eval.Score{Score: *k.Score}
		case k.Measured != nil:
			row[name] = Measured(*k.Measured)
		}
	}
	return true
}
