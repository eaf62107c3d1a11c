package main

import (
	"encoding/json"
	"fmt"
	"time"
)

type Date struct{ t time.Time }

func (d Date) MarshalJSON() ([]byte, error) { return []byte(`"` + d.t.Format("2006-01-02") + `"`), nil }
func (d *Date) UnmarshalJSON(b []byte) (err error) {
	d.t, err = time.Parse(`"2006-01-02"`, string(b))
	return
}

type Ev struct {
	Name string
	On   Date
	Opt  *Date `json:",omitempty"`
	L    []Date
}
type Enum int

func (e Enum) MarshalText() ([]byte, error) { return []byte([]string{"zero", "one"}[e]), nil }
func (e *Enum) UnmarshalText(b []byte) error {
	switch string(b) {
	case "zero":
		*e = 0
	case "one":
		*e = 1
	default:
		return fmt.Errorf("bad enum %q", b)
	}
	return nil
}
func main() {
	d := Date{time.Date(2021, 3, 4, 0, 0, 0, 0, time.UTC)}
	b, err := json.Marshal(Ev{"x", d, nil, []Date{d}})
	fmt.Println(string(b), err)
	var e Ev
	fmt.Println(json.Unmarshal([]byte(`{"Name":"y","On":"1999-12-31","Opt":"2000-01-01","L":["2001-01-01"]}`), &e), e.On.t.Year(), e.Opt.t.Year(), e.L[0].t.Year())
	fmt.Println(json.Unmarshal([]byte(`{"On":"bad"}`), &e) != nil)
	b, err = json.Marshal(map[Enum]Enum{0: 1, 1: 0})
	fmt.Println(string(b), err)
	var es []Enum
	fmt.Println(json.Unmarshal([]byte(`["one","zero"]`), &es), es)
	fmt.Println(json.Unmarshal([]byte(`["two"]`), &es))
	var en Enum
	fmt.Println(json.Unmarshal([]byte(`"one"`), &en), en)

}

// Output:
// {"Name":"x","On":"2021-03-04","L":["2021-03-04"]} <nil>
// <nil> 1999 2000 2001
// true
// {"one":"zero","zero":"one"} <nil>
// <nil> [1 0]
// bad enum "two"
// <nil> 1
