package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tunebook/engine/weights"
)

// A cache file is cacheMagic, the SHA-256 of what follows, and the encoded sequences as varints.
const cacheMagic = "tunebook encoded 1\n"

// Key returns the name of what Set makes of a set: a SHA-256 in hexadecimal over the rows' messages and names, their
// places in a mix, the tokenizer, the template, the limit, the policy and the mask. Nothing else is in it: not the set's
// name or history, not the right answers for scoring, not task or skill.
func (c *Encoder) Key(s *Set) string {
	h := sha256.New()
	o := c.Options
	sumStrings(h, cacheMagic, c.Tokenizer.Fingerprint(), c.Template.Fingerprint(), fmt.Sprint(o.MaxLen, o.Policy, o.Train, len(s.Rows), len(s.Places)))
	for i := range s.Rows {
		s.Rows[i].sumText(h)
	}
	for _, p := range s.Places {
		sumStrings(h, p.Part, fmt.Sprint(p.Key, p.Block))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Cached returns what Set does, from a file of dir where an earlier call left it, and leaves it there otherwise. Files are
// named by Key, written whole or not at all, and checked when read: one that is broken is made anew. hit tells whether the
// file was used.
func (c *Encoder) Cached(dir string, s *Set) (e *Encoded, hit bool, err error) {
	path := filepath.Join(dir, c.Key(s)+".encoded")
	if raw, err := os.ReadFile(path); err == nil {
		if e, err := readEncoded(raw); err == nil {
			e.How = c.how()
			return e, true, nil
		}
	}
	if e, err = c.Set(s); err != nil {
		return nil, false, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, false, err
	}
	err = weights.AtomicWrite(path, func(w io.Writer) error {
		_, err := w.Write(e.bytes())
		return err
	})
	return e, false, err
}

func (e *Encoded) bytes() []byte {
	var b []byte
	num := func(list ...int) {
		for _, n := range list {
			b = binary.AppendVarint(b, int64(n))
		}
	}
	ids := func(list []int32) {
		for _, x := range list {
			b = binary.AppendVarint(b, int64(x))
		}
	}
	num(len(e.Sources))
	for i, name := range e.Sources {
		n := e.Counts[i]
		num(len(name))
		b = append(b, name...)
		num(n.Examples, n.Dropped, n.Cut, n.CutTokens, n.Tokens, n.Supervised)
	}
	num(len(e.Sequences))
	for _, s := range e.Sequences {
		num(s.Source, s.Row, s.Block, len(s.IDs))
		b = binary.AppendUvarint(b, s.Key)
		ids(s.IDs)
		ids(s.Targets)
	}
	sum := sha256.Sum256(b)
	return append(append([]byte(cacheMagic), sum[:]...), b...)
}

func readEncoded(raw []byte) (*Encoded, error) {
	body, ok := bytes.CutPrefix(raw, []byte(cacheMagic))
	if !ok || len(body) < sha256.Size {
		return nil, fmt.Errorf("data.Cached: %d bytes that do not begin as a cache file", len(raw))
	}
	want, b := body[:sha256.Size], body[sha256.Size:]
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:], want) {
		return nil, fmt.Errorf("data.Cached: %d bytes do not have the sum that the file names", len(b))
	}
	// From here on the bytes are those that were written.
	num := func() int {
		x, n := binary.Varint(b)
		b = b[n:]
		return int(x)
	}
	ids := func(n int) []int32 {
		out := make([]int32, n)
		for i := range out {
			out[i] = int32(num())
		}
		return out
	}
	e := &Encoded{}
	for range num() {
		n := num()
		e.Sources = append(e.Sources, string(b[:n]))
		b = b[n:]
		e.Counts = append(e.Counts, Counts{num(), num(), num(), num(), num(), num()})
	}
	for range num() {
		s := Sequence{Source: num(), Row: num(), Block: num()}
		n := num()
		key, w := binary.Uvarint(b)
		b = b[w:]
		s.Key, s.IDs, s.Targets = key, ids(n), ids(n)
		e.Sequences = append(e.Sequences, s)
	}
	return e, nil
}
