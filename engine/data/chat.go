package data

import (
	"fmt"
	"strings"

	"tunebook/engine/token"
)

// roleOf are the names that files give to the roles, OpenAI's and ShareGPT's.
var roleOf = map[string]string{
	"system": token.System,
	"user":   token.User, "human": token.User,
	"assistant": token.Assistant, "gpt": token.Assistant, "chatgpt": token.Assistant, "bing": token.Assistant, "bard": token.Assistant, "model": token.Assistant,
}

// jsonMessages makes an example of a row with a conversation: a list of {"role", "content"} (OpenAI) or of {"from",
// "value"} (ShareGPT). It begins with a system message or one of the user, then user and assistant speak by turns, and
// the last message is an answer.
func (c *rowReader) jsonMessages(line int, row []byte) {
	name := c.fields.Messages
	value, n := jsonField(row, name)
	if n != 1 {
		c.reject(line, row, "%s", jsonMissing(row, name, n))
		return
	}
	if value[0] != '[' {
		c.reject(line, value, "field %q is %s; wanted a list of messages", name, jsonKind(value))
		return
	}
	var (
		msgs []token.Message
		at   []byte
		what string
	)
	jsonElements(value, func(e []byte) {
		if what != "" {
			return
		}
		var m token.Message
		if m, at, what = c.jsonMessage(e); what != "" {
			what = fmt.Sprintf("message %d of field %q: %s", len(msgs)+1, name, what)
			return
		}
		msgs = append(msgs, m)
	})
	if what != "" {
		c.reject(line, at, "%s", what)
		return
	}
	merged := token.MergeTurns(msgs, "\n")
	if c.fields.Merge && len(merged) < len(msgs) {
		c.merged++
		msgs = merged
	}
	c.conversation(line, value, msgs)
}

// jsonMessage reads one message.
func (c *rowReader) jsonMessage(e []byte) (m token.Message, at []byte, what string) {
	if e[0] != '{' {
		return m, e, fmt.Sprintf("is %s; wanted an object with role and content", jsonKind(e))
	}
	role, content := "role", "content"
	if _, n := jsonMember(e, "from"); n > 0 {
		role, content = "from", "value"
	}
	text, at, what := c.jsonText(e, role)
	if what != "" {
		return m, at, what
	}
	var ok bool
	if m.Role, ok = roleOf[strings.ToLower(text)]; !ok {
		return m, e, fmt.Sprintf("%s is %q; wanted system, user (human) or assistant (gpt)", role, text)
	}
	for _, call := range []string{"tool_calls", "function_call"} {
		if value, n := jsonMember(e, call); n > 0 && value[0] != 'n' && string(value) != "[]" {
			return m, e, fmt.Sprintf("has %s; wanted text alone", call)
		}
	}
	value, n := jsonMember(e, content)
	if n == 1 && value[0] == '[' {
		m.Content, at, what = c.jsonTextParts(value)
		return m, at, what
	}
	m.Content, at, what = c.jsonText(e, content)
	return m, at, what
}

// jsonTextParts reads a content that is a list of {"type": "text", "text": …}.
func (c *rowReader) jsonTextParts(list []byte) (text string, at []byte, what string) {
	jsonElements(list, func(p []byte) {
		if what != "" {
			return
		}
		kind := ""
		if p[0] == '{' {
			kind, _, _ = c.jsonText(p, "type")
		}
		if kind != "text" {
			at, what = p, "a part of the content is no text; wanted text alone"
			return
		}
		var s string
		s, at, what = c.jsonText(p, "text")
		text += s
	})
	return text, at, what
}

// conversation makes an example of messages.
func (c *rowReader) conversation(line int, value []byte, msgs []token.Message) {
	system := c.system
	if len(msgs) > 0 && msgs[0].Role == token.System {
		system, msgs = msgs[0].Content, msgs[1:]
	}
	want := token.User
	for i, m := range msgs {
		switch {
		case m.Content == "":
			c.reject(line, value, "message %d, of the %s, is empty; wanted text", i+1, m.Role)
			return
		case m.Role == token.System:
			c.reject(line, value, "a system message after others; wanted it first")
			return
		case m.Role != want && i > 0:
			c.reject(line, []byte(m.Content), "two %s messages in a row; wanted user and assistant by turns (Fields.Merge joins them)", m.Role)
			return
		case m.Role != want:
			c.reject(line, []byte(m.Content), "the conversation begins with the assistant; wanted the user")
			return
		}
		if want = token.Assistant; m.Role == token.Assistant {
			want = token.User
		}
	}
	n := len(msgs)
	if n == 0 {
		c.reject(line, value, "there are no messages of user and assistant; wanted a question and an answer at least")
		return
	}
	if msgs[n-1].Role != token.Assistant {
		c.reject(line, []byte(msgs[n-1].Content), "the conversation ends with the user; wanted an answer")
		return
	}
	e := Example{System: system, Prompt: msgs[n-2].Content, Answer: msgs[n-1].Content, Task: c.fields.Task}
	if n > 2 {
		e.History = msgs[: n-2 : n-2]
	}
	c.add(e)
}

// jsonDocument takes the text of a row that is read for one text.
func (c *rowReader) jsonDocument(line int, row []byte) {
	text, at, what := c.jsonText(row, c.fields.Output)
	if what == "" && text == "" {
		at, what = row, fmt.Sprintf("field %q is empty; wanted text", c.fields.Output)
	}
	if what != "" {
		c.reject(line, at, "%s", what)
		return
	}
	c.add(Example{Answer: text})
}
