// Package shared finds the folder of models, goldens and data sets that lies beside the module and that tests check
// against. It is no part of the product: a clean clone builds and passes without it.
package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// Required is the environment variable that turns an absent folder from a skipped test into a failed one.
const Required = "CI_SHARED"

// Dir returns the path of ../shared, seen from the module's root. Where there is none the test is skipped, or fails
// when the environment says CI_SHARED=required.
func Dir(t testing.TB) string {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "..", "shared")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		if os.Getenv(Required) == "required" {
			t.Fatalf("shared: no folder %s; %s=required wants one", dir, Required)
		}
		t.Skipf("shared: no folder ../shared beside the module")
	}
	return dir
}

// Root returns the folder of go.mod: the working directory or the nearest one above it.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", &os.PathError{Op: "find go.mod above", Path: start, Err: os.ErrNotExist}
		}
	}
}
