package data

import (
	"fmt"
	"math"
	"sort"
)

// Unit is what a recipe counts.
type Unit string

// The units of a recipe. Tokens are those that encoding makes, so they need Recipe.Measure.
const (
	Examples         Unit = "examples"
	SupervisedTokens Unit = "supervised tokens"
	AllTokens        Unit = "all tokens"
)

// Ending says how long a mix of shares is when Recipe.Size does not.
type Ending string

const (
	FirstEnds Ending = "first ends" // as long as the shares hold without a repeat: until the first source is used up
	AllEnded  Ending = "all ended"  // until every source was used whole; smaller ones are repeated
)

// Part is one source of a mix and how much of it there is. Exactly one of Count, Share, Fraction, Passes and Ratio is
// given, each in the recipe's unit, unless the recipe's Temperature or Policy decides for all parts.
type Part struct {
	Set *Set

	Count    int     // so many
	Share    float64 // of the whole mix, 0 to 1
	Fraction float64 // of the source, 0 to 1
	Passes   float64 // over the source: 1 is the whole of it, 2.5 repeats every row and half of them once more
	Ratio    float64 // to the first part: 4 is four times as much

	Replace   bool    // draw with replacement
	MaxPasses int     // times that a row may be there; 0: what Passes says, any number with Replace or AllEnded, else once
	Weight    float64 // weight of its tokens in the training loss; 0 means 1
}

// Recipe says what a mix is made of. Blend makes it, always in this order: deduplicate, decontaminate, sample, mix.
type Recipe struct {
	Seed    int64
	Unit    Unit                                              // Examples when empty
	Measure func(e *Example) (supervised, all int, err error) // tokens of a row, from any goroutine; needed for a unit of tokens. See Encoder.Measure

	Size        int       // of the whole mix, where shares decide
	End         Ending    // FirstEnds when empty; for shares without a Size
	Temperature float64   // shares in proportion to size^(1/Temperature); 0: the parts say
	Policy      MixPolicy // shares that change on the way, once in each epoch of training; nil: the parts say
	Block       int       // rows in which the plan holds; 0: the whole mix, or 64 with a Policy

	Dedup   *DedupOptions // nil: rows stay as they are
	Against []*Set        // test sets; overlap with them is reported in the manifest
	NGram   int           // words of a run that counts as overlap; 13
	Clean   bool          // rows that overlap are removed, too

	Parts []Part
}

// planned is what a recipe makes of a part.
type planned struct {
	how    string    // "share 0.5"
	share  float64   // of the mix; 0 where an amount is given
	amount float64   // in the unit
	whole  int       // passes, where these are a whole number; 0 otherwise
	cost   []float64 // of each row; nil for 1
	size   float64   // of the source
	cap    int       // times that a row may be there; 0 for any number
}

// plan returns the amount of every part.
func (r *Recipe) plan(parts []Part) ([]planned, error) {
	out := make([]planned, len(parts))
	for i := range parts {
		var err error
		if out[i].cost, out[i].size, err = r.measure(parts[i].Set); err != nil {
			return nil, err
		}
	}
	if err := r.readAmounts(parts, out); err != nil {
		return nil, err
	}
	fixed, shares := 0.0, 0.0
	for i := range out {
		fixed += out[i].amount
		shares += out[i].share
	}
	if shares > 0 {
		if err := r.fillShares(parts, out, fixed, shares); err != nil {
			return nil, err
		}
	} else if r.Size > 0 || r.End != "" {
		return nil, fmt.Errorf("data.Blend: Size is %d and End is %q; no part has a share, so the parts' amounts decide; wanted neither", r.Size, r.End)
	}
	for i := range out {
		p := &out[i]
		if parts[i].Replace {
			p.how += ", with replacement"
		}
		if n := parts[i].MaxPasses; n > 0 {
			p.how += fmt.Sprintf(", each at most %d times", n)
		}
		p.cap = parts[i].MaxPasses
		if p.cap == 0 && !parts[i].Replace && r.End != AllEnded {
			p.cap = max(1, int(math.Ceil(parts[i].Passes)))
		}
		if need := p.amount / p.size; p.cap > 0 && need > float64(p.cap)*(1+1e-12) {
			return nil, fmt.Errorf("data.Blend: %s: %s makes %.6g %s and the source has %.6g, %.3g passes; at most %d are allowed; ask for less or set MaxPasses",
				parts[i].Set.Name, p.how, p.amount, r.Unit, p.size, need, p.cap)
		}
	}
	return out, nil
}

func (r *Recipe) measure(s *Set) (cost []float64, size float64, err error) {
	if r.Unit == Examples {
		return nil, float64(len(s.Rows)), nil
	}
	cost = make([]float64, len(s.Rows))
	if err := eachRow(len(s.Rows), func(i int) error {
		supervised, all, err := r.Measure(&s.Rows[i])
		cost[i] = float64(supervised)
		if r.Unit == AllTokens {
			cost[i] = float64(all)
		}
		return err
	}); err != nil {
		return nil, 0, err
	}
	for _, c := range cost {
		size += c
	}
	if size == 0 {
		return nil, 0, fmt.Errorf("data.Blend: source %s: 0 %s in %d examples", s.Name, r.Unit, len(s.Rows))
	}
	return cost, size, nil
}

// readAmounts fills in what the parts or the recipe say by themselves: an amount or a share for each.
func (r *Recipe) readAmounts(parts []Part, out []planned) error {
	if r.Temperature != 0 || r.Policy != nil {
		return r.readPolicy(parts, out)
	}
	for i, p := range parts {
		o := &out[i]
		bad := func(field string, v any, want string) error {
			return fmt.Errorf("data.Blend: %s: %s is %v; wanted %s", p.Set.Name, field, v, want)
		}
		given := 0
		for _, x := range []float64{float64(p.Count), p.Share, p.Fraction, p.Passes, p.Ratio} {
			if x != 0 {
				given++
			}
		}
		if given != 1 {
			return fmt.Errorf("data.Blend: %s: %d of Count, Share, Fraction, Passes and Ratio are given; wanted exactly one, not 0", p.Set.Name, given)
		}
		switch {
		case p.Count != 0:
			if p.Count < 0 {
				return bad("Count", p.Count, "at least 1")
			}
			o.how, o.amount = fmt.Sprintf("count %d", p.Count), float64(p.Count)
		case p.Share != 0:
			if !(p.Share > 0 && p.Share <= 1) {
				return bad("Share", p.Share, "more than 0 and at most 1, a share of the mix (for a multiple of the first part use Ratio)")
			}
			o.how, o.share = fmt.Sprintf("share %g", p.Share), p.Share
		case p.Fraction != 0:
			if !(p.Fraction > 0 && p.Fraction <= 1) {
				return bad("Fraction", p.Fraction, "more than 0 and at most 1, a fraction of the source (for more use Passes, for a number Count)")
			}
			o.how, o.amount = fmt.Sprintf("fraction %g", p.Fraction), p.Fraction*o.size
		case p.Passes != 0:
			if !(p.Passes > 0 && p.Passes <= 1e6) {
				return bad("Passes", p.Passes, "more than 0 and at most 1e6, passes over the source")
			}
			o.how, o.amount = fmt.Sprintf("passes %g", p.Passes), p.Passes*o.size
			if p.Passes == math.Trunc(p.Passes) {
				o.whole = int(p.Passes)
			}
		default:
			if !(p.Ratio > 0) || math.IsInf(p.Ratio, 0) {
				return bad("Ratio", p.Ratio, "more than 0, times the first part")
			}
			if out[0].amount == 0 {
				return fmt.Errorf("data.Blend: %s: a ratio to %s, whose amount is not given by itself; wanted Count, Fraction or Passes there", p.Set.Name, parts[0].Set.Name)
			}
			o.how, o.amount = fmt.Sprintf("ratio %g", p.Ratio), p.Ratio*out[0].amount
		}
	}
	return nil
}

// readPolicy takes all parts' shares from Temperature or Policy.
func (r *Recipe) readPolicy(parts []Part, out []planned) error {
	if r.Temperature != 0 && r.Policy != nil {
		return fmt.Errorf("data.Blend: Temperature is %g and there is a Policy; wanted one of them", r.Temperature)
	}
	for _, p := range parts {
		if p.Count != 0 || p.Share != 0 || p.Fraction != 0 || p.Passes != 0 || p.Ratio != 0 {
			return fmt.Errorf("data.Blend: %s: the part says how much of it there is, and Temperature or Policy does so too; wanted one of them", p.Set.Name)
		}
	}
	if r.Policy == nil {
		sizes := make([]float64, len(out))
		for i := range out {
			sizes[i] = out[i].size
		}
		shares, err := Temperature(sizes, r.Temperature)
		if err != nil {
			return err
		}
		for i, x := range shares {
			out[i].how, out[i].share = fmt.Sprintf("temperature %g", r.Temperature), x
		}
		return nil
	}
	if c, ok := r.Policy.(Curriculum); ok {
		if err := c.Check(len(parts)); err != nil {
			return err
		}
	}
	shares := r.Policy.Sum(1)
	if len(shares) != len(parts) {
		return fmt.Errorf("data.Blend: the policy has %d shares; there are %d parts", len(shares), len(parts))
	}
	if err := sharesAddUp(shares); err != nil {
		return fmt.Errorf("data.Blend: the policy: %w", err)
	}
	for i, x := range shares {
		if x == 0 {
			return fmt.Errorf("data.Blend: %s: the policy gives it no share at any time; leave it out", parts[i].Set.Name)
		}
		out[i].how, out[i].share = fmt.Sprintf("policy, mean share %.4g", x), x
	}
	return nil
}

// fillShares turns shares into amounts: of Size, of what the fixed parts leave open, or by the ending.
func (r *Recipe) fillShares(parts []Part, out []planned, fixed, shares float64) error {
	total := float64(r.Size)
	switch {
	case fixed == 0 && math.Abs(shares-1) > 1e-9:
		return fmt.Errorf("data.Blend: the shares of all parts add to %g; wanted 1", shares)
	case fixed > 0 && shares > 1-1e-9:
		return fmt.Errorf("data.Blend: the shares add to %g and other parts have amounts of their own; wanted less than 1", shares)
	case fixed > 0:
		if r.End != "" {
			return fmt.Errorf("data.Blend: End is %q; the amounts of the other parts decide the size", r.End)
		}
		open := fixed / (1 - shares)
		if r.Size > 0 && math.Abs(open-total) > 0.5 {
			return fmt.Errorf("data.Blend: Size is %d; the parts with amounts make %.6g, which is %.4g of it; with shares of %.4g the mix has %.6g", r.Size, fixed, fixed/total, shares, open)
		}
		total = open
	case r.Size > 0:
		if r.End != "" {
			return fmt.Errorf("data.Blend: Size is %d and End is %q; wanted one of them", r.Size, r.End)
		}
	default:
		for i := range out {
			n := out[i].size / out[i].share
			if i == 0 || r.End == AllEnded && n > total || r.End != AllEnded && n < total {
				total = n
			}
		}
		if r.Unit == Examples && r.End != AllEnded {
			total = math.Floor(total * (1 + 1e-12))
		} else if r.Unit == Examples {
			total = math.Ceil(total * (1 - 1e-12))
		}
	}
	var open []int
	for i := range out {
		if out[i].share > 0 {
			out[i].amount = out[i].share * total
			open = append(open, i)
		}
	}
	if r.Unit != Examples {
		return nil
	}
	// Whole examples that add to the whole mix: each amount rounded down, the rest to the largest remainders.
	rest := math.Round(total)
	for i := range out {
		if out[i].share > 0 {
			rest -= math.Floor(out[i].amount + 1e-9)
		} else {
			rest -= math.Round(out[i].amount)
		}
	}
	sort.SliceStable(open, func(a, b int) bool {
		x, y := out[open[a]].amount, out[open[b]].amount
		fx, fy := x-math.Floor(x+1e-9), y-math.Floor(y+1e-9)
		if math.Abs(fx-fy) > 1e-9 {
			return fx > fy
		}
		return parts[open[a]].Set.Name < parts[open[b]].Set.Name
	})
	for k, i := range open {
		out[i].amount = math.Floor(out[i].amount + 1e-9)
		if float64(k) < rest {
			out[i].amount++
		}
	}
	return nil
}

// draw returns a part's rows as indices of its set, in the order of its stream: the plan's number of examples, or as
// many as come closest to its tokens.
func (r *Recipe) draw(p Part, plan planned) ([]int, error) {
	n := len(p.Set.Rows)
	s := &stream{seed: r.Seed, name: p.Set.Name, n: n, replace: p.Replace}
	times := make([]int, n)
	var out []int
	for pos, got := 0, 0.0; ; pos++ {
		row := s.at(pos)
		cost := 1.0
		if plan.cost != nil {
			cost = plan.cost[row]
		}
		switch {
		case plan.whole > 0 && !p.Replace:
			if len(out) == plan.whole*n {
				return out, nil
			}
		case plan.cost == nil && len(out) == int(math.Round(plan.amount)), plan.cost != nil && plan.amount-got < cost/2, plan.amount-got <= 0:
			if len(out) == 0 {
				return nil, fmt.Errorf("data.Blend: %s: %s makes %.4g %s; wanted enough for one example", p.Set.Name, plan.how, plan.amount, r.Unit)
			}
			return out, nil
		}
		if plan.cap > 0 && times[row] == plan.cap {
			if !p.Replace || len(out) == plan.cap*n {
				return out, nil // rounding stands at the last example that may be there
			}
			continue
		}
		times[row]++
		got += cost
		out = append(out, row)
	}
}
