package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

type Color int

const (
	Red Color = iota
	Green
	Blue
)

func (c Color) String() string { return [...]string{"red", "green", "blue"}[c] }

const (
	KB = 1 << (10 * (iota + 1))
	MB
	big   = 1 << 100
	small = big >> 98
	pi2   = math.Pi * 2
	name  = "n" + "m"
)

type Point struct{ X, Y float64 }

func (p Point) Dist(q Point) float64 { return math.Hypot(p.X-q.X, p.Y-q.Y) }
func (p *Point) Scale(k float64)     { p.X *= k; p.Y *= k }

type Animal interface {
	Name() string
	Sound() string
}
type Base struct{ name string }

func (b Base) Name() string     { return b.name }
func (b *Base) Rename(n string) { b.name = n }

type Dog struct {
	Base
	Age int
}

func (Dog) Sound() string { return "woof" }

type Cat struct {
	*Base
	lives int
}

func (c Cat) Sound() string { return "meow" }

type NotFound struct{ Key string }

func (e *NotFound) Error() string { return "no " + e.Key }

type Temp float64

func (t Temp) String() string { return fmt.Sprintf("%.1f°", float64(t)) }

func lookup(k string) (int, error) {
	if k == "a" {
		return 1, nil
	}
	return 0, &NotFound{k}
}

func wrapped(k string) error {
	if _, err := lookup(k); err != nil {
		return fmt.Errorf("lookup: %w", err)
	}
	return nil
}

func describe(v any) string {
	switch x := v.(type) {
	case nil:
		return "nil"
	case int:
		return "int " + strconv.Itoa(x)
	case string:
		return "string " + x
	case []int:
		return fmt.Sprint("ints ", len(x))
	case map[string]int:
		return fmt.Sprint("map ", len(x))
	case Point:
		return fmt.Sprint("point ", x.X)
	case *Point:
		return fmt.Sprint("pointer ", x.Y)
	case error:
		return "error " + x.Error()
	case fmt.Stringer:
		return "stringer " + x.String()
	case func() int:
		return fmt.Sprint("func ", x())
	}
	return "other"
}

type config struct {
	LR     float64 `json:"lr"`
	Epochs int     `json:"epochs,omitempty"`
	Tags   []string
	inner  int
}

type A struct{ N int }
type B struct{ N int }

func kind(v any) string {
	switch v.(type) {
	case A:
		return "A"
	case B:
		return "B"
	}
	return "?"
}

func main() {
	fmt.Println(Red, Blue, Color(1))
	fmt.Printf("%v %d %s\n", Green, Green, Blue)
	fmt.Println(KB, MB, small, name, pi2 > 6.28)
	p := Point{3, 4}
	p.Scale(2)
	fmt.Println(p, p.Dist(Point{}), Point{Y: 1})
	fmt.Printf("%+v %v\n", p, &p)
	d := Dog{Base{"rex"}, 3}
	d.Rename("max")
	var an Animal = d
	fmt.Println(an.Name(), an.Sound(), d.Age, d.Base.name)
	c := Cat{&Base{"tom"}, 9}
	c.Rename("kit")
	fmt.Println(c.Name(), c.Sound(), c.lives)
	for _, a := range []Animal{d, c} {
		fmt.Print(a.Name(), ":", a.Sound(), " ")
	}
	fmt.Println()
	fmt.Println(lookup("a"))
	_, err := lookup("q")
	fmt.Println(err)
	if nf, ok := err.(*NotFound); ok {
		fmt.Println("key", nf.Key)
	}
	err = wrapped("z")
	fmt.Println(err, wrapped("a"))
	var nf *NotFound
	if errors.As(err, &nf) {
		fmt.Println("as", nf.Key)
	}
	fmt.Println(errors.Unwrap(err).Error())
	for _, v := range []any{nil, 1, "s", []int{1}, map[string]int{}, Point{1, 2}, &Point{1, 2}, errors.New("e"), Temp(3), Red, func() int { return 9 }, 2.5, &NotFound{"k"}} {
		fmt.Println(describe(v))
	}
	fmt.Println(kind(A{1}), kind(B{1}), kind(1))
	b, _ := json.Marshal(config{LR: 0.1, Tags: []string{"a"}})
	fmt.Println(string(b))
	var cfg config
	fmt.Println(json.Unmarshal([]byte(`{"lr": 2, "epochs": 3, "Tags": ["x", "y"]}`), &cfg), cfg)
	temps := []Temp{1, 2.55}
	fmt.Println(temps, map[string]Temp{"a": 3})
	fmt.Printf("%v %.2f %T %T %T\n", temps[0], float64(temps[1]), temps[0], p, d)
	var np *Point
	fmt.Println(np == nil, np)
	arr := [3]int{1, 2, 3}
	brr := arr
	brr[0] = 9
	fmt.Println(arr, brr, arr == [3]int{1, 2, 3})
	sl := arr[:]
	sl[1] = 7
	fmt.Println(arr, sl[1:], len(sl[:1]), cap(sl[:1]))
	m := map[Point]string{{1, 2}: "a"}
	fmt.Println(m[Point{1, 2}], len(m[Point{}]))
	mm := map[string][]int{}
	mm["x"] = append(mm["x"], 1, 2)
	delete(mm, "y")
	v, ok := mm["y"]
	fmt.Println(mm, v == nil, ok)
	var iface any = p
	if q, ok := iface.(Point); ok {
		fmt.Println("is point", q.X)
	}
	_, ok = iface.(Animal)
	fmt.Println(ok)
	fmt.Println(7/2, -7/2, 7%3, -7%3, 7.0/2, 1<<3|1, 6&^2, 5^1)
	var u8 uint8 = 250
	u8 += 10
	var i8 int8 = 127
	i8++
	fmt.Println(u8, i8, math.MaxInt64, uint64(math.MaxUint64))
	x := 10
	ptr := &x
	*ptr += 5
	fmt.Println(x, *ptr)
	r := []rune("héllo")
	fmt.Println(len("héllo"), len(r), string(r[1]), []byte("hi"), "abc"[1], "abc"[1:])
	fmt.Println(strings.Map(func(r rune) rune { return r + 1 }, "abc"))
	fmt.Println(strconv.Quote("a\tb"), fmt.Sprintf("%5d|%-5s|%05.1f|%x|%q|%t", 42, "ab", 3.14159, 255, "q", true))
	fmt.Println(time.Duration(1500)*time.Millisecond, 2*time.Second)
	type local struct {
		a int
		b string
	}
	ls := []local{{1, "x"}, {2, "y"}}
	fmt.Println(ls, len(ls))
	anon := struct {
		A int
		B []string
	}{1, []string{"z"}}
	fmt.Println(anon)
	fmt.Fprintln(os.Stdout, "to stdout")
	fn := Point.Dist
	fmt.Println(fn(Point{0, 0}, Point{3, 4}))
	sc := (*Point).Scale
	sc(&p, 0.5)
	fmt.Println(p)
	mv := p.Dist
	fmt.Println(mv(Point{3, 5}))
	fmt.Println(complex(1, 2)*complex(0, 1), real(complex(3, 4)))
	var e1, e2 error
	fmt.Println(e1 == e2, e1)
	func(args ...int) { fmt.Println(len(args), args) }(1, 2, 3)
	fmt.Println(append([]int{1}, []int{2, 3}...), copy(sl, []int{5}), sl)
	var z struct{}
	fmt.Println(z, math.Inf(1), -math.MaxFloat64 < 0, math.NaN() == math.NaN())
}

// Output:
// red blue green
// green 1 blue
// 1024 1048576 4 nm true
// {6 8} 10 {0 1}
// {X:6 Y:8} &{6 8}
// max woof 3 max
// kit meow 9
// max:woof kit:meow
// 1 <nil>
// no q
// key q
// lookup: no z <nil>
// as z
// no z
// nil
// int 1
// string s
// ints 1
// map 0
// point 1
// pointer 2
// error e
// stringer 3.0°
// stringer red
// func 9
// other
// error no k
// A B ?
// {"lr":0.1,"Tags":["a"]}
// <nil> {2 3 [x y] 0}
// [1.0° 2.5°] map[a:3.0°]
// 1.0° 2.55 main.Temp main.Point main.Dog
// true <nil>
// [1 2 3] [9 2 3] true
// [1 7 3] [7 3] 1 3
// a 0
// map[x:[1 2]] true false
// is point 6
// false
// 3 -3 1 -1 3.5 9 4 4
// 4 -128 9223372036854775807 18446744073709551615
// 15 15
// 6 5 é [104 105] 98 bc
// bcd
// "a\tb"    42|ab   |003.1|ff|"q"|true
// 1.5s 2s
// [{1 x} {2 y}] 2
// {1 [z]}
// to stdout
// 5
// {3 4}
// 1
// (-2+1i) 3
// true <nil>
// 3 [1 2 3]
// [1 2 3] 1 [5 7 3]
// {} +Inf true false
