package weights

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// writerOf names, in the environment of a child of this test, the file that it writes again and again.
const writerOf = "WEIGHTS_TEST_WRITER_OF"

// TestKilled kills a process that replaces a file without end. Whenever that happens, the file is one of the whole ones.
func TestKilled(t *testing.T) {
	const size = 1 << 20
	if path := os.Getenv(writerOf); path != "" {
		for i := byte(1); ; i++ {
			err := AtomicWrite(path, func(w io.Writer) error { _, err := w.Write(bytes.Repeat([]byte{i}, size)); return err })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "checkpoint")
	if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
	replaced := false
	for i := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), writerOf+"="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(40+13*i) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) != size || bytes.Count(b, b[:1]) != size {
			t.Fatalf("after kill %d: %d bytes, %d of them %d; wanted %d equal ones", i, len(b), bytes.Count(b, b[:1]), b[0], size)
		}
		replaced = replaced || b[0] != 0
	}
	if !replaced {
		t.Error("no child came to write the file once; the test proves nothing")
	}
}
