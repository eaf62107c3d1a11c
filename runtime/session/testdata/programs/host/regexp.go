package main

import (
	"fmt"
	"regexp"
	"strings"
)

func main() {
	re := regexp.MustCompile(`(\w+)@(\w+)\.com`)
	s := "bob@example.com, al@test.com"
	fmt.Println(re.FindString(s), re.FindAllString(s, -1), re.FindStringSubmatch(s), re.ReplaceAllString(s, "$2:$1"), re.MatchString("x"))
	fmt.Println(re.ReplaceAllStringFunc(s, strings.ToUpper))

}

// Output:
// bob@example.com [bob@example.com al@test.com] [bob@example.com bob example] example:bob, test:al false
// BOB@EXAMPLE.COM, AL@TEST.COM
