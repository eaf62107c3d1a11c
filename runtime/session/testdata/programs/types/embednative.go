package main

import (
	"bytes"
	"fmt"
	"time"
)

type Buf struct {
	bytes.Buffer
	writes int
}

func (b *Buf) Put(s string) *Buf { b.writes++; b.WriteString(s); return b }

type Timed struct{ time.Duration }

func main() {
	b := &Buf{}
	b.Put("a").Put("bc")
	fmt.Println(b.String(), b.Len(), b.writes)
	fmt.Println(Timed{time.Second}.Seconds(), Timed{3 * time.Minute})

}

// Output:
// abc 3 2
// 1 3m0s
