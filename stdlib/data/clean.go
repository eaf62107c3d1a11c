package data

import (
	"fmt"

	core "tunebook/engine/data"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Dedup returns the set without examples that repeat an earlier one. A mix that repeats examples is refused.
func (s *Set) Dedup() *Set { return Dedup(DedupOptions{}, s).Sets[0] }

// DedupNear returns the set without examples that are similar to an earlier one: near is the share of runs of five words
// that two examples have in common, such as 0.8.
func (s *Set) DedupNear(near float64) *Set { return Dedup(DedupOptions{Near: near}, s).Sets[0] }

// Deduped is what deduplication left, with what it removed.
type Deduped struct {
	Sets   []*Set // in the order given
	Report Duplicates
}

// Duplicates says what deduplication removed, with all pairs.
type Duplicates = core.Duplicates

// DedupAccount counts one set's examples.
type DedupAccount = core.DedupAccount

// Pair is a removed example with the one that was kept in its place.
type Pair = core.Pair

// Ref names an example of a set and shows its beginning.
type Ref = core.Ref

// Dedup returns the sets without examples that are the same as an earlier one, within a set and across sets in the order
// given. It shows how many went, and the first pairs.
//
//	d := data.Dedup(data.DedupOptions{Near: 0.8}, own, broad)
//	own, broad = d.Sets[0], d.Sets[1]
func Dedup(o DedupOptions, list ...*Set) *Deduped {
	out, rep, err := core.Dedup(o, sets(list)...)
	stop.If("data.Dedup", err)
	d := &Deduped{Report: rep}
	for _, s := range out {
		d.Sets = append(d.Sets, wrap(s))
	}
	return d
}

// shownPairs are shown of a report; the report holds all.
const shownPairs = 5

// Show gives the numbers and the first pairs.
func (d *Deduped) Show() (text, html string) {
	g := &grid.Table{Caption: "equal examples removed", Columns: []grid.Column{{Name: "set"}, {Name: "examples", Right: true}, {Name: "equal", Right: true},
		{Name: "near", Right: true}, {Name: "left", Right: true}}}
	if o := d.Report.Options; o.Near > 0 {
		g.Caption = fmt.Sprintf("examples removed that are equal, or of similarity %g or more in runs of %d words (%d hashes in %d bands)", o.Near, o.Words, o.Hashes, d.Report.Bands)
	}
	for _, s := range d.Report.Sets {
		g.Rows = append(g.Rows, []string{s.Set, fmt.Sprint(s.Rows), fmt.Sprint(s.Exact), fmt.Sprint(s.Near), fmt.Sprint(s.Rows - s.Exact - s.Near)})
	}
	text, html = g.Text(), g.HTML()
	if len(d.Report.Pairs) == 0 {
		return text, html
	}
	p := &grid.Table{Columns: []grid.Column{{Name: "similarity", Right: true}, {Name: "kept"}, {Name: "text"}, {Name: "removed"}, {Name: "text"}}}
	for i, pair := range d.Report.Pairs {
		if i == shownPairs {
			p.Notes = append(p.Notes, fmt.Sprintf("%d more pairs are in Report.Pairs", len(d.Report.Pairs)-i))
			break
		}
		p.Rows = append(p.Rows, []string{fmt.Sprintf("%.2f", pair.Similarity), name(pair.Kept), short(pair.Kept.Text, 60), name(pair.Removed), short(pair.Removed.Text, 60)})
	}
	return text + "\n" + p.Text(), html + p.HTML()
}

// String is what Show gives in text.
func (d *Deduped) String() string { text, _ := d.Show(); return text }

func name(r Ref) string { return fmt.Sprintf("%s row %d", r.Set, r.Index) }

// Decontaminate returns the set without examples that meet a test set: the same prompt, or a run of n words (13 is usual)
// of input and answer. Overlap shows them.
func (s *Set) Decontaminate(n int, tests ...*Set) *Set {
	clean, _, err := s.s.Decontaminate(n, sets(tests)...)
	stop.If("data.Decontaminate", err)
	return wrap(clean)
}

// Leak is how much of a test set is met in training.
type Leak struct{ OverlapReport }

// OverlapReport holds the numbers of a Leak and every training example that meets a test example.
type OverlapReport = core.OverlapReport

// Contact is a training example that meets a test example.
type Contact = core.Contact

// Overlap compares a training set with a test set: equal prompts, and equal runs of n words.
func Overlap(train, test *Set, n int) Leak { return Leak{core.Overlap(train.s, test.s, n)} }

func overlapSentence(o OverlapReport) string {
	return fmt.Sprintf("%s against %s: %d of %d test prompts are training prompts; %d test rows share a run of %d words with training",
		o.Test, o.Train, len(o.Exact), o.TestRows, len(o.Shared), o.N)
}

// Show gives the report in one sentence, and the first examples that meet.
func (l Leak) Show() (text, html string) {
	text = overlapSentence(l.OverlapReport)
	if len(l.Contacts) == 0 {
		return text, ""
	}
	g := &grid.Table{Caption: fmt.Sprintf("%s; %d training rows meet one", text, len(l.Contacts)),
		Columns: []grid.Column{{Name: "training"}, {Name: "text"}, {Name: "test"}, {Name: "text"}, {Name: "both have"}}}
	for i, c := range l.Contacts {
		if i == shownPairs {
			g.Notes = append(g.Notes, fmt.Sprintf("%d more are in Contacts", len(l.Contacts)-i))
			break
		}
		both := "the prompt"
		if !c.Prompt {
			both = short(c.Run, 60)
		}
		g.Rows = append(g.Rows, []string{fmt.Sprint("row ", c.Train.Index), short(c.Train.Text, 50), fmt.Sprint("row ", c.Test.Index), short(c.Test.Text, 50), both})
	}
	return g.Text(), g.HTML()
}

// String is what Show gives in text.
func (l Leak) String() string { text, _ := l.Show(); return text }
