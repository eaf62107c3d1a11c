package token

import "testing"

func TestBERTParity(t *testing.T) {
	tok := tokenizer(t, "bert_uncased")
	want := fromJSON[[][]int32](t, golden(t, "tokenizers", "parity", "bert.ids.json.gz"))
	var texts []string
	for _, p := range paritySet(t) {
		texts = append(texts, p.text)
	}
	differs(t, tok, tok.EncodeSpecial, texts, want)
	texts, ids := ggml(t, "bert-bge")
	differs(t, tok, tok.Encode, texts, ids)
	if got, want := tok.Decode(tok.EncodeSpecial("[CLS]Don't embeddings, please![SEP]")), "don ' t embeddings, please!"; got != want {
		t.Errorf("decoded %q, want %q", got, want)
	}
	if tok.BOS() != 101 || tok.EOS() != 102 || tok.Unk() != 100 || !tok.AddBOS() {
		t.Errorf("BOS %d EOS %d Unk %d", tok.BOS(), tok.EOS(), tok.Unk())
	}
	if got, want := tok.Dropped("a 𐌰𐌱 [SEP]"), len("𐌰𐌱"); got != want {
		t.Errorf("Dropped is %d, want the %d bytes of the unknown word", got, want)
	}
}

// WordPiece, which is not written, is given back as the file that it was read from; tokenizer_config.json calls its ends by
// an encoder's names.
func TestWordPieceGoesThrough(t *testing.T) {
	raw := []byte(`{"version":"1.0","truncation":null,"padding":null,"added_tokens":[
		{"id":0,"content":"[CLS]","special":true},{"id":1,"content":"[SEP]","special":true},{"id":2,"content":"[UNK]","special":true}],
		"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
		"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":null,"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
		"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
		"vocab":{"[CLS]":0,"[SEP]":1,"[UNK]":2,"mira":3,"##s":4}}}`)
	tok, err := ReadJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	tok, _, err = ReadConfig(tok, []byte(`{"cls_token":"[CLS]","sep_token":{"content":"[SEP]"},"unk_token":"[UNK]"}`))
	if err != nil || tok.BOS() != 0 || tok.EOS() != 1 {
		t.Fatalf("ends %d and %d, %v; wanted 0 and 1", tok.BOS(), tok.EOS(), err)
	}
	out, err := tok.WriteJSON()
	if err != nil || string(out) != string(raw) {
		t.Errorf("another file: %v", err)
	}
}
