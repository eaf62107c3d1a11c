package data

import (
	"fmt"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"

	"tunebook/engine/backend"
	"tunebook/engine/token"
)

// Policy says what happens to an example that is longer than the limit.
type Policy uint8

const (
	Error     Policy = iota // stop and name it
	Drop                    // leave it out, counted
	CutPrompt               // keep the end of the prompt and the whole answer
	CutInput                // keep the instruction, the beginning of the input and the whole answer
)

// String returns the policy's name.
func (p Policy) String() string {
	return [...]string{"error", "drop", "cut-prompt", "cut-input"}[p]
}

// Train says which tokens are trained.
type Train uint8

const (
	OnResponse     Train = iota // answers and their stop tokens
	OnAll                       // every token but the first
	OnLastResponse              // the last answer of a conversation and its stop token
)

// String returns the mask's name.
func (t Train) String() string { return [...]string{"response", "all", "last"}[t] }

// EncodeOptions says how examples become sequences.
type EncodeOptions struct {
	MaxLen int // tokens of a sequence at most; 0 means no limit
	Policy Policy
	Train  Train
}

// Sequence is one document as the model sees it. Targets[i] is the id that position i is trained to predict, or
// backend.IgnoreIndex; the last position has none. IDs and Targets are of equal length.
type Sequence struct {
	IDs     []int32
	Targets []int32
	Source  int    // index of its source
	Row     int    // row within the source
	Key     uint64 `json:",omitempty"` // of its place in a mix; see Sampler
	Block   int    `json:",omitempty"` // of the mix, from 1; 0 where it comes from no mix
}

// Supervised returns the number of trained targets.
func (s *Sequence) Supervised() int {
	n := 0
	for _, id := range s.Targets {
		if id != backend.IgnoreIndex {
			n++
		}
	}
	return n
}

// Encoded is what became of a list of examples: every one is a sequence or counted.
type Encoded struct {
	Sequences []Sequence
	Sources   []string // names, by the sequences' Source
	Counts    []Counts // by source
	How       EncodingUsed
}

// EncodingUsed says how examples became ids, for a record.
type EncodingUsed struct {
	Tokenizer   string `json:"tokenizer"` // fingerprint
	Template    string `json:"template"`  // name
	TemplateSum string `json:"template_fingerprint"`
	MaxLen      int    `json:"max_length"` // 0 for none
	Policy      string `json:"policy"`
	Train       string `json:"train"`
}

// Counts accounts for the examples of one source: Examples = sequences + Dropped.
type Counts struct {
	Examples   int // given
	Dropped    int // longer than the limit, left out (Drop)
	Cut        int // longer than the limit, shortened (CutPrompt, CutInput)
	CutTokens  int // that were taken from these
	Tokens     int // of the sequences
	Supervised int // trained targets among them
}

// NoSupervision is returned when nothing is left to train on.
type NoSupervision struct {
	Of     int // sequences or examples looked at
	MaxLen int // the limit on their length; 0 for none
}

func (e *NoSupervision) Error() string {
	s := fmt.Sprintf("data: no supervised tokens in %d of %d examples", e.Of, e.Of)
	if e.MaxLen > 0 {
		s += fmt.Sprintf(" (max length %d)", e.MaxLen)
	}
	return s
}

// TooLong is returned under the policy Error, and where an example cannot be made as short as the limit by CutPrompt or
// CutInput.
type TooLong struct {
	Source                 string
	Row                    int
	Prompt, Answer, MaxLen int    // tokens
	Why                    string // why it could not be cut; empty under Error
}

func (e *TooLong) Error() string {
	why := "raise it or choose Drop, CutPrompt or CutInput"
	if e.Why != "" {
		why = e.Why
	}
	return fmt.Sprintf("data.Encode: %s row %d: %d prompt and %d answer tokens make %d; the limit is %d; %s",
		e.Source, e.Row, e.Prompt, e.Answer, e.Prompt+e.Answer, e.MaxLen, why)
}

// Messages returns the turns of an example: system when there is one, what was said before, user, assistant.
func (e *Example) Messages() []token.Message {
	var m []token.Message
	if e.System != "" {
		m = append(m, token.Message{Role: "system", Content: e.System})
	}
	m = append(m, e.History...)
	return append(m, token.Message{Role: "user", Content: e.Prompt}, token.Message{Role: "assistant", Content: e.Answer})
}

// Encoder turns examples into ids by a tokenizer, a template and one policy.
type Encoder struct {
	Tokenizer *token.Tokenizer
	Template  *token.Template
	Options   EncodeOptions
}

// Coded is one example as ids: those that the model sees, after shortening. Trained tells which of them are targets.
type Coded struct {
	token.Encoded
	Full    int  // tokens before shortening
	Front   int  // tokens taken from the front (CutPrompt)
	Input   int  // tokens taken from the input's end (CutInput)
	Dropped bool // longer than the limit; the ids are all there
}

// Row returns an example's ids. What is trained comes from the template's spans, never from a search for tokens. An
// example that the policy cannot shorten is a *TooLong.
func (c *Encoder) Row(e *Example) (Coded, error) {
	out, err := c.ids(e)
	if err != nil {
		return Coded{}, err
	}
	o := c.Options
	if o.MaxLen == 0 || out.Full <= o.MaxLen {
		return out, nil
	}
	answer := 0 // without regard to Options.Train
	for _, k := range out.SpanOf {
		if out.Spans[k].Trained {
			answer++
		}
	}
	long := &TooLong{Source: e.Source, Row: e.Row, Prompt: out.Full - answer, Answer: answer, MaxLen: o.MaxLen}
	switch o.Policy {
	case Drop:
		out.Dropped = true
		return out, nil
	case CutPrompt:
		if answer >= o.MaxLen {
			long.Why = "the answer alone leaves no room for a prompt; raise the limit or choose Drop"
			return Coded{}, long
		}
		out.Front = out.Full - o.MaxLen
		out.IDs, out.Trained, out.SpanOf = out.IDs[out.Front:], out.Trained[out.Front:], out.SpanOf[out.Front:]
		return out, nil
	case CutInput:
		return c.cutInput(e, out, long)
	}
	return Coded{}, long
}

func (c *Encoder) ids(e *Example) (Coded, error) {
	enc, err := c.Template.Encode(c.Tokenizer, e.Messages(), false)
	if err != nil {
		return Coded{}, fmt.Errorf("data.Encode: %s row %d: %w", e.Source, e.Row, err)
	}
	switch c.Options.Train {
	case OnAll:
		for i := range enc.Trained {
			enc.Trained[i] = i > 0
		}
	case OnLastResponse:
		lastOnly(&enc)
	}
	return Coded{Encoded: enc, Full: len(enc.IDs)}, nil
}

// lastOnly trains the last answer of a conversation and no other.
func lastOnly(enc *token.Encoded) {
	from := len(enc.Spans) - 1
	for from >= 0 && !enc.Spans[from].Trained {
		from--
	}
	for from > 0 && enc.Spans[from-1].Trained {
		from--
	}
	for i, k := range enc.SpanOf {
		enc.Trained[i] = enc.Trained[i] && int(k) >= from
	}
}

// cutInput keeps as much of the input's beginning as fits. The text is shortened, not its ids, so the ids are those of
// the shorter prompt.
func (c *Encoder) cutInput(e *Example, full Coded, long *TooLong) (Coded, error) {
	if e.Input <= 0 || e.Input >= len(e.Prompt) {
		long.Why = "the row does not say where its input begins, so CutInput cannot keep the instruction; raise the limit or choose Drop or CutPrompt"
		return Coded{}, long
	}
	var ends []int // where the kept beginning may end: after a whole character
	for at := range e.Prompt[e.Input:] {
		if at > 0 {
			ends = append(ends, e.Input+at)
		}
	}
	// Lengths grow with the text but for a token or so at its end: what the search finds fits, and any longer beginning
	// that fits as well is longer by no more than that.
	var best Coded
	var failed error
	fits := sort.Search(len(ends), func(i int) bool {
		short := *e
		short.Prompt = e.Prompt[:ends[i]]
		got, err := c.ids(&short)
		if err != nil {
			failed = err
		}
		if got.Full > c.Options.MaxLen || err != nil {
			return true
		}
		best = got
		return false
	})
	if failed != nil {
		return Coded{}, failed
	}
	if fits == 0 {
		long.Why = "nothing of the input is left by CutInput; raise the limit or choose Drop"
		return Coded{}, long
	}
	best.Input = full.Full - best.Full
	best.Full = full.Full
	return best, nil
}

// Measure returns the supervised and all tokens that an example gives to training: 0 for one that the policy drops.
func (c *Encoder) Measure(e *Example) (supervised, all int, err error) {
	r, err := c.Row(e)
	if err != nil || r.Dropped {
		return 0, 0, err
	}
	s := r.sequence()
	return s.Supervised(), len(s.IDs), nil
}

func (r *Coded) sequence() Sequence {
	s := Sequence{IDs: r.IDs, Targets: make([]int32, len(r.IDs))}
	for i := range s.Targets {
		s.Targets[i] = backend.IgnoreIndex
		if i+1 < len(r.IDs) && r.Trained[i+1] {
			s.Targets[i] = r.IDs[i+1]
		}
	}
	return s
}

// Encode turns examples into sequences by a template: the prompt's tokens, the answer's and one stop token. Nothing
// supervised at all is a *NoSupervision.
func Encode(tok *token.Tokenizer, tmpl *token.Template, rows []Example, o EncodeOptions) (*Encoded, error) {
	return (&Encoder{tok, tmpl, o}).Set(&Set{Rows: rows})
}

// Set turns a set's examples into sequences, in order, on all cores. The sources are those of a mix's places, and of a
// set that is no mix, those of its rows. Nothing supervised at all is a *NoSupervision.
func (c *Encoder) Set(s *Set) (*Encoded, error) {
	coded := make([]Coded, len(s.Rows))
	if err := eachRow(len(s.Rows), func(i int) (err error) {
		coded[i], err = c.Row(&s.Rows[i])
		return err
	}); err != nil {
		return nil, err
	}
	out := &Encoded{How: c.how()}
	index := map[string]int{}
	total := 0
	for i := range coded {
		name, place := s.Rows[i].Source, Place{}
		if s.Places != nil {
			place = s.Places[i]
			name = place.Part
		}
		src, ok := index[name]
		if !ok {
			src = len(out.Sources)
			index[name] = src
			out.Sources = append(out.Sources, name)
			out.Counts = append(out.Counts, Counts{})
		}
		n := &out.Counts[src]
		n.Examples++
		r := &coded[i]
		if r.Dropped {
			n.Dropped++
			continue
		}
		if lost := r.Full - len(r.IDs); lost > 0 {
			n.Cut++
			n.CutTokens += lost
		}
		seq := r.sequence()
		seq.Source, seq.Row, seq.Key, seq.Block = src, s.Rows[i].Row, place.Key, place.Block
		supervised := seq.Supervised()
		n.Tokens += len(seq.IDs)
		n.Supervised += supervised
		total += supervised
		out.Sequences = append(out.Sequences, seq)
		coded[i] = Coded{}
	}
	if total == 0 {
		return nil, &NoSupervision{Of: len(s.Rows), MaxLen: c.Options.MaxLen}
	}
	return out, nil
}

func (c *Encoder) how() EncodingUsed {
	return EncodingUsed{Tokenizer: c.Tokenizer.Fingerprint(), Template: c.Template.Name, TemplateSum: c.Template.Fingerprint(),
		MaxLen: c.Options.MaxLen, Policy: c.Options.Policy.String(), Train: c.Options.Train.String()}
}

// eachRow calls f for 0 … n-1 on all cores and returns the error of the first row that has one, whatever the order in
// which they were done.
func eachRow(n int, f func(i int) error) error {
	const chunk = 32
	var next atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	at, first := n, error(nil)
	for range min(runtime.GOMAXPROCS(0), (n+chunk-1)/chunk) {
		wg.Go(func() {
			for {
				from := int(next.Add(chunk)) - chunk
				if from >= n {
					return
				}
				for i := from; i < min(from+chunk, n); i++ {
					if err := f(i); err != nil {
						mu.Lock()
						if i < at {
							at, first = i, err
						}
						mu.Unlock()
						next.Store(int64(n)) // rows before this one are in chunks that were begun
						break
					}
				}
			}
		})
	}
	wg.Wait()
	return first
}

// EncodeText turns plain documents into sequences that are trained on every token, the one that ends the text included.
// A document longer than maxLen (0 for no limit) becomes several sequences; split counts the documents to which that
// happened.
func EncodeText(tok *token.Tokenizer, texts []string, maxLen int) (seqs []Sequence, split int) {
	for row, text := range texts {
		ids := tok.Encode(text)
		if tok.BOS() >= 0 && tok.AddBOS() {
			ids = append([]int32{tok.BOS()}, ids...)
		}
		if tok.EOS() >= 0 {
			ids = append(ids, tok.EOS())
		}
		if maxLen > 0 && len(ids) > maxLen {
			split++
		}
		// Parts share a token: the last id of one is the first of the next, so that every id but the first is a target.
		for len(ids) > 1 {
			n := len(ids)
			if maxLen > 0 {
				n = min(n, maxLen)
			}
			targets := append(append([]int32(nil), ids[1:n]...), backend.IgnoreIndex)
			seqs = append(seqs, Sequence{IDs: ids[:n:n], Targets: targets, Row: row})
			ids = ids[n-1:]
		}
	}
	return seqs, split
}
