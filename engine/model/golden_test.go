package model_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu"
	_ "tunebook/engine/backend/ref"
	"tunebook/engine/data"
	"tunebook/engine/grad"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
	"tunebook/engine/train"
	"tunebook/engine/weights"
)

// golden is what testdata/goldens.py writes beside a model.
type golden struct {
	dir     string
	tensors *weights.Safetensors

	Batches [][]struct {
		IDs    []int32 `json:"ids"`
		Labels []int32 `json:"labels"`
	} `json:"batches"`
	Loss          float64   `json:"loss"`
	Losses, Norms []float64 // of full training
	Decayed       []string  // parameters to which transformers' Trainer applies weight decay
	Steps, Warmup int
	Clip          float64
	Full, LoRA    settings
	Adapters      map[string]struct {
		Losses, Norms []float64
		Decayed       []string
	}
}

type settings struct {
	LR    float64
	Betas [2]float64
	Eps   float64
	Decay float64 `json:"weight_decay"`
}

func readGolden(t *testing.T, dir string) *golden {
	t.Helper()
	g := &golden{dir: dir}
	raw, err := os.ReadFile(filepath.Join(dir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, g); err != nil {
		t.Fatal(err)
	}
	if g.tensors, err = weights.OpenSafetensors(filepath.Join(dir, "golden.safetensors")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.tensors.Close() })
	return g
}

func (g *golden) tensor(t *testing.T, name string) []float32 {
	t.Helper()
	x, err := g.tensors.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	return x.Data
}

// pack packs a batch without padding; a label becomes the target of the position before it.
func (g *golden) pack(batch int) data.Batch {
	var seqs []data.Sequence
	for _, r := range g.Batches[batch] {
		s := data.Sequence{IDs: r.IDs}
		s.Targets = append(append(s.Targets, r.Labels[1:]...), backend.IgnoreIndex)
		seqs = append(seqs, s)
	}
	return data.Pack(seqs)
}

func input(b data.Batch) model.Input {
	return model.Input{IDs: b.IDs, Positions: b.Positions, Segments: &backend.Segments{List: b.Segments}}
}

// distance returns the largest difference of two arrays, relative to the wanted one's largest element.
func distance(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	worst, top := 0.0, 0.0
	for i := range want {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst, top = max(worst, d), max(top, math.Abs(float64(want[i])))
	}
	return worst / max(top, 1e-30)
}

func relative(got, want float64) float64 { return math.Abs(got-want) / math.Abs(want) }

// logits returns what a model says of every position: logits, or an encoder's hidden states.
func logits(t *testing.T, m *model.Model, b data.Batch) []float32 {
	t.Helper()
	if m.Encoder() {
		tape := grad.New(m.Device(), false)
		defer tape.Free()
		out := make([]float32, len(b.IDs)*m.Config.HiddenSize)
		if err := m.Device().Download(out, m.Forward(tape, input(b)).Value); err != nil {
			t.Fatal(err)
		}
		return out
	}
	rows := make([]int32, len(b.IDs))
	for i := range rows {
		rows[i] = int32(i)
	}
	tape := grad.New(m.Device(), false)
	defer tape.Free()
	out := make([]float32, len(rows)*m.Config.VocabSize)
	if err := m.Device().Download(out, m.Logits(tape, input(b), rows).Value); err != nil {
		t.Fatal(err)
	}
	return out
}

// The models, their gradients and their training agree with transformers and PEFT, on both backends.
func TestGoldens(t *testing.T) { compareGoldens(t, "testdata") }

// Where TUNEBOOK_PYTHON names a Python that has torch, transformers and peft, the script runs again and the engine is held
// against what it writes now.
func TestGoldensAnew(t *testing.T) {
	python := os.Getenv("TUNEBOOK_PYTHON")
	if python == "" {
		t.Skip("TUNEBOOK_PYTHON names no Python with torch, transformers and peft")
	}
	for _, names := range [][]string{{}, {"smollm2-geometry"}} {
		dir := t.TempDir()
		if out, err := offline(python, append([]string{"testdata/goldens.py", dir}, names...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		compareGoldens(t, dir)
	}
}

func compareGoldens(t *testing.T, root string) {
	dirs, err := filepath.Glob(filepath.Join(root, "*", "golden.json"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no goldens in %s: %v", root, err)
	}
	for _, path := range dirs {
		g := readGolden(t, filepath.Dir(path))
		for _, name := range []string{"ref", "cpu"} {
			dev, err := backend.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			if name == "ref" && strings.HasSuffix(g.dir, "-geometry") {
				continue // minutes
			}
			open := func(t *testing.T) *model.Model {
				m, err := model.OpenBare(dev, g.dir)
				if err != nil {
					t.Fatal(err)
				}
				return m
			}
			what := filepath.Base(g.dir) + "/" + name
			t.Run(what+"/logits", func(t *testing.T) {
				d := distance(logits(t, open(t), g.pack(0)), g.tensor(t, "logits"))
				t.Logf("logits differ by %.1e", d)
				if !(d <= 1e-5) {
					t.Errorf("logits differ by %.2g of the largest; wanted at most 1e-5", d)
				}
			})
			decays(t, open(t).Params(), g.Decayed)
			t.Run(what+"/gradients", func(t *testing.T) { gradients(t, g, open(t)) })
			t.Run(what+"/training", func(t *testing.T) {
				m := open(t)
				steps(t, g, m, train.Config{}, g.Full, g.Losses, g.Norms, nil)
			})
			for which := range g.Adapters {
				t.Run(what+"/adapter "+which, func(t *testing.T) { adapterSteps(t, dev, g, which) })
			}
		}
	}
}

// decays compares the parameters that decay with those of transformers.
func decays(t *testing.T, params []*grad.Param, want []string) {
	t.Helper()
	var got []string
	for _, p := range params {
		if p.Decays() {
			got = append(got, p.Name)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("weight decay goes to %v; wanted %v", got, want)
	}
}

// gradients compares the summed loss and the gradient of every parameter.
func gradients(t *testing.T, g *golden, m *model.Model) {
	b := g.pack(0)
	for _, p := range m.Params() {
		p.Grad = m.Device().Alloc(tensor.F32, p.Len())
	}
	tape := grad.New(m.Device(), true)
	defer tape.Free()
	var nll backend.Buffer
	n := 0
	if m.Encoder() {
		v, err := contrast(t).Parts[0].Loss(tape, m, input(b), b)
		if err != nil {
			t.Fatal(err)
		}
		tape.From(v, 1)
		nll, n = v.Value, v.Rows
	} else {
		nll, n = m.Loss(tape, input(b), b.Targets, nil, 1)
	}
	host, sum := make([]float32, n), 0.0
	if err := m.Device().Download(host, nll); err != nil {
		t.Fatal(err)
	}
	tape.Backward()
	for _, v := range host {
		sum += float64(v)
	}
	if d := relative(sum, g.Loss); !(d <= 1e-6) {
		t.Errorf("loss %.9g; wanted %.9g", sum, g.Loss)
	}
	// A bias of k without RoPE moves all scores of a query alike: its gradient is rounding. Differences are therefore also
	// measured against the largest gradient of the model.
	top := 0.0
	for _, p := range m.Params() {
		for _, v := range g.tensor(t, "grad."+p.Name) {
			top = max(top, math.Abs(float64(v)))
		}
	}
	worst, where := 0.0, ""
	for _, p := range m.Params() {
		got, want := make([]float32, p.Len()), g.tensor(t, "grad."+p.Name)
		if err := m.Device().Download(got, p.Grad); err != nil {
			t.Fatal(err)
		}
		largest := 0.0
		for _, v := range want {
			largest = max(largest, math.Abs(float64(v)))
		}
		d := distance(got, want) * largest / max(largest, 1e-3*top)
		if !(d <= 5e-5) {
			t.Errorf("the gradient of %s differs by %.2g; wanted at most 5e-5", p.Name, d)
		}
		if d > worst {
			worst, where = d, p.Name
		}
	}
	t.Logf("loss differs by %.1e, gradients by %.1e (%s)", relative(sum, g.Loss), worst, where)
	for _, n := range g.tensors.Names() {
		if name, ok := strings.CutPrefix(n, "grad."); ok && m.Param(name) == nil {
			t.Errorf("the golden has a gradient of %s; the model has no such parameter", name)
		}
	}
}

// steps makes the golden's updates of two micro-batches each and compares losses and gradient norms. ready, when not
// nil, sees the model before the first one.
func steps(t *testing.T, g *golden, m *model.Model, cfg train.Config, s settings, losses, norms []float64, ready func()) {
	t.Helper()
	cfg.LR, cfg.Beta1, cfg.Beta2, cfg.Eps, cfg.WeightDecay = s.LR, s.Betas[0], s.Betas[1], s.Eps, s.Decay
	cfg.Steps, cfg.Warmup, cfg.Clip = g.Steps, g.Warmup, g.Clip
	one := data.Sequence{IDs: []int32{1, 2}, Targets: []int32{2, backend.IgnoreIndex}}
	seqs := []data.Sequence{one}
	if m.Encoder() {
		cfg.Objective, seqs = contrast(t), []data.Sequence{one, one}
	}
	tr, err := train.New(m, seqs, []string{"golden"}, cfg) // Step is given its batches here
	if err != nil {
		t.Fatal(err)
	}
	if ready != nil {
		ready()
	}
	worst, clipped := 0.0, false
	for i := range losses {
		r, err := tr.Step([]data.Batch{g.pack(2 * i % 4), g.pack((2*i + 1) % 4)})
		if err != nil {
			t.Fatal(err)
		}
		dl, dn := relative(r.Loss, losses[i]), relative(r.GradNorm, norms[i])
		worst, clipped = max(worst, dl), clipped || norms[i] > g.Clip
		if !(dl <= 1e-4) || !(dn <= 1e-3) {
			t.Errorf("step %d: loss %.7g, gradient norm %.6g; wanted %.7g and %.6g", i+1, r.Loss, r.GradNorm, losses[i], norms[i])
		}
	}
	if !clipped {
		t.Errorf("no gradient was clipped: norms %v", norms)
	}
	t.Logf("losses %.5f … %.5f, differ by %.1e at most", losses[0], losses[len(losses)-1], worst)
}
