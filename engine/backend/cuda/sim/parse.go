package sim

import (
	"errors"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
)

// Module is the kernels of one PTX text.
type Module struct {
	Kernels map[string]*Kernel
	globals []global
}

// global is a variable of the module's own, in global or constant memory.
type global struct {
	name  string
	bytes []byte
	align int
}

// Kernel is one entry of a module.
type Kernel struct {
	Name   string
	Params []Param
	// Shared is the shared memory in bytes that the kernel declares itself, with the gaps that the simulator puts between
	// variables.
	Shared int
	// MaxThreads is the largest block that the kernel was compiled for; 0 stands for 1,024.
	MaxThreads int

	code         []instr
	n32, n64, np int // registers of each class
	consts32     []constant32
	consts64     []constant64
	constsp      []constantp
	specials     []special
	paramBytes   int
	local        int   // bytes of local memory per thread
	guards       []int // offsets in shared memory behind each variable, guardBytes that nobody may touch
	dynamicAt    int   // where shared memory that a launch adds begins
	module       *Module
	exact        bool // some of its barriers are not for the whole block
	products     bool // it has asynchronous products
}

// Param is a parameter of a kernel.
type Param struct {
	Name  string
	Bytes int
	Float bool // .f32 or .f64
	at    int
}

type constant32 struct {
	slot int
	v    uint32
}

type constant64 struct {
	slot   int
	v      uint64
	global string // the value is this variable's address plus v
}

type constantp struct {
	slot int
	yes  bool
}

type special struct {
	name string
	slot int // 32 bits
}

// location is a line of the CUDA source, and where that was inlined.
type location struct {
	file string
	line int
	at   *location
}

// class is the kind of a register.
type class uint8

const (
	c32 class = iota
	c64
	cp
)

type reg struct {
	class class
	slot  int
}

// operand is one operand of an instruction as written.
type operand struct {
	kind  operandKind
	reg   reg
	neg   bool // !p
	vec   []operand
	label string
	imm   uint64   // integer immediates, bits of float ones
	fbits int      // 32 or 64 for a float immediate
	off   int64    // of an address
	base  *operand // of an address
	pair  *operand // the second of p|q
	text  string
}

type operandKind uint8

const (
	oReg operandKind = iota
	oImm
	oSymbol // a variable's address or a label
	oVec
	oAddr
	oSink // _
)

type parser struct {
	t     []token
	i     int
	m     *Module
	k     *Kernel
	files map[string]string
	loc   *location
	scope []map[string]reg
	// variables of the kernel and of the module: name to space and offset
	vars   map[string]variable
	extern map[string]bool // dynamic shared memory
	common map[string]sharedVariable
	labels map[string]int
	fixes  []fix
	imm32  map[uint32]int
	imm64  map[constant64]int
	spec   map[string]int
	depth  int
	uid    int
	prefix []int // the scopes that a label stands in

	headers bool // bodies are passed over
}

type variable struct {
	space space
	at    int
}

type fix struct {
	pc    int
	label string
	line  int
	scope []int
}

// perr is a parse error on its way to Parse.
type perr struct{ error }

func (p *parser) fail(format string, args ...any) {
	line := 0
	if p.i < len(p.t) {
		line = p.t[p.i].line
	} else if len(p.t) > 0 {
		line = p.t[len(p.t)-1].line
	}
	panic(perr{fmt.Errorf("PTX line %d: %s", line, fmt.Sprintf(format, args...))})
}

// Parse reads PTX. It refuses what it does not know: a directive, an instruction, one of its modifiers.
func Parse(ptx []byte) (m *Module, err error) { return parse(ptx, false) }

// Signatures reads the parameters of all kernels and passes over what the kernels do.
func Signatures(ptx []byte) (map[string][]Param, error) {
	m, err := parse(ptx, true)
	if err != nil {
		return nil, err
	}
	all := map[string][]Param{}
	for name, k := range m.Kernels {
		all[name] = k.Params
	}
	return all, nil
}

func parse(ptx []byte, headers bool) (m *Module, err error) {
	t, err := lex(string(ptx))
	if err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	p := &parser{t: t, m: &Module{Kernels: map[string]*Kernel{}}, files: map[string]string{}, extern: map[string]bool{}, common: map[string]sharedVariable{}, headers: headers}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(perr)
			if !ok {
				panic(r)
			}
			m, err = nil, fmt.Errorf("sim: %w", e.error)
		}
	}()
	p.findFiles()
	for p.i < len(p.t) {
		p.top()
	}
	if len(p.m.Kernels) == 0 {
		return nil, errors.New("sim: the PTX has no .entry")
	}
	return p.m, nil
}

func (p *parser) peek() string {
	if p.i < len(p.t) {
		return p.t[p.i].s
	}
	return ""
}

func (p *parser) next() string {
	if p.i >= len(p.t) {
		p.fail("the text ends too early")
	}
	p.i++
	return p.t[p.i-1].s
}

func (p *parser) expect(s string) {
	if got := p.peek(); got != s {
		p.fail("%q; wanted %q", got, s)
	}
	p.i++
}

func (p *parser) accept(s string) bool {
	if p.peek() == s {
		p.i++
		return true
	}
	return false
}

func (p *parser) skipLine() {
	for line := p.t[p.i].line; p.i < len(p.t) && p.t[p.i].line == line; {
		p.i++
	}
}

func (p *parser) skipTo(end string) {
	for p.next() != end {
	}
}

// findFiles reads all .file lines, which stand after the code that refers to them.
func (p *parser) findFiles() {
	for i := 0; i+2 < len(p.t); i++ {
		if p.t[i].s == ".file" {
			p.files[p.t[i+1].s] = path.Base(strings.Trim(p.t[i+2].s, `"`)) // the folder is the compiler's working directory
		}
	}
}

func (p *parser) top() {
	switch s := p.next(); s {
	case ".version", ".target", ".address_size", ".file", ".loc":
		p.i--
		p.skipLine()
	case ".visible", ".weak", ".common", ".entry":
		if s == ".entry" || p.peek() == ".entry" {
			if s != ".entry" {
				p.next()
			}
			p.entry()
			return
		}
		if k := p.peek(); k != ".global" && k != ".const" {
			p.fail("%s %s; wanted an .entry or a variable", s, k)
		}
	case ".global", ".const":
		p.variable()
	case ".extern":
		p.expect(".shared")
		p.externShared()
	case ".shared":
		name, align, size, _, open := p.declaration()
		if open {
			p.fail("shared memory %s without a size", name)
		}
		p.expect(";")
		p.common[name] = sharedVariable{align, size}
	case ".section":
		p.next()
		p.expect("{")
		p.skipTo("}")
	default:
		p.fail("%q is not known here", s)
	}
}

func (p *parser) int(s string) int {
	v, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		p.fail("%q is no number", s)
	}
	return int(v)
}

// typeBytes returns the size of ".u32" and the like.
func (p *parser) typeBytes(t string) int {
	switch t {
	case ".b8", ".u8", ".s8":
		return 1
	case ".b16", ".u16", ".s16", ".f16", ".bf16":
		return 2
	case ".b32", ".u32", ".s32", ".f32", ".f16x2", ".bf16x2":
		return 4
	case ".b64", ".u64", ".s64", ".f64":
		return 8
	}
	p.fail("type %q is not known", t)
	return 0
}

// declaration reads ".align N .type name[count]" after the space and returns the size in bytes; count -1 for "[]".
func (p *parser) declaration() (name string, align, size, each int, open bool) {
	for {
		switch s := p.next(); {
		case s == ".align":
			align = p.int(p.next())
		case s[0] == '.':
			each = p.typeBytes(s)
		default:
			name, size = s, each
			for p.accept("[") {
				if p.accept("]") {
					open = true
					continue
				}
				size *= p.int(p.next())
				p.expect("]")
			}
			return name, max(align, each, 1), size, each, open
		}
	}
}

func (p *parser) externShared() {
	name, _, _, _, open := p.declaration()
	if !open {
		p.fail("extern shared memory %s with a size; wanted []", name)
	}
	p.extern[name] = true
	p.expect(";")
}

// variable reads a module's variable with its initial value.
func (p *parser) variable() {
	name, align, size, each, open := p.declaration()
	if open {
		p.fail("variable %s without a size", name)
	}
	g := global{name: name, align: align, bytes: make([]byte, size)}
	if p.accept("=") {
		at := 0
		put := func() {
			o := p.operand()
			if o.kind != oImm {
				p.fail("the initial value of %s is not a number", name)
			}
			if at+each > size {
				p.fail("too many initial values for %s", name)
			}
			for b := range each {
				g.bytes[at+b] = byte(o.imm >> (8 * b))
			}
			at += each
		}
		if p.accept("{") {
			for !p.accept("}") {
				put()
				p.accept(",")
			}
		} else {
			put()
		}
	}
	p.expect(";")
	p.m.globals = append(p.m.globals, g)
}

func (p *parser) entry() {
	k := &Kernel{Name: p.next(), module: p.m}
	if p.m.Kernels[k.Name] != nil {
		p.fail("kernel %s stands there twice", k.Name)
	}
	p.k, p.scope, p.labels, p.fixes, p.loc = k, []map[string]reg{{}}, map[string]int{}, nil, nil
	p.vars, p.imm32, p.imm64, p.spec, p.prefix = map[string]variable{}, map[uint32]int{}, map[constant64]int{}, map[string]int{}, nil
	if p.accept("(") {
		for !p.accept(")") {
			p.expect(".param")
			from := p.i
			name, align, size, each, _ := p.declaration()
			float := false
			for _, t := range p.t[from:p.i] {
				float = float || t.s == ".f32" || t.s == ".f64"
			}
			if size <= 8 {
				align = max(align, each)
			}
			k.paramBytes = (k.paramBytes + align - 1) / align * align
			k.Params = append(k.Params, Param{Name: name, Bytes: size, Float: float, at: k.paramBytes})
			k.paramBytes += size
			p.accept(",")
		}
	}
	for p.peek() != "{" {
		switch s := p.next(); s {
		case ".maxntid", ".reqntid":
			n := p.int(p.next())
			for p.accept(",") {
				n *= p.int(p.next())
			}
			k.MaxThreads = n
		case ".minnctapersm", ".maxnreg":
			p.next()
		default:
			p.fail("%q before a kernel's body is not known", s)
		}
	}
	if p.headers {
		p.expect("{")
		for depth := 1; depth > 0; {
			switch p.next() {
			case "{":
				depth++
			case "}":
				depth--
			}
		}
		p.m.Kernels[k.Name] = k
		return
	}
	p.body()
	k.dynamicAt = (k.Shared + 127) &^ 127
	p.m.Kernels[k.Name] = k
}

// body reads the statements between a kernel's braces.
func (p *parser) body() {
	k := p.k
	p.expect("{")
	depth := 1
	for i, d := p.i, 1; i < len(p.t) && d > 0; i++ {
		switch s := p.t[i].s; s {
		case "{":
			d++
		case "}":
			d--
		default:
			if v, ok := p.common[s]; ok && p.vars[s] == (variable{}) {
				p.placeShared(s, v)
			}
		}
	}
	for depth > 0 {
		switch s := p.peek(); {
		case s == "":
			p.fail("a kernel without end")
		case s == "{":
			p.i++
			depth++
			p.uid++
			p.prefix = append(p.prefix, p.uid)
			p.scope = append(p.scope, map[string]reg{})
		case s == "}":
			p.i++
			if depth--; depth > 0 {
				p.prefix = p.prefix[:len(p.prefix)-1]
				p.scope = p.scope[:len(p.scope)-1]
			}
		case s == ";":
			p.i++
		case s == ".loc":
			p.location()
		case s == ".file":
			p.skipLine()
		case s == ".pragma":
			p.skipTo(";")
		case s == ".reg":
			p.i++
			p.registers()
		case s == ".shared":
			p.i++
			name, align, size, _, open := p.declaration()
			if open {
				p.fail("shared memory %s without a size", name)
			}
			p.expect(";")
			p.placeShared(name, sharedVariable{align, size})
		case s == ".local":
			p.i++
			name, align, size, _, _ := p.declaration()
			p.expect(";")
			k.local = (k.local + align - 1) / align * align
			p.vars[name] = variable{spaceLocal, k.local}
			k.local += size
		case s != "" && s[0] == '.':
			p.fail("%q is not known", s)
		case p.i+1 < len(p.t) && p.t[p.i+1].s == ":":
			p.labels[p.labelName(s, p.prefix)] = len(k.code)
			p.i += 2
		default:
			p.instruction()
		}
	}
	k.code = append(k.code, instr{op: opExit, guard: -1, text: "ret", line: p.t[p.i-1].line, loc: p.loc})
	for _, f := range p.fixes {
		at, ok := 0, false
		for n := len(f.scope); n >= 0 && !ok; n-- {
			at, ok = p.labels[p.labelName(f.label, f.scope[:n])]
		}
		if !ok {
			panic(perr{fmt.Errorf("PTX line %d: no label %s", f.line, f.label)})
		}
		k.code[f.pc].target = at
	}
}

// sharedVariable is shared memory that a function of the module declares, which every kernel that it is inlined in has.
type sharedVariable struct{ align, size int }

// placeShared gives a variable its place in the kernel's shared memory, with a gap behind it that nobody may touch.
func (p *parser) placeShared(name string, v sharedVariable) {
	k := p.k
	k.Shared = (k.Shared + v.align - 1) / v.align * v.align
	p.vars[name] = variable{spaceShared, k.Shared}
	guard := (k.Shared + v.size + 3) &^ 3
	k.guards = append(k.guards, guard)
	k.Shared = guard + guardBytes
}

// labelName makes a label's name one of its scope.
func (p *parser) labelName(s string, scope []int) string {
	if len(scope) == 0 {
		return s
	}
	return fmt.Sprintf("%s@%d", s, scope[len(scope)-1])
}

// location reads ".loc file line column[, function_name …, inlined_at file line column]".
func (p *parser) location() {
	line := p.t[p.i].line
	var words []string
	for p.i < len(p.t) && p.t[p.i].line == line {
		words = append(words, p.next())
	}
	if len(words) < 4 {
		return
	}
	l := &location{file: p.files[words[1]], line: p.int(words[2])}
	for i, w := range words {
		if w == "inlined_at" && i+2 < len(words) {
			l.at = &location{file: p.files[words[i+1]], line: p.int(words[i+2])}
		}
	}
	if l.line == 0 && p.loc != nil { // line 0: the compiler does not know
		return
	}
	p.loc = l
}

// registers reads ".type name<count>" or ".type name, name" after .reg.
func (p *parser) registers() {
	var c class
	switch t := p.next(); t {
	case ".pred":
		c = cp
	default:
		c = c32
		if p.typeBytes(t) == 8 {
			c = c64
		}
	}
	for {
		name := p.next()
		if p.accept("<") {
			n := p.int(p.next())
			p.expect(">")
			for i := range n {
				p.declare(name+strconv.Itoa(i), c)
			}
		} else {
			p.declare(name, c)
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(";")
}

func (p *parser) declare(name string, c class) {
	p.scope[len(p.scope)-1][name] = p.newReg(c)
}

func (p *parser) newReg(c class) reg {
	r := reg{class: c}
	switch c {
	case c32:
		r.slot = p.k.n32
		p.k.n32++
	case c64:
		r.slot = p.k.n64
		p.k.n64++
	default:
		r.slot = p.k.np
		p.k.np++
	}
	return r
}

func (p *parser) lookup(name string) (reg, bool) {
	for i := len(p.scope) - 1; i >= 0; i-- {
		if r, ok := p.scope[i][name]; ok {
			return r, true
		}
	}
	return reg{}, false
}

// instruction reads one instruction and adds its code.
func (p *parser) instruction() {
	start := p.i
	in := instr{guard: -1, line: p.t[p.i].line, loc: p.loc, at: len(p.k.code)}
	if p.accept("@") {
		in.guardNeg = p.accept("!")
		name := p.next()
		r, ok := p.lookup(name)
		if !ok || r.class != cp {
			p.fail("%s is no predicate", name)
		}
		in.guard = r.slot
	}
	op := p.next()
	var ops []operand
	for !p.accept(";") {
		ops = append(ops, p.operand())
		if p.accept("|") {
			second := p.operand()
			ops[len(ops)-1].pair = &second
		}
		if !p.accept(",") && p.peek() != ";" {
			p.fail("%q after an operand of %s", p.peek(), op)
		}
	}
	var text strings.Builder
	tight := true // no space before the next token
	for _, t := range p.t[start : p.i-1] {
		if !tight && !strings.Contains(",]}+|", t.s) {
			text.WriteByte(' ')
		}
		text.WriteString(t.s)
		tight = strings.Contains("[{@!-+|", t.s)
	}
	in.text = text.String()
	b := &builder{p: p, in: &in, op: op, o: ops}
	b.build()
	p.k.code = append(p.k.code, in)
}

// operand reads one operand.
func (p *parser) operand() operand {
	from := p.i
	o := p.operand1()
	for _, t := range p.t[from:p.i] {
		o.text += t.s
	}
	return o
}

func (p *parser) operand1() operand {
	switch s := p.next(); {
	case s == "{":
		o := operand{kind: oVec}
		for !p.accept("}") {
			o.vec = append(o.vec, p.operand())
			p.accept(",")
		}
		return o
	case s == "[":
		base := p.operand()
		o := operand{kind: oAddr, base: &base}
		for p.accept("+") {
			sign := int64(1)
			if p.accept("-") {
				sign = -1
			}
			v, err := strconv.ParseInt(p.next(), 0, 64)
			if err != nil {
				p.fail("an address offset that is no number")
			}
			o.off += sign * v
		}
		p.expect("]")
		return o
	case s == "!":
		o := p.operand()
		o.neg = true
		return o
	case s == "-":
		o := p.operand()
		if o.kind != oImm || o.fbits != 0 {
			p.fail("a minus before %s", o.text)
		}
		o.imm = -o.imm
		return o
	case s == "_":
		return operand{kind: oSink}
	case strings.HasPrefix(s, "0f") || strings.HasPrefix(s, "0F"):
		v, err := strconv.ParseUint(s[2:], 16, 32)
		if err != nil {
			p.fail("%q is no float", s)
		}
		return operand{kind: oImm, imm: v, fbits: 32}
	case strings.HasPrefix(s, "0d") || strings.HasPrefix(s, "0D"):
		v, err := strconv.ParseUint(s[2:], 16, 64)
		if err != nil {
			p.fail("%q is no double", s)
		}
		return operand{kind: oImm, imm: v, fbits: 64}
	case s[0] >= '0' && s[0] <= '9':
		v, err := strconv.ParseUint(strings.TrimSuffix(s, "U"), 0, 64)
		if err != nil {
			p.fail("%q is no number", s)
		}
		return operand{kind: oImm, imm: v}
	default:
		if r, ok := p.lookup(s); p.k != nil && ok {
			return operand{kind: oReg, reg: r}
		}
		if s[0] == '%' {
			return operand{kind: oReg, reg: p.special(s)}
		}
		return operand{kind: oSymbol, label: s}
	}
}

// special returns the register that holds %tid.x and the like.
func (p *parser) special(name string) reg {
	if slot, ok := p.spec[name]; ok {
		return reg{c32, slot}
	}
	if !specials[name] {
		p.fail("register %s is not known", name)
	}
	r := p.newReg(c32)
	p.spec[name] = r.slot
	p.k.specials = append(p.k.specials, special{name, r.slot})
	return r
}

// const32 and const64 return registers that hold a number.
func (p *parser) const32(v uint32) int {
	if s, ok := p.imm32[v]; ok {
		return s
	}
	s := p.newReg(c32).slot
	p.imm32[v] = s
	p.k.consts32 = append(p.k.consts32, constant32{s, v})
	return s
}

// constp returns the predicate that is always yes, or always no.
func (p *parser) constp(yes bool) int {
	for _, c := range p.k.constsp {
		if c.yes == yes {
			return c.slot
		}
	}
	s := p.newReg(cp).slot
	p.k.constsp = append(p.k.constsp, constantp{s, yes})
	return s
}

func (p *parser) const64(v uint64, of string) int {
	key := constant64{v: v, global: of}
	if s, ok := p.imm64[key]; ok {
		return s
	}
	s := p.newReg(c64).slot
	p.imm64[key] = s
	p.k.consts64 = append(p.k.consts64, constant64{s, v, of})
	return s
}

func bits32(f float32) uint32    { return math.Float32bits(f) }
func float32of(u uint32) float32 { return math.Float32frombits(u) }
