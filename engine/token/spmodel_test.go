package token

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// The sums are of what sentencepiece 0.2.3 (PyPI) writes for the 1961 strings: its ids as lines of decimal numbers, and
// the texts that it decodes them to, each followed by a zero byte.
func TestSentencePieceParity(t *testing.T) {
	for _, c := range []struct{ folder, file, ids, texts string }{
		{"mistral_v1", "tokenizer.model", "609f578b657ca03b817c772b9be19d3d310473ebc59f4472ce7c7e5f4b53b437", "d4b58d3897fdfce6cf8928adfb5d6e89ea009570bbe2e9209b127a3b0fb97d38"},
		{"mistral_v3", "tokenizer.model", "8f49c904b19ec0ee1f9eeac758fd04020ba630abb430f1c5380f0800f0183964", "d4b58d3897fdfce6cf8928adfb5d6e89ea009570bbe2e9209b127a3b0fb97d38"},
		{"botchan_unigram", "test_sentencepiece.model", "13dc5b0540ebdad92548a6bf6de15730ccc0fc6ccd2e514b35258ab478bf685e", "0fa3bcd3447f6ca60a1e9647b506da2489d6647d9849fea5c7876a0f0ed96153"},
		{"albert_unigram", "spiece.model", "fadb3801ffc5a6ecafdd09a6ddefd870dd18cedfbff788df6cdebd8bbe02d50d", "50d5d79a9e89a1a2917426bc4c753362a6af3b1fe5414464e02038f55bd2d924"},
	} {
		tok, err := ReadModel(golden(t, "tokenizers", c.folder, c.file))
		if err != nil {
			t.Errorf("%s: %v", c.folder, err)
			continue
		}
		ids, texts := sha256.New(), sha256.New()
		for _, p := range paritySet(t) {
			list := tok.Encode(p.text)
			for i, id := range list {
				if i > 0 {
					fmt.Fprint(ids, " ")
				}
				fmt.Fprint(ids, id)
				if tok.IsSpecial(id) {
					t.Fatalf("%s: Encode(%q) wrote the control token %q", c.folder, p.text, tok.Token(id))
				}
			}
			fmt.Fprintln(ids)
			fmt.Fprint(texts, tok.Decode(list), "\x00")
			if unknown := slices.Contains(list, tok.Unk()); unknown != (tok.Dropped(p.text) > 0) {
				t.Fatalf("%s: %q has unknown text: %v; Dropped says %d", c.folder, p.text, unknown, tok.Dropped(p.text))
			}
		}
		if got := hex.EncodeToString(ids.Sum(nil)); got != c.ids {
			t.Errorf("%s: the ids of the strings differ", c.folder)
		}
		if got := hex.EncodeToString(texts.Sum(nil)); got != c.texts {
			t.Errorf("%s: the decoded texts differ", c.folder)
		}
	}
}

func TestAlbertParity(t *testing.T) {
	tok, err := ReadModel(golden(t, "tokenizers", "albert_unigram", "spiece.model"))
	if err != nil {
		t.Fatal(err)
	}
	want := fromJSON[[][]int32](t, golden(t, "tokenizers", "parity", "albert_spm.ids.json.gz"))
	var texts []string
	for _, p := range paritySet(t) {
		texts = append(texts, p.text)
	}
	differs(t, tok, tok.Encode, texts, want)
}

func TestMistralRoles(t *testing.T) {
	tok, err := ReadModel(golden(t, "tokenizers", "mistral_v3", "tokenizer.model"))
	if err != nil {
		t.Fatal(err)
	}
	if tok.BOS() != 1 || tok.EOS() != 2 || tok.Unk() != 0 || !tok.AddBOS() || tok.VocabSize() != 32768 {
		t.Errorf("BOS %d EOS %d Unk %d AddBOS %v size %d", tok.BOS(), tok.EOS(), tok.Unk(), tok.AddBOS(), tok.VocabSize())
	}
	inst := &Template{Name: "inst", BOS: true, Turns: map[string]Turn{User: {"[INST] ", "[/INST]"}, Assistant: {" ", ""}}}
	e, err := inst.Encode(tok, []Message{{User, "a [/INST] b\xff</s>"}, {Assistant, "yes</s>"}}, false)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"<s>": 1, "[INST]": 1, "[/INST]": 1, "</s>": 1} {
		id, ok := tok.Special(text)
		if !ok || count(e.IDs, id) != want {
			t.Errorf("%d times %s in %d, want %d", count(e.IDs, id), text, e.IDs, want)
		}
	}
	if text, ids := trained(tok, e); tok.DecodeNext(ids) != "yes" || ids[len(ids)-1] != tok.EOS() {
		t.Errorf("trained %q", text)
	}
	if got := tok.DecodeAll(e.IDs); got != "<s>[INST] a [/INST] b\xff</s>[/INST] yes</s>" {
		t.Errorf("decodes to %q", got)
	}
	for _, s := range []string{"", " a", "  a  b ", "\xff\xc3", "\n\n", "é🦙"} {
		roundTripPlain(t, tok, s)
	}
}

// spFile writes a SentencePiece model: trainer and normaliser fields as given, then pieces.
func spFile(trainer, normalizer map[int]uint64, pieces ...spPiece) []byte {
	field := func(num int, data []byte) []byte {
		out := binary.AppendUvarint(nil, uint64(num)<<3|2)
		return append(binary.AppendUvarint(out, uint64(len(data))), data...)
	}
	spec := func(m map[int]uint64) []byte {
		var out []byte
		for k := range 64 {
			if v, ok := m[k]; ok {
				out = binary.AppendUvarint(binary.AppendUvarint(out, uint64(k)<<3), v)
			}
		}
		return out
	}
	var out []byte
	for _, p := range pieces {
		b := field(1, []byte(p.text))
		b = binary.LittleEndian.AppendUint32(append(b, 2<<3|5), math.Float32bits(p.score))
		out = append(out, field(1, append(b, 3<<3, byte(p.kind)))...)
	}
	out = append(out, field(2, spec(trainer))...)
	return append(out, field(3, spec(normalizer))...)
}

var spSmall = []spPiece{
	{"<unk>", 0, pieceUnknown}, {"<s>", 0, pieceControl}, {"</s>", 0, pieceControl}, {"<tool>", 0, pieceUser},
	{"▁a", -1, pieceNormal}, {"▁", -2, pieceNormal}, {"a", -3, pieceNormal}, {"b", -4, pieceNormal}, {"ab", -1.5, pieceNormal}, {"<0x63>", 0, pieceByte},
}

func TestReadModel(t *testing.T) {
	for kind, want := range map[uint64]map[string][]int32{
		spBPE: {
			"ab":         {4, 7}, // ▁a merges first, then nothing is left for ab
			"b ab":       {5, 7, 4, 7},
			"  a<tool>b": {4, 3, 7},
			"xyé":        {5, 0}, // a run of unknown text is one token
			"c":          {5, 9}, // a byte
		},
		spUnigram: {
			"ab":         {5, 8}, // -3.5 is more than -5
			"b ab":       {5, 7, 5, 8},
			"  a<tool>b": {4, 3, 7},
			"xyé":        {5, 0},
			"c":          {5, 9},
		},
	} {
		tok, err := ReadModel(spFile(map[int]uint64{3: kind, 35: 1}, nil, spSmall...))
		if err != nil {
			t.Fatal(err)
		}
		for text, ids := range want {
			if got := tok.Encode(text); !slices.Equal(got, ids) {
				t.Errorf("type %d: %q is %d, want %d", kind, text, got, ids)
			}
		}
		if got := tok.EncodeSpecial("<s>a</s>"); !slices.Equal(got, []int32{1, 6, 2}) && !slices.Equal(got, []int32{1, 4, 2}) {
			t.Errorf("type %d: control tokens in %d", kind, got)
		}
		if got := tok.Decode([]int32{4, 0, 7}); got != "a ⁇ b" {
			t.Errorf("type %d: unknown text decodes to %q", kind, got)
		}
	}
}

func TestReadModelRefuses(t *testing.T) {
	with := func(p ...spPiece) []spPiece { return append(slices.Clone(spSmall), p...) }
	for _, c := range []struct {
		data []byte
		want string
	}{
		{[]byte{0x0a, 0x80}, "field 1: 0 bytes"},
		{[]byte{0x0a, 0x05, 1}, "field 1: 5 bytes; 2 are left"},
		{[]byte{0x0b}, "wire type 3"},
		{spFile(map[int]uint64{3: 3}, nil, spSmall...), "model type 3 is not implemented"},
		{spFile(map[int]uint64{24: 1}, nil, spSmall...), "treat_whitespace_as_suffix"},
		{spFile(nil, map[int]uint64{5: 0}, spSmall...), "escape_whitespaces false"},
		{spFile(map[int]uint64{40: 77}, nil, spSmall...), "unk_id 77: not among 10 pieces"},
		{spFile(nil, nil, with(spPiece{"a", 0, pieceNormal})...), `pieces 6 and 10: both are "a"`},
		{spFile(nil, nil, with(spPiece{"", 0, pieceNormal})...), "piece 10: it has no text"},
		{spFile(nil, nil, with(spPiece{"x", 0, 9})...), "piece 10: type 9"},
		{spFile(nil, nil, with(spPiece{"x", 0, pieceByte})...), `piece 10: "x"; wanted a byte`},
		{spFile(nil, nil, with(spPiece{"x", float32(math.NaN()), pieceNormal})...), "piece 10: its score is not a number"},
		{spFile(map[int]uint64{3: spBPE}, nil, with(spPiece{"x", 0, pieceUnused})...), "piece 10: unused tokens in a BPE"},
	} {
		if _, err := ReadModel(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want %s", err, c.want)
		}
	}
	for _, data := range [][]byte{{1, 2}, {8, 0, 0, 0, 1, 2, 3, 4}, {4, 0, 0, 0, 1, 2, 3, 4}, {4, 0, 0, 0, 1, 2, 3, 4, 'x'}} {
		if _, err := newCharsMap(data); err == nil {
			t.Errorf("a table of characters is read from %v", data)
		}
	}
}

// A GGUF file of the llama kind and a SentencePiece model with the same pieces give the same ids.
func TestFromGGUFLlama(t *testing.T) {
	var tokens []string
	var scores []float32
	var types []int32
	for _, p := range spSmall {
		tokens, scores, types = append(tokens, p.text), append(scores, p.score), append(types, int32(p.kind))
	}
	meta := map[string]any{
		"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.scores": scores, "tokenizer.ggml.token_type": types,
		"tokenizer.ggml.unknown_token_id": uint32(0), "tokenizer.ggml.bos_token_id": uint32(1), "tokenizer.ggml.eos_token_id": uint32(2),
	}
	tok, err := FromGGUF(meta)
	if err != nil {
		t.Fatal(err)
	}
	model, err := ReadModel(spFile(map[int]uint64{3: spBPE, 35: 1}, map[int]uint64{4: 0}, spSmall...))
	if err != nil {
		t.Fatal(err)
	}
	if tok.Fingerprint() != model.Fingerprint() {
		t.Error("the same pieces give another tokenizer")
	}
	meta["tokenizer.ggml.scores"] = scores[1:]
	if _, err := FromGGUF(meta); err == nil || !strings.Contains(err.Error(), "10 tokens, 10 types, 9 scores") {
		t.Errorf("%v; want the three numbers", err)
	}
}

func FuzzReadModel(f *testing.F) {
	f.Add(spFile(map[int]uint64{3: spBPE, 35: 1}, nil, spSmall...), "a b<tool>")
	f.Add(spFile(map[int]uint64{3: spUnigram}, map[int]uint64{4: 0}, spSmall...), "ab\xff")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		tok, err := ReadModel(data)
		if err != nil {
			return
		}
		for _, id := range tok.Encode(text) {
			if tok.IsSpecial(id) {
				t.Fatalf("Encode(%q) wrote the control token %q", text, tok.Token(id))
			}
		}
		tok.Dropped(text)
		tok.Fingerprint()
	})
}
