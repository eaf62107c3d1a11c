package eval

import (
	"fmt"
	"strings"
)

// entity is a span of tags [start, end) of one kind.
type entity struct {
	kind       string
	start, end int
}

// EntityF1 returns the F-measure of entities: spans whose kind and both ends are right. Answers are tags between white space,
// one for each word, such as "B-PER I-PER O". It is the micro average, or the mean over kinds of entities where macro is
// set, equal to seqeval's f1_score:
//
//   - scheme "": seqeval's default mode, which reads tags of any scheme as conlleval does and mends broken spans;
//   - scheme "IOB2" or "IOBES": its strict mode, in which a broken span is no entity and a foreign tag is an error.
//
// Source: Nakayama 2018, seqeval; Tjong Kim Sang and De Meulder 2003 for conlleval.
func EntityF1(scheme string, macro bool) (Metric, error) {
	read := lenientEntities
	var how []string
	switch scheme {
	case "":
	case "IOB2":
		read, how = iob2Entities, append(how, "strict", "IOB2")
	case "IOBES":
		read, how = iobesEntities, append(how, "strict", "IOBES")
	default:
		return Metric{}, fmt.Errorf("eval: tag scheme %q is not known; wanted IOB2, IOBES or none for seqeval's default", scheme)
	}
	if macro {
		how = append(how, "macro")
	}
	spans := func(r Row) (gold, said []entity, err error) {
		answer := ""
		if refs := r.references(); len(refs) > 0 {
			answer = refs[0]
		}
		a, b := strings.Fields(answer), strings.Fields(r.Cleaned)
		if len(a) != len(b) {
			return nil, nil, fmt.Errorf("%d tags where the answer has %d", len(b), len(a))
		}
		if gold, err = read(a); err == nil {
			said, err = read(b)
		}
		return gold, said, err
	}
	return Metric{
		Name: named("entity F1", how), Normalise: "tags between white space", empty: never,
		row: func(r Row) (float64, error) {
			gold, said, err := spans(r)
			if err != nil {
				return 0, err
			}
			if len(gold)+len(said) == 0 {
				return 1, nil
			}
			return 2 * float64(common(gold, said)) / float64(len(gold)+len(said)), nil
		},
		// Counts of kind k: right ones at 3k, wrong ones at 3k+1, missing ones at 3k+2.
		tallies: func(rows []Row) []Tally {
			var kinds names
			out := make([]Tally, len(rows))
			for i, r := range rows {
				gold, said, _ := spans(r)
				in := map[entity]bool{}
				for _, e := range gold {
					in[e] = true
				}
				for _, e := range said {
					k := kinds.of(e.kind)
					if in[e] {
						out[i] = append(out[i], Count{3 * k, 1})
						delete(in, e)
					} else {
						out[i] = append(out[i], Count{3*k + 1, 1})
					}
				}
				for _, e := range gold {
					if in[e] {
						out[i] = append(out[i], Count{3*kinds.of(e.kind) + 2, 1})
					}
				}
			}
			return out
		},
		value: LabelF1(macro, false).value,
	}, nil
}

func common(a, b []entity) int {
	in := map[entity]bool{}
	for _, e := range a {
		in[e] = true
	}
	n := 0
	for _, e := range b {
		n += int(truth(in[e]))
	}
	return n
}

// tag cuts "B-PER" into its prefix and its kind, "_" for none.
func tag(t string) (prefix byte, kind string) {
	kind = strings.TrimPrefix(t[1:], "-")
	if kind == "" {
		kind = "_"
	}
	return t[0], kind
}

// lenientEntities reads tags as conlleval does: I or E after another kind, or after no span, begins one.
func lenientEntities(tags []string) ([]entity, error) {
	var out []entity
	before, kindBefore, start := byte('O'), "_", 0
	for i := 0; i <= len(tags); i++ {
		p, kind := byte('O'), "_"
		if i < len(tags) {
			p, kind = tag(tags[i])
		}
		inside := before != 'O' && before != '.'
		if before == 'E' || before == 'S' || (before == 'B' || before == 'I') && (p == 'B' || p == 'S' || p == 'O') || inside && kind != kindBefore {
			out = append(out, entity{kindBefore, start, i})
		}
		if p == 'B' || p == 'S' || (p == 'E' || p == 'I') && (before == 'E' || before == 'S' || before == 'O') || p != 'O' && p != '.' && kind != kindBefore {
			start = i
		}
		before, kindBefore = p, kind
	}
	return out, nil
}

func iob2Entities(tags []string) ([]entity, error) {
	var out []entity
	open := -1 // the entity of out that goes on
	for i, t := range tags {
		p, kind := tag(t)
		switch p {
		case 'B':
			out = append(out, entity{kind, i, i + 1})
			open = len(out) - 1
		case 'I':
			if open >= 0 && out[open].kind == kind {
				out[open].end = i + 1
			} else {
				open = -1
			}
		case 'O':
			open = -1
		default:
			return nil, fmt.Errorf("tag %q; IOB2 has B-, I- and O", t)
		}
	}
	return out, nil
}

func iobesEntities(tags []string) ([]entity, error) {
	var out []entity
	start, open := 0, "" // the kind of the span that began and has not ended
	for i, t := range tags {
		p, kind := tag(t)
		switch p {
		case 'S':
			out = append(out, entity{kind, i, i + 1})
			open = ""
		case 'B':
			start, open = i, kind
		case 'I':
			if kind != open {
				open = ""
			}
		case 'E':
			if kind == open {
				out = append(out, entity{kind, start, i + 1})
			}
			open = ""
		case 'O':
			open = ""
		default:
			return nil, fmt.Errorf("tag %q; IOBES has B-, I-, E-, S- and O", t)
		}
	}
	return out, nil
}

func entityFamily(base string, o *options) (Metric, bool, error) {
	if base != "entityf1" {
		return Metric{}, false, nil
	}
	scheme := ""
	strict := o.take("strict")
	if o.take("iobes") {
		scheme = "IOBES"
	} else if o.take("iob2") || strict {
		scheme = "IOB2"
	}
	m, err := EntityF1(scheme, o.take("macro"))
	return m, true, err
}
