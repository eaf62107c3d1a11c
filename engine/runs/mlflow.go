package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MLflow sends runs to a tracking server by its REST interface, version 2.0.
type MLflow struct {
	URL        string // of the server: "http://127.0.0.1:5000"
	Experiment string // its name; made when the server has none of it
	Token      string // sent as a bearer token when not empty

	client http.Client
}

// The most that one call of log-batch takes. Source: MLflow's REST documentation.
const (
	mlflowMetrics = 1000
	mlflowParams  = 100
	mlflowText    = 500 // characters of a param's value that every server's version takes
)

// mlflowError is what a server says in place of an answer.
type mlflowError struct {
	Code    string `json:"error_code"`
	Message string `json:"message"`
	status  string
}

func (e *mlflowError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the server answers %s: %s %s", e.status, e.Code, e.Message))
}

func (m *MLflow) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	base := strings.TrimSuffix(m.URL, "/") + "/api/2.0/mlflow/" + path
	if query != nil {
		base += "?" + query.Encode()
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, base, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if m.Token != "" {
		req.Header.Set("Authorization", "Bearer "+m.Token)
	}
	m.client.Timeout = time.Minute
	resp, err := m.client.Do(req)
	if err != nil {
		return fmt.Errorf("mlflow: %s: %w", path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("mlflow: %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		e := &mlflowError{status: resp.Status}
		if json.Unmarshal(b, e) != nil {
			e.Message = strings.TrimSpace(string(b[:min(len(b), 200)]))
		}
		return fmt.Errorf("mlflow: %s: %w", path, e)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("mlflow: %s: the answer: %w", path, err)
	}
	return nil
}

// experiment returns the id of the experiment, which is made when there is none.
func (m *MLflow) experiment(ctx context.Context) (string, error) {
	var got struct {
		Experiment struct {
			ID string `json:"experiment_id"`
		} `json:"experiment"`
	}
	err := m.call(ctx, http.MethodGet, "experiments/get-by-name", url.Values{"experiment_name": {m.Experiment}}, nil, &got)
	if err == nil {
		return got.Experiment.ID, nil
	}
	var e *mlflowError
	if !errors.As(err, &e) || e.Code != "RESOURCE_DOES_NOT_EXIST" {
		return "", err
	}
	var made struct {
		ID string `json:"experiment_id"`
	}
	err = m.call(ctx, http.MethodPost, "experiments/create", nil, map[string]any{"name": m.Experiment}, &made)
	return made.ID, err
}

type mlflowPair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type mlflowMetric struct {
	Key       string  `json:"key"`
	Value     float64 `json:"value"`
	Timestamp int64   `json:"timestamp"` // milliseconds
	Step      int     `json:"step"`
}

// ExportMLflow sends one run with its settings as params, its metrics, and its state, and returns the server's id of it.
// A failure in between leaves a run there that is not marked as finished.
func (s *Store) ExportMLflow(ctx context.Context, m *MLflow, r *Run) (string, error) {
	if m.Experiment == "" {
		return "", fmt.Errorf("mlflow: the experiment has no name")
	}
	exp, err := m.experiment(ctx)
	if err != nil {
		return "", err
	}
	var made struct {
		Run struct {
			Info struct {
				ID string `json:"run_id"`
			} `json:"info"`
		} `json:"run"`
	}
	tags := []mlflowPair{{"mlflow.source.name", r.Notebook}, {"tunebook.id", r.ID}, {"tunebook.identity", r.Identity}, {"tunebook.state", r.State()}}
	if r.Git != nil && r.Git.Commit != "" {
		tags = append(tags, mlflowPair{"mlflow.source.git.commit", r.Git.Commit}, mlflowPair{"mlflow.source.git.branch", r.Git.Branch})
	}
	if err := m.call(ctx, http.MethodPost, "runs/create", nil, map[string]any{
		"experiment_id": exp, "run_name": r.Name + " " + r.ID, "start_time": millis(r.Started), "tags": tags}, &made); err != nil {
		return "", err
	}
	id := made.Run.Info.ID
	if id == "" {
		return "", fmt.Errorf("mlflow: runs/create: the answer has no run_id")
	}
	var params []mlflowPair
	for _, st := range Settings(r) {
		if v := []rune(st.Values[0]); len(v) > 0 {
			params = append(params, mlflowPair{mlflowName(st.Name), string(v[:min(len(v), mlflowText)])})
		}
	}
	for from := 0; from < len(params); from += mlflowParams {
		if err := m.call(ctx, http.MethodPost, "runs/log-batch", nil, map[string]any{"run_id": id, "params": params[from:min(len(params), from+mlflowParams)]}, nil); err != nil {
			return id, err
		}
	}
	var batch []mlflowMetric
	send := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := m.call(ctx, http.MethodPost, "runs/log-batch", nil, map[string]any{"run_id": id, "metrics": batch}, nil)
		batch = batch[:0]
		return err
	}
	if err := s.rows([]*Run{r}, func(x row) error {
		batch = append(batch, mlflowMetric{mlflowName(x.Metric), x.Value, millis(r.Started), int(x.Step)})
		if len(batch) == mlflowMetrics {
			return send()
		}
		return nil
	}); err != nil {
		return id, err
	}
	if err := send(); err != nil {
		return id, err
	}
	status := map[Status]string{Running: "RUNNING", Completed: "FINISHED", Failed: "FAILED", Interrupted: "KILLED", Died: "KILLED"}[r.Status]
	end := map[string]any{"run_id": id, "status": status}
	if !r.Ended.IsZero() {
		end["end_time"] = millis(r.Ended)
	}
	return id, m.call(ctx, http.MethodPost, "runs/update", nil, end, nil)
}

// mlflowName replaces what MLflow takes in no name: it wants letters, digits, "_", "-", ".", " ", ":" and "/".
func mlflowName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-. /:", r) {
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), 250)]
}
