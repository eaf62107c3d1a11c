package conform

import (
	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

var memoryChecks = []Check{
	{"Memory/zeros", zeros}, {"Memory/slices", slicesShare}, {"Memory/copies", copies}, {"Memory/names", names}, {"Memory/offloaded", offloaded},
}

func read(t T, b backend.Backend, x backend.Buffer, n int) []float32 {
	t.Helper()
	got := make([]float32, n)
	if err := b.Download(got, x); err != nil {
		t.Errorf("Download: %v", err)
	}
	return got
}

func wantFloats(t T, what string, got []float32, want ...float32) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: element %d is %v; wanted %v", what, i, got[i], want[i])
			return
		}
	}
}

// zeros: memory that was used before is zero again, and two live buffers are never the same memory.
func zeros(t T, b backend.Backend) {
	for _, n := range []int{0, 1, 63, 64, 65, 1000} {
		for range 3 {
			x, y := b.Alloc(tensor.F32, n), b.Alloc(tensor.F32, n)
			wantFloats(t, "Alloc", read(t, b, x, n), make([]float32, n)...)
			b.Upload(x, filled(n, 7))
			wantFloats(t, "a buffer beside one that is written", read(t, b, y, n), make([]float32, n)...)
			b.Free(x)
			b.Free(y)

			z := b.Alloc(tensor.I32, n)
			got := make([]int32, n)
			if err := b.DownloadInts(got, z); err != nil {
				t.Errorf("DownloadInts: %v", err)
			}
			for i, v := range got {
				if v != 0 {
					t.Errorf("Alloc of %d ints: element %d is %d; wanted 0", n, i, v)
					break
				}
			}
			for i := range got {
				got[i] = 7
			}
			b.UploadInts(z, got)
			b.Free(z)
		}
	}
}

func slicesShare(t T, b backend.Backend) {
	x := b.Alloc(tensor.F32, 10)
	defer b.Free(x)
	s := x.Slice(3, 7).Slice(1, 3) // elements 4 and 5
	if x.Len() != 10 || s.Len() != 2 || s.DType() != tensor.F32 {
		t.Errorf("lengths %d and %d, type %s; wanted 10, 2 and f32", x.Len(), s.Len(), s.DType())
	}
	b.Upload(s, []float32{1, 2})
	wantFloats(t, "a buffer whose slice was written", read(t, b, x, 10), 0, 0, 0, 0, 1, 2, 0, 0, 0, 0)
	b.Upload(x, []float32{9, 9, 9, 9, 9})
	wantFloats(t, "a slice whose buffer was written", read(t, b, s, 2), 9, 2)
	if e := x.Slice(4, 4); e.Len() != 0 {
		t.Errorf("an empty slice has %d elements", e.Len())
	}
	i := b.Alloc(tensor.I32, 3)
	defer b.Free(i)
	if s := i.Slice(1, 3); s.Len() != 2 || s.DType() != tensor.I32 {
		t.Errorf("a slice of ints: %d elements of %s; wanted 2 of i32", s.Len(), s.DType())
	}
}

// copies: Upload keeps nothing of its source, and both ways move a part of a buffer.
func copies(t T, b backend.Backend) {
	x := b.Alloc(tensor.F32, 4)
	defer b.Free(x)
	src := []float32{1, 2, 3}
	b.Upload(x, src)
	src[0] = 9
	wantFloats(t, "a buffer whose source changed after Upload", read(t, b, x, 4), 1, 2, 3, 0)
	wantFloats(t, "the start of a buffer", read(t, b, x, 2), 1, 2)

	i := b.Alloc(tensor.I32, 2)
	defer b.Free(i)
	ints := []int32{-5, 6}
	b.UploadInts(i, ints)
	ints[0] = 9
	got := make([]int32, 2)
	if err := b.DownloadInts(got, i); err != nil || got[0] != -5 || got[1] != 6 {
		t.Errorf("ints %v, %v; wanted [-5 6]", got, err)
	}
	if err := b.Sync(); err != nil {
		t.Errorf("Sync: %v", err)
	}
}

// offloaded: numbers go to the host and back in parts, in the order of the calls.
func offloaded(t T, b backend.Backend) {
	x, y := b.AllocUninit(tensor.F32, 4), b.AllocUninit(tensor.I32, 2)
	defer b.Free(x)
	defer b.Free(y)
	floats, ints := backend.Offload(b, tensor.F32, 6), backend.Offload(b, tensor.I32, 3)
	defer floats.Free()
	defer ints.Free()
	failed := func(err error) {
		t.Helper()
		if err != nil {
			t.Errorf("offloaded: %v", err)
		}
	}
	floats.Fetch(x, 1) // what is offloaded begins as zeros
	b.AddScaled(x.Slice(1, 2), x.Slice(2, 3), 1)
	failed(floats.Store(x.Slice(1, 3), 0))
	b.Fill(x, 7)
	failed(floats.Store(x.Slice(0, 3), 2))
	b.Fill(x, 8) // after the copy
	ints.Fetch(y, 1)
	b.UploadInts(y, []int32{5, -6})
	failed(ints.Store(y, 0))
	failed(b.Sync())
	wantFloats(t, "offloaded numbers", floats.F, 0, 0, 7, 7, 7, 0)
	if ints.I[0] != 5 || ints.I[1] != -6 || ints.I[2] != 0 {
		t.Errorf("offloaded ints %v; wanted [5 -6 0]", ints.I)
	}
	floats.F[5], ints.I[2] = 3, 9
	floats.Fetch(x, 2)
	ints.Fetch(y, 1)
	wantFloats(t, "numbers that were fetched", read(t, b, x, 4), 7, 7, 7, 3)
	got := make([]int32, 2)
	if err := b.DownloadInts(got, y); err != nil || got[0] != -6 || got[1] != 9 {
		t.Errorf("ints that were fetched are %v, %v; wanted [-6 9]", got, err)
	}
	empty := backend.Offload(b, tensor.F32, 0)
	failed(empty.Store(x.Slice(0, 0), 0))
	empty.Free()
}

func names(t T, b backend.Backend) {
	if b.Name() == "" || b.Info() == "" {
		t.Errorf("name %q, info %q; wanted both", b.Name(), b.Info())
	}
}
