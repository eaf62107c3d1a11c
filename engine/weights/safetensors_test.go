package weights

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

func sample() []Tensor {
	return []Tensor{
		{Name: "b.weight", Shape: []int{2, 3}, Data: []float32{1, -2, 0.5, 65504, -0.25, 3}},
		{Name: "a", Shape: []int{}, Data: []float32{7}},
		{Name: "empty", Shape: []int{0, 4}, Data: []float32{}},
		{Name: `quo"te é`, Shape: []int{1}, Data: []float32{float32(math.Inf(1))}},
	}
}

func write(t testing.TB, tensors []Tensor, meta map[string]string, d DType) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSafetensors(&b, tensors, meta, d.String()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(b []byte) (*Safetensors, error) {
	return ReadSafetensors(bytes.NewReader(b), int64(len(b)), "test")
}

func TestSafetensorsRoundTrip(t *testing.T) {
	meta := map[string]string{"format": "pt", "z": "<&>", "a": ""}
	for _, d := range []DType{F32, F16, BF16} {
		b := write(t, sample(), meta, d)
		reversed := sample()
		for i, j := 0, len(reversed)-1; i < j; i, j = i+1, j-1 {
			reversed[i], reversed[j] = reversed[j], reversed[i]
		}
		if !bytes.Equal(b, write(t, reversed, meta, d)) {
			t.Errorf("%s: the order of the tensors changes the bytes", d)
		}
		if n := binary.LittleEndian.Uint64(b); n%8 != 0 {
			t.Errorf("%s: the data begins at %d; wanted a multiple of 8", d, 8+n)
		}
		s, err := OpenSafetensorsFS(fstest.MapFS{"m/x": {Data: b}}, "m/x")
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(s.Metadata, meta) {
			t.Errorf("%s: metadata %q; wanted %q", d, s.Metadata, meta)
		}
		if want := []string{"a", "b.weight", "empty", `quo"te é`}; !reflect.DeepEqual(s.Names(), want) {
			t.Errorf("%s: names %q; wanted %q", d, s.Names(), want)
		}
		for _, want := range sample() {
			got, err := s.Tensor(want.Name)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range want.Data {
				if d == BF16 {
					want.Data[i] = BFloat16(ToBFloat16(v))
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v; wanted %v", d, got, want)
			}
		}
		if _, err := s.Tensor("c"); err == nil || !strings.Contains(err.Error(), `"c"`) {
			t.Errorf("an absent tensor: %v", err)
		}
	}
}

// A file of the format, byte by byte, as its specification shows it.
func TestSafetensorsLiteral(t *testing.T) {
	header := `{"t":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"ids":{"dtype":"I64","shape":[1],"data_offsets":[4,12]}}`
	b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	b = append(b, 0x00, 0x3c, 0x00, 0xc0, 1, 0, 0, 0, 0, 0, 0, 0)
	s, err := open(b)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Tensor("t")
	if err != nil || !reflect.DeepEqual(w.Data, []float32{1, -2}) {
		t.Errorf("t = %v, %v; wanted [1 -2]", w.Data, err)
	}
	if _, err := s.Tensor("ids"); err == nil || !strings.Contains(err.Error(), "I64") {
		t.Errorf("an I64 tensor: %v", err)
	}
}

func TestSafetensorsOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	save := func(tensors []Tensor, meta map[string]string) {
		t.Helper()
		if err := AtomicWrite(path, func(w io.Writer) error { return WriteSafetensors(w, tensors, meta, "F32") }); err != nil {
			t.Fatal(err)
		}
	}
	big := Tensor{Name: "big", Shape: []int{300, 1000}, Data: make([]float32, 300000)}
	for i := range big.Data {
		big.Data[i] = float32(i)
	}
	save([]Tensor{big}, nil)
	s, err := OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	save([]Tensor{{Name: "big", Shape: []int{1}, Data: []float32{-1}}}, nil) // over the file that is open
	got, err := s.Tensor("big")
	if err != nil || !reflect.DeepEqual(got, big) {
		t.Errorf("the file that was opened changed under the reader: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := OpenSafetensors(filepath.Dir(path)); err == nil {
		t.Error("a folder was opened")
	}
	if _, err := OpenSafetensors(path + ".no"); err == nil {
		t.Error("an absent file was opened")
	}
}

func TestSafetensorsDamaged(t *testing.T) {
	file := func(header string, data int) []byte {
		b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
		return append(b, make([]byte, data)...)
	}
	for _, c := range []struct {
		name string
		b    []byte
		want []string
	}{
		{"empty", nil, []string{"0 bytes", "8"}},
		{"length", binary.LittleEndian.AppendUint64(nil, 1<<63), []string{"9223372036854775808", "of 8"}},
		{"no json", file("hello", 0), []string{"header"}},
		{"list", file("[1]", 0), []string{"JSON object"}},
		{"cut json", file(`{"a":{"dtype":"F32"`, 0), []string{"header"}},
		{"behind", file(`{} {}`, 0), []string{"behind"}},
		{"twice", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), []string{`"a"`, "twice"}},
		{"type", file(`{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}`, 4), []string{`"a"`, "F31"}},
		{"size", file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}`, 4), []string{`"a"`, "4 bytes", "12"}},
		{"beyond", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 4), []string{`"a"`, "8 of 4"}},
		{"overlap", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), []string{`"b"`, `"a"`}},
		{"hole", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), []string{`"a"`, "wanted"}},
		{"rest", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 5), []string{"1 bytes behind"}},
		{"negative", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), []string{"[-1]"}},
		{"overflow", file(`{"a":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,0]}}`, 0), []string{"too large"}},
		{"offsets", file(`{"a":{"dtype":"F32","shape":[0]}}`, 0), []string{"-1"}},
		{"metadata", file(`{"__metadata__":{"a":1}}`, 0), []string{"__metadata__"}},
	} {
		_, err := open(c.b)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; wanted %q in it", c.name, err, want)
			}
		}
	}
	whole := write(t, sample(), nil, F32)
	for n := range whole {
		if _, err := open(whole[:n]); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", n, len(whole))
		}
	}
}

type failAfter struct{ left int }

func (f *failAfter) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errDisk
	}
	return len(b), nil
}

func TestWriteSafetensorsErrors(t *testing.T) {
	one := func(name string, shape []int, data ...float32) []Tensor { return []Tensor{{name, shape, data}} }
	for _, c := range []struct {
		tensors []Tensor
		d       DType
		want    string
	}{
		{one("a", []int{2}, 1), F32, "1 elements"},
		{one("a", []int{-1}), F32, "[-1]"},
		{one("__metadata__", []int{1}, 1), F32, "__metadata__"},
		{one("\xff", []int{1}, 1), F32, "UTF-8"},
		{append(one("a", nil, 1), one("a", nil, 1)...), F32, "two tensors"},
		{one("a", []int{2}, 1, 65520), F16, "element 1 is 65520"},
		{one("a", []int{1}, math.MaxFloat32), BF16, "BF16"},
		{one("a", []int{1}, 1), Q8_0, "Q8_0"},
	} {
		if err := WriteSafetensors(io.Discard, c.tensors, nil, c.d.String()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v as %s: %v; wanted %q in it", c.tensors, c.d, err, c.want)
		}
	}
	size := len(write(t, sample(), nil, F32))
	for k := range size {
		if err := WriteSafetensors(&failAfter{k}, sample(), nil, "F32"); err == nil {
			t.Errorf("a disk that is full after %d of %d bytes: no error", k, size)
		}
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(write(f, sample(), map[string]string{"k": "v"}, F32))
	f.Add(write(f, sample(), nil, BF16))
	f.Add(write(f, nil, nil, F32))
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := open(b)
		if err != nil {
			return
		}
		readAll(t, &s.File, len(b))
	})
}

// readAll reads every tensor of a file that opened. Each must succeed and together they cannot hold more than the file.
func readAll(t *testing.T, f *File, size int) {
	for _, name := range f.Names() {
		in, _ := f.Info(name)
		w, err := f.Tensor(name)
		if in.other != "" {
			continue
		}
		if err != nil {
			t.Fatalf("%s opened, but: %v", name, err)
		}
		if bytes := int64(len(w.Data)) / int64(dtypes[in.DType].block) * int64(dtypes[in.DType].bytes); bytes > int64(size) {
			t.Fatalf("%s: %d bytes of %d", name, bytes, size)
		}
	}
}
