package main

import (
	"fmt"
)

type Celsius float64
type Fahrenheit float64

func CToF(c Celsius) Fahrenheit { return Fahrenheit(c*9/5 + 32) }

type Bytes []byte
type Str string

func main() {
	fmt.Printf("%.1f %T\n", CToF(100), CToF(0))
	fmt.Println(string([]byte{104, 105}), []byte("hi"), []rune("hé"), string([]rune{72, 228}), string(rune(65)))
	fmt.Println(Str("a")+"b", Bytes("xy"), string(Bytes("xy")), len(Str("abc")), Str("abc")[1])
	arr := [3]int([]int{1, 2, 3})
	pa := (*[2]int)([]int{4, 5, 6})
	pa[0] = 40
	fmt.Println(arr, *pa, float32(1)/3, complex(1, 2), real(3+4i))

}

// Output:
// 212.0 main.Fahrenheit
// hi [104 105] [104 233] Hä A
// ab [120 121] xy 3 98
// [1 2 3] [40 5] 0.33333334 (1+2i) 3
