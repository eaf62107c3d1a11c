package train

import (
	"math"
	"strings"
	"testing"

	"tunebook/stdlib/model"
)

// A run on two simulated cards has the losses of one, says how they are joined, and is another run of the store, which a second one on
// the same cards is not.
func TestDevices(t *testing.T) {
	said := storeIn(t)
	base := tiny(model.Options{Device: "cuda-sim:0"})
	cfg := Config{LR: 1e-2, Steps: 2, BatchSize: 3, Seed: 1}
	one := Run(base, pets(), cfg)
	if strings.Contains(said.String(), "share the examples") {
		t.Errorf("one card says %q", said)
	}
	cfg.Devices = []string{"cuda-sim:0", "cuda-sim:1"}
	two, again := Run(base, pets(), cfg), Run(base, pets(), cfg)
	for i, r := range one.Log {
		if math.Abs(r.Loss-two.Log[i].Loss) > 1e-4*r.Loss {
			t.Errorf("update %d: loss %v on two cards; on one %v", i+1, two.Log[i].Loss, r.Loss)
		}
	}
	if two.Reused || two.ID == one.ID || !again.Reused || again.Model.Fingerprint() != two.Model.Fingerprint() {
		t.Errorf("runs %s on one card, %s on two (reused %v), %s a second time (reused %v)", one.ID, two.ID, two.Reused, again.ID, again.Reused)
	}
	if _, r := found(t, two.ID); !strings.HasPrefix(r.System.Device, "cuda-sim, cuda-sim:1: a simulated card") {
		t.Errorf("the record has the device %q", r.System.Device)
	}
	if want := "note: cuda-sim, cuda-sim:1 share the examples; gradients are added through the machine's memory; cuda: NCCL joins cards; cuda-sim is none"; !strings.Contains(said.String(), want) {
		t.Errorf("%q is not in %q", want, said)
	}
	one.Model.Close()
	base.Close()
	two.Model.Complete("who", 1) // holds what it needs
}

// Devices that are not there or do not go together are named.
func TestDevicesRefused(t *testing.T) {
	base := tiny()
	for want, cfg := range map[string]Config{
		`no device "cpu:1"`:                       {Devices: []string{"cpu", "cpu:1"}},
		"cpu and ref are of unlike kinds":         {Devices: []string{"cpu", "ref"}},
		"the model lies on cpu, which is none of": {Devices: []string{"ref", "cpu-bf16"}},
		`device "cuda-sim:x": the number`:         {Devices: []string{"cuda-sim:x"}},
	} {
		cfg.LR, cfg.NoStore = 1e-3, true
		if msg := stopped(t, func() { Run(base, pets(), cfg) }); !strings.Contains(msg, want) {
			t.Errorf("%q is not in %q", want, msg)
		}
	}
}
