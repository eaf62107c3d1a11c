package token

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// llama2c writes a tokenizer file with the fixed tokens and these words, best score first.
func llama2c(words ...string) []byte {
	var b bytes.Buffer
	put := func(score float32, text string) {
		binary.Write(&b, binary.LittleEndian, score)
		binary.Write(&b, binary.LittleEndian, int32(len(text)))
		b.WriteString(text)
	}
	binary.Write(&b, binary.LittleEndian, int32(16))
	for _, s := range []string{"<unk>", "\n<s>\n", "\n</s>\n"} {
		put(0, s)
	}
	for i := range 256 {
		put(0, fmt.Sprintf("<0x%02X>", i))
	}
	for i, w := range words {
		put(-float32(i), w)
	}
	return b.Bytes()
}

func TestReadLlama2c(t *testing.T) {
	words := []string{" a", "bc", "ab", " ", "a", "b", "c", "é"}
	tok, err := ReadLlama2c(bytes.NewReader(llama2c(words...)), 259+len(words))
	if err != nil {
		t.Fatal(err)
	}
	if tok.BOS() != 1 || tok.EOS() != 2 || tok.Unk() != 0 || !tok.AddBOS() {
		t.Errorf("BOS %d EOS %d Unk %d AddBOS %v", tok.BOS(), tok.EOS(), tok.Unk(), tok.AddBOS())
	}
	id := func(w string) int32 { return int32(259 + slices.Index(words, w)) }
	for text, want := range map[string][]int32{
		"":    {},
		"abc": {id(" a"), id("bc")}, // " a" has the best score
		"cab": {id(" "), id("c"), id("ab")},
		"éx":  {id(" "), id("é"), 3 + 'x'},
		"<s>": {id(" "), 3 + '<', 3 + 's', 3 + '>'},
	} {
		if got := tok.Encode(text); !slices.Equal(got, want) {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if got := tok.EncodeSpecial("<s>a"); got[0] != 1 {
		t.Errorf("EncodeSpecial(<s>a) is %d", got)
	}
	// What continues a text keeps its space.
	if got := tok.DecodeNext([]int32{id(" a")}); got != " a" {
		t.Errorf("DecodeNext gives %q", got)
	}
}

func TestReadLlama2cRefuses(t *testing.T) {
	good := llama2c(" ", "a")
	for _, c := range []struct {
		data  []byte
		vocab int
		want  string
	}{
		{nil, 261, "longest token: unexpected EOF"},
		{good, 100, "vocabulary of 100"},
		{good, 262, "token 261 of 262: unexpected EOF"},
		{good[:len(good)-1], 261, "token 260 of 261: unexpected EOF"},
		{good, 260, "bytes after token 259"},
		{append([]byte{0, 0, 0, 0}, good[4:]...), 261, "longest token: 0 bytes"},
		{append([]byte{3, 0, 0, 0}, good[4:]...), 261, "token 0 of 261: 5 bytes; wanted 1 to 3"},
		{llama2c("x"), 260, "none of 260 tokens is a space"},
		{bytes.Replace(good, []byte("<0x41>"), []byte("<0x42>"), 1), 261, `token 68: "<0x42>"; wanted "<0x41>"`},
		{bytes.Replace(good, []byte("\n<s>\n"), []byte("\n \n \n"), 1), 261, "token 1: it is blank"},
	} {
		if _, err := ReadLlama2c(bytes.NewReader(c.data), c.vocab); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want %s", err, c.want)
		}
	}
}

func FuzzReadLlama2c(f *testing.F) {
	f.Add(llama2c(" ", "a", " a"), 262, "a a")
	f.Add(llama2c(" "), 260, "<s>")
	f.Fuzz(func(t *testing.T, data []byte, vocab int, text string) {
		tok, err := ReadLlama2c(bytes.NewReader(data), vocab)
		if err != nil {
			return
		}
		roundTripPlain(t, tok, text)
	})
}

func roundTripPlain(t *testing.T, tok *Tokenizer, s string) {
	t.Helper()
	ids := tok.Encode(s)
	if got := tok.Decode(ids); got != s {
		t.Fatalf("decode(encode(%q)) is %q", s, got)
	}
	for _, id := range ids {
		if tok.IsSpecial(id) {
			t.Fatalf("Encode(%q) wrote the control token %q", s, tok.Token(id))
		}
	}
}
