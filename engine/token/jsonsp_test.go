package token

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// asJSON writes a SentencePiece model as the tokenizer.json that Hugging Face's converter makes of it.
func asJSON(t testing.TB, folder, file string, change func(f map[string]any)) []byte {
	t.Helper()
	m := spModel{kind: spUnigram, unk: 0, bos: 1, eos: 2, prefix: true, tidy: true, escape: true, addBOS: true}
	data := golden(t, "tokenizers", folder, file)
	if err := m.parse(data); err != nil {
		t.Fatal(err)
	}
	tok, err := ReadModel(data)
	if err != nil {
		t.Fatal(err)
	}
	var added []map[string]any
	for _, a := range tok.added {
		added = append(added, map[string]any{"id": a.ID, "content": a.Text, "special": true})
	}
	type obj = map[string]any
	f := obj{
		"version": "1.0", "added_tokens": added,
		"post_processor": obj{"type": "TemplateProcessing", "single": []obj{
			{"SpecialToken": obj{"id": tok.vocab[tok.bos], "type_id": 0}}, {"Sequence": obj{"id": "A", "type_id": 0}}}},
	}
	if m.kind == spBPE {
		vocab := obj{}
		for id, v := range tok.vocab {
			vocab[v] = id
		}
		var merges []string
		list := tok.model.(*scoredBPE).merges.list()
		slices.SortStableFunc(list, func(a, b mergeSlot) int { // of the ways to one token the longest left part first
			return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(len(tok.vocab[b.pair>>32]), len(tok.vocab[a.pair>>32])))
		})
		for _, s := range list {
			merges = append(merges, tok.vocab[s.pair>>32]+" "+tok.vocab[uint32(s.pair)])
		}
		f["model"] = obj{"type": "BPE", "byte_fallback": true, "fuse_unk": true, "unk_token": tok.vocab[tok.unk], "vocab": vocab, "merges": merges}
		f["normalizer"] = obj{"type": "Sequence", "normalizers": []obj{{"type": "Prepend", "prepend": blank}, {"type": "Replace", "pattern": obj{"String": " "}, "content": blank}}}
		f["decoder"] = obj{"type": "Sequence", "decoders": []obj{{"type": "Replace", "pattern": obj{"String": blank}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}}}
	} else {
		var vocab [][2]any
		for i, p := range m.pieces {
			vocab = append(vocab, [2]any{p.text, m.pieces[i].score})
		}
		f["model"] = obj{"type": "Unigram", "unk_id": tok.unk, "vocab": vocab, "byte_fallback": false}
		f["normalizer"] = obj{"type": "Sequence", "normalizers": []obj{
			{"type": "Precompiled", "precompiled_charsmap": base64.StdEncoding.EncodeToString(m.charsmap)},
			{"type": "Strip", "strip_left": false, "strip_right": true}, {"type": "Replace", "pattern": obj{"Regex": " {2,}"}, "content": blank}}}
		f["pre_tokenizer"] = obj{"type": "Metaspace", "replacement": blank, "prepend_scheme": "always", "split": true}
		f["decoder"] = obj{"type": "Metaspace", "replacement": blank, "prepend_scheme": "always", "split": true}
	}
	if change != nil {
		change(f)
	}
	out, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestJSONOfSentencePiece(t *testing.T) {
	for folder, file := range map[string]string{"mistral_v1": "tokenizer.model", "botchan_unigram": "test_sentencepiece.model"} {
		want, err := ReadModel(golden(t, "tokenizers", folder, file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadJSON(asJSON(t, folder, file, nil))
		if err != nil {
			t.Errorf("%s: %v", folder, err)
			continue
		}
		if got.BOS() != want.BOS() || !got.AddBOS() || got.Unk() == want.EOS() {
			t.Errorf("%s: BOS %d, added %v", folder, got.BOS(), got.AddBOS())
		}
		for _, p := range paritySet(t) {
			a, b := want.Encode(p.text), got.Encode(p.text)
			if !slices.Equal(a, b) {
				t.Fatalf("%s: %q is %d from the model, %d from the JSON", folder, p.text, a, b)
			}
			if x, y := want.Decode(a), got.Decode(a); x != y {
				t.Fatalf("%s: decodes to %q from the model, %q from the JSON", folder, x, y)
			}
		}
		if e := got.Encode("<s>a</s>"); slices.ContainsFunc(e, got.IsSpecial) {
			t.Errorf("%s: plain text gives control tokens: %d", folder, e)
		}
	}
}

// smallJSON is a BPE with byte fallback and a handful of words.
func smallJSON(t testing.TB, change func(f map[string]any)) []byte {
	t.Helper()
	type obj = map[string]any
	vocab := obj{"<unk>": 0, "<s>": 1, "</s>": 2}
	for b := range 256 {
		vocab[fmt.Sprintf("<0x%02X>", b)] = 3 + b
	}
	for _, w := range []string{blank, "a", "b", "ab", blank + "ab"} {
		vocab[w] = len(vocab)
	}
	f := obj{
		"added_tokens": []obj{{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true}, {"id": 2, "content": "</s>", "special": true}},
		"normalizer":   obj{"type": "Sequence", "normalizers": []obj{{"type": "Prepend", "prepend": blank}, {"type": "Replace", "pattern": obj{"String": " "}, "content": blank}}},
		"decoder":      obj{"type": "Sequence", "decoders": []obj{{"type": "Replace", "pattern": obj{"String": blank}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}}},
		"model":        obj{"type": "BPE", "byte_fallback": true, "fuse_unk": true, "unk_token": "<unk>", "vocab": vocab, "merges": []string{"a b", blank + " ab"}},
	}
	change(f)
	out, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestJSONOfFallback(t *testing.T) {
	type obj = map[string]any
	meta := obj{"type": "Metaspace", "replacement": blank, "prepend_scheme": "first", "split": false}
	for name, c := range map[string]struct {
		change func(f map[string]any)
		text   string
		want   []int32
	}{
		"Llama":     {func(obj) {}, "ab  abé", []int32{263, 259, 263, 3 + 0xc3, 3 + 0xa9}},
		"space":     {func(obj) {}, " ab", []int32{259, 263}},
		"Metaspace": {func(f obj) { f["normalizer"], f["pre_tokenizer"], f["decoder"] = nil, meta, meta }, " ab ab", []int32{263, 263}},
		"Gemma": {func(f obj) {
			f["normalizer"] = obj{"type": "Replace", "pattern": obj{"String": " "}, "content": blank}
			f["pre_tokenizer"] = obj{"type": "Split", "pattern": obj{"String": " "}, "behavior": "MergedWithPrevious", "invert": false}
			f["decoder"] = obj{"type": "Sequence", "decoders": []obj{{"type": "Replace", "pattern": obj{"String": blank}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}}}
		}, "ab ab", []int32{262, 263}},
	} {
		tok, err := ReadJSON(smallJSON(t, c.change))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := tok.Encode(c.text)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q is %d; wanted %d", name, c.text, got, c.want)
		}
		if back := tok.Decode(got); back != c.text && name != "Metaspace" {
			t.Errorf("%s: %q decodes to %q", name, c.text, back)
		}
	}
}

func TestJSONOfSentencePieceRefusals(t *testing.T) {
	type obj = map[string]any
	model := func(f map[string]any) map[string]any { return f["model"].(map[string]any) }
	for want, change := range map[string]func(f map[string]any){
		"ignore_merges":                 func(f map[string]any) { model(f)["ignore_merges"] = true },
		"dropout 0.1":                   func(f map[string]any) { model(f)["dropout"] = 0.1 },
		`unk_token "nope"`:              func(f map[string]any) { model(f)["unk_token"] = "nope" },
		"normalizer: NFKC is not":       func(f map[string]any) { f["normalizer"] = obj{"type": "NFKC"} },
		"spaces are not written as":     func(f map[string]any) { f["normalizer"] = nil },
		"pre_tokenizer: Punctuation is": func(f map[string]any) { f["pre_tokenizer"] = obj{"type": "Punctuation"} },
		"decoder: WordPiece is not":     func(f map[string]any) { f["decoder"] = obj{"type": "WordPiece"} },
		"does not become a space":       func(f map[string]any) { f["decoder"] = nil },
		`merge 0: "a"; wanted two`:      func(f map[string]any) { model(f)["merges"] = []string{"a"} },
		`merge 0: "\ue000" is not`:      func(f map[string]any) { model(f)["merges"] = []string{"\ue000 a"} },
		"after each added token": func(f map[string]any) {
			f["added_tokens"] = append(f["added_tokens"].([]obj), obj{"id": 264, "content": "<x>", "special": false})
		},
		"are treated apart": func(f map[string]any) {
			f["normalizer"] = obj{"type": "Sequence", "normalizers": []obj{{"type": "Strip", "strip_left": false, "strip_right": true}, {"type": "Replace", "pattern": obj{"String": " "}, "content": blank}}}
		},
		"fuse_unk false without a token": func(f map[string]any) {
			model(f)["fuse_unk"] = false
			delete(model(f)["vocab"].(map[string]any), "<0x41>")
		},
	} {
		if _, err := ReadJSON(smallJSON(t, change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; wanted %s", err, want)
		}
	}
	for want, change := range map[string]func(f map[string]any){
		"unk_id 99999999":           func(f map[string]any) { model(f)["unk_id"] = 99999999 },
		"no unk_id":                 func(f map[string]any) { model(f)["unk_id"] = nil },
		"wanted a pair of text":     func(f map[string]any) { model(f)["vocab"] = []any{[]any{"a"}} },
		"both are \"a\"":            func(f map[string]any) { model(f)["vocab"] = []any{[]any{"a", 1}, []any{"a", 2}} },
		"precompiled_charsmap: ill": func(f map[string]any) { f["normalizer"] = obj{"type": "Precompiled", "precompiled_charsmap": "!"} },
		"WhitespaceSplit without": func(f map[string]any) {
			f["pre_tokenizer"] = obj{"type": "Sequence", "pretokenizers": []obj{{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": blank, "prepend_scheme": "never"}}}
		},
	} {
		if _, err := ReadJSON(asJSON(t, "botchan_unigram", "test_sentencepiece.model", change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; wanted %s", err, want)
		}
	}
}

// Words are merged one by one and kept; a text that is merged as a whole has the same ids.
func TestWordsMergeAsTheWhole(t *testing.T) {
	tok, err := ReadModel(golden(t, "tokenizers", "mistral_v1", "tokenizer.model"))
	if err != nil {
		t.Fatal(err)
	}
	m := tok.model.(*scoredBPE)
	if m.space != blank {
		t.Fatalf("words begin with %q; wanted %q", m.space, blank)
	}
	whole := *m
	whole.space = ""
	for range 2 { // the second time from the cache
		for _, p := range paritySet(t) {
			if a, b := m.encode(nil, p.text, true), whole.encode(nil, p.text, true); !slices.Equal(a, b) {
				t.Fatalf("%q is %d word by word, %d as a whole", p.text, a, b)
			}
		}
	}
	// A token that goes on after a word's end forbids it.
	m.merges.put(m.chars["a"], m.chars[blank], 0, int32(len(tok.vocab)))
	other := *m
	other.space = ""
	other.findSpace(append(slices.Clone(tok.vocab), "a"+blank), blank)
	if other.space != "" {
		t.Error("words are cut although a token holds the end of one and the beginning of the next")
	}
}

func TestEncodeAll(t *testing.T) {
	tok := tokenizer(t, "smollm2")
	var texts []string
	for _, p := range paritySet(t) {
		texts = append(texts, p.text)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	all := tok.EncodeAll(texts)
	for i, s := range texts {
		if !slices.Equal(all[i], tok.Encode(s)) {
			t.Fatalf("text %d: %d; wanted %d", i, all[i], tok.Encode(s))
		}
	}
	if got := tok.EncodeAll(nil); len(got) != 0 {
		t.Errorf("no texts give %d", len(got))
	}
}

func BenchmarkSentencePiece(b *testing.B) {
	tok, err := ReadModel(golden(b, "tokenizers", "mistral_v1", "tokenizer.model"))
	if err != nil {
		b.Fatal(err)
	}
	var all strings.Builder
	for _, p := range paritySet(b) {
		all.WriteString(p.text)
		all.WriteByte('\n')
	}
	text := all.String()
	for name, whole := range map[string]bool{"words": false, "whole": true} {
		m := *tok.model.(*scoredBPE)
		if whole {
			m.space = ""
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var dst []int32
			for b.Loop() {
				dst = m.encode(dst[:0], text, true)
			}
		})
	}
}

// A tokenizer's file gives back its ids, whatever it was read from.
func TestFile(t *testing.T) {
	texts := []string{"", " ", "  a  b", "Once upon a time,\n there was é🦙\xff."}
	for _, p := range paritySet(t) {
		texts = append(texts, p.text)
	}
	same := func(name string, want, got *Tokenizer) {
		t.Helper()
		for _, s := range texts {
			a, b := want.Encode(s), got.Encode(s)
			if !slices.Equal(a, b) {
				t.Fatalf("%s: %q is %d, written and read again %d", name, s, a, b)
			}
			if x, y := want.Decode(a), got.Decode(b); x != y {
				t.Fatalf("%s: %q decodes to %q, written and read again to %q", name, s, x, y)
			}
		}
		if want.BOS() != got.BOS() || want.EOS() != got.EOS() || want.AddBOS() != got.AddBOS() || want.Unk() != got.Unk() {
			t.Errorf("%s: roles %d %d %v %d, written and read again %d %d %v %d", name, want.BOS(), want.EOS(), want.AddBOS(), want.Unk(), got.BOS(), got.EOS(), got.AddBOS(), got.Unk())
		}
	}
	again := func(name string, tok *Tokenizer, file string) {
		t.Helper()
		got, data, err := tok.File()
		if err != nil || got != file {
			t.Fatalf("%s: %s, %v; wanted %s", name, got, err, file)
		}
		back, err := ReadFile(got, data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		same(name, tok, back)
	}
	stories, err := ReadLlama2c(bytes.NewReader(golden(t, "models", "stories260k", "tok512.bin")), 512)
	if err != nil {
		t.Fatal(err)
	}
	again("stories260k", stories, "tokenizer.model")
	for _, f := range []string{"mistral_v1/tokenizer.model", "mistral_v3/tokenizer.model", "botchan_unigram/test_sentencepiece.model"} {
		tok, err := ReadModel(golden(t, "tokenizers", f))
		if err != nil {
			t.Fatal(err)
		}
		again(f, tok, "tokenizer.model")
	}
	// A file that is written says all that one that was read does.
	for _, f := range []string{"mistral_v1/tokenizer.model", "mistral_v3/tokenizer.model", "albert_unigram/spiece.model"} {
		m := spModel{kind: spUnigram, unk: 0, bos: 1, eos: 2, prefix: true, tidy: true, escape: true, addBOS: true}
		if err := m.parse(golden(t, "tokenizers", f)); err != nil {
			t.Fatal(err)
		}
		w := spModel{addBOS: true}
		if err := w.parse(m.file()); err != nil || !reflect.DeepEqual(w, m) {
			t.Errorf("%s: written and read again it differs: %v", f, err)
		}
	}
	again("gpt2", tokenizer(t, "gpt2"), "tokenizer.json")
	again("qwen3", tokenizer(t, "qwen3"), "tokenizer.json")
	if _, err := ReadFile("x.bin", nil); err == nil {
		t.Error("x.bin was read")
	}
}
