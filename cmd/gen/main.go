// Command gen writes what is generated from Go source: the symbols and the export data of the packages that scripts
// may import (stdlib/symbols), and the assembly of the cpu backend.
//
//	go run ./cmd/gen           writes the files
//	go run ./cmd/gen -check    writes nothing; exits 1 with the list of files that are stale
//	go run ./cmd/gen kernels   compiles the CUDA kernels; -check as above, skipped where their compiler is not installed
//
// The files are the same bytes for the same sources and the same version of Go.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "kernels" {
		if err := runKernels(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
		return
	}
	check := flag.Bool("check", false, "write nothing; fail when a generated file is stale")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	root, err := moduleRoot()
	if err == nil {
		var stale []string
		stale, err = generate(root, *check)
		if *check && len(stale) > 0 {
			fmt.Fprintf(os.Stderr, "stale; run go run ./cmd/gen and commit:\n  %s\n", strings.Join(stale, "\n  "))
			os.Exit(1)
		}
		for _, f := range stale {
			fmt.Println("wrote", f)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// moduleRoot returns the folder of go.mod, from the working directory upwards.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if filepath.Base(mod) != "go.mod" {
		return "", fmt.Errorf("no go.mod above the working directory; run it inside the module %s", module)
	}
	return filepath.Dir(mod), nil
}

// generate makes all files in a scratch folder and moves those that differ to their places, or, with check, only names
// them. A generated file that is no longer made is removed.
func generate(root string, check bool) (stale []string, err error) {
	tmp, err := os.MkdirTemp("", "tunebook-gen-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	jobs := []struct {
		dir   string // relative to root
		make  func(root, out string) error
		owned func(name string) bool // generated files in dir, stale when no longer made
	}{
		{"stdlib/symbols", symbols, func(n string) bool { return strings.HasPrefix(n, "z_") || n == exportsFile }},
		{"engine/backend/cpu", assembly, func(n string) bool { return strings.HasPrefix(n, "z_") }},
	}
	for _, j := range jobs {
		out := filepath.Join(tmp, filepath.FromSlash(j.dir))
		if err := os.MkdirAll(out, 0o777); err != nil {
			return nil, err
		}
		if err := j.make(root, out); err != nil {
			return nil, err
		}
		changed, err := compare(out, filepath.Join(root, filepath.FromSlash(j.dir)), j.owned, check)
		if err != nil {
			return nil, err
		}
		for _, c := range changed {
			stale = append(stale, j.dir+"/"+c)
		}
	}
	sort.Strings(stale)
	return stale, nil
}

// compare returns the names of files under made that differ from those under kept, and of owned files in kept that
// were not made. Unless check is set it also mends them.
func compare(made, kept string, owned func(string) bool, check bool) (changed []string, err error) {
	seen := map[string]bool{}
	err = filepath.WalkDir(made, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(made, path)
		if err != nil {
			return err
		}
		seen[rel] = true
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(kept, rel)
		if have, err := os.ReadFile(to); err == nil && bytes.Equal(have, want) {
			return nil
		}
		changed = append(changed, filepath.ToSlash(rel))
		if check {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return err
		}
		return os.WriteFile(to, want, 0o666)
	})
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(kept)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for _, e := range entries {
		if n := e.Name(); owned(n) && !seen[n] {
			changed = append(changed, n)
			if !check {
				if err := os.Remove(filepath.Join(kept, n)); err != nil {
					return nil, err
				}
			}
		}
	}
	return changed, nil
}

// assembly runs the generator of the cpu backend's kernels.
func assembly(root, out string) error {
	if _, err := os.Stat(filepath.Join(root, "cmd", "gen", "asm")); os.IsNotExist(err) {
		return nil
	}
	cmd := exec.Command("go", "run", "./cmd/gen/asm", "-out", out)
	cmd.Dir = root
	if msg, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cmd/gen/asm: %w\n%s", err, msg)
	}
	return nil
}
