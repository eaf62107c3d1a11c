package data

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"tunebook/engine/token"
)

func cacheSet() *Set {
	a, b := rowsOf("a", 5), rowsOf("b", 4)
	m, err := Mix(1, a, b)
	if err != nil {
		panic(err)
	}
	return &m.Set
}

// Every byte that matters changes the key, nothing else does.
func TestCacheKey(t *testing.T) {
	tok, tmpl := plain(t)
	key := func(change func(c *Encoder, s *Set)) string {
		c, s := &Encoder{tok, tmpl, EncodeOptions{MaxLen: 100}}, cacheSet()
		s.Rows = slices.Clone(s.Rows)
		s.Places = slices.Clone(s.Places)
		change(c, s)
		return c.Key(s)
	}
	base := key(func(*Encoder, *Set) {})
	other := *tmpl
	other.DefaultSystem = "x"
	tok2, err := token.TrainBPE(slices.Values([]string{"other words to learn from, and a few more words"}),
		token.TrainConfig{VocabSize: 270, Special: token.PlainSpecial(), EOS: token.PlainSpecial()[0], MinCount: 1})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{base: "nothing"}
	for name, change := range map[string]func(c *Encoder, s *Set){
		"a byte of a prompt":         func(c *Encoder, s *Set) { s.Rows[3].Prompt += "x" },
		"a byte of an answer":        func(c *Encoder, s *Set) { s.Rows[3].Answer += "x" },
		"a system message":           func(c *Encoder, s *Set) { s.Rows[3].System = "x" },
		"a border of prompt, answer": func(c *Encoder, s *Set) { r := &s.Rows[3]; r.Prompt, r.Answer = r.Prompt+r.Answer[:1], r.Answer[1:] },
		"where the input begins":     func(c *Encoder, s *Set) { s.Rows[3].Input = 1 },
		"a row's number":             func(c *Encoder, s *Set) { s.Rows[3].Row = 77 },
		"the order of rows":          func(c *Encoder, s *Set) { s.Rows[0], s.Rows[1] = s.Rows[1], s.Rows[0] },
		"a row less":                 func(c *Encoder, s *Set) { s.Rows, s.Places = s.Rows[1:], s.Places[1:] },
		"a row's part of the mix":    func(c *Encoder, s *Set) { s.Places[0].Part = "z" },
		"a row's block":              func(c *Encoder, s *Set) { s.Places[0].Block = 9 },
		"no mix":                     func(c *Encoder, s *Set) { s.Places = nil },
		"the limit":                  func(c *Encoder, s *Set) { c.Options.MaxLen++ },
		"the policy":                 func(c *Encoder, s *Set) { c.Options.Policy = Drop },
		"the mask":                   func(c *Encoder, s *Set) { c.Options.Train = OnAll },
		"the template":               func(c *Encoder, s *Set) { c.Template = &other },
		"the tokenizer":              func(c *Encoder, s *Set) { c.Tokenizer = tok2 },
	} {
		k := key(change)
		if was, ok := seen[k]; ok {
			t.Errorf("%s has the key of %s", name, was)
		}
		seen[k] = name
	}
	for name, change := range map[string]func(c *Encoder, s *Set){
		"the set's name":  func(c *Encoder, s *Set) { s.Name = "x" },
		"notes and steps": func(c *Encoder, s *Set) { s.Notes, s.Steps = []string{"x"}, []Step{{Op: "x"}} },
		"right answers":   func(c *Encoder, s *Set) { s.Rows[0].Refs = []string{"x"} },
		"task and skill":  func(c *Encoder, s *Set) { s.Rows[0].Task, s.Rows[0].Skill, s.Rows[0].Wrong = "x", "y", true },
	} {
		if key(change) != base {
			t.Errorf("%s change the key", name)
		}
	}
}

// The cache gives what encoding gives; a file that is cut short or has a bit changed is made anew.
func TestCacheIsRebuilt(t *testing.T) {
	tok, tmpl := plain(t)
	c, s, dir := &Encoder{tok, tmpl, EncodeOptions{MaxLen: 17, Policy: Drop}}, cacheSet(), filepath.Join(t.TempDir(), "new")
	want, err := c.Set(s)
	if err != nil {
		t.Fatal(err)
	}
	get := func(wantHit bool, what string) {
		t.Helper()
		e, hit, err := c.Cached(dir, s)
		if err != nil || hit != wantHit || !reflect.DeepEqual(e, want) {
			t.Fatalf("%s: hit %v, %v, equal %v", what, hit, err, reflect.DeepEqual(e, want))
		}
	}
	get(false, "first")
	get(true, "second")
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 1 {
		t.Fatalf("%v", files)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 5, len(cacheMagic) + 3, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(files[0], whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		get(false, "cut short")
		get(true, "after it")
	}
	for at := 0; at < len(whole); at += 13 {
		broken := slices.Clone(whole)
		broken[at] ^= 4
		if err := os.WriteFile(files[0], broken, 0o644); err != nil {
			t.Fatal(err)
		}
		get(false, "a bit changed")
	}
}
