package backend

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"tunebook/engine/tensor"
)

// Every operation of a device is one of the meter's own: a new one in Ops wants a line in meter.go, without which memory
// cannot be estimated.
func TestMeterHasEveryOperation(t *testing.T) {
	m := reflect.ValueOf(NewMeter())
	ops := reflect.TypeFor[Ops]()
	for i := range ops.NumMethod() {
		method := ops.Method(i)
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%s: the meter has no such method: add one line to meter.go (%v)", method.Name, r)
				}
			}()
			var args []reflect.Value
			for j := range method.Type.NumIn() {
				args = append(args, reflect.Zero(method.Type.In(j)))
			}
			m.MethodByName(method.Name).Call(args)
		}()
	}
	if ops.NumMethod() < 20 {
		t.Error("Ops has hardly a method")
	}
}

// What the meter counts is what host memory holds after the same calls.
func TestMeterIsHostMemory(t *testing.T) {
	m, h := NewMeter(), &HostMemory{}
	r := tensor.NewRNG(1, "meter")
	var a, b []Buffer
	for range 500 {
		if len(a) > 0 && r.Intn(2) == 0 {
			i := r.Intn(len(a))
			m.Free(a[i])
			h.Free(b[i])
			a, b = append(a[:i], a[i+1:]...), append(b[:i], b[i+1:]...)
			continue
		}
		dt, n := tensor.DType(r.Intn(2)), r.Intn(5000)
		a, b = append(a, m.Alloc(dt, n)), append(b, h.Alloc(dt, n))
	}
	for _, x := range b {
		h.Free(x)
	}
	if got, want := m.Peak(), h.Reusable(); got != want || got == 0 {
		t.Errorf("the meter counts %d bytes; host memory holds %d", got, want)
	}
}

func TestHostAvailable(t *testing.T) {
	root := t.TempDir()
	put := func(path, s string) {
		t.Helper()
		p := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := func(n int64, ok bool) {
		t.Helper()
		if got, is := hostAvailable(root); got != n || is != ok {
			t.Errorf("%d %v; wanted %d %v", got, is, n, ok)
		}
	}
	want(0, false)
	put("proc/meminfo", "MemTotal: 100 kB\nMemAvailable:      80 kB\n")
	want(80<<10, true)
	put("proc/self/cgroup", "0::/a/b\n")
	want(80<<10, true)
	put("sys/fs/cgroup/a/b/memory.max", "max\n")
	put("sys/fs/cgroup/a/b/memory.current", "10\n")
	want(80<<10, true)
	put("sys/fs/cgroup/a/memory.max", "50000\n")
	put("sys/fs/cgroup/a/memory.current", "40000\n")
	want(10000, true)
	put("sys/fs/cgroup/a/memory.stat", "active_file 1\ninactive_file 3000\n")
	want(13000, true)
	put("sys/fs/cgroup/a/memory.current", "90000\n")
	want(0, true)
}

// Numbers that a device adopts are the device's where they lie; giving them back leaves them alone.
func TestAdopt(t *testing.T) {
	m := &HostMemory{}
	x := []float32{1, 2, 3}
	b := m.Adopt(x)
	if b.Len() != 3 || b.DType() != tensor.F32 || &b.(*HostBuffer).F[0] != &x[0] {
		t.Errorf("%+v", b)
	}
	m.Free(b)
	if m.Reusable() != 0 {
		t.Error("adopted memory is handed out again")
	}
}

// The same holds for ints, of which none are ints too.
func TestAdoptInts(t *testing.T) {
	m := &HostMemory{}
	x := []int32{1, 2, 3}
	b := m.AdoptInts(x)
	if b.Len() != 3 || b.DType() != tensor.I32 || &b.(*HostBuffer).I[0] != &x[0] {
		t.Errorf("%+v", b)
	}
	m.Free(b)
	if m.Reusable() != 0 {
		t.Error("adopted memory is handed out again")
	}
	if b := m.AdoptInts(nil); b.DType() != tensor.I32 || b.Len() != 0 {
		t.Errorf("%+v", b)
	}
}
