package main

import (
	"fmt"
)

func main() {
	for i, r := range "aé你\xffz" {
		fmt.Printf("%d:%c:%d ", i, r, r)
	}
	fmt.Println()
	for i := range "héy" {
		fmt.Print(i, " ")
	}
	for range "ab" {
		fmt.Print("*")
	}
	fmt.Println()
	for i, b := range []byte("hé") {
		fmt.Print(i, "=", b, " ")
	}
	fmt.Println(len("héy"), len([]rune("héy")))

}

// Output:
// 0:a:97 1:é:233 3:你:20320 6:�:65533 7:z:122
// 0 1 3 **
// 0=104 1=195 2=169 4 3
