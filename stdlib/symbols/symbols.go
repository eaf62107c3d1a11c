// Package symbols holds what an interpreted script sees of compiled packages: their values, by reflection, and their
// types and doc comments, as embedded export data. All of it but this file is written by cmd/gen from one list of
// allowed packages.
package symbols

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"sort"
	"sync"
)

//go:embed exports.zip
var archive []byte

type entry struct {
	name   string
	values func() map[string]reflect.Value
}

var packages = map[string]entry{}

func register(path, name string, values func() map[string]reflect.Value) {
	packages[path] = entry{name, values}
}

// Paths returns the import paths of all packages that a script may import, sorted.
func Paths() []string {
	paths := make([]string, 0, len(packages))
	for p := range packages {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	return paths
}

// Name returns the name in a package's package clause, "" for a package that is not here.
func Name(path string) string { return packages[path].name }

// Values returns a package's exported functions, variables (addressable), constants and types (as nil pointers), and
// under "_Name" the stand-in for interface Name. It is nil for a package that is not here.
func Values(path string) map[string]reflect.Value {
	if e, ok := packages[path]; ok {
		return e.values()
	}
	return nil
}

var index = sync.OnceValues(func() (map[string]*zip.File, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	m := map[string]*zip.File{}
	for _, f := range z.File {
		m[f.Name] = f
	}
	return m, nil
})

func read(name string) ([]byte, error) {
	m, err := index()
	if err != nil {
		return nil, err
	}
	f, ok := m[name]
	if !ok {
		return nil, fmt.Errorf("symbols: no entry %s", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Types returns a package's types in the form that golang.org/x/tools/go/gcexportdata reads.
func Types(path string) ([]byte, error) { return read(path + ".types") }

// Docs returns a package's doc comments by name: "" for the package, "Name", "Type.Method".
func Docs(path string) (map[string]string, error) {
	text, err := read(path + ".docs")
	if err != nil {
		return nil, err
	}
	var m map[string]string
	return m, json.Unmarshal(text, &m)
}
