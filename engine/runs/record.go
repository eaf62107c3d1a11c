package runs

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"
)

// Spec is what is known of a run before its first step.
type Spec struct {
	Inputs
	Name     string
	BaseName string
	Manifest json.RawMessage // of the mix; nil for none
	Notebook string          // path of the source that asks for the run; empty when there is none
	Device   string          // name and kind of the device
	Total    int             // updates
}

// Recorder writes what a run does. It keeps values for at most a second before it writes them, so a killed process loses
// that much. Its methods may be called from any goroutine; after Complete, Fail or Interrupt it does nothing more.
type Recorder struct {
	ID string

	store *Store
	dir   string // of checkpoints
	mu    sync.Mutex
	rows  []value
	text  []sampled
	last  last
	err   error // the first failure to write
	stop  chan struct{}
	done  chan struct{}
	ended bool
}

type value struct {
	name  string
	step  int
	value float64
}

type sampled struct {
	Sample
	n int
}

type last struct {
	step, tokens int
	loss, norm   float64
	seconds      float64
}

// beat is the time between two heartbeats.
const beat = time.Second

// Begin writes a new run, whose status is Running from then on, and starts its heartbeat.
func (s *Store) Begin(spec Spec) (*Recorder, error) {
	identity := spec.Identity()
	manifest, config := spec.Manifest, spec.Config
	if len(manifest) == 0 {
		manifest = json.RawMessage("null")
	}
	if len(config) == 0 {
		config = json.RawMessage("null")
	}
	git, err := json.Marshal(GitOf(spec.Notebook))
	if err != nil {
		return nil, err
	}
	sys := SystemNow()
	sys.Device = spec.Device
	system, err := json.Marshal(sys)
	if err != nil {
		return nil, err
	}
	r := &Recorder{store: s, stop: make(chan struct{}), done: make(chan struct{})}
	err = s.write(func(tx *sql.Tx) error {
		for n := 1; ; n++ {
			r.ID = identity[:10]
			if n > 1 {
				r.ID += fmt.Sprintf(".%d", n)
			}
			var have int
			if err := tx.QueryRow("SELECT count(*) FROM runs WHERE id = ?", r.ID).Scan(&have); err != nil {
				return err
			}
			if have == 0 {
				break
			}
		}
		others, err := tx.Query("SELECT process, beat FROM runs WHERE identity = ? AND status = 'running'", identity)
		if err != nil {
			return err
		}
		r.dir = s.checkpoints(identity)
		for others.Next() {
			var proc string
			var at int64
			if err := others.Scan(&proc, &at); err != nil {
				others.Close()
				return err
			}
			if alive(proc, time.Since(fromMillis(at))) {
				r.dir = "" // two that write there would take each other's checkpoints away
			}
		}
		if err := others.Err(); err != nil {
			return err
		}
		now := millis(time.Now())
		_, err = tx.Exec(`INSERT INTO runs (id, identity, name, base, base_name, data, code, config, manifest, notebook, git, system, status, started, beat, process, total)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)`,
			r.ID, identity, spec.Name, spec.Base, spec.BaseName, spec.Data, spec.Code, string(config), string(manifest), spec.Notebook,
			string(git), string(system), now, now, thisProcess(), spec.Total)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("runs.Begin: %w", err)
	}
	if spec.Notebook != "" {
		if src, err := os.ReadFile(spec.Notebook); err == nil {
			if err := s.attach(r.ID, RoleNotebook, func(w io.Writer) error { _, err := w.Write(src); return err }); err != nil {
				r.err = err
			}
		}
	}
	go r.keep()
	return r, nil
}

// CheckpointDir returns the folder of the store in which a stopped run of this identity is taken up again; empty where
// another process is training the same at this moment. Complete removes it.
func (r *Recorder) CheckpointDir() string { return r.dir }

// keep writes what has gathered, and the heartbeat, until the run ends.
func (r *Recorder) keep() {
	defer close(r.done)
	t := time.NewTicker(beat)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			r.flush("running", "")
		case <-r.stop:
			return
		}
	}
}

// Step notes an update's values. Those that are not finite are left out: the index has no place for them, and a run that
// has one ends with Fail, which keeps it.
func (r *Recorder) Step(step, tokens int, seconds float64, values map[string]float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			r.rows = append(r.rows, value{name, step, v})
		}
	}
	r.last.step, r.last.tokens, r.last.seconds = step, tokens, seconds
	r.last.loss, r.last.norm = values["loss"], values["gradient norm"]
}

// Sample notes output of the model as it is after step.
func (r *Recorder) Sample(step, n int, prompt, output string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text, sampled{Sample{step, prompt, output}, n})
}

// flush writes what has gathered, and how the run stands.
func (r *Recorder) flush(status, message string) error {
	r.mu.Lock()
	rows, text, l := r.rows, r.text, r.last
	r.rows, r.text = nil, nil
	r.mu.Unlock()
	err := r.store.write(func(tx *sql.Tx) error {
		put, err := tx.Prepare("INSERT OR REPLACE INTO metrics (run, name, step, value) VALUES (?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer put.Close()
		for _, v := range rows {
			if _, err := put.Exec(r.ID, v.name, v.step, v.value); err != nil {
				return err
			}
		}
		for _, x := range text {
			if _, err := tx.Exec("INSERT OR REPLACE INTO samples (run, step, n, prompt, output) VALUES (?, ?, ?, ?, ?)", r.ID, x.Step, x.n, x.Prompt, x.Output); err != nil {
				return err
			}
		}
		now, ended := millis(time.Now()), int64(0)
		if status != string(Running) {
			ended = now
		}
		res, err := tx.Exec("UPDATE runs SET status = ?, message = ?, beat = ?, ended = ?, step = ?, loss = ?, norm = ?, tokens = ?, seconds = ? WHERE id = ?",
			status, message, now, ended, l.step, finite(l.loss), finite(l.norm), l.tokens, l.seconds, r.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(fmt.Errorf("runs: %s was removed from the store while it ran", r.ID), err)
		}
		return nil
	})
	if err != nil {
		r.mu.Lock()
		r.rows, r.text = append(rows, r.rows...), append(text, r.text...) // for the next try
		if r.err == nil {
			r.err = err
		}
		r.mu.Unlock()
	}
	return err
}

func finite(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return x
}

// end stops the heartbeat; false when that was done before.
func (r *Recorder) end() bool {
	r.mu.Lock()
	ended := r.ended
	r.ended = true
	r.mu.Unlock()
	if ended {
		return false
	}
	close(r.stop)
	<-r.done
	return true
}

// Complete writes the run's results and then, when all of them are there, that it is completed. output is the
// fingerprint of the tuned model. After an error the run stands as failed, with the reason.
func (r *Recorder) Complete(output string, files map[string]func(w io.Writer) error) error {
	if !r.end() {
		return nil
	}
	for role, write := range files {
		if err := r.store.attach(r.ID, role, write); err != nil {
			return errors.Join(err, r.flush(string(Failed), "the results could not be stored: "+err.Error()))
		}
	}
	if _, err := r.store.db.Exec("UPDATE runs SET output = ? WHERE id = ?", output, r.ID); err != nil {
		return err
	}
	if err := r.flush(string(Completed), ""); err != nil {
		return err
	}
	if r.dir != "" {
		return os.RemoveAll(r.dir)
	}
	return nil
}

// Fail writes that the run failed at a step whose loss and gradient norm were these.
func (r *Recorder) Fail(step int, loss, norm float64, message string) error {
	if !r.end() {
		return nil
	}
	r.last.step, r.last.loss, r.last.norm = step, loss, norm
	return r.flush(string(Failed), message)
}

// Interrupt writes that the person stopped the run.
func (r *Recorder) Interrupt(message string) error {
	if !r.end() {
		return nil
	}
	return r.flush(string(Interrupted), message)
}

// Err returns the first failure to write, nil when there was none.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
