package weights

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHalfRoundTrip(t *testing.T) {
	for b := range 1 << 16 {
		x := F16(uint16(b))
		if x != x {
			if y := F16(ToF16(x)); y == y {
				t.Fatalf("%#x: NaN became %g", b, y)
			}
			continue
		}
		if got := ToF16(x); got != uint16(b) {
			t.Fatalf("F16(%#x) = %g, ToF16 of it = %#x", b, x, got)
		}
	}
	// Between two neighbours the nearer one wins, and the even one of equals.
	for b := uint16(0); b < 0x7bff; b++ {
		lo, hi := F16(b), F16(b+1)
		mid := lo + (hi-lo)/2 // exact: float32 has room
		want := b
		if b&1 == 1 {
			want = b + 1
		}
		if got := ToF16(mid); got != want {
			t.Fatalf("middle of %g and %g: %#x, wanted %#x", lo, hi, got, want)
		}
		if got := ToF16(math.Nextafter32(mid, hi)); got != b+1 {
			t.Fatalf("above the middle of %g and %g: %#x", lo, hi, got)
		}
	}
	if got := ToF16(65520); got != 0x7c00 {
		t.Fatalf("65520 = %#x, wanted infinity", got)
	}
}

func TestSafetensors(t *testing.T) {
	in := []Tensor{
		{Name: "b", Shape: []int{2, 3}, Data: []float32{1, -2, 0.5, 4, 5, 6}},
		{Name: "a", Shape: []int{1}, Data: []float32{3.140625}},
		{Name: "empty", Shape: []int{0, 4}, Data: nil},
	}
	for _, dtype := range []string{"F32", "F16", "BF16"} {
		var w, again bytes.Buffer
		if err := WriteSafetensors(&w, in, map[string]string{"step": "7"}, dtype); err != nil {
			t.Fatal(err)
		}
		WriteSafetensors(&again, []Tensor{in[2], in[1], in[0]}, map[string]string{"step": "7"}, dtype)
		if !bytes.Equal(w.Bytes(), again.Bytes()) {
			t.Fatalf("%s: the order of the tensors changes the bytes", dtype)
		}
		f, err := ReadSafetensors(bytes.NewReader(w.Bytes()), int64(w.Len()), "test")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(f.Names(), " "); got != "a b empty" || f.Metadata["step"] != "7" {
			t.Fatalf("%s: names %q, metadata %v", dtype, got, f.Metadata)
		}
		for _, want := range in {
			got, err := f.Tensor(want.Name)
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range want.Data {
				if got.Data[i] != x { // all of them are exact in every type
					t.Fatalf("%s %s[%d]: %g, wanted %g", dtype, want.Name, i, got.Data[i], x)
				}
			}
		}
		// Cut anywhere, the file is refused or its tensors are.
		for cut := range w.Len() {
			if f, err := ReadSafetensors(bytes.NewReader(w.Bytes()[:cut]), int64(cut), "cut"); err == nil {
				t.Fatalf("%s: cut at %d of %d was taken: %v", dtype, cut, w.Len(), f.Names())
			}
		}
	}
	if err := WriteSafetensors(io.Discard, []Tensor{{Name: "x", Shape: []int{1}, Data: []float32{70000}}}, nil, "F16"); err == nil {
		t.Fatal("70000 was written as F16")
	}
}

func TestAtomicWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := AtomicWrite(path, func(w io.Writer) error { _, err := io.WriteString(w, "old"); return err }); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("disk full")
	for _, k := range []int{0, 1, 1000, 3 << 20} {
		err := AtomicWrite(path, func(w io.Writer) error {
			if _, err := w.Write(make([]byte, k)); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("after %d bytes: %v", k, err)
		}
		if b, _ := os.ReadFile(path); string(b) != "old" {
			t.Fatalf("after %d bytes the old file is %q", k, b)
		}
		if l, _ := os.ReadDir(filepath.Dir(path)); len(l) != 1 {
			t.Fatalf("after %d bytes: %v are left", k, l)
		}
	}
}

func FuzzReadSafetensors(f *testing.F) {
	var w bytes.Buffer
	WriteSafetensors(&w, []Tensor{{Name: "a", Shape: []int{2}, Data: []float32{1, 2}}}, nil, "F32")
	f.Add(w.Bytes())
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadSafetensors(bytes.NewReader(b), int64(len(b)), "fuzz")
		if err != nil {
			return
		}
		for _, n := range s.Names() {
			if _, err := s.Tensor(n); err != nil {
				t.Fatal(err)
			}
		}
	})
}
