package token

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// A template's text of a conversation is cut into spans without looking for token sequences. The template renders the
// conversation twice: as it is, and with a sentinel in place of every message's text. What stands between sentinels in
// the second was written by the template. The first must be the second with the messages' texts in place of the
// sentinels, as they are or trimmed; anything else is an error. A shape is what the second render says; it depends on
// the roles alone and is kept.

// shape is the form of a conversation: the pieces of its text.
type shape struct {
	full   []piece // the template's text of the conversation
	prompt []piece // its text of all but the last answer, with the generation prompt; nil where no answer stands last
	spans  []piece // what Render returns
	moved  bool    // spans begin with prompt, which the full text does not begin with
	err    error
}

// piece is a part of a text: a text of its own, or the text of a part of a message.
type piece struct {
	text      string
	msg, part int // of a message's text, both from 0; msg is -1 for a text
	role      string
	special   bool
	trained   bool
	mark      mark
	put       bool // a stop token that the template does not write
}

func (p *piece) sentinel() bool { return p.msg >= 0 }

// sentinelText finds a sentinel of a message.
var sentinelText = regexp.MustCompile(sentinelOpen + `(\d+)\.(\d+)` + sentinelClose)

// parts cuts a message's text at the markers that the template looks for. Only answers are cut: a marker in the text of a
// user is not to change what the template does.
func (p *program) parts(m Message) (parts, markers []string) {
	rest := m.Content
	for m.Role == Assistant && len(p.markers) > 0 {
		at, found := len(rest), ""
		for _, mk := range p.markers {
			if i := strings.Index(rest, mk); i >= 0 && (i < at || i == at && len(mk) > len(found)) {
				at, found = i, mk
			}
		}
		if found == "" {
			break
		}
		parts, markers = append(parts, rest[:at]), append(markers, found)
		rest = rest[at+len(found):]
	}
	return append(parts, rest), markers
}

// masked returns msgs with sentinels in place of their texts. White space alone stays as it is, since templates ask
// whether a text is empty.
func (p *program) masked(msgs []Message) []Message {
	out := make([]Message, len(msgs))
	for i, m := range msgs {
		parts, markers := p.parts(m)
		var b strings.Builder
		for k, part := range parts {
			if strings.TrimSpace(part) == "" && (m.Role != Assistant || k < len(parts)-1) {
				b.WriteString(part)
			} else {
				b.WriteString(sentinelOpen + strconv.Itoa(i) + "." + strconv.Itoa(k) + sentinelClose)
			}
			if k < len(markers) {
				b.WriteString(markers[k])
			}
		}
		out[i] = Message{m.Role, b.String()}
	}
	return out
}

// maxShapes bounds the shapes that are kept; conversations beyond it are cut anew each time.
const maxShapes = 4096

// shapeOf returns the form of a conversation of masked messages.
func (p *program) shapeOf(msgs []Message, generation bool, stop string) *shape {
	var key strings.Builder
	fmt.Fprintf(&key, "%t\x00%s", generation, stop)
	for _, m := range msgs {
		key.WriteString("\x00" + m.Role + "\x00" + m.Content)
	}
	p.mu.Lock()
	s := p.shapes[key.String()]
	p.mu.Unlock()
	if s == nil {
		s = &shape{}
		s.err = p.cut(s, msgs, generation, stop)
		p.mu.Lock()
		if len(p.shapes) < maxShapes {
			p.shapes[key.String()] = s
		}
		p.mu.Unlock()
	}
	return s
}

func (p *program) write(msgs []Message, generation bool) (string, error) {
	return p.text(msgs, generation, sentinelBOS, sentinelEOS, noTools)
}

// cut fills s.
func (p *program) cut(s *shape, msgs []Message, generation bool, stop string) error {
	text, err := p.write(msgs, generation)
	if err != nil {
		return p.blame(msgs, generation, err)
	}
	if s.full, err = p.pieces(text, msgs); err != nil {
		return err
	}
	if err := p.complete(s.full, msgs); err != nil {
		return err
	}
	if generation {
		return p.cutPrompt(s, msgs, stop)
	}
	s.spans = p.roles(s.full, msgs)
	for i := len(msgs) - 1; i >= 0; i-- {
		if msgs[i].Role != Assistant {
			continue
		}
		if err := p.cutAnswer(s, msgs, i, stop); err != nil {
			return err
		}
	}
	return nil
}

// blame returns a *TurnError for the first message with which the template ends in an error.
func (p *program) blame(msgs []Message, generation bool, err error) error {
	for n := 1; n < len(msgs); n++ {
		if _, e := p.write(msgs[:n], false); e != nil {
			return &TurnError{p.name, n, e.Error()}
		}
	}
	return &TurnError{p.name, len(msgs), err.Error()}
}

// pieces cuts a text with sentinels.
func (p *program) pieces(text string, msgs []Message) ([]piece, error) {
	var out []piece
	literal := func(s string) {
		for s != "" {
			at, m := len(s), written
			if i := strings.Index(s, sentinelBOS); i >= 0 {
				at, m = i, beginText
			}
			if i := strings.Index(s, sentinelEOS); i >= 0 && i < at {
				at, m = i, endText
			}
			if at > 0 {
				out = append(out, piece{text: s[:at], msg: -1, special: true})
			}
			if m == written {
				return
			}
			out = append(out, piece{msg: -1, special: true, mark: m})
			s = s[at+len(sentinelBOS):]
		}
	}
	from := 0
	for _, at := range sentinelText.FindAllStringSubmatchIndex(text, -1) {
		literal(text[from:at[0]])
		from = at[1]
		msg, _ := strconv.Atoi(text[at[2]:at[3]])
		part, _ := strconv.Atoi(text[at[4]:at[5]])
		out = append(out, piece{msg: msg, part: part, role: msgs[msg].Role})
	}
	literal(text[from:])
	for _, pc := range out {
		if strings.ContainsAny(pc.text, sentinelOpen+sentinelClose) {
			return nil, fmt.Errorf("token.Render: template %s: it changes the texts of messages in ways other than trimming; wanted them as they are", p.name)
		}
	}
	// A marker next to a part of the answer that held it is text of that answer.
	for i := range out {
		if !out[i].sentinel() {
			continue
		}
		if _, markers := p.parts(msgs[out[i].msg]); out[i].role == Assistant && len(markers) > 0 {
			if k := out[i].part; k > 0 && i > 0 {
				p.claim(&out, i-1, markers[k-1], out[i].role, strings.HasSuffix)
			}
		}
	}
	return out, nil
}

// claim marks a literal that is a message's own marker as text.
func (p *program) claim(list *[]piece, at int, marker, role string, is func(s, marker string) bool) {
	l := &(*list)[at]
	if l.sentinel() || l.mark != written || !is(l.text, marker) {
		return
	}
	if l.text == marker {
		l.special, l.role = false, role
		return
	}
	before := *l
	before.text = strings.TrimSuffix(before.text, marker)
	own := piece{text: marker, msg: -1, role: role}
	*list = append((*list)[:at], append([]piece{before, own}, (*list)[at+1:]...)...)
}

// complete returns a *TurnError unless every message is in the text, an answer once. Of answers that do not stand last,
// parts before the last may be left out: that is what templates do with earlier thoughts.
func (p *program) complete(pieces []piece, msgs []Message) error {
	seen := map[[2]int]int{}
	for _, pc := range pieces {
		if pc.sentinel() {
			seen[[2]int{pc.msg, pc.part}]++
		}
	}
	for i, m := range msgs {
		parts, _ := p.parts(m)
		last := len(parts) - 1
		for k := range parts[:last] {
			if i == len(msgs)-1 && strings.TrimSpace(parts[k]) != "" && seen[[2]int{i, k}] == 0 {
				return &TurnError{p.name, i + 1, fmt.Sprintf("the template leaves out a part of the answer (it looks for %s); wanted an answer without that part", names(quoted(p.markers)))}
			}
		}
		if strings.TrimSpace(parts[last]) == "" {
			continue
		}
		switch n := seen[[2]int{i, last}]; {
		case n == 0 && !(m.Role == System && i == 0 && p.systemMoves(msgs)):
			return &TurnError{p.name, i + 1, fmt.Sprintf("the template leaves the text of the %s out; wanted it written", m.Role)}
		case n > 1 && m.Role == Assistant:
			return &TurnError{p.name, i + 1, fmt.Sprintf("the template writes the answer %d times; wanted it once", n)}
		}
	}
	return nil
}

// systemMoves reports whether the system message is in the text as long as the user speaks last: some templates write it
// into the last message of the user and leave it out once that is answered.
func (p *program) systemMoves(msgs []Message) bool {
	n := len(msgs)
	if n < 3 || msgs[n-1].Role != Assistant {
		return false
	}
	text, err := p.write(msgs[:n-1], true)
	return err == nil && strings.Contains(text, strings.TrimSpace(msgs[0].Content))
}

// lastText returns the index after the last piece of a message, up to end.
func lastText(pieces []piece, end int) int {
	for end > 0 && !pieces[end-1].sentinel() {
		end--
	}
	return end
}

// joined returns the text of pieces, sentinels in it.
func joined(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		switch {
		case p.sentinel():
			b.WriteString(sentinelOpen + strconv.Itoa(p.msg) + "." + strconv.Itoa(p.part) + sentinelClose)
		case p.mark == beginText:
			b.WriteString(sentinelBOS)
		case p.mark == endText:
			b.WriteString(sentinelEOS)
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// common returns the length of the text that both begin with, not ending inside a sentinel or a control token such as
// "<|im_end|>" or "[INST]" of one of them.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	if n == len(a) && n == len(b) {
		return n
	}
	for _, s := range []string{a, b} {
		for _, br := range [][2]string{{"<", ">"}, {"[", "]"}, {sentinelOpen, sentinelClose}} {
			if i := strings.LastIndex(s[:n], br[0]); i >= 0 && !strings.Contains(s[i:n], br[1]) && strings.Contains(s[i:min(len(s), i+64)], br[1]) {
				n = min(n, i)
			}
		}
	}
	for n > 0 && n < len(a) && !runeStart(a[n]) {
		n--
	}
	return n
}

func runeStart(b byte) bool { return b&0xC0 != 0x80 }

// splitAt returns pieces cut so that one ends after n bytes of their joined text, and how many pieces that is.
func splitAt(pieces []piece, n int) ([]piece, int) {
	for i := range pieces {
		size := len(joined(pieces[i : i+1]))
		switch {
		case n <= 0:
			return pieces, i
		case n < size && !pieces[i].sentinel() && pieces[i].mark == written:
			a, b := pieces[i], pieces[i]
			a.text, b.text = a.text[:n], b.text[n:]
			return append(append(append([]piece(nil), pieces[:i]...), a, b), pieces[i+1:]...), i + 1
		}
		n -= size
	}
	return pieces, len(pieces)
}

// roles says to which turn the written pieces belong: what stands after a message's text as long as that message is the
// last belongs to it, the rest to the one that follows.
func (p *program) roles(pieces []piece, msgs []Message) []piece {
	var out []piece
	prev := -1 // the message whose text came last
	for k := 0; k < len(pieces); {
		if pieces[k].sentinel() {
			prev = pieces[k].msg
			out = append(out, pieces[k])
			k++
			continue
		}
		end := k
		for end < len(pieces) && !pieces[end].sentinel() {
			end++
		}
		group, cut := append([]piece(nil), pieces[k:end]...), 0
		switch {
		case end == len(pieces):
			cut = len(group)
		case prev >= 0 && pieces[end].msg != prev:
			group, cut = splitAt(group, p.turnEnd(msgs[:prev+1], joined(group)))
		}
		for j := range group {
			switch {
			case !group[j].special || group[j].mark == beginText:
			case j < cut && prev >= 0:
				group[j].role = msgs[prev].Role
			case end < len(pieces):
				group[j].role = pieces[end].role
			}
		}
		out = append(out, group...)
		k = end
	}
	return out
}

// cutPrompt fills s.spans for a generation prompt: what full renderings lack at its end is a span of its own.
func (p *program) cutPrompt(s *shape, msgs []Message, stop string) error {
	s.spans = p.roles(s.full, msgs)
	for i := len(msgs) - 1; i >= 0; i-- {
		if msgs[i].Role == Assistant {
			if err := p.cutAnswer(s, msgs, i, stop); err != nil {
				return err
			}
		}
	}
	from := lastText(s.spans, len(s.spans))
	tail := append([]piece(nil), s.spans[from:]...)
	text := joined(tail)
	answered := append(append([]Message(nil), msgs...), Message{Assistant, sentinelOpen + strconv.Itoa(len(msgs)) + ".0" + sentinelClose})
	head := len(text)
	// A template that can write no answer can still ask for one.
	if before, err := p.beforeAnswer(answered, len(msgs)); err == nil {
		if n := common(text, before); n == len(before) {
			head = n
		}
	}
	s.spans = append(s.spans[:from:from], p.promptTail(tail, msgs, head)...)
	return nil
}

// promptTail cuts what a generation prompt writes after the last message where that message's turn ends, and after head
// bytes.
func (p *program) promptTail(tail []piece, msgs []Message, head int) []piece {
	if cut := p.turnEnd(msgs, joined(tail)); cut < head {
		var n int
		tail, n = splitAt(tail, cut)
		for k := n; k < len(tail); k++ {
			tail[k].role = Assistant
		}
	}
	tail, _ = splitAt(tail, head)
	return tail
}

// turnEnd returns how much of the written text after the last message of msgs belongs to that message.
func (p *program) turnEnd(msgs []Message, tail string) int {
	before, err := p.write(msgs, false)
	if err != nil {
		return 0
	}
	was, err := p.pieces(before, msgs)
	if err != nil {
		return 0
	}
	return common(tail, joined(was[lastText(was, len(was)):]))
}

// beforeAnswer returns what a full rendering writes between answer i and the text before it.
func (p *program) beforeAnswer(msgs []Message, i int) (string, error) {
	text, err := p.write(msgs[:i+1], false)
	if err != nil {
		return "", err
	}
	full, err := p.pieces(text, msgs)
	if err != nil {
		return "", err
	}
	at := answerAt(full, i)
	if at < 0 {
		return "", errors.New("the answer is left out")
	}
	return joined(full[lastText(full, at):at]), nil
}

// answerAt returns the first piece of message i, or -1.
func answerAt(pieces []piece, i int) int {
	for k := range pieces {
		if pieces[k].sentinel() && pieces[k].msg == i {
			return k
		}
	}
	return -1
}

// tokenText finds what looks like a control token at the start of a text.
var tokenText = regexp.MustCompile(`^\s*(<[^<>\s]{1,48}>|\[/?[A-Z_]{2,24}\])`)

// stopOf returns the text of the token that ends an answer; empty for EOS, which also stands where the template writes
// none.
func (p *program) stopOf() (string, error) {
	msgs := p.masked([]Message{{User, "u"}, {Assistant, "a"}})
	text, err := p.write(msgs, false)
	if err != nil {
		return "", fmt.Errorf("token.TemplateFromJinja: template %s: it cannot write a question and an answer: %w", p.name, err)
	}
	pieces, err := p.pieces(text, msgs)
	if err != nil {
		return "", err
	}
	if err := p.complete(pieces, msgs); err != nil {
		return "", err
	}
	after := ""
	for k := range pieces {
		if pieces[k].sentinel() && pieces[k].msg == 1 {
			after = joined(pieces[k+1:])
		}
	}
	if m := tokenText.FindStringSubmatch(after); m != nil && !strings.Contains(m[1], sentinelOpen) {
		return m[1], nil
	}
	return "", nil
}

// cutAnswer finds answer i in s.spans and marks it as trained, from the end of the generation prompt to its one stop
// token. Answers are cut from the last to the first. The generation prompt of an answer that stands last must begin the
// spans: where the template's full rendering has other text before the answer, the prompt's own takes its place. An
// earlier answer that is shown in another context than its generation prompt had is not trained.
func (p *program) cutAnswer(s *shape, msgs []Message, i int, stop string) error {
	last := i == len(msgs)-1
	text, err := p.write(msgs[:i], true)
	if err != nil {
		return p.blame(msgs[:i], true, err)
	}
	prompt, err := p.pieces(text, msgs)
	if err != nil {
		return err
	}
	if last {
		if err := p.complete(prompt, msgs[:i]); err != nil {
			return err
		}
		s.prompt = prompt
	}
	at := answerAt(s.spans, i)
	if at < 0 {
		return &TurnError{p.name, i + 1, "the template leaves the answer out; wanted it written"}
	}
	from, end := lastText(s.spans, at), lastText(prompt, len(prompt))
	agree := joined(s.spans[:from]) == joined(prompt[:end])
	if !agree && last {
		if from > 0 && (end == 0 || prompt[end-1].msg != s.spans[from-1].msg) {
			return &TurnError{p.name, i + 1, "the generation prompt does not end with the message before the answer, so that the answer cannot be located; wanted it to"}
		}
		agree, s.moved = true, true
		s.spans = append(p.roles(prompt[:end:end], msgs[:i]), s.spans[from:]...)
		at = answerAt(s.spans, i)
		from = lastText(s.spans, at)
	}
	tail, before := joined(prompt[end:]), joined(s.spans[from:at])
	n := common(tail, before)
	if n < len(tail) && n < len(before) {
		if agree = last; last {
			own := p.roles(prompt, msgs[:i])
			k := lastText(own, len(own))
			own = append(own[:k:k], p.promptTail(append([]piece(nil), own[k:]...), msgs[:i], len(tail))...)
			s.spans = append(own, s.spans[at:]...)
			s.moved, before, n = true, tail, len(tail)
			at = answerAt(s.spans, i)
			from = lastText(s.spans, at)
		}
	}
	whole := n == len(tail) // all of the prompt is there; what follows it is the model's to write
	list, head := splitAt(append([]piece(nil), s.spans[from:]...), n)
	at += len(list) - len(s.spans[from:])
	s.spans = append(s.spans[:from:from], list...)
	answer := func(k int) { s.spans[k].trained, s.spans[k].role = agree, Assistant }
	if whole {
		for k := from + head; k < at; k++ {
			answer(k)
		}
	}
	for ; at < len(s.spans) && holds(s.spans[at:], i); at++ {
		answer(at)
	}
	s.spans = cutStop(s.spans, at, stop, agree)
	return nil
}

// holds reports whether the first text of a message in pieces is one of message i.
func holds(pieces []piece, i int) bool {
	for k := range pieces {
		if pieces[k].sentinel() {
			return pieces[k].msg == i
		}
	}
	return false
}

// cutStop puts the one stop token at the place given, or marks that which the template writes there.
func cutStop(pieces []piece, at int, stop string, trained bool) []piece {
	token := piece{text: stop, msg: -1, role: Assistant, special: true, trained: trained}
	if stop == "" {
		token.mark = endText
	}
	want := joined([]piece{token})
	rest := append([]piece(nil), pieces[at:]...)
	after := joined(rest)
	space := len(after) - len(strings.TrimLeftFunc(after, unicode.IsSpace))
	if !strings.HasPrefix(after[space:], want) {
		token.put = true
		return append(append(pieces[:at:at], token), rest...)
	}
	rest, k := splitAt(rest, space)
	for j := range rest[:k] {
		rest[j].trained, rest[j].role = trained, Assistant
	}
	rest, n := splitAt(rest, space+len(want))
	return append(append(append(pieces[:at:at], rest[:k]...), token), rest[n:]...)
}

func quoted(list []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range list {
		m[strconv.Quote(s)] = true
	}
	return m
}
