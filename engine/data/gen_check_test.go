package data

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
)

var (
	numberRE = regexp.MustCompile(`\d+`)
	// the words of a comma list: at least three items
	listRE = regexp.MustCompile(`[a-z]+(?:, [a-z]+){1,}`)
)

func ints(s string) []int {
	var out []int
	for _, t := range numberRE.FindAllString(s, -1) {
		n, _ := strconv.Atoi(t)
		out = append(out, n)
	}
	return out
}

// items returns the longest comma list of a prompt.
func items(s string) []string {
	best := ""
	for _, l := range listRE.FindAllString(s, -1) {
		if len(l) > len(best) {
			best = l
		}
	}
	return strings.Split(best, ", ")
}

// theOne returns the only word of ws for which ok holds.
func theOne(ws []string, ok func(string) bool) string {
	out := ""
	for _, w := range ws {
		if ok(w) {
			if out != "" {
				return "several"
			}
			out = w
		}
	}
	return out
}

func yn(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// checks works out the answer of a task from its prompt alone, another way than the generator does.
var checks = map[string]func(p string) string{
	"arithmetic/add":      func(p string) string { n := ints(p); return strconv.Itoa(n[0] + n[1]) },
	"arithmetic/subtract": func(p string) string { n := ints(p); return strconv.Itoa(max(n[0], n[1]) - min(n[0], n[1])) },
	"arithmetic/multiply": func(p string) string { n := ints(p); return strconv.Itoa(n[0] * n[1]) },
	"arithmetic/three":    func(p string) string { n := ints(p); return strconv.Itoa(n[0] + n[1] + n[2]) },
	"arithmetic/get-more": func(p string) string { n := ints(p); return strconv.Itoa(n[0] + n[1]) },
	"arithmetic/give-away": func(p string) string {
		n := ints(p)
		return strconv.Itoa(n[0] - n[1])
	},
	"arithmetic/together": func(p string) string { n := ints(p); return strconv.Itoa(n[0] + n[1]) },
	"arithmetic/price":    func(p string) string { n := ints(p); return strconv.Itoa(n[0] * n[1]) },
	"arithmetic/missing":  func(p string) string { n := ints(p); return strconv.Itoa(n[1] - n[0]) },
	"arithmetic/double":   func(p string) string { return strconv.Itoa(ints(p)[0] * 2) },
	"arithmetic/half":     func(p string) string { return strconv.Itoa(ints(p)[0] / 2) },
	"arithmetic/words": func(p string) string {
		total := 0
		for _, w := range strings.FieldsFunc(strings.ToLower(p), func(r rune) bool { return r < 'a' || r > 'z' }) {
			for n, name := range numberWords {
				if w == name {
					total += n
				}
			}
		}
		return numberWords[total]
	},
	"comparison/largest":  func(p string) string { n := ints(p); sort.Ints(n); return strconv.Itoa(n[3]) },
	"comparison/smallest": func(p string) string { n := ints(p); sort.Ints(n); return strconv.Itoa(n[0]) },
	"comparison/is-more":  func(p string) string { n := ints(p); return yn(n[0] > n[1]) },
	"comparison/difference": func(p string) string {
		n := ints(p)
		return strconv.Itoa(max(n[0], n[1]) - min(n[0], n[1]))
	},
	"lists/first":    func(p string) string { return items(p)[0] },
	"lists/last":     func(p string) string { ws := items(p); return ws[len(ws)-1] },
	"lists/nth":      func(p string) string { return items(p)[ints(p)[0]-1] },
	"lists/count":    func(p string) string { return numberWords[len(items(p))] },
	"lists/sort":     func(p string) string { ws := items(p); sort.Strings(ws); return strings.Join(ws, ", ") },
	"lists/longest":  func(p string) string { return byLength(items(p), -1) },
	"lists/shortest": func(p string) string { return byLength(items(p), 1) },
	"lists/reverse": func(p string) string {
		out := ""
		for _, w := range items(p) {
			out = ", " + w + out
		}
		return out[2:]
	},
	"patterns/step": func(p string) string { n := ints(p); return strconv.Itoa(2*n[3] - n[2]) },
	"patterns/down": func(p string) string { n := ints(p); return strconv.Itoa(2*n[3] - n[2]) },
	"patterns/gap":  func(p string) string { n := ints(p); return strconv.Itoa((n[1] + n[2]) / 2) },
	"letters/first-letters": func(p string) string {
		out := ""
		for _, w := range items(p) {
			out += w[:1]
		}
		return out
	},
	"conditions/number": func(p string) string {
		n := ints(p)
		m := regexp.MustCompile(`(?:write|Write|answer|Say|but) (\w+)`).FindAllStringSubmatch(p, -1)
		switch {
		case strings.HasPrefix(p, "If"):
			return choose(n[0] > n[1], m[0][1], after(p, "otherwise "))
		case strings.HasPrefix(p, "Is"):
			return choose(n[0] > n[1], m[0][1], m[1][1])
		case strings.HasPrefix(p, "Write"):
			return choose(n[0] > n[1], after(p, "but "), after(p, "Write "))
		default: // the limit comes first
			return choose(n[1] > n[0], after(p, "Say "), after(p, "and "))
		}
	},
	"time/hours": func(p string) string { n := ints(p); return strconv.Itoa(n[0] + n[1]) },
	"groups/odd-one-out": func(p string) string {
		ws := items(p)
		return theOne(ws, func(w string) bool {
			for _, c := range categories {
				k := 0
				for _, x := range ws {
					if x != w && has(c.members.words, x) {
						k++
					}
				}
				if k == 3 && !has(c.members.words, w) {
					return true
				}
			}
			return false
		})
	},
}

func byLength(ws []string, sign int) string {
	sort.SliceStable(ws, func(i, j int) bool { return sign*len(ws[i]) < sign*len(ws[j]) })
	if len(ws[0]) == len(ws[1]) {
		return "a tie"
	}
	return ws[0]
}

func choose(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// after returns the word behind s.
func after(p, s string) string {
	_, p, _ = strings.Cut(p, s)
	i := strings.IndexFunc(p, func(r rune) bool { return r < 'a' || r > 'z' })
	if i < 0 {
		return p
	}
	return p[:i]
}

// spans are tasks whose answer is a piece of the prompt as it stands.
var spans = []string{"reading/", "extract/field", "extract/record-field", "copy/quote", "copy/next-word", "copy/sentence", "tracking/where", "tracking/who",
	"comparison/more", "comparison/less", "comparison/chain", "lists/after", "time/what-first", "time/what-last", "groups/kind", "groups/find-member"}

func TestAnswersAreRight(t *testing.T) {
	w := theWorld()
	checked := map[string]int{}
	for _, split := range []string{"train", "test"} {
		for _, s := range Skills() {
			for _, r := range mustGenerate(t, GenConfig{Seed: 11, Split: split, Skills: []string{s.Name}, Size: 600}).Rows {
				if r.Answer == "" || strings.TrimSpace(r.Answer) != r.Answer || strings.ContainsAny(r.Prompt+r.Answer, "{}") {
					t.Fatalf("%s: %q = %q", r.Task, r.Prompt, r.Answer)
				}
				if has(r.Refs, r.Answer) {
					t.Errorf("%s: the answer %q is among the further ones", r.Task, r.Answer)
				}
				if f := checks[r.Task]; f != nil {
					checked[r.Task]++
					if got := f(r.Prompt); got != r.Answer {
						t.Errorf("%s: %q = %q; worked out %q", r.Task, r.Prompt, r.Answer, got)
					}
				}
				for _, s := range spans {
					if strings.HasPrefix(r.Task, s) {
						checked[r.Task]++
						if !strings.Contains(strings.ToLower(r.Prompt), strings.ToLower(r.Answer)) {
							t.Errorf("%s: %q does not hold the answer %q", r.Task, r.Prompt, r.Answer)
						}
					}
				}
				if s.Name == "recall" {
					checked[r.Task]++
					if !recallIsRight(w, &r) {
						t.Errorf("%s: %q = %q is not a fact", r.Task, r.Prompt, r.Answer)
					}
				}
				if s.Name == "describe" {
					checked[r.Task]++
					for _, f := range regexp.MustCompile(`[a-z]+: ([^|\n]+?)(?: \||\n|$)`).FindAllStringSubmatch(strings.TrimPrefix(r.Prompt, "Data: "), -1) {
						v := strings.TrimSpace(f[1])
						if i := strings.LastIndex(v, ": "); i >= 0 {
							v = v[i+2:]
						}
						for _, a := range r.Answers() {
							if !strings.Contains(a, v) {
								t.Errorf("%q: %q lacks %q", r.Prompt, a, v)
							}
						}
					}
				}
			}
		}
	}
	for task := range checks {
		if checked[task] < 20 {
			t.Errorf("%s was checked %d times; wanted at least 20", task, checked[task])
		}
	}
}

// recallIsRight finds the subject in the prompt and the relation by the task.
func recallIsRight(w *world, r *Example) bool {
	for _, f := range w.about[strings.Replace(strings.TrimPrefix(r.Task, "recall/"), "-", "/", 1)] {
		if regexp.MustCompile(`\b` + regexp.QuoteMeta(f.subject) + `\b`).MatchString(r.Prompt) {
			return f.value == r.Answer
		}
	}
	return false
}

// TestTruthAgreesWithTheWorld reads every statement back into a fact.
func TestTruthAgreesWithTheWorld(t *testing.T) {
	n := map[string]int{}
	for _, r := range mustGenerate(t, GenConfig{Seed: 3, Skills: []string{"truth"}, Size: 300}).Rows {
		p := strings.ToLower(r.Prompt)
		right := false
		for i := range theWorld().facts {
			f := &theWorld().facts[i]
			if !strings.Contains(p, strings.ToLower(f.subject)) {
				continue
			}
			for _, s := range f.rel.truth {
				right = right || regexp.MustCompile(regexp.QuoteMeta(strings.ToLower(f.text(s)))+`\b`).MatchString(p)
			}
		}
		if yes := r.Answer == "yes" || r.Answer == "true"; yes != right {
			t.Errorf("%q = %s; the world says %v", r.Prompt, r.Answer, right)
		}
		n[r.Answer]++
	}
	for _, a := range []string{"yes", "no", "true", "false"} {
		if n[a] < 40 {
			t.Errorf("%q is the answer %d times of 300", a, n[a])
		}
	}
}

// TestReadingHasOneAnswer asks every question of every kind of scene and looks for people, places and things that could
// be taken for the answer as well.
func TestReadingHasOneAnswer(t *testing.T) {
	for k, make := range sceneMakers {
		for i := range 50 {
			d := &draw{r: newTestRNG(int64(i), fmt.Sprint("scene", k))}
			s := make(d)
			for _, q := range s.asked {
				if !strings.Contains(strings.ToLower(s.String()), strings.ToLower(q.answer)) {
					t.Errorf("%q: %q is not in the text: %s", q.plain, q.answer, s.String())
				}
				if !has(q.others, q.answer) {
					t.Errorf("%q: %q is none of the values it is drawn from", q.plain, q.answer)
				}
				if len(q.others) < 2 {
					t.Errorf("%q: no other value", q.plain)
				}
			}
		}
	}
}
