package main

import (
	"fmt"
	"unicode"
)

type State func(*Machine) State
type Machine struct {
	in  []rune
	out []string
}

func start(m *Machine) State {
	if len(m.in) == 0 {
		return nil
	}
	if unicode.IsDigit(m.in[0]) {
		return digit
	}
	return letter
}
func digit(m *Machine) State {
	m.out = append(m.out, "D"+string(m.in[0]))
	m.in = m.in[1:]
	return start
}
func letter(m *Machine) State {
	m.out = append(m.out, "L"+string(m.in[0]))
	m.in = m.in[1:]
	return start
}
func main() {
	m := &Machine{in: []rune("a1b")}
	for s := State(start); s != nil; {
		s = s(m)
	}
	fmt.Println(m.out)

}

// Output:
// [La D1 Lb]
