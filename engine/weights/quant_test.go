package weights

import (
	"slices"
	"strings"
	"testing"
)

// Every quantised type comes out bit for bit as ggml's own Python package makes it (testdata/quants.py).
func TestQuantsAreGGML(t *testing.T) {
	g, err := OpenGGUF("testdata/quants.gguf")
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	n := 0
	for _, name := range g.Names() {
		if strings.HasSuffix(name, ".f32") {
			continue
		}
		n++
		got, err := g.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := g.Tensor(name + ".f32")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Shape, want.Shape) || !slices.Equal(got.Shape, []int{2, 256}) {
			t.Errorf("%s: shape %v; wanted %v", name, got.Shape, want.Shape)
		}
		for i := range want.Data {
			if got.Data[i] != want.Data[i] {
				t.Errorf("%s: element %d is %g; wanted %g", name, i, got.Data[i], want.Data[i])
				break
			}
		}
	}
	if n != 8 {
		t.Errorf("%d types; wanted 8", n)
	}
}
