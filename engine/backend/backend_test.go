package backend_test

import (
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/conform"
	_ "tunebook/engine/backend/cpu"
	_ "tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

// Every device that this binary can always open passes the suite.
func TestConform(t *testing.T) {
	for _, name := range []string{"cpu"} { // ref's own run is in package conform
		b, err := backend.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { conform.Run(t, b) })
	}
}

func TestOpen(t *testing.T) {
	first, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := backend.Open("ref"); err != nil || again != first {
		t.Errorf("a second Open gives another device: %v", err)
	}
	if _, err := backend.Open("abacus"); err == nil || !strings.Contains(err.Error(), `"abacus"`) || !strings.Contains(err.Error(), "ref") {
		t.Errorf("an unknown device: %v; wanted its name and the known ones", err)
	}
}

func caught(f func()) (msg any) {
	defer func() { msg = recover() }()
	f()
	return nil
}

func TestHostMemory(t *testing.T) {
	var m backend.HostMemory
	for n := range 5000 { // every size class holds what it promises and can be freed and taken again
		for range 2 {
			b := m.AllocUninit(tensor.F32, n)
			if b.Len() != n || b.DType() != tensor.F32 {
				t.Fatalf("AllocUninit(%d) has %d elements of %s", n, b.Len(), b.DType())
			}
			m.Free(b)
		}
	}
	b := m.Alloc(tensor.F32, 10)
	s := b.Slice(2, 4)
	if caught(func() { m.Upload(s, make([]float32, 3)) }) == nil {
		t.Error("3 elements went into a slice of 2")
	}
	if caught(func() { _ = m.Download(make([]float32, 3), s) }) == nil {
		t.Error("3 elements came out of a slice of 2")
	}
	if caught(func() { m.Alloc(tensor.F32, -1) }) == nil {
		t.Error("a buffer of -1 elements")
	}
	m.Free(s)
	if s.Len() != 2 {
		t.Error("freeing a slice emptied it")
	}
	m.Free(b)
	if b.Len() != 0 {
		t.Error("a freed buffer can still be read")
	}
}
