package data

import (
	"fmt"
	"html"
	"strings"

	"github.com/mattn/go-runewidth"

	core "tunebook/engine/data"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/model"
	"tunebook/stdlib/stop"
)

// Encoding says how examples become tokens; train.Config has the same three fields.
type Encoding struct {
	Train  string // "response" (default): answers and their stop tokens; "last": the last answer; "all": every token
	MaxLen int    // tokens of an example at most; 0 means the model's positions
	Policy string // what happens to longer ones: "error" (default), "drop", "cut-prompt", "cut-input"
}

var (
	policies = map[string]core.Policy{"": core.Error}
	masks    = map[string]core.Train{"": core.OnResponse}
)

func init() {
	for _, p := range []core.Policy{core.Error, core.Drop, core.CutPrompt, core.CutInput} {
		policies[p.String()] = p
	}
	for _, k := range []core.Train{core.OnResponse, core.OnAll, core.OnLastResponse} {
		masks[k.String()] = k
	}
}

// Engine returns what turns examples into tokens for a model, for other packages of the script API.
func (e Encoding) Engine(op string, m *model.Model) *core.Encoder {
	b := m.Engine()
	if b.Template == nil {
		stop.Now(op, fmt.Sprintf("%s has no chat template to write examples with", m.Name()), "use train.Text for plain text")
	}
	o := core.EncodeOptions{MaxLen: e.MaxLen}
	if o.MaxLen == 0 {
		o.MaxLen = b.Config.MaxPositionEmbeddings
	}
	var ok bool
	if o.Policy, ok = policies[e.Policy]; !ok {
		stop.Now(op, fmt.Sprintf(`Policy is %q; wanted "error", "drop", "cut-prompt" or "cut-input"`, e.Policy), "")
	}
	if o.Train, ok = masks[e.Train]; !ok {
		stop.Now(op, fmt.Sprintf(`Train is %q; wanted "response", "last" or "all"`, e.Train), "")
	}
	return &core.Encoder{Tokenizer: b.Tokenizer, Template: b.Template, Options: o}
}

// Mask shows examples as a model is trained on them.
type Mask struct {
	Rows []MaskRow
	pack bool
}

// MaskRow is one example as tokens.
type MaskRow struct {
	Name    string // "samsum row 3"
	Parts   []MaskPart
	Tokens  int
	Trained int
	Front   int  // tokens cut from the front
	Input   int  // tokens cut from the input's end
	Dropped bool // longer than the limit, not trained on
}

// MaskPart is a run of tokens of one kind.
type MaskPart struct {
	Role     string   // "system", "user", "assistant"; empty outside all turns
	Template bool     // written by the template
	Trained  bool     // its tokens are trained
	IDs      []int32  // token ids
	Texts    []string // the text of each
}

// ShowMask shows one example, token by token: its ids, which are trained, what the template wrote, and what was cut.
//
//	data.ShowMask(base, set, 0)
//	data.ShowMask(base, set, 0, data.Encoding{MaxLen: 128, Policy: "cut-input"})
func ShowMask(m *model.Model, s *Set, row int, opts ...Encoding) *Mask {
	return maskOf("data.ShowMask", m, s, []int{row}, opts)
}

// ShowPack shows several examples as they lie in one pack, with the borders between them: attention and positions begin
// anew at each.
func ShowPack(m *model.Model, s *Set, rows []int, opts ...Encoding) *Mask {
	k := maskOf("data.ShowPack", m, s, rows, opts)
	k.pack = true
	return k
}

func maskOf(op string, m *model.Model, s *Set, rows []int, opts []Encoding) *Mask {
	var o Encoding
	if len(opts) > 1 {
		stop.Now(op, fmt.Sprintf("%d Encodings given; wanted at most one", len(opts)), "")
	}
	if len(opts) == 1 {
		o = opts[0]
	}
	enc := o.Engine(op, m)
	out := &Mask{}
	for _, i := range rows {
		e := s.Row(i)
		c, err := enc.Row(&e)
		stop.If(op, err)
		r := MaskRow{Name: fmt.Sprintf("%s row %d", s.Name(), i), Tokens: len(c.IDs), Front: c.Front, Input: c.Input, Dropped: c.Dropped}
		for k, id := range c.IDs {
			sp := c.Spans[c.SpanOf[k]]
			n := len(r.Parts)
			if k == 0 || c.SpanOf[k] != c.SpanOf[k-1] || c.Trained[k] != c.Trained[k-1] {
				r.Parts = append(r.Parts, MaskPart{Role: sp.Role, Template: sp.Special, Trained: c.Trained[k]})
				n++
			}
			p := &r.Parts[n-1]
			p.IDs, p.Texts = append(p.IDs, id), append(p.Texts, enc.Tokenizer.Token(id))
			if c.Trained[k] {
				r.Trained++
			}
		}
		out.Rows = append(out.Rows, r)
	}
	return out
}

// head describes a row.
func (r *MaskRow) head() string {
	s := fmt.Sprintf("%s: %d tokens, %d trained", r.Name, r.Tokens, r.Trained)
	if r.Front > 0 {
		s += fmt.Sprintf("; %d cut from the front", r.Front)
	}
	if r.Input > 0 {
		s += fmt.Sprintf("; %d cut from the end of the input", r.Input)
	}
	if r.Dropped {
		s += "; too long, dropped: it is not trained on"
	}
	return s
}

func (p *MaskPart) what() string {
	role := p.Role
	if role == "" {
		role = "-"
	}
	if p.Template {
		return role + ", template"
	}
	return role
}

// maskWidth is the width of a line of tokens in a terminal.
const maskWidth = 92

// Show gives each part on lines of its own: trained tokens stand in brackets, others between bars, the ids below.
func (k *Mask) Show() (text, page string) {
	var t, h strings.Builder
	h.WriteString(`<div class="tb-mask">`)
	total := 0
	for i := range k.Rows {
		r := &k.Rows[i]
		if k.pack && i > 0 {
			fmt.Fprintf(&t, "──── border: token %d of the pack; positions and attention begin anew ────\n", total)
			fmt.Fprintf(&h, `<p style="border-top:3px solid #b45309;margin:0.6em 0">border: token %d of the pack; positions and attention begin anew</p>`, total)
		}
		total += r.Tokens
		t.WriteString(grid.Visible(r.head()) + "\n")
		fmt.Fprintf(&h, "<p><b>%s</b></p><p style=\"line-height:2.6\">\n", html.EscapeString(grid.Visible(r.head())))
		if r.Front > 0 {
			fmt.Fprintf(&t, "  ✂ %d tokens\n", r.Front)
			fmt.Fprintf(&h, `<span style="color:#b91c1c">✂ %d tokens</span> `, r.Front)
		}
		for j := range r.Parts {
			p := &r.Parts[j]
			p.text(&t)
			p.html(&h)
			if r.Input > 0 && p.Role == "user" && !p.Template && (j+1 == len(r.Parts) || r.Parts[j+1].Role != "user" || r.Parts[j+1].Template) {
				fmt.Fprintf(&t, "  ✂ %d tokens of the input\n", r.Input)
				fmt.Fprintf(&h, `<span style="color:#b91c1c">✂ %d tokens of the input</span> `, r.Input)
			}
		}
		h.WriteString("</p>\n")
	}
	legend := "[token] is trained, |token| is not; ids stand below"
	if k.pack {
		legend += fmt.Sprintf("; the pack has %d tokens, 0 of them padding", total)
	}
	t.WriteString(legend + "\n")
	fmt.Fprintf(&h, `<p class="tb-note">%strained</span> %stemplate</span> ids stand above`, trainedSpan, templateSpan)
	if k.pack {
		fmt.Fprintf(&h, "; the pack has %d tokens, 0 of them padding", total)
	}
	h.WriteString("</p></div>\n")
	return t.String(), h.String()
}

// String is what Show gives in text.
func (k *Mask) String() string { text, _ := k.Show(); return text }

func (p *MaskPart) text(b *strings.Builder) {
	label := fmt.Sprintf("  %-21s ", p.what())
	var line, ids []string
	width := 0
	flush := func() {
		if len(line) == 0 {
			return
		}
		joined := strings.Join(line, "")
		if !p.Trained {
			joined = "|" + joined
		}
		b.WriteString(label + joined + "\n")
		b.WriteString(strings.Repeat(" ", len(label)) + strings.Join(ids, " ") + "\n")
		label, line, ids, width = strings.Repeat(" ", len(label)), nil, nil, 0
	}
	for i, s := range p.Texts {
		s = grid.Visible(s)
		if p.Trained {
			s = "[" + s + "]"
		} else {
			s += "|"
		}
		id := fmt.Sprint(p.IDs[i])
		w := max(runewidth.StringWidth(s), len(id)+1)
		if width > 0 && width+w > maskWidth {
			flush()
		}
		line, ids = append(line, s), append(ids, id)
		width += w
	}
	flush()
}

const (
	trainedSpan  = `<span style="background:#86efac;color:#052e16;padding:0 1px;border-bottom:2px solid #15803d">`
	templateSpan = `<span style="background:#e5e7eb;color:#374151;padding:0 1px">`
	plainSpan    = `<span style="padding:0 1px;border-bottom:1px dotted #9ca3af">`
)

func (p *MaskPart) html(b *strings.Builder) {
	open := plainSpan
	switch {
	case p.Trained:
		open = trainedSpan
	case p.Template:
		open = templateSpan
	}
	for i, s := range p.Texts {
		fmt.Fprintf(b, `<ruby style="margin-right:3px;white-space:pre" title="%s">%s%s</span><rt>%d</rt></ruby><wbr>`, html.EscapeString(p.what()), open, html.EscapeString(grid.Visible(s)), p.IDs[i])
	}
	b.WriteString("\n")
}
