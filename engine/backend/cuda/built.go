package cuda

import (
	"archive/zip"
	"bytes"
	"embed"
	"fmt"
	"io"
	"strings"
	"sync"

	"tunebook/engine/backend/cuda/sim"
)

//go:embed built/*.zip
var archives embed.FS

// sources are the files of kernels, each of which has an archive of the same name in built.
var sources = []string{"attention", "back90", "bf16", "columns", "flash", "flash90", "gated", "layernorm", "optimizer", "product", "quant", "rmsnorm", "rope", "rows", "sample", "scale", "softmax", "vector"}

// for90 tells a source of kernels for compute capability 9.0 alone.
func for90(source string) bool { return strings.HasSuffix(source, "90") }

// image returns a built source: as PTX, or as the cubin of a card ("sm_90a"), nil when there is none for it.
func image(source, arch string) ([]byte, error) {
	b, err := archives.ReadFile("built/" + source + ".zip")
	if err != nil {
		return nil, fmt.Errorf("cuda: kernels %s: %w", source, err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("cuda: kernels %s: %w", source, err)
	}
	name := source + ".ptx"
	if arch != "" {
		name = source + "." + arch + ".cubin"
	}
	for _, f := range z.File {
		if f.Name != name {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("cuda: %s: %w", name, err)
		}
		defer r.Close()
		return io.ReadAll(r)
	}
	return nil, nil
}

// shippedKernels is the PTX of all sources, read for the simulator once.
var shippedKernels = sync.OnceValues(func() (map[string]*sim.Kernel, error) {
	all := map[string]*sim.Kernel{}
	for _, s := range sources {
		ptx, err := image(s, "")
		if err != nil {
			return nil, err
		}
		m, err := sim.Parse(ptx)
		if err != nil {
			return nil, fmt.Errorf("cuda: kernels %s: %w", s, err)
		}
		for name, k := range m.Kernels {
			all[name] = k
		}
	}
	return all, nil
})
