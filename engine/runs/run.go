package runs

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The roles of a run's files.
const (
	RoleWeights  = "weights"  // the trained parameters, safetensors
	RoleLog      = "log"      // one report for each update, JSON
	RoleNotebook = "notebook" // the source that asked for the run
)

// Inputs are what a run computes from. Their hash is its identity.
type Inputs struct {
	Base   string          // fingerprint of the starting weights
	Data   string          // fingerprint of the sequences trained and measured on, and of their sources' names
	Config json.RawMessage // everything else that changes the result
	Code   string          // version of the code
}

// Identity returns the SHA-256 of the inputs in hexadecimal.
func (in Inputs) Identity() string {
	h := sha256.New()
	for _, s := range []string{in.Base, in.Data, string(in.Config), in.Code} {
		fmt.Fprintf(h, "%d:%s,", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Status is how far a run has come.
type Status string

const (
	Running     Status = "running"
	Completed   Status = "completed"
	Failed      Status = "failed"      // at a step, with its loss and gradient norm
	Interrupted Status = "interrupted" // by the person
	Died        Status = "died"        // its process is gone, or has not been heard of for a minute
)

// Run is one execution as the store knows it.
type Run struct {
	ID       string          `json:"id"`       // ten digits of the identity, and ".2" for the second of the same one
	Identity string          `json:"identity"` // hash of the inputs
	Name     string          `json:"name"`     // what it was trained on
	Base     string          `json:"base"`     // fingerprint of the starting weights
	BaseName string          `json:"base_name"`
	Data     string          `json:"data"` // fingerprint of the sequences
	Code     string          `json:"code"`
	Config   json.RawMessage `json:"config"`
	Manifest json.RawMessage `json:"manifest,omitempty"` // of the mix; null where there is none
	Notebook string          `json:"notebook,omitempty"` // path
	Git      *Git            `json:"git,omitempty"`
	System   System          `json:"system"`

	Status  Status    `json:"status"` // as it is now: a run whose process is gone is Died
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"` // zero while running; of a dead run when it was last heard of
	Step    int       `json:"step"`           // updates made
	Total   int       `json:"total"`          // of how many
	Loss    *float64  `json:"loss"`           // of the last update; nil where it was not a number
	Norm    *float64  `json:"gradient_norm"`  // the same
	Message string    `json:"message,omitempty"`
	Output  string    `json:"output,omitempty"` // fingerprint of the tuned model
	Tokens  int       `json:"tokens"`
	Seconds float64   `json:"seconds"` // of training
	Reused  int       `json:"reused"`  // times that it was a hit
	Files   []File    `json:"files"`
}

// File returns a file of the run by its role, false when it has none.
func (r *Run) File(role string) (File, bool) {
	for _, f := range r.Files {
		if f.Role == role {
			return f, true
		}
	}
	return File{}, false
}

// State says in a sentence how the run stands.
func (r *Run) State() string {
	at := fmt.Sprintf("at step %d of %d", r.Step, r.Total)
	switch r.Status {
	case Completed:
		return fmt.Sprintf("completed, %d steps", r.Step)
	case Failed:
		return fmt.Sprintf("failed %s: loss %s, gradient norm %s: %s", at, number(r.Loss), number(r.Norm), r.Message)
	case Died:
		return fmt.Sprintf("died %s: its process was last heard of at %s", at, r.Ended.Format(time.DateTime))
	case Interrupted:
		return "interrupted " + at
	}
	return "running, " + at
}

func number(x *float64) string {
	if x == nil {
		return "not a number"
	}
	return fmt.Sprintf("%.4g", *x)
}

const columns = `id, identity, name, base, base_name, data, code, config, manifest, notebook, git, system, status,
	started, ended, beat, process, step, total, loss, norm, message, output, tokens, seconds, reused`

// silence is how long a running run may go without a heartbeat before it counts as dead, where its process cannot be
// looked at.
const silence = time.Minute

// query returns the runs that a condition names.
func (s *Store) query(where string, args ...any) ([]*Run, error) {
	rows, err := s.db.Query("SELECT "+columns+" FROM runs "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	var out []*Run
	byID := map[string]*Run{}
	for rows.Next() {
		r := &Run{}
		var config, manifest, git, system, proc string
		var started, ended, beat int64
		var loss, norm sql.NullFloat64
		if err := rows.Scan(&r.ID, &r.Identity, &r.Name, &r.Base, &r.BaseName, &r.Data, &r.Code, &config, &manifest, &r.Notebook, &git, &system,
			&r.Status, &started, &ended, &beat, &proc, &r.Step, &r.Total, &loss, &norm, &r.Message, &r.Output, &r.Tokens, &r.Seconds, &r.Reused); err != nil {
			rows.Close()
			return nil, fmt.Errorf("runs: %w", err)
		}
		r.Config, r.Manifest = json.RawMessage(config), json.RawMessage(manifest)
		if err := errors.Join(json.Unmarshal([]byte(system), &r.System), json.Unmarshal([]byte(git), &r.Git)); err != nil {
			rows.Close()
			return nil, fmt.Errorf("runs: %s: %w", r.ID, err)
		}
		if loss.Valid {
			r.Loss = &loss.Float64
		}
		if norm.Valid {
			r.Norm = &norm.Float64
		}
		r.Started, r.Ended = fromMillis(started), fromMillis(ended)
		if r.Status == Running && !alive(proc, time.Since(fromMillis(beat))) {
			r.Status, r.Ended = Died, fromMillis(beat)
		}
		out = append(out, r)
		byID[r.ID] = r
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	files, err := s.db.Query("SELECT run, role, hash, size FROM files ORDER BY run, role")
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	defer files.Close()
	for files.Next() {
		var id string
		var f File
		if err := files.Scan(&id, &f.Role, &f.Hash, &f.Size); err != nil {
			return nil, fmt.Errorf("runs: %w", err)
		}
		if r := byID[id]; r != nil {
			r.Files = append(r.Files, f)
		}
	}
	return out, files.Err()
}

// List returns all runs, the oldest first.
func (s *Store) List() ([]*Run, error) { return s.query("ORDER BY started, id") }

// Find returns the run whose ID is id or begins with it. None, or several, is an error that says so.
func (s *Store) Find(id string) (*Run, error) {
	if id == "" {
		return nil, errors.New("runs: the id is empty; wanted the beginning of one")
	}
	found, err := s.query("WHERE substr(id, 1, length(?)) = ? ORDER BY id", id, id)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		if r.ID == id {
			return r, nil
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("runs: no run is called %s", id)
	case 1:
		return found[0], nil
	}
	names := make([]string, 0, 4)
	for _, r := range found[:min(4, len(found))] {
		names = append(names, r.ID)
	}
	return nil, fmt.Errorf("runs: %d runs begin with %s: %s; give more of the id", len(found), id, strings.Join(names, ", "))
}

// Completed returns the newest completed run of an identity whose weights and log are still there, nil when there is none.
func (s *Store) Completed(identity string) (*Run, error) {
	found, err := s.query("WHERE identity = ? AND status = 'completed' ORDER BY started DESC, id", identity)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		_, w := r.File(RoleWeights)
		_, l := r.File(RoleLog)
		if w && l {
			return r, nil
		}
	}
	return nil, nil
}

// Touch notes that a run was a hit.
func (s *Store) Touch(id string) error {
	_, err := s.db.Exec("UPDATE runs SET used = ?, reused = reused + 1 WHERE id = ?", millis(time.Now()), id)
	return err
}

// Point is one value of a metric.
type Point struct {
	Step  int     `json:"step"`
	Value float64 `json:"value"`
}

// Metrics returns the names of a run's metrics, in alphabetical order.
func (s *Store) Metrics(run string) ([]string, error) {
	rows, err := s.db.Query("SELECT DISTINCT name FROM metrics WHERE run = ? ORDER BY name", run)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// Curve returns a metric of a run by step.
func (s *Store) Curve(run, metric string) ([]Point, error) {
	rows, err := s.db.Query("SELECT step, value FROM metrics WHERE run = ? AND name = ? ORDER BY step", run, metric)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	defer rows.Close()
	var out []Point
	for rows.Next() {
		var p Point
		if err := rows.Scan(&p.Step, &p.Value); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// Sample is a piece of a model's output, taken on the way.
type Sample struct {
	Step   int    `json:"step"`
	Prompt string `json:"prompt"`
	Output string `json:"output"`
}

// Samples returns a run's samples in the order in which they were taken.
func (s *Store) Samples(run string) ([]Sample, error) {
	rows, err := s.db.Query("SELECT step, prompt, output FROM samples WHERE run = ? ORDER BY step, n", run)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	defer rows.Close()
	var out []Sample
	for rows.Next() {
		var x Sample
		if err := rows.Scan(&x.Step, &x.Prompt, &x.Output); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, rows.Err()
}
