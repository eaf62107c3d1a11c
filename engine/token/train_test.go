package token

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTrainBPE(t *testing.T) {
	// "hug" 10, "pug" 5, "pun" 12, "bun" 4, "hugs" 5: the example of the Hugging Face course, whose first merges are
	// u+g (20), u+n (16), h+ug (15).
	corpus := strings.Repeat("hug\n", 10) + strings.Repeat("pug\n", 5) + strings.Repeat("pun\n", 12) + strings.Repeat("bun\n", 4) + strings.Repeat("hugs\n", 5)
	tok, err := TrainBPE(slices.Values(strings.SplitAfter(corpus, "\n")), TrainConfig{VocabSize: 2 + 256 + 3, Special: []string{"<a>", "<b>"}, EOS: "<b>"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for id := 258; id < tok.VocabSize(); id++ {
		got = append(got, tok.Token(int32(id)))
	}
	if want := []string{"ug", "un", "hug"}; !slices.Equal(got, want) {
		t.Errorf("merges %q, want %q", got, want)
	}
	if id, _ := tok.Special("<b>"); id != 1 || tok.EOS() != 1 || tok.BOS() != None || !tok.IsSpecial(0) {
		t.Errorf("special tokens: <b> is %d, EOS %d, BOS %d", id, tok.EOS(), tok.BOS())
	}
	if ids := tok.Encode("hugs"); len(ids) != 2 || ids[0] != 260 {
		t.Errorf("hugs is %d", ids)
	}
	if ids := tok.Encode("x\xff\x00é"); tok.Decode(ids) != "x\xff\x00é" {
		t.Errorf("bytes are lost: %q", tok.Decode(ids))
	}
}

// words makes n words of a skewed distribution.
func words(seed uint64, n int) []string {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]string, n)
	for i := range out {
		k := int(r.ExpFloat64() * 300)
		w := []byte{' '}
		for x := k*2654435761 + 7; x > 0 && len(w) < 9; x /= 26 {
			w = append(w, byte('a'+x%26))
		}
		out[i] = string(w)
	}
	return out
}

// The trainer keeps counts up to date merge by merge; counting afresh before each merge must choose the same pairs.
func TestTrainBPEEqualsCountingAfresh(t *testing.T) {
	list := words(3, 4000)
	list = append(list, "aaaaaaa", "aaaa", "ababab", "aaab", "aaaaaaa", "ababab")
	tok, err := TrainBPE(slices.Values(list), TrainConfig{VocabSize: 256 + 300})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, text := range list {
		for len(text) > 0 {
			n := GPT2.next(text)
			counts[text[:n]]++
			text = text[n:]
		}
	}
	spelled := map[string][]int32{}
	for w := range counts {
		for i := range len(w) {
			spelled[w] = append(spelled[w], int32(w[i]))
		}
	}
	m := tok.model.(*byteBPE)
	for k, s := range m.merges.list() {
		pairs := map[uint64]int{}
		for w, ids := range spelled {
			for i := 1; i < len(ids); i++ {
				pairs[pairOf(ids[i-1], ids[i])] += counts[w]
			}
		}
		best, most := uint64(0), 0
		for p, n := range pairs {
			if n > most || n == most && p < best {
				best, most = p, n
			}
		}
		if best != s.pair {
			t.Fatalf("merge %d: the trainer chose %x (%d times), the count says %x (%d times)", k, s.pair, pairs[s.pair], best, most)
		}
		for w, ids := range spelled {
			var out []int32
			for i := 0; i < len(ids); i++ {
				if i+1 < len(ids) && pairOf(ids[i], ids[i+1]) == best {
					out = append(out, s.id)
					i++
				} else {
					out = append(out, ids[i])
				}
			}
			spelled[w] = out
		}
	}
}

func TestTrainBPEIsDeterministic(t *testing.T) {
	list := words(5, 20000)
	cfg := TrainConfig{VocabSize: 1000, Pre: SmolLM2, Special: PlainSpecial(), EOS: PlainEnd}
	a, err := TrainBPE(slices.Values(list), cfg)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	b, err := TrainBPE(slices.Values(list), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("the same texts in another order give another tokenizer")
	}
	x, err := a.WriteJSON()
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.WriteJSON()
	if err != nil || string(x) != string(y) {
		t.Errorf("two files differ (%v)", err)
	}
}

func TestTrainBPERefuses(t *testing.T) {
	for _, c := range []struct {
		cfg  TrainConfig
		want string
	}{
		{TrainConfig{VocabSize: 256, Special: []string{"<a>"}}, "need 257"},
		{TrainConfig{VocabSize: 300}, "257 tokens found in 1 different pieces, then no pair was seen 2 times; wanted 300"},
		{TrainConfig{VocabSize: 257, EOS: "<a>"}, `EOS "<a>"`},
		{TrainConfig{VocabSize: 258, Special: []string{"a", "a"}}, "a"},
		{TrainConfig{VocabSize: 257, Pre: 99}, "pre-tokeniser 99"},
	} {
		_, err := TrainBPE(slices.Values([]string{"xy", "xy"}), c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %s", c.cfg, err, c.want)
		}
	}
	// A special token's text in the corpus stays plain text, however often it is seen.
	tok, err := TrainBPE(slices.Values([]string{strings.Repeat("ENDEND", 40)}), TrainConfig{VocabSize: 1 + 256 + 5, Special: []string{"END"}, EOS: "END"})
	if err != nil {
		t.Fatal(err)
	}
	if ids := tok.Encode("xENDENDx"); slices.Contains(ids, tok.EOS()) || tok.Decode(ids) != "xENDENDx" {
		t.Errorf("plain END gives %d", ids)
	}
}

// A corpus of a few megabytes trains in seconds; a quadratic step would show here.
func TestTrainBPETime(t *testing.T) {
	if testing.Short() {
		t.Skip("trains on 5 MB")
	}
	text := strings.Join(words(9, 1_000_000), "")
	start := time.Now()
	if _, err := TrainBPE(slices.Values([]string{text}), TrainConfig{VocabSize: 1024, Pre: SmolLM2}); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("%.1f MB took %v", float64(len(text))/1e6, d)
	}
}
