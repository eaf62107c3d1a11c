package token

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestJSONRoundTrip(t *testing.T) {
	made := small(t)
	files := map[string]*Tokenizer{"trained": made}
	for _, c := range []ByteBPE{
		{Vocab: []string{"a", "b", "Ġ", "ab", "<s>", "", "<x>"}, Merges: []string{"a b"}, Pre: Llama3, IgnoreMerges: true, BOS: "<s>", AddBOS: true, Unk: "<s>",
			Added: []Added{{ID: 4, Text: "<s>", Special: true}, {ID: 6, Text: "<x>", LStrip: true, RStrip: true, SingleWord: true, Normalized: true}}},
		{Vocab: []string{"a", "Ġ"}, Pre: GPT2, AddPrefixSpace: true},
		{Vocab: []string{"a", "Ġ"}, Pre: Whole, NFC: true},
		{Vocab: []string{"a", "Ġ"}, Pre: Qwen2, NFC: true},
	} {
		tok, err := NewByteBPE(c)
		if err != nil {
			t.Fatal(err)
		}
		files[c.Pre.String()] = tok
	}
	for name, tok := range files {
		data, err := tok.WriteJSON()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		back, err := ReadJSON(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if back.Fingerprint() != tok.Fingerprint() {
			t.Errorf("%s: the fingerprint changed", name)
		}
		again, err := back.WriteJSON()
		if err != nil || string(again) != string(data) {
			t.Errorf("%s: written again, the file differs (%v)", name, err)
		}
		const text = "This is <|user|> what <x> aab\xffé 123"
		if a, b := tok.EncodeSpecial(text), back.EncodeSpecial(text); !slices.Equal(a, b) {
			t.Errorf("%s: ids %d became %d", name, a, b)
		}
		if back.BOS() != tok.BOS() || back.EOS() != tok.EOS() || back.Unk() != tok.Unk() || back.AddBOS() != tok.AddBOS() {
			t.Errorf("%s: roles changed", name)
		}
	}
}

func TestJSONRoundTripOfShared(t *testing.T) {
	for _, name := range []string{"gpt2", "smollm2"} {
		tok := tokenizer(t, name)
		data, err := tok.WriteJSON()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ReadJSON(data)
		if err != nil {
			t.Fatal(err)
		}
		if back.Fingerprint() != tok.Fingerprint() {
			t.Errorf("%s: the fingerprint changed", name)
		}
	}
}

// file is a small tokenizer.json with one part replaced.
func file(t *testing.T, part string, value string) []byte {
	t.Helper()
	const whole = `{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":4,"content":"<s>","special":true}],
	"normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"post_processor":null,"decoder":{"type":"ByteLevel"},
	"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"aba":3},"merges":["a b",["ab","a"]]}}`
	var f map[string]json.RawMessage
	if err := json.Unmarshal([]byte(whole), &f); err != nil {
		t.Fatal(err)
	}
	if part != "" {
		f[part] = json.RawMessage(value)
	}
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReadJSONRefusesByName(t *testing.T) {
	if tok, err := ReadJSON(file(t, "", "")); err != nil || !slices.Equal(tok.EncodeSpecial("<s>aba"), []int32{4, 3}) {
		t.Fatalf("the whole file: %v", err)
	}
	for _, c := range []struct{ part, value, want string }{
		{"model", `{"type":"WordPiece","unk_token":"x","continuing_subword_prefix":"##","max_input_chars_per_word":9,"vocab":{"<s>":4}}`, "normalizer:  is not implemented for WordPiece"},
		{"model", `null`, "model: not in the file"},
		{"model", `{"type":"WordLevel","vocab":{}}`, "WordLevel is not implemented"},
		{"model", `{"type":"BPE","dropout":0.1,"vocab":{"<s>":4},"merges":[]}`, "dropout 0.1"},
		{"model", `{"type":"BPE","continuing_subword_prefix":"##","vocab":{"<s>":4},"merges":[]}`, `continuing_subword_prefix "##"`},
		{"model", `{"type":"BPE","end_of_word_suffix":"</w>","vocab":{"<s>":4},"merges":[]}`, `end_of_word_suffix "</w>"`},
		{"model", `{"type":"BPE","unk_token":"<s>","vocab":{"<s>":4},"merges":[]}`, `unk_token "<s>" for byte 0x00`},
		{"model", `{"type":"BPE","vocab":{"<s>":4,"a":0},"merges":["a b"]}`, `merge 0: "b" is not in the vocabulary of 5 tokens`},
		{"model", `{"type":"BPE","vocab":{"<s>":4,"a":0},"merges":["ab"]}`, `merge 0: "ab"; wanted two tokens`},
		{"model", `{"type":"BPE","vocab":{"a":4},"merges":[]}`, `id 4: "<s>", but "a" in the vocabulary`},
		{"model", `{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}`, `id 0: both "a" and "b"`},
		{"model", `{"type":"BPE","vocab":{"a":900000000},"merges":[]}`, `id 900000000 in a vocabulary of 2 tokens`},
		{"model", `{"type":"BPE","vocab":{"":0},"merges":[]}`, `id 0: a token without text`},
		{"model", `{"type":"BPE","vocab":{"a":-1},"merges":[]}`, `id -1`},
		{"normalizer", `{"type":"Lowercase"}`, "normalizer: Lowercase"},
		{"normalizer", `{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Strip"}]}`, "normalizer: NFC, Strip"},
		{"pre_tokenizer", `{"type":"Whitespace"}`, "pre_tokenizer: Whitespace"},
		{"pre_tokenizer", `null`, "pre_tokenizer: "},
		{"pre_tokenizer", `{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"x+"},"behavior":"Isolated"},{"type":"ByteLevel","use_regex":false,"add_prefix_space":false}]}`, `Split("x+")`},
		{"decoder", `{"type":"WordPiece"}`, "decoder: WordPiece"},
		{"post_processor", `{"type":"Mystery"}`, "post_processor: Mystery"},
		{"added_tokens", `[{"id":4,"content":""}]`, "id 4: a token without text"},
		{"added_tokens", `[{"id":4,"content":"<s>"},{"id":5,"content":"<s>"}]`, "twice"},
	} {
		_, err := ReadJSON(file(t, c.part, c.value))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v; want %s", c.part, c.value, err, c.want)
		}
	}
}

func TestReadConfig(t *testing.T) {
	tok := tokenizer(t, "smollm2")
	with, _, err := ReadConfig(tok, golden(t, "tokenizers", "smollm2", "tokenizer_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if with.BOS() != 1 || with.EOS() != 2 || with.Unk() != 0 || with.AddBOS() {
		t.Errorf("BOS %d EOS %d Unk %d AddBOS %v; want 1 2 0 false", with.BOS(), with.EOS(), with.Unk(), with.AddBOS())
	}
	if with.Fingerprint() == tok.Fingerprint() {
		t.Error("other roles, the same fingerprint")
	}
	if _, _, err := ReadConfig(tok, []byte(`{"eos_token":{"content":"</nonesuch>"}}`)); err == nil || !strings.Contains(err.Error(), "</nonesuch>") {
		t.Errorf("%v; want an error with the token's text", err)
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`{"added_tokens":[{"id":1,"content":"<s>","special":true,"roles":["eos"]}],"pre_tokenizer":{"type":"ByteLevel"},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{"a":0},"merges":["a a"]}}`))
	f.Add(smallJSON(f, func(map[string]any) {}))
	f.Add([]byte(`{"pre_tokenizer":{"type":"Metaspace","replacement":"▁"},"decoder":{"type":"Metaspace","replacement":"▁"},"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["▁a",-1.5]]}}`))
	f.Add([]byte(`{"normalizer":{"type":"Sequence","normalizers":[{"type":"Sequence"}]},"model":{"type":"BPE","vocab":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := ReadJSON(data)
		if err != nil {
			return
		}
		tok.Decode(tok.Encode("▁a ab  \xff é<s>\n"))
		out, err := tok.WriteJSON()
		if err != nil {
			return
		}
		back, err := ReadJSON(out)
		if err != nil {
			t.Fatalf("%s\nis read, then written as\n%s\nwhich is not: %v", data, out, err)
		}
		if back.Fingerprint() != tok.Fingerprint() {
			t.Fatalf("%s\nis written as\n%s\nwhich is another tokenizer", data, out)
		}
	})
}
