package main

import (
	"fmt"
)

type State int

const (
	Idle State = iota
	Running
	Done
)

type Event string
type FSM struct {
	cur   State
	table map[State]map[Event]State
	hooks []func(from, to State)
}

func (s State) String() string {
	switch s {
	case Idle:
		return "Idle"
	case Running:
		return "Running"
	}
	return fmt.Sprintf("State(%d)", int(s))
}
func (f *FSM) Fire(e Event) error {
	next, ok := f.table[f.cur][e]
	if !ok {
		return fmt.Errorf("no transition from %v on %q", f.cur, e)
	}
	for _, h := range f.hooks {
		h(f.cur, next)
	}
	f.cur = next
	return nil
}
func main() {
	f := &FSM{table: map[State]map[Event]State{Idle: {"start": Running}, Running: {"stop": Idle, "finish": Done}}}
	f.hooks = append(f.hooks, func(a, b State) { fmt.Printf("%v -> %v\n", a, b) })
	for _, e := range []Event{"start", "stop", "finish", "start", "finish"} {
		if err := f.Fire(e); err != nil {
			fmt.Println("error:", err)
		}
	}
	fmt.Println(f.cur)

}

// Output:
// Idle -> Running
// Running -> Idle
// error: no transition from Idle on "finish"
// Idle -> Running
// Running -> State(2)
// State(2)
