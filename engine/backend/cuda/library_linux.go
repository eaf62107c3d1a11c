//go:build linux && !nogpu

package cuda

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/ebitengine/purego"
)

// libraryPlaces are where a library of NVIDIA's is looked for: the file that the environment variable names alone, else by names in
// the loader's folders, then by a pattern in the toolkit's and those of Python packages in the active environment.
func libraryPlaces(variable string, names []string, pattern string) []string {
	if p := os.Getenv(variable); p != "" {
		return []string{p}
	}
	places := append([]string{}, names...)
	folders := []string{"/usr/local/cuda*/targets/x86_64-linux/lib", "/usr/local/cuda*/lib64", "/usr/lib/x86_64-linux-gnu"}
	if env := os.Getenv("VIRTUAL_ENV"); env != "" {
		folders = append(folders, filepath.Join(env, "lib/python3*/site-packages/nvidia/*/lib"))
	}
	for _, f := range folders {
		found, _ := filepath.Glob(filepath.Join(f, pattern)) // an error means a wrong pattern
		sort.Sort(sort.Reverse(sort.StringSlice(found)))
		places = append(places, found...)
	}
	return places
}

// bindLibrary points functions at those of the first library of places that can be loaded, and returns its place. without says in
// half a sentence what a machine without one does and where it comes from.
func bindLibrary(name string, places []string, functions map[string]any, without string) (string, error) {
	var failed []error
	for _, p := range places {
		h, err := purego.Dlopen(p, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if err != nil {
			if filepath.IsAbs(p) {
				failed = append(failed, err)
			}
			continue
		}
		if missing := bind(h, functions); missing != "" {
			return "", fmt.Errorf("cuda: %s %s has no %s", name, p, missing)
		}
		return p, nil
	}
	if len(failed) > 0 {
		return "", fmt.Errorf("cuda: %s: %w", name, errors.Join(failed...))
	}
	return "", fmt.Errorf("cuda: no %s (%s); %s", name, strings.Join(places, ", "), without)
}
