package weights

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// only fails the test unless the folder holds exactly these files with these contents.
func only(t *testing.T, folder string, want map[string]string) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if w, ok := want[e.Name()]; !ok || w != string(b) {
			t.Errorf("%s holds %d bytes; wanted %d (known: %v)", e.Name(), len(b), len(w), ok)
		}
	}
	if len(list) != len(want) {
		t.Errorf("%d files; wanted %d", len(list), len(want))
	}
}

var errDisk = errors.New("no space left")

func TestAtomicWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.safetensors")
	put := func(text string) error {
		return AtomicWrite(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
	}
	if err := put("one"); err != nil {
		t.Fatal(err)
	}
	only(t, dir, map[string]string{"model.safetensors": "one"})
	if err := put("two"); err != nil {
		t.Fatal(err)
	}
	only(t, dir, map[string]string{"model.safetensors": "two"})
}

func TestAtomicWriteFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, k := range []int{0, 1, 4096, 1 << 18, 1<<18 + 1, 1 << 20} {
		err := AtomicWrite(path, func(w io.Writer) error {
			if _, err := w.Write(make([]byte, k)); err != nil {
				return err
			}
			return errDisk
		})
		if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), path) {
			t.Errorf("after %d bytes: %v; wanted the path and %v", k, err, errDisk)
		}
		only(t, dir, map[string]string{"a": "old"})
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = AtomicWrite(path, func(w io.Writer) error { fmt.Fprint(w, "half"); panic("stop") })
	}()
	only(t, dir, map[string]string{"a": "old"})

	if err := AtomicWrite(filepath.Join(dir, "absent", "a"), func(io.Writer) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into no folder: %v", err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(folder, "inner"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := AtomicWrite(folder, func(io.Writer) error { return nil }); err == nil {
		t.Error("a folder was replaced")
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	only(t, dir, map[string]string{"a": "old"})
}

func TestAtomicWriteKeepsModeAndLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(target, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", link); err != nil {
		t.Skip(err)
	}
	if err := AtomicWrite(link, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Fatal(err)
	}
	only(t, dir, map[string]string{"target": "new", "link": "new"})
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", st.Mode(), err)
	}
	if st, err := os.Stat(target); err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v; wanted 0640", st.Mode(), err)
	}
}
