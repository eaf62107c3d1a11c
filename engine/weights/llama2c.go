package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// Llama2c is an open model of llama2.c, format version 0: seven int32 of header, then float32 tensors without names, in a
// fixed order. RoPE is interleaved with base 10000, the norm's epsilon is 1e-5: the file says neither.
// Source: export.py and run.c of karpathy/llama2.c.
type Llama2c struct {
	File
	Dim, HiddenDim, Layers, Heads, KVHeads, VocabSize, SeqLen int

	Tied bool // the head is the embedding; the file says so by the sign of its vocabulary
}

// OpenLlama2c opens a file of the disk.
func OpenLlama2c(path string) (*Llama2c, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	l, err := ReadLlama2c(f, size, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	l.close = f.Close
	return l, nil
}

// ReadLlama2c opens the size bytes of r, which messages call place. r stays in use until the last tensor is read.
func ReadLlama2c(r io.ReaderAt, size int64, place string) (*Llama2c, error) {
	l := &Llama2c{File: File{place: place, r: r}}
	if err := l.parse(size); err != nil {
		return nil, fmt.Errorf("weights: %s: %w", place, err)
	}
	return l, nil
}

const llama2cHeader = 7 * 4

func (l *Llama2c) parse(size int64) error {
	var header [llama2cHeader]byte
	if size < llama2cHeader {
		return fmt.Errorf("%d bytes; a llama2.c header has %d", size, llama2cHeader)
	}
	if n, err := l.r.ReadAt(header[:], 0); n < len(header) {
		return err
	}
	fields := []struct {
		name string
		v    *int
	}{
		{"dim", &l.Dim}, {"hidden_dim", &l.HiddenDim}, {"n_layers", &l.Layers}, {"n_heads", &l.Heads},
		{"n_kv_heads", &l.KVHeads}, {"vocab_size", &l.VocabSize}, {"seq_len", &l.SeqLen},
	}
	for i, f := range fields {
		*f.v = int(int32(binary.LittleEndian.Uint32(header[4*i:])))
	}
	l.Tied = l.VocabSize > 0
	if !l.Tied {
		l.VocabSize = -l.VocabSize
	}
	for _, f := range fields {
		if *f.v <= 0 || *f.v > 1<<24 {
			return fmt.Errorf("%s is %d; wanted 1 to %d", f.name, *f.v, 1<<24)
		}
	}
	if l.Dim%l.Heads != 0 || l.Dim/l.Heads%2 != 0 || l.Heads%l.KVHeads != 0 {
		return fmt.Errorf("dim %d, %d heads, %d key-value heads; wanted whole heads of an even size in whole groups", l.Dim, l.Heads, l.KVHeads)
	}

	// The layers are laid out tensor by tensor, so layers × the smallest layer bounds their count by the file's size.
	if need := uint64(l.Layers) * uint64(2*l.Dim) * 4; need > uint64(size) {
		return fmt.Errorf("%d layers of dim %d need more than the file's %d bytes", l.Layers, l.Dim, size)
	}
	p := &layout{at: llama2cHeader}
	kv := l.Dim / l.Heads * l.KVHeads
	p.one("model.embed_tokens.weight", l.VocabSize, l.Dim)
	p.layers(l.Layers, "input_layernorm", l.Dim)
	p.layers(l.Layers, "self_attn.q_proj", l.Dim, l.Dim)
	p.layers(l.Layers, "self_attn.k_proj", kv, l.Dim)
	p.layers(l.Layers, "self_attn.v_proj", kv, l.Dim)
	p.layers(l.Layers, "self_attn.o_proj", l.Dim, l.Dim)
	p.layers(l.Layers, "post_attention_layernorm", l.Dim)
	p.layers(l.Layers, "mlp.gate_proj", l.HiddenDim, l.Dim) // w1
	p.layers(l.Layers, "mlp.down_proj", l.Dim, l.HiddenDim) // w2
	p.layers(l.Layers, "mlp.up_proj", l.HiddenDim, l.Dim)   // w3
	p.one("model.norm.weight", l.Dim)
	p.skip(l.SeqLen, l.Dim/l.Heads) // the cosines and sines of RoPE, which are computed anew
	if !l.Tied {
		p.one("lm_head.weight", l.VocabSize, l.Dim)
	}
	if p.tooLarge || p.at != uint64(size) {
		want := fmt.Sprint(p.at)
		if p.tooLarge {
			want = "more than 2^62"
		}
		return fmt.Errorf("%d bytes; dim %d, hidden_dim %d, n_layers %d, n_heads %d, n_kv_heads %d, vocab_size %d, seq_len %d, tied %v want %s",
			size, l.Dim, l.HiddenDim, l.Layers, l.Heads, l.KVHeads, l.VocabSize, l.SeqLen, l.Tied, want)
	}
	return l.setInfos(p.infos, llama2cHeader, size, false)
}

// layout lays float32 tensors one behind the other.
type layout struct {
	at       uint64
	tooLarge bool
	infos    []Info
}

func (p *layout) skip(shape ...int) (from uint64) {
	n := uint64(4)
	for _, d := range shape {
		hi, lo := bits.Mul64(n, uint64(d))
		p.tooLarge = p.tooLarge || hi != 0 || lo >= 1<<62
		n = lo
	}
	from = p.at
	p.at += n
	p.tooLarge = p.tooLarge || p.at >= 1<<62
	return from
}

func (p *layout) one(name string, shape ...int) {
	from := p.skip(shape...)
	if !p.tooLarge {
		p.infos = append(p.infos, Info{Name: name, Stored: name, Shape: shape, DType: F32, offset: int64(from), bytes: int64(p.at - from)})
	}
}

func (p *layout) layers(n int, part string, shape ...int) {
	for i := range n {
		p.one(fmt.Sprintf("model.layers.%d.%s.weight", i, part), shape...)
	}
}
