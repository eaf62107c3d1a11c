package pages

import (
	"bytes"
	"testing"
)

// Populate leaves what is there, wherever a piece of memory begins and ends, and may be called of none.
func TestPopulate(t *testing.T) {
	b := make([]byte, 5<<12)
	for i := range b {
		b[i] = byte(i * 7)
	}
	want := bytes.Clone(b)
	for _, from := range []int{0, 1, 4095, 4096, 5000, len(b)} {
		for _, n := range []int{0, 1, 4095, 4096, 8191, 8192, 12345, len(b)} {
			Populate(b[from:min(from+n, len(b))])
		}
	}
	Populate(nil)
	if !bytes.Equal(b, want) {
		t.Error("Populate changed what was there")
	}
}
