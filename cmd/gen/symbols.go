package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"go/constant"
	"go/format"
	"go/token"
	"go/types"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/tools/go/gcexportdata"
)

// exportsFile holds one entry per package: its types, for the checker of cells, and its doc comments, for :help.
const exportsFile = "exports.zip"

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Export     string
	Dir        string
	GoFiles    []string
	Standard   bool
}

// symbols writes one Go file of values per allowed package, and their types and docs in one archive.
func symbols(root, out string) error {
	pkgs, err := list(root)
	if err != nil {
		return err
	}
	exports := map[string]string{}
	for _, p := range pkgs {
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	imports := map[string]*types.Package{}
	load := func(path string) (*types.Package, error) {
		f, err := os.Open(exports[path])
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r, err := gcexportdata.NewReader(f)
		if err != nil {
			return nil, err
		}
		return gcexportdata.Read(r, fset, imports, path)
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	add := func(name string, data []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	for _, p := range pkgs {
		if !allowed(p) {
			continue
		}
		pkg, err := load(p.ImportPath)
		if err != nil {
			return fmt.Errorf("types of %s: %w", p.ImportPath, err)
		}
		src, err := symbolFile(pkg)
		if err != nil {
			return fmt.Errorf("symbols of %s: %w", p.ImportPath, err)
		}
		name := "z_" + strings.ReplaceAll(strings.TrimPrefix(p.ImportPath, module+"/"), "/", "_") + ".go"
		if err := os.WriteFile(filepath.Join(out, name), src, 0o666); err != nil {
			return err
		}
		// A fresh FileSet knows none of the positions, so that no path of this machine is written.
		var buf bytes.Buffer
		if err := gcexportdata.Write(&buf, token.NewFileSet(), pkg); err != nil {
			return fmt.Errorf("export data of %s: %w", p.ImportPath, err)
		}
		if err := add(p.ImportPath+".types", buf.Bytes()); err != nil {
			return err
		}
		docs, err := docsOf(p)
		if err != nil {
			return fmt.Errorf("docs of %s: %w", p.ImportPath, err)
		}
		text, err := json.Marshal(docs)
		if err != nil {
			return err
		}
		if err := add(p.ImportPath+".docs", text); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, exportsFile), archive.Bytes(), 0o666)
}

// list asks the go command for the allowed packages that exist and for all that they depend on.
func list(root string) ([]listed, error) {
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles,Standard"}
	args = append(args, standard...)
	for _, s := range script {
		files, err := filepath.Glob(filepath.Join(root, "stdlib", s, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if !strings.HasSuffix(f, "_test.go") {
				args = append(args, module+"/stdlib/"+s)
				break
			}
		}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	// The types of the standard library must not depend on where the generator runs.
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	var msg bytes.Buffer
	cmd.Stderr = &msg
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, msg.String())
	}
	var pkgs []listed
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
	sort.Slice(pkgs, func(i, j int) bool { return pkgs[i].ImportPath < pkgs[j].ImportPath })
	return pkgs, nil
}

func allowed(p listed) bool {
	for _, s := range script {
		if p.ImportPath == module+"/stdlib/"+s {
			return true
		}
	}
	for _, s := range standard {
		if p.ImportPath == s {
			return true
		}
	}
	return false
}

// symbolFile returns the Go source that registers pkg's exported values, variables (by address), types (as nil
// pointers) and, for each interface, a struct of functions that lets an interpreted type stand in for it.
func symbolFile(pkg *types.Package) ([]byte, error) {
	g := &generator{pkg: pkg, imports: map[string]string{"reflect": "reflect", pkg.Path(): pkg.Name()}}
	if pkg.Path() == "reflect" {
		g.imports = map[string]string{"reflect": "reflect"}
	}
	var entries, wrappers []string
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		o := scope.Lookup(name)
		if !o.Exported() {
			continue
		}
		q := pkg.Name() + "." + name
		switch o := o.(type) {
		case *types.Const:
			entries = append(entries, fmt.Sprintf("%q: reflect.ValueOf(%s)", name, g.constant(q, o)))
		case *types.Var:
			entries = append(entries, fmt.Sprintf("%q: reflect.ValueOf(&%s).Elem()", name, q))
		case *types.Func:
			if o.Signature().TypeParams().Len() == 0 {
				entries = append(entries, fmt.Sprintf("%q: reflect.ValueOf(%s)", name, q))
			}
		case *types.TypeName:
			if t, ok := o.Type().(interface{ TypeParams() *types.TypeParamList }); ok && t.TypeParams().Len() > 0 {
				continue
			}
			it, isInterface := o.Type().Underlying().(*types.Interface)
			if isInterface && !it.IsMethodSet() {
				continue // a constraint is not the type of a value
			}
			entries = append(entries, fmt.Sprintf("%q: reflect.ValueOf((*%s)(nil))", name, q))
			if isInterface {
				w := "_" + strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(pkg.Path()) + "_" + name
				entries = append(entries, fmt.Sprintf("%q: reflect.ValueOf((*%s)(nil))", "_"+name, w))
				wrappers = append(wrappers, g.wrapper(w, q, it))
			}
		}
	}
	sort.Strings(entries)
	if len(entries) == 0 {
		delete(g.imports, pkg.Path())
	}

	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated by cmd/gen from %s. DO NOT EDIT.\n\npackage symbols\n\nimport (\n", pkg.Path())
	paths := make([]string, 0, len(g.imports))
	for p := range g.imports {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	for _, p := range paths {
		fmt.Fprintf(&b, "%s %q\n", g.imports[p], p)
	}
	fmt.Fprintf(&b, ")\n\nfunc init() {\nregister(%q, %q, func() map[string]reflect.Value {\nreturn map[string]reflect.Value{\n", pkg.Path(), pkg.Name())
	for _, e := range entries {
		fmt.Fprintf(&b, "%s,\n", e)
	}
	b.WriteString("}\n})\n}\n")
	for _, w := range wrappers {
		b.WriteString("\n" + w)
	}
	src, err := format.Source(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, b.String())
	}
	return src, nil
}

type generator struct {
	pkg     *types.Package
	imports map[string]string // path to name
}

func (g *generator) qualify(p *types.Package) string {
	if n, ok := g.imports[p.Path()]; ok {
		return n
	}
	name := p.Name()
	for again := true; again; {
		again = false
		for _, n := range g.imports {
			if n == name {
				name += "_"
				again = true
			}
		}
	}
	g.imports[p.Path()] = name
	return name
}

// constant returns the expression for a constant's value. An untyped number keeps its full precision.
func (g *generator) constant(name string, c *types.Const) string {
	b, ok := c.Type().(*types.Basic)
	if !ok || b.Info()&types.IsUntyped == 0 {
		return name
	}
	var tok, lit string
	switch v := c.Val(); v.Kind() {
	case constant.Int:
		tok, lit = "INT", v.ExactString()
	case constant.Float:
		tok = "FLOAT"
		f, ok := constant.Val(v).(*big.Float)
		if !ok {
			f = new(big.Float).SetRat(constant.Val(v).(*big.Rat))
		}
		lit = f.Text('g', int(f.Prec()))
	default:
		return name
	}
	if b.Kind() == types.UntypedRune {
		return name
	}
	g.imports["go/constant"], g.imports["go/token"] = "constant", "token"
	return fmt.Sprintf("constant.MakeFromLiteral(%q, token.%s, 0)", lit, tok)
}

// wrapper returns the struct type that an interpreted value is put into where the interface q is wanted. The field and
// type names are the interpreter's convention.
func (g *generator) wrapper(w, q string, it *types.Interface) string {
	var fields, methods strings.Builder
	for i := range it.NumMethods() {
		m := it.Method(i)
		if !m.Exported() {
			continue
		}
		sig := m.Signature()
		var params, args, results []string
		for j := range sig.Params().Len() {
			t := types.TypeString(sig.Params().At(j).Type(), g.qualify)
			a := fmt.Sprintf("a%d", j)
			if sig.Variadic() && j == sig.Params().Len()-1 {
				params, args = append(params, a+" ..."+t[2:]), append(args, a+"...")
			} else {
				params, args = append(params, a+" "+t), append(args, a)
			}
		}
		for j := range sig.Results().Len() {
			results = append(results, types.TypeString(sig.Results().At(j).Type(), g.qualify))
		}
		tail := fmt.Sprintf("(%s) (%s)", strings.Join(params, ", "), strings.Join(results, ", "))
		fmt.Fprintf(&fields, "W%s func%s\n", m.Name(), tail)
		ret := ""
		if len(results) > 0 {
			ret = "return "
		}
		guard := ""
		if m.Name() == "String" {
			guard = "if w.WString == nil {\nreturn \"\"\n}\n"
		}
		fmt.Fprintf(&methods, "func (w %s) %s%s {\n%s%sw.W%s(%s)\n}\n", w, m.Name(), tail, guard, ret, m.Name(), strings.Join(args, ", "))
	}
	return fmt.Sprintf("// %s stands in for %s.\ntype %s struct {\nIValue any\n%s}\n\n%s", w, q, w, fields.String(), methods.String())
}
