package main

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

func main() {
	sc := bufio.NewScanner(strings.NewReader("name=x\n# c\n\nn = 5\nbad"))
	conf := map[string]string{}
	line := 0
	for sc.Scan() {
		line++
		t := strings.TrimSpace(sc.Text())
		if t == "" || strings.HasPrefix(t, "#") {
			continue
		}
		k, v, ok := strings.Cut(t, "=")
		if !ok {
			fmt.Printf("line %d: no = in %q\n", line, t)
			continue
		}
		conf[strings.TrimSpace(k)] = strings.TrimSpace(v)
	}
	fmt.Println(conf, sc.Err(), line)
	sc = bufio.NewScanner(strings.NewReader("héy"))
	sc.Split(bufio.ScanRunes)
	for sc.Scan() {
		fmt.Print(sc.Text(), "|")
	}
	fmt.Println()
	sc = bufio.NewScanner(strings.NewReader("1,2,,3"))
	sc.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, ','); i >= 0 {
			return i + 1, data[:i], nil
		}
		if atEOF && len(data) > 0 {
			return len(data), data, nil
		}
		return 0, nil, nil
	})
	for sc.Scan() {
		fmt.Printf("%q ", sc.Text())
	}
	fmt.Println()
	var a, c int
	var s string
	n, err := fmt.Sscanf("7-x 8", "%d-%s %d", &a, &s, &c)
	fmt.Println(n, err, a, s, c)
	fmt.Sscan("3 4", &a, &c)
	fmt.Println(a + c)

}

// Output:
// line 5: no = in "bad"
// map[n:5 name:x] <nil> 5
// h|é|y|
// "1" "2" "" "3"
// 3 <nil> 7 x 8
// 7
