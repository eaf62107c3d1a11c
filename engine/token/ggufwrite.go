package token

import "fmt"

// GGUF returns the metadata by which llama.cpp and FromGGUF make the tokenizer, for a model of so many ids: ids that the
// tokenizer does not have become unused tokens. A kind that the format cannot hold is an error.
func (t *Tokenizer) GGUF(vocab int) (map[string]any, error) {
	const op, key = "token.GGUF", "tokenizer.ggml."
	if len(t.vocab) > vocab {
		return nil, fmt.Errorf("%s: the tokenizer has %d ids; the model has %d", op, len(t.vocab), vocab)
	}
	tokens, types := make([]string, vocab), make([]int32, vocab)
	for i := range tokens {
		tokens[i], types[i] = fmt.Sprintf("[PAD%d]", i), pieceUnused
		if i >= len(t.vocab) || t.vocab[i] == "" {
			continue
		}
		tokens[i], types[i] = t.vocab[i], pieceNormal
		switch {
		case t.flags[i]&isSpecial != 0:
			types[i] = pieceControl
		case t.flags[i]&isAdded != 0:
			types[i] = pieceUser
		}
	}
	meta := map[string]any{key + "tokens": tokens, key + "token_type": types, key + "add_bos_token": t.AddBOS()}
	for what, id := range map[string]int32{"bos_token_id": t.bos, "eos_token_id": t.eos, "unknown_token_id": t.unk} {
		if id != None {
			meta[key+what] = uint32(id)
		}
	}
	switch m := t.model.(type) {
	case *byteBPE:
		pre, ok := ggufPreOf[m.pre]
		if !ok || (m.words != nil) != (m.pre == Llama3) || t.normalize != nil && m.pre != Qwen2 {
			return nil, fmt.Errorf("%s: GGUF has no pre-tokeniser like %q with whole words %v and a normaliser %v", op, m.pre, m.words != nil, t.normalize != nil)
		}
		var merges []string
		for _, s := range m.merges.list() {
			merges = append(merges, t.vocab[int32(s.pair>>32)]+" "+t.vocab[int32(uint32(s.pair))])
		}
		meta[key+"model"], meta[key+"pre"], meta[key+"merges"], meta[key+"add_space_prefix"] = "gpt2", pre, merges, m.prefix
	case *scoredBPE:
		file := newSPModel()
		if t.sourceName != modelFileName || file.parse(t.source) != nil || len(file.charsmap) > 0 || file.tidy {
			return nil, fmt.Errorf("%s: a SentencePiece model of a tokenizer.json, or one that changes characters and spaces, is not written", op)
		}
		scores := make([]float32, vocab)
		for i, p := range file.pieces {
			tokens[i], scores[i], types[i] = p.text, p.score, int32(p.kind)
		}
		meta[key+"model"], meta[key+"scores"], meta[key+"add_space_prefix"] = "llama", scores, file.prefix
	default:
		return nil, fmt.Errorf("%s: this kind of tokenizer is not written; wanted a byte-level BPE or a SentencePiece BPE", op)
	}
	return meta, nil
}

// ggufPreOf is how GGUF files call our pre-tokenisers.
var ggufPreOf = map[PreTokenizer]string{GPT2: "gpt-2", SmolLM2: "smollm", Llama3: "llama-bpe", Qwen2: "qwen2"}
