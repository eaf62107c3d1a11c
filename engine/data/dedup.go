package data

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"tunebook/engine/tensor"
)

// DedupOptions say which rows are the same.
type DedupOptions struct {
	Near   float64 `json:"near"`   // Jaccard similarity of word runs from which two rows are; 0: system, prompt and answer equal
	Words  int     `json:"words"`  // of a run; 5
	Hashes int     `json:"hashes"` // of a MinHash signature; 128
	Within bool    `json:"within"` // look within each set only, not across
}

// Duplicates says what deduplication removed. Pairs holds all of them, in the order of the removed rows.
type Duplicates struct {
	Options DedupOptions   `json:"options"`
	Bands   int            `json:"bands,omitempty"` // of the signature; rows that agree in one are compared
	Sets    []DedupAccount `json:"sets"`
	Pairs   []Pair         `json:"pairs"`
}

// DedupAccount counts one set's rows: Rows = kept + Exact + Near.
type DedupAccount struct {
	Set   string `json:"set"`
	Rows  int    `json:"rows"`
	Exact int    `json:"exact"` // removed: equal to an earlier row
	Near  int    `json:"near"`  // removed: similar to an earlier row
}

// Pair is a removed row with the row that was kept in its place.
type Pair struct {
	Kept       Ref     `json:"kept"`
	Removed    Ref     `json:"removed"`
	Similarity float64 `json:"similarity"` // 1 for equal rows
}

// Ref names a row of a set: its index there, its source and number, and its text.
type Ref struct {
	Set    string `json:"set"`
	Index  int    `json:"index"`
	Source string `json:"source"`
	Row    int    `json:"row"`
	Text   string `json:"text"` // the beginning of prompt and answer
}

func refTo(s *Set, i int) Ref {
	e := &s.Rows[i]
	text := []rune(strings.Join(strings.Fields(e.Prompt+" → "+e.Answer), " "))
	if len(text) > 120 {
		text = append(text[:119], '…')
	}
	return Ref{Set: s.Name, Index: i, Source: e.Source, Row: e.Row, Text: string(text)}
}

// fill gives the options their defaults and checks them.
func (o *DedupOptions) fill() error {
	if o.Words == 0 {
		o.Words = 5
	}
	if o.Hashes == 0 {
		o.Hashes = 128
	}
	if !(o.Near >= 0 && o.Near <= 1) {
		return fmt.Errorf("data.Dedup: Near is %g; wanted 0 (equal rows only) or a similarity, at most 1", o.Near)
	}
	if o.Words < 1 || o.Hashes < 8 || o.Hashes > 4096 {
		return fmt.Errorf("data.Dedup: Words is %d and Hashes is %d; wanted at least 1, and 8 to 4096", o.Words, o.Hashes)
	}
	return nil
}

// Dedup returns the sets without rows that are the same as an earlier one, within a set and across sets in the order
// given: the first is kept. The result is a pure function of the sets and the options.
//
// Near duplicates are found by MinHash signatures in bands (Broder 1997, "On the resemblance and containment of
// documents"; Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4): rows that agree in a band are compared by
// the exact Jaccard similarity of their word runs, so none is removed below Near; bands are chosen so that a pair at Near
// is compared with a probability of at least 0.99. A row is compared with rows that were kept.
//
// Sets that a mix has repeated rows in are refused.
func Dedup(o DedupOptions, sets ...*Set) ([]*Set, Duplicates, error) {
	if err := o.fill(); err != nil {
		return nil, Duplicates{}, err
	}
	rep := Duplicates{Options: o, Pairs: []Pair{}}
	var out []*Set
	d := newDeduper(o)
	rep.Bands = d.bands
	for _, s := range sets {
		if err := s.once("Dedup"); err != nil {
			return nil, Duplicates{}, err
		}
		if o.Within {
			d = newDeduper(o)
		}
		acc := DedupAccount{Set: s.Name, Rows: len(s.Rows)}
		var rows []Example
		for i := range s.Rows {
			p, found := d.add(s, i)
			switch _, equal := d.exact[keyOf(&s.Rows[i])]; {
			case !found:
				rows = append(rows, s.Rows[i])
				continue
			case equal:
				acc.Exact++
			default:
				acc.Near++
			}
			rep.Pairs = append(rep.Pairs, p)
		}
		note := fmt.Sprintf("%d equal rows", acc.Exact)
		if o.Near > 0 {
			note += fmt.Sprintf(", %d of similarity %g or more (runs of %d words, %d hashes in %d bands)", acc.Near, o.Near, o.Words, o.Hashes, d.bands)
		}
		out = append(out, s.without(rows, "dedup", note))
		rep.Sets = append(rep.Sets, acc)
	}
	return out, rep, nil
}

// Dedup returns the set without rows whose system, prompt and answer an earlier row has, and how many those were.
func (s *Set) Dedup() (*Set, int) {
	sets, rep, err := Dedup(DedupOptions{}, &Set{Name: s.Name, Rows: s.Rows, Available: s.Available, Notes: s.Notes, Steps: s.Steps})
	if err != nil {
		panic(err) // the options are right and the set repeats nothing
	}
	return sets[0], rep.Sets[0].Exact
}

type rowKey struct{ system, prompt, answer string }

func keyOf(e *Example) rowKey { return rowKey{e.System, e.Asked(), e.Answer} }

// at is a row of a set.
type at struct {
	set *Set
	row int
}

// deduper holds the rows that were kept.
type deduper struct {
	o           DedupOptions
	bands, rows int // of a signature
	mul, add_   []uint64
	exact       map[rowKey]int // index into kept
	kept        []at
	runs        [][]uint64 // sorted hashes of a kept row's word runs
	buckets     []map[uint64][]int
}

func newDeduper(o DedupOptions) *deduper {
	d := &deduper{o: o, exact: map[rowKey]int{}}
	if o.Near == 0 {
		return d
	}
	d.bands, d.rows = bandsFor(o.Near, o.Hashes)
	r := tensor.NewRNG(0, "minhash")
	for range d.bands * d.rows {
		d.mul, d.add_ = append(d.mul, r.Uint64()|1), append(d.add_, r.Uint64())
	}
	d.buckets = make([]map[uint64][]int, d.bands)
	for i := range d.buckets {
		d.buckets[i] = map[uint64][]int{}
	}
	return d
}

// bandsFor returns the fewest bands, each of as many rows as fit into a signature, with which a pair of similarity t
// agrees in a band with a probability of at least 0.99.
func bandsFor(t float64, hashes int) (bands, rows int) {
	for rows = hashes; rows > 1; rows-- {
		bands = hashes / rows
		if 1-math.Pow(1-math.Pow(t, float64(rows)), float64(bands)) >= 0.99 {
			return bands, rows
		}
	}
	return hashes, 1
}

func (d *deduper) ref(k int) Ref { return refTo(d.kept[k].set, d.kept[k].row) }

// add keeps row i of s, or returns the kept row that it is the same as.
func (d *deduper) add(s *Set, i int) (Pair, bool) {
	e := &s.Rows[i]
	key := keyOf(e)
	if k, ok := d.exact[key]; ok {
		return Pair{Kept: d.ref(k), Removed: refTo(s, i), Similarity: 1}, true
	}
	var runs []uint64
	var bands []uint64
	if d.o.Near > 0 {
		runs = runHashes(lowerWords(e.Asked()+"\n"+e.Answer), d.o.Words)
		if len(runs) > 0 {
			bands = d.signature(runs)
		}
		looked := map[int]bool{}
		best, first := 0.0, -1
		for b, h := range bands {
			for _, k := range d.buckets[b][h] {
				if !looked[k] {
					looked[k] = true
					if j := jaccard(runs, d.runs[k]); j >= d.o.Near && (j > best || j == best && k < first) {
						best, first = j, k
					}
				}
			}
		}
		if first >= 0 {
			return Pair{Kept: d.ref(first), Removed: refTo(s, i), Similarity: best}, true
		}
	}
	k := len(d.kept)
	d.exact[key] = k
	d.kept = append(d.kept, at{s, i})
	if d.o.Near > 0 {
		d.runs = append(d.runs, runs)
		for b, h := range bands {
			d.buckets[b][h] = append(d.buckets[b][h], k)
		}
	}
	return Pair{}, false
}

// signature returns one hash for each band of a row's MinHash signature.
func (d *deduper) signature(runs []uint64) []uint64 {
	out := make([]uint64, d.bands)
	for b := range out {
		h := uint64(14695981039346656037) // FNV-1a over the band's minima
		for j := b * d.rows; j < (b+1)*d.rows; j++ {
			least := uint64(math.MaxUint64)
			for _, x := range runs {
				v := x*d.mul[j] + d.add_[j]
				v ^= v >> 32 // the low bits of a product know little of the high ones of its factors
				v *= 0x9e3779b97f4a7c15
				least = min(least, v)
			}
			h = (h ^ least) * 1099511628211
		}
		out[b] = h
	}
	return out
}

// runHashes returns the sorted, distinct hashes of all runs of n words; of fewer words, the hash of all.
func runHashes(w []string, n int) []uint64 {
	if len(w) == 0 {
		return nil
	}
	out := rollHashes(w, min(n, len(w)))
	slices.Sort(out)
	return slices.Compact(out)
}

// rollHashes returns the hash of every run of n words, in order: a polynomial in the words' FNV-1a hashes.
func rollHashes(w []string, n int) []uint64 {
	if len(w) < n {
		return nil
	}
	one := make([]uint64, len(w))
	for i, x := range w {
		h := uint64(14695981039346656037)
		for k := range len(x) {
			h = (h ^ uint64(x[k])) * 1099511628211
		}
		one[i] = h ^ h>>29
	}
	out := make([]uint64, len(w)-n+1)
	for i := range out {
		h := uint64(n)
		for _, x := range one[i : i+n] {
			h = h*0x9e3779b97f4a7c15 + x
		}
		out[i] = h ^ h>>32
	}
	return out
}

// jaccard returns |a ∩ b| / |a ∪ b| of sorted lists without repeats.
func jaccard(a, b []uint64) float64 {
	both, i, j := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			both++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// lowerWords returns the runs of letters, marks and digits of a text, case ignored. Scripts that are written without spaces
// give a word for each letter.
func lowerWords(text string) []string {
	var out []string
	start := -1
	text = strings.ToLower(text)
	for i, r := range text {
		alone := r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
		if inWord := !alone && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)); inWord {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			out = append(out, text[start:i])
			start = -1
		}
		if alone {
			out = append(out, string(r))
		}
	}
	if start >= 0 {
		out = append(out, text[start:])
	}
	return out
}
