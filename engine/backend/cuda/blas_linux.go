//go:build linux && !nogpu

package cuda

import "sync"

func blasPlaces() []string {
	return libraryPlaces("TUNEBOOK_CUBLASLT", []string{"libcublasLt.so.13", "libcublasLt.so.12"}, "libcublasLt.so.1[23]")
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
	t := &blasTable{}
	path, err := bindLibrary("cuBLASLt", places, t.symbols(), "products use kernels of this program, which are slower. It comes with the CUDA toolkit, and TUNEBOOK_CUBLASLT says where it lies")
	return loadedBlas{t, path, err}
}
