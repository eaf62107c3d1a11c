package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"tunebook/engine/grad"
	"tunebook/engine/weights"
)

// The files of a PEFT adapter's folder.
const (
	adapterConfig  = "adapter_config.json"
	adapterWeights = "adapter_model.safetensors"
)

// adapterPrefix is what PEFT puts before the names of the model's modules.
const adapterPrefix = "base_model.model."

// adapterFile is what we read of an adapter_config.json, and what we write.
type adapterFile struct {
	PeftType string          `json:"peft_type"`
	R        int             `json:"r"`
	Alpha    float64         `json:"lora_alpha"`
	Targets  json.RawMessage `json:"target_modules"`
	RSLoRA   bool            `json:"use_rslora"`
	DoRA     bool            `json:"use_dora"`
	Bias     string          `json:"bias"`
	Init     json.RawMessage `json:"init_lora_weights"`
}

// adapterHarmless are keys of an adapter_config.json that change nothing in the forward pass.
var adapterHarmless = map[string]bool{
	"auto_mapping": true, "base_model_name_or_path": true, "revision": true, "task_type": true, "inference_mode": true,
	"peft_version": true, "lora_dropout": true, "megatron_core": true, "qalora_group_size": true, "layers_pattern": true,
	"fan_in_fan_out": true, // how the module's weight lies, which we know
}

// errInterleaved: only New makes such a model; one that is opened turns halves.
var errInterleaved = errors.New("the model has rope_interleaved, and PEFT's files are for RoPE of halves; save and open the model first")

// parseAdapter reads an adapter_config.json. A key that would change the forward pass and that we do not implement is
// refused by name; one that is null, false or empty is off.
func parseAdapter(raw []byte) (LoRA, error) {
	var f adapterFile
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return LoRA{}, err
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return LoRA{}, err
	}
	for _, k := range []string{"peft_type", "r", "lora_alpha", "target_modules", "use_rslora", "use_dora", "bias", "init_lora_weights"} {
		delete(all, k)
	}
	var unknown []string
	for k, v := range all {
		if adapterHarmless[k] || slices.Contains([]string{"null", "false", "{}", "[]", `""`}, string(v)) {
			continue
		}
		unknown = append(unknown, k)
	}
	sort.Strings(unknown)
	l := LoRA{Rank: f.R, Alpha: f.Alpha, RSLoRA: f.RSLoRA, DoRA: f.DoRA}
	switch err := json.Unmarshal(f.Targets, &l.Targets); {
	case f.PeftType != "LORA":
		return l, fmt.Errorf("peft_type: is %q; only \"LORA\" is implemented", f.PeftType)
	case len(unknown) > 0:
		return l, fmt.Errorf("keys that are not implemented: %s", strings.Join(unknown, ", "))
	case f.Bias != "" && f.Bias != "none":
		return l, fmt.Errorf("bias: is %q; only \"none\" is implemented", f.Bias)
	case f.R <= 0:
		return l, fmt.Errorf("r: is %d; wanted at least 1", f.R)
	case !(f.Alpha > 0):
		return l, fmt.Errorf("lora_alpha: is %g; wanted a positive number", f.Alpha)
	case string(f.Targets) == `"all-linear"`:
		l.Targets = nil
	case err != nil || len(l.Targets) == 0:
		return l, fmt.Errorf("target_modules: is %s; wanted a list of module names or \"all-linear\"", f.Targets)
	}
	// The other ways to begin change the base model's weights too, which an adapter's file does not tell.
	switch init := string(f.Init); init {
	case "", "null", "true", "false", `"gaussian"`, `"orthogonal"`, `"eva"`:
	default:
		return l, fmt.Errorf("init_lora_weights: is %s, which changes the base model; only adapters that leave it as it is are implemented", init)
	}
	return l, nil
}

// OpenAdapter puts the adapter of a PEFT folder (adapter_config.json, adapter_model.safetensors) on the model. The file must
// hold A, B and, with use_dora, the magnitudes of exactly the modules that the configuration targets: missing and unknown names are an error that lists
// them. The model must not have an adapter.
func OpenAdapter(m *Model, dir string) error {
	fail := func(err error) error { return fmt.Errorf("model.OpenAdapter: %s: %w", dir, err) }
	if m.Adapter != nil {
		return fail(fmt.Errorf("the model has an adapter of rank %d already", m.Adapter.Rank))
	}
	if m.Config.RopeInterleaved {
		return fail(errInterleaved)
	}
	raw, err := os.ReadFile(filepath.Join(dir, adapterConfig))
	if err != nil {
		return fmt.Errorf("model.OpenAdapter: %w", err)
	}
	l, err := parseAdapter(raw)
	if err != nil {
		return fail(fmt.Errorf("%s: %w", adapterConfig, err))
	}
	ad, err := m.newAdapter(l)
	if err != nil {
		return fail(err)
	}
	f, err := weights.OpenSafetensors(filepath.Join(dir, adapterWeights))
	if err != nil {
		return fmt.Errorf("model.OpenAdapter: %w", err)
	}
	defer f.Close()
	if err := fillAdapter(m, ad.params, f); err != nil {
		return fail(err)
	}
	m.Adapter = ad
	return m.dev.Sync()
}

// fillAdapter reads every parameter of an adapter from a file that must hold them and no other.
func fillAdapter(m *Model, params []*grad.Param, f *weights.Safetensors) error {
	left := map[string]bool{}
	for _, n := range f.Names() {
		left[n] = true
	}
	var missing, unknown []string
	for _, p := range params {
		if name := adapterPrefix + p.Name; !left[name] {
			missing = append(missing, name)
		} else {
			delete(left, name)
		}
	}
	for n := range left {
		unknown = append(unknown, n)
	}
	if len(missing)+len(unknown) > 0 {
		sort.Strings(unknown)
		return fmt.Errorf("%s: %d tensors are missing: %s; %d are unknown: %s", adapterWeights, len(missing), some(missing), len(unknown), some(unknown))
	}
	for _, p := range params {
		t, err := f.Tensor(adapterPrefix + p.Name)
		if err != nil {
			return err
		}
		if !slices.Equal(t.Shape, p.Shape) {
			return fmt.Errorf("%s: tensor %s is %v; the model and r make it %v", adapterWeights, t.Name, t.Shape, p.Shape)
		}
		m.dev.Upload(p.Value, t.Data)
	}
	return nil
}

// SaveAdapter writes the model's adapter as a folder that OpenAdapter and PEFT read, in float32. Each file is replaced whole;
// the configuration comes last.
func (m *Model) SaveAdapter(dir string) error {
	if m.Adapter == nil {
		return fmt.Errorf("model.SaveAdapter: the model has no adapter")
	}
	if m.Config.RopeInterleaved {
		return fmt.Errorf("model.SaveAdapter: %w", errInterleaved)
	}
	list, err := m.download(m.Adapter.params, adapterPrefix)
	if err != nil {
		return err
	}
	targets := slices.Clone(m.Adapter.Targets)
	sort.Strings(targets)
	task := "CAUSAL_LM"
	if m.Encoder() {
		task = "FEATURE_EXTRACTION"
	}
	conf, err := json.MarshalIndent(map[string]any{
		"peft_type": "LORA", "task_type": task, "base_model_name_or_path": m.Name, "inference_mode": true,
		"r": m.Adapter.Rank, "lora_alpha": m.Adapter.Alpha, "use_rslora": m.Adapter.RSLoRA, "target_modules": targets,
		"lora_dropout": 0.0, "bias": "none", "fan_in_fan_out": m.plan.transposed, "init_lora_weights": true,
		"modules_to_save": nil, "use_dora": m.Adapter.DoRA,
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("model.SaveAdapter: %w", err)
	}
	err = writeFiles(dir, []file{
		{adapterWeights, func(w io.Writer) error {
			return weights.WriteSafetensors(w, list, map[string]string{"format": "pt"}, "F32")
		}},
		whole(adapterConfig, conf),
	})
	if err != nil {
		return fmt.Errorf("model.SaveAdapter: %w", err)
	}
	return nil
}
