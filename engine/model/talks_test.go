package model_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tunebook/engine/model"
	"tunebook/engine/model/base"
	"tunebook/engine/token"
)

// Where TUNEBOOK_PYTHON names a Python with transformers, it takes a folder of ours with its own tools for models, tokenizers and
// chats: the same ids, the chat's included, and the same greedy texts; of SmolLM2 and of the model inside the binary, whose
// template is one of ours.
func TestTransformersTalksOurs(t *testing.T) {
	python := os.Getenv("TUNEBOOK_PYTHON")
	if python == "" {
		t.Skip("TUNEBOOK_PYTHON names no Python with torch and transformers")
	}
	own, err := model.OpenFS(device(t, "cpu"), base.Files, base.Name)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*model.Model{"base": own, "SmolLM2": smollm2(t)} {
		dir := t.TempDir()
		if err := m.Save(dir, "F32"); err != nil {
			t.Fatal(err)
		}
		enc, err := m.Template.Encode(m.Tokenizer, []token.Message{{Role: token.User, Content: "What is the capital of France?"}}, true)
		if err != nil {
			t.Fatal(err)
		}
		stops := m.Template.StopIDs(m.Tokenizer)
		raw, err := json.Marshal(map[string]any{"Prompts": ggufPrompts, "Chat": "What is the capital of France?", "MaxNew": 16, "Stop": m.Tokenizer.Token(stops[0])})
		if err != nil {
			t.Fatal(err)
		}
		in, out := filepath.Join(dir, "ask"), filepath.Join(dir, "out")
		os.WriteFile(in, raw, 0o644)
		if msg, err := offline(python, "testdata/talks.py", dir, in, out).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, msg)
		}
		if raw, err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
		var theirs struct {
			IDs, Greedy [][]int32
			Chat        []int32
		}
		if err := json.Unmarshal(raw, &theirs); err != nil {
			t.Fatal(err)
		}
		var prompts [][]int32
		for i, text := range ggufPrompts {
			ids := m.Tokenizer.Encode(text)
			if !slices.Equal(ids, theirs.IDs[i]) {
				t.Errorf("%s: %q is %v; transformers has %v", name, text, ids, theirs.IDs[i])
			}
			prompts = append(prompts, ids)
		}
		if !slices.Equal(enc.IDs, theirs.Chat) {
			t.Errorf("%s: the chat is %v; transformers has %v", name, enc.IDs, theirs.Chat)
		}
		ours, err := m.Generate(context.Background(), append(prompts, enc.IDs), model.Greedy{MaxNew: 16, Stops: stops[:1]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range ours {
			if !slices.Equal(ours[i], theirs.Greedy[i]) {
				t.Errorf("%s: text %d goes on as %q; transformers writes %q", name, i, m.Tokenizer.DecodeNext(ours[i]), m.Tokenizer.DecodeNext(theirs.Greedy[i]))
			}
		}
	}
}
