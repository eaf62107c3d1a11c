package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/ardanlabs/jinja"
)

// program is a chat template as a model ships it: text with Jinja in it.
type program struct {
	name    string
	src     string
	code    *jinja.Template
	markers []string // texts that the template looks for in a message: "</think>"

	mu     sync.Mutex
	shapes map[string]*shape // by what decides over the form of a conversation
}

// Sentinels stand for texts while the form of a conversation is looked for. They hold nothing that a template would
// trim or look for.
const (
	sentinelOpen  = "\U0010FFF0"
	sentinelClose = "\U0010FFF1"
	sentinelBOS   = sentinelOpen + "b" + sentinelClose
	sentinelEOS   = sentinelOpen + "e" + sentinelClose
)

const (
	maxJinja   = 1 << 20 // bytes of a template
	maxNesting = 200     // open brackets and blocks
	maxRange   = 1 << 20 // values of one range()
)

// newProgram compiles a chat template, or says why it cannot be used.
func newProgram(name, src string) (*program, error) {
	fail := func(format string, args ...any) (*program, error) {
		return nil, fmt.Errorf("token.TemplateFromJinja: template %s: %s", name, fmt.Sprintf(format, args...))
	}
	if len(src) > maxJinja {
		return fail("it has %d bytes; wanted %d at most", len(src), maxJinja)
	}
	if strings.Contains(src, sentinelOpen) || strings.Contains(src, sentinelClose) {
		return fail("it holds U+10FFF0 or U+10FFF1, which no text has; wanted a template without them")
	}
	if n := nesting(src); n > maxNesting {
		return fail("%d brackets and blocks are open at once; wanted %d at most", n, maxNesting)
	}
	if v := undefined(src); v != "" {
		return fail("it writes the variable %q, which a conversation does not have; wanted one made of messages, bos_token and eos_token", v)
	}
	code, err := compile(indented.ReplaceAllString(src, "|tojson_indented("))
	if err != nil {
		return fail("%v", err)
	}
	return &program{name: name, src: src, code: code, markers: markersOf(src), shapes: map[string]*shape{}}, nil
}

// compile and execute hold what the Jinja library does with a text that it does not expect.
func compile(src string) (t *jinja.Template, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it cannot be parsed: %v", p)
		}
	}()
	return jinja.Compile(src)
}

// indented finds tojson with an indent, which the library writes with sorted keys.
var indented = regexp.MustCompile(`\|\s*tojson\(\s*indent\s*=\s*`)

var (
	codePart   = regexp.MustCompile(`(?s)\{[{%].*?[%}]\}`)
	literal    = regexp.MustCompile(`(?s)'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"`)
	blockWord  = regexp.MustCompile(`\{%[-+]?\s*(end)?(if|for|macro|filter|call|set)\b([^%]*)`)
	plusName   = regexp.MustCompile(`\+\s*([A-Za-z_]\w*)\s*(?:[-+~|)%}]|$)`)
	namePlus   = regexp.MustCompile(`(?:^|[({+~]|\bin\b|=)\s*([A-Za-z_]\w*)\s*\+`)
	lookedFor  = regexp.MustCompile(`('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s+(?:not\s+)?in\b`)
	lookedWith = regexp.MustCompile(`\.\s*(?:split|startswith|endswith|find|replace|rsplit|partition)\(\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")`)
)

// given are the variables that a conversation has.
var given = map[string]bool{"messages": true, "bos_token": true, "eos_token": true, "add_generation_prompt": true, "loop": true, "true": true, "false": true, "none": true, "not": true, "tools": true}

// undefined returns a variable that the template adds to a text without anything that gives it a value. The library
// writes nothing for it where the definition of Jinja has an error.
func undefined(src string) string {
	code := strings.Join(codePart.FindAllString(src, -1), "\n")
	code = literal.ReplaceAllString(code, "''")
	for _, find := range []*regexp.Regexp{plusName, namePlus} {
		for _, m := range find.FindAllStringSubmatch(code, -1) {
			v := regexp.QuoteMeta(m[1])
			if given[m[1]] {
				continue
			}
			set := regexp.MustCompile(`\bset\s+` + v + `\b|\bfor\b[^%]*\b` + v + `\b[^%]*\bin\b|\b` + v + `\s+is\b|\bmacro\b[^%]*\b` + v + `\b|\b` + v + `\s*\|\s*d(?:efault)?\b`)
			if !set.MatchString(code) {
				return m[1]
			}
		}
	}
	return ""
}

// nesting returns the greatest number of brackets and blocks that are open at one place.
func nesting(src string) int {
	most, open := 0, 0
	for _, part := range codePart.FindAllString(src, -1) {
		switch m := blockWord.FindStringSubmatch(part); {
		case m == nil || m[2] == "set" && strings.Contains(m[3], "="):
		case m[1] != "":
			open--
		default:
			open++
		}
		brackets := 0
		for _, r := range literal.ReplaceAllString(part, "''") {
			switch r {
			case '(', '[', '{':
				brackets++
			case ')', ']', '}':
				brackets--
			}
			most = max(most, open+brackets)
		}
	}
	return most
}

// markersOf returns the texts that the template looks for inside messages.
func markersOf(src string) []string {
	var out []string
	seen := map[string]bool{}
	for _, find := range []*regexp.Regexp{lookedFor, lookedWith} {
		for _, m := range find.FindAllStringSubmatch(src, -1) {
			text := m[1][1 : len(m[1])-1]
			if len(text) > 1 && !strings.Contains(text, `\`) && strings.ContainsAny(text, "<[") && !seen[text] {
				seen[text] = true
				out = append(out, text)
			}
		}
	}
	return out
}

// Values that are the same for every rendering. strftime_now stays undefined: a text that changes with the day could
// not be trained on one day and scored on another; templates that ask whether it is there have a fixed date instead.
var (
	boundedRange = jinja.NewCallable("range", rangeOf)
	indentedJSON = jinja.NewCallable("tojson_indented", func(args []jinja.Value, kwargs map[string]jinja.Value) (jinja.Value, error) {
		var indent jinja.Value
		if len(args) > 1 {
			indent = args[1]
		}
		var b strings.Builder
		switch {
		case len(args) == 0:
			return jinja.NewString(""), nil
		case len(kwargs) > 0:
			return jinja.Undefined(), fmt.Errorf("tojson with more than an indent is not implemented")
		case indent.IsInt() && indent.AsInt() >= 0 && indent.AsInt() <= 16:
			writeJSON(&b, args[0], strings.Repeat(" ", int(indent.AsInt())), "\n")
		default:
			writeJSON(&b, args[0], "", "")
		}
		return jinja.NewString(b.String()), nil
	})
)

func rangeOf(args []jinja.Value, _ map[string]jinja.Value) (jinja.Value, error) {
	at := [3]int64{0, 0, 1}
	if len(args) < 1 || len(args) > 3 {
		return jinja.Undefined(), fmt.Errorf("range with %d values; wanted 1 to 3", len(args))
	}
	for i, a := range args {
		if !a.IsInt() {
			return jinja.Undefined(), fmt.Errorf("range of %s; wanted whole numbers", a)
		}
		at[i] = a.AsInt()
	}
	if len(args) == 1 {
		at[0], at[1] = 0, at[0]
	}
	var items []jinja.Value
	for i := at[0]; at[2] > 0 && i < at[1] || at[2] < 0 && i > at[1]; i += at[2] {
		if items = append(items, jinja.NewInt(i)); len(items) > maxRange {
			return jinja.Undefined(), fmt.Errorf("range of more than %d values", maxRange)
		}
	}
	if at[2] == 0 {
		return jinja.Undefined(), fmt.Errorf("range with step 0")
	}
	return jinja.NewList(items), nil
}

// writeJSON writes v as Python's json.dumps(v, ensure_ascii=False, indent=…) does, keys in their order. newline is empty
// for the form in one line.
func writeJSON(b *strings.Builder, v jinja.Value, indent, newline string) {
	sep, deeper := ",", newline+indent
	if newline == "" {
		sep, deeper = ", ", ""
	}
	switch {
	case v.IsList() && v.AsList().Len() > 0:
		b.WriteString("[")
		for i, e := range v.AsList().Items {
			if i > 0 {
				b.WriteString(sep)
			}
			b.WriteString(deeper)
			writeJSON(b, e, indent, deeper)
		}
		b.WriteString(newline + "]")
	case v.IsDict() && v.AsDict().Len() > 0:
		b.WriteString("{")
		d := v.AsDict()
		for i, k := range d.OrderedKeys() {
			if i > 0 {
				b.WriteString(sep)
			}
			e, _ := d.Get(k)
			b.WriteString(deeper + jsonText(k) + ": ")
			writeJSON(b, e, indent, deeper)
		}
		b.WriteString(newline + "}")
	case v.IsList():
		b.WriteString("[]")
	case v.IsDict():
		b.WriteString("{}")
	case v.IsString():
		b.WriteString(jsonText(v.AsString()))
	case v.IsBool():
		fmt.Fprint(b, v.AsBool())
	case v.IsInt():
		fmt.Fprint(b, v.AsInt())
	case v.IsFloat():
		fmt.Fprint(b, v.AsFloat())
	default:
		b.WriteString("null")
	}
}

func jsonText(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // a string always has a form in JSON
	return strings.TrimSuffix(b.String(), "\n")
}

// text renders msgs with the template itself.
func (p *program) text(msgs []Message, generation bool, bos, eos string, tools jinja.Value) (out string, err error) {
	list := make([]jinja.Value, len(msgs))
	for i, m := range msgs {
		v := jinja.NewDict()
		v.AsDict().Set("role", jinja.NewString(m.Role))
		v.AsDict().Set("content", jinja.NewString(m.Content))
		list[i] = v
	}
	data := map[string]jinja.Value{
		"messages":              jinja.NewList(list),
		"add_generation_prompt": jinja.NewBool(generation),
		"bos_token":             jinja.NewString(bos),
		"eos_token":             jinja.NewString(eos),
		"strftime_now":          jinja.Undefined(),
		"range":                 boundedRange,
		"tojson_indented":       indentedJSON,
	}
	if !tools.IsUndefined() {
		data["tools"] = tools
	}
	defer func() {
		if r := recover(); r != nil {
			out, err = "", fmt.Errorf("the template cannot be run: %v", r)
		}
	}()
	return p.code.RenderValues(data)
}

// jsonValue reads one JSON value, the order of keys kept.
func jsonValue(d *json.Decoder, depth int) (jinja.Value, error) {
	none := jinja.Undefined()
	if depth > maxNesting {
		return none, fmt.Errorf("more than %d brackets are open at once", maxNesting)
	}
	t, err := d.Token()
	if err != nil {
		return none, err
	}
	switch t {
	case json.Delim('{'):
		v := jinja.NewDict()
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return none, err
			}
			e, err := jsonValue(d, depth+1)
			if err != nil {
				return none, err
			}
			v.AsDict().Set(k.(string), e)
		}
		_, err = d.Token()
		return v, err
	case json.Delim('['):
		var items []jinja.Value
		for d.More() {
			e, err := jsonValue(d, depth+1)
			if err != nil {
				return none, err
			}
			items = append(items, e)
		}
		_, err = d.Token()
		return jinja.NewList(items), err
	}
	return jinja.FromGoValue(t), nil
}

// TextWithTools returns the text that the model's own template writes for a conversation and a JSON list of tools (the
// form of OpenAI's "tools"), with the texts of BOS and EOS given. It has no spans: it is for looking at a prompt and not
// for training. Tools that are not a list, a built-in template, and a template that escapes its texts for HTML (as
// functionary-medium-v3.1 does) are errors.
func (tp *Template) TextWithTools(msgs []Message, tools []byte, generation bool, bos, eos string) (string, error) {
	const op = "token.TextWithTools"
	if tp.program == nil {
		return "", fmt.Errorf("%s: template %s: it is a built-in, which knows no tools; wanted a model's own", op, tp.Name)
	}
	if escaping.MatchString(tp.Jinja) {
		return "", fmt.Errorf("%s: template %s: it marks texts as safe, so that the others are to be escaped for HTML, which is not implemented; wanted a template without", op, tp.Name)
	}
	d := json.NewDecoder(bytes.NewReader(tools))
	d.UseNumber()
	v, err := jsonValue(d, 0)
	if err == nil {
		if _, end := d.Token(); end != io.EOF || !v.IsList() {
			err = fmt.Errorf("wanted one list")
		}
	}
	if err != nil {
		return "", fmt.Errorf("%s: template %s: the tools: %w", op, tp.Name, err)
	}
	out, err := tp.program.text(msgs, generation, bos, eos, v)
	if err != nil {
		return "", fmt.Errorf("%s: template %s: %w", op, tp.Name, err)
	}
	return out, nil
}

var escaping = regexp.MustCompile(`\|\s*safe\b`)

// noTools is the value of tools in a conversation without any.
var noTools = jinja.Undefined()
