package file

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWriteReplacesOrLeavesAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	for _, body := range []string{"first, longer", "second"} {
		abs, err := Write(path, []byte(body))
		if got, _ := os.ReadFile(abs); err != nil || string(got) != body || !filepath.IsAbs(abs) {
			t.Errorf("%s holds %q, %v; wanted %q", abs, got, err, body)
		}
	}
	if _, err := Write(filepath.Join(dir, "absent", "b.txt"), nil); err == nil {
		t.Error("a file was written into a folder that does not exist")
	}
	// A folder in the way cannot be replaced; nothing may stay behind.
	os.Mkdir(filepath.Join(dir, "c"), 0o755)
	os.WriteFile(filepath.Join(dir, "c", "kept"), nil, 0o644)
	if _, err := Write(filepath.Join(dir, "c"), []byte("x")); err == nil {
		t.Error("a folder was replaced")
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 2 {
		t.Errorf("%d entries; wanted a.txt and c", len(left))
	}
}
