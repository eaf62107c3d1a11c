package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/token"
	"tunebook/engine/weights"
)

// The files of a model folder, under Hugging Face's names.
const (
	configFile    = "config.json"
	weightsFile   = "model.safetensors"
	tokenizerFile = "tokenizer.json"
	// tokenizerModel is SentencePiece's own file, which older folders have alone.
	tokenizerModel = "tokenizer.model"
	tokenizerConf  = "tokenizer_config.json"
)

// Open reads a model from
//
//   - a folder of config.json, model.safetensors (or the shards that model.safetensors.index.json names), tokenizer.json and
//     tokenizer_config.json,
//   - a .gguf file of architecture llama, qwen2, qwen3 or gemma, which holds its tokenizer and chat template,
//   - a .bin file of llama2.c with its tokenizer, tok<vocabulary>.bin or tokenizer.bin, beside it.
//
// Quantised weights are widened to float32. With a form of quantisation the linear weights of the layers are held in it, as
// Quantize holds them, without ever being numbers all at once: a base for adapters. Blocks of a file that are the form's own are
// taken as they lie (weights.File.Packed). A weight that the configuration asks for and the file lacks, or the other
// way round, is an error that names them.
func Open(dev backend.Backend, path string, q ...backend.Quant) (*Model, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("model.Open: %w", err)
	}
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case st.IsDir():
		return OpenFS(dev, os.DirFS(path), path, q...)
	case ext == ".gguf":
		return openGGUF(dev, path, q...)
	case ext == ".bin":
		return openLlama2c(dev, path, q...)
	}
	return nil, fmt.Errorf("model.Open: %s: is neither a folder with %s nor a .gguf or llama2.c .bin file", path, configFile)
}

// tensors is a file of named tensors.
type tensors interface {
	Names() []string
	Info(name string) (weights.Info, bool)
	Tensor(name string) (weights.Tensor, error)
	Packed(name string, q backend.Quant) (codes []int32, scales []float32, err error)
}

// load builds a model from a file that must hold exactly the configuration's tensors.
//
// Every model that is read turns halves of a head: rows of a file for interleaved RoPE are put in that order here, so
// that adapters and saved folders mean the same whatever the model was read from.
func load(dev backend.Backend, c Config, f tensors, what string, q ...backend.Quant) (*Model, error) {
	if err := sameNames(f.Names(), c, what); err != nil {
		return nil, err
	}
	interleaved := c.RopeInterleaved
	c.RopeInterleaved = false
	var forms map[string]backend.Quant
	if len(q) > 0 {
		forms = c.forms(q[0])
	}
	// One tensor is read while the one before it goes to the device.
	all := c.tensors()
	m, err := build(dev, c, ahead(len(all), 2, func(i int) (x numbers, err error) {
		name, shape := all[i].name, all[i].shape
		info, ok := f.Info(name)
		if ok && !slices.Equal(info.Shape, shape) {
			return x, fmt.Errorf("model.Open: %s: tensor %s is %v; the configuration makes it %v", what, name, info.Shape, shape)
		}
		form, packed := forms[name]
		interleaved := interleaved && turned(name)
		if packed && (!interleaved || shape[1]%form.Block() == 0) {
			if x.codes, x.scales, err = f.Packed(name, form); err == nil && interleaved {
				x.codes, x.scales = halves(x.codes, shape[0], c.HeadDim), halves(x.scales, shape[0], c.HeadDim)
			}
			return x, err
		}
		t, err := f.Tensor(name)
		if err != nil {
			return x, err
		}
		x.plain = t.Data
		if interleaved {
			x.plain = halves(x.plain, shape[0], c.HeadDim)
		}
		if packed {
			if x.codes, x.scales, err = weights.Pack(x.plain, form); err != nil {
				err = fmt.Errorf("model.Open: %s: tensor %s: %w", what, name, err)
			}
		}
		return x, err
	}), q...)
	if err != nil {
		return nil, err
	}
	m.Name = what
	return m, nil
}

// OpenFS is Open for a folder that is part of a file system, such as the one inside the binary; what names it in
// errors and becomes the model's name.
func OpenFS(dev backend.Backend, fsys fs.FS, what string, q ...backend.Quant) (*Model, error) {
	c, err := readConfig(fsys, what)
	if err != nil {
		return nil, err
	}
	m, err := besideTexts(func() (t texts, err error) {
		if t.tok, t.tmpl, t.chat, err = readTokenizer(fsys, what); err == nil && t.tok.VocabSize() > c.VocabSize {
			err = fmt.Errorf("model.Open: %s: the tokenizer has %d ids; the model has %d", what, t.tok.VocabSize(), c.VocabSize)
		}
		return t, err
	}, func() (*Model, error) { return openWeights(dev, c, fsys, what, q...) })
	if err != nil {
		return nil, err
	}
	if m.Encoder() {
		if m.Pooling, err = readPooling(fsys, what); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// texts are a model's tokenizer and its template, with the text that the latter was read from.
type texts struct {
	tok  *token.Tokenizer
	tmpl *token.Template
	chat string
}

// besideTexts reads a model's weights while a goroutine reads its tokenizer, whose error is the one returned where both fail.
func besideTexts(read func() (texts, error), weights func() (*Model, error)) (*Model, error) {
	var t texts
	failed := make(chan error, 1)
	go func() {
		var err error
		t, err = read()
		failed <- err
	}()
	m, err := weights()
	if e := <-failed; e != nil {
		if err == nil {
			m.Close()
		}
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	m.Tokenizer, m.Template, m.chat = t.tok, t.tmpl, chatText{t.tmpl, t.chat}
	return m, nil
}

func readConfig(fsys fs.FS, what string) (Config, error) {
	raw, err := fs.ReadFile(fsys, configFile)
	if err != nil {
		return Config{}, fmt.Errorf("model.Open: %s: %w", what, err)
	}
	c, err := ParseConfig(raw)
	if err != nil {
		return c, fmt.Errorf("model.Open: %s: %w", what, err)
	}
	return c, nil
}

// openWeights builds a model from a folder's safetensors files, without a tokenizer.
func openWeights(dev backend.Backend, c Config, fsys fs.FS, what string, q ...backend.Quant) (*Model, error) {
	w, err := openShards(fsys, what)
	if err != nil {
		return nil, err
	}
	defer w.close()
	f, err := familiar(w, &c, what)
	if err != nil {
		return nil, err
	}
	return load(dev, c, f, what, q...)
}

// sameNames checks that a file has the tensors of a configuration and no others.
func sameNames(have []string, c Config, what string) error {
	in := map[string]bool{}
	for _, n := range have {
		in[n] = true
	}
	var missing, unknown []string
	for _, s := range c.tensors() {
		if !in[s.name] {
			missing = append(missing, s.name)
		}
		delete(in, s.name)
	}
	for _, n := range have {
		if in[n] {
			unknown = append(unknown, n)
		}
	}
	if len(missing)+len(unknown) == 0 {
		return nil
	}
	return fmt.Errorf("model.Open: %s: %d tensors are missing: %s; %d are unknown: %s", what,
		len(missing), some(missing), len(unknown), some(unknown))
}

// some lists the first of many names.
func some(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + fmt.Sprintf(" … and %d more", len(names)-5)
	}
	return strings.Join(names, ", ")
}

// readTokenizer returns a folder's tokenizer and its chat template with the text of it.
func readTokenizer(fsys fs.FS, what string) (*token.Tokenizer, *token.Template, string, error) {
	name := tokenizerFile
	raw, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		if more, e := fs.ReadFile(fsys, tokenizerModel); e == nil {
			name, raw, err = tokenizerModel, more, nil
		}
	}
	if err != nil {
		return nil, nil, "", fmt.Errorf("model.Open: %s: %w", what, err)
	}
	tok, err := token.ReadFile(name, raw)
	if err != nil {
		return nil, nil, "", fmt.Errorf("model.Open: %s: %w", what, err)
	}
	raw, err = fs.ReadFile(fsys, tokenizerConf)
	if errors.Is(err, fs.ErrNotExist) {
		return tok, nil, "", nil
	}
	if err != nil {
		return nil, nil, "", err
	}
	tok, chat, err := token.ReadConfig(tok, raw)
	if err != nil {
		return nil, nil, "", fmt.Errorf("model.Open: %s: %s: %w", what, tokenizerConf, err)
	}
	var own struct {
		Template string `json:"tunebook_template"` // the name of a built-in
	}
	if err := json.Unmarshal(raw, &own); err != nil {
		return nil, nil, "", fmt.Errorf("model.Open: %s: %s: %w", what, tokenizerConf, err)
	}
	var tmpl *token.Template
	switch {
	case own.Template != "":
		tmpl, err = token.TemplateFor(own.Template)
	case chat != "":
		tmpl, err = token.TemplateFromJinja(chat)
	}
	if err != nil {
		return nil, nil, "", fmt.Errorf("model.Open: %s: %s: %w", what, tokenizerConf, err)
	}
	return tok, tmpl, chat, nil
}

// Save writes the model as a folder that Open and Hugging Face's transformers read, its weights rounded to dtype
// ("F32", "F16", "BF16"). An adapter is merged first. Each file is replaced whole; the configuration comes last, so a
// folder that was being written when the machine stopped is not taken for a model.
func (m *Model) Save(dir, dtype string) error {
	if m.Tokenizer == nil {
		return fmt.Errorf("model.Save: the model has no tokenizer")
	}
	if m.Adapter != nil {
		merged, err := m.Merge()
		if err != nil {
			return err
		}
		defer merged.Close()
		m = merged
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tokFile, tok, err := m.Tokenizer.File()
	if err != nil {
		return err
	}
	tokConf := map[string]any{"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": m.Config.MaxPositionEmbeddings}
	other := tokenizerModel // of a model that was saved here before
	if tokFile == tokenizerModel {
		tokConf["tokenizer_class"], tokConf["legacy"], tokConf["add_bos_token"] = "LlamaTokenizer", true, m.Tokenizer.AddBOS()
		other = tokenizerFile
	}
	if id := m.Tokenizer.EOS(); id >= 0 {
		tokConf["eos_token"] = m.Tokenizer.Token(id)
	}
	if id := m.Tokenizer.BOS(); id >= 0 {
		tokConf["bos_token"] = m.Tokenizer.Token(id)
	}
	if m.Template != nil {
		tokConf["chat_template"] = m.jinja()
		if m.Template.Jinja == "" {
			tokConf["tunebook_template"] = m.Template.Name
		}
	}
	tc, err := json.MarshalIndent(tokConf, "", "  ")
	if err != nil {
		return err
	}
	files := []file{
		{tokFile, func(w io.Writer) error { _, err := w.Write(tok); return err }},
		whole(tokenizerConf, tc),
	}
	if m.Encoder() {
		more, err := m.poolingFiles()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(poolingFile)), 0o755); err != nil {
			return fmt.Errorf("model.Save: %w", err)
		}
		files = append(files, more...)
	}
	if err := writeFiles(dir, files); err != nil {
		return fmt.Errorf("model.Save: %w", err)
	}
	if err := os.Remove(filepath.Join(dir, other)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("model.Save: %w", err)
	}
	if err := m.saveWeights(dir, dtype); err != nil {
		return fmt.Errorf("model.Save: %w", err)
	}
	return nil
}

// saveWeights writes the weights and then the configuration.
func (m *Model) saveWeights(dir, dtype string) error {
	list, err := m.download(m.params, "")
	if err != nil {
		return err
	}
	c := m.Config
	if c.RopeInterleaved { // transformers knows halves only
		for i := range list {
			if turned(list[i].Name) {
				list[i].Data = halves(list[i].Data, list[i].Shape[0], c.HeadDim)
			}
		}
		c.RopeInterleaved = false
	}
	ids := map[string]int32{}
	if tok := m.Tokenizer; tok != nil {
		for k, id := range map[string]int32{"bos_token_id": tok.BOS(), "eos_token_id": tok.EOS()} {
			if id >= 0 {
				ids[k] = id
			}
		}
	}
	conf, err := c.file(dtype, ids)
	if err != nil {
		return err
	}
	return writeFiles(dir, []file{
		{weightsFile, func(w io.Writer) error {
			return weights.WriteSafetensors(w, list, map[string]string{"format": "pt"}, dtype)
		}},
		whole(configFile, conf),
	})
}

// download returns parameters as tensors, with a prefix before their names.
func (m *Model) download(params []*grad.Param, prefix string) ([]weights.Tensor, error) {
	var list []weights.Tensor
	for _, p := range params {
		x, err := m.read(p)
		if err != nil {
			return nil, err
		}
		list = append(list, weights.Tensor{Name: prefix + p.Name, Shape: p.Shape, Data: x})
	}
	return list, nil
}

type file struct {
	name  string
	write func(w io.Writer) error
}

// whole is a text file of one piece; a line end is put behind it.
func whole(name string, text []byte) file {
	return file{name, func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err }}
}

// writeFiles replaces each file whole, in their order.
func writeFiles(dir string, files []file) error {
	for _, f := range files {
		if err := weights.AtomicWrite(filepath.Join(dir, f.name), f.write); err != nil {
			return err
		}
	}
	return nil
}
