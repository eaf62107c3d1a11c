package main

import (
	"fmt"
)

type Suit int

const (
	Spade Suit = iota
	Heart
)

func (s Suit) String() string { return [...]string{"♠", "♥"}[s] }

type Card struct {
	Suit
	Rank int
}

func (c Card) String() string { return fmt.Sprintf("%v%d", c.Suit, c.Rank) }
func main() {
	cs := []Card{{Spade, 3}, {Heart, 10}}
	fmt.Println(cs, cs[1], Spade, map[Suit]int{Heart: 1})
	fmt.Printf("%v %d %s %5s|\n", cs[0], cs[0], Heart, Heart)

}

// Output:
// [♠3 ♥10] ♥10 ♠ map[♥:1]
// ♠3 {0 3} ♥     ♥|
