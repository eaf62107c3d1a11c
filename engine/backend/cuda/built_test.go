package cuda

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend/cuda/nvrtc"
)

// TestBuilt holds what is built to its sources where the compiler is not installed: by their hashes.
func TestBuilt(t *testing.T) {
	headers, hashes := map[string]string{}, map[string]string{}
	files, err := filepath.Glob("kernels/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(f) == ".cuh" {
			headers[filepath.Base(f)] = string(b)
		} else {
			hashes[filepath.Base(f)] = string(b)
		}
	}
	var names []string
	for f, source := range hashes {
		hashes[f] = nvrtc.Hash(source, headers)
		names = append(names, strings.TrimSuffix(f, ".cu"))
	}
	slices.Sort(names)
	if !slices.Equal(names, sources) {
		t.Errorf("kernels %q; the backend loads %q", names, sources)
	}
	table, err := os.ReadFile("built/USAGE.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| (\w+\.cu) \| ([0-9a-f]+) \|$`)
	built := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(table), -1) {
		built[m[1]] = m[2]
	}
	for f, want := range hashes {
		if built[f] != want {
			t.Errorf("kernels/%s has hash %s; built holds %q; run go run ./cmd/gen kernels", f, want, built[f])
		}
	}
	for f := range built {
		if hashes[f] == "" {
			t.Errorf("built holds %s, which is no file of kernels", f)
		}
	}
}

// TestImages: every source is there as PTX that old drivers take, and as a cubin for every card.
func TestImages(t *testing.T) {
	for _, s := range sources {
		ptx, err := image(s, "")
		head, cards := "\n.version 7.2\n.target sm_80\n", []string{"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100", "sm_120"}
		if for90(s) {
			head, cards = "\n.version 8.0\n.target sm_90a\n", []string{"sm_90a"}
		}
		if err != nil || !bytes.Contains(ptx, []byte(head)) {
			t.Errorf("%s: PTX of %d bytes, %v; wanted %q", s, len(ptx), err, head)
		}
		if bytes.Contains(ptx, []byte(`"/`)) {
			t.Errorf("%s: the PTX names a folder", s)
		}
		for _, arch := range cards {
			if b, err := image(s, arch); err != nil || !bytes.HasPrefix(b, []byte("\x7fELF")) {
				t.Errorf("%s for %s: %d bytes, %v; wanted a cubin", s, arch, len(b), err)
			}
		}
		if b, err := image(s, "sm_10"); b != nil || err != nil {
			t.Errorf("%s for a card that is not built for: %d bytes, %v", s, len(b), err)
		}
	}
}
