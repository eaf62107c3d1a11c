// Package file writes results so that a reader never finds half of one.
package file

import (
	"os"
	"path/filepath"
)

// Write writes body to path by way of a temporary file in the same folder, so that path is whole or untouched, and
// returns its absolute form.
func Write(path string, body []byte) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(abs), "."+filepath.Base(abs)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(body)
	for _, step := range []func() error{f.Sync, func() error { return f.Chmod(0o644) }, f.Close} {
		if e := step(); err == nil {
			err = e
		}
	}
	if err == nil {
		err = os.Rename(f.Name(), abs)
	}
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return abs, nil
}
