package model

import (
	"strings"

	core "tunebook/engine/model"
	"tunebook/engine/token"
	"tunebook/stdlib/host"
	"tunebook/stdlib/stop"
)

// Sampling says how the next token is drawn; the zero value always takes the most likely one. Temperature 1 draws from the
// model's distribution; TopK, TopP and MinP cut unlikely tokens off; RepetitionPenalty above 1 lowers the scores of tokens
// that were said already. Equal seeds give equal answers.
type Sampling = core.Sampling

// Answer is a generated text: its tokens, their log-probabilities in nats under the model itself, and why it ended.
type Answer = core.Answer

// BeamAnswer is one finished sequence of a beam search, with its summed log-probability.
type BeamAnswer = core.BeamAnswer

// Sample returns the model's answer, drawn as s says, to one user message. The answer ends at the template's stop token, before
// the first of the texts stops, or after maxNew tokens.
func (m *Model) Sample(prompt string, maxNew int, s Sampling, stops ...string) Answer {
	const op = "model.Sample"
	out, err := m.m.Sample(host.Context(), []core.Request{{Prompt: m.asked(op, prompt), MaxNew: maxNew, Sampling: s,
		Stops: m.m.Template.StopIDs(m.m.Tokenizer), StopTexts: stops, LogProbs: true}}, 1, nil)
	stop.If(op, err)
	out[0].Text = strings.TrimSpace(out[0].Text)
	return out[0]
}

// Choose returns which of the choices the model answers one user message with, where it may answer nothing else: token by
// token the most likely one that goes on with a choice.
func (m *Model) Choose(prompt string, choices ...string) string {
	const op = "model.Choose"
	r := core.Request{Prompt: m.asked(op, prompt), Stops: m.m.Template.StopIDs(m.m.Tokenizer), Choices: [][]int32{}}
	for _, c := range choices {
		r.Choices = append(r.Choices, m.m.Tokenizer.Encode(c))
	}
	out, err := m.m.Sample(host.Context(), []core.Request{r}, 1, nil)
	stop.If(op, err)
	return out[0].Text
}

// Beam returns up to width answers of at most maxNew tokens to one user message, the one with the highest log-probability
// first.
func (m *Model) Beam(prompt string, maxNew, width int) []BeamAnswer {
	const op = "model.Beam"
	ids := m.asked(op, prompt)
	out, err := m.m.BeamSearch(host.Context(), ids, core.Beam{Width: width, MaxNew: maxNew, Stops: m.m.Template.StopIDs(m.m.Tokenizer)})
	stop.If(op, err)
	return out
}

func (m *Model) asked(op, prompt string) []int32 {
	if m.m.Template == nil {
		stop.Now(op, "the model has no chat template", "use Complete, which continues plain text")
	}
	enc, err := m.m.Template.Encode(m.m.Tokenizer, userMessage(prompt), true)
	stop.If(op, err)
	return enc.IDs
}

// Chat is a conversation: each answer is given in view of what was said before.
type Chat struct{ c core.Conversation }

// Chat begins a conversation with a system message, "" for the template's own.
func (m *Model) Chat(system string, s Sampling) *Chat {
	c := &Chat{core.Conversation{Model: m.m, Sampling: s}}
	if system != "" {
		c.c.Messages = []token.Message{{Role: token.System, Content: system}}
	}
	return c
}

// Say adds a user message and returns the model's answer.
func (c *Chat) Say(text string) string {
	answer, err := c.c.Say(host.Context(), text, nil)
	stop.If("model.Say", err)
	return answer
}
