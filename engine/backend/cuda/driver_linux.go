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
		for name, f := range t.symbols() {
			s, err := purego.Dlsym(h, name)
			if err != nil {
				return loadedDriver{err: fmt.Errorf("cuda: the driver %s has no %s; wanted one for CUDA 11.2 or newer", p, name)}
			}
			purego.RegisterFunc(f, s)
		}
		return loadedDriver{t: t, path: p}
	}
	return loadedDriver{err: fmt.Errorf("cuda: %w: no libcuda.so.1 among the loader's libraries or as %s; it comes with NVIDIA's driver", errNoDriver, strings.Join(places[1:], ", "))}
}
