package train

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

type goldens struct {
	Seed  int
	Start map[string][]float32
	Grads []map[string][]float32
	Cases map[string][]map[string][]float32
	Adam8 []float32 `json:"adamw8bit"`
}

func readGoldens(t *testing.T) (g goldens) {
	t.Helper()
	b, err := os.ReadFile("testdata/optimizers.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// param puts a parameter with a gradient on a device.
func param(dev backend.Backend, name string, shape []int, x []float32) *grad.Param {
	p := &grad.Param{Name: name, Shape: shape, Value: dev.Alloc(tensor.F32, len(x)), Grad: dev.Alloc(tensor.F32, len(x))}
	dev.Upload(p.Value, x)
	return p
}

// Ten steps of every optimizer are those of PyTorch, of transformers, or of the paper, within 2e-6 of a parameter's size.
func TestOptimizersAreTheReferences(t *testing.T) { both(t, optimizersAreTheReferences) }

func optimizersAreTheReferences(t *testing.T, device string) {
	dev, err := backend.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	g := readGoldens(t)
	for name, cfg := range map[string]Config{
		"adamw":           {Optimizer: "adamw"},
		"adamw, clipped":  {Optimizer: "adamw", Beta1: 0.8, Beta2: 0.95, Eps: 1e-6, Clip: 1},
		"adamw, averaged": {Optimizer: "adamw", EMA: 0.9},
		"adamw, small":    {Optimizer: "adamw8bit"}, // below the size at which moments take a byte it is AdamW
		"sgd":             {Optimizer: "sgd"},
		"sgd, momentum":   {Optimizer: "sgd", Momentum: 0.9},
		"sgd, nesterov":   {Optimizer: "sgd", Momentum: 0.9, Nesterov: true},
		"adafactor":       {Optimizer: "adafactor"},
		"adafactor, mean": {Optimizer: "adafactor", Beta1: 0.9},
		"lion":            {Optimizer: "lion"},
	} {
		clip := cfg.Clip
		cfg.LR, cfg.WeightDecay = 0.01, 0.1
		cfg = cfg.fill()
		want := g.Cases[strings.TrimSuffix(name, ", small")]
		if len(want) != 10 {
			t.Fatalf("%s: %d steps in the golden file", name, len(want))
		}
		params := []*grad.Param{param(dev, "w", []int{3, 5}, g.Start["w"]), param(dev, "b", []int{4}, g.Start["b"])}
		rates, err := ratesOf(cfg, params)
		if err != nil {
			t.Fatal(err)
		}
		opt := newOptimizer(cfg, dev, params, rates, false)
		mean := &average{decay: cfg.EMA}
		for step, grads := range g.Grads {
			scale := 1.0
			if clip > 0 {
				sum := 0.0
				for _, p := range params {
					for _, x := range grads[p.Name] {
						sum += float64(x) * float64(x)
					}
				}
				scale = min(1, clip/math.Sqrt(sum))
			}
			for _, p := range params {
				dev.Upload(p.Grad, grads[p.Name])
			}
			if err := opt.step(nil, update{lr: cfg.LR, scale: scale, n: step + 1}); err != nil {
				t.Fatal(err)
			}
			if err := mean.add(dev, params); err != nil {
				t.Fatal(err)
			}
			got, err := download(dev, params)
			if err != nil {
				t.Fatal(err)
			}
			if cfg.EMA > 0 {
				got = mean.x
			}
			for i, p := range params {
				for j, x := range got[i] {
					if w := want[step][p.Name][j]; math.Abs(float64(x-w)) > 2e-6*max(1, math.Abs(float64(w))) {
						t.Fatalf("%s, step %d: %s[%d] is %.8g; wanted %.8g", name, step+1, p.Name, j, x, w)
					}
				}
			}
		}
		opt.free()
	}
}

// 8-bit AdamW is the reference's, written from the paper, in every code; and it stays near AdamW in float32.
func TestAdamW8(t *testing.T) {
	dev, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	const n = 4100
	start, g := make([]float32, n), make([]float32, n)
	for i := range start {
		start[i] = float32(math.Cos(float64(i)))
	}
	run := func(name string) []float32 {
		cfg := Config{LR: 0.01, WeightDecay: 0.1, Optimizer: name}.fill()
		p := param(dev, "w", []int{n}, start)
		opt := newOptimizer(cfg, dev, []*grad.Param{p}, []rates{{lr: 1, decay: cfg.WeightDecay}}, false)
		for step := 1; step <= 10; step++ {
			for i := range g {
				g[i] = float32(math.Sin(float64(i)*float64(step+1)) * math.Pow(10, float64(i%5-3)))
			}
			dev.Upload(p.Grad, g)
			if err := opt.step(nil, update{lr: cfg.LR, scale: 1, n: step}); err != nil {
				t.Fatal(err)
			}
		}
		x := make([]float32, n)
		if err := dev.Download(x, p.Value); err != nil {
			t.Fatal(err)
		}
		return x
	}
	eight, float := run("adamw8bit"), run("adamw")
	off := 0
	for i, w := range readGoldens(t).Adam8 {
		if math.Abs(float64(eight[41*i]-w)) > 1e-6 {
			off++
		}
	}
	if off > 0 {
		t.Errorf("%d of %d elements differ from the reference", off, len(readGoldens(t).Adam8))
	}
	// Ten steps move an element by up to 0.1. The gradients of a block span four powers of ten, their squares eight, more than
	// the code holds; those of the largest power are what rounding alone does.
	sum, top, worst := 0.0, 0.0, 0.0
	for i := range eight {
		d := math.Abs(float64(eight[i] - float[i]))
		sum, worst = sum+d, max(worst, d)
		if i%5 == 4 {
			top += d
		}
	}
	t.Logf("against float32 moments: %.2g in the mean, %.2g where gradients are large, %.2g at most", sum/n, top/n*5, worst)
	if sum/n > 8e-3 || top/n*5 > 3e-3 || worst > 0.1 {
		t.Error("8-bit moments are too far from float32's")
	}
	p := []*grad.Param{{Name: "w", Shape: []int{1 << 16}}}
	for name, want := range map[string]int64{"adamw": 8 << 16, "adamw-bf16": 4 << 16, "adamw8bit": 2<<16 + 2*4*(1<<16)/256} {
		if got, host := newOptimizer(Config{Optimizer: name}, dev, p, nil, true).size(); got != want || host != 0 {
			t.Errorf("%s: %d and %d bytes; wanted %d and 0", name, got, host, want)
		}
	}
}

func TestPackedCodes(t *testing.T) {
	codes := []uint8{0, 255, 17, 128, 3}
	back := make([]uint8, len(codes))
	if err := unpack(back, pack(codes)); err != nil || !bytes.Equal(back, codes) {
		t.Errorf("%v → %v, %v", codes, back, err)
	}
	if got := bytesOf(wordsOf(codes), len(codes)); !bytes.Equal(got, codes) {
		t.Errorf("%v → %v in words", codes, got)
	}
	for _, x := range []float32{-1, 1 << 24, 0.5, float32(math.NaN())} {
		if unpack(back[:1], []float32{x}) == nil {
			t.Errorf("%g was unpacked", x)
		}
	}
	x := []float32{1.5, -2, 0.0078125}
	if words, err := toBF16(x); err != nil || !slices.Equal(fromBF16(words, 3), x) {
		t.Errorf("%v → %v, %v", x, words, err)
	}
	if _, err := toBF16([]float32{1, 1.001}); err == nil || !strings.Contains(err.Error(), "element 1 is 1.001") {
		t.Errorf("1.001 as bfloat16: %v", err)
	}
}

// Stopped at any update and resumed, a run of every optimizer, with average, bfloat16, groups and the best score kept, ends
// in the same bits and the same log.
func TestEveryWayResumes(t *testing.T) {
	for name, cfg := range map[string]Config{
		"adamw8bit":  {Optimizer: "adamw8bit"},
		"adamw-bf16": {Optimizer: "adamw-bf16", Precision: "bf16"},
		"lion":       {Optimizer: "lion", Schedule: "wsd", Decay: 2},
		"sgd":        {Optimizer: "sgd", Momentum: 0.9, Schedule: "inverse-sqrt"},
		"adafactor":  {Optimizer: "adafactor", Beta1: 0.5},
		"average":    {EMA: 0.8, Groups: []Group{{Match: "*norm*", LR: 2}}},
		"bf16":       {Precision: "bf16"},
		"frozen":     {Freeze: []string{"model.embed*", "*.k_proj.weight"}},
		"best":       {Best: true, Validation: sequences(7)[4:], ValidateEvery: 2, EMA: 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.LR, cfg.Steps, cfg.BatchSize, cfg.Seed, cfg.Every = 1e-2, 9, 6, 2, 2
			m := tinyModel(t, "cpu")
			straight := fit(t, m, 20, cfg)
			want := fingerprint(t, m)
			for _, stop := range []int{1, 4, 8} {
				cfg.Dir = t.TempDir()
				tr, err := New(tinyModel(t, "cpu"), sequences(20), []string{"a", "b"}, cfg)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				if err := tr.Run(ctx, func(r Report) {
					if r.Step == stop {
						cancel()
					}
				}); err == nil {
					t.Fatal("it was not stopped")
				}
				again := tinyModel(t, "cpu")
				tr, err = New(again, sequences(20), []string{"a", "b"}, cfg)
				if err != nil {
					t.Fatal(err)
				}
				if tr.Done() != stop || tr.Trainable() != straight.Trainable() {
					t.Fatalf("resumed at %d with %d parameters; stopped at %d with %d", tr.Done(), tr.Trainable(), stop, straight.Trainable())
				}
				if err := tr.Run(context.Background(), nil); err != nil {
					t.Fatal(err)
				}
				a, _ := json.Marshal(straight.Log)
				b, _ := json.Marshal(tr.Log)
				if fingerprint(t, again) != want || string(a) != string(b) {
					t.Errorf("stopped at %d: another end than the straight run's", stop)
				}
			}
		})
	}
}

// Moments of every form go through a checkpoint unchanged.
func TestMomentsAreSaved(t *testing.T) { both(t, momentsAreSaved) }

func momentsAreSaved(t *testing.T, device string) {
	dev, err := backend.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	for name := range momentForms {
		const n = 5001
		r := tensor.NewRNG(1, "codes")
		x, g := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i], g[i] = float32(r.Norm()), float32(r.Norm())
		}
		cfg := Config{LR: 1e-2, Optimizer: name}.fill()
		make := func() (optimizer, []*grad.Param) {
			p := []*grad.Param{param(dev, "w", []int{n}, x), param(dev, "b", []int{7}, x[:7])}
			for _, p := range p {
				dev.Upload(p.Grad, g[:p.Len()])
			}
			return newOptimizer(cfg, dev, p, []rates{{lr: 1}, {lr: 2}}, false), p
		}
		a, pa := make()
		b, pb := make()
		step := func(o optimizer, n int) {
			if err := o.step(nil, update{lr: cfg.LR, scale: 1, n: n}); err != nil {
				t.Fatal(err)
			}
		}
		step(a, 1)
		step(a, 2)
		step(b, 1)
		saved := map[string][]float32{}
		if err := b.save(func(name string, _ []int, data []float32) { saved[name] = slices.Clone(data) }); err != nil {
			t.Fatal(err)
		}
		c, pc := make()
		for i := range pc {
			dev.Copy(pc[i].Value, pb[i].Value)
		}
		apply, err := c.load(func(name string, n int) ([]float32, error) {
			if len(saved[name]) != n {
				t.Errorf("%s: %s has %d elements; wanted %d", cfg.Optimizer, name, len(saved[name]), n)
			}
			return saved[name], nil
		})
		if err != nil {
			t.Fatal(err)
		}
		apply()
		step(c, 2)
		va, _ := download(dev, pa)
		vc, _ := download(dev, pc)
		for i := range va {
			if !slices.Equal(va[i], vc[i]) {
				t.Errorf("%s: %s is another after it was saved and read back", name, pa[i].Name)
			}
		}
	}
}

// Moments that are kept elsewhere and brought to the device in pieces give the same bits, are saved and read back as the others
// are, and leave the device the memory of a piece alone.
func TestOffloadedOptimizer(t *testing.T) {
	ref, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	old := offloadPiece
	offloadPiece = 16384
	defer func() { offloadPiece = old }()
	lens := []int{40001, 7, 4096, 16384, 16385}
	for name, form := range momentForms {
		for _, rounded := range []bool{false, true} {
			saved := map[bool]map[string][]float32{}
			values := map[bool][][]float32{}
			for _, away := range []bool{false, true} {
				dev := &counting{ref, backend.NewMeter(), map[backend.Buffer]backend.Buffer{}} // not of Go memory, for all that is known
				r := tensor.NewRNG(1, "offload")
				var params []*grad.Param
				var masters []backend.Buffer
				var rate []rates
				for i, n := range lens {
					x := make([]float32, n)
					for j := range x {
						x[j] = float32(r.Norm())
					}
					p := param(ref, fmt.Sprint("p", i), []int{n}, x)
					params, rate = append(params, p), append(rate, rates{lr: 1 / float64(i+1), decay: 0.1})
					if rounded {
						m := ref.Alloc(tensor.F32, n)
						ref.Copy(m, p.Value)
						masters = append(masters, m)
					}
				}
				opt := newOptimizer(Config{Optimizer: name, OffloadOptimizer: away}.fill(), dev, params, rate, false)
				update := func(opt optimizer, step int) {
					r := tensor.NewRNG(int64(step), "gradients")
					for _, p := range params {
						g := p.Grad.(*backend.HostBuffer).F
						for j := range g {
							g[j] = float32(r.Norm())
						}
					}
					if err := opt.step(masters, update{lr: 0.01, scale: 0.5, n: step}); err != nil {
						t.Fatal(err)
					}
				}
				update(opt, 1)
				update(opt, 2)
				state := map[string][]float32{}
				if err := opt.save(func(name string, _ []int, x []float32) { state[name] = slices.Clone(x) }); err != nil {
					t.Fatal(err)
				}
				device, host := opt.size()
				all := int64(0)
				for _, n := range lens {
					all += form.Bytes(n)
				}
				if want := form.Bytes(16384) + form.Bytes(7); away && (host != all || device > want || device < form.Bytes(16384)) || !away && (host != 0 || device != all) {
					t.Errorf("%s, offloaded %v: %d bytes on the device and %d elsewhere; all moments have %d", name, away, device, host, all)
				}
				if d := dev.meter.Peak(); float64(d) > 1.25*float64(device)+2048 || d < device {
					t.Errorf("%s, offloaded %v: %d bytes were taken; %d were planned", name, away, d, device)
				}
				opt.free()
				if len(dev.of) > 0 {
					t.Errorf("%s, offloaded %v: %d buffers are left", name, away, len(dev.of))
				}
				again := newOptimizer(Config{Optimizer: name, OffloadOptimizer: away}.fill(), dev, params, rate, false)
				apply, err := again.load(func(name string, n int) ([]float32, error) { return state[name], nil })
				if err != nil {
					t.Fatal(err)
				}
				apply()
				update(again, 3)
				saved[away] = map[string][]float32{}
				if err := again.save(func(name string, _ []int, x []float32) { saved[away][name] = slices.Clone(x) }); err != nil {
					t.Fatal(err)
				}
				for i, p := range params {
					values[away] = append(values[away], p.Value.(*backend.HostBuffer).F)
					if rounded {
						values[away] = append(values[away], masters[i].(*backend.HostBuffer).F)
					}
				}
				again.free()
			}
			for i := range values[false] {
				if !slices.Equal(values[false][i], values[true][i]) {
					t.Errorf("%s, rounded %v: other values %d", name, rounded, i)
				}
			}
			if len(saved[false]) != len(saved[true]) || len(saved[false]) < 2*len(lens) {
				t.Errorf("%s: %d and %d tensors of state", name, len(saved[false]), len(saved[true]))
			}
			for n, x := range saved[false] {
				if !slices.Equal(x, saved[true][n]) {
					t.Errorf("%s, rounded %v: other %s", name, rounded, n)
				}
			}
		}
	}
}

// On a device of Go memory there is nowhere else to keep them.
func TestNothingIsOffloadedOnTheHost(t *testing.T) {
	dev, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []backend.Backend{dev, backend.NewTimed(dev)} {
		if c := (Config{Optimizer: "adamw", OffloadOptimizer: true}); c.offloads(d) {
			t.Error("moments are kept twice in the same memory")
		}
	}
}

// What adamw8bit wrote after three updates when each was computed on the host, before devices had its forms, goes on to the
// bits that it went on to then.
func TestOldMomentsGoOn(t *testing.T) { both(t, oldMomentsGoOn) }

func oldMomentsGoOn(t *testing.T, device string) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the bits are those of a processor whose Go code does not fuse multiplications and additions")
	}
	dev, err := backend.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	old, _, err := get("testdata/adamw8bit.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	params := []*grad.Param{param(dev, "w", []int{4100}, old["w"]), param(dev, "b", []int{100}, old["b"])}
	cfg := Config{LR: 0.01, Optimizer: "adamw8bit"}.fill()
	opt := newOptimizer(cfg, dev, params, []rates{{lr: 1, decay: 0.1}, {lr: 1}}, false)
	apply, err := opt.load(func(name string, n int) ([]float32, error) {
		if len(old[name]) != n {
			t.Errorf("%s has %d elements; %d are wanted", name, len(old[name]), n)
		}
		return old[name], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	apply()
	for step := 4; step <= 6; step++ {
		for _, p := range params {
			g := make([]float32, p.Len())
			for j := range g {
				g[j] = float32((math.Mod(float64(j*(step+1))*0.61, 2) - 1) * []float64{1e-3, 1e-2, 0.1, 1, 10}[j%5])
			}
			dev.Upload(p.Grad, g)
		}
		if err := opt.step(nil, update{lr: cfg.LR, scale: 0.7, n: step}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := download(dev, params)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range params {
		for j, want := range old["after/"+p.Name] {
			if got[i][j] != want {
				t.Fatalf("%s[%d] is %.9g; wanted %.9g", p.Name, j, got[i][j], want)
			}
		}
	}
}

// TestGoldensAreFresh makes the golden file again where Python has what that needs, and compares.
func TestGoldensAreFresh(t *testing.T) {
	python := os.Getenv("TUNEBOOK_PYTHON")
	if python == "" {
		t.Skip("TUNEBOOK_PYTHON names no Python with torch, transformers and numpy")
	}
	out, err := exec.Command(python, "testdata/optimizers.py").Output()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("testdata/optimizers.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, out) {
		t.Error("the committed file differs from a fresh one")
	}
}
