package data

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// ReadParquet returns the rows of an Apache Parquet file, as a set named as the file without its extension.
//
//	s, err := ReadParquet("train-00000-of-00001.parquet", Fields{Input: "question", Output: "answer"})
//
// Rows are as objects of ReadJSONL: a list column is a list, a struct column is an object, so that a path such as
// "answers.text.0" finds a text in them; bytes that are not marked as text are null
// unless they are UTF-8. Errors are those of ReadJSONL, with
// the row's number, from 1, in place of a line.
func ReadParquet(path string, f Fields) (*Set, error) {
	return readSet("data.Parquet", path, Parquet, f)
}

// parquetRows are read at once.
const parquetRows = 64

// parquet reads the rows of a Parquet file.
func (c *rowReader) parquet() (err error) {
	if compression(c.path) != "" {
		return fmt.Errorf("%s: %s: is a compressed Parquet file; wanted the file as it is, which holds compressed columns", c.op, c.path)
	}
	f, err := os.Open(c.path)
	if err != nil {
		return fmt.Errorf("%s: %w", c.op, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("%s: %s: %w", c.op, c.path, err)
	}
	if info.IsDir() {
		return fmt.Errorf("%s: %s: is a folder; wanted a file", c.op, c.path)
	}
	row, seen, good := 0, c.seen, c.good
	defer func() {
		if p := recover(); p != nil {
			// The library panics on some broken files.
			c.stop(row+1, nil, "the file is broken: %v", p)
			err = nil
		}
	}()
	file, err := parquet.OpenFile(f, info.Size(), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("%s: %s: no Parquet file, or one that was cut off: %w", c.op, c.path, err)
	}
	r := parquet.NewGenericReader[map[string]any](file, file.Schema())
	defer r.Close()
	texts := columnTexts(file.Schema())
	buf := make([]map[string]any, parquetRows)
	var object []byte
	for !c.halt {
		for i := range buf {
			buf[i] = map[string]any{}
		}
		n, err := r.Read(buf)
		for i := 0; i < n && !c.halt; i++ {
			row++
			object = appendObject(object[:0], buf[i], texts)
			c.jsonRow(row, object)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			c.stop(row+1, nil, "%s", readFault(err))
			break
		}
	}
	if want := file.NumRows(); !c.halt && c.end == nil && int64(row) != want {
		c.stop(row, nil, "the file ends after %d rows; wanted the %d that it says", row, want)
	}
	if !c.halt {
		h := sha256.New()
		var sum fileSum
		if _, err := io.Copy(h, io.NewSectionReader(f, 0, info.Size())); err == nil {
			sum.take(f, h)
			c.wasRead(sum, seen, good)
		}
	}
	return nil
}

// columns are the names of a group's fields in order, with those of groups below.
type columns struct {
	names []string
	below map[string]*columns
	bytes map[string]bool // columns of bytes that are not marked as text
}

func columnTexts(n parquet.Node) *columns {
	c := &columns{below: map[string]*columns{}, bytes: map[string]bool{}}
	for _, f := range n.Fields() {
		c.names = append(c.names, f.Name())
		var inner parquet.Node = f
		// A list is a group with one repeated group with one element.
		for !inner.Leaf() && len(inner.Fields()) == 1 && inner.Fields()[0].Repeated() {
			inner = inner.Fields()[0]
			if !inner.Leaf() && len(inner.Fields()) == 1 {
				inner = inner.Fields()[0]
			}
		}
		if !inner.Leaf() {
			c.below[f.Name()] = columnTexts(inner)
		} else if k := inner.Type().Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray {
			c.bytes[f.Name()] = inner.Type().LogicalType() == nil
		}
	}
	return c
}

// appendObject writes a row as JSON, its fields in the order of the file. Bytes that are no UTF-8 stay as they are, for the
// reader of rows to find.
func appendObject(b []byte, row map[string]any, order *columns) []byte {
	b = append(b, '{')
	names := order.names
	if len(names) != len(row) {
		names = nil
		for name := range row {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':')
		below := order.below[name]
		if below == nil {
			below = &columns{}
		}
		if s, ok := row[name].(string); ok && order.bytes[name] && !utf8.ValidString(s) {
			b = append(b, "null"...)
			continue
		}
		b = appendValue(b, row[name], below)
	}
	return append(b, '}')
}

func appendValue(b []byte, v any, order *columns) []byte {
	switch v := v.(type) {
	case string:
		return appendText(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int32:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case uint32:
		return strconv.AppendUint(b, uint64(v), 10)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case float32:
		return appendFloat(b, float64(v), 32)
	case float64:
		return appendFloat(b, v, 64)
	case map[string]any:
		return appendObject(b, v, order)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e, order)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

func appendFloat(b []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, f, 'f', -1, bits)
}

// appendText writes a JSON string. json.Marshal would replace bytes that are no UTF-8 without a word.
func appendText(b []byte, s string) []byte {
	if badUTF8([]byte(s)) < 0 {
		text, _ := json.Marshal(s) // a string always has a form in JSON
		return append(b, text...)
	}
	return append(append(append(b, '"'), s...), '"')
}
