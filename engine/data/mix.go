package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"tunebook/engine/tensor"
)

// Mixed is several sets shuffled into one, with the account of where every row came from.
type Mixed struct {
	Set
	Manifest Manifest
}

// Manifest accounts for the rows of a mix by source, planned and real, and, once it was encoded, for its tokens.
type Manifest struct {
	Seed        int64           `json:"seed"`
	Unit        Unit            `json:"unit"`
	Planned     float64         `json:"planned"`            // size of the mix, in the unit
	Realised    float64         `json:"realised"`           // the same as it came out
	End         Ending          `json:"end,omitempty"`      // what decided the size, where shares and no Size did
	Block       int             `json:"block"`              // rows in which the plan holds
	Stages      []Stage         `json:"stages,omitempty"`   // of a curriculum
	Linear      bool            `json:"linear,omitempty"`   // its shares move in straight lines
	Fingerprint string          `json:"fingerprint"`        // SHA-256 of the mix's rows in order
	Dedup       *Duplicates     `json:"dedup,omitempty"`    // what deduplication removed
	Overlap     []OverlapReport `json:"overlap,omitempty"`  // with test sets, before rows were removed
	Encoding    *EncodingUsed   `json:"encoding,omitempty"` // how it became tokens; nil before
	Sources     []SourceAccount `json:"sources"`            // in the order given
}

// SourceAccount is one source's line of a manifest. Available = distinct rows drawn + Unused.
type SourceAccount struct {
	Name       string  `json:"name"`
	Available  int     `json:"available"`  // distinct rows that there were to draw from
	Drawn      int     `json:"drawn"`      // rows in the mix, repeats included
	Repeated   int     `json:"repeated"`   // of these, rows that are there already
	Most       int     `json:"most"`       // times that the most frequent row is there
	Unused     int     `json:"unused"`     // rows not in the mix
	Wrong      int     `json:"wrong"`      // rows whose answer was made wrong on purpose
	Plan       string  `json:"plan"`       // what was asked for: "share 0.5"
	Planned    float64 `json:"planned"`    // in the manifest's unit
	Realised   float64 `json:"realised"`   // in the manifest's unit
	Share      float64 `json:"share"`      // realised, of the mix
	Passes     float64 `json:"passes"`     // realised, over the source as it was mixed
	Weight     float64 `json:"weight"`     // in the training loss
	Removed    int     `json:"removed"`    // rows that overlap with a test set, taken out
	Dropped    int     `json:"dropped"`    // left out when encoding: longer than the limit
	Cut        int     `json:"cut"`        // shortened when encoding
	CutTokens  int     `json:"cut_tokens"` // taken from these
	Tokens     int     `json:"tokens"`
	Supervised int     `json:"supervised"` // trained tokens among them

	Fingerprint string `json:"fingerprint"`     // SHA-256 of the rows that it was drawn from
	Steps       []Step `json:"steps,omitempty"` // what was done to it before
}

// Mix shuffles the rows of its sources together: Blend of one pass over each.
//
// A source without examples, and two of one name, are errors.
func Mix(seed int64, sources ...*Set) (*Mixed, error) {
	r := Recipe{Seed: seed}
	for _, s := range sources {
		r.Parts = append(r.Parts, Part{Set: s, Passes: 1})
	}
	return r.Blend()
}

// Blend makes a mix. Which rows a part gives depends on the seed, on its own name and on its own rows; a larger amount
// begins with the rows of a smaller one, and Count of a whole set's rows are those of Take. The order of the mix is a pure
// function of the seed and of the rows' places, so it does not depend on the order of the parts, and, within a block, a
// further part leaves the order of the others among themselves as it is.
//
// Examples come out as planned, exactly. Tokens come within half a row. In a mix of blocks every source has given, at the
// end of each, its plan's share of what all have given up to 1/2 row and k/2 times its share for k sources; exactly so
// where that is a whole number for all.
//
// A source without examples, two sources of one name, a plan that cannot be kept, and repeats beyond MaxPasses are errors.
func (r Recipe) Blend() (*Mixed, error) {
	parts, m, err := r.prepare()
	if err != nil {
		return nil, err
	}
	plans, err := r.plan(parts)
	if err != nil {
		return nil, err
	}
	type drawn struct {
		row   *Example
		place Place
		time  float64 // progress of the mix at which it is due
		key   uint64
		nth   int // of its part's draw
	}
	byKey := func(a, b drawn) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.place.Part, b.place.Part), cmp.Compare(a.nth, b.nth))
	}
	var all []drawn
	for i, p := range parts {
		rows, err := r.draw(p, plans[i])
		if err != nil {
			return nil, err
		}
		acc := &m.Manifest.Sources[i]
		acc.Plan, acc.Planned, acc.Drawn = plans[i].how, plans[i].amount, len(rows)
		type id struct {
			source string
			row    int
		}
		times := map[id]int{}
		cost := func(int) float64 { return 1 }
		if plans[i].cost != nil {
			cost = func(row int) float64 { return plans[i].cost[row] }
		}
		total := 0.0
		for _, row := range rows {
			total += cost(row)
		}
		due, before := r.due(i), 0.0
		for nth, row := range rows {
			e := &p.Set.Rows[row]
			again := times[id{e.Source, e.Row}]
			times[id{e.Source, e.Row}]++
			if again > 0 {
				acc.Repeated++
			}
			acc.Most = max(acc.Most, again+1)
			if e.Wrong {
				acc.Wrong++
			}
			c := cost(row)
			at := 0.5
			if total > 0 {
				at = (before + c/2) / total
			}
			before += c
			all = append(all, drawn{e, placeOf(p.Set.Name, e, again), due(at),
				tensor.NewRNG(r.Seed, fmt.Sprintf("mix/%s/%s/%d/%d", p.Set.Name, e.Source, e.Row, again)).Uint64(), nth})
		}
		acc.Realised = total
		acc.Passes = total / plans[i].size
		distinct := map[id]bool{}
		for j := range p.Set.Rows {
			distinct[id{p.Set.Rows[j].Source, p.Set.Rows[j].Row}] = true
		}
		acc.Available = max(acc.Available, len(distinct))
		acc.Unused = acc.Available - len(times)
		m.Manifest.Planned += acc.Planned
		m.Manifest.Realised += total
		m.Repeats += acc.Repeated
	}
	for i := range m.Manifest.Sources {
		m.Manifest.Sources[i].Share = m.Manifest.Sources[i].Realised / m.Manifest.Realised
	}
	size := r.Block
	if size == 0 || size > len(all) {
		size = len(all)
		if r.Policy != nil && r.Block == 0 {
			size = min(size, 64)
		}
	}
	if size < len(all) {
		// Times a rounding apart are the same time.
		slices.SortFunc(all, func(a, b drawn) int {
			return cmp.Or(cmp.Compare(math.Round(a.time*1e12), math.Round(b.time*1e12)), byKey(a, b))
		})
	}
	for i := range all {
		all[i].place.Block = i/size + 1
	}
	slices.SortFunc(all, func(a, b drawn) int {
		return cmp.Or(cmp.Compare(a.place.Block, b.place.Block), byKey(a, b))
	})
	for i := range all {
		m.Rows = append(m.Rows, *all[i].row)
		m.Places = append(m.Places, all[i].place)
	}
	m.Manifest.Block = size
	m.Manifest.Fingerprint = m.Set.Fingerprint()
	return m, nil
}

// prepare checks the recipe, deduplicates and decontaminates its sources, and begins the account.
func (r *Recipe) prepare() ([]Part, *Mixed, error) {
	if len(r.Parts) == 0 {
		return nil, nil, fmt.Errorf("data.Mix: no sources; wanted at least one")
	}
	switch r.Unit {
	case "":
		r.Unit = Examples
	case Examples:
	case SupervisedTokens, AllTokens:
		if r.Measure == nil {
			return nil, nil, fmt.Errorf("data.Blend: the unit is %s and Measure is not given; wanted what counts the tokens of a row", r.Unit)
		}
	default:
		return nil, nil, fmt.Errorf("data.Blend: the unit is %q; wanted %q, %q or %q", r.Unit, Examples, SupervisedTokens, AllTokens)
	}
	if r.End != "" && r.End != FirstEnds && r.End != AllEnded {
		return nil, nil, fmt.Errorf("data.Blend: End is %q; wanted %q or %q", r.End, FirstEnds, AllEnded)
	}
	if r.Size < 0 || r.Block < 0 {
		return nil, nil, fmt.Errorf("data.Blend: Size is %d and Block is %d; wanted 0 or more", r.Size, r.Block)
	}
	m := &Mixed{Set: Set{Name: "mix"}, Manifest: Manifest{Seed: r.Seed, Unit: r.Unit, End: r.End}}
	switch p := r.Policy.(type) {
	case nil:
	case Curriculum:
		m.Manifest.Stages, m.Manifest.Linear = p.Stages, p.Linear
	default:
		m.Manifest.Stages = []Stage{{0, p.Shares(0)}}
	}
	names := map[string]bool{}
	parts := append([]Part(nil), r.Parts...)
	sets := make([]*Set, len(parts))
	for i, p := range parts {
		if p.Set == nil {
			return nil, nil, fmt.Errorf("data.Blend: part %d has no set", i+1)
		}
		if err := notEmpty(p.Set, ""); err != nil {
			return nil, nil, err
		}
		if names[p.Set.Name] {
			return nil, nil, fmt.Errorf("data.Mix: two sources are called %s; name one of them otherwise", p.Set.Name)
		}
		names[p.Set.Name] = true
		if p.MaxPasses < 0 || !(p.Weight >= 0) || math.IsInf(p.Weight, 0) {
			return nil, nil, fmt.Errorf("data.Blend: %s: MaxPasses is %d and Weight is %g; wanted 0 or more", p.Set.Name, p.MaxPasses, p.Weight)
		}
		for _, note := range p.Set.Notes {
			m.Notes = append(m.Notes, p.Set.Name+": "+note)
		}
		sets[i] = p.Set
	}
	if r.Dedup != nil {
		var rep Duplicates
		var err error
		if sets, rep, err = Dedup(*r.Dedup, sets...); err != nil {
			return nil, nil, err
		}
		m.Manifest.Dedup = &rep
	}
	n := r.NGram
	if n == 0 {
		n = DefaultNGram
	}
	for i, s := range sets {
		if err := notEmpty(s, " after deduplication"); err != nil {
			return nil, nil, err
		}
		weight := parts[i].Weight
		if weight == 0 {
			weight = 1
		}
		acc := SourceAccount{Name: s.Name, Weight: weight}
		if len(r.Against) > 0 {
			clean, reps, err := s.Decontaminate(n, r.Against...)
			if err != nil {
				return nil, nil, err
			}
			m.Manifest.Overlap = append(m.Manifest.Overlap, reps...)
			if r.Clean {
				acc.Removed = len(s.Rows) - len(clean.Rows)
				s = clean
				if err := notEmpty(s, " after decontamination"); err != nil {
					return nil, nil, err
				}
			}
		} else if r.Clean {
			return nil, nil, fmt.Errorf("data.Blend: Clean is set and Against names no test set; wanted at least one")
		}
		acc.Available, acc.Fingerprint, acc.Steps = s.Available, s.Fingerprint(), s.Steps
		parts[i].Set = s
		m.Manifest.Sources = append(m.Manifest.Sources, acc)
	}
	return parts, m, nil
}

func notEmpty(s *Set, when string) error {
	if len(s.Rows) == 0 {
		return fmt.Errorf("data.Mix: source %s has no examples%s", s.Name, when)
	}
	return nil
}

// due returns what turns the share of a source that was given into the progress of the mix at which the policy has given
// as much.
func (r *Recipe) due(source int) func(at float64) float64 {
	if r.Policy == nil {
		return func(at float64) float64 { return at }
	}
	whole, lo := r.Policy.Sum(1)[source], 0.0
	return func(at float64) float64 {
		a, b := lo, 1.0 // calls come in ascending order
		for range 60 {
			mid := (a + b) / 2
			if r.Policy.Sum(mid)[source] < at*whole {
				a = mid
			} else {
				b = mid
			}
		}
		lo = a
		return b
	}
}

// Tokens returns the manifest with the account of what encoding made of the mix.
func (m Manifest) Tokens(e *Encoded) Manifest {
	out := m
	how := e.How
	out.Encoding = &how
	out.Sources = append([]SourceAccount(nil), m.Sources...)
	for i := range out.Sources {
		for j, name := range e.Sources {
			if name == out.Sources[i].Name {
				c := e.Counts[j]
				out.Sources[i].Dropped, out.Sources[i].Cut, out.Sources[i].CutTokens = c.Dropped, c.Cut, c.CutTokens
				out.Sources[i].Tokens, out.Sources[i].Supervised = c.Tokens, c.Supervised
			}
		}
	}
	return out
}

// Weights returns the loss weight of each source of an encoded mix, or nil when all are 1.
func (m Manifest) Weights(sources []string) []float64 {
	out, all := make([]float64, len(sources)), true
	for i, name := range sources {
		out[i] = 1
		for _, s := range m.Sources {
			if s.Name == name {
				out[i] = s.Weight
			}
		}
		all = all && out[i] == 1
	}
	if all {
		return nil
	}
	return out
}
