package model_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
	"tunebook/engine/weights"
)

// eachFamily calls f with every golden model, on both backends.
func eachFamily(t *testing.T, f func(t *testing.T, m *model.Model)) {
	dirs, err := filepath.Glob("testdata/*/config.json")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no models in testdata: %v", err)
	}
	for _, path := range dirs {
		for _, name := range []string{"ref", "cpu"} {
			dir := filepath.Dir(path)
			t.Run(filepath.Base(dir)+"/"+name, func(t *testing.T) { f(t, bare(t, device(t, name), dir)) })
		}
	}
}

// Greedy text from the cache, in any batch, is what a forward pass over the whole sequence gives, whatever the family:
// windows, learned positions and norms on heads meet the cache too.
func TestGenerateInEveryFamily(t *testing.T) {
	eachFamily(t, func(t *testing.T, m *model.Model) {
		if m.Encoder() {
			if _, err := m.Generate(context.Background(), [][]int32{{1}}, model.Greedy{MaxNew: 1}, nil); err == nil || !strings.Contains(err.Error(), "an encoder") {
				t.Errorf("an encoder generates: %v", err)
			}
			return
		}
		r := tensor.NewRNG(1, "prompts")
		var prompts [][]int32
		for _, n := range []int{7, 1, 12, 3} {
			p := make([]int32, n)
			for i := range p {
				p[i] = int32(r.Intn(m.Config.VocabSize))
			}
			prompts = append(prompts, p)
		}
		const maxNew = 9
		var want [][]int32
		for _, p := range prompts {
			ids := slices.Clone(p)
			for range maxNew {
				in := model.Input{IDs: ids, Segments: &backend.Segments{List: []backend.Segment{{QLen: len(ids), KLen: len(ids)}}}}
				for j := range ids {
					in.Positions = append(in.Positions, int32(j))
				}
				tape := grad.New(m.Device(), false)
				x := make([]float32, m.Config.VocabSize)
				if err := m.Device().Download(x, m.Logits(tape, in, []int32{int32(len(ids) - 1)}).Value); err != nil {
					t.Fatal(err)
				}
				tape.Free()
				ids = append(ids, int32(slices.Index(x, slices.Max(x))))
			}
			want = append(want, ids[len(p):])
		}
		for _, batch := range []int{1, 3} {
			got, err := m.Generate(context.Background(), prompts, model.Greedy{MaxNew: maxNew, Batch: batch}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if !slices.Equal(got[i], want[i]) {
					t.Errorf("batch %d, prompt %d: %v; wanted %v", batch, i, got[i], want[i])
				}
			}
		}
	})
}

// The loss and every gradient of a pack are the sums of its documents', whatever the family.
func TestPackInEveryFamily(t *testing.T) {
	eachFamily(t, func(t *testing.T, m *model.Model) {
		g := readGolden(t, filepath.Join("testdata", filepath.Base(m.Name)))
		for _, p := range m.Params() {
			p.Grad = m.Device().Alloc(tensor.F32, p.Len())
		}
		run := func(in model.Input, targets []int32) float64 {
			tape := grad.New(m.Device(), true)
			defer tape.Free()
			var nll backend.Buffer
			n := len(in.IDs)
			if m.Encoder() { // as a decoder with its embedding for a head: a sum over documents too
				nll = tape.LinearCrossEntropy(m.Forward(tape, in), tape.Param(m.Params()[0]), tape.Ints(in.IDs), nil, 1)
			} else {
				nll, n = m.Loss(tape, in, targets, nil, 1)
			}
			tape.Backward()
			if n == 0 {
				return 0
			}
			host, sum := make([]float32, n), 0.0
			if err := m.Device().Download(host, nll); err != nil {
				t.Fatal(err)
			}
			for _, x := range host {
				sum += float64(x)
			}
			return sum
		}
		take := func() map[string][]float32 {
			out := map[string][]float32{}
			for _, p := range m.Params() {
				x := make([]float32, p.Len())
				if err := m.Device().Download(x, p.Grad); err != nil {
					t.Fatal(err)
				}
				out[p.Name] = x
				m.Device().Fill(p.Grad, 0)
			}
			return out
		}
		b := g.pack(0)
		whole := run(input(b), b.Targets)
		packed := take()
		sum := 0.0
		for _, s := range b.Segments {
			at, end := s.QStart, s.QStart+s.QLen
			one := model.Input{IDs: b.IDs[at:end], Positions: b.Positions[at:end],
				Segments: &backend.Segments{List: []backend.Segment{{QLen: s.QLen, KLen: s.QLen}}}}
			sum += run(one, b.Targets[at:end])
		}
		if relative(whole, sum) > 1e-6 {
			t.Errorf("the pack's loss is %.9g; the sum of its documents' %.9g", whole, sum)
		}
		for name, alone := range take() {
			largest := 0.0
			for _, v := range alone {
				largest = max(largest, math.Abs(float64(v)))
			}
			if d := distance(packed[name], alone) * largest; d > 1e-5*(1+largest) {
				t.Errorf("the gradient of %s differs by %.2g", name, d)
			}
		}
	})
}

// New makes a model of every family whose norms begin by changing nothing and whose configuration is written as it is read.
func TestNewInEveryFamily(t *testing.T) {
	eachFamily(t, func(t *testing.T, m *model.Model) {
		n, err := model.New(m.Device(), m.Config, 3)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := n.Config.File("F32")
		if err != nil {
			t.Fatal(err)
		}
		if c, err := model.ParseConfig(raw); err != nil || c != m.Config {
			t.Errorf("what is written is read as %+v, %v; wanted %+v", c, err, m.Config)
		}
		if m.Config.ModelType == "gpt_neox" && m.Device().Name() == "ref" { // writing waits for the disk: one stands for all
			want, err := n.Fingerprint()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := n.SaveBare(dir, "F32"); err != nil {
				t.Fatal(err)
			}
			if got, err := bare(t, m.Device(), dir).Fingerprint(); err != nil || got != want {
				t.Errorf("what was saved opens as another model: %v", err)
			}
		}
		for _, p := range n.Params() {
			if len(p.Shape) > 1 {
				continue
			}
			x := make([]float32, p.Len())
			if err := m.Device().Download(x, p.Value); err != nil {
				t.Fatal(err)
			}
			neutral := float32(1)
			if strings.HasSuffix(p.Name, ".bias") || m.Config.ModelType == "gemma" {
				neutral = 0
			}
			if slices.Min(x) != neutral || slices.Max(x) != neutral {
				t.Errorf("%s begins at %g … %g; wanted %g", p.Name, slices.Min(x), slices.Max(x), neutral)
			}
		}
	})
}

// A model for interleaved RoPE is saved for RoPE of halves, which is all that transformers knows, and computes the same.
func TestInterleavedIsSavedAsHalves(t *testing.T) {
	dev := device(t, "ref")
	g := readGolden(t, "testdata/llama-bias")
	c := bare(t, dev, g.dir).Config
	c.RopeInterleaved, c.InitializerRange = true, 0.3
	m, err := model.New(dev, c, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Params() { // biases of q and k are turned with their rows
		if strings.HasSuffix(p.Name, "_proj.bias") {
			r, x := tensor.NewRNG(1, p.Name), make([]float32, p.Len())
			for i := range x {
				x[i] = float32(0.3 * r.Norm())
			}
			dev.Upload(p.Value, x)
		}
	}
	dir := t.TempDir()
	if err := m.SaveBare(dir, "F32"); err != nil {
		t.Fatal(err)
	}
	n := bare(t, dev, dir)
	if n.Config.RopeInterleaved {
		t.Error("what was saved is still interleaved")
	}
	want := logits(t, m, g.pack(0))
	if d := distance(logits(t, n, g.pack(0)), want); !(d <= 1e-6) {
		t.Errorf("logits differ by %.2g; wanted at most 1e-6", d)
	}
	m.Config.RopeInterleaved = false
	if d := distance(logits(t, m, g.pack(0)), want); d < 1e-3 {
		t.Errorf("the pairing changes logits by %.2g only", d)
	}
}

// folder writes the llama golden's tensors in several files with an index, which change may spoil.
func folder(t *testing.T, change func(index map[string]string, files map[string][]weights.Tensor)) string {
	t.Helper()
	f, err := weights.OpenSafetensors("testdata/llama/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	index, files := map[string]string{}, map[string][]weights.Tensor{}
	for i, n := range f.Names() {
		x, err := f.Tensor(n)
		if err != nil {
			t.Fatal(err)
		}
		file := []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}[i%2]
		index[n] = file
		files[file] = append(files[file], x)
	}
	if change != nil {
		change(index, files)
	}
	dir := t.TempDir()
	for name, list := range files {
		w, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := weights.WriteSafetensors(w, list, nil, "F32"); err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
	if len(index) > 0 {
		raw, _ := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 1}, "weight_map": index})
		os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), raw, 0o644)
	}
	conf, _ := os.ReadFile("testdata/llama/config.json")
	os.WriteFile(filepath.Join(dir, "config.json"), conf, 0o644)
	return dir
}

func TestShards(t *testing.T) {
	dev := device(t, "ref")
	want, _ := bare(t, dev, "testdata/llama").Fingerprint()
	if got, err := bare(t, dev, folder(t, nil)).Fingerprint(); err != nil || got != want {
		t.Errorf("sharded, another model: %v", err)
	}
	const first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
	for _, c := range []struct {
		want   string
		change func(index map[string]string, files map[string][]weights.Tensor)
	}{
		{second, func(_ map[string]string, files map[string][]weights.Tensor) { delete(files, second) }},
		{"1 tensors are not where it says: lm_head.weight in " + second, func(index map[string]string, _ map[string][]weights.Tensor) { index["lm_head.weight"] = second }},
		{"1 lie where it does not say: lm_head.weight in " + first, func(index map[string]string, _ map[string][]weights.Tensor) { delete(index, "lm_head.weight") }},
		{"wanted a file of the folder itself", func(index map[string]string, _ map[string][]weights.Tensor) {
			index["lm_head.weight"] = "../x.safetensors"
		}},
		{"model.safetensors", func(index map[string]string, files map[string][]weights.Tensor) { clear(index) }},
		{"1 tensors are missing: lm_head.weight", func(index map[string]string, files map[string][]weights.Tensor) {
			delete(index, "lm_head.weight")
			files[first] = slices.DeleteFunc(files[first], func(x weights.Tensor) bool { return x.Name == "lm_head.weight" })
		}},
		{"1 are unknown: model.surprise", func(index map[string]string, files map[string][]weights.Tensor) {
			index["model.surprise"] = first
			files[first] = append(files[first], weights.Tensor{Name: "model.surprise", Shape: []int{1}, Data: []float32{1}})
		}},
	} {
		if _, err := model.OpenBare(dev, folder(t, c.change)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; wanted %q", err, c.want)
		}
	}
}

// rewrite copies a golden model's folder with its tensors changed.
func rewrite(t *testing.T, from string, change func(x []weights.Tensor) []weights.Tensor) string {
	t.Helper()
	f, err := weights.OpenSafetensors(filepath.Join(from, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []weights.Tensor
	for _, n := range f.Names() {
		x, err := f.Tensor(n)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, x)
	}
	dir := t.TempDir()
	w, err := os.Create(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := weights.WriteSafetensors(w, change(list), nil, "F32"); err != nil {
		t.Fatal(err)
	}
	conf, _ := os.ReadFile(filepath.Join(from, "config.json"))
	os.WriteFile(filepath.Join(dir, "config.json"), conf, 0o644)
	return dir
}

// Files as they lie on hubs: names without their first part, buffers that are no parameters, a tied head that is stored all
// the same. A tied head of other numbers is refused.
func TestOldFiles(t *testing.T) {
	dev := device(t, "ref")
	for _, c := range []struct {
		from   string
		change func(x []weights.Tensor) []weights.Tensor
	}{
		{"testdata/gpt2", func(x []weights.Tensor) []weights.Tensor {
			for i := range x {
				x[i].Name = strings.TrimPrefix(x[i].Name, "transformer.")
			}
			return append(x, weights.Tensor{Name: "h.0.attn.bias", Shape: []int{1}, Data: []float32{1}})
		}},
		{"testdata/llama", func(x []weights.Tensor) []weights.Tensor {
			return append(x, weights.Tensor{Name: "model.layers.0.self_attn.rotary_emb.inv_freq", Shape: []int{1}, Data: []float32{1}})
		}},
		{"testdata/qwen2", func(x []weights.Tensor) []weights.Tensor {
			i := slices.IndexFunc(x, func(w weights.Tensor) bool { return w.Name == "model.embed_tokens.weight" })
			return append(x, weights.Tensor{Name: "lm_head.weight", Shape: x[i].Shape, Data: x[i].Data})
		}},
	} {
		want, _ := bare(t, dev, c.from).Fingerprint()
		if got, err := bare(t, dev, rewrite(t, c.from, c.change)).Fingerprint(); err != nil || got != want {
			t.Errorf("%s: another model: %v", c.from, err)
		}
	}
	other := rewrite(t, "testdata/qwen2", func(x []weights.Tensor) []weights.Tensor {
		i := slices.IndexFunc(x, func(w weights.Tensor) bool { return w.Name == "model.embed_tokens.weight" })
		y := slices.Clone(x[i].Data)
		y[3]++
		return append(x, weights.Tensor{Name: "lm_head.weight", Shape: x[i].Shape, Data: y})
	})
	if _, err := model.OpenBare(dev, other); err == nil || !strings.Contains(err.Error(), "different numbers") {
		t.Errorf("a tied head of other numbers: %v", err)
	}
}

// Configurations as the published models have them, each read to the numbers that matter, and what is not implemented
// refused by its name.
func TestPublishedConfigs(t *testing.T) {
	for _, c := range []struct {
		name, text string
		ok         func(c model.Config) bool
	}{
		{"Llama 3.2 1B", `{"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":128000,"eos_token_id":[128001,128008,128009],
			"head_dim":64,"hidden_act":"silu","hidden_size":2048,"initializer_range":0.02,"intermediate_size":8192,"max_position_embeddings":131072,"mlp_bias":false,
			"model_type":"llama","num_attention_heads":32,"num_hidden_layers":16,"num_key_value_heads":8,"pretraining_tp":1,"rms_norm_eps":1e-05,
			"rope_scaling":{"factor":32.0,"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"},
			"rope_theta":500000.0,"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.45.0.dev0","use_cache":true,"vocab_size":128256}`,
			func(c model.Config) bool { return c.RopeScaling.Factor == 32 && c.Params() == 1235814400 }},
		{"Mistral 7B v0.1", `{"architectures":["MistralForCausalLM"],"bos_token_id":1,"eos_token_id":2,"hidden_act":"silu","hidden_size":4096,"initializer_range":0.02,
			"intermediate_size":14336,"max_position_embeddings":32768,"model_type":"mistral","num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,
			"rms_norm_eps":1e-05,"rope_theta":10000.0,"sliding_window":4096,"tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.34.0.dev0",
			"use_cache":true,"vocab_size":32000}`,
			func(c model.Config) bool { return c.SlidingWindow == 4096 && c.Params() == 7241732096 }},
		{"Qwen2.5 0.5B", `{"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151643,"hidden_act":"silu","hidden_size":896,
			"initializer_range":0.02,"intermediate_size":4864,"max_position_embeddings":32768,"max_window_layers":24,"model_type":"qwen2","num_attention_heads":14,
			"num_hidden_layers":24,"num_key_value_heads":2,"rms_norm_eps":1e-06,"rope_theta":1000000.0,"sliding_window":32768,"tie_word_embeddings":true,
			"torch_dtype":"bfloat16","transformers_version":"4.40.1","use_cache":true,"use_mrope":false,"use_sliding_window":false,"vocab_size":151936}`,
			func(c model.Config) bool { return c.SlidingWindow == 0 && c.Params() == 494032768 }},
		{"Qwen3 0.6B", `{"architectures":["Qwen3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":151643,"eos_token_id":151645,"head_dim":128,
			"hidden_act":"silu","hidden_size":1024,"initializer_range":0.02,"intermediate_size":3072,"max_position_embeddings":40960,"max_window_layers":28,
			"model_type":"qwen3","num_attention_heads":16,"num_hidden_layers":28,"num_key_value_heads":8,"rms_norm_eps":1e-06,"rope_scaling":null,
			"rope_theta":1000000,"sliding_window":null,"tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.51.0","use_cache":true,
			"use_sliding_window":false,"vocab_size":151936}`,
			func(c model.Config) bool { return c.HeadDim == 128 && c.Params() == 596049920 }},
		{"Gemma 2B", `{"architectures":["GemmaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"bos_token_id":2,"eos_token_id":1,"head_dim":256,
			"hidden_act":"gelu","hidden_activation":null,"hidden_size":2048,"initializer_range":0.02,"intermediate_size":16384,"max_position_embeddings":8192,
			"model_type":"gemma","num_attention_heads":8,"num_hidden_layers":18,"num_key_value_heads":1,"pad_token_id":0,"rms_norm_eps":1e-06,"rope_scaling":null,
			"rope_theta":10000.0,"torch_dtype":"bfloat16","transformers_version":"4.38.0.dev0","use_cache":true,"vocab_size":256000}`,
			func(c model.Config) bool { return c.TieWordEmbeddings && c.Params() == 2506172416 }},
		{"GPT-2", `{"activation_function":"gelu_new","architectures":["GPT2LMHeadModel"],"attn_pdrop":0.1,"bos_token_id":50256,"embd_pdrop":0.1,"eos_token_id":50256,
			"initializer_range":0.02,"layer_norm_epsilon":1e-05,"model_type":"gpt2","n_ctx":1024,"n_embd":768,"n_head":12,"n_layer":12,"n_positions":1024,
			"resid_pdrop":0.1,"summary_activation":null,"summary_first_dropout":0.1,"summary_proj_to_labels":true,"summary_type":"cls_index",
			"summary_use_proj":true,"task_specific_params":{"text-generation":{"do_sample":true,"max_length":50}},"vocab_size":50257}`,
			func(c model.Config) bool { return c.IntermediateSize == 3072 && c.Params() == 124439808 }},
		{"Pythia 160M", `{"architectures":["GPTNeoXForCausalLM"],"bos_token_id":0,"eos_token_id":0,"hidden_act":"gelu","hidden_size":768,"initializer_range":0.02,
			"intermediate_size":3072,"layer_norm_eps":1e-05,"max_position_embeddings":2048,"model_type":"gpt_neox","num_attention_heads":12,"num_hidden_layers":12,
			"rotary_emb_base":10000,"rotary_pct":0.25,"tie_word_embeddings":false,"torch_dtype":"float16","transformers_version":"4.24.0","use_cache":true,
			"use_parallel_residual":true,"vocab_size":50304}`,
			func(c model.Config) bool { return c.PartialRotaryFactor == 0.25 && c.Params() == 162322944 }},
	} {
		got, err := model.ParseConfig([]byte(c.text))
		if err != nil || !c.ok(got) {
			t.Errorf("%s: %v, %d parameters, %+v", c.name, err, got.Params(), got)
		}
		for _, key := range []string{`"quantization_config":{"bits":4}`, `"attn_logit_softcapping":50.0`, `"num_experts":8`} {
			if _, err := model.ParseConfig([]byte("{" + key + "," + c.text[1:])); err == nil || !strings.Contains(err.Error(), key[1:strings.IndexByte(key, ':')-1]) {
				t.Errorf("%s with %s: %v", c.name, key, err)
			}
		}
	}
	for key, text := range map[string]string{
		"model_type":         `{"model_type":"gemma2"}`,
		"use_sliding_window": `{"model_type":"qwen2","use_sliding_window":true}`,
		"sliding_window":     `{"model_type":"llama","sliding_window":4096}`,
		"layer_types":        `{"model_type":"qwen3","layer_types":["full_attention","sliding_attention"]}`,
		"rope_type":          `{"model_type":"llama","rope_scaling":{"rope_type":"yarn","factor":4}}`,
		"beta_fast":          `{"model_type":"llama","rope_scaling":{"rope_type":"linear","factor":4,"beta_fast":32}}`,
		"hidden_act":         `{"model_type":"mistral","hidden_act":"gelu"}`,
		"hidden_activation":  `{"model_type":"gemma","hidden_activation":"gelu"}`,
		"n_embd":             `{"model_type":"gpt2","n_embd":4,"hidden_size":4}`,
		"scale_attn_weights": `{"model_type":"gpt2","scale_attn_weights":false}`,
	} {
		if _, err := model.ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v; wanted %s in it", text, err, key)
		}
	}
}

// A GGUF file computes what the Hugging Face folder of the same weights does, and takes the same adapters.
func TestGGUFFamilies(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/model.gguf")
	if err != nil || len(paths) != 4 {
		t.Fatalf("%d GGUF files in testdata, %v; wanted 4", len(paths), err)
	}
	for _, path := range paths {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			dev, g := device(t, "cpu"), readGolden(t, dir)
			m, err := model.OpenBareGGUF(dev, path)
			if err != nil {
				t.Fatal(err)
			}
			if d := distance(logits(t, m, g.pack(0)), g.tensor(t, "logits")); !(d <= 1e-5) {
				t.Errorf("logits differ by %.2g; wanted at most 1e-5", d)
			}
			for which := range g.Adapters {
				n, err := model.OpenBareGGUF(dev, path)
				if err != nil {
					t.Fatal(err)
				}
				if err := model.OpenAdapter(n, filepath.Join(dir, "adapter-"+which)); err != nil {
					t.Fatal(err)
				}
				if d := distance(logits(t, n, g.pack(0)), g.tensor(t, which+".logits")); !(d <= 1e-5) {
					t.Errorf("logits with adapter %s differ by %.2g; wanted at most 1e-5", which, d)
				}
			}
		})
	}
}
