package data

import (
	"fmt"

	"tunebook/engine/backend"
	"tunebook/engine/token"
)

// Policy says what happens to an example that is longer than the limit.
type Policy uint8

const (
	Error     Policy = iota // stop and name it
	Drop                    // leave it out, counted
	CutPrompt               // keep the end of what stands before the last answer, and that answer whole
)

// Train says which tokens are trained.
type Train uint8

const (
	OnResponse     Train = iota // answers and their stop tokens
	OnAll                       // every token but the first
	OnLastResponse              // the last answer and its stop token; earlier answers of a conversation are context
)

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
	Source  int // index of its source
	Row     int // row within the source
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
}

// Counts accounts for the examples of one source.
type Counts struct {
	Examples   int // given
	Dropped    int // longer than the limit, left out (Drop)
	Cut        int // longer than the limit, shortened (CutPrompt)
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

// TooLong is returned under the policy Error, and where an answer alone is longer than the limit under CutPrompt.
type TooLong struct {
	Source                 string
	Row                    int
	Prompt, Answer, MaxLen int // tokens
}

func (e *TooLong) Error() string {
	return fmt.Sprintf("data.Encode: %s row %d: %d prompt and %d answer tokens make %d; the limit is %d; raise it or choose Drop or CutPrompt",
		e.Source, e.Row, e.Prompt, e.Answer, e.Prompt+e.Answer, e.MaxLen)
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

// Encode turns examples into sequences by a template: the prompt's tokens, the answer's and one stop token. What is
// trained comes from the template's spans. Nothing supervised at all is a *NoSupervision.
func Encode(tok *token.Tokenizer, tmpl *token.Template, rows []Example, o EncodeOptions) (*Encoded, error) {
	out := &Encoded{}
	index := map[string]int{}
	total := 0
	for _, row := range rows {
		src, ok := index[row.Source]
		if !ok {
			src = len(out.Sources)
			index[row.Source] = src
			out.Sources = append(out.Sources, row.Source)
			out.Counts = append(out.Counts, Counts{})
		}
		c := &out.Counts[src]
		c.Examples++
		e, err := tmpl.Encode(tok, row.Messages(), false)
		if err != nil {
			return nil, fmt.Errorf("data.Encode: %s row %d: %w", row.Source, row.Row, err)
		}
		ids, trained := e.IDs, e.Trained
		from, end := lastRun(trained)
		if o.Train == OnLastResponse {
			clear(trained[:from])
		}
		if o.MaxLen > 0 && len(ids) > o.MaxLen && o.Train != OnAll {
			ids, trained = ids[:end], trained[:end] // nothing that is trained depends on what follows
		}
		if o.MaxLen > 0 && len(ids) > o.MaxLen {
			answer := len(ids) - from
			tooLong := &TooLong{Source: row.Source, Row: row.Row, Prompt: len(ids) - answer, Answer: answer, MaxLen: o.MaxLen}
			switch {
			case o.Policy == Drop:
				c.Dropped++
				continue
			case o.Policy == CutPrompt && answer < o.MaxLen:
				c.Cut++
				ids, trained = ids[len(ids)-o.MaxLen:], trained[len(trained)-o.MaxLen:]
			default:
				return nil, tooLong
			}
		}
		s := Sequence{IDs: ids, Targets: make([]int32, len(ids)), Source: src, Row: row.Row}
		for i := range s.Targets {
			s.Targets[i] = backend.IgnoreIndex
			if i+1 < len(ids) && (trained[i+1] || o.Train == OnAll) {
				s.Targets[i] = ids[i+1]
			}
		}
		n := s.Supervised()
		c.Tokens += len(ids)
		c.Supervised += n
		total += n
		out.Sequences = append(out.Sequences, s)
	}
	if total == 0 {
		return nil, &NoSupervision{Of: len(rows), MaxLen: o.MaxLen}
	}
	return out, nil
}

// lastRun returns where the last answer begins and ends.
func lastRun(trained []bool) (from, end int) {
	end = len(trained)
	for end > 0 && !trained[end-1] {
		end--
	}
	for from = end; from > 0 && trained[from-1]; from-- {
	}
	return from, end
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
