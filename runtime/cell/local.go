package cell

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// A notebook may import Go packages that lie in its folder, or elsewhere in its module. Such a package is type-checked as
// a package of its own; then its declarations become the script's, under names that no script can write (the name, a mark,
// the package's number), and go the way of everything else that a script declares. Line directives keep every place in the
// package's own files.

// Folder is where a notebook's local packages are looked for.
type Folder struct {
	Dir    string // the notebook's folder
	Root   string // that of its module, or Dir where there is no go.mod
	Module string // the module's path; empty where there is no go.mod
}

// FolderOf returns the folder of a notebook, and the module that it lies in.
func FolderOf(notebook string) (Folder, error) {
	dir, err := filepath.Abs(filepath.Dir(notebook))
	if err != nil {
		return Folder{}, err
	}
	f := Folder{Dir: dir, Root: dir}
	for d := dir; ; d = filepath.Dir(d) {
		b, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil {
			if f.Module = modfile.ModulePath(b); f.Module == "" {
				return f, fmt.Errorf("%s names no module", filepath.Join(d, "go.mod"))
			}
			f.Root = d
			return f, nil
		}
		if d == filepath.Dir(d) {
			return f, nil
		}
	}
}

// locals are the local packages of a scope.
type locals struct {
	folder Folder
	known  map[string]*local // by import path
	order  []*local          // each after those that it imports
	names  map[string]*local // of a session: by the name that cells import them under
	ids    map[string]*local // by the id of each source file
}

// local is one local package.
type local struct {
	path, dir string
	number    int
	pkg       *types.Package
	info      *types.Info
	files     []*ast.File
	loaded    bool // of a session: its variables have their values
	loading   bool
}

// Beside lets scripts import the packages of a folder.
func (s *Scope) Beside(f Folder) {
	s.local = &locals{folder: f, known: map[string]*local{}, names: map[string]*local{}, ids: map[string]*local{}}
}

// dirOf returns the folder of a local package. ok is false for a path that is none; err says why one that is local by its
// form cannot be had.
func (s *Scope) dirOf(p string) (dir string, ok bool, err error) {
	if s.local == nil || s.pkgs.Name(p) != "" {
		return "", false, nil
	}
	f := s.local.folder
	relative := p == "." || p == ".." || strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../")
	switch {
	case relative && f.Module != "":
		want := path.Join(f.Module, filepath.ToSlash(rel(f.Root, f.Dir)), p)
		return "", true, fmt.Errorf("in a module a package has its full path; write %q instead of %q", want, p)
	case relative:
		dir = filepath.Join(f.Dir, filepath.FromSlash(p))
	case f.Module != "" && (p == f.Module || strings.HasPrefix(p, f.Module+"/")):
		dir = filepath.Join(f.Root, filepath.FromSlash(strings.TrimPrefix(strings.TrimPrefix(p, f.Module), "/")))
		if s.compiledFrom(f.Module) && !within(f.Dir, dir) {
			// The module of the compiled packages: what lies above the notebook is the program itself.
			return "", false, nil
		}
	default:
		return "", false, nil
	}
	if !within(f.Root, dir) {
		return "", true, fmt.Errorf("package %q lies outside %s, the folder of the notebook; only what lies in it can be imported", p, f.Root)
	}
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return "", true, fmt.Errorf("there is no folder %s for package %q", dir, p)
	}
	return dir, true, nil
}

// compiledFrom reports that compiled packages come from a module.
func (s *Scope) compiledFrom(module string) bool {
	return slices.ContainsFunc(s.pkgs.Paths(), func(p string) bool { return strings.HasPrefix(p, module+"/") })
}

func rel(base, p string) string {
	r, err := filepath.Rel(base, p)
	if err != nil {
		return p
	}
	return r
}

// within reports that p is dir or lies below it, with links followed.
func within(dir, p string) bool {
	for _, q := range []*string{&dir, &p} {
		if r, err := filepath.EvalSymlinks(*q); err == nil {
			*q = r
		}
	}
	r, err := filepath.Rel(dir, p)
	return err == nil && r != ".." && !strings.HasPrefix(r, ".."+string(filepath.Separator))
}

// load reads and checks a local package and those that it imports. at is the import that asks for it.
func (s *Scope) load(p string, at token.Pos, from []string) (*local, Errors) {
	fail := func(format string, a ...any) (*local, Errors) {
		return nil, Errors{s.at(s.fset.Position(at), fmt.Sprintf(format, a...))}
	}
	if l := s.local.known[p]; l != nil {
		if l.loading {
			i := slices.Index(from, p)
			return fail("import cycle: %s", strings.Join(append(from[max(i, 0):len(from):len(from)], p), " imports "))
		}
		return l, nil
	}
	dir, _, err := s.dirOf(p)
	if err != nil {
		return fail("%v", err)
	}
	l := &local{path: p, dir: dir, number: len(s.local.known) + 1, info: newInfo(), loading: true}
	s.local.known[p] = l
	drop := func(errs Errors) (*local, Errors) {
		delete(s.local.known, p)
		return nil, errs
	}
	names, err := goFiles(dir)
	if err != nil {
		delete(s.local.known, p)
		return fail("package %q: %v", p, err)
	}
	var errs Errors
	for _, n := range names {
		text, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil {
			delete(s.local.known, p)
			return fail("package %q: %v", p, err)
		}
		q := &parsed{id: s.addSource(s.show(filepath.Join(dir, n)), string(text))}
		s.local.ids[q.id] = l
		f := s.parseFile(q, fmt.Sprintf("/*line %s:1:1*/", q.id)+string(text), nil)
		errs = append(errs, q.errs...)
		if f == nil {
			continue
		}
		l.files = append(l.files, f)
		bad := func(pos token.Pos, msg string) { errs = append(errs, s.at(s.fset.Position(pos), msg)) }
		if f.Name.Name == "main" {
			bad(f.Name.Pos(), "package main is a program and cannot be imported")
		}
		for _, g := range f.Comments {
			for _, c := range g.List {
				if strings.HasPrefix(c.Text, "//go:embed ") || strings.HasPrefix(c.Text, "//go:linkname ") {
					d, _, _ := strings.Cut(c.Text, " ")
					bad(c.Pos(), d+" means nothing to an interpreted package")
				}
			}
		}
		for _, spec := range f.Imports {
			q, _ := strconv.Unquote(spec.Path.Value)
			if spec.Name != nil && spec.Name.Name == "." {
				bad(spec.Pos(), "import . is not supported in scripts; import "+spec.Path.Value+" under its name")
				continue
			}
			if _, isLocal, _ := s.dirOf(q); isLocal {
				if _, more := s.load(q, spec.Pos(), append(from[:len(from):len(from)], p)); more != nil {
					errs = append(errs, more...)
				}
			} else if s.pkgs.Name(q) == "" {
				bad(spec.Path.Pos(), fmt.Sprintf("package %q is not available to scripts%s", q, s.near(q)))
			}
		}
	}
	if len(errs) > 0 {
		return drop(errs)
	}
	conf := types.Config{Importer: s, GoVersion: "go1.26", Sizes: types.SizesFor("gc", runtime.GOARCH), Error: func(err error) {
		if e, ok := err.(types.Error); ok && !strings.HasPrefix(e.Msg, "\t") {
			errs = append(errs, s.at(s.fset.Position(e.Pos), e.Msg))
		}
	}}
	l.pkg, _ = conf.Check(p, s.fset, l.files, l.info)
	if len(errs) > 0 {
		return drop(errs.sorted())
	}
	l.loading = false
	s.local.order = append(s.local.order, l)
	return l, nil
}

// show is how errors call a file: by its path from where the program was started, when it lies there.
func (s *Scope) show(file string) string {
	if wd, err := os.Getwd(); err == nil && within(wd, file) {
		return rel(wd, file)
	}
	return file
}

// goFiles returns the files of a package that would be compiled here.
func goFiles(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	ctx := build.Default
	ctx.CgoEnabled = false
	var names []string
	for _, e := range list {
		n := e.Name()
		if e.IsDir() || !strings.HasSuffix(n, ".go") || strings.HasSuffix(n, "_test.go") || e.Type()&(fs.ModeDevice|fs.ModeNamedPipe) != 0 {
			continue
		}
		if ok, err := ctx.MatchFile(dir, n); err != nil {
			return nil, err
		} else if ok {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s holds no Go files for this system", dir)
	}
	sort.Strings(names)
	return names, nil
}

// LocalFiles returns the files of the local packages that were imported, in the order of their paths.
func (s *Scope) LocalFiles() (files []string) {
	if s.local == nil {
		return nil
	}
	for _, l := range s.local.order {
		names, _ := goFiles(l.dir)
		for _, n := range names {
			files = append(files, filepath.Join(l.dir, n))
		}
	}
	sort.Strings(files)
	return files
}
