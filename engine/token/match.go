package token

import (
	"fmt"
	"strings"
	"unicode"
)

// forms are what templates make of a message's text: the text as it is first.
var forms = []func(string) string{
	func(s string) string { return s },
	strings.TrimSpace,
	func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) },
	func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) },
	func(s string) string { return strings.Trim(s, "\n") },
	func(s string) string { return strings.TrimLeft(s, "\n") },
	func(s string) string { return strings.TrimRight(s, "\n") },
}

// match finds the texts of the messages' parts in text, which must be pieces with those texts in place of sentinels. It
// returns them piece by piece, false where text is anything else.
func match(text string, pieces []piece, parts [][]string) ([]string, bool) {
	out := make([]string, len(pieces))
	type place struct{ piece, at int }
	var dead map[place]bool
	var from func(k, at int) bool
	from = func(k, at int) bool {
		for ; k < len(pieces); k++ {
			pc := &pieces[k]
			if pc.sentinel() {
				break
			}
			want := joined(pieces[k : k+1])
			if !strings.HasPrefix(text[at:], want) {
				return false
			}
			at += len(want)
		}
		if k == len(pieces) {
			return at == len(text)
		}
		if dead[place{k, at}] {
			return false
		}
		last := -1
		for _, form := range forms {
			s := form(parts[pieces[k].msg][pieces[k].part])
			if len(s) == last || !strings.HasPrefix(text[at:], s) {
				continue
			}
			last = len(s)
			if out[k] = s; from(k+1, at+len(s)) {
				return true
			}
		}
		if dead == nil {
			dead = map[place]bool{}
		}
		dead[place{k, at}] = true
		return false
	}
	return out, from(0, 0)
}

// render returns the spans of a conversation that check accepts.
func (p *program) render(msgs []Message, generation bool, stop string) ([]Span, error) {
	masked := p.masked(msgs)
	s := p.shapeOf(masked, generation, stop)
	if s.err != nil {
		return nil, s.err
	}
	parts := make([][]string, len(msgs))
	for i, m := range msgs {
		parts[i], _ = p.parts(m)
	}
	type key struct{ msg, part int }
	texts := map[key]string{}
	verify := func(pieces []piece, msgs []Message, generation bool) error {
		text, err := p.text(msgs, generation, sentinelBOS, sentinelEOS, noTools)
		if err != nil {
			return p.blame(msgs, generation, err)
		}
		found, ok := match(text, pieces, parts)
		if !ok {
			return fmt.Errorf("token.Render: template %s: what it writes around messages depends on their texts, or it changes these in ways other than trimming; wanted the text %q", p.name, clip(filled(pieces, parts)))
		}
		for k, pc := range pieces {
			if pc.sentinel() {
				texts[key{pc.msg, pc.part}] = found[k]
			}
		}
		return nil
	}
	if err := verify(s.full, msgs, generation); err != nil {
		return nil, err
	}
	if s.moved {
		if err := verify(s.prompt, msgs[:len(msgs)-1], true); err != nil {
			return nil, err
		}
	}
	out := make([]Span, 0, len(s.spans))
	for _, pc := range s.spans {
		if pc.sentinel() {
			pc.text = texts[key{pc.msg, pc.part}]
		}
		if pc.text == "" && pc.mark == written {
			continue
		}
		// Parts of one text are encoded together.
		if n := len(out); n > 0 && !pc.special && !out[n-1].Special && out[n-1].Role == pc.role && out[n-1].Trained == pc.trained {
			out[n-1].Text += pc.text
			continue
		}
		out = append(out, Span{Text: pc.text, Role: pc.role, Special: pc.special, Trained: pc.trained, mark: pc.mark})
	}
	return out, nil
}

// filled returns pieces with the texts in them, for an error.
func filled(pieces []piece, parts [][]string) string {
	var b strings.Builder
	for _, pc := range pieces {
		if pc.sentinel() {
			pc.text = parts[pc.msg][pc.part]
		}
		b.WriteString(pc.text)
	}
	return b.String()
}

// clip returns the beginning of a text.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
