package model

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"tunebook/engine/weights"
)

const (
	ropeFactors  = "rope_freqs.weight"
	ggufTemplate = "tunebook.template" // the name of a built-in template; llama.cpp reads past it
)

// SaveGGUF writes the model with its tokenizer and chat template as one file that llama.cpp and Open read. as is "F32", "F16",
// "BF16", "Q8_0" or "Q4_0"; norms and biases stay F32. With Q4_0 the embedding and the head are Q8_0, and a matrix whose
// rows are no whole blocks of 32 is F16. An adapter is merged first. The file is replaced whole.
//
// A family or a feature for which the format or llama.cpp has no counterpart is refused by name.
func (m *Model) SaveGGUF(path, as string) error {
	if m.Tokenizer == nil {
		return fmt.Errorf("model.SaveGGUF: the model has no tokenizer")
	}
	meta, err := m.Tokenizer.GGUF(m.Config.VocabSize)
	if err != nil {
		return fmt.Errorf("model.SaveGGUF: %w", err)
	}
	if t := m.Template; t != nil {
		meta["tokenizer.chat_template"] = m.jinja()
		if t.Jinja == "" {
			meta[ggufTemplate] = t.Name
		}
	}
	return m.saveGGUF(path, as, meta)
}

// saveGGUF adds the model to the metadata of its tokenizer.
func (m *Model) saveGGUF(path, as string, meta map[string]any) error {
	fail := func(err error) error { return fmt.Errorf("model.SaveGGUF: %w", err) }
	var dtype weights.DType
	files := map[weights.DType]uint32{weights.F32: 0, weights.F16: 1, weights.Q4_0: 2, weights.Q8_0: 7, weights.BF16: 32} // general.file_type
	known := false
	for d := range files {
		if d.String() == as {
			dtype, known = d, true
		}
	}
	if !known {
		return fail(fmt.Errorf("elements of type %q; wanted F32, F16, BF16, Q8_0 or Q4_0", as))
	}
	if m.Adapter != nil {
		merged, err := m.Merge()
		if err != nil {
			return fail(err)
		}
		defer merged.Close()
		m = merged
	}
	c := m.Config
	arch := c.ModelType
	if arch == "mistral" && c.SlidingWindow == 0 {
		arch = "llama"
	}
	fam, ok := ggufFamilies[arch]
	switch {
	case c.ModelType == "mistral" && c.SlidingWindow > 0:
		return fail(fmt.Errorf("sliding_window: is %d; llama.cpp gives models of architecture llama none", c.SlidingWindow))
	case !ok:
		return fail(fmt.Errorf("model_type: is %q; wanted llama, mistral, qwen2, qwen3 or gemma", c.ModelType))
	case arch != "llama" && c.RopeScaling.RopeType == "llama3":
		return fail(fmt.Errorf("rope_scaling: \"llama3\" is written for architecture llama only, not %s", arch))
	}
	list, err := m.download(m.params, "")
	if err != nil {
		return fail(err)
	}
	if c.RopeScaling.RopeType == "llama3" {
		f := c.ropeFactors(c.RopeTheta, c.HeadDim)
		list = append(list, weights.Tensor{Name: ropeFactors, Shape: []int{len(f)}, Data: f})
	}
	var out []weights.GGUFTensor
	for _, t := range list {
		if fam.interleaved && !c.RopeInterleaved && turned(t.Name) {
			t.Data = neighbours(t.Data, t.Shape[0], c.HeadDim)
		}
		if fam.plusOne && strings.HasSuffix(t.Name, "norm.weight") {
			for i := range t.Data {
				t.Data[i]++
			}
		}
		to := dtype
		switch {
		case len(t.Shape) < 2:
			to = weights.F32
		case dtype >= weights.Q4_0 && t.Shape[1]%32 != 0:
			to = weights.F16
		case dtype == weights.Q4_0 && (t.Name == m.plan.embed+".weight" || t.Name == m.plan.head+".weight"):
			to = weights.Q8_0
		}
		out = append(out, weights.GGUFTensor{Tensor: t, As: to})
	}
	meta["general.architecture"] = arch
	meta["general.name"] = filepath.Base(m.Name)
	meta["general.file_type"] = files[dtype]
	if dtype >= weights.Q4_0 {
		meta["general.quantization_version"] = uint32(2)
	}
	for k, v := range map[string]int{"vocab_size": c.VocabSize, "context_length": c.MaxPositionEmbeddings, "embedding_length": c.HiddenSize,
		"block_count": c.NumHiddenLayers, "feed_forward_length": c.IntermediateSize, "attention.head_count": c.NumAttentionHeads,
		"attention.head_count_kv": c.NumKeyValueHeads, "attention.key_length": c.HeadDim, "attention.value_length": c.HeadDim,
		"rope.dimension_count": c.HeadDim} {
		meta[arch+"."+k] = uint32(v)
	}
	meta[arch+".attention.layer_norm_rms_epsilon"] = float32(c.RMSNormEps)
	meta[arch+".rope.freq_base"] = float32(c.RopeTheta)
	if c.RopeScaling.RopeType == "linear" {
		meta[arch+".rope.scaling.type"], meta[arch+".rope.scaling.factor"] = "linear", float32(c.RopeScaling.Factor)
	}
	if err := weights.AtomicWrite(path, func(w io.Writer) error { return weights.WriteGGUF(w, meta, out) }); err != nil {
		return fail(err)
	}
	return nil
}
