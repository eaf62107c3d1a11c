package token

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

// The parts of a tokenizer.json.
type (
	jsonFile struct {
		Version       string          `json:"version"`
		Truncation    any             `json:"truncation"`
		Padding       any             `json:"padding"`
		AddedTokens   []jsonAdded     `json:"added_tokens"`
		Normalizer    json.RawMessage `json:"normalizer"`
		PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
		PostProcessor json.RawMessage `json:"post_processor"`
		Decoder       json.RawMessage `json:"decoder"`
		Model         json.RawMessage `json:"model"`
	}
	jsonAdded struct {
		ID         int64  `json:"id"`
		Content    string `json:"content"`
		SingleWord bool   `json:"single_word"`
		LStrip     bool   `json:"lstrip"`
		RStrip     bool   `json:"rstrip"`
		Normalized bool   `json:"normalized"`
		Special    bool   `json:"special"`
		// Roles is ours: "bos", "eos" and "unk" as they apply. Hugging Face keeps them in another file and reads past it.
		Roles []string `json:"roles,omitempty"`
	}
	// jsonStep is a normaliser, pre-tokeniser, post-processor or decoder. What a type does not use is at its zero.
	jsonStep struct {
		Type string `json:"type"`

		Normalizers   []json.RawMessage `json:"normalizers,omitempty"`
		Pretokenizers []json.RawMessage `json:"pretokenizers,omitempty"`
		Processors    []json.RawMessage `json:"processors,omitempty"`
		Decoders      []json.RawMessage `json:"decoders,omitempty"`

		AddPrefixSpace   *bool           `json:"add_prefix_space,omitempty"`
		TrimOffsets      *bool           `json:"trim_offsets,omitempty"`
		UseRegex         *bool           `json:"use_regex,omitempty"`
		IndividualDigits *bool           `json:"individual_digits,omitempty"`
		Pattern          *jsonPattern    `json:"pattern,omitempty"`
		Behavior         string          `json:"behavior,omitempty"`
		Invert           *bool           `json:"invert,omitempty"`
		Single           []jsonPiece     `json:"single,omitempty"`
		Pair             []jsonPiece     `json:"pair,omitempty"`
		SpecialTokens    map[string]any  `json:"special_tokens,omitempty"`
		CleanText        *bool           `json:"clean_text,omitempty"`
		HandleChinese    *bool           `json:"handle_chinese_chars,omitempty"`
		StripAccents     *bool           `json:"strip_accents,omitempty"`
		Lowercase        *bool           `json:"lowercase,omitempty"`
		Prefix           string          `json:"prefix,omitempty"`
		Cleanup          *bool           `json:"cleanup,omitempty"`
		Cls              json.RawMessage `json:"cls,omitempty"`
		Sep              json.RawMessage `json:"sep,omitempty"`

		CharsMap      string  `json:"precompiled_charsmap,omitempty"`
		StripLeft     *bool   `json:"strip_left,omitempty"`
		StripRight    *bool   `json:"strip_right,omitempty"`
		Content       *string `json:"content,omitempty"`
		Prepend       string  `json:"prepend,omitempty"`
		Replacement   string  `json:"replacement,omitempty"`
		PrependScheme string  `json:"prepend_scheme,omitempty"`
		Start         *int    `json:"start,omitempty"`
		Stop          *int    `json:"stop,omitempty"`
	}
	jsonPattern struct {
		Regex  string `json:"Regex,omitempty"`
		String string `json:"String,omitempty"`
	}
	jsonPiece struct {
		SpecialToken *jsonPieceID `json:"SpecialToken,omitempty"`
		Sequence     *jsonPieceID `json:"Sequence,omitempty"`
	}
	jsonPieceID struct {
		ID     string `json:"id"`
		TypeID int    `json:"type_id"`
	}
	jsonBPE struct {
		Type         string           `json:"type"`
		Dropout      *float64         `json:"dropout"`
		UnkToken     *string          `json:"unk_token"`
		Prefix       *string          `json:"continuing_subword_prefix"`
		Suffix       *string          `json:"end_of_word_suffix"`
		FuseUnk      bool             `json:"fuse_unk"`
		ByteFallback bool             `json:"byte_fallback"`
		IgnoreMerges bool             `json:"ignore_merges"`
		Vocab        map[string]int64 `json:"vocab"`
		Merges       []jsonMerge      `json:"merges"`
	}
	// jsonMerge is "left right" or ["left", "right"].
	jsonMerge string
)

func (m *jsonMerge) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		var p []string
		if err := json.Unmarshal(data, &p); err != nil {
			return err
		}
		*m = jsonMerge(strings.Join(p, " "))
		return nil
	}
	return json.Unmarshal(data, (*string)(m))
}

// preRegex are the expressions of Split pre-tokenisers that are written by hand in pretoken.go.
var preRegex = map[string]PreTokenizer{
	`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`: GPT2,
	llamaRegex(`\p{N}{1,3}`): Llama3,
	llamaRegex(`\p{N}`):      Qwen2,
}

func llamaRegex(numbers string) string {
	return `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|` + numbers + `| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
}

// ReadJSON returns the tokenizer of a Hugging Face tokenizer.json: byte-level BPE, BPE with byte fallback, Unigram or
// WordPiece. A model, normaliser, pre-tokeniser, post-processor or
// decoder that is not implemented is an error with its name. Truncation and padding are the caller's business and are
// read past. BOS and EOS are what the post-processor puts around a text, or the roles that WriteJSON wrote; where the
// file tells neither they are None, and ReadConfig finds them in the file beside it.
func ReadJSON(data []byte) (*Tokenizer, error) {
	t, err := readJSON(data)
	if err != nil {
		return nil, fmt.Errorf("token.ReadJSON: %w", err)
	}
	if _, ok := t.model.(jsonWriter); !ok {
		t.source, t.sourceName = bytes.Clone(data), jsonFileName
	}
	return t, nil
}

func readJSON(data []byte) (*Tokenizer, error) {
	var f jsonFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	var kind struct {
		Type string `json:"type"`
	}
	if isNull(f.Model) {
		return nil, fmt.Errorf("model: not in the file; wanted one")
	}
	if err := json.Unmarshal(f.Model, &kind); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	switch kind.Type {
	case "BPE", "": // old files leave the type out
		return readJSONBPE(&f)
	case "WordPiece":
		return readJSONWordPiece(&f)
	case "Unigram":
		return readJSONUnigram(&f)
	}
	return nil, fmt.Errorf("model: %s is not implemented; wanted BPE, Unigram or WordPiece", kind.Type)
}

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "null"
}

func readJSONBPE(f *jsonFile) (*Tokenizer, error) {
	var m jsonBPE
	if err := json.Unmarshal(f.Model, &m); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	switch {
	case m.Dropout != nil && *m.Dropout != 0:
		return nil, fmt.Errorf("model: dropout %g is not implemented; wanted none", *m.Dropout)
	case m.Prefix != nil && *m.Prefix != "":
		return nil, fmt.Errorf("model: continuing_subword_prefix %q is not implemented; wanted none", *m.Prefix)
	case m.Suffix != nil && *m.Suffix != "":
		return nil, fmt.Errorf("model: end_of_word_suffix %q is not implemented; wanted none", *m.Suffix)
	case m.ByteFallback:
		return readJSONFallback(f, &m)
	}
	cfg := ByteBPE{IgnoreMerges: m.IgnoreMerges, Merges: make([]string, len(m.Merges))}
	for i, s := range m.Merges {
		cfg.Merges[i] = string(s)
	}
	var err error
	if cfg.Vocab, err = byID(m.Vocab, f.AddedTokens); err != nil {
		return nil, err
	}
	if cfg.Added, err = f.added(); err != nil {
		return nil, err
	}
	if cfg.NFC, err = f.nfc(); err != nil {
		return nil, err
	}
	if cfg.Pre, cfg.AddPrefixSpace, err = f.byteLevel(); err != nil {
		return nil, err
	}
	ends, err := f.ends()
	if err != nil {
		return nil, err
	}
	cfg.BOS, cfg.EOS, cfg.Unk, cfg.AddBOS = ends.bos, ends.eos, ends.unk, ends.addBOS
	if m.UnkToken != nil && *m.UnkToken != "" {
		// Every byte has a token in the usual file, so that nothing is unknown.
		for b, r := range alphabet {
			if _, ok := m.Vocab[string(r)]; !ok {
				return nil, fmt.Errorf("model: unk_token %q for byte 0x%02X is not implemented; wanted all 256 bytes in the vocabulary", *m.UnkToken, b)
			}
		}
	}
	return NewByteBPE(cfg)
}

// byID returns the texts of a vocabulary by id, added tokens included.
func byID(vocab map[string]int64, added []jsonAdded) ([]string, error) {
	most := int64(len(vocab)+len(added))*2 + 1<<12 // files have few holes
	size := int64(0)
	check := func(text string, id int64) error {
		if text == "" {
			return fmt.Errorf("model: id %d: a token without text", id)
		}
		if id < 0 || id >= most {
			return fmt.Errorf("model: token %q: id %d in a vocabulary of %d tokens", text, id, len(vocab)+len(added))
		}
		size = max(size, id+1)
		return nil
	}
	for text, id := range vocab {
		if err := check(text, id); err != nil {
			return nil, err
		}
	}
	for _, a := range added {
		if err := check(a.Content, a.ID); err != nil {
			return nil, err
		}
	}
	out := make([]string, size)
	for text, id := range vocab {
		if out[id] != "" {
			return nil, fmt.Errorf("model: id %d: both %q and %q", id, min(out[id], text), max(out[id], text))
		}
		out[id] = text
	}
	for _, a := range added {
		if out[a.ID] != "" && out[a.ID] != a.Content {
			return nil, fmt.Errorf("added_tokens: id %d: %q, but %q in the vocabulary", a.ID, a.Content, out[a.ID])
		}
		out[a.ID] = a.Content
	}
	return out, nil
}

func (f *jsonFile) added() ([]Added, error) {
	var out []Added
	for _, a := range f.AddedTokens {
		out = append(out, Added{
			ID: int32(a.ID), Text: a.Content, Special: a.Special, SingleWord: a.SingleWord,
			LStrip: a.LStrip, RStrip: a.RStrip, Normalized: a.Normalized,
		})
	}
	return out, nil
}

// steps returns a part of the file as a flat list; null is an empty list.
func steps(part string, raw json.RawMessage) ([]jsonStep, error) {
	if isNull(raw) {
		return nil, nil
	}
	var s jsonStep
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", part, err)
	}
	if s.Type != "Sequence" {
		return []jsonStep{s}, nil
	}
	var out []jsonStep
	for _, list := range [][]json.RawMessage{s.Normalizers, s.Pretokenizers, s.Processors, s.Decoders} {
		for _, raw := range list {
			more, err := steps(part, raw)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	return out, nil
}

func typesOf(list []jsonStep) string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Type
		if s.Pattern != nil {
			names[i] += fmt.Sprintf("(%q)", s.Pattern.Regex+s.Pattern.String)
		}
	}
	return strings.Join(names, ", ")
}

func on(b *bool, byDefault bool) bool {
	if b == nil {
		return byDefault
	}
	return *b
}

func (f *jsonFile) nfc() (bool, error) {
	list, err := steps("normalizer", f.Normalizer)
	if err != nil || len(list) == 0 {
		return false, err
	}
	if len(list) == 1 && list[0].Type == "NFC" {
		return true, nil
	}
	return false, fmt.Errorf("normalizer: %s is not implemented for BPE; wanted none or NFC", typesOf(list))
}

// byteLevel returns the rule that the file's pre-tokeniser amounts to, having checked that the decoder undoes it.
func (f *jsonFile) byteLevel() (pre PreTokenizer, prefix bool, err error) {
	list, err := steps("pre_tokenizer", f.PreTokenizer)
	if err != nil {
		return 0, false, err
	}
	refuse := func() (PreTokenizer, bool, error) {
		return 0, false, fmt.Errorf("pre_tokenizer: %s is not implemented; wanted ByteLevel, after Digits or a known Split", typesOf(list))
	}
	n := len(list)
	if n == 0 || n > 2 || list[n-1].Type != "ByteLevel" {
		return refuse()
	}
	last := list[n-1]
	regex := on(last.UseRegex, true)
	prefix = on(last.AddPrefixSpace, true)
	switch {
	case n == 1 && regex:
		pre = GPT2
	case n == 1:
		pre = Whole
	case list[0].Type == "Digits" && on(list[0].IndividualDigits, false) && regex && !prefix:
		pre = SmolLM2
	case list[0].Type == "Split" && list[0].Pattern != nil && list[0].Behavior == "Isolated" && !on(list[0].Invert, false) && !regex && !prefix:
		var ok bool
		if pre, ok = preRegex[list[0].Pattern.Regex]; !ok {
			return refuse()
		}
	default:
		return refuse()
	}
	dec, err := steps("decoder", f.Decoder)
	if err != nil {
		return 0, false, err
	}
	if len(dec) != 1 || dec[0].Type != "ByteLevel" {
		return 0, false, fmt.Errorf("decoder: %s is not implemented for byte-level BPE; wanted ByteLevel", typesOf(dec))
	}
	return pre, prefix, nil
}

// textEnds are the tokens around a text.
type textEnds struct {
	bos, eos, unk string
	addBOS        bool
}

// ends reads the roles from the post-processor and from our own marks.
func (f *jsonFile) ends() (textEnds, error) {
	var e textEnds
	list, err := steps("post_processor", f.PostProcessor)
	if err != nil {
		return e, err
	}
	for _, s := range list {
		switch s.Type {
		case "ByteLevel":
		case "TemplateProcessing":
			before := true
			for _, p := range s.Single {
				switch {
				case p.Sequence != nil:
					before = false
				case p.SpecialToken == nil:
					return e, fmt.Errorf("post_processor: TemplateProcessing: a piece is neither Sequence nor SpecialToken")
				case before && e.bos == "":
					e.bos, e.addBOS = p.SpecialToken.ID, true
				case !before && e.eos == "":
					e.eos = p.SpecialToken.ID
				default:
					return e, fmt.Errorf("post_processor: TemplateProcessing with two special tokens on one side is not implemented; wanted one")
				}
			}
		case "BertProcessing", "RobertaProcessing":
			var cls, sep []any
			if json.Unmarshal(s.Cls, &cls) != nil || json.Unmarshal(s.Sep, &sep) != nil || len(cls) != 2 || len(sep) != 2 {
				return e, fmt.Errorf("post_processor: %s: wanted cls and sep as pairs of text and id", s.Type)
			}
			e.bos, _ = cls[0].(string)
			e.eos, _ = sep[0].(string)
			e.addBOS = true
		default:
			return e, fmt.Errorf("post_processor: %s is not implemented; wanted TemplateProcessing, ByteLevel, BertProcessing or RobertaProcessing", s.Type)
		}
	}
	for _, a := range f.AddedTokens {
		for _, r := range a.Roles {
			switch r {
			case "bos":
				e.bos = a.Content
			case "eos":
				e.eos = a.Content
			case "unk":
				e.unk = a.Content
			}
		}
	}
	return e, nil
}

// ReadConfig returns t with BOS, EOS (where it has none, [CLS] and [SEP] of an encoder), Unk and the question of adding BOS as a tokenizer_config.json says, and the chat
// template that stands in it, empty for none. A token that t does not have is an error.
func ReadConfig(t *Tokenizer, data []byte) (*Tokenizer, string, error) {
	const op = "token.ReadConfig"
	var f struct {
		BOS      jsonName `json:"bos_token"`
		EOS      jsonName `json:"eos_token"`
		Cls      jsonName `json:"cls_token"` // an encoder's names of the two
		Sep      jsonName `json:"sep_token"`
		Unk      jsonName `json:"unk_token"`
		AddBOS   *bool    `json:"add_bos_token"`
		Template string   `json:"chat_template"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, "", fmt.Errorf("%s: %w", op, err)
	}
	bos, eos, unk, err := roles(op, t.added, string(cmp.Or(f.BOS, f.Cls)), string(cmp.Or(f.EOS, f.Sep)), string(f.Unk))
	if err != nil {
		return nil, "", err
	}
	c := core{model: t.model, vocab: t.vocab, pieces: t.pieces, added: t.added, normalize: t.normalize,
		bos: bos, eos: eos, unk: unk, addBOS: t.addBOS, dropSpace: t.dropSpace}
	if f.AddBOS != nil {
		c.addBOS = *f.AddBOS
	}
	out := build(c)
	out.source, out.sourceName = t.source, t.sourceName
	return out, f.Template, nil
}

// jsonName is a token's text, alone or as the content of an object.
type jsonName string

func (n *jsonName) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var o struct {
			Content string `json:"content"`
		}
		err := json.Unmarshal(data, &o)
		*n = jsonName(o.Content)
		return err
	}
	return json.Unmarshal(data, (*string)(n))
}

// jsonWriter is a model that a tokenizer.json can hold.
type jsonWriter interface {
	// writeJSON fills the parts of the file that depend on the kind.
	writeJSON(t *Tokenizer, f *jsonFile) error
}

// WriteJSON returns t as a Hugging Face tokenizer.json, the same bytes for the same tokenizer. ReadJSON gives back a
// tokenizer with the same fingerprint, and Hugging Face's library the same ids. BOS, EOS and Unk stand in the roles of
// the added tokens. A kind that is not written is given back as the tokenizer.json that it was read from; one that was read
// from another file is an error, and File has it.
func (t *Tokenizer) WriteJSON() ([]byte, error) {
	w, ok := t.model.(jsonWriter)
	if t.sourceName == jsonFileName {
		return t.source, nil
	}
	if !ok {
		return nil, fmt.Errorf("token.WriteJSON: this kind of tokenizer is not written; wanted a byte-level BPE, or one that was read from a tokenizer.json")
	}
	f := jsonFile{Version: "1.0", AddedTokens: []jsonAdded{}}
	for _, a := range t.added {
		j := jsonAdded{
			ID: int64(a.ID), Content: a.Text, SingleWord: a.SingleWord, LStrip: a.LStrip, RStrip: a.RStrip,
			Normalized: a.Normalized, Special: a.Special,
		}
		for i, id := range []int32{t.bos, t.eos, t.unk} {
			if id == a.ID {
				j.Roles = append(j.Roles, [...]string{"bos", "eos", "unk"}[i])
			}
		}
		f.AddedTokens = append(f.AddedTokens, j)
	}
	if t.AddBOS() {
		bos := &jsonPieceID{ID: t.vocab[t.bos]}
		a, b := &jsonPieceID{ID: "A"}, &jsonPieceID{ID: "B", TypeID: 1}
		f.PostProcessor = mustJSON(jsonStep{
			Type:   "TemplateProcessing",
			Single: []jsonPiece{{SpecialToken: bos}, {Sequence: a}},
			Pair:   []jsonPiece{{SpecialToken: bos}, {Sequence: a}, {SpecialToken: &jsonPieceID{ID: bos.ID, TypeID: 1}}, {Sequence: b}},
			SpecialTokens: map[string]any{bos.ID: map[string]any{
				"id": bos.ID, "ids": []int32{t.bos}, "tokens": []string{bos.ID},
			}},
		})
	}
	if t.normalize != nil {
		f.Normalizer = mustJSON(jsonStep{Type: t.normalize.String()})
	}
	if err := w.writeJSON(t, &f); err != nil {
		return nil, fmt.Errorf("token.WriteJSON: %w", err)
	}
	return marshal(f)
}

// Names that Hugging Face folders give to files of tokenizers.
const (
	jsonFileName  = "tokenizer.json"
	modelFileName = "tokenizer.model"
)

// File returns the file that holds t and the name it has in a Hugging Face folder: tokenizer.model for SentencePiece that
// was read from anything but a tokenizer.json, otherwise what WriteJSON returns.
func (t *Tokenizer) File() (name string, data []byte, err error) {
	if t.sourceName == modelFileName {
		return modelFileName, t.source, nil
	}
	data, err = t.WriteJSON()
	return jsonFileName, data, err
}

// ReadFile is ReadJSON or ReadModel, as the file's name says.
func ReadFile(name string, data []byte) (*Tokenizer, error) {
	switch name {
	case jsonFileName:
		return ReadJSON(data)
	case modelFileName:
		return ReadModel(data)
	}
	return nil, fmt.Errorf("token.ReadFile: %s: wanted %s or %s", name, jsonFileName, modelFileName)
}

func (m *byteBPE) writeJSON(t *Tokenizer, f *jsonFile) error {
	yes, no := true, false
	regex := m.pre == GPT2 || m.pre == SmolLM2
	level := jsonStep{Type: "ByteLevel", AddPrefixSpace: &m.prefix, TrimOffsets: &yes, UseRegex: &regex}
	list := []json.RawMessage{mustJSON(level)}
	switch m.pre {
	case SmolLM2:
		list = append([]json.RawMessage{mustJSON(jsonStep{Type: "Digits", IndividualDigits: &yes})}, list...)
	case Llama3, Qwen2:
		for text, pre := range preRegex {
			if pre == m.pre {
				split := jsonStep{Type: "Split", Pattern: &jsonPattern{Regex: text}, Behavior: "Isolated", Invert: &no}
				list = append([]json.RawMessage{mustJSON(split)}, list...)
			}
		}
	}
	if len(list) > 1 && m.prefix {
		return fmt.Errorf("a space before the text with the pre-tokeniser %s: the format applies it to each piece", m.pre)
	}
	f.PreTokenizer = list[0]
	if len(list) > 1 {
		f.PreTokenizer = mustJSON(jsonStep{Type: "Sequence", Pretokenizers: list})
	}
	f.Decoder = mustJSON(jsonStep{Type: "ByteLevel", AddPrefixSpace: &yes, TrimOffsets: &yes, UseRegex: &yes})

	var b bytes.Buffer
	fmt.Fprintf(&b, `{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,`+
		`"fuse_unk":false,"byte_fallback":false,"ignore_merges":%t,"vocab":{`, m.words != nil)
	for id, v := range t.vocab { // in the order of ids, which a map would lose
		if v == "" {
			continue
		}
		if b.Bytes()[b.Len()-1] != '{' {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%d", mustJSON(v), id)
	}
	b.WriteString(`},"merges":[`)
	for i, s := range m.merges.list() {
		if i > 0 {
			b.WriteByte(',')
		}
		left, right := int32(s.pair>>32), int32(uint32(s.pair))
		b.Write(mustJSON(t.vocab[left] + " " + t.vocab[right]))
	}
	b.WriteString("]}")
	f.Model = b.Bytes()
	return nil
}

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// mustJSON is marshal for values of this file, which always have a form in JSON.
func mustJSON(v any) json.RawMessage {
	data, err := marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
