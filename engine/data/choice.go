package data

import (
	"fmt"
	"strconv"
	"strings"
)

// letters name the choices of a question, first to last.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// jsonChoices makes an example of a question with answers to choose from. The prompt is the question, a blank line, and a
// line "A. …" for each choice; Answer is the letter of the right one, and Choices are all letters.
//
// The field with the choices is a list of texts, or an object with the lists "text" and "label". The right one is its
// number from 0, its letter, its label or its text; where that can mean two of them, the row is bad.
func (c *rowReader) jsonChoices(line int, row []byte, input, context string) {
	f := &c.fields
	value, n := jsonField(row, f.Choices)
	if n != 1 {
		c.reject(line, row, "%s", jsonMissing(row, f.Choices, n))
		return
	}
	inner := *c
	inner.fields.Numbers = true
	var labels []string
	if value[0] == '{' {
		object := value
		var at []byte
		var what string
		if labels, at, what = inner.jsonTexts(object, "label"); what != "" {
			c.reject(line, at, "field %q: %s", f.Choices, what)
			return
		}
		if value, n = jsonMember(object, "text"); n != 1 {
			c.reject(line, object, "field %q: %s", f.Choices, jsonMissing(object, "text", n))
			return
		}
	}
	var choices []string
	what := ""
	if value[0] != '[' {
		what = fmt.Sprintf("field %q is %s; wanted a list of texts", f.Choices, jsonKind(value))
	} else {
		jsonElements(value, func(e []byte) {
			s, bad := jsonString(e, true)
			if bad != "" && what == "" {
				what = fmt.Sprintf("choice %d of field %q %s", len(choices)+1, f.Choices, bad)
			}
			choices = append(choices, s)
		})
	}
	switch {
	case what != "":
	case len(choices) < 2 || len(choices) > len(letters):
		what = fmt.Sprintf("field %q has %d choices; wanted 2 to %d", f.Choices, len(choices), len(letters))
	case labels != nil && len(labels) != len(choices):
		what = fmt.Sprintf("field %q has %d labels for %d choices; wanted one each", f.Choices, len(labels), len(choices))
	}
	if what != "" {
		c.reject(line, value, "%s", what)
		return
	}
	answer, n := jsonField(row, f.Output)
	if n != 1 {
		c.reject(line, row, "%s", jsonMissing(row, f.Output, n))
		return
	}
	right, what := rightChoice(answer, choices, labels)
	if what != "" {
		c.reject(line, answer, "field %q %s", f.Output, what)
		return
	}
	if input == "" && context == "" {
		c.reject(line, row, "the input is empty; wanted a question for these choices")
		return
	}
	var b strings.Builder
	for i, s := range choices {
		fmt.Fprintf(&b, "\n%c. %s", letters[i], s)
	}
	c.add(Example{
		System: c.system, Prompt: paragraphs(f.Instruction, input, context) + "\n" + b.String(),
		Answer: letters[right : right+1], Choices: strings.Split(letters[:len(choices)], ""), Task: f.Task,
	})
}

// rightChoice returns which choice an answer names, or what is wrong with it.
func rightChoice(answer []byte, choices, labels []string) (right int, what string) {
	text, what := jsonString(answer, true)
	if what != "" {
		return 0, what
	}
	found := map[int]bool{}
	if answer[0] != '"' && labels == nil {
		if i, err := strconv.Atoi(text); err == nil && i >= 0 && i < len(choices) {
			return i, ""
		}
		return 0, fmt.Sprintf("is %s; wanted a number from 0 to %d", text, len(choices)-1)
	}
	for i := range choices {
		if choices[i] == text || labels != nil && labels[i] == text || labels == nil && text == letters[i:i+1] {
			found[i] = true
		}
	}
	if len(found) == 0 && labels == nil {
		if i, err := strconv.Atoi(text); err == nil && i >= 0 && i < len(choices) {
			found[i] = true
		}
	}
	for i := range found {
		right = i
	}
	switch len(found) {
	case 1:
		return right, ""
	case 0:
		return 0, "names none of the choices; wanted a number, a letter, a label or the text of one"
	}
	return 0, fmt.Sprintf("can mean %d of the choices; wanted one", len(found))
}
