package main

import (
	"fmt"
	"math"
)

type Money int64

func (m Money) String() string {
	s := ""
	if m < 0 {
		s = "-"
		m = -m
	}
	return fmt.Sprintf("%s$%d.%02d", s, int64(m)/100, int64(m)%100)
}
func (m Money) Mul(f float64) Money { return Money(math.Round(float64(m) * f)) }

type Line struct {
	Desc  string
	Price Money
	Qty   int
}
type Invoice struct {
	Lines []Line
	Tax   float64
}

func (i Invoice) Total() (sub, tax, total Money) {
	for _, l := range i.Lines {
		sub += l.Price * Money(l.Qty)
	}
	tax = sub.Mul(i.Tax)
	return sub, tax, sub + tax
}
func main() {
	inv := Invoice{[]Line{{"widget", 1999, 3}, {"gadget", 500, 1}}, 0.075}
	for _, l := range inv.Lines {
		fmt.Printf("%-8s %8v x%d\n", l.Desc, l.Price, l.Qty)
	}
	fmt.Println(inv.Total())
	fmt.Println(Money(-5), []Money{1, 100}, map[string]Money{"x": 250})
	fmt.Printf("%v|%s|%d|%8v|%+v\n", Money(5), Money(5), Money(5), Money(5), inv)

}

// Output:
// widget     $19.99 x3
// gadget      $5.00 x1
// $64.97 $4.87 $69.84
// -$0.05 [$0.01 $1.00] map[x:$2.50]
// $0.05|$0.05|5|   $0.05|{Lines:[{Desc:widget Price:$19.99 Qty:3} {Desc:gadget Price:$5.00 Qty:1}] Tax:0.075}
