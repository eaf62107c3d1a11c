package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

type Color int

func (c Color) MarshalJSON() ([]byte, error) { return json.Marshal(fmt.Sprintf("#%06x", int(c))) }
func (c *Color) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "#"), 16, 64)
	*c = Color(n)
	return err
}

type Level int

func (l Level) MarshalText() ([]byte, error) { return []byte("level-" + strconv.Itoa(int(l))), nil }

type Conf struct {
	C  Color
	L  Level
	Cs []Color
}

func main() {
	b, err := json.Marshal(Conf{255, 3, []Color{1}})
	fmt.Println(string(b), err)
	b, err = json.Marshal(Color(16))
	fmt.Println(string(b), err)
	var c Conf
	fmt.Println(json.Unmarshal([]byte(`{"C":"#0000ff"}`), &c), int(c.C))

}

// Output:
// {"C":"#0000ff","L":"level-3","Cs":["#000001"]} <nil>
// "#000010" <nil>
// <nil> 255
