package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
)

func main() {
	fmt.Println(len(os.Args) > 0, os.Getenv("SURELY_NOT_SET") == "")
	os.Setenv("MY_VAR_X", "1")
	v, ok := os.LookupEnv("MY_VAR_X")
	fmt.Println(v, ok, os.ExpandEnv("$MY_VAR_X-${MY_VAR_X}"))
	fmt.Fprintln(os.Stdout, "to stdout")
	fmt.Fprint(os.Stderr, "")
	_, err := os.Open("/nonexistent/file")
	fmt.Println(err)
	var pe *os.PathError
	if errors.As(err, &pe) {
		fmt.Println(pe.Op, pe.Path, errors.Is(err, os.ErrNotExist))
	}
	fmt.Println(filepath.Join("a", "..", "b", "c.txt"), filepath.Ext("x.tar.gz"), filepath.Base("/a/b"), filepath.Dir("/a/b"))
	m, _ := filepath.Match("*.go", "x.go")
	fmt.Println(m, path.Clean("/a/./b//c/.."))

}

// Output:
// true true
// 1 true 1-1
// to stdout
// open /nonexistent/file: no such file or directory
// open /nonexistent/file true
// b/c.txt .gz b /a
// true /a/b
