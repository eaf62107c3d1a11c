package model

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"tunebook/engine/backend"
	"tunebook/engine/hub"
	core "tunebook/engine/model"
	"tunebook/engine/model/base"
	"tunebook/engine/token"
	"tunebook/stdlib/host"
	"tunebook/stdlib/stop"
)

func userMessage(text string) []token.Message {
	return []token.Message{{Role: token.User, Content: text}}
}

// Tokenizer turns text into ids and back.
type Tokenizer struct{ t *token.Tokenizer }

// Open reads a model: "base" is the small one inside the binary. Anything else is a path (a folder of config.json,
// model.safetensors and tokenizer.json, a .gguf file, or a llama2.c .bin file with its tokenizer beside it) or, where nothing
// lies there, a name on the hub: "owner/name", "owner/name@revision", "owner/name/file.gguf". Its files are fetched once, into the
// cache that Hugging Face's tools use; HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE mean what they mean there.
func Open(name string, opts ...Options) *Model {
	const op = "model.Open"
	dev := device(op, opts)
	var q []backend.Quant
	if len(opts) == 1 && opts[0].Quant != "" {
		q = append(q, quant(op, opts[0].Quant))
	}
	if name == base.Name {
		m, err := core.OpenFS(dev, base.Files, base.Name, q...)
		stop.If(op, err)
		return used(name, &Model{m: m})
	}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if _, _, _, ok := hub.Parse(name); ok {
			return used(name, &Model{m: fromHub(op, dev, name, q)})
		}
	}
	m, err := core.Open(dev, name, q...)
	if err != nil {
		panic(&stop.Error{Op: op, Msg: err.Error(), Err: err, Hint: "\"base\" is the model inside the binary; other names are paths, or owner/name on the hub"})
	}
	return used(name, &Model{m: m})
}

// used tells the run's manifest of a model that was opened.
func used(name string, m *Model) *Model {
	host.Used("Model", func() string {
		sum, err := m.m.Fingerprint()
		if err != nil {
			return name
		}
		return fmt.Sprintf("%s, sha256 of its weights %.16s", name, sum)
	})
	return m
}

// fromHub opens a model of the hub with a progress line for every large file that comes.
func fromHub(op string, dev backend.Backend, name string, q []backend.Quant) *core.Model {
	c, err := hub.FromEnv()
	stop.If(op, err)
	var bar *host.Bar
	now := ""
	c.Progress = func(file string, done, size int64) {
		const large = 1 << 20
		if size < large {
			return
		}
		if file != now {
			bar, now = host.Progress(file, size, "B"), file
		}
		bar.Set(done, "")
		if done == size {
			bar.Done("")
		}
	}
	defer host.EndProgress()
	m, note, err := core.OpenHub(host.Context(), dev, name, c, q...)
	if err != nil {
		panic(&stop.Error{Op: op, Msg: err.Error(), Err: err, Hint: "nothing lies at the path " + name + ", so it was taken for a name on the hub"})
	}
	if note != "" {
		fmt.Fprintln(host.Stderr(), "model.Open:", note)
	}
	return m
}

// New makes a model of random weights from a configuration and a tokenizer; its vocabulary is the tokenizer's unless the
// configuration says more. It is asked with the template Plain.
func New(c Config, tok *Tokenizer, seed int64, opts ...Options) *Model {
	const op = "model.New"
	if len(opts) == 1 && opts[0].Quant != "" {
		stop.Now(op, "Quant is set, and new weights are to be trained", "leave Quant out; it is for Open")
	}
	if c.VocabSize == 0 {
		c.VocabSize = tok.t.VocabSize()
	}
	if c.VocabSize < tok.t.VocabSize() {
		stop.Now(op, "the configuration has fewer ids than the tokenizer", "leave VocabSize out")
	}
	if c.ModelType == "" {
		c.ModelType = "llama"
	}
	m, err := core.New(device(op, opts), c, seed)
	stop.If(op, err)
	m.Name, m.Tokenizer, m.Template = "new model", tok.t, token.Plain
	return &Model{m: m}
}

// TrainTokenizer learns a byte-level BPE of vocab ids from texts, with the control tokens of the template Plain.
func TrainTokenizer(texts []string, vocab int) *Tokenizer {
	t, err := token.TrainBPE(func(yield func(string) bool) {
		for _, s := range texts {
			if !yield(s) {
				return
			}
		}
	}, token.TrainConfig{VocabSize: vocab, Pre: token.SmolLM2, Special: token.PlainSpecial(), EOS: token.PlainEnd})
	stop.If("model.TrainTokenizer", err)
	return &Tokenizer{t}
}

// Encode returns the ids of plain text.
func (t *Tokenizer) Encode(text string) []int32 { return t.t.Encode(text) }

// Decode returns the text of ids.
func (t *Tokenizer) Decode(ids []int32) string { return t.t.Decode(ids) }

// VocabSize returns the number of ids.
func (t *Tokenizer) VocabSize() int { return t.t.VocabSize() }
