package token

import (
	"fmt"
	"sort"
	"strings"
)

// ggufPre are the names that GGUF files give to pre-tokenisers.
var ggufPre = map[string]PreTokenizer{
	"gpt-2": GPT2, "gpt2": GPT2, "phi-2": GPT2, "jina-es": GPT2, "jina-de": GPT2, "roberta-bpe": GPT2,
	"smollm": SmolLM2, "starcoder": SmolLM2, "refact": SmolLM2, "command-r": SmolLM2, "codeshell": SmolLM2,
	"llama-bpe": Llama3, "llama3": Llama3, "llama-v3": Llama3,
	"qwen2": Qwen2, "deepseek-r1-qwen": Qwen2,
}

// FromGGUF returns the tokenizer that a GGUF file's metadata describes: tokenizer.ggml.model "gpt2" with .pre, .tokens,
// .merges and .token_type, or "llama" (SentencePiece's BPE) with .tokens, .scores and .token_type, and the ids of BOS,
// EOS and unknown. Arrays may be []string, slices of any integer type, or
// []any. A model or pre-tokeniser that is not implemented is an error that names it.
func FromGGUF(meta map[string]any) (*Tokenizer, error) {
	const op, key = "token.FromGGUF", "tokenizer.ggml."
	kind, _ := meta[key+"model"].(string)
	switch kind {
	case "gpt2":
	case "llama":
		t, err := llamaFromGGUF(meta)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		return t, nil
	default:
		return nil, fmt.Errorf("%s: %smodel: %q is not implemented; wanted \"gpt2\" or \"llama\"", op, key, kind)
	}
	name, _ := meta[key+"pre"].(string)
	pre, ok := ggufPre[name]
	if !ok {
		return nil, fmt.Errorf("%s: %spre: %q is not implemented; wanted one of %s", op, key, name, names(ggufPre))
	}
	vocab, err := strs(meta, key+"tokens")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	merges, err := strs(meta, key+"merges")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	types, err := ints(meta, key+"token_type")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if len(types) != len(vocab) {
		return nil, fmt.Errorf("%s: %stoken_type: %d values; %stokens has %d", op, key, len(types), key, len(vocab))
	}
	vocab = append([]string{}, vocab...)
	last := 0
	for i, k := range types {
		if k == pieceUnused { // an id of the model that the tokenizer does not have
			vocab[i] = ""
		} else {
			last = i + 1
		}
	}
	vocab, types = vocab[:last], types[:last]
	cfg := ByteBPE{Vocab: vocab, Merges: merges, Pre: pre, NFC: name == "qwen2", IgnoreMerges: pre == Llama3}
	have := map[int64]bool{}
	add := func(id int64, special bool) {
		have[id] = true
		cfg.Added = append(cfg.Added, Added{ID: int32(id), Text: vocab[id], Special: special})
	}
	for i, k := range types {
		switch k {
		case pieceControl, pieceUnknown:
			add(int64(i), true)
		case pieceUser:
			add(int64(i), false)
		}
	}
	role := func(what string) (string, error) {
		v, ok := meta[key+what]
		if !ok {
			return "", nil
		}
		id, ok := integer(v)
		if !ok || id < 0 || id >= int64(len(vocab)) {
			return "", fmt.Errorf("%s: %s%s: %v; wanted an id below %d", op, key, what, v, len(vocab))
		}
		if !have[id] {
			add(id, true)
		}
		return vocab[id], nil
	}
	if cfg.BOS, err = role("bos_token_id"); err != nil {
		return nil, err
	}
	if cfg.EOS, err = role("eos_token_id"); err != nil {
		return nil, err
	}
	if cfg.Unk, err = role("unknown_token_id"); err != nil {
		return nil, err
	}
	cfg.AddBOS, _ = meta[key+"add_bos_token"].(bool)
	cfg.AddPrefixSpace, _ = meta[key+"add_space_prefix"].(bool)
	t, err := NewByteBPE(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return t, nil
}

// llamaFromGGUF reads SentencePiece's BPE.
func llamaFromGGUF(meta map[string]any) (*Tokenizer, error) {
	const key = "tokenizer.ggml."
	vocab, err := strs(meta, key+"tokens")
	if err != nil {
		return nil, err
	}
	types, err := ints(meta, key+"token_type")
	if err != nil {
		return nil, err
	}
	var scores []float32
	switch v := meta[key+"scores"].(type) {
	case []float32:
		scores = v
	case []float64: // as package weights hands them out
		for _, s := range v {
			scores = append(scores, float32(s))
		}
	default:
		return nil, fmt.Errorf("%sscores: %T; wanted an array of numbers", key, meta[key+"scores"])
	}
	if len(types) != len(vocab) || len(scores) != len(vocab) {
		return nil, fmt.Errorf("%stokens: %d tokens, %d types, %d scores; wanted as many of each", key, len(vocab), len(types), len(scores))
	}
	for n := len(types); n > 0 && types[n-1] == pieceUnused; n-- { // ids of the model that the tokenizer does not have
		vocab, types, scores = vocab[:n-1], types[:n-1], scores[:n-1]
	}
	m := spModel{kind: spBPE, fallback: true, escape: true, prefix: true, addBOS: true}
	for i, text := range vocab {
		m.pieces = append(m.pieces, spPiece{text, scores[i], int(types[i])})
	}
	for what, to := range map[string]*int32{"unknown_token_id": &m.unk, "bos_token_id": &m.bos, "eos_token_id": &m.eos} {
		*to = None
		if v, ok := meta[key+what]; ok {
			id, ok := integer(v)
			if !ok || id < 0 || id >= int64(len(vocab)) {
				return nil, fmt.Errorf("%s%s: %v; wanted an id below %d", key, what, v, len(vocab))
			}
			*to = int32(id)
		}
	}
	for what, to := range map[string]*bool{"add_space_prefix": &m.prefix, "add_bos_token": &m.addBOS} {
		if v, ok := meta[key+what].(bool); ok {
			*to = v
		}
	}
	return m.built()
}

// names lists the keys of a table in order.
func names[V any](m map[string]V) string { return strings.Join(sorted(m), ", ") }

func sorted[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}

func strs(meta map[string]any, key string) ([]string, error) {
	switch v := meta[key].(type) {
	case []string:
		return v, nil
	case []any:
		out := make([]string, len(v))
		for i, x := range v {
			s, ok := x.(string)
			if !ok {
				return nil, fmt.Errorf("%s: element %d is %T; wanted a string", key, i, x)
			}
			out[i] = s
		}
		return out, nil
	case nil:
		return nil, fmt.Errorf("%s: not in the metadata", key)
	default:
		return nil, fmt.Errorf("%s: %T; wanted an array of strings", key, v)
	}
}

func ints(meta map[string]any, key string) ([]int64, error) {
	switch v := meta[key].(type) {
	case []int32:
		return widen(v), nil
	case []uint32:
		return widen(v), nil
	case []int64:
		return v, nil
	case []uint64:
		return widen(v), nil
	case []int:
		return widen(v), nil
	case []any:
		out := make([]int64, len(v))
		for i, x := range v {
			n, ok := integer(x)
			if !ok {
				return nil, fmt.Errorf("%s: element %d is %T; wanted an integer", key, i, x)
			}
			out[i] = n
		}
		return out, nil
	case nil:
		return nil, fmt.Errorf("%s: not in the metadata", key)
	default:
		return nil, fmt.Errorf("%s: %T; wanted an array of integers", key, v)
	}
}

func widen[T int32 | uint32 | uint64 | int](v []T) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int8:
		return int64(n), true
	case int16:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case uint8:
		return int64(n), true
	case uint16:
		return int64(n), true
	case uint32:
		return int64(n), true
	case uint64:
		return int64(n), n <= 1<<62
	}
	return 0, false
}
