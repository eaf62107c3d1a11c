package token

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
)

// Roles of a message.
const (
	System    = "system"
	User      = "user"
	Assistant = "assistant"
)

// Message is one turn of a conversation.
type Message struct{ Role, Content string }

// Span is a run of rendered text of one kind. Tokens never cross the border of two spans.
type Span struct {
	Text    string
	Role    string // role of the turn it belongs to; empty for what stands outside all turns
	Special bool   // written by the template: the text of a control token in it becomes that token
	Trained bool   // part of an answer, its one stop token included

	mark mark
}

// mark names a span whose text only the tokenizer knows.
type mark uint8

const (
	written mark = iota
	beginText
	endText
)

// Turn is what a template writes around the content of one role.
type Turn struct{ Before, After string }

// Template turns messages into text with known parts. Training, evaluation and chat all go through Encode, so they see
// the same ids. A Template is not changed after it was made.
type Template struct {
	Name string
	// Stop is the text of the token that ends an answer; empty for the tokenizer's EOS.
	Stop string
	// BOS tells that a text begins with the tokenizer's BOS, where it has one.
	BOS bool
	// AutoBOS tells that a text begins with BOS where the tokenizer's file says that texts do.
	AutoBOS bool
	// DefaultSystem is the system message of a conversation that has none; empty for none.
	DefaultSystem string
	// Turns holds the roles that the template can write. The assistant's After comes after the stop token and is not
	// trained.
	Turns map[string]Turn
	// SystemInUser tells that the system's turn stands inside the first user's turn, after its Before.
	SystemInUser bool
	// Prompt is what a generation prompt adds to the assistant's Before. It stands in no full rendering.
	Prompt string
	// Jinja is the chat template as the model ships it; empty for a built-in. Such a Template comes from
	// TemplateFromJinja alone, and BOS to Prompt say nothing about it.
	Jinja string

	program *program
}

// TemplateFromJinja returns the template that a model ships as its chat_template: a built-in where the text is that of
// one, and otherwise one that runs the text and is called "jinja/" and the first eight digits of its SHA-256.
//
// Its Render tells what the template wrote from what people wrote, without looking for token sequences (shape.go), and
// checks each text: one that is not the template's own text of the messages is an error, apart from the stop token of an
// answer, which is added where the template writes none. Messages may be trimmed by the template, and earlier answers
// may lose what stands before "</think>" and the like; a template that changes texts otherwise is an error with its name.
// strftime_now is not there, so that a text does not depend on the day.
//
// It is an error when the text is not Jinja, writes a variable that a conversation does not have, or cannot write a
// question and an answer.
func TemplateFromJinja(src string) (*Template, error) {
	h := sha256.Sum256([]byte(strings.TrimSpace(src)))
	sum := hex.EncodeToString(h[:])
	if tp, ok := jinjaOf[sum]; ok {
		return tp, nil
	}
	return templateFromJinja("jinja/"+sum[:8], src)
}

func templateFromJinja(name, src string) (*Template, error) {
	p, err := newProgram(name, src)
	if err != nil {
		return nil, err
	}
	stop, err := p.stopOf()
	if err != nil {
		return nil, err
	}
	return &Template{Name: name, Jinja: src, Stop: stop, program: p}, nil
}

// TurnError says which message of a conversation a template cannot write.
type TurnError struct {
	Template string
	Message  int // from 1; 0 for a conversation without messages
	Msg      string
}

// Error returns the sentence with the message's number.
func (e *TurnError) Error() string {
	if e.Message == 0 {
		return fmt.Sprintf("token.Render: template %s: %s", e.Template, e.Msg)
	}
	return fmt.Sprintf("token.Render: template %s: message %d: %s", e.Template, e.Message, e.Msg)
}

// MergeTurns joins messages of one role that follow each other, with sep between their contents.
func MergeTurns(msgs []Message, sep string) []Message {
	var out []Message
	for _, m := range msgs {
		if k := len(out); k > 0 && out[k-1].Role == m.Role {
			out[k-1].Content += sep + m.Content
			continue
		}
		out = append(out, m)
	}
	return out
}

// anyTurn has the roles that a model's own template is asked to write.
var anyTurn = map[string]Turn{System: {}, User: {}, Assistant: {}}

// check returns a *TurnError unless msgs are at most one system message, then user and assistant in turns.
func (tp *Template) check(msgs []Message, generation bool) error {
	fail := func(i int, format string, args ...any) error {
		return &TurnError{tp.Name, i + 1, fmt.Sprintf(format, args...)}
	}
	if len(msgs) == 0 {
		return fail(-1, "no messages; wanted one at least")
	}
	turns := tp.Turns
	if tp.program != nil {
		turns = anyTurn
	}
	want := User
	for i, m := range msgs {
		if _, ok := turns[m.Role]; !ok {
			return fail(i, "role %q; the template has %s", m.Role, names(turns))
		}
		if m.Role == System && i == 0 {
			continue
		}
		if m.Role == System {
			return fail(i, "a system message; wanted it first only")
		}
		if m.Role != want {
			if i > 0 && msgs[i-1].Role == m.Role {
				return fail(i, "two %s messages in a row; wanted %s", m.Role, want)
			}
			return fail(i, "a message of the %s; wanted %s", m.Role, want)
		}
		if want = Assistant; m.Role == Assistant {
			want = User
		}
	}
	switch last := msgs[len(msgs)-1].Role; {
	case last == System:
		return fail(len(msgs)-1, "a system message is all there is; wanted a message of the user after it")
	case generation && last == Assistant:
		return fail(len(msgs)-1, "an answer stands last; wanted a message of the user, which is to be answered")
	}
	return nil
}

// Render returns the spans of a conversation. With generation it ends in the prompt for the next answer; the spans
// before Template.Prompt then begin every full rendering of the same messages and an answer. Each answer is a trained
// span, followed by a trained span with the stop token alone; an answer that ends in the stop token's text does not
// get it twice. It is a *TurnError when roles do not alternate, beginning with the user after at most one system
// message, or when the template cannot write a role. Spans of the tokenizer's BOS and EOS have no text yet.
//
// A model's own template is as TemplateFromJinja says. Where its generation prompt ends in something that the full
// rendering does not have, that is the prompt's last span; what a full rendering has between the prompt and the answer is
// trained, since the model has to write it.
func (tp *Template) Render(msgs []Message, generation bool) ([]Span, error) {
	return tp.render(msgs, generation, tp.Stop, false)
}

// render is Render. stop is the text that an answer may end in already; begin tells that AutoBOS holds.
func (tp *Template) render(msgs []Message, generation bool, stop string, begin bool) ([]Span, error) {
	if tp.Jinja != "" && tp.program == nil {
		return nil, fmt.Errorf("token.Render: template %s: Jinja was set by hand; wanted the Template that TemplateFromJinja returns", tp.Name)
	}
	if err := tp.check(msgs, generation); err != nil {
		return nil, err
	}
	bare := func(answer string) string {
		for stop != "" && strings.HasSuffix(answer, stop) {
			answer = strings.TrimSuffix(answer, stop)
		}
		return answer
	}
	if tp.program != nil {
		msgs = append([]Message(nil), msgs...)
		for i := range msgs {
			if msgs[i].Role == Assistant {
				msgs[i].Content = bare(msgs[i].Content)
			}
		}
		return tp.program.render(msgs, generation, tp.Stop)
	}
	var out []Span
	add := func(s Span) {
		if s.Text != "" || s.mark != written {
			out = append(out, s)
		}
	}
	if tp.BOS || tp.AutoBOS && begin {
		add(Span{Special: true, mark: beginText})
	}
	inside := false // a user's turn has begun with the system message
	turn := func(m Message) {
		w := tp.Turns[m.Role]
		if tp.SystemInUser && m.Role == System {
			add(Span{Text: tp.Turns[User].Before, Role: User, Special: true})
			inside = true
		} else if m.Role == User && inside {
			w.Before, inside = "", false
		}
		add(Span{Text: w.Before, Role: m.Role, Special: true})
		if m.Role != Assistant {
			add(Span{Text: m.Content, Role: m.Role})
		} else {
			end := Span{Text: tp.Stop, Role: m.Role, Special: true, Trained: true}
			if tp.Stop == "" {
				end.mark = endText
			}
			add(Span{Text: bare(m.Content), Role: m.Role, Trained: true})
			add(end)
		}
		add(Span{Text: w.After, Role: m.Role, Special: true})
	}
	if _, ok := tp.Turns[System]; ok && tp.DefaultSystem != "" && msgs[0].Role != System {
		turn(Message{System, tp.DefaultSystem})
	}
	for _, m := range msgs {
		turn(m)
	}
	if generation {
		add(Span{Text: tp.Turns[Assistant].Before, Role: Assistant, Special: true})
		add(Span{Text: tp.Prompt, Role: Assistant, Special: true})
	}
	return out, nil
}

// Encoded is a conversation as ids.
type Encoded struct {
	IDs     []int32
	Trained []bool  // per id: part of an answer or its stop token
	SpanOf  []int32 // per id: the index of its span
	Spans   []Span
}

// NumTrained returns the number of ids that are trained.
func (e *Encoded) NumTrained() int {
	n := 0
	for _, on := range e.Trained {
		if on {
			n++
		}
	}
	return n
}

// Encode returns the ids of a conversation. Each span is encoded by itself, so what stands before an answer has the
// same ids in training and in generation, and the mask follows from the spans. It is an error when t lacks a token
// that the template stops with, or when Render returns one.
func (tp *Template) Encode(t *Tokenizer, msgs []Message, generation bool) (Encoded, error) {
	stop, err := tp.stop(t)
	if err != nil {
		return Encoded{}, err
	}
	// An answer that ends in the text of EOS must lose it, too, before the stop token comes after it.
	spans, err := tp.render(msgs, generation, t.vocab[stop], t.AddBOS())
	if err != nil {
		return Encoded{}, err
	}
	var e Encoded
	plainStart := true // no text stands before: kinds that begin a text with a space do so here
	for _, s := range spans {
		from := len(e.IDs)
		switch {
		case s.mark == beginText:
			if t.bos == None {
				continue
			}
			s.Text = t.vocab[t.bos]
			e.IDs = append(e.IDs, t.bos)
		case s.mark == endText:
			if t.eos == None {
				continue // the stop token is another one, and this stands after it
			}
			s.Text = t.vocab[t.eos]
			e.IDs = append(e.IDs, t.eos)
		case s.Special:
			e.IDs = t.encode(e.IDs, s.Text, &t.every, plainStart)
			if from == 1 && len(e.IDs) > 1 && e.IDs[0] == t.bos && e.IDs[1] == t.bos && e.Spans[0].mark == beginText {
				e.IDs = append(e.IDs[:1], e.IDs[2:]...) // the template writes the same token itself
			}
		default:
			e.IDs = t.encode(e.IDs, s.Text, &t.ordinary, plainStart)
		}
		for _, id := range e.IDs[from:] {
			if t.flags[id]&isSpecial == 0 {
				plainStart = false
			}
			e.Trained = append(e.Trained, s.Trained)
			e.SpanOf = append(e.SpanOf, int32(len(e.Spans)))
		}
		e.Spans = append(e.Spans, s)
	}
	return e, nil
}

// stop returns the id that ends an answer.
func (tp *Template) stop(t *Tokenizer) (int32, error) {
	if tp.Stop == "" {
		if t.eos == None {
			return None, fmt.Errorf("token.Encode: template %s: the tokenizer has no EOS; an answer ends with it", tp.Name)
		}
		return t.eos, nil
	}
	id, ok := t.Special(tp.Stop)
	if !ok {
		return None, fmt.Errorf("token.Encode: template %s: the tokenizer has no token %q; an answer ends with it", tp.Name, tp.Stop)
	}
	return id, nil
}

// StopIDs returns the ids at which a generated answer ends: the template's stop token and the tokenizer's EOS.
func (tp *Template) StopIDs(t *Tokenizer) []int32 {
	var out []int32
	if id, err := tp.stop(t); err == nil {
		out = append(out, id)
	}
	if t.eos != None && (len(out) == 0 || out[0] != t.eos) {
		out = append(out, t.eos)
	}
	return out
}

// Fingerprint returns a SHA-256 in hexadecimal over everything that the template writes.
func (tp *Template) Fingerprint() string {
	w := &summer{sha256.New()}
	w.text("template/2")
	w.text(tp.Stop)
	w.text(tp.DefaultSystem)
	w.text(tp.Prompt)
	w.flags(tp.BOS, tp.AutoBOS, tp.SystemInUser)
	w.text(tp.Jinja)
	roles := make([]string, 0, len(tp.Turns))
	for r := range tp.Turns {
		roles = append(roles, r)
	}
	sort.Strings(roles)
	for _, r := range roles {
		w.text(r)
		w.text(tp.Turns[r].Before)
		w.text(tp.Turns[r].After)
	}
	return hex.EncodeToString(w.h.Sum(nil))
}
