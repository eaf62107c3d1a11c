package data

import (
	"fmt"
	"sort"

	"tunebook/engine/tensor"
)

// Mixed is several sets shuffled into one, with the account of where every row came from.
type Mixed struct {
	Set
	Manifest Manifest
}

// Manifest accounts for the rows of a mix by source, and, once it was encoded, for its tokens.
type Manifest struct {
	Seed    int64           `json:"seed"`
	Sources []SourceAccount `json:"sources"` // in the order given
}

// SourceAccount is one source's line of a manifest. Available = distinct rows drawn + Unused.
type SourceAccount struct {
	Name       string `json:"name"`
	Available  int    `json:"available"` // distinct rows that there were to draw from
	Drawn      int    `json:"drawn"`     // rows in the mix, repeats included
	Repeated   int    `json:"repeated"`  // of these, rows that are there already
	Unused     int    `json:"unused"`    // rows not in the mix
	Wrong      int    `json:"wrong"`     // rows whose answer was made wrong on purpose
	Dropped    int    `json:"dropped"`   // left out when encoding: longer than the limit
	Cut        int    `json:"cut"`       // shortened when encoding
	Tokens     int    `json:"tokens"`
	Supervised int    `json:"supervised"` // trained tokens among them
}

// Mix shuffles the rows of its sources together. The order is a pure function of the seed and of the rows' sources and
// numbers, so it does not depend on the order in which sources are given, and a further source leaves the order of the
// others among themselves as it is. Every row's source becomes the name of the set it came with.
//
// A source without examples, and two of one name, are errors.
func Mix(seed int64, sources ...*Set) (*Mixed, error) {
	if len(sources) == 0 {
		return nil, fmt.Errorf("data.Mix: no sources; wanted at least one")
	}
	m := &Mixed{Set: Set{Name: "mix"}, Manifest: Manifest{Seed: seed}}
	type keyed struct {
		key uint64
		row Example
	}
	var all []keyed
	names := map[string]bool{}
	for _, s := range sources {
		if len(s.Rows) == 0 {
			return nil, fmt.Errorf("data.Mix: source %s has no examples", s.Name)
		}
		if names[s.Name] {
			return nil, fmt.Errorf("data.Mix: two sources are called %s; name one of them otherwise", s.Name)
		}
		names[s.Name] = true
		for _, note := range s.Notes {
			m.Notes = append(m.Notes, s.Name+": "+note)
		}
		acc := SourceAccount{Name: s.Name, Available: s.Available, Drawn: len(s.Rows)}
		type id struct {
			source string
			row    int
		}
		seen := map[id]int{}
		for _, r := range s.Rows {
			k := id{r.Source, r.Row}
			again := seen[k]
			seen[k]++
			if again > 0 {
				acc.Repeated++
			}
			if r.Wrong {
				acc.Wrong++
			}
			key := tensor.NewRNG(seed, fmt.Sprintf("mix/%s/%s/%d/%d", s.Name, r.Source, r.Row, again)).Uint64()
			r.Source = s.Name
			all = append(all, keyed{key, r})
		}
		acc.Available = max(acc.Available, len(seen))
		acc.Unused = acc.Available - len(seen)
		m.Manifest.Sources = append(m.Manifest.Sources, acc)
	}
	sort.SliceStable(all, func(i, j int) bool {
		a, b := &all[i], &all[j]
		if a.key != b.key {
			return a.key < b.key
		}
		return a.row.Source < b.row.Source
	})
	for i := range all {
		m.Rows = append(m.Rows, all[i].row)
	}
	return m, nil
}

// Tokens returns the manifest with the account of what encoding made of the mix.
func (m Manifest) Tokens(e *Encoded) Manifest {
	out := Manifest{Seed: m.Seed, Sources: append([]SourceAccount(nil), m.Sources...)}
	for i := range out.Sources {
		for j, name := range e.Sources {
			if name == out.Sources[i].Name {
				c := e.Counts[j]
				out.Sources[i].Dropped, out.Sources[i].Cut = c.Dropped, c.Cut
				out.Sources[i].Tokens, out.Sources[i].Supervised = c.Tokens, c.Supervised
			}
		}
	}
	return out
}

// Corrupt returns the set with a share of its answers, rounded to a whole number of rows, replaced by another row's
// answer of the same task that is none of the right ones; those rows are marked Wrong. Rows of tasks that have one
// answer only cannot be made wrong: when too few are left, it is an error with both numbers.
func (s *Set) Corrupt(seed int64, share float64) (*Set, error) {
	if !(share >= 0 && share <= 1) {
		return nil, fmt.Errorf("data.Corrupt: %s: the share is %g; wanted 0 to 1", s.Name, share)
	}
	want := int(share*float64(len(s.Rows)) + 0.5)
	rows := append([]Example(nil), s.Rows...)
	answers := map[string][]string{} // task → its answers, once for each row that has it
	for _, r := range s.Rows {
		answers[r.Task] = append(answers[r.Task], r.Answer)
	}
	r := tensor.NewRNG(seed, "corrupt/"+s.Name)
	done := 0
	for _, i := range r.Perm(len(rows)) {
		if done == want {
			break
		}
		right := map[string]bool{}
		for _, a := range s.Rows[i].Answers() {
			right[a] = true
		}
		pool := answers[rows[i].Task]
		start := r.Intn(len(pool))
		for k := range pool {
			if a := pool[(start+k)%len(pool)]; !right[a] {
				rows[i].Answer, rows[i].Refs, rows[i].Wrong = a, nil, true
				done++
				break
			}
		}
	}
	if done < want {
		return nil, fmt.Errorf("data.Corrupt: %s: %d rows have another answer to take; wanted %d", s.Name, done, want)
	}
	return &Set{Name: s.Name, Rows: rows, Available: s.Available, Notes: s.Notes}, nil
}
