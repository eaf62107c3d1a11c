package runs

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"hash/crc32"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

func TestExports(t *testing.T) {
	s := newStore(t)
	r := record(t, s, spec("base", `{"LR":0.1}`), "A", "a")
	var out bytes.Buffer
	if err := s.WriteCSV(&out, []*Run{r}); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(lines) != 1+4*3 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if last := lines[6]; last[2] != "loss" || last[3] != "3" {
		t.Errorf("%v", last)
	} else if v, _ := strconv.ParseFloat(last[4], 64); v != 1.0/3 {
		t.Errorf("%v is read back as %v", 1.0/3, v)
	}
	var pq bytes.Buffer
	if err := s.WriteParquet(&pq, []*Run{r}); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[row](bytes.NewReader(pq.Bytes()), int64(pq.Len()))
	if err != nil || len(rows) != 12 || rows[5] != (row{r.ID, "mix", "loss", 3, 1.0 / 3}) {
		t.Errorf("%v %v", rows, err)
	}
	out.Reset()
	if err := s.WriteJSON(&out, []*Run{r}); err != nil {
		t.Fatal(err)
	}
	var back []struct {
		ID      string
		Status  string
		Config  map[string]any
		Metrics map[string][]Point
		Samples []Sample
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back[0].ID != r.ID || back[0].Status != "completed" || back[0].Config["LR"] != 0.1 ||
		back[0].Metrics["loss"][2].Value != 1.0/3 || back[0].Samples[0].Output != "me" {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// records reads TFRecord framing, written from its description alone: each length and each datum has its checksum.
func records(t *testing.T, b []byte) (out [][]byte) {
	t.Helper()
	sum := func(b []byte) uint32 {
		c := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
		return ((c >> 15) | (c << 17)) + 0xa282ead8
	}
	for len(b) > 0 {
		n := binary.LittleEndian.Uint64(b)
		if binary.LittleEndian.Uint32(b[8:]) != sum(b[:8]) || binary.LittleEndian.Uint32(b[12+n:]) != sum(b[12:12+n]) {
			t.Fatalf("record %d: a checksum is wrong", len(out))
		}
		out = append(out, b[12:12+n])
		b = b[16+n:]
	}
	return out
}

// fields reads a protocol buffer message: field number to its contents in order. Fixed and varint values are given in 8
// little-endian bytes.
func fields(t *testing.T, b []byte) map[int][][]byte {
	t.Helper()
	out := map[int][][]byte{}
	varint := func() (v uint64) {
		for shift := 0; ; shift += 7 {
			c := b[0]
			b = b[1:]
			v |= uint64(c&0x7f) << shift
			if c < 0x80 {
				return v
			}
		}
	}
	for len(b) > 0 {
		key := varint()
		var x []byte
		switch key & 7 {
		case 0:
			x = binary.LittleEndian.AppendUint64(nil, varint())
		case 1:
			x, b = b[:8], b[8:]
		case 2:
			n := varint()
			x, b = b[:n], b[n:]
		case 5:
			x, b = b[:4], b[4:]
		default:
			t.Fatalf("wire type %d", key&7)
		}
		out[int(key>>3)] = append(out[int(key>>3)], x)
	}
	return out
}

// The event file is read back by a decoder of the test's own, down to the checksums.
func TestTensorBoard(t *testing.T) {
	s := newStore(t)
	r := record(t, s, spec("base", `{}`), "A", "a")
	paths, err := s.ExportTensorBoard(t.TempDir(), []*Run{r})
	if err != nil || len(paths) != 1 || !strings.Contains(filepath.Base(paths[0]), "tfevents") {
		t.Fatal(paths, err)
	}
	b, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	events := records(t, b)
	if len(events) != 4 {
		t.Fatalf("%d events; wanted the version and three steps", len(events))
	}
	if v := fields(t, events[0])[3]; len(v) != 1 || string(v[0]) != "brain.Event:2" {
		t.Errorf("version %q", v)
	}
	for step, e := range events[1:] {
		f := fields(t, e)
		if got := binary.LittleEndian.Uint64(f[2][0]); got != uint64(step+1) {
			t.Errorf("step %d; wanted %d", got, step+1)
		}
		wall := math.Float64frombits(binary.LittleEndian.Uint64(f[1][0]))
		if want := float64(r.Started.UnixMilli())/1000 + float64(step+1); math.Abs(wall-want) > 1e-3 {
			t.Errorf("step %d at %f; wanted %f", step+1, wall, want)
		}
		got := map[string]float32{}
		for _, v := range fields(t, f[5][0])[1] {
			x := fields(t, v)
			got[string(x[1][0])] = math.Float32frombits(binary.LittleEndian.Uint32(x[2][0]))
		}
		if len(got) != 4 || got["loss"] != float32(1/float64(step+1)) || got["loss/own"] != float32(1.0/3) {
			t.Errorf("step %d: %v", step+1, got)
		}
	}
}

// mlflowServer takes what MLflow's server takes, and refuses what it refuses.
type mlflowServer struct {
	t           *testing.T
	experiments map[string]string
	params      map[string]string
	metrics     map[string][]float64
	tags        map[string]string
	status      string
	calls       int
	failAfter   int // calls that are answered; 0 for all
}

func (m *mlflowServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.calls++
	fail := func(status int, code, msg string) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"error_code": code, "message": msg})
	}
	if m.failAfter > 0 && m.calls > m.failAfter {
		fail(http.StatusInternalServerError, "INTERNAL_ERROR", "out of disk")
		return
	}
	if r.Header.Get("Authorization") != "Bearer secret" {
		fail(http.StatusUnauthorized, "UNAUTHENTICATED", "no token")
		return
	}
	var in struct {
		Name         string
		ExperimentID string `json:"experiment_id"`
		RunID        string `json:"run_id"`
		Status       string
		EndTime      int64 `json:"end_time"`
		Tags, Params []mlflowPair
		Metrics      []mlflowMetric
	}
	if r.Method == http.MethodPost {
		b, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(b, &in); err != nil {
			m.t.Error(err)
		}
	}
	answer := func(v any) { json.NewEncoder(w).Encode(v) }
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/2.0/mlflow/") {
	case "GET experiments/get-by-name":
		id, ok := m.experiments[r.URL.Query().Get("experiment_name")]
		if !ok {
			fail(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "no such experiment")
			return
		}
		answer(map[string]any{"experiment": map[string]string{"experiment_id": id}})
	case "POST experiments/create":
		m.experiments[in.Name] = "7"
		answer(map[string]string{"experiment_id": "7"})
	case "POST runs/create":
		if in.ExperimentID != "7" {
			m.t.Errorf("experiment %q", in.ExperimentID)
		}
		for _, x := range in.Tags {
			m.tags[x.Key] = x.Value
		}
		answer(map[string]any{"run": map[string]any{"info": map[string]string{"run_id": "r1"}}})
	case "POST runs/log-batch":
		if in.RunID != "r1" || len(in.Metrics) > 1000 || len(in.Params) > 100 {
			m.t.Errorf("run %q, %d metrics, %d params", in.RunID, len(in.Metrics), len(in.Params))
		}
		for _, p := range in.Params {
			m.params[p.Key] = p.Value
		}
		for _, x := range in.Metrics {
			m.metrics[x.Key] = append(m.metrics[x.Key], x.Value)
		}
		answer(struct{}{})
	case "POST runs/update":
		m.status = in.Status
		if in.EndTime == 0 {
			m.t.Error("no end time")
		}
		answer(struct{}{})
	default:
		m.t.Errorf("%s %s", r.Method, r.URL)
		w.WriteHeader(http.StatusNotFound)
	}
}

func TestMLflow(t *testing.T) {
	s := newStore(t)
	rec, err := s.Begin(spec("base", `{"LR":0.1,"LoRA":{"Rank":4}}`))
	if err != nil {
		t.Fatal(err)
	}
	for step := range 1500 {
		rec.Step(step, 1, 1, map[string]float64{"loss": float64(step), "loss/own (ä)": 1})
	}
	if err := rec.Complete("A", nil); err != nil {
		t.Fatal(err)
	}
	r, err := s.Find(rec.ID)
	if err != nil {
		t.Fatal(err)
	}
	server := &mlflowServer{t: t, experiments: map[string]string{}, params: map[string]string{}, metrics: map[string][]float64{}, tags: map[string]string{}}
	h := httptest.NewServer(server)
	defer h.Close()
	m := &MLflow{URL: h.URL + "/", Experiment: "studies", Token: "secret"}
	for range 2 { // the second time the experiment is there
		clear(server.metrics)
		id, err := s.ExportMLflow(context.Background(), m, r)
		if err != nil || id != "r1" {
			t.Fatal(id, err)
		}
	}
	if l := server.metrics["loss"]; len(l) != 1500 || l[1499] != 1499 || len(server.metrics["loss/own ___"]) != 1500 {
		t.Errorf("%d values of the loss; metrics %d", len(l), len(server.metrics))
	}
	if server.params["LR"] != "0.1" || server.params["LoRA.Rank"] != "4" || server.status != "FINISHED" || server.tags["tunebook.id"] != r.ID {
		t.Errorf("%v %v %s", server.params, server.tags, server.status)
	}
	server.failAfter, server.calls = 3, 0
	if _, err := s.ExportMLflow(context.Background(), m, r); err == nil || !strings.Contains(err.Error(), "out of disk") {
		t.Error(err)
	}
	m.Token = ""
	server.failAfter = 0
	if _, err := s.ExportMLflow(context.Background(), m, r); err == nil || !strings.Contains(err.Error(), "401") {
		t.Error(err)
	}
	h.Close()
	if _, err := s.ExportMLflow(context.Background(), m, r); err == nil {
		t.Error("no server, no error")
	}
}
