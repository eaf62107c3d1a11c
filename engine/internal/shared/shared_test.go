package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// recorder is a testing.TB that notes how the helper ended instead of ending the test.
type recorder struct {
	testing.TB
	ended string
}

type ended struct{}

func (r *recorder) Helper()                  {}
func (r *recorder) Fatal(...any)             { r.ended = "fatal"; panic(ended{}) }
func (r *recorder) Fatalf(string, ...any)    { r.ended = "fatal"; panic(ended{}) }
func (r *recorder) Skipf(string, ...any)     { r.ended = "skip"; panic(ended{}) }
func (r *recorder) run(f func(t testing.TB)) { defer func() { _ = recover() }(); f(r) }

func TestDir(t *testing.T) {
	module := filepath.Join(t.TempDir(), "module")
	inner := filepath.Join(module, "a", "b")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte("module m\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(inner)

	t.Setenv(Required, "")
	r := &recorder{TB: t}
	r.run(func(tb testing.TB) { Dir(tb) })
	if r.ended != "skip" {
		t.Errorf("no folder: the test ended with %q; wanted a skip", r.ended)
	}

	t.Setenv(Required, "required")
	r = &recorder{TB: t}
	r.run(func(tb testing.TB) { Dir(tb) })
	if r.ended != "fatal" {
		t.Errorf("no folder, required: the test ended with %q; wanted a failure", r.ended)
	}

	want := filepath.Join(filepath.Dir(module), "shared")
	if err := os.Mkdir(want, 0o755); err != nil {
		t.Fatal(err)
	}
	r = &recorder{TB: t}
	var got string
	r.run(func(tb testing.TB) { got = Dir(tb) })
	if r.ended != "" || got != want {
		t.Errorf("Dir = %q, ended %q; wanted %q", got, r.ended, want)
	}
}
