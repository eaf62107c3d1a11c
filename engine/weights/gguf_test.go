package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

// ggufFile builds a file as the specification lays it out.
type ggufFile struct {
	keys, infos, data []byte
	nKeys, nInfos     int
	align             int
}

func (g *ggufFile) str(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

func (g *ggufFile) key(name string, kind uint32, value ...any) *ggufFile {
	g.nKeys++
	g.keys = g.str(g.keys, name)
	g.keys = binary.LittleEndian.AppendUint32(g.keys, kind)
	for _, v := range value {
		if s, ok := v.(string); ok {
			g.keys = g.str(g.keys, s)
			continue
		}
		var err error
		if g.keys, err = binary.Append(g.keys, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return g
}

func (g *ggufFile) tensor(name string, kind uint32, data []byte, dims ...uint64) *ggufFile {
	if g.align == 0 {
		g.align = 32
	}
	for len(g.data)%g.align != 0 {
		g.data = append(g.data, 0)
	}
	g.info(name, kind, uint64(len(g.data)), dims...)
	g.data = append(g.data, data...)
	return g
}

func (g *ggufFile) info(name string, kind uint32, offset uint64, dims ...uint64) *ggufFile {
	le := binary.LittleEndian
	g.nInfos++
	g.infos = le.AppendUint32(g.str(g.infos, name), uint32(len(dims)))
	for _, d := range dims {
		g.infos = le.AppendUint64(g.infos, d)
	}
	g.infos = le.AppendUint64(le.AppendUint32(g.infos, kind), offset)
	return g
}

func (g *ggufFile) bytes() []byte {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("GGUF"), 3)
	b = le.AppendUint64(le.AppendUint64(b, uint64(g.nInfos)), uint64(g.nKeys))
	b = append(append(b, g.keys...), g.infos...)
	for g.align > 0 && len(b)%g.align != 0 {
		b = append(b, 0)
	}
	return append(b, g.data...)
}

func openGGUF(b []byte) (*GGUF, error) { return ReadGGUF(bytes.NewReader(b), int64(len(b)), "test") }

// Blocks whose values are worked out by hand: scale 0.5 (0x3800), minimum -2 (0xc000).
func TestGGUFTypes(t *testing.T) {
	nibbles := make([]byte, 16)
	for i := range nibbles {
		nibbles[i] = byte(i | (15-i)<<4)
	}
	q8 := []byte{0x00, 0x38}
	for i := range 32 {
		q8 = append(q8, byte(int8(i*8-128)))
	}
	want := map[string][]float32{
		"F32": {1, -2}, "F16": {1, -2}, "BF16": {1, -2}, "Q8_0": nil, "Q4_0": nil, "Q4_1": nil,
	}
	for i := range 32 {
		q := float32(i)
		if i >= 16 {
			q = float32(15 - (i - 16))
		}
		want["Q8_0"] = append(want["Q8_0"], 0.5*float32(i*8-128))
		want["Q4_0"] = append(want["Q4_0"], 0.5*(q-8))
		want["Q4_1"] = append(want["Q4_1"], 0.5*q-2)
	}
	g := (&ggufFile{}).
		tensor("F32", 0, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}, 2).
		tensor("F16", 1, []byte{0, 0x3c, 0, 0xc0}, 2).
		tensor("BF16", 30, []byte{0x80, 0x3f, 0, 0xc0}, 2).
		tensor("Q8_0", 8, q8, 32).
		tensor("Q4_0", 2, append([]byte{0x00, 0x38}, nibbles...), 32).
		tensor("Q4_1", 3, append([]byte{0x00, 0x38, 0x00, 0xc0}, nibbles...), 32, 1).
		tensor("blk.7.attn_q.weight", 0, make([]byte, 24), 3, 2)
	f, err := openGGUF(g.bytes())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range want {
		w, err := f.Tensor(name)
		if err != nil || !reflect.DeepEqual(w.Data, data) {
			t.Errorf("%s = %v, %v; wanted %v", name, w.Data, err, data)
		}
	}
	in, ok := f.Info("model.layers.7.self_attn.q_proj.weight")
	if !ok || !reflect.DeepEqual(in.Shape, []int{2, 3}) || in.Stored != "blk.7.attn_q.weight" {
		t.Errorf("attn_q: %+v, %v; wanted shape [2 3]", in, ok)
	}
}

func TestGGUFMeta(t *testing.T) {
	g := (&ggufFile{}).
		key("u8", ggufUint8, uint8(200)).key("i8", ggufInt8, int8(-3)).key("u16", ggufUint16, uint16(60000)).
		key("i16", ggufInt16, int16(-300)).key("u32", ggufUint32, uint32(4e9)).key("i32", ggufInt32, int32(-4)).
		key("f32", ggufFloat32, float32(1.5)).key("bool", ggufBool, true).key("text", ggufString, "héllo\x00").
		key("u64", ggufUint64, uint64(math.MaxUint64)).key("i64", ggufInt64, int64(-5)).key("f64", ggufFloat64, 2.5).
		key("texts", ggufArray, uint32(ggufString), uint64(2), "a", "").
		key("ints", ggufArray, uint32(ggufInt32), uint64(2), int32(-1), int32(7)).
		key("big", ggufArray, uint32(ggufUint64), uint64(1), uint64(9)).
		key("floats", ggufArray, uint32(ggufFloat32), uint64(1), float32(0.25)).
		key("bools", ggufArray, uint32(ggufBool), uint64(2), true, false).
		key("none", ggufArray, uint32(ggufString), uint64(0)).
		key("nested", ggufArray, uint32(ggufArray), uint64(1), uint32(ggufUint8), uint64(2), uint8(1), uint8(2))
	f, err := openGGUF(g.bytes())
	if err != nil {
		t.Fatal(err)
	}
	m := f.Meta
	for key, want := range map[string]any{
		"u8": uint8(200), "i8": int8(-3), "u16": uint16(60000), "i16": int16(-300), "u32": uint32(4e9), "i32": int32(-4),
		"f32": float32(1.5), "bool": true, "text": "héllo\x00", "u64": uint64(math.MaxUint64), "i64": int64(-5), "f64": 2.5,
		"texts": []string{"a", ""}, "ints": []int64{-1, 7}, "big": []uint64{9}, "floats": []float64{0.25},
		"bools": []bool{true, false}, "none": []string{}, "nested": []any{[]int64{1, 2}},
	} {
		if got, ok := m.Value(key); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %#v, %v; wanted %#v", key, got, ok, want)
		}
	}
	if len(m.Keys()) != 19 || m.Keys()[0] != "big" {
		t.Errorf("keys %q", m.Keys())
	}
	if i, err := m.Int("u32"); err != nil || i != 4e9 {
		t.Errorf("Int = %d, %v", i, err)
	}
	if _, err := m.Int("u64"); err == nil {
		t.Error("an integer beyond int was returned")
	}
	if x, err := m.Float("f32"); err != nil || x != 1.5 {
		t.Errorf("Float = %v, %v", x, err)
	}
	if l, err := m.Ints("big"); err != nil || !reflect.DeepEqual(l, []int{9}) {
		t.Errorf("Ints = %v, %v", l, err)
	}
	if l, err := m.Floats("ints"); err != nil || !reflect.DeepEqual(l, []float64{-1, 7}) {
		t.Errorf("Floats = %v, %v", l, err)
	}
	if _, err := m.String("absent"); !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), "absent") {
		t.Errorf("absent: %v", err)
	}
	if _, err := m.Strings("text"); err == nil || errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), "string") {
		t.Errorf("a text as a list: %v", err)
	}
	if _, err := m.Bool("u8"); err == nil {
		t.Error("a number was returned as a bool")
	}
}

func TestGGUFDamaged(t *testing.T) {
	four := make([]byte, 4)
	swap := func(b []byte, at int, with ...byte) []byte { copy(b[at:], with); return b }
	for _, c := range []struct {
		name string
		b    []byte
		want []string
	}{
		{"magic", []byte("GGML\x03\x00\x00\x00"), []string{"GGML", "GGUF"}},
		{"version", swap((&ggufFile{}).bytes(), 4, 1), []string{"version 1"}},
		{"big-endian", swap((&ggufFile{}).bytes(), 4, 0, 0, 0, 3), []string{"little-endian"}},
		{"tensor count", swap((&ggufFile{}).bytes(), 8, 255, 255, 255, 255, 255, 255, 255, 255), []string{"18446744073709551615", "at most 0"}},
		{"key count", swap((&ggufFile{}).bytes(), 16, 9), []string{"9 keys", "at most 0"}},
		{"key twice", (&ggufFile{}).key("k", ggufUint8, uint8(1)).key("k", ggufUint8, uint8(1)).bytes(), []string{`"k"`, "twice"}},
		{"kind", (&ggufFile{}).key("k", 13, uint8(1)).bytes(), []string{`"k"`, "13"}},
		{"bool", (&ggufFile{}).key("k", ggufBool, uint8(2)).bytes(), []string{`"k"`, "2"}},
		{"array length", (&ggufFile{}).key("k", ggufArray, uint32(ggufString), uint64(1<<40)).bytes(), []string{`"k"`, "1099511627776", "at most 0"}},
		{"text length", (&ggufFile{}).key("k", ggufString, uint64(1<<40)).bytes(), []string{`"k"`, "1099511627776"}},
		{"array kind", (&ggufFile{}).key("k", ggufArray, uint32(99), uint64(0)).bytes(), []string{"99"}},
		{"alignment", (&ggufFile{}).key("general.alignment", ggufUint32, uint32(12)).bytes(), []string{"12"}},
		{"type", (&ggufFile{}).tensor("x", 77, four, 1).bytes(), []string{`"x"`, "77"}},
		{"known type", (&ggufFile{}).tensor("x", 10, four, 256).bytes(), []string{`"x"`, "Q2_K"}},
		{"dimensions", (&ggufFile{}).tensor("x", 0, four, 1, 1, 1, 1, 1).bytes(), []string{`"x"`, "5 dimensions"}},
		{"dimension", (&ggufFile{}).tensor("x", 0, four, 1<<40).bytes(), []string{`"x"`, "1099511627776"}},
		{"size", (&ggufFile{}).tensor("x", 0, four, 1<<31-1, 1<<31-1, 1<<31-1).bytes(), []string{`"x"`, "too large"}},
		{"block", (&ggufFile{}).tensor("x", 8, four, 33).bytes(), []string{`"x"`, "33", "32"}},
		{"end", (&ggufFile{}).tensor("x", 0, four, 2).bytes(), []string{`"x"`, "ends at"}},
		{"offset", (&ggufFile{align: 32}).info("x", 0, 3, 1).bytes(), []string{`"x"`, "3", "32"}},
		{"far", (&ggufFile{align: 32}).info("x", 0, 1<<62, 1).bytes(), []string{`"x"`, "4611686018427387904"}},
		{"behind", (&ggufFile{align: 32}).info("x", 0, 64, 1).bytes(), []string{`"x"`, "64", "0 bytes"}},
		{"overlap", (&ggufFile{}).tensor("x", 0, make([]byte, 64), 16).info("y", 0, 32, 1).bytes(), []string{`"x"`, `"y"`}},
		{"twice", (&ggufFile{}).tensor("x", 0, four, 1).tensor("x", 0, four, 1).bytes(), []string{`"x"`}},
		{"one name", (&ggufFile{}).tensor("output.weight", 0, four, 1).tensor("lm_head.weight", 0, four, 1).bytes(), []string{"output.weight", "lm_head.weight"}},
	} {
		_, err := openGGUF(c.b)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; wanted %q in it", c.name, err, want)
			}
		}
	}
	deep := (&ggufFile{}).key("k", ggufArray, bytes.Repeat([]byte{ggufArray, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 1000))
	if _, err := openGGUF(deep.bytes()); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Errorf("a thousand arrays in arrays: %v", err)
	}
	whole := seedGGUF()
	for n := range whole {
		if _, err := openGGUF(whole[:n]); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", n, len(whole))
		}
	}
}

func seedGGUF() []byte {
	return (&ggufFile{align: 64}).
		key("general.alignment", ggufUint32, uint32(64)).
		key("tokenizer.ggml.tokens", ggufArray, uint32(ggufString), uint64(2), "a", "b").
		tensor("token_embd.weight", 8, make([]byte, 68), 32, 2).
		tensor("blk.0.ffn_up.weight", 3, make([]byte, 20), 32).
		tensor("output_norm.weight", 0, make([]byte, 12), 3).bytes()
}

func FuzzGGUF(f *testing.F) {
	f.Add(seedGGUF())
	f.Add((&ggufFile{}).bytes())
	f.Add((&ggufFile{}).key("k", ggufArray, uint32(ggufArray), uint64(1), uint32(ggufUint8), uint64(1), uint8(1)).bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := openGGUF(b)
		if err != nil {
			return
		}
		readAll(t, &g.File, len(b))
	})
}
