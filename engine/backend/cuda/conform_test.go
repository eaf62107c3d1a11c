package cuda

import (
	"hash/fnv"
	"os"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/conform"
)

// thinned leaves out most of the large calls, which take the simulator long: one in keep stays, by the hash of its name. TUNEBOOK_LONG=1 keeps all.
type thinned struct {
	*testing.T
	keep uint32
}

func (t thinned) Skip(call string) bool {
	large := false
	for _, s := range []string{" of 300,", " of 200,", "full, 210,", "full, long,", "window 40,", "long, ", "window 130,", "576×", "577×", "C 576,", "C 577,", " 576", " 577", "40000 of", "V 5003"} {
		large = large || strings.Contains(call, s)
	}
	h := fnv.New32a()
	h.Write([]byte(call))
	return large && h.Sum32()>>8%t.keep != 0
}

// TestConform holds the kernels to what all backends must do, on the simulator: the PTX that ships, every access checked.
func TestConform(t *testing.T) {
	keep := uint32(6)
	if os.Getenv("TUNEBOOK_LONG") != "" {
		keep = 1
	}
	for _, c := range conform.Checks() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			b, err := NewSim()
			if err != nil {
				t.Fatal(err)
			}
			b.logitBytes = 256 << 10 // several chunks at the suite's shapes
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("panic: %v", r)
				}
			}()
			c.Run(thinned{t, keep}, b)
			t.Logf("%d million lane instructions", b.dev.(*simulated).d.Instructions/1e6)
		})
	}
}

// oneSegment is n queries that see n keys.
func oneSegment(n int) *backend.Segments {
	return &backend.Segments{List: []backend.Segment{{QLen: n, KLen: n}}}
}

// TestApart is the suite at its small shapes with nothing but the operands in reach.
func TestApart(t *testing.T) {
	for _, c := range conform.Checks() {
		if strings.HasPrefix(c.Name, "Memory/") || strings.HasPrefix(c.Name, "Shapes/") || strings.HasSuffix(c.Name, "/gradient") {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			b, err := NewSim()
			if err != nil {
				t.Fatal(err)
			}
			c.Run(thinned{t, 40}, apart{b})
		})
	}
}
