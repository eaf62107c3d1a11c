package backend

import (
	"errors"
	"reflect"
	"testing"

	"tunebook/engine/tensor"
)

// silent is a device whose every operation does nothing; its Sync says what fails.
type silent struct {
	*Meter
	fails error
}

func (s *silent) Sync() error { err := s.fails; s.fails = nil; return err }

// TestTimedCoversAll calls every operation of the interface: each must be counted under a part.
func TestTimedCoversAll(t *testing.T) {
	ops := reflect.TypeFor[Ops]()
	for i := range ops.NumMethod() {
		name := ops.Method(i).Name
		d := NewTimed(NewMeter())
		method := reflect.ValueOf(d).MethodByName(name)
		var args []reflect.Value
		for j := range method.Type().NumIn() {
			want := method.Type().In(j)
			arg := reflect.Zero(want)
			if want == reflect.TypeFor[*Segments]() {
				arg = reflect.ValueOf(&Segments{})
			}
			args = append(args, arg)
		}
		method.Call(args)
		if len(d.Of) != 1 {
			t.Errorf("Timed has no method %s of its own: its time would be told nowhere", name)
		}
		for part := range d.Of {
			known := false
			for _, p := range Parts {
				known = known || p == part
			}
			if !known {
				t.Errorf("%s counts as %q, which is none of Parts", name, part)
			}
		}
	}
}

// TestTimedFailure keeps a failure of the device until it is asked for, and tells it once.
func TestTimedFailure(t *testing.T) {
	s := &silent{NewMeter(), errors.New("out of order")}
	d := NewTimed(s)
	d.Fill(d.Alloc(tensor.F32, 4), 0)
	if err := d.Download(make([]float32, 4), nil); err == nil || err.Error() != "out of order" {
		t.Errorf("Download after a failure: %v", err)
	}
	if err := d.Sync(); err != nil {
		t.Errorf("the failure was told twice: %v", err)
	}
}

// TestAttentionWork counts the pairs that queries see one by one.
func TestAttentionWork(t *testing.T) {
	for _, c := range []struct {
		q, k, window int
		full         bool
	}{{5, 5, 0, false}, {1, 9, 0, false}, {3, 9, 0, false}, {5, 5, 0, true}, {6, 6, 2, false}, {6, 6, 3, true}, {2, 9, 4, false}, {0, 0, 0, false}} {
		pairs := 0
		for i := range c.q {
			own := c.k - c.q + i
			for j := range c.k {
				sees := j <= own || c.full
				if c.window > 0 && (own-j >= c.window || j-own >= c.window) {
					sees = false
				}
				if sees {
					pairs++
				}
			}
		}
		got := AttentionWork(&Segments{List: []Segment{{0, c.q, 0, c.k}}, Window: c.window, Full: c.full}, 2, 8)
		if want := float64(4 * pairs * 2 * 8); got != want {
			t.Errorf("%+v: %g operations; wanted %g", c, got, want)
		}
	}
}
