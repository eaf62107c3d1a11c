//go:build linux && !nogpu

package nvrtc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Compiler is the loaded library. Calls may come from any goroutine.
type Compiler struct {
	path string

	version       func(major, minor *int32) int32
	createProgram func(p *uintptr, source, name string, n int32, headers, names **byte) int32
	compile       func(p uintptr, n int32, options **byte) int32
	logSize       func(p uintptr, n *uint64) int32
	log           func(p uintptr, to *byte) int32
	ptxSize       func(p uintptr, n *uint64) int32
	ptx           func(p uintptr, to *byte) int32
	cubinSize     func(p uintptr, n *uint64) int32
	cubin         func(p uintptr, to *byte) int32
	destroy       func(p *uintptr) int32
	errorString   func(result int32) string
}

var load struct {
	sync.Mutex
	c *Compiler
}

// Open loads the library from the first of Places that has it; later calls return the same Compiler.
func Open() (*Compiler, error) {
	load.Lock()
	defer load.Unlock()
	if load.c != nil {
		return load.c, nil
	}
	places := Places()
	for _, p := range places {
		if filepath.IsAbs(p) {
			if _, err := os.Stat(p); err != nil {
				continue
			}
		}
		h, err := purego.Dlopen(p, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			if filepath.IsAbs(p) {
				return nil, fmt.Errorf("nvrtc: %s: %w", p, err)
			}
			continue
		}
		c := &Compiler{path: p}
		if err := c.bind(h); err != nil {
			return nil, fmt.Errorf("nvrtc: %s: %w", p, err)
		}
		load.c = c
		return c, nil
	}
	return nil, fmt.Errorf("nvrtc: no %s in %s; \"pip install nvidia-cuda-nvrtc-cu12==%s\" brings one, and TUNEBOOK_NVRTC says where it lies",
		Library, strings.Join(places, ", "), Release)
}

func (c *Compiler) bind(h uintptr) error {
	for name, f := range map[string]any{
		"nvrtcVersion": &c.version, "nvrtcCreateProgram": &c.createProgram, "nvrtcCompileProgram": &c.compile,
		"nvrtcGetProgramLogSize": &c.logSize, "nvrtcGetProgramLog": &c.log, "nvrtcGetPTXSize": &c.ptxSize, "nvrtcGetPTX": &c.ptx,
		"nvrtcGetCUBINSize": &c.cubinSize, "nvrtcGetCUBIN": &c.cubin, "nvrtcDestroyProgram": &c.destroy, "nvrtcGetErrorString": &c.errorString,
	} {
		s, err := purego.Dlsym(h, name)
		if err != nil {
			return err
		}
		purego.RegisterFunc(f, s)
	}
	return nil
}

// Path is where the library was found.
func (c *Compiler) Path() string { return c.path }

// Version returns the version of the compiler, "12.9".
func (c *Compiler) Version() string {
	var major, minor int32
	c.version(&major, &minor)
	return fmt.Sprintf("%d.%d", major, minor)
}

// strs is an array of C strings, kept in place until the pinner lets go.
func strs(pin *runtime.Pinner, list []string) **byte {
	if len(list) == 0 {
		return nil
	}
	out := make([]*byte, len(list))
	for i, s := range list {
		b := append([]byte(s), 0)
		pin.Pin(&b[0])
		out[i] = &b[0]
	}
	pin.Pin(&out[0])
	return (**byte)(unsafe.Pointer(&out[0]))
}

// Compile compiles one source; name is what lines and messages call it. A source with mistakes is a *CompileError.
func (c *Compiler) Compile(name, source string, o Options) (*Program, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	names := make([]string, 0, len(o.Headers))
	for n := range o.Headers {
		names = append(names, n)
	}
	sort.Strings(names)
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = o.Headers[n]
	}
	var p uintptr
	if r := c.createProgram(&p, source, name, int32(len(names)), strs(&pin, texts), strs(&pin, names)); r != 0 {
		return nil, fmt.Errorf("nvrtc: %s: %s", name, c.errorString(r))
	}
	defer c.destroy(&p)
	binary := strings.HasPrefix(o.Arch, "sm_")
	options := []string{"--gpu-architecture=" + o.Arch, "--std=c++17"}
	if o.Lines {
		options = append(options, "--generate-line-info")
	}
	if binary {
		options = append(options, "--ptxas-options=-v")
	}
	for _, d := range o.Define {
		options = append(options, "--define-macro="+d)
	}
	r := c.compile(p, int32(len(options)), strs(&pin, options))
	log, err := text(func(n *uint64) int32 { return c.logSize(p, n) }, func(to *byte) int32 { return c.log(p, to) })
	if err != nil {
		return nil, err
	}
	if r != 0 {
		if e := compileError(string(log)); len(e.Problems) > 0 {
			return nil, e
		}
		return nil, fmt.Errorf("nvrtc: %s: %s %s", name, c.errorString(r), log)
	}
	out := &Program{Log: string(log)}
	if binary {
		out.Usage = usage(out.Log)
		out.Image, err = content(func(n *uint64) int32 { return c.cubinSize(p, n) }, func(to *byte) int32 { return c.cubin(p, to) })
	} else {
		out.Image, err = text(func(n *uint64) int32 { return c.ptxSize(p, n) }, func(to *byte) int32 { return c.ptx(p, to) })
	}
	if err != nil {
		return nil, fmt.Errorf("nvrtc: %s for %s: %w", name, o.Arch, err)
	}
	return out, nil
}

// content reads a result through its two calls: its size, its bytes.
func content(size func(*uint64) int32, get func(*byte) int32) ([]byte, error) {
	var n uint64
	if size(&n) != 0 || n == 0 {
		return nil, errors.New("the compiler gave no result")
	}
	b := make([]byte, n)
	if get(&b[0]) != 0 {
		return nil, errors.New("the compiler gave no result")
	}
	return b, nil
}

// text is content without the zero byte at the end.
func text(size func(*uint64) int32, get func(*byte) int32) ([]byte, error) {
	b, err := content(size, get)
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b, err
}
