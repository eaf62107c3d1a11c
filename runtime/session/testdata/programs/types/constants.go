package main

import (
	"fmt"
	"math"
	"time"
)

type Op byte

const (
	Add Op = '+'
	Sub Op = '-'
)

type Level int

const (
	Debug Level = iota - 1
	Info
	Warn
	Error
)

var names = map[Level]string{Debug: "DEBUG", Info: "INFO", Warn: "WARN", Error: "ERROR"}

func (l Level) String() string { return names[l] }

const (
	x = iota
	y = "s"
	z
	w = iota
)
const (
	_ = 1 << (iota * 10)
	Ki
	Mi
)
const Eps = 1e-9
const (
	bit0, mask0 = 1 << iota, 1<<iota - 1
	bit1, mask1
	_, _
	bit3, mask3
)

type Dur time.Duration

const T = Dur(2 * time.Second)

func main() {
	fmt.Println(Debug, Info, Error, Level(7), int(Warn))
	fmt.Println(Add, string(Add), Sub == '-', x, y, z, w, Ki, Mi, bit1, mask1, bit3, mask3)
	fmt.Printf("%v %d %s|%T %T %T\n", Warn, Warn, Warn, Add, Eps, T)
	fmt.Println(time.Duration(T), Eps*2 < 1e-8, 1<<10-1, 0x1F, 0b101, 0o17, 1_000_000, 'a', '\n', 1e3)
	const big = 1 << 100
	fmt.Println(big>>98, float64(big))
	var f32 float32 = 1 << 24
	fmt.Println(f32+1 == f32, math.MaxUint32)

}

// Output:
// DEBUG INFO ERROR  1
// 43 + true 0 s s 3 1024 1048576 2 1 8 7
// WARN 1 WARN|main.Op float64 main.Dur
// 2s true 1023 31 5 15 1000000 97 10 1000
// 4 1.2676506002282294e+30
// true 4294967295
