package data

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ReadCSV returns the rows of a file with a header and comma-separated fields, or tab-separated ones where the name ends
// in .tsv or .tab, as a set named as the file without its extensions.
//
//	s, err := ReadCSV("banking77/train.csv", Fields{Input: "text", Output: "category"})
//
// Comma-separated fields may be quoted as in RFC 4180; a line end inside quotes becomes "\n". Tab-separated fields are
// not quoted: a quote is text. A row must have as many fields as the header; blank lines are no rows. Otherwise rows,
// errors and compression are as for ReadJSONL; Numbers has no meaning here, since every field is a text.
func ReadCSV(path string, f Fields) (*Set, error) {
	const op = "data.CSV"
	format := CSV
	if ext := extension(path); ext == ".tsv" || ext == ".tab" {
		format = TSV
	}
	return readSet(op, path, format, f)
}

// headerObject returns the columns as the names of an object of empty texts.
func headerObject(columns []string) []byte {
	var b strings.Builder
	b.WriteString("{")
	for i, name := range columns {
		if i > 0 {
			b.WriteString(",")
		}
		key, _ := json.Marshal(name) // a string always has a form in JSON
		b.Write(key)
		b.WriteString(`:""`)
	}
	b.WriteString("}")
	return []byte(b.String())
}

// csvReader makes examples of records.
type csvReader struct {
	*rowReader
	columns                int // in the header; 0 before it
	input, context, output int // columns; context is -1 when there is none
	systemAt               int // likewise
}

// commas reads comma-separated records.
func (c *csvReader) commas(r *bufio.Reader) error {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord = -1
	lines.ReuseRecord = true
	line := 1
	for {
		if c.halt {
			return nil
		}
		record, err := lines.Read()
		var fault *csv.ParseError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &fault):
			if c.columns == 0 {
				return fmt.Errorf("%s: %w", c.op, c.rowError(fault.StartLine, -1, nil, "the header: %s", csvFault(fault)))
			}
			text := []byte(strings.Join(record, ","))
			if errors.Is(fault.Err, csv.ErrQuote) && fault.Line > fault.StartLine {
				// How many rows the open quote swallowed cannot be known, so that they cannot be skipped with a number.
				c.stop(fault.StartLine, text, "a quote that begins here is not closed as it should be by line %d; wanted a quote before a comma or a line's end, and quotes inside doubled", fault.Line)
				return nil
			}
			c.reject(fault.StartLine, text, "%s", csvFault(fault))
		case err != nil:
			c.stop(line, nil, "%s, somewhere after this line", readFault(err))
			return nil
		default:
			line, _ = lines.FieldPos(0)
			if err := c.record(line, record); err != nil {
				return err
			}
		}
	}
}

// csvFault says what is wrong with the quotes of a record.
func csvFault(e *csv.ParseError) string {
	switch {
	case errors.Is(e.Err, csv.ErrBareQuote):
		return fmt.Sprintf("line %d, column %d: a quote inside a field that does not begin with one; wanted the field in quotes and the quote doubled", e.Line, e.Column)
	case errors.Is(e.Err, csv.ErrQuote):
		return fmt.Sprintf("line %d, column %d: a quoted field does not end where it should; wanted a quote before the comma, and quotes inside doubled", e.Line, e.Column)
	}
	return e.Err.Error()
}

// tabs reads tab-separated records.
func (c *csvReader) tabs(r *bufio.Reader) error {
	l := &lineReader{r: r}
	for {
		if c.halt {
			return nil
		}
		line, _, err := l.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			c.stop(l.n, nil, "%s", readFault(err))
			return nil
		}
		text := strings.TrimSuffix(string(line), "\r")
		if text == "" {
			continue
		}
		record := strings.Split(text, "\t")
		for _, field := range record {
			if len(field) > 1 && field[0] == '"' && field[len(field)-1] == '"' {
				c.quoted++
			}
		}
		if err := c.record(l.n, record); err != nil {
			return err
		}
	}
}

// record takes the header, or makes an example of a record.
func (c *csvReader) record(line int, record []string) error {
	if c.columns == 0 {
		return c.header(line, record)
	}
	all := []byte(strings.Join(record, ","))
	if len(record) != c.columns {
		c.reject(line, all, "the row has %d fields; wanted %d as in the header", len(record), c.columns)
		return nil
	}
	if at := badUTF8(all); at >= 0 {
		c.reject(line, around(all, at), "byte 0x%02x is no UTF-8; wanted UTF-8 text", all[at])
		return nil
	}
	if c.document {
		if record[c.output] == "" {
			c.reject(line, all, "field %q is empty; wanted text", c.fields.Output)
			return nil
		}
		c.add(Example{Answer: strings.Clone(record[c.output])})
		return nil
	}
	context := ""
	if c.context >= 0 {
		context = strings.Clone(record[c.context])
	}
	c.system = ""
	if c.systemAt >= 0 {
		c.system = strings.Clone(record[c.systemAt])
	}
	c.accept(line, strings.Clone(record[c.input]), context, []string{strings.Clone(record[c.output])})
	return nil
}

// header finds the columns by their names.
func (c *csvReader) header(line int, record []string) error {
	c.columns = len(record)
	c.names = fmt.Sprintf("%q", record)
	find := func(name string) (int, error) {
		at := -1
		for i, column := range record {
			if column == name && at >= 0 {
				return 0, fmt.Errorf("%s: %s:%d: column %q is there twice; wanted it once", c.op, c.path, line, name)
			}
			if column == name {
				at = i
			}
		}
		if at < 0 {
			return 0, fmt.Errorf("%s: %s:%d: no column %q; the header has %s", c.op, c.path, line, name, c.names)
		}
		return at, nil
	}
	if c.sniff != nil {
		c.sniff(headerObject(record))
		c.halt = true
		return nil
	}
	var err error
	c.systemAt, c.context = -1, -1
	if !c.document {
		if c.input, err = find(c.fields.Input); err != nil {
			return err
		}
	}
	if c.output, err = find(c.fields.Output); err != nil || c.document {
		return err
	}
	if c.fields.System != "" {
		if c.systemAt, err = find(c.fields.System); err != nil {
			return err
		}
	}
	if c.fields.Context != "" {
		c.context, err = find(c.fields.Context)
	}
	return err
}
