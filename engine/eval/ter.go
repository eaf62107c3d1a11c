package eval

import (
	"fmt"
	"math"
	"slices"
)

// Limits that TER's search shares with the Tercom program and sacreBLEU.
const (
	terShiftSize  = 10   // words in a shift
	terShiftDist  = 50   // positions between where it was and where it fits
	terBeam       = 25   // cells on either side of the diagonal
	terCandidates = 1000 // shifts tried for a document
)

// TER returns the translation edit rate, equal to sacreBLEU's: insertions, deletions, substitutions and shifts of word
// sequences, divided by the mean length of the references. Less is better, and it may exceed 1.
//
// Source: Snover et al. 2006, "A study of translation edit rate with targeted human annotation".
func TER(caseSensitive bool) Metric {
	segment := func(s string) []string {
		if !caseSensitive {
			s = lower(s)
		}
		return wordsOf(s)
	}
	var how []string
	if caseSensitive {
		how = append(how, "case sensitive")
	}
	return Metric{
		Name: named("TER", how), Normalise: "sacreBLEU tercom words", LowerBetter: true, most: math.Inf(1),
		tally: func(r Row) (Tally, error) {
			edits, length := math.MaxInt, 0
			refs := r.references()
			words := segment(r.Cleaned)
			for _, ref := range refs {
				w := segment(ref)
				edits = min(edits, terEdits(words, w))
				length += len(w)
			}
			return dense(float64(edits), float64(length)/float64(len(refs))), nil
		},
		value: func(sum []float64) float64 {
			switch {
			case len(sum) == 0:
				return 0
			case sum[1] > 0:
				return sum[0] / sum[1]
			}
			return truth(sum[0] > 0)
		},
		empty: func(ref string) bool { return len(wordsOf(ref)) == 0 },
		sign: func(nrefs string) string {
			return fmt.Sprintf("nrefs:%s|case:%s|tok:tercom|norm:no|punct:yes|asian:no|version:%s", nrefs, letterCase(!caseSensitive), sacreVersion)
		},
	}
}

// terEdits returns the fewest edits found that turn words into the reference: shifts as long as they help, then the edit
// distance.
func terEdits(words, ref []string) int {
	if len(ref) == 0 {
		return len(words)
	}
	e := &editTable{ref: ref}
	shifts, tried := 0, 0
	for {
		gain, shifted := terShift(words, ref, e, &tried)
		if tried >= terCandidates || gain <= 0 {
			break
		}
		shifts++
		words = shifted
	}
	return shifts + e.distance(words)
}

// terShift returns the shift that lowers the edit distance most, and by how much; of equal ones the longest, then the one
// from the earliest place, then the one to the earliest place.
func terShift(words, ref []string, e *editTable, tried *int) (int, []string) {
	before := e.distance(words)
	align, refWrong, wrong := e.alignment(len(words))
	type shift struct {
		gain, length, from, to int
		words                  []string
	}
	var best *shift
	better := func(a, b *shift) bool {
		for _, d := range [4]int{a.gain - b.gain, a.length - b.length, b.from - a.from, b.to - a.to} {
			if d != 0 {
				return d > 0
			}
		}
		return false
	}
	e.keep(words)
	for from := range words {
		for at := range ref {
			if abs(at-from) > terShiftDist {
				continue
			}
			for length := 1; length <= terShiftSize && from+length <= len(words) && at+length <= len(ref) && words[from+length-1] == ref[at+length-1]; length++ {
				if !slices.Contains(wrong[from:from+length], true) || !slices.Contains(refWrong[at:at+length], true) {
					continue
				}
				if from <= align[at] && align[at] < from+length {
					continue
				}
				last := -1
				for offset := -1; offset < length; offset++ {
					to := 0
					if i := at + offset; i >= len(ref) {
						break
					} else if i >= 0 {
						to = align[i] + 1
					}
					if to == last {
						continue
					}
					last = to
					moved := move(words, from, length, to)
					s := &shift{before - e.distance(moved), length, from, to, moved}
					*tried++
					if best == nil || better(s, best) {
						best = s
					}
				}
				if *tried >= terCandidates {
					return best.gain, best.words
				}
			}
		}
	}
	if best == nil {
		return 0, words
	}
	return best.gain, best.words
}

// move returns words with those of [from, from+length) put before position to. A place within the moved words counts
// from their end.
func move(words []string, from, length, to int) []string {
	out := make([]string, 0, len(words))
	switch {
	case to < from:
		out = append(append(append(out, words[:to]...), words[from:from+length]...), words[to:from]...)
		return append(out, words[from+length:]...)
	case to > from+length:
		out = append(append(out, words[:from]...), words[from+length:to]...)
		return append(append(out, words[from:from+length]...), words[to:]...)
	}
	end := min(length+to, len(words))
	out = append(append(out, words[:from]...), words[from+length:end]...)
	return append(append(out, words[from:from+length]...), words[end:]...)
}

type edit struct {
	cost int
	op   byte // '=', 's', 'i' (a word of the reference is missing), 'd' (a word too many)
}

// editTable is the table of edit distances of beginnings of a list of words to beginnings of a reference, near the diagonal.
type editTable struct {
	ref   []string
	rows  [][]edit
	words []string // of rows
	kept  []string // words whose rows stay as a start for others
	base  [][]edit
}

// keep makes the rows of words, which were measured last, the start for lists with the same beginning.
func (e *editTable) keep(words []string) {
	e.kept, e.base = words, slices.Clone(e.rows)
}

func (e *editTable) distance(words []string) int {
	n := len(e.ref)
	same := 0
	if e.base != nil && len(e.kept) == len(words) {
		for same < len(words) && words[same] == e.kept[same] {
			same++
		}
	}
	e.rows = e.rows[:0]
	if same > 0 {
		e.rows = append(e.rows, e.base[:same+1]...)
	} else {
		first := make([]edit, n+1)
		for j := range first {
			first[j] = edit{j, 'i'}
		}
		e.rows = append(e.rows, first)
	}
	ratio, beam := 1.0, terBeam
	if len(words) > 0 {
		ratio = float64(n) / float64(len(words))
	}
	if float64(beam) < ratio/2 {
		beam = int(math.Ceil(ratio/2 + terBeam))
	}
	const far = 1 << 50
	for i := same + 1; i <= len(words); i++ {
		row := make([]edit, n+1)
		for j := range row {
			row[j] = edit{far, 'x'}
		}
		above := e.rows[i-1]
		diagonal := int(math.Floor(float64(i) * ratio))
		end := min(n+1, diagonal+beam)
		if i == len(words) {
			end = n + 1
		}
		for j := max(0, diagonal-beam); j < end; j++ {
			if j == 0 {
				row[0] = edit{above[0].cost + 1, 'd'}
				continue
			}
			sub := edit{above[j-1].cost + 1, 's'}
			if words[i-1] == e.ref[j-1] {
				sub = edit{above[j-1].cost, '='}
			}
			for _, c := range [3]edit{sub, {above[j].cost + 1, 'd'}, {row[j-1].cost + 1, 'i'}} {
				if c.cost < row[j].cost {
					row[j] = c
				}
			}
		}
		e.rows = append(e.rows, row)
	}
	return e.rows[len(words)][n].cost
}

// alignment returns, for the words measured last, the place of each word of the reference in them (the last one before
// it where it has none, -1 at the beginning), and which words of the reference and of theirs take part in an edit.
func (e *editTable) alignment(words int) (align []int, refWrong, wrong []bool) {
	align, refWrong, wrong = make([]int, len(e.ref)), make([]bool, len(e.ref)), make([]bool, words)
	i, j := words, len(e.ref)
	for i > 0 || j > 0 {
		op := e.rows[i][j].op
		switch op {
		case 'i':
			j--
			align[j], refWrong[j] = i-1, true
		case 'd':
			i--
			wrong[i] = true
		default:
			i, j = i-1, j-1
			align[j], refWrong[j], wrong[i] = i, op == 's', op == 's'
		}
	}
	return align, refWrong, wrong
}
