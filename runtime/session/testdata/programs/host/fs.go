package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	d, _ := os.MkdirTemp("", "x")
	defer os.RemoveAll(d)
	p := filepath.Join(d, "f.txt")
	fmt.Println(os.WriteFile(p, []byte("a\nb\n"), 0o600))
	b, err := os.ReadFile(p)
	fmt.Printf("%q %v\n", b, err)
	_, err = os.Stat(filepath.Join(d, "none"))
	fmt.Println(errors.Is(err, fs.ErrNotExist), os.IsNotExist(err))
	var pe *fs.PathError
	fmt.Println(errors.As(err, &pe), pe.Op)
	n := 0
	filepath.WalkDir(d, func(path string, e fs.DirEntry, err error) error {
		if !e.IsDir() {
			n++
			fmt.Println(e.Name())
		}
		return err
	})
	f, _ := os.Create(p)
	fmt.Fprintln(f, "new")
	f.Close()
	f, _ = os.Open(p)
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Scan()
	fmt.Println(sc.Text(), n)

}

// Output:
// <nil>
// "a\nb\n" <nil>
// true true
// true stat
// f.txt
// new 1
