//go:build linux && !nogpu

package cuda

import "sync"

type loadedNCCL struct {
	t    *ncclTable
	path string
	err  error
}

// loadNCCL binds NCCL once.
var loadNCCL = func() func() (*ncclTable, string, error) {
	once := sync.OnceValue(func() loadedNCCL {
		return bindNCCL(libraryPlaces("TUNEBOOK_NCCL", []string{"libnccl.so.2"}, "libnccl.so.2"))
	})
	return func() (*ncclTable, string, error) {
		l := once()
		return l.t, l.path, l.err
	}
}()

func bindNCCL(places []string) loadedNCCL {
	t := &ncclTable{}
	path, err := bindLibrary("NCCL", places, t.symbols(), "several cards add their gradients through the machine's memory, which is slower. It comes as libnccl2 or nvidia-nccl-cu12, and TUNEBOOK_NCCL says where it lies")
	return loadedNCCL{t, path, err}
}
