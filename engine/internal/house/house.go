// Package house checks the rules of the house: which floor may import which, where files lie, and what may stand in them.
// Its test applies them to this module; they are asked of no one, they are enforced.
package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// module is the import path that all floors begin with.
const module = "tunebook/"

// handed is the package of symbols that cmd hands to runtime; runtime's tests have no cmd above them and take it
// themselves.
const handed = "tunebook/stdlib/symbols"

// folders are the top-level folders. A new one is a decision about the plan of the house.
var folders = map[string]bool{"cmd": true, "runtime": true, "stdlib": true, "engine": true, "notebooks": true, ".ci": true}

// forbidden says which floors each floor may not import.
var forbidden = map[string][]string{
	"engine":  {"stdlib", "runtime", "cmd", "notebooks"},
	"runtime": {"engine", "stdlib", "cmd", "notebooks"},
	"stdlib":  {"runtime", "cmd", "notebooks"},
}

// maxLines is about how long a file of code may be that a person reads.
const maxLines = 800

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// machine matches what ties text to one machine or one registry: home and work folders, hosts that packages are fetched
// from. It is put together from pieces so that this file does not match itself.
var machine = regexp.MustCompile(`(^|[\s"'` + "`" + `(=:])/(` + strings.Join([]string{"work", "root", "home", "Users"}, "|") + `)/[\w.]|` +
	`\b(` + strings.Join([]string{`proxy\.golang` + `\.org`, `sum\.golang` + `\.org`, `pypi` + `\.org`, `pythonhosted` + `\.org`, `registry\.npmjs` + `\.org`, `crates` + `\.io`}, "|") + `)\b`)

// Violations returns what breaks the rules in a module of these files (slash-separated path to content), sorted.
func Violations(files map[string][]byte) []string {
	var bad []string
	say := func(file, format string, args ...any) {
		bad = append(bad, file+": "+fmt.Sprintf(format, args...))
	}
	documented := map[string]bool{} // packages by folder
	for name, content := range files {
		floor, _, nested := strings.Cut(name, "/")
		if nested && !folders[floor] {
			say(name, "top-level folder %q; wanted one of cmd, runtime, stdlib, engine, notebooks, .ci", floor)
		}
		if path.Dir(name) == "runtime" && strings.HasSuffix(name, ".go") {
			say(name, "a Go file at the root of runtime would shadow Go's own package; wanted a folder of its own")
		}
		if bytes.IndexByte(content, 0) < 0 { // text
			if at := machine.FindIndex(content); at != nil {
				say(fmt.Sprintf("%s:%d", name, 1+bytes.Count(content[:at[1]], []byte("\n"))), "%q names a machine or a registry", bytes.TrimSpace(content[at[0]:at[1]]))
			}
		}
		if strings.HasSuffix(name, ".go") && !strings.Contains("/"+name, "/testdata/") {
			goFile(name, content, floor, documented, say)
		}
	}
	for folder, ok := range documented {
		if !ok && !strings.HasPrefix(folder+"/", "notebooks/") { // a notebook says what it is in a text cell
			say(folder, "the package has no doc comment; wanted one that begins with \"Package NAME\" or \"Command NAME\"")
		}
	}
	sort.Strings(bad)
	return bad
}

func goFile(name string, content []byte, floor string, documented map[string]bool, say func(file, format string, args ...any)) {
	f, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		say(name, "%v", err)
		return
	}
	if lines := bytes.Count(content, []byte("\n")); lines > maxLines && !generated.Match(content) {
		say(name, "%d lines; wanted at most %d", lines, maxLines)
	}
	for _, im := range f.Imports {
		p, _ := strconv.Unquote(im.Path.Value) // the parser accepted it
		if p == "C" {
			say(name, "imports C; the binary is built without cgo")
		}
		for _, other := range forbidden[floor] {
			if p == module+other || strings.HasPrefix(p, module+other+"/") {
				if p == handed && floor == "runtime" && strings.HasSuffix(name, "_test.go") {
					continue
				}
				say(name, "%s imports %s; wanted no import of %s", floor, p, other)
			}
		}
	}
	if !strings.HasSuffix(name, "_test.go") {
		folder := path.Dir(name)
		documented[folder] = documented[folder] || hasDoc(f)
	}
}

func hasDoc(f *ast.File) bool {
	text := f.Doc.Text()
	if f.Name.Name == "main" {
		return strings.HasPrefix(text, "Command ")
	}
	return strings.HasPrefix(text, "Package "+f.Name.Name+" ")
}
