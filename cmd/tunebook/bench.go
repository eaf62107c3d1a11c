package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"tunebook/engine/backend"
	"tunebook/engine/backend/cuda"
	"tunebook/engine/bench"
)

// defaultPeers is the folder that --peers without one means.
const defaultPeers = "../shared/peers"

type benchOptions struct {
	only               []string
	rounds, steps      int
	device, work       string
	peers, python      string
	json, small, quiet bool
}

func benchCommand() *cobra.Command {
	var o benchOptions
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast training and generation are here",
		Long: `Bench measures this machine (the peak of multiply-adds in each precision, how fast memory is read), then each operation of the
device as a share of what the machine allows for its shape, then whole training steps and where their time goes, generation,
an evaluation by log-likelihood, and the start. It takes two minutes or three; nothing else should run meanwhile.

  --only PART,…   some of: ` + partNames() + `

With --peers[=DIR] it compares instead: the scripts in DIR for PyTorch, Hugging Face and llama.cpp (default ` + defaultPeers + `) run
in turn with the same work of ours, several rounds, each in a process of its own. A ratio is our speed over that of the fastest
of them in the same round; the smallest and the median of the rounds are shown with memory, set-up and the time from the start of
the process to the end of the first step. Then --only takes comparisons by their names or words in them (` + `"LoRA", "full float32"` + `).
DIR's models are made in --work at first use. The Python must have torch, transformers, peft and, for generation, llama_cpp;
what is compared with compiled PyTorch needs a C++ compiler, and minutes for its first step, which is not one of those measured.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			err := runBench(ctx, o, c.Flags().Changed("peers"), c.Flags().Changed("rounds"))
			var ended exit
			if err == nil || errors.As(err, &ended) {
				return err
			}
			if ctx.Err() != nil {
				return exit{130, nil}
			}
			return exit{1, fmt.Errorf("tunebook: %w", err)}
		},
	}
	f := c.Flags()
	f.StringSliceVar(&o.only, "only", nil, "parts, or with --peers comparisons")
	f.IntVar(&o.rounds, "rounds", 1, "processes for each piece of work; 3 with --peers")
	f.StringVar(&o.device, "device", "", "device; the default one when empty")
	f.BoolVar(&o.json, "json", false, "print the results as JSON")
	f.BoolVar(&o.small, "small", false, "small shapes and models: over in seconds, and says little about large ones")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "do not say what is being measured")
	f.StringVar(&o.peers, "peers", "", "compare with the scripts in this folder")
	f.Lookup("peers").NoOptDefVal = defaultPeers
	f.StringVar(&o.python, "python", "python3", "Python to run them with")
	f.StringVar(&o.work, "work", "", "folder for the models that both sides read; one in the user's cache when empty")
	f.IntVar(&o.steps, "steps", 3, "measured steps of a round")
	c.AddCommand(&cobra.Command{
		Use: "child", Hidden: true, Args: cobra.NoArgs, Short: "Measure the work on standard input",
		RunE: func(*cobra.Command, []string) error {
			work, err := io.ReadAll(os.Stdin)
			if err != nil {
				return exit{1, err}
			}
			line, err := bench.Child(context.Background(), work)
			if err != nil {
				return exit{1, err}
			}
			fmt.Printf("%s\n", line)
			return nil
		},
	})
	return c
}

func partNames() string {
	var names []string
	for _, p := range bench.Parts {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

func runBench(ctx context.Context, o benchOptions, peers, roundsSet bool) error {
	if peers && !roundsSet {
		o.rounds = 3
	}
	if o.rounds < 1 || o.steps < 1 {
		return wrong("--rounds is %d and --steps %d; wanted at least 1", o.rounds, o.steps)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r := &bench.Runner{Self: []string{self, "bench", "child"}, As: os.Args[0], Python: o.python, Log: func(format string, args ...any) {
		if !o.quiet {
			fmt.Fprintf(os.Stderr, format+"\n", args...)
		}
	}}
	if peers {
		return comparePeers(ctx, o, r)
	}
	return ownBench(ctx, o, r)
}

// ownBench measures the parts and prints a table for each.
func ownBench(ctx context.Context, o benchOptions, r *bench.Runner) error {
	for _, p := range o.only {
		if !slices.Contains(bench.Parts, bench.Part(p)) {
			return wrong("--only %s: there is no such part; wanted some of %s", p, partNames())
		}
	}
	if o.device == "" {
		o.device = cuda.DefaultDevice()
	}
	if _, err := backend.Open(o.device); err != nil {
		return wrong("%w", err)
	}
	texts, err := bench.ReadTexts("")
	if err != nil {
		return err
	}
	var all []benchRow
	for _, n := range bench.Works(o.device, texts, o.small) {
		if len(o.only) > 0 && !slices.Contains(o.only, string(n.Part)) {
			continue
		}
		result, err := r.Repeat(ctx, n, o.rounds)
		if err != nil {
			return err
		}
		row := benchRow{n.Name, n.Part, result.Peak, result}
		all = append(all, row)
		if !o.json {
			printPart(os.Stdout, row, len(all) == 1 || all[len(all)-2].Part != n.Part)
		}
	}
	if o.json {
		return printJSON(all)
	}
	return nil
}

// benchRow is a piece of work with what it took.
type benchRow struct {
	Name   string       `json:"name"`
	Part   bench.Part   `json:"part"`
	Peak   int64        `json:"memory_bytes"`
	Result bench.Result `json:"result"`
}

func printJSON(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// comparePeers runs comparisons and prints a table of ratios. What could not be measured is said below it, and ends with 1.
func comparePeers(ctx context.Context, o benchOptions, r *bench.Runner) error {
	r.Scripts, r.Models = o.peers, o.work
	if r.Models == "" {
		if r.Models = os.Getenv("PEERS_DIR"); r.Models == "" {
			cache, err := os.UserCacheDir()
			if err != nil {
				return err
			}
			r.Models = filepath.Join(cache, "tunebook", "peers")
		}
	}
	var err error
	if r.Models, err = filepath.Abs(r.Models); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(r.Scripts, "train_step.py")); err != nil {
		return wrong("--peers %s: there is no train_step.py in it", r.Scripts)
	}
	packages := []string{"torch", "transformers"}
	if err := r.Missing(ctx, packages...); err != nil {
		return err
	}
	beside := filepath.Dir(filepath.Clean(r.Scripts))
	texts, err := bench.ReadTexts(beside)
	if err != nil {
		return err
	}
	source := filepath.Join(beside, "models", "smollm2-135m-instruct")
	if _, err := os.Stat(source); err != nil {
		source = ""
	}
	if err := r.Prepare(ctx, source); err != nil {
		return err
	}
	var chosen []bench.Comparison
	all := bench.Comparisons(bench.Settings{Models: r.Models, Threads: runtime.GOMAXPROCS(0), Steps: o.steps, Texts: texts})
	for _, c := range all {
		if len(o.only) == 0 || slices.ContainsFunc(o.only, func(word string) bool {
			// A whole name means that comparison alone, though it may be part of another's name.
			whole := slices.ContainsFunc(all, func(c bench.Comparison) bool { return c.Name == word })
			return c.Name == word || !whole && strings.Contains(c.Name, word)
		}) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		var names []string
		for _, c := range all {
			names = append(names, fmt.Sprintf("%q", c.Name))
		}
		return wrong("--only %s: no comparison has that in its name; there are %s", strings.Join(o.only, ","), strings.Join(names, ", "))
	}
	var sums []bench.Summary
	failed := false
	var stopped error // what was measured until then is shown
	for _, c := range chosen {
		out, err := r.Compare(ctx, c, o.rounds)
		s := out.Summary()
		failed = failed || len(s.Failed)+len(s.Notes) > 0
		if err == nil || len(s.Ratios) > 0 {
			sums = append(sums, s)
		}
		if err != nil {
			stopped = err
			break
		}
	}
	if len(sums) == 0 {
		return stopped
	}
	if o.json {
		err = printJSON(sums)
	} else {
		err = printSummaries(os.Stdout, sums)
	}
	if err == nil {
		err = stopped
	}
	if err == nil && failed {
		return exit{1, nil}
	}
	return err
}
