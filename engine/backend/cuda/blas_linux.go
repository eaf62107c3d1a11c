//go:build linux && !nogpu

package cuda

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"github.com/ebitengine/purego"
)

// blasPlaces are where cuBLASLt is looked for: the file that TUNEBOOK_CUBLASLT names alone, else the loader's folders, the
// toolkit's, and those of Python packages in the active environment.
func blasPlaces() []string {
	if p := os.Getenv("TUNEBOOK_CUBLASLT"); p != "" {
		return []string{p}
	}
	places := []string{"libcublasLt.so.13", "libcublasLt.so.12"}
	folders := []string{"/usr/local/cuda*/targets/x86_64-linux/lib", "/usr/local/cuda*/lib64", "/usr/lib/x86_64-linux-gnu"}
	if env := os.Getenv("VIRTUAL_ENV"); env != "" {
		folders = append(folders, filepath.Join(env, "lib/python3*/site-packages/nvidia/*/lib"))
	}
	for _, f := range folders {
		found, _ := filepath.Glob(filepath.Join(f, "libcublasLt.so.1[23]")) // an error means a wrong pattern
		sort.Sort(sort.Reverse(sort.StringSlice(found)))
		places = append(places, found...)
	}
	return places
}

type loadedBlas struct {
	t    *blasTable
	path string
	err  error
}

// loadBlas binds cuBLASLt once.
var loadBlas = func() func() (*blasTable, string, error) {
	once := sync.OnceValue(func() loadedBlas { return bindBlas(blasPlaces()) })
	return func() (*blasTable, string, error) {
		l := once()
		return l.t, l.path, l.err
	}
}()

func bindBlas(places []string) loadedBlas {
	var failed []error
	for _, p := range places {
		h, err := purego.Dlopen(p, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			if filepath.IsAbs(p) {
				failed = append(failed, err)
			}
			continue
		}
		t := &blasTable{}
		if missing := bind(h, t.symbols()); missing != "" {
			return loadedBlas{err: fmt.Errorf("cuda: cuBLASLt %s has no %s", p, missing)}
		}
		return loadedBlas{t: t, path: p}
	}
	if len(failed) > 0 {
		return loadedBlas{err: fmt.Errorf("cuda: cuBLASLt: %w", errors.Join(failed...))}
	}
	return loadedBlas{err: fmt.Errorf("cuda: no cuBLASLt (%s); products use kernels of this program, which are slower. It comes with the CUDA toolkit, and TUNEBOOK_CUBLASLT says where it lies", strings.Join(places, ", "))}
}
