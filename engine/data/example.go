// Package data turns files and generators into sets of examples, and sets into mixes that account for every row.
//
// The order of work is fixed: read, deduplicate, split, decontaminate, sample, mix, encode, pack. A set that repeats rows
// is not split or deduplicated any more: the first would leak, the second undo the mix. Everything that is drawn at
// random is a pure function of a seed and of the source's name.
package data

import (
	"strings"

	"tunebook/engine/token"
)

// Example is one prompt with its answer.
type Example struct {
	System string // system message; empty for none
	// History is what was said before Prompt, user and assistant in turns, its answers trained as Answer is; nil for a
	// conversation of one turn.
	History []token.Message
	Prompt  string   // what the user says, instruction and input together
	Answer  string   // what is trained and, when Refs is empty, the only right answer
	Refs    []string // further right answers, for scoring only
	// Choices are the answers that there are to choose from; nil where the answer is free.
	Choices []string

	Task  string // the task it belongs to ("arithmetic/add"), for slices, losses and scores by task
	Skill string // the skill the task needs ("arithmetic")
	Input int    // byte of Prompt at which its input begins, after the instruction that its task's rows share; 0 when not known
	Wrong bool   // Answer was made wrong on purpose

	Source string // name of the set it was read into
	Row    int    // row in that source, from 0; Source and Row name an example for good
}

// Asked returns all that stands before the answer, the system message left out: the prompt, after the turns before it
// where there are any. Two examples that ask the same have the same.
func (e *Example) Asked() string {
	if len(e.History) == 0 {
		return e.Prompt
	}
	var b strings.Builder
	for _, m := range e.History {
		b.WriteString(m.Role + "\x00" + m.Content + "\x00")
	}
	return b.String() + e.Prompt
}

// Answers returns every right answer: Answer first, then Refs.
func (e *Example) Answers() []string {
	return append([]string{e.Answer}, e.Refs...)
}

// Set is a named list of examples. A Set is not changed after it was made; its methods return new ones that share rows.
type Set struct {
	Name      string
	Rows      []Example
	Available int      // rows of the set that this one was taken from; 0 when it was not
	Notes     []string // what a reader has to say: rows skipped, endings removed; empty when there is nothing
	Steps     []Step   // what was done to it since it was read, in order
	Repeats   int      // rows that a mix put in a second time or more often; such a set can no longer be split
	Places    []Place  // of a mix, one a row; nil otherwise
}

// Step is one thing that was done to a set.
type Step struct {
	Op   string `json:"op"`             // "dedup", "take", …
	From int    `json:"from"`           // rows before
	To   int    `json:"to"`             // rows after
	Note string `json:"note,omitempty"` // seed, thresholds, what was removed
}

// Len returns the number of examples.
func (s *Set) Len() int { return len(s.Rows) }
