package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tunebook/engine/token"
)

// Conversation is a talk with a model in its own chat template.
type Conversation struct {
	Model    *Model
	Messages []token.Message // what was said so far, a system message first where there is one
	MaxNew   int             // new tokens of an answer at most, the stop token included; 512 when 0
	Sampling Sampling        // its seed is moved on with each answer
}

// Say adds the user's message and the model's answer to the conversation and returns the answer, without the white space
// around it. each, when not nil, gets the answer piece by piece as it grows; no piece ends within a character.
//
// Where ctx ends first, what was answered until then is kept as the answer and returned with ctx's error. After any other
// error the conversation is as it was before. An answer that the model's positions have no room for is an error; one that
// they have little room for is shorter.
func (c *Conversation) Say(ctx context.Context, text string, each func(piece string)) (string, error) {
	m := c.Model
	if m.Template == nil {
		return "", fmt.Errorf("model.Say: %s: the model has no chat template; wanted one to talk with", m.Name)
	}
	messages := append(slices.Clone(c.Messages), token.Message{Role: token.User, Content: text})
	enc, err := m.Template.Encode(m.Tokenizer, messages, true)
	if err != nil {
		return "", err
	}
	r := Request{Prompt: enc.IDs, MaxNew: c.MaxNew, Stops: m.Template.StopIDs(m.Tokenizer), Sampling: c.Sampling}
	if r.MaxNew == 0 {
		r.MaxNew = 512
	}
	room := m.Config.MaxPositionEmbeddings - len(enc.IDs)
	if room < 1 {
		return "", fmt.Errorf("model.Say: the conversation has %d tokens; the model has %d positions and no room for an answer", len(enc.IDs), m.Config.MaxPositionEmbeddings)
	}
	r.MaxNew = min(r.MaxNew, room)
	said, answer := 0, ""
	grow := func(a *Answer) {
		answer = strings.TrimLeft(a.Text, " \t\n")
		whole := answer
		if a.End == "" {
			whole = strings.TrimRight(answer, "\uFFFD") // a character whose last bytes are still to come
		}
		if len(whole) > said {
			if each != nil {
				each(whole[said:])
			}
			said = len(whole)
		}
	}
	_, err = m.Sample(ctx, []Request{r}, 1, func(_ int, a *Answer) { grow(a) })
	if err != nil && (ctx.Err() == nil || !errors.Is(err, ctx.Err())) {
		return "", err
	}
	answer = strings.TrimSpace(answer)
	c.Messages = append(messages, token.Message{Role: token.Assistant, Content: answer})
	c.Sampling.Seed++
	return answer, err
}
