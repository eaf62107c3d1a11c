package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"tunebook/engine/backend/cuda/nvrtc"
)

const kernelsDir = "engine/backend/cuda"

// ptxArch is the oldest card that the kernels run on, cubins the cards that get code of their own; any other card of
// compute capability 8.0 or newer takes the PTX. A real card must be among them: for compute_80 alone nothing checks
// the PTX.
const ptxArch = "compute_80"

var cubins = []string{"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100", "sm_120"}

// Sources whose names end in 90 use instructions of compute capability 9.0 that no other card has. Their PTX, which the
// simulator runs, is for it alone, in the language version that brought them (8.0).
const only90 = "90"

// ptxVersion is the PTX language version that is written in place of the compiler's own. The driver refuses what is newer than
// itself, whatever it uses; the kernels use nothing newer than 7.2 (drivers of CUDA 11.2): their newest parts are the
// places of inlined code in .loc (7.2), mma with bf16 and cp.async (7.0).
const ptxVersion = "7.2"

// runKernels is `go run ./cmd/gen kernels`: it compiles the CUDA kernels and writes what the cuda backend embeds.
func runKernels(args []string) error {
	fs := flag.NewFlagSet("gen kernels", flag.ExitOnError)
	check := fs.Bool("check", false, "write nothing; fail when a built kernel is stale, skip when the compiler is not installed")
	fetch := fs.Bool("fetch", false, "with -check: fetch a compiler that is not installed, as without -check")
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), `usage: go run ./cmd/gen kernels [-check [-fetch]]

Compiles %s/kernels/*.cu with NVRTC %s and writes %s/built. Without -check a
compiler that is not installed is fetched with pip into the user's cache.
`, kernelsDir, nvrtc.Release, kernelsDir)
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	c, err := nvrtc.Open()
	if err != nil && (*fetch || !*check) {
		if err = fetchNVRTC(); err == nil {
			c, err = nvrtc.Open()
		}
	}
	if err != nil && *check {
		fmt.Println("kernels: not checked:", err)
		return nil
	}
	if err != nil {
		return err
	}
	if v := c.Version(); !strings.HasPrefix(nvrtc.Release, v+".") {
		return fmt.Errorf("kernels: %s is NVRTC %s; wanted %s", c.Path(), v, nvrtc.Release)
	}
	tmp, err := os.MkdirTemp("", "tunebook-kernels-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := buildKernels(c, filepath.Join(root, filepath.FromSlash(kernelsDir), "kernels"), tmp); err != nil {
		return err
	}
	changed, err := compare(tmp, filepath.Join(root, filepath.FromSlash(kernelsDir), "built"), func(string) bool { return true }, *check)
	if err != nil {
		return err
	}
	if *check && len(changed) > 0 {
		return fmt.Errorf("stale; run go run ./cmd/gen kernels and commit %s/built: %s", kernelsDir, strings.Join(changed, ", "))
	}
	for _, f := range changed {
		fmt.Println("wrote", kernelsDir+"/built/"+f)
	}
	return nil
}

// buildKernels compiles every .cu file of src to out: an archive for each and one table for all.
func buildKernels(c *nvrtc.Compiler, src, out string) error {
	headers := map[string]string{}
	var sources []string
	entries, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch path.Ext(e.Name()) {
		case ".cu":
			sources = append(sources, e.Name())
		case ".cuh":
			b, err := os.ReadFile(filepath.Join(src, e.Name()))
			if err != nil {
				return err
			}
			headers[e.Name()] = string(b)
		}
	}
	table := &usageTable{hashes: map[string]string{}, use: map[string]map[string]nvrtc.Usage{}}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, name := range sources {
		group.Go(func() error {
			b, err := os.ReadFile(filepath.Join(src, name))
			if err != nil {
				return err
			}
			files, use, err := buildKernel(c, name, string(b), headers)
			if err != nil {
				return err
			}
			table.add(name, nvrtc.Hash(string(b), headers), use)
			z, err := archive(files)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(out, strings.TrimSuffix(name, ".cu")+".zip"), z, 0o666)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "USAGE.md"), []byte(table.String()), 0o666)
}

// buildKernel compiles one source for every card and as PTX. use holds what each card takes.
func buildKernel(c *nvrtc.Compiler, name, source string, headers map[string]string) (files []built, use map[string][]nvrtc.Usage, err error) {
	op := strings.TrimSuffix(name, ".cu")
	arch, version, cubins := ptxArch, ptxVersion, cubins
	if strings.HasSuffix(op, only90) {
		arch, version, cubins = "compute_90a", "8.0", []string{"sm_90a"}
	}
	p, err := c.Compile(name, source, nvrtc.Options{Arch: arch, Lines: true, Headers: headers})
	if err != nil {
		return nil, nil, err
	}
	ptx, err := portable(p.Image, version)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	files, use = append(files, built{op + ".ptx", ptx}), map[string][]nvrtc.Usage{}
	for _, arch := range cubins {
		p, err := c.Compile(name, source, nvrtc.Options{Arch: arch, Headers: headers})
		if err != nil {
			return nil, nil, err
		}
		if strings.Contains(p.Log, "serialized") { // ptxas found no way to let products run beside other work
			return nil, nil, fmt.Errorf("%s for %s: %s", name, arch, p.Log)
		}
		files, use[arch] = append(files, built{op + "." + arch + ".cubin", p.Image}), p.Usage
	}
	return files, use, nil
}

var (
	versionLine = regexp.MustCompile(`(?m)^\.version [0-9.]+$`)
	fileLine    = regexp.MustCompile(`(?m)^(\s*\.file\s+\d+\s+)"[^"]*?([^"/]*)"`)
)

// portable writes version for the compiler's own, and files' names without the folder that the compiler ran in.
func portable(ptx []byte, version string) ([]byte, error) {
	if len(versionLine.FindAll(ptx, -1)) != 1 {
		return nil, errors.New("PTX without one .version line")
	}
	ptx = versionLine.ReplaceAll(ptx, []byte(".version "+version))
	return fileLine.ReplaceAll(ptx, []byte(`$1"$2"`)), nil
}

type built struct {
	name    string
	content []byte
}

// archive packs files so that the same files give the same bytes.
func archive(files []built) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// usageTable is what ptxas says of each kernel on each card, for people who review a kernel.
type usageTable struct {
	mu     sync.Mutex
	hashes map[string]string // of each source
	order  []string          // kernels
	use    map[string]map[string]nvrtc.Usage
}

func (t *usageTable) add(source, hash string, use map[string][]nvrtc.Usage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hashes[source] = hash
	for arch, list := range use {
		for _, u := range list {
			if t.use[u.Kernel] == nil {
				t.use[u.Kernel] = map[string]nvrtc.Usage{}
				t.order = append(t.order, u.Kernel)
			}
			t.use[u.Kernel][arch] = u
		}
	}
}

func (t *usageTable) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What the built kernels use\n\nWritten by `go run ./cmd/gen kernels` with NVRTC %s: PTX for %s (language version %s) and cubins;\nsources in 90 are for compute capability 9.0 alone.\n\n", nvrtc.Release, ptxArch, ptxVersion)
	b.WriteString("Registers per thread as ptxas counts them; `+n` are bytes per thread that did not fit into registers. Shared memory is per block, without\nwhat a launch adds.\n\n| kernel |")
	for _, a := range cubins {
		b.WriteString(" " + a + " |")
	}
	b.WriteString(" shared |\n|---|")
	b.WriteString(strings.Repeat("--:|", len(cubins)+1))
	b.WriteByte('\n')
	sort.Strings(t.order)
	for _, k := range t.order {
		fmt.Fprintf(&b, "| %s |", k)
		shared := 0
		for _, a := range cubins {
			u, ok := t.use[k][a]
			if !ok {
				b.WriteString(" – |")
				continue
			}
			fmt.Fprintf(&b, " %d", u.Registers)
			if u.Spilled > 0 {
				fmt.Fprintf(&b, "+%d", u.Spilled)
			}
			b.WriteString(" |")
			shared = max(shared, u.Shared)
		}
		fmt.Fprintf(&b, " %d |\n", shared)
	}
	b.WriteString("\n| source | hash with its headers |\n|---|---|\n")
	names := make([]string, 0, len(t.hashes))
	for n := range t.hashes {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(&b, "| %s | %s |\n", n, t.hashes[n])
	}
	return b.String()
}

// fetchNVRTC brings the compiler's two libraries into the user's cache, out of NVIDIA's own package.
func fetchNVRTC() error {
	dir, err := nvrtc.CacheDir()
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "tunebook-nvrtc-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.Command("python3", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", tmp, "nvidia-cuda-nvrtc-cu12=="+nvrtc.Release)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kernels: %s: %w", strings.Join(cmd.Args, " "), err)
	}
	wheels, err := filepath.Glob(filepath.Join(tmp, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("kernels: pip brought %d packages (%v); wanted 1", len(wheels), err)
	}
	z, err := zip.OpenReader(wheels[0])
	if err != nil {
		return err
	}
	defer z.Close()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, name := range []string{nvrtc.Builtins, nvrtc.Library} { // the library last: its presence is what Open looks for
		if err := extract(&z.Reader, name, dir); err != nil {
			return err
		}
	}
	return nil
}

// extract writes the one file of that name, wherever it lies in the archive, to dir, whole or not at all.
func extract(z *zip.Reader, name, dir string) error {
	for _, f := range z.File {
		if path.Base(f.Name) != name {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		defer r.Close()
		w, err := os.CreateTemp(dir, name+".*")
		if err != nil {
			return err
		}
		defer os.Remove(w.Name())
		if _, err := io.Copy(w, r); err != nil {
			w.Close()
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		return os.Rename(w.Name(), filepath.Join(dir, name))
	}
	return fmt.Errorf("kernels: no %s in the package", name)
}
