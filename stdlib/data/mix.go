package data

import (
	"fmt"
	"strconv"

	core "tunebook/engine/data"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/model"
	"tunebook/stdlib/stop"
)

// Unit is what a recipe counts.
type Unit = core.Unit

// The units of a recipe.
const (
	Examples         Unit = core.Examples
	SupervisedTokens Unit = core.SupervisedTokens // trained tokens, as Recipe.For and Recipe.Encoding make them
	AllTokens        Unit = core.AllTokens
)

// Ending says how long a mix of shares is when no size is given.
type Ending = core.Ending

const (
	FirstEnds Ending = core.FirstEnds // until the first source is used up; nothing is repeated
	AllEnded  Ending = core.AllEnded  // until every source was used whole; smaller ones are repeated
)

// Part is one source of a mix with how much of it there is: exactly one of Count, Share, Fraction, Passes and Ratio.
type Part struct {
	Set *Set

	Count    int     // so many
	Share    float64 // of the whole mix, 0 to 1
	Fraction float64 // of the source, 0 to 1
	Passes   float64 // over the source: 1 is the whole of it, 2.5 repeats every example and half of them once more
	Ratio    float64 // to the first part: 4 is four times as much

	Replace   bool    // draw with replacement
	MaxPasses int     // times that an example may be there; 0: what Passes says, any number with Replace or AllEnded, else once
	Weight    float64 // weight of its tokens in the training loss; 0 means 1
}

// Stage is a point of a curriculum: the parts' shares from a progress (0 to 1) on.
type Stage = core.Stage

// DedupOptions say which examples are the same: equal, or with Near of that similarity or more.
type DedupOptions = core.DedupOptions

// Recipe is a mix with all its choices. What is left out has a plain meaning: examples are counted, the parts decide the
// size, the whole mix is one block, nothing is deduplicated or removed.
//
//	data.Recipe{Seed: 1, Size: 2000, Parts: []data.Part{{Set: own, Share: 0.2}, {Set: broad, Share: 0.8}}}.Blend()
//	data.Recipe{Seed: 1, Unit: data.SupervisedTokens, For: base, Parts: …}.Blend()      // shares of trained tokens
//	data.Recipe{Seed: 1, Temperature: 2, Parts: []data.Part{{Set: a}, {Set: b}}}.Blend() // shares by size^(1/2)
//	data.Recipe{Seed: 1, Size: 2000, Linear: true, Stages: []data.Stage{
//		{At: 0, Shares: []float64{0, 1}}, {At: 1, Shares: []float64{1, 0}}}, Parts: …}.Blend() // from broad to own
type Recipe struct {
	Seed     int64
	Unit     Unit
	For      *model.Model // whose tokens are counted; needed for a unit of tokens
	Encoding Encoding     // how it makes them

	Size        int     // of the whole mix, in the unit, where shares decide
	End         Ending  // for shares without a size; FirstEnds
	Temperature float64 // shares in proportion to size^(1/Temperature), for parts that say nothing
	Stages      []Stage // shares that change on the way, for parts that say nothing
	Linear      bool    // they move in straight lines from stage to stage
	Block       int     // examples in which the plan holds, in training too; the whole mix, or 64 with Stages

	Dedup   *DedupOptions // nil: examples stay as they are
	Against []*Set        // test sets; the manifest tells the overlap with them
	NGram   int           // words of a run that counts as overlap; 13
	Clean   bool          // examples that overlap are removed, too

	Parts []Part
}

// Mix shuffles sets into one, each of them whole. The order depends on the seed and on the examples, not on the order of
// the sets; the result carries a manifest, which it shows.
func Mix(seed int64, sets ...*Set) *Set {
	r := Recipe{Seed: seed}
	for _, s := range sets {
		r.Parts = append(r.Parts, Part{Set: s, Passes: 1})
	}
	return r.blend("data.Mix")
}

// Blend mixes parts of sets into one, as Recipe does.
//
//	data.Blend(1, data.Part{Set: own, Passes: 1}, data.Part{Set: broad, Ratio: 4}) // four broad examples to one of own
//	data.Blend(1, data.Part{Set: own, Share: 0.5}, data.Part{Set: broad, Share: 0.5}) // until the smaller is used up
func Blend(seed int64, parts ...Part) *Set {
	return Recipe{Seed: seed, Parts: parts}.blend("data.Blend")
}

// Blend makes the mix, always in this order: deduplicate, decontaminate, sample, mix. Which examples a part gives depends
// on the seed and on its own name and rows; a larger amount holds a smaller one. The manifest tells the plan and what came
// of it. A plan that cannot be kept stops the cell.
func (r Recipe) Blend() *Set { return r.blend("data.Recipe.Blend") }

func (r Recipe) blend(op string) *Set {
	c := core.Recipe{Seed: r.Seed, Unit: r.Unit, Size: r.Size, End: r.End, Temperature: r.Temperature, Block: r.Block,
		Dedup: r.Dedup, Against: sets(r.Against), NGram: r.NGram, Clean: r.Clean}
	if len(r.Stages) > 0 {
		c.Policy = core.Curriculum{Stages: r.Stages, Linear: r.Linear}
	} else if r.Linear {
		stop.Now(op, "Linear is set and there are no Stages; wanted both", "")
	}
	if r.For != nil {
		c.Measure = r.Encoding.Engine(op, r.For).Measure
	}
	for i, p := range r.Parts {
		if p.Set == nil {
			stop.Now(op, fmt.Sprintf("part %d has no Set", i+1), "")
		}
		c.Parts = append(c.Parts, core.Part{Set: p.Set.s, Count: p.Count, Share: p.Share, Fraction: p.Fraction, Passes: p.Passes,
			Ratio: p.Ratio, Replace: p.Replace, MaxPasses: p.MaxPasses, Weight: p.Weight})
	}
	m, err := c.Blend()
	stop.If(op, err)
	return &Set{s: &m.Set, manifest: &m.Manifest}
}

func sets(list []*Set) []*core.Set {
	var out []*core.Set
	for _, s := range list {
		out = append(out, s.s)
	}
	return out
}

// Adaptive moves the shares of sources towards those whose validation loss lies most above a reference: the update of
// DoReMi (Xie et al. 2023), made once a round of training.
//
//	shares := data.Adapt(3, nil)
//	for range 5 {
//		mix := data.Recipe{Seed: 1, Size: 500, Stages: shares.Stages(), Parts: parts}.Blend()
//		run := train.Run(base, mix, train.Config{…, Validation: held})
//		shares.Observe(run.ValidationLoss())
//	}
type Adaptive struct{ a *core.Adaptive }

// Adapt returns equal shares of n sources. reference holds the losses that a model trained on equal shares reaches by
// source; nil means that the loss itself counts.
func Adapt(n int, reference []float64) *Adaptive {
	a, err := core.NewAdaptive(n, reference)
	stop.If("data.Adapt", err)
	return &Adaptive{a}
}

// Observe ends a round with the sources' validation losses, in nats a token, and changes the shares.
func (a *Adaptive) Observe(loss []float64) { stop.If("data.Adaptive.Observe", a.a.Observe(loss)) }

// Shares returns the present shares.
func (a *Adaptive) Shares() []float64 { return a.a.Now() }

// Mean returns the mean of the shares of all rounds after the first: the method's result.
func (a *Adaptive) Mean() []float64 { return a.a.Mean() }

// Stages returns the present shares for Recipe.Stages.
func (a *Adaptive) Stages() []Stage { return []Stage{{At: 0, Shares: a.a.Now()}} }

// Manifest accounts for the examples of a mix by source. encoding/json writes all of it.
type Manifest = core.Manifest

// SourceAccount is one source's line of a Manifest.
type SourceAccount = core.SourceAccount

// EncodingUsed says how a mix became tokens: tokenizer, template, limit, policy and mask.
type EncodingUsed = core.EncodingUsed

// Step is one thing that was done to a source before it was mixed.
type Step = core.Step

// Manifest returns a mix's account, nil for a set that is not a mix.
func (s *Set) Manifest() *Manifest { return s.manifest }

// WithManifest returns the mix with another account: training puts the tokens in.
func (s *Set) WithManifest(m Manifest) *Set { return &Set{s: s.s, manifest: &m} }

// Steps returns what was done to the set since it was read, in order.
func (s *Set) Steps() []Step { return append([]Step(nil), s.s.Steps...) }

// manifestGrid lays out a manifest. Columns that are 0 (or, of weights, 1) for all sources are left out, but for those of
// every mix.
func manifestGrid(name string, m Manifest) *grid.Table {
	g := &grid.Table{Caption: fmt.Sprintf("%s, seed %d, %.10g %s (planned %.10g)", name, m.Seed, m.Realised, m.Unit, m.Planned),
		Columns: []grid.Column{{Name: "source"}, {Name: "plan"}}}
	if n := 0; len(m.Sources) > 0 {
		for _, s := range m.Sources {
			n += s.Drawn
		}
		if m.Block > 0 && m.Block < n {
			g.Caption += fmt.Sprintf(", in blocks of %d", m.Block)
		}
	}
	count := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	columns := []struct {
		name   string
		always bool
		of     func(a SourceAccount) float64
		text   func(x float64) string
		sum    bool
	}{
		{"planned", true, func(a SourceAccount) float64 { return a.Planned }, func(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }, true},
		{"realised", true, func(a SourceAccount) float64 { return a.Realised }, count, true},
		{"share", true, func(a SourceAccount) float64 { return a.Share }, func(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) }, true},
		{"available", true, func(a SourceAccount) float64 { return float64(a.Available) }, count, true},
		{"drawn", true, func(a SourceAccount) float64 { return float64(a.Drawn) }, count, true},
		{"repeated", true, func(a SourceAccount) float64 { return float64(a.Repeated) }, count, true},
		{"most often", false, func(a SourceAccount) float64 { return float64(max(a.Most, 1) - 1) }, func(x float64) string { return fmt.Sprint(x + 1) }, false},
		{"unused", true, func(a SourceAccount) float64 { return float64(a.Unused) }, count, true},
		{"removed", false, func(a SourceAccount) float64 { return float64(a.Removed) }, count, true},
		{"wrong", false, func(a SourceAccount) float64 { return float64(a.Wrong) }, count, true},
		{"weight", false, func(a SourceAccount) float64 { return a.Weight - 1 }, func(x float64) string { return fmt.Sprintf("%.4g", x+1) }, false},
		{"dropped", false, func(a SourceAccount) float64 { return float64(a.Dropped) }, count, true},
		{"cut", false, func(a SourceAccount) float64 { return float64(a.Cut) }, count, true},
		{"cut tokens", false, func(a SourceAccount) float64 { return float64(a.CutTokens) }, count, true},
		{"tokens", false, func(a SourceAccount) float64 { return float64(a.Tokens) }, count, true},
		{"supervised", false, func(a SourceAccount) float64 { return float64(a.Supervised) }, count, true},
	}
	for _, a := range m.Sources {
		g.Rows = append(g.Rows, []string{a.Name, a.Plan})
		for _, st := range a.Steps {
			note := fmt.Sprintf("%s: %s, %d of %d", a.Name, st.Op, st.To, st.From)
			if st.Note != "" {
				note += " (" + st.Note + ")"
			}
			g.Notes = append(g.Notes, note)
		}
	}
	for _, o := range m.Overlap {
		g.Notes = append(g.Notes, overlapSentence(o))
	}
	if e := m.Encoding; e != nil {
		limit := "no limit"
		if e.MaxLen > 0 {
			limit = fmt.Sprintf("at most %d tokens", e.MaxLen)
		}
		g.Notes = append(g.Notes, fmt.Sprintf("encoded by template %s (%.8s) and tokenizer %.8s, %s, longer: %s, trained: %s", e.Template, e.TemplateSum, e.Tokenizer, limit, e.Policy, e.Train))
	}
	g.Rows = append(g.Rows, []string{"all", ""})
	for _, c := range columns {
		sum, some := 0.0, c.always
		for _, a := range m.Sources {
			sum += c.of(a)
			some = some || c.of(a) != 0
		}
		if !some {
			continue
		}
		g.Columns = append(g.Columns, grid.Column{Name: c.name, Right: true})
		for i, a := range m.Sources {
			g.Rows[i] = append(g.Rows[i], c.text(c.of(a)))
		}
		last := ""
		if c.sum {
			last = c.text(sum)
		}
		g.Rows[len(m.Sources)] = append(g.Rows[len(m.Sources)], last)
	}
	return g
}
