package token

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// A tokenizer.json can hold what a SentencePiece model holds. Its parts then say what the model file's switches say, and
// they are read back into those: spaces become ▁, a text begins with one, white space is tidied up.

// readJSONFallback returns the tokenizer of a BPE over characters with bytes for those that have no token (Llama-2,
// Mistral, Gemma).
func readJSONFallback(f *jsonFile, m *jsonBPE) (*Tokenizer, error) {
	if m.IgnoreMerges {
		return nil, fmt.Errorf("model: ignore_merges with byte_fallback is not implemented; wanted merges")
	}
	c := core{unk: None}
	var err error
	if c.vocab, err = byID(m.Vocab, f.AddedTokens); err != nil {
		return nil, err
	}
	unk := ""
	if m.UnkToken != nil {
		unk = *m.UnkToken
	}
	ids, bytes, err := f.pieces(&c, unk, true)
	if err != nil {
		return nil, err
	}
	for b, id := range bytes {
		if id == None && c.unk != None && !m.FuseUnk {
			return nil, fmt.Errorf("model: fuse_unk false without a token for byte 0x%02X is not implemented; wanted all 256 bytes", b)
		}
	}
	s := &scoredBPE{bytes: bytes, unk: c.unk, prefix: None, chars: map[string]int32{}, merges: newMergeTable(len(m.Merges))}
	if s.norm, c.dropSpace, err = f.spaces(); err != nil {
		return nil, err
	}
	for w, id := range ids {
		if _, n := utf8.DecodeRuneInString(w); n == len(w) {
			s.chars[w] = id
		}
	}
	for rank, line := range m.Merges {
		left, right, ok := strings.Cut(string(line), " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, fmt.Errorf("model: merge %d: %q; wanted two tokens with a space between", rank, line)
		}
		var id [3]int32
		for k, part := range []string{left, right, left + right} {
			if id[k], ok = ids[part]; !ok {
				return nil, fmt.Errorf("model: merge %d: %q is not in the vocabulary of %d tokens", rank, part, len(c.vocab))
			}
		}
		s.merges.put(id[0], id[1], int32(rank), id[2])
	}
	s.findSpace(c.vocab, blank)
	c.model = s
	return f.buildPieces(c)
}

// readJSONUnigram returns the tokenizer of a Unigram model (T5, XLM-R).
func readJSONUnigram(f *jsonFile) (*Tokenizer, error) {
	var m struct {
		UnkID        *int64            `json:"unk_id"`
		ByteFallback bool              `json:"byte_fallback"`
		Vocab        []json.RawMessage `json:"vocab"`
	}
	if err := json.Unmarshal(f.Model, &m); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	vocab := make(map[string]int64, len(m.Vocab))
	order := make([]string, len(m.Vocab))
	scores := make([]float32, len(m.Vocab))
	for i, raw := range m.Vocab {
		var pair []json.RawMessage
		var score float64
		if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 || json.Unmarshal(pair[0], &order[i]) != nil || json.Unmarshal(pair[1], &score) != nil {
			return nil, fmt.Errorf("model: token %d: %s; wanted a pair of text and score", i, clip(string(raw)))
		}
		if j, ok := vocab[order[i]]; ok {
			return nil, fmt.Errorf("model: tokens %d and %d: both are %q", j, i, order[i])
		}
		if scores[i] = float32(score); math.IsInf(float64(scores[i]), 0) {
			return nil, fmt.Errorf("model: token %d: its score is %g; wanted a float32", i, score)
		}
		if len(order[i]) > 1<<10 {
			return nil, fmt.Errorf("model: token %d: %d bytes; wanted %d at most", i, len(order[i]), 1<<10)
		}
		vocab[order[i]] = int64(i)
	}
	unk := ""
	if m.UnkID != nil {
		if *m.UnkID < 0 || *m.UnkID >= int64(len(order)) {
			return nil, fmt.Errorf("model: unk_id %d; there are %d tokens", *m.UnkID, len(order))
		}
		unk = order[*m.UnkID]
	}
	if unk == "" && !m.ByteFallback {
		return nil, fmt.Errorf("model: no unk_id and no byte_fallback; wanted a token for unknown text")
	}
	c := core{unk: None}
	var err error
	if c.vocab, err = byID(vocab, f.AddedTokens); err != nil {
		return nil, err
	}
	ids, bytes, err := f.pieces(&c, unk, m.ByteFallback)
	if err != nil {
		return nil, err
	}
	scores = append(scores, make([]float32, len(c.vocab)-len(scores))...)
	var words []string
	for _, w := range order {
		if _, ok := ids[w]; ok {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("model: 0 of %d tokens are words; wanted one at least", len(order))
	}
	u := newUnigram(ids, words, scores)
	u.unk, u.bytes = c.unk, bytes
	if u.norm, c.dropSpace, err = f.spaces(); err != nil {
		return nil, err
	}
	u.norm.unicode = !m.ByteFallback
	c.model = u
	return f.buildPieces(c)
}

// pieces fills the texts of c's vocabulary and returns the words that a model writes and the tokens of bytes.
func (f *jsonFile) pieces(c *core, unk string, fallback bool) (ids map[string]int32, bytes [256]int32, err error) {
	if c.added, err = f.added(); err != nil {
		return nil, bytes, err
	}
	if _, err = checkAdded("added_tokens", c.added, c.vocab); err != nil {
		return nil, bytes, err
	}
	for b := range bytes {
		bytes[b] = None
	}
	isAdded := map[int32]bool{}
	for _, a := range c.added {
		isAdded[a.ID] = true
	}
	ids = make(map[string]int32, len(c.vocab))
	for i, v := range c.vocab {
		id := int32(i)
		text := strings.ReplaceAll(v, blank, " ")
		b, isByte := byteName(v)
		switch {
		case v == "":
		case unk != "" && v == unk:
			c.unk = id
		case isAdded[id]:
			text = v
		case isByte && fallback:
			bytes[b], text = id, string([]byte{b})
		default:
			ids[v] = id
		}
		c.pieces = append(c.pieces, text)
	}
	if unk != "" && c.unk == None {
		return nil, bytes, fmt.Errorf("model: unk_token %q is not in the vocabulary of %d tokens", unk, len(c.vocab))
	}
	return ids, bytes, nil
}

// buildPieces finds the roles and builds c.
func (f *jsonFile) buildPieces(c core) (*Tokenizer, error) {
	e, err := f.ends()
	if err != nil {
		return nil, err
	}
	unk := c.unk
	if c.bos, c.eos, _, err = roles("added_tokens", c.added, e.bos, e.eos, ""); err != nil {
		return nil, err
	}
	c.addBOS = e.addBOS
	t := build(c)
	if unk != None {
		t.flags[unk] &^= isSpecial // as in ReadModel
		t.pieces[unk] = " ⁇ "
	}
	return t, nil
}

// spaces reads normaliser, pre-tokeniser and decoder as what SentencePiece does with white space. drop tells that decoding
// leaves out the first space.
func (f *jsonFile) spaces() (n *spNormalizer, drop bool, err error) {
	n = &spNormalizer{}
	list, err := steps("normalizer", f.Normalizer)
	if err != nil {
		return nil, false, err
	}
	var escaped, right, runs bool
	for i, s := range list {
		content := ""
		if s.Content != nil {
			content = *s.Content
		}
		switch {
		case s.Type == "Precompiled" && i == 0:
			data, err := base64.StdEncoding.DecodeString(s.CharsMap)
			if err != nil {
				return nil, false, fmt.Errorf("normalizer: precompiled_charsmap: %w", err)
			}
			if n.table, err = newCharsMap(data); err != nil {
				return nil, false, fmt.Errorf("normalizer: %w", err)
			}
		case s.Type == "Strip" && !on(s.StripLeft, true) && on(s.StripRight, true):
			right = true
		case s.Type == "Replace" && s.Pattern != nil && s.Pattern.Regex == " {2,}" && (content == " " || content == blank):
			runs = true
		case s.Type == "Prepend" && s.Prepend == blank:
			n.prefix = true
		case s.Type == "Replace" && s.Pattern != nil && s.Pattern.String == " " && content == blank:
			escaped = true
		default:
			return nil, false, fmt.Errorf("normalizer: %s is not implemented for SentencePiece; wanted Precompiled, Strip, Replace of spaces and Prepend", typesOf(list))
		}
	}
	pre, err := steps("pre_tokenizer", f.PreTokenizer)
	if err != nil {
		return nil, false, err
	}
	split := false // words are cut at white space, which is left out
	scheme := "always"
	for i, s := range pre {
		switch {
		case s.Type == "WhitespaceSplit" && i == 0 && len(pre) == 2:
			split = true
		case s.Type == "Metaspace" && s.Replacement == blank && i == len(pre)-1:
			if s.PrependScheme != "" {
				scheme = s.PrependScheme
			}
			if on(s.AddPrefixSpace, true) && scheme != "never" {
				n.prefix, n.soft = true, true
			}
			escaped = true
		case s.Type == "Split" && len(pre) == 1 && escaped && s.Pattern != nil && s.Pattern.String == " " && s.Behavior == "MergedWithPrevious" && !on(s.Invert, false):
			// There is no space left to split at.
		default:
			return nil, false, fmt.Errorf("pre_tokenizer: %s is not implemented for SentencePiece; wanted Metaspace, or WhitespaceSplit and Metaspace", typesOf(pre))
		}
	}
	switch {
	case !escaped:
		return nil, false, fmt.Errorf("pre_tokenizer: %s: spaces are not written as %s; wanted Metaspace, or a normalizer that replaces them", typesOf(pre), blank)
	case split && !n.prefix:
		return nil, false, fmt.Errorf("pre_tokenizer: WhitespaceSplit without a space before words is not implemented")
	case runs != right && !split:
		return nil, false, fmt.Errorf("normalizer: %s: spaces in a row and spaces at the end are treated apart, which is not implemented; wanted Strip and Replace of \" {2,}\" or neither", typesOf(list))
	}
	n.tidy = split || runs
	if n.prefix && scheme == "always" {
		for _, a := range f.AddedTokens {
			if !a.Special {
				return nil, false, fmt.Errorf("pre_tokenizer: a space before the text after each added token, such as %q, is not implemented; wanted prepend_scheme first", a.Content)
			}
		}
	}
	dec, err := steps("decoder", f.Decoder)
	if err != nil {
		return nil, false, err
	}
	back := false
	for _, s := range dec {
		content := ""
		if s.Content != nil {
			content = *s.Content
		}
		switch {
		case s.Type == "Metaspace" && s.Replacement == blank:
			back, drop = true, n.prefix
		case s.Type == "Replace" && s.Pattern != nil && s.Pattern.String == blank && content == " ":
			back = true
		case s.Type == "ByteFallback", s.Type == "Fuse":
		case s.Type == "Strip" && content == " " && s.Start != nil && *s.Start == 1 && (s.Stop == nil || *s.Stop == 0):
			drop = true
		default:
			return nil, false, fmt.Errorf("decoder: %s is not implemented for SentencePiece; wanted Metaspace, or Replace, ByteFallback, Fuse and Strip", typesOf(dec))
		}
	}
	if !back {
		return nil, false, fmt.Errorf("decoder: %s: %s does not become a space; wanted Metaspace or Replace", typesOf(dec), blank)
	}
	return n, drop, nil
}
