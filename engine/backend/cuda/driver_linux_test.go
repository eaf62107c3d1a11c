//go:build linux && !nogpu

package cuda

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoDriver: where there is no driver, one sentence says where it was looked for.
func TestNoDriver(t *testing.T) {
	none := filepath.Join(t.TempDir(), "libcuda.so.1")
	l := bindDriver([]string{"libcuda-that-is-none.so.1", none})
	if !errors.Is(l.err, errNoDriver) || !strings.Contains(l.err.Error(), none) {
		t.Errorf("%v", l.err)
	}
	if err := os.WriteFile(none, []byte("no library"), 0o666); err != nil {
		t.Fatal(err)
	}
	if l := bindDriver([]string{none}); l.err == nil || !strings.Contains(l.err.Error(), none) {
		t.Errorf("a file that is no library: %v", l.err)
	}
	if l := bindDriver([]string{"libc.so.6"}); l.err == nil || !strings.Contains(l.err.Error(), "has no cu") {
		t.Errorf("a library that is no driver: %v", l.err)
	}
}

// TestNoLibrary: where there is no cuBLASLt or NCCL, or another file by its name, one sentence says where it was looked for.
func TestNoLibrary(t *testing.T) {
	for name, load := range map[string]func(places []string) error{
		"cuBLASLt": func(p []string) error { return bindBlas(p).err },
		"NCCL":     func(p []string) error { return bindNCCL(p).err },
	} {
		other := filepath.Join(t.TempDir(), "lib.so.2")
		if err := os.WriteFile(other, []byte("no library"), 0o666); err != nil {
			t.Fatal(err)
		}
		for want, places := range map[string][]string{
			"cuda: no " + name + " (libnone.so.2, libnone.so.1); ": {"libnone.so.2", "libnone.so.1"},
			"cuda: " + name + ": " + other:                         {other},
			"cuda: " + name + " libc.so.6 has no ":                 {"libnone.so.2", "libc.so.6"},
		} {
			if err := load(places); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v: %v; wanted %s…", places, err, want)
			}
		}
	}
	t.Setenv("TUNEBOOK_NCCL", "/a/libnccl.so.2")
	if got := libraryPlaces("TUNEBOOK_NCCL", []string{"libnccl.so.2"}, "libnccl.so.2"); len(got) != 1 || got[0] != "/a/libnccl.so.2" {
		t.Errorf("the places are %v; wanted the one that was named", got)
	}
	env := t.TempDir()
	t.Setenv("TUNEBOOK_NCCL", "")
	t.Setenv("VIRTUAL_ENV", env)
	file := filepath.Join(env, "lib/python3.12/site-packages/nvidia/nccl/lib/libnccl.so.2")
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if got := libraryPlaces("TUNEBOOK_NCCL", []string{"libnccl.so.2"}, "libnccl.so.2"); got[0] != "libnccl.so.2" || got[len(got)-1] != file {
		t.Errorf("the places are %v; wanted the loader's and %s", got, file)
	}
}

// TestNCCLItself: where NCCL is installed, or TUNEBOOK_NCCL names it, its functions are called as it wants them. It needs no card: what it
// says of calls without a communicator is known.
func TestNCCLItself(t *testing.T) {
	l, path, err := loadNCCL()
	if err != nil {
		t.Skip(err)
	}
	t.Log(path)
	if v := l.version(); !strings.HasPrefix(v, "2.") || l.ErrorString(0) != "no error" {
		t.Errorf("version %q, result 0 is %q", v, l.ErrorString(0))
	}
	const invalidArgument = 4
	if start, end := l.GroupStart(), l.GroupEnd(); start != 0 || end != 0 {
		t.Errorf("an empty group: %d, %d", start, end)
	}
	if r, b := l.Reduce(16, 16, 4, ncclFloat32, ncclSum, 0, 0, 0), l.Broadcast(16, 16, 4, ncclFloat32, 0, 0, 0); r != invalidArgument || b != invalidArgument {
		t.Errorf("calls without a communicator: %d, %d; wanted %d", r, b, invalidArgument)
	}
}
