package weights

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/tensor"
)

// What is written is read: metadata of every kind, tensors of every type within its rounding, names of both worlds; and the
// same input gives the same bytes.
func TestWriteGGUF(t *testing.T) {
	r := tensor.NewRNG(1, "gguf")
	numbers := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.Norm())
		}
		return x
	}
	meta := map[string]any{"general.architecture": "llama", "a.text": "ü", "a.bool": true, "a.u32": uint32(7), "a.i32": int32(-7), "a.u64": uint64(1 << 40),
		"a.f32": float32(0.5), "a.texts": []string{"x", ""}, "a.ints": []int32{1, -2}, "a.floats": []float32{0.25}}
	var list []GGUFTensor
	for i, as := range []DType{F32, F16, BF16, Q8_0, Q4_0} {
		name := "model.layers." + string(rune('0'+i)) + ".mlp.up_proj.weight"
		list = append(list, GGUFTensor{Tensor{name, []int{5, 64}, numbers(5 * 64)}, as})
	}
	list = append(list, GGUFTensor{Tensor{"model.norm.weight", []int{3}, numbers(3)}, F32},
		GGUFTensor{Tensor{"model.embed_tokens.weight", []int{700, 96}, numbers(700 * 96)}, Q4_0})
	var b, again bytes.Buffer
	for _, w := range []*bytes.Buffer{&b, &again} {
		if err := WriteGGUF(w, meta, list); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("the same input gave other bytes")
	}
	g, err := openGGUF(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]any{"a.text": "ü", "a.bool": true, "a.u32": uint32(7), "a.i32": int32(-7), "a.u64": uint64(1 << 40), "a.f32": float32(0.5)} {
		if got, _ := g.Meta.Value(k); got != want {
			t.Errorf("%s is %v; wanted %v", k, got, want)
		}
	}
	texts, _ := g.Meta.Strings("a.texts")
	ints, _ := g.Meta.Ints("a.ints")
	floats, _ := g.Meta.Floats("a.floats")
	if !slices.Equal(texts, []string{"x", ""}) || !slices.Equal(ints, []int{1, -2}) || !slices.Equal(floats, []float64{0.25}) {
		t.Errorf("lists are %v, %v, %v", texts, ints, floats)
	}
	if len(g.Names()) != len(list) {
		t.Errorf("tensors %v; wanted %d", g.Names(), len(list))
	}
	for _, want := range list {
		got, err := g.Tensor(want.Name)
		if err != nil {
			t.Fatal(err)
		}
		if info, _ := g.Info(want.Name); info.DType != want.As || !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("%s is %v of %v; wanted %v of %v", want.Name, got.Shape, info.DType, want.Shape, want.As)
		}
		top := float64(max(slices.Max(want.Data), -slices.Min(want.Data)))
		limit := map[DType]float64{F32: 0, F16: 0x1p-11 * top, BF16: 0x1p-8 * top, Q8_0: top / 127, Q4_0: top / 7}[want.As]
		for i, v := range want.Data {
			if d := math.Abs(float64(got.Data[i] - v)); d > limit {
				t.Fatalf("%s as %v: element %d is %g; wanted %g within %g", want.Name, want.As, i, got.Data[i], v, limit)
			}
		}
	}
}

func TestWriteGGUFErrors(t *testing.T) {
	meta := map[string]any{"general.architecture": "llama"}
	one := func(name string, shape []int, n int, as DType) []GGUFTensor {
		return []GGUFTensor{{Tensor{name, shape, make([]float32, n)}, as}}
	}
	big := one("model.norm.weight", []int{70000}, 70000, F16)
	big[0].Data[69999] = 1e6
	odd := one("model.norm.weight", []int{32}, 32, Q8_0)
	odd[0].Data[3] = float32(math.NaN())
	for want, c := range map[string]struct {
		meta map[string]any
		list []GGUFTensor
	}{
		"no general.architecture":      {map[string]any{}, nil},
		"ggml has no name":             {meta, one("model.unheard_of", []int{1}, 1, F32)},
		"two tensors":                  {meta, append(one("model.norm.weight", []int{1}, 1, F32), one("model.norm.weight", []int{1}, 1, F32)...)},
		"Q4_K; wanted":                 {meta, one("model.norm.weight", []int{256}, 256, Q4_K)},
		"multiple of 32":               {meta, one("model.norm.weight", []int{2, 33}, 66, Q8_0)},
		"3 elements for shape":         {meta, one("model.norm.weight", []int{4}, 3, F32)},
		"element 69999 is 1e+06":       {meta, big},
		"element 3 is NaN":             {meta, odd},
		`key "x": a value of type int`: {map[string]any{"general.architecture": "llama", "x": 1}, nil},
	} {
		if err := WriteGGUF(&bytes.Buffer{}, c.meta, c.list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; wanted %q", err, want)
		}
	}
	if err := WriteGGUF(&failAfter{}, meta, one("model.norm.weight", []int{1}, 1, F32)); err == nil {
		t.Error("a full disk went unnoticed")
	}
}
