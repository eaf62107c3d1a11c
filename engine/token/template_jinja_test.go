package token

import (
	"maps"
	"slices"
	"testing"
)

// alphabetTokenizer has a token for every byte and the control tokens of all built-in templates.
func alphabetTokenizer(t *testing.T, addBOS bool) *Tokenizer {
	t.Helper()
	cfg := ByteBPE{BOS: "<s>", EOS: "</s>", AddBOS: addBOS}
	for b := range 256 {
		cfg.Vocab = append(cfg.Vocab, string(alphabet[b]))
	}
	special := []string{"<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "[INST]", "[/INST]"}
	for _, s := range append(special, PlainSpecial()...) {
		cfg.Added = append(cfg.Added, Added{ID: int32(len(cfg.Vocab)), Text: s, Special: true})
		cfg.Vocab = append(cfg.Vocab, s)
	}
	tok, err := NewByteBPE(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// A built-in's chat_template, run as any model's own, gives the ids that the built-in gives, the trained ones included.
func TestChatTemplateOfBuiltins(t *testing.T) {
	msg := func(list ...string) (out []Message) {
		for i := 0; i < len(list); i += 2 {
			out = append(out, Message{Role: list[i], Content: list[i+1]})
		}
		return out
	}
	conversations := [][]Message{
		msg(User, "it's a {{ question }} \\ with 'quotes'?"),
		msg(System, "be brief", User, "one\ntwo"),
		msg(User, "a", Assistant, "b", User, "c"),
		msg(System, "s", User, "a", Assistant, "b", User, "c", Assistant, "d"),
	}
	for _, addBOS := range []bool{false, true} {
		tok := alphabetTokenizer(t, addBOS)
		all := map[string]*Template{}
		maps.Copy(all, templates)
		inside := *Mistral // no built-in has a system message of its own inside the user's turn
		inside.DefaultSystem = "be kind"
		all["mistral with a system message"] = &inside
		for _, name := range sorted(all) {
			tp := all[name]
			again, err := templateFromJinja("again/"+name, tp.ChatTemplate(tok))
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, tp.ChatTemplate(tok))
				continue
			}
			if again.ChatTemplate(tok) != tp.ChatTemplate(tok) {
				t.Errorf("%s: a model's own text changed", name)
			}
			for i, c := range conversations {
				for _, generation := range []bool{false, true} {
					if generation && c[len(c)-1].Role == Assistant {
						continue
					}
					want, err := tp.Encode(tok, c, generation)
					if err != nil {
						t.Fatal(err)
					}
					got, err := again.Encode(tok, c, generation)
					if err != nil {
						t.Errorf("%s, conversation %d: %v", name, i, err)
						continue
					}
					if !slices.Equal(got.IDs, want.IDs) || !slices.Equal(got.Trained, want.Trained) {
						t.Errorf("%s, conversation %d, generation %v: %q; wanted %q", name, i, generation, tok.DecodeAll(got.IDs), tok.DecodeAll(want.IDs))
					}
				}
			}
		}
	}
}
