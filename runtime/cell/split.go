// Package cell turns the text of a cell into what an interpreter of Go can run rightly.
//
// Split cuts a cell into imports, declarations and statements. A Scope holds what a session has declared so far; its
// Check type-checks a cell against that, before anything runs, and lowers it: rewritten source in which the
// interpreter meets only what it handles, as a list of steps, one per statement.
package cell

import (
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
	"unicode/utf8"
)

// Kind says what a part of a cell is.
type Kind uint8

const (
	Statement Kind = iota
	Declaration
	Import
)

// Part is one import, declaration or statement of a cell.
type Part struct {
	Kind      Kind
	Text      string
	Line, Col int // of its first byte in the cell, from 1
}

type tokenAt struct {
	tok      token.Token
	off, end int
	lit      string
}

// scan returns the tokens of src and, as msg, the first complaint of the scanner with its offset.
func scan(src string) (toks []tokenAt, file *token.File, msg string, at int) {
	file = token.NewFileSet().AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, []byte(src), func(p token.Position, m string) {
		if msg == "" {
			msg, at = m, p.Offset
		}
	}, 0)
	for {
		p, t, lit := s.Scan()
		if t == token.EOF {
			return
		}
		off := file.Offset(p)
		n := len(lit)
		switch {
		case lit == "":
			n = len(t.String())
		case t == token.SEMICOLON && lit == "\n":
			n = 0
		case t == token.ILLEGAL:
			_, n = utf8.DecodeRuneInString(src[off:]) // lit may be the replacement character
		case t == token.STRING && lit[0] == '`':
			// lit is without the carriage returns that src has.
			if n = strings.IndexByte(src[off+1:], '`') + 2; n < 2 {
				n = len(src) - off
			}
		}
		toks = append(toks, tokenAt{t, off, off + n, lit})
	}
}

// Split cuts src at the semicolons and line ends that stand outside all brackets. Comments between parts belong to
// none. It does not parse the parts: what is wrong inside one is Check's to say.
func Split(src string) []Part {
	toks, file, _, _ := scan(src)
	var parts []Part
	depth, first := 0, -1
	flush := func(to int) {
		if first < 0 {
			return
		}
		start := toks[first].off
		p := file.Position(file.Pos(start))
		parts = append(parts, Part{
			Kind: classify(toks[first:to]),
			Text: strings.TrimRight(src[start:toks[to-1].end], " \t\r\n"),
			Line: p.Line, Col: p.Column,
		})
		first = -1
	}
	// header: the clauses of a for, if or switch, whose semicolons do not end it. A function literal there has a brace of
	// its own before the one that opens the body.
	header, literals := false, 0
	for i, t := range toks {
		switch t.tok {
		case token.FOR, token.IF, token.SWITCH, token.SELECT:
			if depth == 0 && startsStatement(toks, first, i) {
				header, literals = true, 0
			}
		case token.FUNC, token.STRUCT, token.INTERFACE:
			if header && depth == 0 {
				literals++
			}
		case token.LBRACE:
			if header && depth == 0 {
				if literals > 0 {
					literals--
				} else {
					header = false
				}
			}
			depth++
		case token.LPAREN, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
		case token.SEMICOLON:
			if depth <= 0 && !header {
				flush(i)
				continue
			}
		}
		if first < 0 {
			first = i
		}
	}
	flush(len(toks))
	return parts
}

// startsStatement reports that token i is the first of a part, follows its label, or follows else.
func startsStatement(toks []tokenAt, first, i int) bool {
	return first < 0 || toks[i-1].tok == token.ELSE || i == first+2 && toks[i-1].tok == token.COLON
}

// classify looks at the first tokens of a part. A func with a name, or with a receiver and a name, is a declaration; a
// func literal that is called at once is a statement. A var is a statement: it runs where it stands.
func classify(t []tokenAt) Kind {
	switch t[0].tok {
	case token.IMPORT:
		return Import
	case token.TYPE, token.CONST:
		return Declaration
	case token.FUNC:
		if len(t) > 1 && t[1].tok == token.IDENT {
			return Declaration
		}
		depth := 0
		for i := 1; i < len(t); i++ {
			switch t[i].tok {
			case token.LPAREN:
				depth++
			case token.RPAREN:
				if depth--; depth == 0 {
					if i+2 < len(t) && t[i+1].tok == token.IDENT && t[i+2].tok == token.LPAREN {
						return Declaration
					}
					return Statement
				}
			}
		}
	}
	return Statement
}

// Complete reports whether src can be run as it is: no bracket, string or comment is open and no expression waits for
// its right side. Text that is wrong in itself is complete: running it says what is wrong.
func Complete(src string) bool {
	toks, _, msg, _ := scan(src)
	if strings.Contains(msg, "not terminated") && (strings.HasPrefix(msg, "raw string") || strings.HasPrefix(msg, "comment")) {
		return false
	}
	depth := 0
	for _, t := range toks {
		switch t.tok {
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth--
		}
	}
	if depth != 0 {
		return depth < 0
	}
	if len(toks) == 0 {
		return true
	}
	last := toks[len(toks)-1]
	if last.tok == token.SEMICOLON {
		return true // the scanner adds one after whatever can end a statement
	}
	// An operator, a comma, a dot or a keyword at the end: more must come, unless the parser disagrees before the end.
	parts := Split(src)
	p := parts[len(parts)-1]
	text := "package p\nfunc _() {\n" + p.Text
	if p.Kind != Statement {
		text = "package p\n" + p.Text
	}
	_, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	list, ok := err.(scanner.ErrorList)
	return !ok || len(list) == 0 || !strings.Contains(list[0].Msg, "'EOF'")
}
