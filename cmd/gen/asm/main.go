// Command asm writes the assembly of engine/backend/cpu: *_amd64.s and the Go declarations in *_amd64.go.
//
//	go run ./cmd/gen/asm             writes into engine/backend/cpu (run it in the module's root)
//	go run ./cmd/gen/asm -out DIR    writes into DIR, so that a check can compare
//
// Each kernel is written once here and emitted twice, for AVX2 with FMA and for AVX-512. The output depends on nothing
// but this package and avo's version.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// files are the generated pairs: the name says what is in them.
var files = []struct {
	name string
	emit func(*gen)
}{
	{"tile", emitTiles},
	{"pairtile", emitPairTiles},
	{"dotrows", emitDotRows},
	{"pack", emitPack},
	{"expand", emitExpand},
	{"dotpacked", emitDotPacked},
	{"int8", emitInt8},
	{"vector", emitVector},
	{"softmax", emitSoftmax},
	{"peak", emitPeaks},
}

func main() {
	fs := flag.NewFlagSet("asm", flag.ExitOnError) // avo has put its own flags into the default set
	out := fs.String("out", filepath.Join("engine", "backend", "cpu"), "directory to write to")
	fs.Parse(os.Args[1:])
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "asm:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	for _, f := range files {
		g := &gen{Context: build.NewContext()}
		g.data()
		for _, isa := range []isa{avx2, avx512} {
			g.isa = isa
			f.emit(g)
		}
		file, err := g.Result()
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := pass.Concat(pass.Compile, pass.Func(encode)).Execute(file); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		cfg := printer.Config{Name: "cmd/gen/asm", Pkg: "cpu"}
		if err := write(filepath.Join(out, f.name+"_amd64.s"), printer.NewGoAsm(cfg), file); err != nil {
			return err
		}
		if err := write(filepath.Join(out, f.name+"_amd64.go"), printer.NewStubs(cfg), file); err != nil {
			return err
		}
	}
	return nil
}

func write(path string, p printer.Printer, file *ir.File) error {
	b, err := p.Print(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, append(bytes.TrimRight(b, "\n"), '\n'), 0o644)
}
