package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sort"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
)

// Pooling says how an encoder's hidden states become one vector of a text. The zero value is what sentence encoders are
// usually trained with, the mean of all tokens, divided by its length.
type Pooling struct {
	First bool // the first token's state in place of the mean of all
	Raw   bool // as it is, not divided by its length
}

// Embed returns one vector of every segment of a packed batch, (S, C). Padding does not exist in a packed batch, so the mean
// is over the text's own tokens, [CLS] and [SEP] included, as sentence-transformers takes it.
func (m *Model) Embed(t *grad.Tape, in Input) *grad.Var {
	h := m.Forward(t, in)
	list := in.Segments.List
	var y *grad.Var
	if m.Pooling.First {
		rows := make([]int32, len(list))
		for i, s := range list {
			rows[i] = int32(s.QStart)
		}
		y = t.Gather(h, t.Ints(rows), len(rows))
	} else {
		w := make([]float32, len(list)*h.Rows)
		for i, s := range list {
			for j := range s.QLen {
				w[i*h.Rows+s.QStart+j] = 1 / float32(s.QLen)
			}
		}
		y = t.Mix(w, h)
	}
	t.Release(h)
	if m.Pooling.Raw {
		return y
	}
	n := t.Normalize(y)
	t.Release(y)
	return n
}

// TextIDs returns the ids of a text as the encoder was trained on it: [CLS], the text, [SEP].
func (m *Model) TextIDs(text string) []int32 {
	tok := m.Tokenizer
	ids := tok.Encode(text)
	if tok.BOS() >= 0 {
		ids = append([]int32{tok.BOS()}, ids...)
	}
	if tok.EOS() >= 0 {
		ids = append(ids, tok.EOS())
	}
	return ids
}

// Pack returns the input of texts that lie one behind the other.
func Pack(texts [][]int32) Input {
	in := Input{Segments: &backend.Segments{}}
	for _, ids := range texts {
		at := len(in.IDs)
		in.Segments.List = append(in.Segments.List, backend.Segment{QStart: at, QLen: len(ids), KStart: at, KLen: len(ids)})
		for i, id := range ids {
			in.IDs, in.Positions = append(in.IDs, id), append(in.Positions, int32(i))
		}
	}
	return in
}

// EmbedTexts returns one vector of every text, in their order: C numbers, of length 1 unless Pooling says otherwise. A text
// of more tokens than the model has positions is an error that names it; nothing is cut off.
func (m *Model) EmbedTexts(ctx context.Context, texts []string) ([][]float32, error) {
	if !m.Encoder() {
		return nil, fmt.Errorf("model.EmbedTexts: %s is a %s, a decoder; wanted an encoder", m.Name, m.Config.ModelType)
	}
	if m.Tokenizer == nil {
		return nil, fmt.Errorf("model.EmbedTexts: %s has no tokenizer", m.Name)
	}
	ids, order := make([][]int32, len(texts)), make([]int, len(texts))
	for i, text := range texts {
		ids[i], order[i] = m.TextIDs(text), i
		if n := len(ids[i]); n > m.Config.MaxPositionEmbeddings || n == 0 {
			return nil, fmt.Errorf("model.EmbedTexts: text %d: %d tokens; wanted 1 to %d, the model's positions", i, n, m.Config.MaxPositionEmbeddings)
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return len(ids[order[a]]) > len(ids[order[b]]) })
	out := make([][]float32, len(texts))
	const most = 2048 // tokens of a pass
	for len(order) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, tokens := 0, 0
		var pass [][]int32
		for n < len(order) && (n == 0 || tokens+len(ids[order[n]]) <= most) {
			pass, tokens, n = append(pass, ids[order[n]]), tokens+len(ids[order[n]]), n+1
		}
		x := make([]float32, n*m.Config.HiddenSize)
		tape := grad.New(m.dev, false)
		err := m.dev.Download(x, m.Embed(tape, Pack(pass)).Value)
		tape.Free()
		if err != nil {
			return nil, err
		}
		for i, which := range order[:n] {
			out[which] = x[i*m.Config.HiddenSize : (i+1)*m.Config.HiddenSize]
		}
		order = order[n:]
	}
	return out, nil
}

// The files by which sentence-transformers knows how a folder's encoder makes its vectors.
const (
	modulesFile = "modules.json"
	poolingFile = "1_Pooling/config.json"
)

// readPooling reads them. A folder without them has the usual pooling; a module or a mode that is not implemented is refused.
func readPooling(fsys fs.FS, what string) (Pooling, error) {
	var p Pooling
	raw, err := fs.ReadFile(fsys, modulesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	fail := func(file string, err error) (Pooling, error) {
		return p, fmt.Errorf("model.Open: %s: %s: %w", what, file, err)
	}
	if err != nil {
		return fail(modulesFile, err)
	}
	var modules []struct{ Type string }
	if err := json.Unmarshal(raw, &modules); err != nil {
		return fail(modulesFile, err)
	}
	p.Raw = true
	for _, m := range modules {
		switch m.Type {
		case "sentence_transformers.models.Transformer", "sentence_transformers.models.Pooling":
		case "sentence_transformers.models.Normalize":
			p.Raw = false
		default:
			return fail(modulesFile, fmt.Errorf("%s is not implemented; wanted Transformer, Pooling and Normalize", m.Type))
		}
	}
	if raw, err = fs.ReadFile(fsys, poolingFile); err != nil {
		return fail(poolingFile, err)
	}
	var modes map[string]any
	if err := json.Unmarshal(raw, &modes); err != nil {
		return fail(poolingFile, err)
	}
	on := 0
	for k, v := range modes {
		if v != true {
			continue
		}
		switch k {
		case "pooling_mode_mean_tokens":
			on++
		case "pooling_mode_cls_token":
			p.First = true
			on++
		case "include_prompt":
		default:
			return fail(poolingFile, fmt.Errorf("%s is not implemented; wanted pooling_mode_mean_tokens or pooling_mode_cls_token", k))
		}
	}
	if on != 1 {
		return fail(poolingFile, fmt.Errorf("%d modes of pooling are on; wanted one", on))
	}
	return p, nil
}

// poolingFiles returns what an encoder's folder holds for sentence-transformers.
func (m *Model) poolingFiles() ([]file, error) {
	type module struct {
		Idx  int    `json:"idx"`
		Name string `json:"name"`
		Path string `json:"path"`
		Type string `json:"type"`
	}
	modules := []module{{0, "0", "", "sentence_transformers.models.Transformer"}, {1, "1", "1_Pooling", "sentence_transformers.models.Pooling"}}
	if !m.Pooling.Raw {
		modules = append(modules, module{2, "2", "2_Normalize", "sentence_transformers.models.Normalize"})
	}
	list, err := json.MarshalIndent(modules, "", "  ")
	if err != nil {
		return nil, err
	}
	modes, err := json.MarshalIndent(map[string]any{"word_embedding_dimension": m.Config.HiddenSize,
		"pooling_mode_cls_token": m.Pooling.First, "pooling_mode_mean_tokens": !m.Pooling.First, "pooling_mode_max_tokens": false,
		"pooling_mode_mean_sqrt_len_tokens": false}, "", "  ")
	if err != nil {
		return nil, err
	}
	return []file{whole(poolingFile, modes), whole(modulesFile, list)}, nil
}
