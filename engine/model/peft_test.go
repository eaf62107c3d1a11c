package model_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/model"
	"tunebook/engine/train"
	"tunebook/engine/weights"
)

func device(t *testing.T, name string) backend.Backend {
	t.Helper()
	dev, err := backend.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

func bare(t *testing.T, dev backend.Backend, dir string) *model.Model {
	t.Helper()
	m, err := model.OpenBare(dev, dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// eachAdapter calls f for every adapter of the goldens, on both backends.
func eachAdapter(t *testing.T, f func(t *testing.T, dev backend.Backend, g *golden, which string)) {
	dirs, err := filepath.Glob("testdata/*/adapter-*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no adapters in testdata: %v", err)
	}
	for _, dir := range dirs {
		for _, name := range []string{"ref", "cpu"} {
			which := strings.TrimPrefix(filepath.Base(dir), "adapter-")
			t.Run(filepath.Base(filepath.Dir(dir))+"/"+which+"/"+name, func(t *testing.T) {
				f(t, device(t, name), readGolden(t, filepath.Dir(dir)), which)
			})
		}
	}
}

// What PEFT trained and saved gives PEFT's logits, also merged, and what we save of it reads back to the same bits.
func TestOpenAdapter(t *testing.T) {
	eachAdapter(t, func(t *testing.T, dev backend.Backend, g *golden, which string) {
		m := bare(t, dev, g.dir)
		base := logits(t, m, g.pack(0))
		if err := model.OpenAdapter(m, filepath.Join(g.dir, "adapter-"+which)); err != nil {
			t.Fatal(err)
		}
		want := g.tensor(t, which+".logits")
		got := logits(t, m, g.pack(0))
		if d := distance(got, want); !(d <= 1e-5) {
			t.Errorf("logits with the adapter differ by %.2g; wanted at most 1e-5", d)
		}
		if d := distance(base, want); d < 1e-2 {
			t.Errorf("the adapter changes logits by %.2g only", d)
		}
		merged, err := m.Merge()
		if err != nil {
			t.Fatal(err)
		}
		if d := distance(logits(t, merged, g.pack(0)), want); !(d <= 1e-5) {
			t.Errorf("logits of the merged model differ by %.2g; wanted at most 1e-5", d)
		}
		dir := t.TempDir()
		if err := m.SaveAdapter(dir); err != nil {
			t.Fatal(err)
		}
		n := bare(t, dev, g.dir)
		if err := model.OpenAdapter(n, dir); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(logits(t, n, g.pack(0)), got) {
			t.Error("a saved adapter gives other logits")
		}
	})
}

// adapterSteps: ten updates of an adapter from PEFT's own A give PEFT's losses, and move the base model by no bit.
func adapterSteps(t *testing.T, dev backend.Backend, g *golden, which string) {
	m := bare(t, dev, g.dir)
	before, err := m.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	theirs := bare(t, dev, g.dir)
	if err := model.OpenAdapter(theirs, filepath.Join(g.dir, "adapter-"+which)); err != nil {
		t.Fatal(err)
	}
	want := g.Adapters[which]
	steps(t, g, m, train.Config{LoRA: theirs.Adapter.LoRA}, g.LoRA, want.Losses, want.Norms, func() {
		for _, p := range m.Adapter.Params() {
			if strings.HasSuffix(p.Name, ".lora_A.weight") {
				dev.Upload(p.Value, g.tensor(t, which+".base_model.model."+p.Name))
			}
		}
	})
	decays(t, m.Adapter.Params(), want.Decayed)
	if d := distance(logits(t, m, g.pack(0)), g.tensor(t, which+".logits")); !(d <= 1e-4) {
		t.Errorf("logits after training differ by %.2g; wanted at most 1e-4", d)
	}
	m.Adapter = nil
	if after, err := m.Fingerprint(); err != nil || after != before {
		t.Errorf("the base model changed: %v", err)
	}
}

// A folder that is no adapter of this model is refused with the reason.
func TestOpenAdapterRefuses(t *testing.T) {
	const from = "testdata/llama/adapter-qv"
	conf, err := os.ReadFile(filepath.Join(from, "adapter_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(from, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	dev := device(t, "ref")
	for _, c := range []struct{ old, with, want string }{
		{`"use_dora": false`, `"use_dora": true`, "4 tensors are missing: base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector"},
		{`"peft_type": "LORA"`, `"peft_type": "LOHA"`, "peft_type"},
		{`"bias": "none"`, `"bias": "all"`, "bias"},
		{`"modules_to_save": null`, `"modules_to_save": ["lm_head"]`, "modules_to_save"},
		{`"rank_pattern": {}`, `"rank_pattern": {"q_proj": 8}`, "rank_pattern"},
		{`"init_lora_weights": true`, `"init_lora_weights": "pissa"`, "init_lora_weights"},
		{`"revision": null`, `"a_new_key": 7`, "a_new_key"},
		{`"v_proj"`, `"k_proj"`, "4 tensors are missing: base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight"},
		{`"v_proj"`, `"lm_head"`, "lm_head is the head"},
		{`"r": 4`, `"r": 8`, "[4 16]"},
	} {
		dir := t.TempDir()
		changed := strings.Replace(string(conf), c.old, c.with, 1)
		if changed == string(conf) {
			t.Fatalf("the configuration has no %s", c.old)
		}
		os.WriteFile(filepath.Join(dir, "adapter_config.json"), []byte(changed), 0o644)
		os.WriteFile(filepath.Join(dir, "adapter_model.safetensors"), file, 0o644)
		m := bare(t, dev, "testdata/llama")
		if err := model.OpenAdapter(m, dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; wanted %q", c.with, err, c.want)
		}
		if m.Adapter != nil {
			t.Errorf("%s: the model has an adapter", c.with)
		}
	}
	m := bare(t, dev, "testdata/llama")
	if err := model.OpenAdapter(m, from); err != nil {
		t.Fatal(err)
	}
	if err := model.OpenAdapter(m, from); err == nil {
		t.Error("a second adapter was put on the model")
	}
}

// Where TUNEBOOK_PYTHON names a Python with the packages, transformers loads every model that we save, and PEFT every
// adapter, and both give our logits.
func TestTransformersLoadsOurs(t *testing.T) {
	python := os.Getenv("TUNEBOOK_PYTHON")
	if python == "" {
		t.Skip("TUNEBOOK_PYTHON names no Python with torch, transformers and peft")
	}
	theirs := func(t *testing.T, g *golden, dir, adapter string) []float32 {
		t.Helper()
		out := filepath.Join(t.TempDir(), "out.safetensors")
		if msg, err := offline(python, "testdata/loads.py", dir, adapter, filepath.Join(g.dir, "golden.json"), out).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, msg)
		}
		f, err := weights.OpenSafetensors(out)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		x, err := f.Tensor("logits")
		if err != nil {
			t.Fatal(err)
		}
		return x.Data
	}
	dirs, err := filepath.Glob("testdata/*/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	dev := device(t, "cpu")
	for _, path := range dirs {
		g := readGolden(t, filepath.Dir(path))
		t.Run(filepath.Base(g.dir), func(t *testing.T) {
			m := bare(t, dev, g.dir)
			dir := t.TempDir()
			if err := m.SaveBare(dir, "F32"); err != nil {
				t.Fatal(err)
			}
			if d := distance(theirs(t, g, dir, "-"), logits(t, m, g.pack(0))); !(d <= 1e-5) {
				t.Errorf("logits differ by %.2g; wanted at most 1e-5", d)
			}
			for which := range g.Adapters {
				n := bare(t, dev, g.dir)
				if err := model.OpenAdapter(n, filepath.Join(g.dir, "adapter-"+which)); err != nil {
					t.Fatal(err)
				}
				ours := t.TempDir()
				if err := n.SaveAdapter(ours); err != nil {
					t.Fatal(err)
				}
				if d := distance(theirs(t, g, dir, ours), logits(t, n, g.pack(0))); !(d <= 1e-5) {
					t.Errorf("adapter %s: logits differ by %.2g; wanted at most 1e-5", which, d)
				}
			}
		})
	}
}
