package weights

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// AtomicWrite makes path hold what write writes, whole or not at all: it writes a temporary file in the same folder,
// syncs it, renames it over path and syncs the folder. When write errs or panics, the disk is full or the process is
// killed, path is what it was before; a kill may leave a file ".NAME.tmp-…" behind, anything else does not. A path that
// is a symbolic link stays one: the file that it names is replaced. Errors carry the path.
func AtomicWrite(path string, write func(io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	folder, name := filepath.Split(path)
	if folder == "" {
		folder = "."
	}
	f, err := os.CreateTemp(folder, "."+name+".tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	done := false
	defer func() {
		if !done { // an error, or a panic of write
			f.Close()
			os.Remove(f.Name())
			if err != nil {
				err = fmt.Errorf("write %s: %w", path, err)
			}
		}
	}()
	w := bufio.NewWriterSize(f, 1<<18)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if st, err := os.Stat(path); err == nil {
		mode = st.Mode().Perm()
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	done = true
	if err := SyncFolder(folder); err != nil {
		return fmt.Errorf("write %s: sync of the folder: %w", path, err)
	}
	return nil
}

// SyncFolder makes a rename last. Windows cannot open a folder for it and needs no such call.
func SyncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
