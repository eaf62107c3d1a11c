package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math"
	"sort"
	"strings"

	"tunebook/engine/tensor"
)

// from returns a set of the named rows of s that remembers how many there were to take from, and what was done.
func (s *Set) from(rows []Example, op, note string) *Set {
	n := s.Available
	if n == 0 {
		n = len(s.Rows)
	}
	return &Set{Name: s.Name, Rows: rows, Available: n, Notes: s.Notes, Repeats: s.Repeats, Steps: s.then(op, len(rows), note)}
}

// without returns a set of the rows that are left when others were removed for good: these are no longer available.
func (s *Set) without(rows []Example, op, note string) *Set {
	out := s.from(rows, op, note)
	if out.Available = s.Available; s.Available > 0 {
		out.Available -= len(s.Rows) - len(rows)
	}
	return out
}

// then returns the set's steps and one more.
func (s *Set) then(op string, to int, note string) []Step {
	return append(s.Steps[:len(s.Steps):len(s.Steps)], Step{Op: op, From: len(s.Rows), To: to, Note: note})
}

// once is an error for a set that repeats rows.
func (s *Set) once(op string) error {
	if s.Repeats > 0 {
		return fmt.Errorf("data.%s: %s: %d of %d rows are there again, put in by a mix; wanted a set before mixing, as in: deduplicate, split, decontaminate, sample, mix", op, s.Name, s.Repeats, len(s.Rows))
	}
	return nil
}

// Named returns the set under another name, which its rows carry as their source.
func (s *Set) Named(name string) *Set {
	rows := append([]Example(nil), s.Rows...)
	for i := range rows {
		rows[i].Source = name
	}
	return &Set{Name: name, Rows: rows, Available: s.Available, Notes: s.Notes, Repeats: s.Repeats, Steps: s.Steps}
}

// Head returns the first n rows.
func (s *Set) Head(n int) (*Set, error) {
	if n < 1 || n > len(s.Rows) {
		return nil, s.wantRows("Head", n)
	}
	return s.from(s.Rows[:n:n], "head", ""), nil
}

// Take returns n rows drawn without replacement. The draw depends on the seed and on the set's name alone, and for one
// seed Take(250) is the beginning of Take(500).
func (s *Set) Take(seed int64, n int) (*Set, error) {
	if n < 1 || n > len(s.Rows) {
		return nil, s.wantRows("Take", n)
	}
	rows := make([]Example, n)
	for i, j := range takeOrder(seed, s.Name, len(s.Rows))[:n] {
		rows[i] = s.Rows[j]
	}
	return s.from(rows, "take", fmt.Sprintf("seed %d, without replacement", seed)), nil
}

// takeOrder is one random order of all rows; every Take is a prefix of it.
func takeOrder(seed int64, name string, n int) []int {
	return tensor.NewRNG(seed, "take/"+name).Perm(n)
}

// TakeFraction returns the share f of all rows, 0 < f ≤ 1, rounded to a whole number of rows, at least one; it is Take
// of that number.
func (s *Set) TakeFraction(seed int64, f float64) (*Set, error) {
	if !(f > 0 && f <= 1) {
		return nil, fmt.Errorf("data.TakeFraction: %s: the fraction is %g; wanted more than 0 and at most 1 (for a number of rows use Take)", s.Name, f)
	}
	return s.Take(seed, max(1, int(math.Round(f*float64(len(s.Rows))))))
}

func (s *Set) wantRows(op string, n int) error {
	return fmt.Errorf("data.%s: %s: %d rows were asked for; there are %d, wanted 1 to %d", op, s.Name, n, len(s.Rows), len(s.Rows))
}

// Split returns the set without nTest rows drawn at random, and those rows as a set called "<name>/test". Prompts that
// occur more than once stay on one side, so that none of the test's prompts is in the training part; where that makes
// the test a little larger than asked for, it is.
func (s *Set) Split(seed int64, nTest int) (train, test *Set, err error) {
	if err := s.once("Split"); err != nil {
		return nil, nil, err
	}
	if nTest < 1 || nTest >= len(s.Rows) {
		return nil, nil, fmt.Errorf("data.Split: %s: %d test rows were asked for; there are %d rows, wanted 1 to %d", s.Name, nTest, len(s.Rows), len(s.Rows)-1)
	}
	same := map[string][]int{}
	for i := range s.Rows {
		same[s.Rows[i].Asked()] = append(same[s.Rows[i].Asked()], i)
	}
	inTest := make([]bool, len(s.Rows))
	n := 0
	for _, i := range tensor.NewRNG(seed, "split/"+s.Name).Perm(len(s.Rows)) {
		if n >= nTest {
			break
		}
		if !inTest[i] {
			for _, j := range same[s.Rows[i].Asked()] {
				inTest[j] = true
				n++
			}
		}
	}
	if n == len(s.Rows) {
		return nil, nil, fmt.Errorf("data.Split: %s: all %d rows have the same few prompts; nothing is left to train on", s.Name, n)
	}
	var a, b []Example
	for i, r := range s.Rows {
		if inTest[i] {
			b = append(b, r)
		} else {
			a = append(a, r)
		}
	}
	note := fmt.Sprintf("seed %d", seed)
	return &Set{Name: s.Name, Rows: a, Notes: s.Notes, Steps: s.then("split", len(a), note)},
		&Set{Name: s.Name + "/test", Rows: b, Notes: s.Notes, Steps: s.then("split", len(b), note+", the test part")}, nil
}

// Filter returns the rows for which keep is true.
func (s *Set) Filter(keep func(e *Example) bool) *Set { return s.filter("where", "", keep) }

func (s *Set) filter(op, note string, keep func(e *Example) bool) *Set {
	var rows []Example
	for i := range s.Rows {
		if keep(&s.Rows[i]) {
			rows = append(rows, s.Rows[i])
		}
	}
	return s.from(rows, op, note)
}

// By cuts the set into slices, one for each label that rows have, in alphabetical order. Each is called
// "<name>/<label>", so that a mix can take them as sources of their own; rows keep their source. Rows whose label is
// empty are the slice "<name>/-".
func (s *Set) By(label func(e *Example) string) []*Set {
	rows := map[string][]Example{}
	for i := range s.Rows {
		l := label(&s.Rows[i])
		if l == "" {
			l = "-"
		}
		rows[l] = append(rows[l], s.Rows[i])
	}
	names := make([]string, 0, len(rows))
	for l := range rows {
		names = append(names, l)
	}
	sort.Strings(names)
	out := make([]*Set, len(names))
	for i, l := range names {
		out[i] = &Set{Name: s.Name + "/" + l, Rows: rows[l], Notes: s.Notes, Repeats: s.Repeats, Steps: s.then("slice", len(rows[l]), l)}
	}
	return out
}

// Fingerprint returns a SHA-256 in hexadecimal of the rows in their order, every field of them. The set's name, notes
// and history are not in it.
func (s *Set) Fingerprint() string {
	h := sha256.New()
	for i := range s.Rows {
		s.Rows[i].sum(h)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (e *Example) sum(h hash.Hash) {
	e.sumText(h)
	sumStrings(h, e.Task, e.Skill, fmt.Sprint(e.Wrong, len(e.Refs)))
	sumStrings(h, e.Refs...)
}

// sumText adds what a template makes ids of, and the row's name.
func (e *Example) sumText(h hash.Hash) {
	sumStrings(h, e.Source, fmt.Sprint(e.Row, e.Input))
	for _, m := range e.Messages() {
		sumStrings(h, m.Role, m.Content)
	}
	sumStrings(h, "")
}

// sumStrings adds texts to a sum so that their borders count.
func sumStrings(h hash.Hash, texts ...string) {
	var n [8]byte
	for _, t := range texts {
		binary.LittleEndian.PutUint64(n[:], uint64(len(t)))
		h.Write(n[:])
		io.WriteString(h, t)
	}
}

// Concat returns all rows of several sets, in order, under one name. Rows keep their sources.
func Concat(name string, sets ...*Set) *Set {
	out := &Set{Name: name}
	for _, s := range sets {
		out.Rows = append(out.Rows, s.Rows...)
		out.Repeats += s.Repeats
		for _, st := range s.Steps {
			st.Note = strings.TrimSuffix(s.Name+": "+st.Note, ": ")
			out.Steps = append(out.Steps, st)
		}
		for _, note := range s.Notes {
			out.Notes = append(out.Notes, s.Name+": "+note)
		}
	}
	if n := len(out.Notes); n > 5 {
		out.Notes = append(out.Notes[:4:4], fmt.Sprintf("… and %d more notes like these", n-4))
	}
	return out
}
