package main

import (
	"fmt"
	"maps"
	"slices"
)

type E struct {
	dept string
	pay  float64
}

func main() {
	es := []E{{"x", 10}, {"y", 20}, {"x", 30}}
	by := map[string][]E{}
	tot := map[string]float64{}
	for _, e := range es {
		by[e.dept] = append(by[e.dept], e)
		tot[e.dept] += e.pay
	}
	ks := slices.Collect(maps.Keys(by))
	slices.Sort(ks)
	for _, k := range ks {
		fmt.Printf("%s %d %.1f %v\n", k, len(by[k]), tot[k]/float64(len(by[k])), by[k])
	}

}

// Output:
// x 2 20.0 [{x 10} {x 30}]
// y 1 20.0 [{y 20}]
