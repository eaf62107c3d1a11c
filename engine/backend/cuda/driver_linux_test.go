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
