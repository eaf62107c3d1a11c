package data

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
)

type parquetMessage struct {
	Role    string  `parquet:"role"`
	Content *string `parquet:"content,optional"`
}

type parquetRow struct {
	Question string           `parquet:"question,dict"`
	Answer   string           `parquet:"answer"`
	Refs     []string         `parquet:"refs,list"`
	Number   int64            `parquet:"number"`
	Float    float64          `parquet:"float"`
	Messages []parquetMessage `parquet:"talk,list"`
	Maybe    *string          `parquet:"maybe,optional"`
	Bytes    []byte           `parquet:"bytes"`
}

func parquetFile(t testing.TB, rows []parquetRow) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "train-00000-of-00001.parquet")
	if err := parquet.WriteFile(path, rows, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(100)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParquet(t *testing.T) {
	hi, there := "hi", "there"
	rows := []parquetRow{
		{"Q", "A", []string{"a", "b"}, 3, 1.5, []parquetMessage{{"user", &hi}, {"assistant", &there}}, nil, []byte{0xff}},
		{"R", "B", []string{"c"}, -4, 1e300, []parquetMessage{{"user", &there}, {"assistant", &hi}}, &hi, nil},
	}
	path := parquetFile(t, rows)
	for _, c := range []struct {
		f    Fields
		want string
	}{
		{Fields{Input: "question", Context: "maybe", Output: "refs"}, `train-00000-of-00001/0 "Q" -> ["a" "b"]` + "\n" + `train-00000-of-00001/1 "R\n\nhi" -> ["c"]` + "\n"},
		{Fields{Input: "refs.0", Output: "number", Numbers: true}, `train-00000-of-00001/0 "a" -> ["3"]` + "\n" + `train-00000-of-00001/1 "c" -> ["-4"]` + "\n"},
		{Fields{Messages: "talk"}, `train-00000-of-00001/0 "hi" -> ["there"]` + "\n" + `train-00000-of-00001/1 "there" -> ["hi"]` + "\n"},
	} {
		s, err := ReadParquet(path, c.f)
		if err != nil || texts(s) != c.want {
			t.Errorf("%+v: %v\n%v", c.f, err, s)
		}
	}
	s, err := Read(path, OpenOptions{})
	if err != nil || s.Len() != 2 || s.Notes[0] != `read as parquet, question and answer (input "question", output "answer")` {
		t.Errorf("%v %+v", err, s)
	}
	_, err = ReadParquet(path, Fields{Input: "question", Output: "maybe"})
	wantError(t, "null", err, path+`:1: field "maybe" is null`, "1 of 2 rows")
	_, err = ReadParquet(path, Fields{Input: "bytes", Output: "answer"})
	wantError(t, "bytes", err, `field "bytes"`)
	_, err = ReadParquet(path, Fields{Input: "nope", Output: "answer"})
	wantError(t, "name", err, `no field "nope"; the row has "question", "answer", "refs", "number", "float", "talk", "maybe", "bytes"`)
	rows[1].Question = "\xff"
	_, err = ReadParquet(parquetFile(t, rows), Fields{Input: "question", Output: "answer"})
	wantError(t, "UTF-8", err, ":2: byte 0xff is no UTF-8")
}

func TestParquetThatIsBroken(t *testing.T) {
	rows := make([]parquetRow, 1000)
	for i := range rows {
		rows[i] = parquetRow{Question: "Q", Answer: "A"}
	}
	path := parquetFile(t, rows)
	s, err := ReadParquet(path, Fields{Input: "question", Output: "answer"})
	if err != nil || s.Len() != 1000 || s.Rows[999].Row != 999 {
		t.Fatalf("%v", err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = ReadParquet(tempFile(t, "t.parquet", string(whole[:len(whole)/2])), Fields{Input: "question", Output: "answer"})
	wantError(t, "half", err, "no Parquet file, or one that was cut off")
	_, err = ReadParquet(tempFile(t, "t.parquet.gz", string(whole)), Fields{Input: "question", Output: "answer"})
	wantError(t, "gz", err, "compressed Parquet file")
	// A changed byte is an error, or changes nothing that is read; it is never a panic or fewer rows.
	for at := 4; at < len(whole)-8; at += len(whole) / 40 {
		b := []byte(string(whole))
		b[at] ^= 0x55
		s, err := ReadParquet(tempFile(t, "t.parquet", string(b)), Fields{Input: "question", Output: "answer"})
		if err == nil && s.Len() != 1000 {
			t.Errorf("byte %d changed: %d rows and no error", at, s.Len())
		}
	}
}
