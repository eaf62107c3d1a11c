package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/cpu"
	"tunebook/engine/backend/ref"
	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// several returns n devices of a kind, each with memory of its own.
func several(device string, n int) (all []backend.Backend) {
	for range n {
		if device == "ref" {
			all = append(all, ref.New())
		} else {
			all = append(all, cpu.New(1))
		}
	}
	return all
}

// onSeveral trains the tiny model on n devices.
func onSeveral(t *testing.T, device string, n, sequences int, cfg Config) *Trainer {
	t.Helper()
	devs := several(device, n)
	m, err := tinyModel(t, device).On(devs[n-1])
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Devices = devs; n == 1 {
		cfg.Devices = nil
	}
	return fit(t, m, sequences, cfg)
}

// A run on several devices is the run on one but for rounding, however its passes are cut: losses, those by source, norms, counts, the
// validation's figures and the weights; and it has the same bits twice. Documents are of unequal lengths, and the last update of an
// epoch has fewer than devices.
func TestDevicesDoNotMatter(t *testing.T) { both(t, devicesDoNotMatter) }

func devicesDoNotMatter(t *testing.T, device string) {
	other := tinyModel(t, device)
	teach, err := Distillation(other, 2, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	next := NextToken()
	teach.Weight, next.Sources = 0.7, []int{1}
	prefer, err := Preference(other, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	base := Config{LR: 1e-2, Epochs: 2, BatchSize: 6, Seed: 3, WeightDecay: 0.1, Validation: sequences(5), ValidateEvery: 3}
	with := func(f func(*Config)) Config { c := base; f(&c); return c }
	for name, cfg := range map[string]Config{
		"full":              base,
		"accumulated":       with(func(c *Config) { c.MicroTokens = 9 }),
		"adapters":          with(func(c *Config) { c.LoRA = model.LoRA{Rank: 2}; c.MicroTokens = 20 }),
		"noise":             with(func(c *Config) { c.NEFTune = 5; c.Recompute = true }),
		"weighted, rounded": with(func(c *Config) { c.Weights = []float64{1, 3}; c.Precision = "bf16"; c.EMA = 0.9 }),
		"two losses": with(func(c *Config) {
			c.Objective, c.MicroTokens = &Objective{Name: "taught", Parts: []Part{teach, next}}, 20
		}),
		"pairs": with(func(c *Config) {
			c.Objective, c.Validation, c.LoRA = &Objective{Name: "preferred", Group: 2, Parts: []Part{prefer}}, nil, model.LoRA{Rank: 2}
		}),
		"frozen, sgd": with(func(c *Config) { c.Freeze = []string{"model.embed*"}; c.Optimizer = "sgd"; c.LR = 0.1 }),
	} {
		n := 19
		if cfg.group() == 2 {
			n = 18 // each pair has labels in both
		}
		want := onSeveral(t, device, 1, n, cfg)
		weights := values(t, want.model, "model.layers.1.mlp.up_proj.weight")
		for devs := 2; devs <= 3; devs++ {
			got, again := onSeveral(t, device, devs, n, cfg), onSeveral(t, device, devs, n, cfg)
			for i, a := range want.Log {
				b, c := got.Log[i], again.Log[i]
				near := func(what string, x, y float64) {
					if !(math.Abs(x-y) <= 2e-4*(math.Abs(x)+1e-3)) {
						t.Errorf("%s on %d devices, update %d: %s is %.9g; on one %.9g", name, devs, i+1, what, y, x)
					}
				}
				near("the loss", a.Loss, b.Loss)
				near("the norm", a.GradNorm, b.GradNorm)
				for j := range a.BySource {
					if !math.IsNaN(a.BySource[j]) {
						near("a source's loss", a.BySource[j], b.BySource[j])
					}
				}
				for j := range a.Validation {
					near("the validation's loss", a.Validation[j], b.Validation[j])
				}
				if a.Supervised != b.Supervised || a.Tokens != b.Tokens || a.LR != b.LR || a.Epoch != b.Epoch {
					t.Errorf("%s on %d devices: %+v; on one %+v", name, devs, b, a)
				}
				if b.Loss != c.Loss || b.GradNorm != c.GradNorm {
					t.Errorf("%s on %d devices, update %d: loss %v, norm %v; a second time %v, %v", name, devs, i+1, b.Loss, b.GradNorm, c.Loss, c.GradNorm)
				}
			}
			if fingerprint(t, got.model) != fingerprint(t, again.model) {
				t.Errorf("%s on %d devices: other weights a second time", name, devs)
			}
			for i, x := range values(t, got.model, "model.layers.1.mlp.up_proj.weight") {
				if math.Abs(float64(x-weights[i])) > 2e-3 {
					t.Errorf("%s on %d devices: weight %d is %v; on one %v", name, devs, i, x, weights[i])
				}
			}
		}
	}
}

// The loss is divided by the labels of the whole update: one target of loss x on one device and three of loss y on another give (x+3y)/4, and
// the gradients' norm of one device.
func TestLossIsPerTokenOfAllDevices(t *testing.T) {
	x := int32(backend.IgnoreIndex)
	seqs := []data.Sequence{{IDs: []int32{1, 2, 3, 4}, Targets: []int32{2, x, x, x}}, {IDs: []int32{4, 5, 6, 7}, Targets: []int32{5, 6, 7, x}, Row: 1}}
	devs := several("cpu", 2)
	var log []Report
	for n := 1; n <= 2; n++ {
		m, err := tinyModel(t, "cpu").On(devs[0])
		if err != nil {
			t.Fatal(err)
		}
		var nll [2]float64
		for i := range seqs {
			if nll[i], _, err = Loss(m, seqs[i:i+1], 100); err != nil {
				t.Fatal(err)
			}
		}
		tr, err := New(m, seqs, []string{"a"}, Config{LR: 1e-3, Steps: 1, BatchSize: 2, Clip: -1, Devices: devs[:n]})
		if err != nil {
			t.Fatal(err)
		}
		if s := tr.shares([]int{0, 1}); n == 2 && (len(s[0]) != 1 || len(s[1]) != 1) {
			t.Fatalf("the shares are %v; wanted an example each", s)
		}
		if err := tr.Run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		log = append(log, tr.Log[0])
		if want := (nll[0] + nll[1]) / 4; math.Abs(tr.Log[0].Loss-want) > 1e-6*want {
			t.Errorf("%d devices: loss %v; wanted %v", n, tr.Log[0].Loss, want)
		}
	}
	if a, b := log[0].GradNorm, log[1].GradNorm; math.Abs(a-b) > 1e-5*a {
		t.Errorf("the norm is %v on two devices; on one %v", b, a)
	}
}

// A run that is stopped goes on from its checkpoint on any number of devices: on the same number to the same bits.
func TestResumeOnOtherDevices(t *testing.T) {
	for _, c := range [][2]int{{2, 2}, {3, 1}, {1, 2}, {2, 3}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			cfg := Config{LR: 1e-2, Steps: 8, BatchSize: 4, Seed: 3, Optimizer: "adamw8bit", EMA: 0.9}
			want := onSeveral(t, "cpu", c[0], 20, cfg)
			cfg.Dir, cfg.Every = t.TempDir(), 3
			ctx, stop := context.WithCancel(context.Background())
			devs := several("cpu", c[0])
			m, err := tinyModel(t, "cpu").On(devs[0])
			if err != nil {
				t.Fatal(err)
			}
			first := cfg
			first.Devices = devs
			tr, err := New(m, sequences(20), []string{"a", "b"}, first)
			if err != nil {
				t.Fatal(err)
			}
			if err := tr.Run(ctx, func(r Report) {
				if r.Step == 4 {
					stop()
				}
			}); !errors.Is(err, ErrInterrupted) {
				t.Fatal(err)
			}
			got := onSeveral(t, "cpu", c[1], 20, cfg)
			if len(got.Log) != 8 {
				t.Fatalf("%d updates in the log; wanted 8", len(got.Log))
			}
			for i := range want.Log {
				a, b := want.Log[i], got.Log[i]
				if math.Abs(a.Loss-b.Loss) > 1e-4*a.Loss || c[0] == c[1] && a.Loss != b.Loss {
					t.Errorf("update %d: loss %v; without a stop %v", i+1, b.Loss, a.Loss)
				}
			}
			if same := fingerprint(t, want.model) == fingerprint(t, got.model); c[0] == c[1] && !same {
				t.Error("other weights than without a stop")
			}
		})
	}
}

// Shares are runs of whole groups in the order of the update, of nearly as many tokens each, and none is lost.
func TestShares(t *testing.T) {
	r := tensor.NewRNG(1, "shares")
	for n := 1; n <= 5; n++ {
		for range 50 {
			tr := &Trainer{devices: several("ref", n), cfg: Config{MicroTokens: 20}}
			var which []int
			longest, total := 0, 0
			for i := range 1 + r.Intn(20) {
				size := 1 + r.Intn(12)
				tr.seqs = append(tr.seqs, data.Sequence{IDs: slices.Repeat([]int32{int32(i)}, size), Targets: make([]int32, size)})
				which = append(which, i)
				longest, total = max(longest, size), total+size
			}
			slices.Reverse(which)
			var seen []int
			shares := tr.shares(which)
			for i, s := range shares {
				size := 0
				for _, b := range s {
					size += len(b.IDs)
					for _, g := range b.Segments {
						seen = append(seen, int(b.IDs[g.QStart]))
					}
				}
				if d := math.Abs(float64(size) - float64(total)/float64(n)); d > float64(longest) {
					t.Errorf("device %d of %d has %d of %d tokens; documents have at most %d", i, n, size, total, longest)
				}
			}
			if !slices.Equal(seen, which) || len(shares) != n {
				t.Errorf("%d shares of %v: %v", len(shares), which, seen)
			}
		}
	}
}

// named is a device by another name, which may have little room.
type named struct {
	*cpu.Backend
	name string
	room int64
	fail *int // Downloads until a failure; nil for none
}

func (d *named) Name() string { return d.name }

func (d *named) Available() (int64, error) {
	if d.room == 0 {
		return 1 << 40, nil
	}
	return d.room, nil
}

func (d *named) Download(x []float32, b backend.Buffer) error {
	if d.fail != nil {
		if *d.fail--; *d.fail < 0 {
			return errors.New("the device was lost")
		}
	}
	return d.Backend.Download(x, b)
}

// What cannot be is refused before anything is put on a device, and names both sides.
func TestDevicesRefused(t *testing.T) {
	device := func(name string) *named { return &named{Backend: cpu.New(1), name: name} }
	one, two, other := device("card"), device("card:1"), device("card-bf16:2")
	full := &named{Backend: cpu.New(1), name: "card:3", room: 1000}
	narrow := &named{Backend: cpu.New(1), name: "card:4", room: 8000}
	p := Part{Name: "p", Units: supervised, Loss: NextToken().Loss}
	for want, cfg := range map[string]Config{
		`Devices: the model lies on card, which is none of ["card:1" "card-bf16:2"]`:                     {Devices: []backend.Backend{two, other}},
		"Devices: card and card-bf16:2 are of unlike kinds":                                              {Devices: []backend.Backend{one, two, other}},
		"Devices: card:1 is named twice":                                                                 {Devices: []backend.Backend{two, one, two}},
		"BatchSize: is 1; wanted at least one example for each of 2 devices":                             {Devices: []backend.Backend{one, two}, BatchSize: 1},
		`Devices: the loss "p" of objective o is computed on one device; there are 2`:                    {Devices: []backend.Backend{one, two}, Objective: &Objective{Name: "o", Parts: []Part{p}}},
		"a copy of the model takes 0.00 GB; device card:3 has 0.00 GB left":                              {Devices: []backend.Backend{one, full}},
		"the run would take 0.00 GB besides the model: gradients and activations of passes of up to":     {Devices: []backend.Backend{one, two}, MemoryLimit: 100},
		"optimizer 0.00 GB, copies of the weights 0.00 GB; device card:4 has 0.00 GB left; lower MicroT": {Devices: []backend.Backend{one, two, narrow}},
	} {
		m, err := tinyModel(t, "cpu").On(one)
		if err != nil {
			t.Fatal(err)
		}
		cfg.LR, cfg.Steps = 1e-3, 1
		if _, err := New(m, sequences(8), []string{"a", "b"}, cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; wanted %s", err, want)
		}
		for _, p := range m.Params() {
			if p.Trained || p.Grad != nil {
				t.Fatalf("%s: %s is still trained", want, p.Name)
			}
		}
	}
}

// A device that fails in an update is named, the checkpoint before stays, and the run can be taken up without it.
func TestDeviceFails(t *testing.T) {
	cfg := Config{LR: 1e-2, Steps: 6, BatchSize: 4, Seed: 3, Dir: t.TempDir(), Every: 2}
	run := func(devs ...backend.Backend) (*Trainer, error) {
		m, err := tinyModel(t, "cpu").On(devs[0])
		if err != nil {
			t.Fatal(err)
		}
		cfg := cfg
		cfg.Devices = devs
		tr, err := New(m, sequences(20), []string{"a", "b"}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return tr, tr.Run(context.Background(), nil)
	}
	left := 3
	if _, err := run(&named{Backend: cpu.New(1), name: "card"}, &named{Backend: cpu.New(1), name: "card:1", fail: &left}); err == nil || err.Error() != "train: device card:1: the device was lost" {
		t.Errorf("%v; wanted the device's name", err)
	}
	tr, err := run(several("cpu", 1)...)
	if err != nil || len(tr.Log) != 6 {
		t.Errorf("%v, %d updates", err, len(tr.Log))
	}
	if _, err := os.Stat(stepFile(cfg.Dir, checkpointPrefix, 6)); err != nil {
		t.Error(err)
	}
}

// A panic on a device's thread comes out of Step, where it can be caught.
func TestDevicePanics(t *testing.T) {
	tr := &Trainer{replicas: []*replica{{dev: ref.New()}, {dev: ref.New()}}}
	defer func() {
		if got := recover(); got != "shapes" {
			t.Errorf("%v came out; wanted the panic", got)
		}
	}()
	tr.each(func(i int, _ *replica) error {
		if i == 1 {
			panic("shapes")
		}
		return nil
	})
}
