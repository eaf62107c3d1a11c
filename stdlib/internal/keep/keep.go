// Package keep finds the run store of a script and opens it.
package keep

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	core "tunebook/engine/runs"
	"tunebook/stdlib/host"
	"tunebook/stdlib/stop"
)

// Folder is the name of a store beside a notebook.
const Folder = ".tunebook"

// Dir returns the folder of the store, empty where nothing is kept. Tests of Go programs keep nothing unless
// TUNEBOOK_STORE names a folder: a test that finds its result in a store tests nothing.
func Dir() string {
	switch env := os.Getenv("TUNEBOOK_STORE"); {
	case env == "off":
		return ""
	case env != "":
		return env
	case testing.Testing():
		return ""
	}
	return filepath.Join(filepath.Dir(host.Notebook()), Folder) // filepath.Dir("") is "."
}

// Limit returns the bytes that tuned weights may take in the store.
func Limit() int64 {
	env := os.Getenv("TUNEBOOK_STORE_LIMIT")
	if env == "" {
		return 4e9
	}
	number, unit := strings.TrimRight(env, "kKMGTBb "), 1.0
	switch strings.ToUpper(strings.TrimSpace(env[len(number):])) {
	case "", "B":
	case "K", "KB":
		unit = 1e3
	case "M", "MB":
		unit = 1e6
	case "G", "GB":
		unit = 1e9
	case "T", "TB":
		unit = 1e12
	default:
		number = ""
	}
	x, err := strconv.ParseFloat(number, 64)
	if err != nil || !(x >= 0) {
		stop.Now("train.Run", fmt.Sprintf("TUNEBOOK_STORE_LIMIT is %q; wanted a size such as 4GB", env), "")
	}
	return int64(x * unit)
}

var (
	mu   sync.Mutex
	open = map[string]*core.Store{}
)

// Store returns the store, which is opened once in a process; nil where nothing is kept.
func Store() (*core.Store, error) {
	dir := Dir()
	if dir == "" {
		return nil, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	if s := open[abs]; s != nil {
		if _, err := os.Stat(filepath.Join(abs, "objects")); err == nil {
			return s, nil
		}
		s.Close() // the folder was removed meanwhile
		delete(open, abs)
	}
	s, err := core.Open(abs)
	if err != nil {
		return nil, err
	}
	open[abs] = s
	return s, nil
}
