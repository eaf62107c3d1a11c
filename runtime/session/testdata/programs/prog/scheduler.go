package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

type Task struct {
	Name string
	Deps []string
	Run  func() error
}

func topo(ts map[string]*Task) (order []string, err error) {
	state := map[string]int{}
	var visit func(string) error
	visit = func(n string) error {
		switch state[n] {
		case 1:
			return fmt.Errorf("cycle at %s", n)
		case 2:
			return nil
		}
		t, ok := ts[n]
		if !ok {
			return fmt.Errorf("unknown task %s", n)
		}
		state[n] = 1
		for _, d := range t.Deps {
			if err := visit(d); err != nil {
				return fmt.Errorf("%s: %w", n, err)
			}
		}
		state[n] = 2
		order = append(order, n)
		return nil
	}
	ns := slices.Sorted(maps.Keys(ts))
	for _, n := range ns {
		if err := visit(n); err != nil {
			return nil, err
		}
	}
	return order, nil
}
func main() {
	ts := map[string]*Task{"build": {Name: "build", Deps: []string{"fetch"}}, "fetch": {Name: "fetch"}, "test": {Name: "test", Deps: []string{"build"}, Run: func() error { return errors.New("fail") }}}
	fmt.Println(topo(ts))
	fmt.Println(ts["test"].Run(), ts["build"].Run == nil)
	ts["fetch"].Deps = []string{"test"}
	_, err := topo(ts)
	fmt.Println(err)

}

// Output:
// [fetch build test] <nil>
// fail true
// build: fetch: test: cycle at build
