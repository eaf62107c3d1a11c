// Package model is how a script gets a language model, asks it, and saves it.
//
//	base := model.Open("base")                     // the small model inside the binary
//	smol := model.Open("SmolLM2-135M-Instruct.gguf") // a file or a folder
//	base.Ask("Where does Mira live?", 16)
package model

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu" // the devices that this binary has
	"tunebook/engine/backend/cuda"
	_ "tunebook/engine/backend/ref"
	core "tunebook/engine/model"
	"tunebook/engine/token"
	"tunebook/stdlib/host"
	"tunebook/stdlib/stop"
)

// Model is a decoder or an encoder with its tokenizer and its chat template. Training one makes a new one; a Model is never changed.
type Model struct {
	m     *core.Model
	seeds []int64

	once        sync.Once // fingerprint is computed at its first use: it reads all weights
	fingerprint string
	unread      error
}

// Config describes a decoder or an encoder, with the names of Hugging Face's config.json.
type Config = core.Config

// RopeScaling says how a Config's rotary angles were stretched for longer texts.
type RopeScaling = core.RopeScaling

// Pairing tells which two elements of a head the rotary embedding turns together, as Config.Pairing returns it.
type Pairing = backend.Pairing

// Options are the rarer choices of Open and New.
type Options struct {
	// Device is "cpu", "cpu-bf16" (the same with the operands of large products rounded to bf16; on AMD's processors from Zen 4
	// on by instructions that do two products at once, elsewhere no faster), "cuda" (an NVIDIA card), "cuda-bf16" (the same,
	// rounded likewise, on tensor cores), "ref" (the slow definition of right) or "cuda-sim" (a simulated card, slower still). "cuda:1"
	// is the second card, "cuda:0" the first by another name, and so for the three. Empty stands for the device that the
	// environment variable TUNEBOOK_DEVICE names, else "cuda" where there is a card, else "cpu".
	// Training runs where the model lies, or on several devices that train.Config names.
	Device string
	Quant  string // of Open: hold the weights in "q8_0", "q4_0", "nf4", "bf16", "int8" or "int4"; see Quantize. Empty for float32
}

func device(op string, opts []Options) backend.Backend {
	name := ""
	if len(opts) > 1 {
		stop.Now(op, fmt.Sprintf("%d Options given; wanted at most one", len(opts)), "")
	}
	if len(opts) == 1 && opts[0].Device != "" {
		name = opts[0].Device
	}
	if name == "" {
		name = cuda.DefaultDevice()
	}
	dev, err := backend.Open(name)
	stop.If(op, err)
	return dev
}

// Wrap makes a script's model of an engine's; seeds are those of the training runs that made it.
func Wrap(m *core.Model, seeds ...int64) *Model { return &Model{m: m, seeds: seeds} }

// Seeds returns the seeds of the training runs that made the model, none for one that was opened.
func (m *Model) Seeds() []int64 { return m.seeds }

// Engine returns the engine's model, for other packages of the script API.
func (m *Model) Engine() *core.Model { return m.m }

// Name returns what the model was opened or saved as.
func (m *Model) Name() string { return m.m.Name }

// Params returns the number of parameters, adapters not included.
func (m *Model) Params() int { return m.m.Config.Params() }

// Close gives back the memory that the model's weights take of its device, but for what models that it came from or that came from it
// still use. The model cannot be used afterwards. On a card a script that makes many models closes those it is done with: they
// would stay there until the program ends. On the other devices nobody has to.
func (m *Model) Close() { m.m.Close() }

// Config returns the model's shape.
func (m *Model) Config() Config { return m.m.Config }

// Fingerprint returns a SHA-256 over shape and weights: two models with the same one compute the same.
func (m *Model) Fingerprint() string {
	m.once.Do(func() { m.fingerprint, m.unread = m.m.Fingerprint() })
	stop.If("model.Fingerprint", m.unread)
	return m.fingerprint
}

// Ask returns the model's greedy answer of at most maxNew tokens to one user message, asked with its chat template.
func (m *Model) Ask(prompt string, maxNew int) string {
	const op = "model.Ask"
	if m.m.Template == nil {
		stop.Now(op, "the model has no chat template", "use Complete, which continues plain text")
	}
	enc, err := m.m.Template.Encode(m.m.Tokenizer, userMessage(prompt), true)
	stop.If(op, err)
	return strings.TrimSpace(m.generate(op, enc.IDs, m.m.Template.StopIDs(m.m.Tokenizer), maxNew))
}

// Complete returns the model's greedy continuation, at most maxNew tokens, of plain text.
func (m *Model) Complete(text string, maxNew int) string {
	tok := m.m.Tokenizer
	ids := tok.Encode(text)
	if tok.BOS() >= 0 && tok.AddBOS() {
		ids = append([]int32{tok.BOS()}, ids...)
	}
	var stops []int32
	if tok.EOS() >= 0 {
		stops = []int32{tok.EOS()}
	}
	return m.generate("model.Complete", ids, stops, maxNew)
}

func (m *Model) generate(op string, ids, stops []int32, maxNew int) string {
	out, err := m.m.Generate(host.Context(), [][]int32{ids}, core.Greedy{MaxNew: maxNew, Stops: stops}, nil)
	stop.If(op, err)
	return m.m.Tokenizer.DecodeNext(out[0])
}

// Save writes the model as a folder that Open and Hugging Face's transformers read and returns its absolute path.
// An adapter is merged into the weights first. dtype is "F32", "F16" or "BF16".
func (m *Model) Save(dir, dtype string) string {
	stop.If("model.Save", m.m.Save(dir, dtype))
	abs, err := filepath.Abs(dir)
	stop.If("model.Save", err)
	return abs
}

// SaveGGUF writes the model with its tokenizer as one file that llama.cpp and Open read and returns its absolute path. An
// adapter is merged first. as is "F32", "F16", "BF16", "Q8_0" or "Q4_0".
func (m *Model) SaveGGUF(path, as string) string {
	stop.If("model.SaveGGUF", m.m.SaveGGUF(path, as))
	abs, err := filepath.Abs(path)
	stop.If("model.SaveGGUF", err)
	return abs
}

// Quantize returns the model with its weights held in fewer bits, to generate with or to train adapters on: "q8_0", "q4_0",
// "nf4", "bf16", or "int8" and "int4", which are q8_0 and q4_0 with activations rounded to 8 bits before each product.
func (m *Model) Quantize(form string) *Model {
	const op = "model.Quantize"
	n, err := m.m.Quantize(quant(op, form))
	stop.If(op, err)
	return &Model{m: n, seeds: m.seeds}
}

func quant(op, form string) backend.Quant {
	for _, q := range backend.Quants {
		if q.String() == form {
			return q
		}
	}
	stop.Now(op, fmt.Sprintf("the form of quantisation is %q", form), `use "q8_0", "q4_0", "nf4", "bf16", "int8" or "int4"`)
	return 0
}

// Embed returns one vector of every text, of length 1 unless the model's files say otherwise; the model is an encoder.
// The scalar product of two vectors of length 1 is their cosine.
func (m *Model) Embed(texts ...string) [][]float32 {
	out, err := m.m.EmbedTexts(host.Context(), texts)
	stop.If("model.Embed", err)
	return out
}

// Merge returns a model whose adapter has been added to its weights.
func (m *Model) Merge() *Model {
	n, err := m.m.Merge()
	stop.If("model.Merge", err)
	return &Model{m: n, seeds: m.seeds}
}

// WithTemplate returns the model on the same weights with another chat template: "alpaca", "chatml", "llama-3",
// "mistral", "plain", "smollm2".
func (m *Model) WithTemplate(name string) *Model {
	tp, err := token.TemplateFor(name)
	stop.If("model.WithTemplate", err)
	c := m.m.Again()
	c.Template = tp
	return &Model{m: c, seeds: m.seeds}
}

// Show describes the model in a line.
func (m *Model) Show() (text, html string) {
	c := m.m.Config
	s := fmt.Sprintf("%s: %s parameters (%d layers, hidden %d, %d heads, %d key-value heads, vocabulary %d), on %s (%s)",
		m.m.Name, count(c.Params()), c.NumHiddenLayers, c.HiddenSize, c.NumAttentionHeads, c.NumKeyValueHeads, c.VocabSize,
		m.m.Device().Name(), m.m.Device().Info())
	if q, ok := m.m.Quant(); ok {
		s += fmt.Sprintf(", held in %s", q)
	}
	if a := m.m.Adapter; a != nil {
		s += fmt.Sprintf(", with a LoRA adapter of rank %d", a.Rank)
	}
	return s, ""
}

func count(n int) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f B", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f M", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f k", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}

// String is what Show gives in text, for fmt.Println.
func (m *Model) String() string { text, _ := m.Show(); return text }
