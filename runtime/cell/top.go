package cell

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"strconv"
	"strings"
	"time"
)

// Top is a constant or variable at the top of a notebook (at the top of the file, or of one of its cells) whose value
// stands in the text, so that another one can take its place.
type Top struct {
	Name  string
	Const bool
	Type  types.Type
	Cell  int // -1: outside main
	Line  int // in its cell or, of a program, in the file
	Value string

	typed    bool   // its type is written beside it
	spelling string // of its type, as its file may write it; empty where it cannot
	from, to int    // bytes of its value in the cell's text or the file's
	lines    int    // line ends in it
}

// tops notes the constants and variables of a declaration.
func (v *surveyor) tops(s *Scope, info *types.Info, g *ast.GenDecl, c int) {
	for _, sp := range g.Specs {
		sp, ok := sp.(*ast.ValueSpec)
		if !ok || len(sp.Names) != len(sp.Values) {
			continue
		}
		for i, id := range sp.Names {
			v.top(s, info, id, sp.Type, sp.Values[i], g.Tok == token.CONST, c)
		}
	}
}

func (v *surveyor) top(s *Scope, info *types.Info, id *ast.Ident, typ, value ast.Expr, isConst bool, c int) {
	o := info.Defs[id]
	if o == nil || id.Name == "_" || strings.Contains(id.Name, hiddenMark) {
		return
	}
	from, to := s.fset.Position(value.Pos()), s.fset.Position(value.End())
	src := s.sources[from.Filename]
	if src == nil || to.Filename != from.Filename {
		return
	}
	t := Top{Name: id.Name, Const: isConst, Type: o.Type(), Cell: c, Line: s.fset.Position(id.Pos()).Line, typed: typ != nil,
		from: src.offset(from), to: src.offset(to), lines: to.Line - from.Line}
	text := strings.Join(src.lines, "\n")
	if t.from < 0 || t.to < t.from || t.to > len(text) {
		return
	}
	t.Value = text[t.from:t.to]
	// The names of packages as the text may write them: those that the value's own file imports.
	names := map[*types.Package]string{}
	for id, o := range info.Uses {
		if pn, ok := o.(*types.PkgName); ok && s.fset.Position(id.Pos()).Filename == from.Filename {
			names[pn.Imported()] = pn.Name()
		}
	}
	spelled := true
	t.spelling = types.TypeString(o.Type(), func(p *types.Package) string {
		if p.Path() == "main" {
			return ""
		}
		if names[p] == "" {
			spelled = false
		}
		return names[p]
	})
	if !spelled {
		t.spelling = ""
	}
	v.Tops = append(v.Tops, t)
}

// offset returns the byte of a source at a line and column.
func (s *source) offset(p token.Position) int {
	if p.Line < 1 || p.Line > len(s.lines) {
		return -1
	}
	at := 0
	for _, l := range s.lines[:p.Line-1] {
		at += len(l) + 1
	}
	return at + p.Column - 1
}

// kind says what a Top is, for a message.
func (t *Top) kind() string {
	what := "a variable"
	if t.Const {
		what = "a constant"
	}
	if t.untyped() {
		return what + " (" + strings.TrimPrefix(TypeString(t.Type), "untyped ") + ")"
	}
	return what + " of type " + TypeString(t.Type)
}

func (t *Top) untyped() bool {
	b, ok := t.Type.(*types.Basic)
	return ok && b.Info()&types.IsUntyped != 0
}

// String describes it as a list of candidates does.
func (t *Top) String() string {
	return t.Name + " (" + strings.TrimPrefix(TypeString(t.Type), "untyped ") + ")"
}

// Apply puts a value into the text that the Top stands in. Lines stay where they are. The value of a string is the text as
// it is, that of a duration may be written as 90s; any other value is one of Go. What a number, a bool or a string cannot
// hold is refused here; what else does not fit, the check of the changed text says.
func (t *Top) Apply(text, value string) (string, error) {
	in, err := t.write(value)
	if err != nil {
		return "", fmt.Errorf("%s is %s, and %v", t.Name, t.kind(), err)
	}
	return text[:t.from] + strings.Repeat("\n", t.lines) + in + text[t.to:], nil
}

func (t *Top) write(value string) (string, error) {
	if t.Type.String() == "time.Duration" {
		if d, err := time.ParseDuration(value); err == nil {
			value = strconv.FormatInt(int64(d), 10)
		}
	}
	b, basic := t.Type.Underlying().(*types.Basic)
	if basic && b.Info()&types.IsString != 0 {
		return t.convert(strconv.Quote(value)), nil
	}
	e, err := parser.ParseExpr(value)
	if err != nil {
		return "", fmt.Errorf("%q is no value of Go", value)
	}
	if !basic {
		if strings.ContainsAny(value, "\n\r") || strings.Contains(value, "//") {
			return "", fmt.Errorf("%q is more than one line", value)
		}
		return value, nil
	}
	tv, err := types.Eval(token.NewFileSet(), nil, token.NoPos, value)
	if err != nil || tv.Value == nil {
		return "", fmt.Errorf("%q is no %s", value, wanted(b))
	}
	c := tv.Value
	switch info := b.Info(); {
	case info&types.IsBoolean != 0:
		if c.Kind() != constant.Bool {
			return "", fmt.Errorf("%q is no %s", value, wanted(b))
		}
		return t.convert(strconv.FormatBool(constant.BoolVal(c))), nil
	case c.Kind() != constant.Int && c.Kind() != constant.Float && c.Kind() != constant.Complex:
		return "", fmt.Errorf("%q is no %s", value, wanted(b))
	case info&types.IsInteger != 0:
		if c = constant.ToInt(c); c.Kind() != constant.Int {
			return "", fmt.Errorf("%q is no whole number", value)
		}
	case info&types.IsFloat != 0:
		if c = constant.ToFloat(c); c.Kind() != constant.Float && c.Kind() != constant.Int {
			return "", fmt.Errorf("%q is no %s", value, wanted(b))
		}
	}
	if b.Info()&types.IsUntyped == 0 {
		if _, err := types.Eval(token.NewFileSet(), nil, token.NoPos, b.Name()+"("+literal(c, b)+")"); err != nil {
			return "", fmt.Errorf("%s does not fit", value)
		}
	}
	// A literal stays as it was written; anything else as what it comes to.
	text := value
	if _, lit := e.(*ast.BasicLit); !lit {
		text = literal(c, b)
	}
	if l, lit := e.(*ast.BasicLit); lit && b.Info()&types.IsFloat != 0 && l.Kind == token.INT {
		text = literal(c, b) // a whole number where a fraction stood would divide as whole numbers do
	}
	return t.convert(text), nil
}

// wanted says what a basic type holds.
func wanted(b *types.Basic) string {
	switch info := b.Info(); {
	case info&types.IsBoolean != 0:
		return "bool (true or false)"
	case info&types.IsInteger != 0:
		return "whole number"
	}
	return "number"
}

// convert gives a literal the variable's own type where it would not have it by itself.
func (t *Top) convert(lit string) string {
	if t.typed || t.untyped() {
		return lit
	}
	switch b, _ := t.Type.(*types.Basic); {
	case b != nil && b.Kind() == types.Float64 && strings.ContainsAny(lit, ".eEpP") && !strings.HasPrefix(lit, "0x"):
		return lit
	case b != nil && (b.Kind() == types.Int && !strings.ContainsAny(lit, ".'eE") || b.Kind() == types.String || b.Kind() == types.Bool):
		return lit
	case t.spelling == "":
		return lit // the check of the changed text says whether that is right
	}
	return t.spelling + "(" + lit + ")"
}
