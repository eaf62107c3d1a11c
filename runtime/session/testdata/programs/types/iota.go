package main

import (
	"fmt"
)

type Weekday int

const (
	Sunday Weekday = iota
	Monday
	Tuesday
	_
	Thursday
)
const (
	KB = 1 << (10 * (iota + 1))
	MB
	GB
)
const (
	a, b = iota, iota * 10
	c, d
	_, _
	e, f
)

type Flags uint8

const (
	FlagA Flags = 1 << iota
	FlagB
	FlagC
)

func (d Weekday) String() string { return [...]string{"Sun", "Mon", "Tue", "Wed", "Thu"}[d] }
func main() {
	fmt.Println(Sunday, Monday, Thursday, Weekday(3))
	fmt.Printf("%d %v %s %q %x\n", Tuesday, Tuesday, Tuesday, Tuesday, Tuesday)
	fmt.Println(KB, MB, GB, a, b, c, d, e, f)
	fl := FlagA | FlagC
	fmt.Printf("%03b %v %v %T\n", fl, fl&FlagB != 0, fl&^FlagA, fl)

}

// Output:
// Sun Mon Thu Wed
// 2 Tue Tue "Tue" 547565
// 1024 1048576 1073741824 0 0 1 10 3 30
// 101 false 4 main.Flags
