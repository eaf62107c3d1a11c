package data

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ReadJSONL returns the rows of a file with one JSON object a line, as a set named as the file without its extensions.
//
//	s, err := ReadJSONL("gsm8k/train.jsonl", Fields{Input: "question", Output: "answer"})
//
// A byte order mark, CRLF and blank lines are no part of a row, U+2028 inside a text is no end of a line, and a line may
// be of any length; the memory used is that of the rows and of the longest line. A path that ends in .gz is
// decompressed. Example.Row counts every row of the file, those that cannot be used too.
//
// A row that is no object, lacks a field, has it twice or with the wrong type, has an empty prompt or answer, or is not
// UTF-8 makes the error *ReadErrors of *RowError, unless f.OnError is Skip. A file without rows is an error, and so is
// a context field that no row has.
func ReadJSONL(path string, f Fields) (*Set, error) {
	return readSet("data.JSONL", path, JSONL, f)
}

// jsonLines reads one object a line.
func (c *rowReader) jsonLines(r *bufio.Reader) error {
	l := &lineReader{r: r}
	for {
		if c.halt {
			return nil
		}
		line, whole, err := l.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			c.stop(l.n, nil, "%s", readFault(err))
			return nil
		}
		row := trimJSON(line)
		switch {
		case len(row) == 0:
		case row[0] == '[' && c.seen == 0:
			return fmt.Errorf("%s: %s: line %d begins with a list; wanted an object a line (data.JSON reads a file that is one list)", c.op, c.path, l.n)
		default:
			if !whole && !json.Valid(row) {
				c.reject(l.n, row, "the file ends within this row; wanted a whole object (a download that was cut off?)")
				continue
			}
			c.jsonRow(l.n, row)
		}
	}
}

// lineReader reads lines of any length that end in "\n".
type lineReader struct {
	r   *bufio.Reader
	n   int // lines read
	buf []byte
}

// next returns the next line, valid until the next call, and whether it ended in "\n"; io.EOF when there is none.
func (l *lineReader) next() (line []byte, whole bool, err error) {
	l.buf = l.buf[:0]
	l.n++
	for {
		part, err := l.r.ReadSlice('\n')
		if err == nil && len(l.buf) == 0 {
			return part[:len(part)-1], true, nil
		}
		l.buf = append(l.buf, part...)
		switch {
		case err == nil:
			return l.buf[:len(l.buf)-1], true, nil
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(l.buf) > 0:
			return l.buf, false, nil
		default:
			return nil, false, err
		}
	}
}

// trimJSON cuts off the space of JSON, and no other.
func trimJSON(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }

// jsonRow makes an example of one object, which begins on the line given.
func (c *rowReader) jsonRow(line int, row []byte) {
	if what, at := jsonFault(row); what != "" {
		c.reject(line+bytes.Count(row[:at], []byte("\n")), around(row, at), "%s", what)
		return
	}
	if row[0] != '{' {
		c.reject(line, row, "the row is %s; wanted an object", jsonKind(row))
		return
	}
	if c.sniff != nil {
		c.sniff(row)
		c.halt = true
		return
	}
	if c.names == "" {
		c.names = jsonNames(row)
	}
	f := &c.fields
	if c.document {
		c.jsonDocument(line, row)
		return
	}
	system, at, what := c.jsonOptional(row, f.System)
	if what != "" {
		c.reject(line, at, "%s", what)
		return
	}
	c.system = system
	if f.Messages != "" {
		c.jsonMessages(line, row)
		return
	}
	input, at, what := c.jsonText(row, f.Input)
	if what != "" {
		c.reject(line, at, "%s", what)
		return
	}
	var context string
	if f.Context != "" {
		value, n := jsonField(row, f.Context)
		if c.looked++; n > 0 {
			c.contexts++
		}
		if n > 1 || n == 1 && value[0] != 'n' {
			if context, at, what = c.jsonText(row, f.Context); what != "" {
				c.reject(line, at, "%s", what)
				return
			}
		}
	}
	if f.Choices != "" {
		c.jsonChoices(line, row, input, context)
		return
	}
	outputs, at, what := c.jsonTexts(row, f.Output)
	if what != "" {
		c.reject(line, at, "%s", what)
		return
	}
	c.accept(line, input, context, outputs)
}

// jsonOptional returns the text of a field that a row may lack or have as null; name is empty for none.
func (c *rowReader) jsonOptional(row []byte, name string) (text string, at []byte, what string) {
	if name == "" {
		return "", nil, ""
	}
	value, n := jsonField(row, name)
	if n == 0 || n == 1 && value[0] == 'n' {
		return "", nil, ""
	}
	return c.jsonText(row, name)
}

// jsonText returns the text of a field, or the offending part of the row and what is wrong with it.
func (c *rowReader) jsonText(row []byte, name string) (text string, at []byte, what string) {
	value, n := jsonField(row, name)
	if n != 1 {
		return "", row, jsonMissing(row, name, n)
	}
	text, what = jsonString(value, c.fields.Numbers)
	if what != "" {
		return "", value, fmt.Sprintf("field %q %s", name, what)
	}
	return text, nil, ""
}

// jsonTexts returns the texts of a field that is a text or a list of texts.
func (c *rowReader) jsonTexts(row []byte, name string) (texts []string, at []byte, what string) {
	value, n := jsonField(row, name)
	if n != 1 {
		return nil, row, jsonMissing(row, name, n)
	}
	if value[0] != '[' {
		text, what := jsonString(value, c.fields.Numbers)
		if what != "" {
			return nil, value, fmt.Sprintf("field %q %s", name, what+" or a list of texts")
		}
		return []string{text}, nil, ""
	}
	jsonElements(value, func(e []byte) {
		text, bad := jsonString(e, c.fields.Numbers)
		if bad != "" && what == "" {
			at, what = e, fmt.Sprintf("element %d of field %q %s", len(texts), name, bad)
		}
		texts = append(texts, text)
	})
	if len(texts) == 0 {
		return nil, row, fmt.Sprintf("field %q is an empty list; wanted at least one answer", name)
	}
	return texts, at, what
}

func jsonMissing(row []byte, name string, n int) string {
	if n == 0 {
		return fmt.Sprintf("no field %q; the row has %s", name, jsonNames(row))
	}
	return fmt.Sprintf("field %q is there %d times; wanted it once", name, n)
}

// jsonString returns the text of a value, or what is wrong with it.
func jsonString(value []byte, numbers bool) (text, what string) {
	if value[0] != '"' {
		if numbers && strings.IndexByte("{[n", value[0]) < 0 {
			return string(value), ""
		}
		return "", fmt.Sprintf("is %s; wanted a text", jsonKind(value))
	}
	if half := halfSurrogate(value); half != "" {
		return "", fmt.Sprintf("holds %s, half a character; wanted Unicode text", half)
	}
	if err := json.Unmarshal(value, &text); err != nil {
		return "", "is no text: " + err.Error()
	}
	return text, ""
}

// halfSurrogate returns the first \u escape of a JSON string that is one half of a surrogate pair without the other,
// which decoding would replace by U+FFFD in silence.
func halfSurrogate(s []byte) string {
	for i := bytes.IndexByte(s, '\\'); i >= 0 && i+1 < len(s); {
		n := 2
		if u, ok := unicodeEscape(s[i:]); ok {
			n = 6
			if u >= 0xD800 && u < 0xE000 {
				low, ok := unicodeEscape(s[i+6:])
				if u >= 0xDC00 || !ok || low < 0xDC00 || low >= 0xE000 {
					return string(s[i : i+6])
				}
				n = 12
			}
		}
		next := bytes.IndexByte(s[i+n:], '\\')
		if next < 0 {
			break
		}
		i += n + next
	}
	return ""
}

func unicodeEscape(s []byte) (uint64, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	u, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return u, err == nil
}

// jsonFault says what makes row no JSON value in UTF-8, and at which byte; "" when it is one.
func jsonFault(row []byte) (what string, at int) {
	if at := badUTF8(row); at >= 0 {
		return fmt.Sprintf("byte 0x%02x is no UTF-8; wanted UTF-8 text", row[at]), at
	}
	if json.Valid(row) {
		return "", 0
	}
	var raw json.RawMessage
	err := json.Unmarshal(row, &raw)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = min(max(int(syntax.Offset)-1, 0), len(row))
	}
	return fmt.Sprintf("no JSON: %v", err), at
}

func jsonKind(value []byte) string {
	switch value[0] {
	case '"':
		return "a text"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 'n':
		return "null"
	case 't':
		return "true"
	case 'f':
		return "false"
	}
	return "a number"
}

// jsonField returns the value of the field in a valid object, and how often it is there: by its name as it is, or
// else by a path of names and positions with dots between.
func jsonField(row []byte, name string) (value []byte, n int) {
	value, n = jsonMember(row, name)
	if n > 0 || !strings.Contains(name, ".") {
		return value, n
	}
	value = row
	for _, part := range strings.Split(name, ".") {
		switch value[0] {
		case '{':
			if value, n = jsonMember(value, part); n != 1 {
				return nil, n
			}
		case '[':
			list, i := value, -1
			value = nil
			jsonElements(list, func(e []byte) {
				if i++; strconv.Itoa(i) == part {
					value = e
				}
			})
			if value == nil {
				return nil, 0
			}
		default:
			return nil, 0
		}
	}
	return value, 1
}

// jsonMember returns the last value of that name in a valid object, and how many there are.
func jsonMember(object []byte, name string) (value []byte, n int) {
	jsonMembers(object, func(key, v []byte) {
		if jsonKeyIs(key, name) {
			value = v
			n++
		}
	})
	return value, n
}

// jsonKeyIs compares a key with its quotes and escapes.
func jsonKeyIs(key []byte, name string) bool {
	if bytes.IndexByte(key, '\\') < 0 {
		return string(key[1:len(key)-1]) == name
	}
	var s string
	return json.Unmarshal(key, &s) == nil && s == name
}

// jsonNames lists an object's fields for an error.
func jsonNames(object []byte) string {
	const most = 12
	var names []string
	n := 0
	jsonMembers(object, func(key, _ []byte) {
		if n++; n <= most {
			names = append(names, shorten(key))
		}
	})
	switch {
	case n == 0:
		return "none"
	case n > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), n-most)
	}
	return strings.Join(names, ", ")
}

// jsonMembers calls visit with every key, quotes and escapes included, and value of a valid object.
func jsonMembers(object []byte, visit func(key, value []byte)) {
	var key []byte
	jsonElements(object, func(e []byte) {
		if key == nil {
			key = e
			return
		}
		visit(key, e)
		key = nil
	})
}

// jsonElements calls visit with every element of a valid list, or with every key and value of a valid object, in turn.
func jsonElements(list []byte, visit func(e []byte)) {
	for i := 1; i < len(list)-1; {
		switch list[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
		default:
			n := jsonLen(list[i:])
			visit(list[i : i+n])
			i += n
		}
	}
}

// jsonLen returns the length of the value that b begins with; b is the rest of valid JSON.
func jsonLen(b []byte) int {
	depth := 0
	for i := 0; i < len(b); {
		switch b[i] {
		case '"':
			i += jsonStringLen(b[i:])
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return len(b)
}

// jsonStringLen returns the length of the string that b begins with, its quotes included.
func jsonStringLen(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(b)
}
