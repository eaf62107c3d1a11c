//go:build linux && !nogpu

package cuda

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ebitengine/purego"
)

// driverPlaces are where the driver's library is looked for: the loader's own folders, then where distributions and WSL put it.
var driverPlaces = []string{"libcuda.so.1", "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/usr/lib64/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"}

type loadedDriver struct {
	t    *driverTable
	path string
	err  error
}

// loadDriver binds libcuda once.
var loadDriver = func() func() (*driverTable, string, error) {
	once := sync.OnceValue(func() loadedDriver { return bindDriver(driverPlaces) })
	return func() (*driverTable, string, error) {
		l := once()
		return l.t, l.path, l.err
	}
}()

func bindDriver(places []string) loadedDriver {
	for _, p := range places {
		if filepath.IsAbs(p) {
			if _, err := os.Stat(p); err != nil {
				continue
			}
		}
		h, err := purego.Dlopen(p, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err != nil {
			if filepath.IsAbs(p) {
				return loadedDriver{err: fmt.Errorf("cuda: %s: %w", p, err)}
			}
			continue
		}
		t := &driverTable{}
		if missing := bind(h, t.symbols()); missing != "" {
			return loadedDriver{err: fmt.Errorf("cuda: the driver %s has no %s; wanted one for CUDA 11.2 or newer", p, missing)}
		}
		if missing := bind(h, t.graphSymbols()); missing != "" {
			t.BeginCapture = nil
		}
		return loadedDriver{t: t, path: p}
	}
	return loadedDriver{err: fmt.Errorf("cuda: %w: no libcuda.so.1 among the loader's libraries or as %s; it comes with NVIDIA's driver", errNoDriver, strings.Join(places[1:], ", "))}
}

// bind points functions at a library's, by name; it returns the name of one that the library has not, "" where it has all.
func bind(library uintptr, functions map[string]any) (missing string) {
	for name, f := range functions {
		s, err := purego.Dlsym(library, name)
		if err != nil {
			return name
		}
		purego.RegisterFunc(f, s)
	}
	return ""
}
