// Package nvrtc compiles CUDA C++ with NVIDIA's run-time compiler, a shared library that is found and loaded when it is
// first wanted. It needs neither a GPU, nor a driver, nor the CUDA toolkit: the library comes with NVIDIA's Python
// packages ("pip install nvidia-cuda-nvrtc-cu12") and with every toolkit.
package nvrtc

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
)

// Release is the release of the Python package that the kernels in the binary were compiled with.
const Release = "12.9.86"

// Options say how a program is compiled.
type Options struct {
	// Arch is "compute_80" and the like for PTX, "sm_80" and the like for a cubin of that card.
	Arch string
	// Lines keeps the lines of the source in the result.
	Lines bool
	// Headers are the files that the source may include, by name.
	Headers map[string]string
	// Define holds macros, "NAME" or "NAME=value".
	Define []string
}

// Program is what came of a compilation.
type Program struct {
	// Image is PTX text or a cubin, as Arch asked.
	Image []byte
	// Usage is what ptxas says of each kernel, in the order of the source; empty for PTX.
	Usage []Usage
	// Log holds warnings.
	Log string
}

// Usage is what one kernel takes of a multiprocessor.
type Usage struct {
	Kernel    string
	Registers int // per thread
	Spilled   int // bytes per thread, stores
	Stack     int // bytes per thread
	Shared    int // bytes per block, without what a launch adds
}

// CompileError says what is wrong with a source, in the compiler's words.
type CompileError struct {
	Problems []Problem
	Log      string
}

// Problem is one error with its place; Line counts from 1 and is 0 where the compiler names none.
type Problem struct {
	File    string
	Line    int
	Message string
}

// Error lists the problems, one a line.
func (e *CompileError) Error() string {
	if len(e.Problems) == 0 {
		return "nvrtc: " + strings.TrimSpace(e.Log)
	}
	var b strings.Builder
	for i, p := range e.Problems {
		if i == 10 {
			fmt.Fprintf(&b, "\n… and %d more", len(e.Problems)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		if p.Line > 0 {
			fmt.Fprintf(&b, "%s:%d: ", p.File, p.Line)
		}
		b.WriteString(p.Message)
	}
	return b.String()
}

var problem = regexp.MustCompile(`(?m)^(?:(.*)\((\d+)\): )?(?:catastrophic )?error(?:\s+#\S+)?: (.*)$`)

// compileError reads the compiler's log: "name.cu(12): error: …".
func compileError(log string) *CompileError {
	e := &CompileError{Log: log}
	for _, m := range problem.FindAllStringSubmatch(log, -1) {
		line, _ := strconv.Atoi(m[2]) // empty where there is no place
		e.Problems = append(e.Problems, Problem{m[1], line, m[3]})
	}
	return e
}

var (
	entry     = regexp.MustCompile(`Compiling entry function '([^']+)'`)
	registers = regexp.MustCompile(`Used (\d+) registers`)
	spills    = regexp.MustCompile(`(\d+) bytes stack frame, (\d+) bytes spill stores`)
	smem      = regexp.MustCompile(`(\d+) bytes smem`)
)

// usage reads what "ptxas -v" prints.
func usage(log string) []Usage {
	var all []Usage
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // digits, by the patterns
	for line := range strings.Lines(log) {
		if m := entry.FindStringSubmatch(line); m != nil {
			all = append(all, Usage{Kernel: m[1]})
		}
		if len(all) == 0 {
			continue
		}
		u := &all[len(all)-1]
		if m := registers.FindStringSubmatch(line); m != nil {
			u.Registers = number(m[1])
		}
		if m := spills.FindStringSubmatch(line); m != nil {
			u.Stack, u.Spilled = number(m[1]), number(m[2])
		}
		if m := smem.FindStringSubmatch(line); m != nil {
			u.Shared = number(m[1])
		}
	}
	return all
}

// Hash is the hash of a source with the headers beside it and the compiler's release: what a built kernel was made of.
func Hash(source string, headers map[string]string) string {
	names := make([]string, 0, len(headers))
	for n := range headers {
		names = append(names, n)
	}
	sort.Strings(names)
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00", Release, source)
	for _, n := range names {
		fmt.Fprintf(h, "%s\x00%s\x00", n, headers[n])
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:16]
}

// Places returns where Open looks for the library, in order: the file that TUNEBOOK_NVRTC names, the user's cache, where
// `go run ./cmd/gen kernels` keeps its copy, and the loader's own folders.
func Places() []string {
	var all []string
	if p := os.Getenv("TUNEBOOK_NVRTC"); p != "" {
		all = append(all, p)
	}
	if dir, err := CacheDir(); err == nil {
		all = append(all, filepath.Join(dir, Library))
	}
	if runtime.GOOS == "linux" {
		for _, root := range []string{"/usr/local/cuda/lib64", "/usr/lib/x86_64-linux-gnu"} {
			all = append(all, filepath.Join(root, Library))
		}
	}
	return append(all, Library)
}

// Library is the file name of the library, Builtins that of the one it loads from the same folder.
const (
	Library  = "libnvrtc.so.12"
	Builtins = "libnvrtc-builtins.so.12.9"
)

// CacheDir is the folder in the user's cache that holds the library of this release.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("nvrtc: %w", err)
	}
	return filepath.Join(dir, "tunebook", "nvrtc-"+Release), nil
}
