package main

import (
	"fmt"
	"strconv"
	"strings"
)

type Kind int

const (
	Num Kind = iota
	Op
	LP
	RP
)

type Tok struct {
	K Kind
	V string
}

func (k Kind) String() string { return [...]string{"Num", "Op", "LP", "RP"}[k] }
func lex(s string) (ts []Tok, err error) {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ':
			i++
		case c >= '0' && c <= '9' || c == '.':
			j := i
			for j < len(s) && (s[j] >= '0' && s[j] <= '9' || s[j] == '.') {
				j++
			}
			ts = append(ts, Tok{Num, s[i:j]})
			i = j
		case strings.ContainsRune("+-*/", rune(c)):
			ts = append(ts, Tok{Op, string(c)})
			i++
		case c == '(':
			ts = append(ts, Tok{LP, "("})
			i++
		case c == ')':
			ts = append(ts, Tok{RP, ")"})
			i++
		default:
			return nil, fmt.Errorf("bad char %q at %d", c, i)
		}
	}
	return
}

type parser struct {
	ts  []Tok
	pos int
}

func (p *parser) peek() *Tok {
	if p.pos < len(p.ts) {
		return &p.ts[p.pos]
	}
	return nil
}
func (p *parser) expr() float64 {
	v := p.term()
	for t := p.peek(); t != nil && (t.V == "+" || t.V == "-"); t = p.peek() {
		p.pos++
		r := p.term()
		if t.V == "+" {
			v += r
		} else {
			v -= r
		}
	}
	return v
}
func (p *parser) term() float64 {
	v := p.factor()
	for t := p.peek(); t != nil && (t.V == "*" || t.V == "/"); t = p.peek() {
		p.pos++
		r := p.factor()
		if t.V == "*" {
			v *= r
		} else {
			if r == 0 {
				panic("division by zero")
			}
			v /= r
		}
	}
	return v
}
func (p *parser) factor() float64 {
	t := p.peek()
	if t == nil {
		panic("unexpected end")
	}
	p.pos++
	switch t.K {
	case Num:
		f, _ := strconv.ParseFloat(t.V, 64)
		return f
	case LP:
		v := p.expr()
		if q := p.peek(); q == nil || q.K != RP {
			panic("expected )")
		}
		p.pos++
		return v
	case Op:
		if t.V == "-" {
			return -p.factor()
		}
	}
	panic(fmt.Sprintf("unexpected %v %q", t.K, t.V))
}
func eval(s string) (v float64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("eval %q: %v", s, r)
		}
	}()
	ts, err := lex(s)
	if err != nil {
		return 0, err
	}
	p := &parser{ts: ts}
	v = p.expr()
	if p.pos != len(ts) {
		return 0, fmt.Errorf("trailing %v", ts[p.pos:])
	}
	return v, nil
}
func main() {
	for _, s := range []string{"1 + 2*3", "(1+2)*3 - -4/2", "2*(3", "1/0", "4 $ 4", "1 2", ""} {
		fmt.Println(eval(s))
	}

}

// Output:
// 7 <nil>
// 11 <nil>
// 0 eval "2*(3": expected )
// 0 eval "1/0": division by zero
// 0 bad char '$' at 2
// 0 trailing [{Num 2}]
// 0 eval "": unexpected end
