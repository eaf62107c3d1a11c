package cell

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/tools/go/gcexportdata"
)

// Packages says what a script may import.
type Packages struct {
	Paths func() []string
	Name  func(path string) string          // the package's own name; empty for one that is not there
	Types func(path string) ([]byte, error) // its types, as gcexportdata reads them
}

// Scope is what a session has declared so far. It is not for use by several goroutines at once.
type Scope struct {
	fset    *token.FileSet
	pkgs    Packages
	native  map[string]*types.Package // compiled packages, as far as they were read
	sources map[string]*source        // by the short id that stands in positions

	imports map[string]string // name in scripts to path; what the user imported
	preset  map[string]string // names that need no import
	decls   []*decl
	vars    map[string]*variable

	given     map[string]int      // interpreter's names given out
	instances map[string]string   // instance of a generic function or type to the interpreter's name
	imported  map[string]bool     // paths that the interpreter knows
	dirty     map[string]bool     // names whose meaning changed since their users were compiled
	types     []*Type             // descriptions, by number
	typeIDs   map[string]int      // and their numbers by key
	marks     []token.Position    // positions by the numbers that lowered code carries
	prelude   map[string]*prelude // our own source of the standard library's generic functions
	text      map[*token.File]string
	cells     int
	hidden    int // names of replaced declarations given out
	local     *locals
}

// source is the text of one cell or file.
type source struct {
	name  string
	lines []string
}

// decl is one live declaration at package level: a func, a method, a type, a const group, or (of a file) a var.
type decl struct {
	file       *ast.File // package main, the imports it uses, the declaration
	node       ast.Decl
	names      []string // what it declares; "T.M" for a method
	text       string   // to see whether a second one is the same
	unresolved []*ast.Ident
	code       string            // interpreter's name of a func, a type or the variable of a method
	holds      string            // of a method: the type of that variable
	uses       map[string]bool   // package-level names it refers to
	frozen     bool              // replaced or stale: its body is not checked any more
	body       *ast.BlockStmt    // kept when frozen takes it out of the AST
	from       token.Position    // where it was written
	isNew      bool              // part of the cell that is being checked
	imports    map[string]string // what its file imports
}

// variable is one live variable at package level.
type variable struct {
	name string
	typ  types.Type // as of the last check
	code string     // interpreter's name
}

// NewScope returns an empty scope. preset names packages that need no import: name in scripts to path.
func NewScope(pkgs Packages, preset map[string]string) *Scope {
	return &Scope{
		fset: token.NewFileSet(), pkgs: pkgs, native: map[string]*types.Package{}, sources: map[string]*source{},
		imports: map[string]string{}, preset: preset, vars: map[string]*variable{},
		given: map[string]int{}, instances: map[string]string{}, imported: map[string]bool{}, dirty: map[string]bool{},
		prelude: map[string]*prelude{}, typeIDs: map[string]int{},
	}
}

// scriptName returns the package and name under which scripts can write a compiled type: its own where its package is
// available, else those of an alias in one that is (a facade that hands out a type of the library below it). Both are
// empty where there is neither.
func (s *Scope) scriptName(o *types.TypeName) (path, name string) {
	if s.pkgs.Name(o.Pkg().Path()) != "" {
		return o.Pkg().Path(), o.Name()
	}
	paths := slices.Sorted(maps.Values(s.preset))
	for p := range s.native {
		paths = append(paths, p)
	}
	for _, p := range paths {
		pkg, err := s.Import(p)
		if err != nil {
			continue
		}
		for _, n := range pkg.Scope().Names() {
			a, ok := pkg.Scope().Lookup(n).(*types.TypeName)
			if !ok || !a.IsAlias() || !a.Exported() {
				continue
			}
			if t, ok := types.Unalias(a.Type()).(*types.Named); ok && t.Obj().Pkg() == o.Pkg() && t.Obj().Name() == o.Name() {
				return p, n
			}
		}
	}
	return "", ""
}

// Import reads a compiled package's types. It is the importer of go/types.
func (s *Scope) Import(p string) (*types.Package, error) {
	if p == "unsafe" {
		return nil, fmt.Errorf("package unsafe is not available to scripts")
	}
	if pkg := s.native[p]; pkg != nil && pkg.Complete() {
		return pkg, nil
	}
	if s.local != nil {
		if l := s.local.known[p]; l != nil && l.pkg != nil {
			return l.pkg, nil
		}
	}
	if s.pkgs.Name(p) == "" {
		if pkg := s.native[p]; pkg != nil {
			// A library below a facade: scripts cannot import it (parse says so), but variables can be of its types.
			pkg.MarkComplete()
			return pkg, nil
		}
		return nil, fmt.Errorf("package %q is not available to scripts%s", p, s.near(p))
	}
	data, err := s.pkgs.Types(p)
	if err != nil {
		return nil, err
	}
	return gcexportdata.Read(bytes.NewReader(data), s.fset, s.native, p)
}

// near names an allowed package that the user may have meant.
func (s *Scope) near(p string) string {
	for _, q := range s.pkgs.Paths() {
		if path.Base(q) == path.Base(p) {
			return fmt.Sprintf("; did you mean %q?", q)
		}
	}
	return ""
}

// name gives out an interpreter's name for a package-level object: the name itself where it is free.
func (s *Scope) name(base string) string {
	n := s.given[base]
	s.given[base]++
	if n == 0 && types.Universe.Lookup(base) == nil && base != "main" && base != "init" && base != "_" {
		return base
	}
	return fmt.Sprintf("%s__%d", base, n+1)
}

// alias is the interpreter's name of an imported package.
func alias(p string) string {
	return "p_" + strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(p)
}

// addSource registers a text under a new short id, which stands in every position that comes from it.
func (s *Scope) addSource(name, text string) string {
	s.cells++
	id := "c" + strconv.Itoa(s.cells)
	s.sources[id] = &source{name, strings.Split(text, "\n")}
	return id
}

// at makes an Error of a position and a message.
func (s *Scope) at(p token.Position, msg string) *Error {
	e := &Error{Cell: p.Filename, Line: p.Line, Col: p.Column, Msg: clean(msg)}
	if src := s.sources[p.Filename]; src != nil {
		e.Cell = src.name
		if p.Line >= 1 && p.Line <= len(src.lines) {
			e.Source = src.lines[p.Line-1]
		}
	}
	return e
}

// Mark returns the place that lowered code meant by a number, as an Error without a message.
func (s *Scope) Mark(n int) *Error {
	if n <= 0 || n > len(s.marks) {
		return &Error{}
	}
	return s.at(s.marks[n-1], "")
}

// At returns the place that a position of lowered code ("c3:17:5") stands for.
func (s *Scope) At(id string, line, col int) *Error {
	return s.at(token.Position{Filename: id, Line: line, Column: col}, "")
}

func (s *Scope) mark(p token.Pos) int {
	s.marks = append(s.marks, s.fset.Position(p))
	return len(s.marks)
}

// hiddenMark separates a name from what makes it differ from the user's name of the same spelling. It is a letter to
// Go and to nobody else.
const hiddenMark = "ǀ"

// qualified is how go/types writes a type whose package has the name of another one: "tunebook/stdlib/data".Set.
var qualified = regexp.MustCompile(`"[\w./-]+/([\w-]+)"\.`)

// ofScript is the package of a script's own names, where it is no part of a word or of a text.
var ofScript = regexp.MustCompile(`(^|[^\pL\d_"/.])main\.`)

// clean takes hidden names and paths of packages out of a message.
func clean(msg string) string {
	msg = qualified.ReplaceAllString(msg, "$1.")
	for {
		i := strings.Index(msg, hiddenMark)
		if i < 0 {
			return ofScript.ReplaceAllString(msg, "$1")
		}
		j := i + len(hiddenMark)
		for j < len(msg) && (msg[j] >= '0' && msg[j] <= '9' || msg[j] >= 'a' && msg[j] <= 'z') {
			j++
		}
		what := ""
		if strings.HasPrefix(msg[i+len(hiddenMark):j], "o") {
			what = " (the old one)"
		}
		msg = msg[:i] + what + msg[j:]
	}
}

// Var is what a session can say of one of its variables.
type Var struct{ Name, Type string }

// Vars returns the live variables, sorted by name.
func (s *Scope) Vars() []Var {
	var vs []Var
	for _, v := range s.vars {
		if !strings.Contains(v.name, hiddenMark) {
			vs = append(vs, Var{v.name, TypeString(v.typ)})
		}
	}
	sort.Slice(vs, func(i, j int) bool { return vs[i].Name < vs[j].Name })
	return vs
}

// TypeString returns a type as scripts write it: package names without paths, and none for the script's own types.
func TypeString(t types.Type) string {
	if t == nil {
		return ""
	}
	return clean(types.TypeString(t, func(p *types.Package) string {
		if p.Path() == "main" {
			return ""
		}
		return p.Name()
	}))
}

// packageOf returns the path that name stands for, "" when it is no package here.
func (s *Scope) packageOf(name string) string {
	if p, ok := s.imports[name]; ok {
		return p
	}
	if s.vars[name] != nil || s.declOf(name) != nil {
		return ""
	}
	return s.preset[name]
}

// declOf returns the live declaration of a name, or nil.
func (s *Scope) declOf(name string) *decl {
	for _, d := range s.decls {
		for _, n := range d.names {
			if n == name {
				return d
			}
		}
	}
	return nil
}
