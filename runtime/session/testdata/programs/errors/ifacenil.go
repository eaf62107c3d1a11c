package main

import (
	"fmt"
)

type MyErr struct{}

func (*MyErr) Error() string { return "my" }
func bad() error             { var e *MyErr; return e }
func good() error            { return nil }
func ret(b bool) (err error) {
	if b {
		err = &MyErr{}
	}
	return
}
func main() {
	fmt.Println(bad() == nil, good() == nil, ret(true) != nil, ret(false) == nil)
	if err := bad(); err != nil {
		fmt.Printf("%T %v\n", err, err == (*MyErr)(nil))
	}
	var i interface{ Error() string } = ret(true)
	_, isMy := i.(*MyErr)
	fmt.Println(isMy, i.Error())

}

// Output:
// false true true true
// *main.MyErr true
// true my
