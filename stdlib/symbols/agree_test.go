package symbols

import (
	"bytes"
	"go/token"
	"go/types"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/go/gcexportdata"
)

// TestAgree compares the three things that are made of the list of packages: the paths, the types that scripts are
// checked against, and the values that they run with. What the checker knows must be there to run, and the other way
// around, except for generics, which have no values.
func TestAgree(t *testing.T) {
	fset, read := token.NewFileSet(), map[string]*types.Package{}
	for _, path := range Paths() {
		data, err := Types(path)
		if err != nil {
			t.Errorf("%s has no types: %v", path, err)
			continue
		}
		pkg, err := gcexportdata.Read(bytes.NewReader(data), fset, read, path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if pkg.Name() != Name(path) {
			t.Errorf("%s is package %s to the checker and %s here", path, pkg.Name(), Name(path))
		}
		values := Values(path)
		for _, n := range pkg.Scope().Names() {
			o := pkg.Scope().Lookup(n)
			if !o.Exported() {
				continue
			}
			v, ok := values[n]
			if want := hasValue(o); ok != want {
				t.Errorf("%s.%s: known to the checker, there to run: %t, wanted: %t", path, n, ok, want)
			} else if f, isFunc := o.(*types.Func); ok && isFunc && v.Kind() != reflect.Func {
				t.Errorf("%s.%s is %s to the checker and %s here", path, n, f.Signature(), v.Kind())
			}
		}
		for n := range values {
			if !strings.HasPrefix(n, "_") && pkg.Scope().Lookup(n) == nil {
				t.Errorf("%s.%s is there to run and not known to the checker", path, n)
			}
		}
	}
}

// hasValue reports that an exported object can be used without type arguments.
func hasValue(o types.Object) bool {
	switch o := o.(type) {
	case *types.Func:
		return o.Signature().TypeParams().Len() == 0
	case *types.TypeName:
		if a, ok := o.Type().(*types.Alias); ok && a.TypeParams().Len() > 0 {
			return false
		}
		if n, ok := types.Unalias(o.Type()).(*types.Named); ok && n.TypeParams().Len() > 0 && n.TypeArgs().Len() == 0 {
			return false
		}
		if it, ok := o.Type().Underlying().(*types.Interface); ok {
			return it.IsMethodSet()
		}
	}
	return true
}
