package notebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Jupyter is a notebook as Jupyter stores it (nbformat 4). Whatever this package does not know is kept as it is, in its
// order.
type Jupyter struct {
	Cells []JupyterCell
	rest  object // all members; the value of cells stands in Cells
}

// JupyterCell is one of its cells.
type JupyterCell struct {
	Type   string // code, markdown or raw
	Source string
	rest   object // all members; the values of cell_type and source stand above
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

func (o object) get(key string) json.RawMessage {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// with returns o with a member set; a new one goes to its place in the alphabet, as Jupyter writes them.
func (o object) with(key string, v any) object {
	raw := encode(v)
	out := append(object(nil), o...)
	for i := range out {
		if out[i].key == key {
			out[i].value = raw
			return out
		}
	}
	at := len(out)
	for i := range out {
		if out[i].key > key {
			at = i
			break
		}
	}
	return append(out[:at], append(object{{key, raw}}, out[at:]...)...)
}

func (o object) without(key string) object {
	var out object
	for _, m := range o {
		if m.key != key {
			out = append(out, m)
		}
	}
	return out
}

// blank returns o with the values of members taken out; they stand elsewhere.
func (o object) blank(keys ...string) object {
	out := append(object(nil), o...)
	for i := range out {
		if slices.Contains(keys, out[i].key) {
			out[i].value = nil
		}
	}
	return out
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(encode(m.key))
		b.WriteByte(':')
		if m.value == nil {
			b.WriteString("null")
		} else {
			b.Write(m.value)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads the members in their order. Of two with one name the last counts.
func (o *object) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return fmt.Errorf("%.20s is no object", b)
	}
	*o = object{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		*o = append(o.without(k.(string)), member{k.(string), tidy(raw)})
	}
	return nil
}

// encode writes a value as JSON in one line, with < > & as they are.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings, numbers and raw messages that were read
	}
	return tidy(b.Bytes())
}

// tidy is JSON without spaces between its tokens, and with one way to write a character that some writers escape.
func tidy(raw []byte) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return append(json.RawMessage(nil), raw...)
	}
	s := b.String()
	if !strings.Contains(s, `\u`) {
		return b.Bytes()
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			continue
		}
		if c, ok := spare[strings.ToLower(s[i:min(i+6, len(s))])]; ok {
			out.WriteString(c)
			i += 5
			continue
		}
		out.WriteByte(s[i])
		if i++; i < len(s) {
			out.WriteByte(s[i])
		}
	}
	return json.RawMessage(out.String())
}

// spare are escapes that nothing demands.
var spare = map[string]string{`\u003c`: "<", `\u003e`: ">", `\u0026`: "&", `\u2028`: "\u2028", `\u2029`: "\u2029"}

// ParseJupyter reads a notebook of nbformat 4.
func ParseJupyter(name string, b []byte) (*Jupyter, error) {
	bad := func(format string, a ...any) error { return fmt.Errorf("%s: %s", name, fmt.Sprintf(format, a...)) }
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if !json.Valid(b) {
		var v any
		return nil, bad("not a Jupyter notebook: %v", json.Unmarshal(b, &v))
	}
	var n Jupyter
	if err := json.Unmarshal(b, &n.rest); err != nil {
		return nil, bad("not a Jupyter notebook: %v", err)
	}
	var format int
	json.Unmarshal(n.rest.get("nbformat"), &format)
	if format != 4 {
		return nil, bad("it is of nbformat %d; only 4 can be read (jupyter nbconvert --to notebook writes it anew)", format)
	}
	var cells []object
	if err := json.Unmarshal(n.rest.get("cells"), &cells); err != nil || n.rest.get("cells") == nil {
		return nil, bad("it has no list of cells")
	}
	for i, o := range cells {
		c := JupyterCell{rest: o}
		if json.Unmarshal(o.get("cell_type"), &c.Type) != nil || c.Type != "code" && c.Type != "markdown" && c.Type != "raw" {
			return nil, bad("cell %d is of the unknown type %s", i+1, o.get("cell_type"))
		}
		src, err := lines(o.get("source"))
		if err != nil {
			return nil, bad("cell %d: %v", i+1, err)
		}
		c.Source = src
		c.rest = c.rest.blank("source", "cell_type")
		n.Cells = append(n.Cells, c)
	}
	n.rest = n.rest.blank("cells")
	return &n, nil
}

// lines reads a text that may be stored as one string or as a list of lines.
func lines(raw json.RawMessage) (string, error) {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		var list []string
		if json.Unmarshal(raw, &list) != nil {
			return "", fmt.Errorf("its source is neither a text nor a list of lines")
		}
		s = strings.Join(list, "")
	}
	if strings.ContainsRune(s, '\uFFFD') && bytes.Contains(bytes.ToLower(raw), []byte(`\ud`)) {
		return "", fmt.Errorf("its source holds half of a character (a surrogate without its partner)")
	}
	return s, nil
}

// split is how Jupyter stores a text: a list of lines, each with its end.
func split(s string) []string {
	out := strings.SplitAfter(s, "\n")
	if out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	if len(out) == 0 {
		return []string{}
	}
	return out
}

// object returns the cell as it is written.
func (c *JupyterCell) object() object {
	return c.rest.with("cell_type", c.Type).with("source", split(c.Source))
}

// Format writes the notebook as Jupyter does: one space of indentation, a newline at the end.
func (n *Jupyter) Format() []byte {
	cells := make([]object, len(n.Cells))
	for i := range n.Cells {
		cells[i] = n.Cells[i].object()
	}
	var b bytes.Buffer
	if err := json.Indent(&b, encode(n.rest.with("cells", cells)), "", " "); err != nil {
		panic(err)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func (n *Jupyter) clone() *Jupyter {
	out := &Jupyter{rest: append(object(nil), n.rest...), Cells: append([]JupyterCell(nil), n.Cells...)}
	return out
}

// own is what this program keeps in the metadata of a cell.
type own struct {
	Title string `json:"title,omitempty"`
	// Part is top or end for code outside main: before it, or after it.
	Part string `json:"part,omitempty"`
}

func (c *JupyterCell) own() (o own) {
	var meta struct{ Tunebook own }
	json.Unmarshal(c.rest.get("metadata"), &meta)
	return meta.Tunebook
}

// ownTop is what this program keeps in the metadata of a notebook.
type ownTop struct {
	// Program says that the cells are the body of func main; Head is what stands before the imports.
	Program bool   `json:"program,omitempty"`
	Head    string `json:"head,omitempty"`
	// Source is the exact text of the Go or Markdown file that the cells were made from, where they alone would give
	// another one; it holds while Sum is that of the cells.
	Go, Markdown string `json:",omitempty"`
	Sum          string `json:"sum,omitempty"`
}

func (n *Jupyter) own() (o ownTop) {
	var meta struct{ Tunebook ownTop }
	json.Unmarshal(n.rest.get("metadata"), &meta)
	return meta.Tunebook
}

// setOwn sets a member of the metadata of an object.
func setOwn(rest object, v any) object {
	var meta object
	if json.Unmarshal(rest.get("metadata"), &meta) != nil {
		meta = object{}
	}
	if raw := encode(v); string(raw) == "{}" {
		meta = meta.without("tunebook")
	} else {
		meta = meta.with("tunebook", v)
	}
	if meta == nil {
		meta = object{}
	}
	return rest.with("metadata", meta)
}

// newCell returns a cell with nothing of its own; at is its place, from 0.
func newCell(at int, typ, source string, o own) JupyterCell {
	c := JupyterCell{Type: typ, Source: source}
	c.rest = object{{"cell_type", nil}, {"id", encode(fmt.Sprintf("cell-%d", at+1))}, {"metadata", json.RawMessage("{}")}, {"source", nil}}
	if typ == "code" {
		c.rest = c.rest.with("execution_count", nil).with("outputs", []any{})
	}
	c.rest = setOwn(c.rest, o)
	return c
}

// newJupyter returns a notebook without cells.
func newJupyter() *Jupyter {
	return &Jupyter{rest: object{
		{"cells", nil},
		{"metadata", json.RawMessage(`{"kernelspec":{"display_name":"Go (tunebook)","language":"go","name":"tunebook"},"language_info":{"file_extension":".go","mimetype":"text/x-go","name":"go"}}`)},
		{"nbformat", json.RawMessage("4")}, {"nbformat_minor", json.RawMessage("5")},
	}}
}
