package token

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// randomText mixes what trips tokenizers: letters of several scripts, digits, white space, control tokens, bytes that
// are not UTF-8.
func randomText(r *rand.Rand, n int) string {
	parts := []string{"a", "b", "the", "'s", "'LL", "'ſ", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "1", "23", "½", "Ⅷ", "é", "e\u0301", "你", "🦙", "\ufffd",
		"<s>", "<|user|>", "<|im_end|>", "\xff", "\xc3", "\xe4\xbd", "!", "...", "_", "\x00", "\u200d", "x", " x", "A"}
	var b strings.Builder
	for range n {
		if r.IntN(20) == 0 {
			b.WriteRune(rune(r.IntN(utf8.MaxRune)))
		} else {
			b.WriteString(parts[r.IntN(len(parts))])
		}
	}
	return b.String()
}

func TestDecodeEncodeIsIdentity(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	toks := []*Tokenizer{small(t)}
	for _, pre := range []PreTokenizer{GPT2, Llama3, Qwen2, Whole} {
		tok, err := TrainBPE(slices.Values([]string{strings.Repeat(randomText(r, 400), 2)}), TrainConfig{VocabSize: 300, Pre: pre, Special: []string{"<s>", "<|user|>"}})
		if err != nil {
			t.Fatal(err)
		}
		toks = append(toks, tok)
	}
	for range 2000 {
		s := randomText(r, r.IntN(30))
		for _, tok := range toks {
			roundTrip(t, tok, s)
		}
	}
}

func roundTrip(t *testing.T, tok *Tokenizer, s string) {
	t.Helper()
	ids := tok.Encode(s)
	if got := tok.Decode(ids); got != s {
		t.Fatalf("decode(encode(%q)) is %q", s, got)
	}
	if got := tok.DecodeAll(tok.EncodeSpecial(s)); got != s {
		t.Fatalf("with control tokens: decode(encode(%q)) is %q", s, got)
	}
	for _, id := range ids {
		if tok.IsSpecial(id) {
			t.Fatalf("Encode(%q) wrote the control token %q", s, tok.Token(id))
		}
	}
}

func FuzzEncodeDecode(f *testing.F) {
	tok := small(f)
	for _, s := range []string{"", " ", "hi<|user|>", "\xff\x00", "a  1\n\n b'll"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { roundTrip(t, tok, s) })
}

// Long pieces take another way through the merges; both ways, and the definition, must agree.
func TestMergeLongEqualsMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for round := range 300 {
		m := newMergeTable(40)
		for k := range 40 {
			m.put(int32(r.IntN(12)), int32(r.IntN(12)), int32(r.IntN(20)), int32(k%12))
		}
		ids := make([]int32, r.IntN(shortWord+1))
		for i := range ids {
			ids[i] = int32(r.IntN(4))
		}
		want := slices.Clone(ids)
		for {
			best, at := noRank, 0
			for i := 1; i < len(want); i++ {
				if k := m.rank(want[i-1], want[i]); k < best {
					best, at = k, i
				}
			}
			if best == noRank {
				break
			}
			want[at-1] = m.slot(pairOf(want[at-1], want[at])).id
			want = slices.Delete(want, at, at+1)
		}
		if got := m.merge(slices.Clone(ids)); !slices.Equal(got, want) {
			t.Fatalf("round %d: merge(%d) is %d, want %d", round, ids, got, want)
		}
		if got := m.mergeLong(slices.Clone(ids)); !slices.Equal(got, want) {
			t.Fatalf("round %d: mergeLong(%d) is %d, want %d", round, ids, got, want)
		}
	}
}

func TestLongPiece(t *testing.T) {
	tok := small(t)
	s := strings.Repeat("is", 200_000) // one piece; a quadratic merge would take minutes
	if got := tok.Decode(tok.Encode(s)); got != s {
		t.Error("a long piece is lost")
	}
}

func TestEncodeFromManyGoroutines(t *testing.T) {
	tok := small(t)
	r := rand.New(rand.NewPCG(3, 4))
	texts := make([]string, 400)
	want := make([][]int32, len(texts))
	for i := range texts {
		texts[i] = randomText(r, 40)
	}
	fresh := small(t)
	for i, s := range texts {
		want[i] = fresh.Encode(s)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i, s := range texts {
				if got := tok.Encode(s); !slices.Equal(got, want[i]) {
					t.Errorf("%q: got %d, want %d", s, got, want[i])
				}
			}
		}()
	}
	wg.Wait()
}

func TestDroppedBytes(t *testing.T) {
	tok := tokenizer(t, "smollm2") // its vocabulary lacks 21 bytes
	for s, want := range map[string]int{"plain é 你": 0, "a\xff": 1, "\x04\x06": 2, "a\U00050000b": 1} {
		if got := tok.Dropped(s); got != want {
			t.Errorf("Dropped(%q) is %d, want %d", s, got, want)
		}
	}
	if n := small(t).Dropped("\xff\x04"); n != 0 {
		t.Errorf("a vocabulary with all bytes drops %d", n)
	}
}

func TestDecodeOfWhatIsNoToken(t *testing.T) {
	tok := small(t)
	if got, want := tok.Decode([]int32{-1, 1 << 20, tok.Encode("a")[0]}), "\ufffd\ufffda"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if tok.Token(-1) != "" || tok.Token(1<<20) != "" || tok.IsSpecial(-1) || tok.IsSpecial(1<<20) {
		t.Error("an id outside the vocabulary has a text or is special")
	}
}

func TestFingerprintFollowsIDs(t *testing.T) {
	base := ByteBPE{Vocab: []string{"a", "b", "ab", "ba", "<s>", "<e>"}, Merges: []string{"a b", "b a"},
		Added: []Added{{ID: 4, Text: "<s>", Special: true}, {ID: 5, Text: "<e>", Special: true}}, BOS: "<s>", EOS: "<e>"}
	seen := map[string]int{}
	for i, change := range []func(*ByteBPE){
		func(c *ByteBPE) {},
		func(c *ByteBPE) { c.Merges = []string{"b a", "a b"} },
		func(c *ByteBPE) { c.Merges = []string{"a b"} },
		func(c *ByteBPE) { c.Pre = SmolLM2 },
		func(c *ByteBPE) { c.NFC = true },
		func(c *ByteBPE) { c.AddPrefixSpace = true },
		func(c *ByteBPE) { c.IgnoreMerges = true },
		func(c *ByteBPE) { c.BOS = "" },
		func(c *ByteBPE) { c.EOS = "<s>" },
		func(c *ByteBPE) { c.AddBOS = true },
		func(c *ByteBPE) { c.Unk = "<s>" },
		func(c *ByteBPE) { c.Added = c.Added[:1]; c.EOS = "" },
		func(c *ByteBPE) { c.Vocab = append(slices.Clone(c.Vocab), "c") },
		func(c *ByteBPE) {
			c.Added = []Added{{ID: 4, Text: "<s>", Special: true}, {ID: 5, Text: "<e>"}}
		},
	} {
		c := base
		change(&c)
		tok, err := NewByteBPE(c)
		if err != nil {
			t.Fatal(err)
		}
		if j, ok := seen[tok.Fingerprint()]; ok {
			t.Errorf("changes %d and %d have one fingerprint", i, j)
		}
		seen[tok.Fingerprint()] = i
		again, _ := NewByteBPE(c)
		if again.Fingerprint() != tok.Fingerprint() {
			t.Errorf("change %d: two fingerprints of one tokenizer", i)
		}
	}
}

func TestNewByteBPERefuses(t *testing.T) {
	for _, c := range []struct {
		cfg  ByteBPE
		want string
	}{
		{ByteBPE{Vocab: []string{"a", "a"}}, `ids 0 and 1: both are "a"`},
		{ByteBPE{Vocab: []string{"a"}, Merges: []string{"a  a"}}, `merge 0: "a  a"`},
		{ByteBPE{Vocab: []string{"a"}, Merges: []string{"a a"}}, `merge 0: "aa" is not in the vocabulary of 1 tokens`},
		{ByteBPE{Vocab: []string{"a"}, Added: []Added{{ID: 1, Text: "b"}}}, `added token "b": id 1; the vocabulary has 1`},
		{ByteBPE{Vocab: []string{"a"}, Added: []Added{{ID: 0, Text: "b"}}}, `id 0 is "a" in the vocabulary`},
		{ByteBPE{Vocab: []string{"a"}, BOS: "b"}, `BOS "b": no added token has this text`},
		{ByteBPE{Vocab: []string{"a"}, Pre: 200}, "pre-tokeniser 200"},
	} {
		if _, err := NewByteBPE(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %s", c.cfg, err, c.want)
		}
	}
}

// BenchmarkEncode encodes the parity strings, about 340 kB of mixed text, again and again: the word cache is warm, as it
// is in the middle of a file.
func BenchmarkEncode(b *testing.B) {
	for _, name := range []string{"gpt2", "smollm2"} {
		b.Run(name, func(b *testing.B) {
			tok := tokenizer(b, name)
			var all strings.Builder
			for _, p := range paritySet(b) {
				all.WriteString(p.text)
				all.WriteByte('\n')
			}
			text := all.String()
			dst := make([]int32, 0, len(text))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				dst = tok.encode(dst[:0], text, &tok.ordinary, true)
			}
		})
	}
}
