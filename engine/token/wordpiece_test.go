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
