//go:build ignore

// Specialist or generalist, as a whole study: the questions of arXiv 2310.15326 with tasks, sizes and a grid of our own.
//
// (a) Four target tasks, from broad to narrow, tuned on their own examples alone and with generalist instructions beside
// them, at several sizes. (b) Three capabilities, understanding, reasoning and factual knowledge, with clean generalist
// data and with generalist data in which a share of the answers is wrong. (c) What the study would conclude, each statement
// with its interval.
//
// Without arguments it asks the embedded model about generated tasks. With a folder of public data and a larger model the
// same script is the study at its own size; what was computed is kept, so it can be stopped and run again:
//
//	tunebook run notebooks/paper.go -data ../shared/data -model FILE.gguf -sizes 100,1000 -general 1000 -lora 16
//
// DIR of -data holds superni/task*/{train,test}.json, superni/single/*.json, specialist/{e2e,banking77,gsm8k,svamp,olora}
// and generalist/t0_train_50k/*.jsonl. No number of this study is the paper's.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"tunebook/stdlib/chart"
	"tunebook/stdlib/data"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/model"
	"tunebook/stdlib/study"
	"tunebook/stdlib/train"
)

// target is a task to become good at.
type target struct {
	name        string
	train, test *data.Set
	metric      string
	cleaner     string
	maxNew      int
}

// The mixes of the study.
const (
	alone   = "specialist"
	mixed   = "specialist + generalist"
	mislead = "specialist + wrong generalist"
)

func main() {
	// %% Arguments
	args := flag.NewFlagSet("paper", flag.ExitOnError)
	dir := args.String("data", "", "folder of public data; empty for generated tasks")
	modelName := args.String("model", "base", "a model: \"base\", a folder, a GGUF file, a name on the hub")
	sizeList := args.String("sizes", "40,160", "numbers of specialist examples, by commas")
	general := args.Int("general", 160, "generalist examples")
	tests := args.Int("tests", 100, "test questions of each target")
	seeds := args.Int("seeds", 2, "training runs of each point")
	wrong := args.Float64("wrong", 0.5, "share of wrong answers in the misleading generalist data")
	lora := args.Int("lora", 0, "rank of an adapter; 0 tunes all weights")
	lr := args.Float64("lr", 1.5e-3, "learning rate")
	epochs := args.Int("epochs", 4, "passes over the mix")
	maxLen := args.Int("maxlen", 0, "tokens of a row at most, longer ones are left out and counted; 0 for the model's own limit")
	html := args.String("html", "paper.html", "where the report goes")
	args.Parse(os.Args[1:])
	var sizes []int
	for _, s := range strings.Split(*sizeList, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			fmt.Printf("-sizes %s: %q is no number of examples\n", *sizeList, s)
			os.Exit(2)
		}
		sizes = append(sizes, n)
	}
	largest := sizes[len(sizes)-1]

	// %% Model
	base := model.Open(*modelName)
	fmt.Println(base)

	// %% [markdown]
	// ## The data
	//
	// Targets are listed from the broadest to the narrowest. Test questions share no prompt with any training data, and
	// generalist rows that share a run of 13 words with a test are removed and counted.

	// %% Generated data
	var targets, capabilities []target
	var broad, broken *data.Set
	generated := func(name string, metric string, skills ...string) target {
		draw := func(split string, n int) *data.Set {
			return data.Generate(data.Gen{Skills: skills, Split: split, Size: n, Seed: 1}).Named(name)
		}
		return target{name: name, train: draw("train", largest), test: draw("test", *tests), metric: metric, maxNew: 24}
	}
	if *dir == "" {
		targets = []target{
			generated("many skills", "rougeL", "conditions", "copy", "extract", "forms", "lists", "repair", "rewrite", "time", "topic", "tracking"),
			generated("classification", "exact", "sentiment", "topic", "groups", "conditions"),
			generated("data to text", "rougeL", "describe"),
			generated("tracking", "exact", "tracking"),
		}
		capabilities = []target{
			generated("understanding", "exact", "reading", "extract"),
			generated("reasoning", "exact", "tracking", "time", "patterns"),
			generated("factual knowledge", "exact", "recall", "truth"),
		}
		// Facts of the world, right or wrong, are a part of the generalist data; the other skills of the targets are not.
		gen := data.Gen{Skills: []string{"arithmetic", "comparison", "groups", "letters", "recall", "truth", "translate"}, Size: *general, Seed: 2}
		broad = data.Generate(gen).Named("generalist")
		gen.WrongShare = *wrong
		broken = data.Generate(gen).Named("generalist")
	}

	// %% Public data
	files := func(pattern string) []string {
		found, _ := filepath.Glob(filepath.Join(*dir, pattern))
		if len(found) == 0 {
			data.Need("-data wants a folder laid out as the beginning of this notebook says", filepath.Join(*dir, pattern))
		}
		return found
	}
	short := func(s *data.Set) *data.Set {
		return s.Where(func(e data.Example) bool { return len(e.Prompt) < 1500 && len(e.Answer) < 600 })
	}
	// parts joins sets with the same share of each, so that a few large ones do not decide.
	parts := func(name string, n int, sets []*data.Set) *data.Set {
		var out []*data.Set
		for i, s := range sets {
			s = short(s)
			k := n*(i+1)/len(sets) - n*i/len(sets)
			if k > s.Len() {
				k = s.Len()
			}
			if k > 0 {
				out = append(out, s.Take(1, k))
			}
		}
		return data.Concat(name, out...)
	}
	if *dir != "" {
		var niTrain, niTest, classTrain, classTest []*data.Set
		for _, f := range files("superni/task*/train.json") {
			a, b := data.SuperNI(f), data.SuperNI(filepath.Join(filepath.Dir(f), "test.json"))
			niTrain, niTest = append(niTrain, a), append(niTest, b)
			if strings.Contains(f, "classification") || strings.Contains(f, "sentiment") {
				classTrain, classTest = append(classTrain, a), append(classTest, b)
			}
		}
		labels := data.Fields{Input: "sentence", Output: "label"}
		var underTrain, underTest []*data.Set
		for _, part := range [][2]string{
			{"NLI/RTE", "Does sentence 2 follow from sentence 1? Answer entailment or contradiction."},
			{"NLI/CB", "Does sentence 2 follow from sentence 1? Answer entailment, contradiction or neutral."},
			{"WiC/WiC", "Does the word have the same meaning in both sentences? Answer True or False."},
		} {
			name := part[0]
			labels.Instruction, labels.Task = part[1], filepath.Base(name)
			underTrain = append(underTrain, data.JSON(files("specialist/olora/" + name + "/train.json")[0], labels).Named(filepath.Base(name)))
			underTest = append(underTest, data.JSON(files("specialist/olora/" + name + "/test.json")[0], labels).Named(filepath.Base(name)))
		}
		e2e := data.Fields{Input: "mr", Output: "ref", Instruction: "Put the facts into one or two sentences."}
		bank := data.Fields{Input: "text", Output: "category", Instruction: "Name the intent of the customer's question."}
		gsm := data.Fields{Input: "question", Output: "answer", Instruction: "Solve the problem step by step; end with #### and the number."}
		svamp := data.Fields{Input: "Body", Context: "Question", Output: "Answer", Instruction: "Solve the problem; answer with #### and the number.", Numbers: true}
		svTrain, svTest := data.JSON(files("specialist/svamp/SVAMP.json")[0], svamp).Split(1, 300)
		hash := func(s *data.Set) *data.Set {
			rows := s.Rows()
			for i := range rows {
				rows[i].Answer = "#### " + strings.TrimSuffix(rows[i].Answer, ".0")
			}
			return data.New(s.Name(), rows)
		}
		var factTrain, factTest []*data.Set
		for _, f := range files("superni/single/*mmmlu*.json") {
			a, b := data.SuperNI(f).Dedup().Split(1, 12)
			factTrain, factTest = append(factTrain, a), append(factTest, b)
		}
		targets = []target{
			{"Super-NI tasks", parts("Super-NI tasks", largest, niTrain), parts("Super-NI tasks", *tests, niTest), "rougeL", "", 64},
			{"classification", parts("classification", largest, classTrain), parts("classification", *tests, classTest), "exact", "", 24},
			{"E2E data to text", parts("E2E", largest, []*data.Set{data.CSV(files("specialist/e2e/devset.csv")[0], e2e)}),
				references(short(data.CSV(files("specialist/e2e/testset_w_refs.csv")[0], e2e))).Take(1, *tests), "rougeL", "", 96},
			{"Banking77 intents", data.CSV(files("specialist/banking77/train.csv")[0], bank).Named("Banking77").Take(1, largest),
				data.CSV(files("specialist/banking77/test.csv")[0], bank).Named("Banking77").Take(1, *tests), "exact", "", 24},
		}
		capabilities = []target{
			{"understanding", parts("understanding", largest, underTrain), parts("understanding", *tests, underTest), "exact", "", 16},
			{"reasoning", parts("reasoning", largest, []*data.Set{data.JSONL(files("specialist/gsm8k/train.jsonl")[0], gsm), hash(svTrain)}),
				parts("reasoning", *tests, []*data.Set{data.JSONL(files("specialist/gsm8k/test.jsonl")[0], gsm), hash(svTest)}), "exact", "gsm8k", 192},
			{"factual knowledge", parts("factual knowledge", largest, factTrain), parts("factual knowledge", *tests, factTest), "exact", "", 16},
		}
		var all []*data.Set
		for _, f := range files("generalist/t0_train_50k/*.jsonl") {
			all = append(all, data.JSONL(f, data.Fields{Input: "prompt", Output: "completion", Strip: "<|endoftext|>"}))
		}
		broad = parts("generalist", *general, all)
		broken = broad.Corrupt(1, *wrong)
	}

	// %% What there is
	for _, t := range append(append([]target{}, targets...), capabilities...) {
		fmt.Printf("%-20s %5d training, %4d test, scored by %s\n", t.name, t.train.Len(), t.test.Len(), t.metric)
	}
	fmt.Println(broad)

	// blend is what a point is tuned on.
	blend := func(t target, mix string, n int, seed int64) *data.Set {
		r := data.Recipe{Seed: seed, Against: []*data.Set{t.test.Named("test")}, Clean: true,
			Parts: []data.Part{{Set: t.train.Named("specialist").Take(seed, min(n, t.train.Len())), Passes: 1}}}
		if mix == mixed {
			r.Parts = append(r.Parts, data.Part{Set: broad, Passes: 1})
		} else if mix == mislead {
			r.Parts = append(r.Parts, data.Part{Set: broken, Passes: 1})
		}
		return r.Blend()
	}
	// point tunes on one mix and scores the target's test.
	point := func(t target, mix string, n int, seed int64) study.Results {
		c := train.Config{LR: *lr, Epochs: *epochs, BatchSize: 8, LoRA: *lora, Seed: seed, MaxLen: *maxLen, Policy: "drop", Quiet: true}
		run := train.Run(base, blend(t, mix, n, seed), c)
		ask := eval.Task{Test: t.test, Metric: t.metric, Cleaner: t.cleaner, MaxNew: t.maxNew, Quiet: true}
		return study.Results{"score": ask.Run(run.Model)}
	}
	settings := []any{*lr, *epochs, *lora, *maxLen}

	// %% (a) Coverage: does broad data help, for which breadth of task, at which size?
	coverage := study.New("coverage")
	coverage.Expect(len(targets) * len(sizes) * 2 * *seeds)
	for _, t := range targets {
		for _, n := range sizes {
			for _, mix := range []string{alone, mixed} {
				for seed := int64(1); seed <= int64(*seeds); seed++ {
					keys := study.Row{"target": t.name, "n": n, "mix": mix, "seed": seed}
					coverage.Point(keys, study.Inputs{base, t.train, t.test, broad, settings}, func() study.Results { return point(t, mix, n, seed) })
				}
			}
		}
	}
	fmt.Println(coverage.Table("target", "n", "mix"))
	gains := coverage.Paired("score", study.Where{"mix": alone}, study.Where{"mix": mixed})
	fmt.Println(gains)

	// %% (b) Capabilities: clean and wrong generalist data
	capability := study.New("capabilities")
	capability.Expect(len(capabilities) * 3 * *seeds)
	for _, t := range capabilities {
		for _, mix := range []string{alone, mixed, mislead} {
			for seed := int64(1); seed <= int64(*seeds); seed++ {
				keys := study.Row{"capability": t.name, "mix": mix, "seed": seed}
				capability.Point(keys, study.Inputs{base, t.train, t.test, broad, broken, settings}, func() study.Results { return point(t, mix, largest, seed) })
			}
		}
	}
	fmt.Println(capability.Pivot("capability", "mix", "score"))
	helps := capability.Paired("score", study.Where{"mix": alone}, study.Where{"mix": mixed})
	hurts := capability.Paired("score", study.Where{"mix": mixed}, study.Where{"mix": mislead})
	fmt.Println(helps)
	fmt.Println(hurts)

	// %% (c) Statements
	conclusions := &study.Table{Title: "Statements of the study, tested", Columns: []string{"statement", "difference", "95 %", "p (Holm)", "verdict"},
		Notes: []string{"A statement is supported, or contradicted, where its p-value after Holm's correction over the statements of its part is below 0.05; otherwise these runs do not decide it."}}
	var effects []chart.Effect
	conclude := func(t *study.Table, key, short, say string, better bool) {
		for i := range t.Rows {
			diff, interval, p := cell(t, i, "difference"), cell(t, i, "95 %"), cell(t, i, "p (Holm)")
			what := cell(t, i, key)
			if n := cell(t, i, "n"); n != "" {
				what += ", " + n
			}
			verdict := "not decided"
			value, err := strconv.ParseFloat(strings.TrimPrefix(p, "<"), 64)
			if err == nil && value < 0.05 {
				verdict = "contradicted"
				if strings.HasPrefix(diff, "+") == better {
					verdict = "supported"
				}
			}
			var lo, hi float64
			mean, err := strconv.ParseFloat(diff, 64)
			if n, _ := fmt.Sscanf(interval, "%g to %g", &lo, &hi); err == nil && n == 2 {
				effects = append(effects, chart.Effect{Name: short + what, Mean: mean, Lo: lo, Hi: hi})
			}
			conclusions.Rows = append(conclusions.Rows, []string{fmt.Sprintf(say, what), diff, interval, p, verdict})
		}
	}
	if *seeds == 1 {
		conclusions.Notes = append(conclusions.Notes, "Each point is one training run: the intervals say how the score may differ on other questions, not after another training run. -seeds 3 covers both.")
	}
	conclude(gains, "target", "", "Generalist data helps (%s examples)", true)
	conclude(helps, "capability", "", "Generalist data helps %s", true)
	conclude(hurts, "capability", "wrong: ", "Wrong answers in it hurt %s", false)
	fmt.Println(conclusions)

	// %% Report
	page := chart.NewPage("Specialist or generalist? The study with " + filepath.Base(*modelName))
	page.Text("Each point is tuned from the same model and scored on the same test questions; bands and bars are 95 % intervals over documents and seeds.")
	var curves []*chart.Chart
	for _, t := range targets {
		one := coverage.Filter(study.Where{"target": t.name})
		curves = append(curves, chart.Plot(one, chart.Line{X: "n", LogX: true, Y: "score", By: "mix", CI: 0.95, Title: t.name,
			XName: "specialist examples", YName: t.metric}))
	}
	page.Add(chart.Grid("(a) Coverage", curves...))
	page.Add(gains)
	page.Add(chart.Bars(capability, chart.Bar{X: "capability", Y: "score", By: "mix", Title: "Capabilities", YName: "exact match"}))
	page.Add(helps)
	page.Add(hurts)
	page.Add(chart.Forest("(c) Statements: differences with 95 % intervals", "difference", effects...))
	page.Add(conclusions)
	page.Text("The mix of the first target and that of the first capability with wrong answers, at the largest size:")
	page.Add(blend(targets[0], mixed, largest, 1))
	page.Add(blend(capabilities[0], mislead, largest, 1))
	fmt.Println("report:", page.Save(*html))
}

// cell returns the text of a table's column in row i, "" where there is no such column.
func cell(t *study.Table, i int, column string) string {
	for k, c := range t.Columns {
		if c == column {
			return t.Rows[i][k]
		}
	}
	return ""
}

// references makes one example of rows that ask the same, with all their answers as right ones.
func references(s *data.Set) *data.Set {
	at := map[string]int{}
	var rows []data.Example
	for _, e := range s.Rows() {
		if i, ok := at[e.Prompt]; ok {
			rows[i].Refs = append(rows[i].Refs, e.Answer)
			continue
		}
		at[e.Prompt] = len(rows)
		rows = append(rows, e)
	}
	return data.New(s.Name(), rows)
}
