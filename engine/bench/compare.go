package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Side is what does a piece of work in a Comparison: ours, in a process of this program, or another program's script.
type Side struct {
	Name   string
	Work   *Work    // ours
	Script string   // or a file to run with Python
	Args   []string // its arguments
	Same   bool     // it draws token ids with torch.randint: give it the rows of our work
	Env    []string // on top of the environment
}

// Comparison is the same piece of work done by both.
type Comparison struct {
	Name   string
	Ours   Side
	Peers  []Side // of the same precision: the fastest of each round counts
	Figure string // one of Figures
	Goal   float64
	// LossBound is the largest relative difference of the losses that still counts as the same; 0 where losses are not compared.
	LossBound float64
}

// Figures are what comparisons compare: how much of what a second. The best step of a process counts, on both sides: what else the
// machine does only makes steps longer.
var Figures = map[string]func(Result) float64{
	"step":   func(r Result) float64 { return r.Best },
	"decode": func(r Result) float64 { return r.Decode },
	"rows":   func(r Result) float64 { return r.Rows },
}

// Round is what the sides of a comparison measured one after the other.
type Round struct {
	Ours  Result
	Peers []Result // in the order of Comparison.Peers; zero for one that failed
}

// Outcome is what became of a comparison.
type Outcome struct {
	Comparison
	Rounds []Round
	Failed []string // what could not be measured, a sentence each
	Notes  []string // losses that differ
}

// Runner runs the sides of comparisons.
type Runner struct {
	Self    []string // our program and the arguments before which it reads a Work from its standard input
	As      string   // what our program is called in its first argument; its path when empty
	Python  string
	Scripts string // folder of the peers' scripts
	Models  string // folder of the peers' models, PEERS_DIR
	Log     func(format string, args ...any)
}

// Compare runs the comparison so many times, ours first in every other round. A side that fails is left out of the further
// rounds, and Outcome.Failed says why; without ours nothing is compared.
func (r *Runner) Compare(ctx context.Context, c Comparison, rounds int) (Outcome, error) {
	o := Outcome{Comparison: c}
	out := map[int]bool{} // sides that failed; ours is -1
	for i := range rounds {
		round := Round{Peers: make([]Result, len(c.Peers))}
		order := []int{-1}
		for p := range c.Peers {
			order = append(order, p)
		}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, p := range order {
			if out[p] || out[-1] {
				continue
			}
			side, to := c.Ours, &round.Ours
			if p >= 0 {
				side, to = c.Peers[p], &round.Peers[p]
			}
			r.Log("%s, round %d of %d: %s", c.Name, i+1, rounds, side.Name)
			result, err := r.Run(ctx, side, c.Ours.Work.Rows)
			if ctx.Err() != nil {
				return o, ctx.Err()
			}
			if err != nil {
				out[p] = true
				o.Failed = append(o.Failed, fmt.Sprintf("%s: %s: %v", c.Name, side.Name, err))
				continue
			}
			*to = result
		}
		if out[-1] || len(out) == len(c.Peers) {
			break
		}
		o.Rounds = append(o.Rounds, round)
	}
	o.Notes = o.losses()
	return o, nil
}

// Run does a piece of work in a process and returns what that process says at the end of its output, a line of JSON.
func (r *Runner) Run(ctx context.Context, s Side, rows Rows) (Result, error) {
	var cmd *exec.Cmd
	if s.Work != nil {
		in, err := json.Marshal(s.Work)
		if err != nil {
			return Result{}, err
		}
		cmd = exec.CommandContext(ctx, r.Self[0], r.Self[1:]...)
		if r.As != "" {
			cmd.Args[0] = r.As
		}
		cmd.Stdin = bytes.NewReader(in)
		cmd.Env = os.Environ()
	} else {
		args, done, err := r.script(s, rows)
		if err != nil {
			return Result{}, err
		}
		defer done()
		cmd = exec.CommandContext(ctx, r.Python, args...)
		cmd.Env = r.peerEnv()
	}
	cmd.Env = append(cmd.Env, s.Env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(cmd.Env, Started+"="+strconv.FormatInt(time.Now().UnixNano(), 10))
	if err := cmd.Run(); err != nil {
		return Result{}, fmt.Errorf("%w: %s", err, reason(stderr.String()))
	}
	var result Result
	line := lastLine(stdout.String())
	if err := json.Unmarshal([]byte(line), &result); err != nil {
		return Result{}, fmt.Errorf("its last line is %q; wanted a line of JSON", line)
	}
	result.Peak = peak(cmd.ProcessState)
	return result, nil
}

// script returns the arguments for Python, with what removes the files that they name.
func (r *Runner) script(s Side, rows Rows) (args []string, done func(), err error) {
	dir, err := os.MkdirTemp("", "tunebook-bench-")
	if err != nil {
		return nil, nil, err
	}
	done = func() { os.RemoveAll(dir) }
	file, err := r.place(dir, s.Script)
	if err == nil && !s.Same && !slices.Contains(s.Args, RowsFile) {
		return append([]string{file}, s.Args...), done, nil
	}
	var path string
	if err == nil {
		path, err = writeRows(dir, rows)
	}
	var same string
	if err == nil && s.Same {
		same, err = r.place(dir, "same.py")
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	args = append(args, file)
	for _, a := range s.Args {
		if a == RowsFile {
			a = path
		}
		args = append(args, a)
	}
	if s.Same {
		args = append([]string{same, path}, args...)
	}
	return args, done, nil
}

// unset are variables that slow the peers down where they are set for other programs.
var unset = []string{"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}

func (r *Runner) peerEnv() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(unset, name)
	})
	return append(env, "PEERS_DIR="+r.Models, "HF_HUB_OFFLINE=1", "TOKENIZERS_PARALLELISM=false")
}

// reason returns the line of a process's errors that says why it ended: that of a panic in Go, that of the last exception in Python,
// which hints may follow (PyTorch's compiler writes some), and else the last one.
func reason(stderr string) string {
	exception, inside := "", false
	for line := range strings.Lines(stderr) {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "panic: "):
			return text
		case text == "Traceback (most recent call last):":
			exception, inside = "", true
		case inside && text != "" && line[0] != ' ':
			exception, inside = text, false
		}
	}
	if exception != "" {
		return exception
	}
	return lastLine(stderr)
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// Missing says in a sentence what keeps the peers from running: no Python, or packages that it lacks. It is nil for nothing.
func (r *Runner) Missing(ctx context.Context, packages ...string) error {
	if _, err := exec.LookPath(r.Python); err != nil {
		return fmt.Errorf("bench: there is no Python %q to run the other programs with; --python names one that has %s", r.Python, strings.Join(packages, ", "))
	}
	// A package is missing where no module of its name is found; none is loaded.
	code := "import importlib.util as u, sys\nprint(','.join(m for m in sys.argv[1:] if u.find_spec(m) is None))"
	cmd := exec.CommandContext(ctx, r.Python, append([]string{"-c", code}, packages...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("bench: %s does not run: %w: %s", r.Python, err, lastLine(stderr.String()))
	}
	if lacks := strings.TrimSpace(string(out)); lacks != "" {
		return fmt.Errorf("bench: %s has no %s; install what is missing into it or name another Python with --python", r.Python, strings.ReplaceAll(lacks, ",", ", no "))
	}
	return nil
}

// fastest returns the peer with the largest figure of a round, and the figure; -1 where none was measured.
func (o *Outcome) fastest(r Round) (int, float64) {
	best, at := 0.0, -1
	for i, p := range r.Peers {
		if f := Figures[o.Figure](p); f > best {
			best, at = f, i
		}
	}
	return at, best
}

// Ratios returns our figure over the fastest peer's, a round each.
func (o *Outcome) Ratios() []float64 {
	var out []float64
	for _, r := range o.Rounds {
		if _, f := o.fastest(r); f > 0 {
			out = append(out, Figures[o.Figure](r.Ours)/f)
		}
	}
	return out
}

// Pair is a quantity on our side and on that of the peer that was fastest in most rounds, the median of the rounds.
type Pair struct {
	Ours   float64 `json:"ours"`
	Theirs float64 `json:"theirs"`
}

// Ratio returns ours over theirs.
func (p Pair) Ratio() float64 { return p.Ours / p.Theirs }

// Best returns the peer that was fastest in most rounds, the first of equals; -1 where none was measured.
func (o *Outcome) Best() int {
	wins := make([]int, len(o.Peers))
	best := -1
	for _, r := range o.Rounds {
		if at, _ := o.fastest(r); at >= 0 {
			wins[at]++
		}
	}
	for i, n := range wins {
		if n > 0 && (best < 0 || n > wins[best]) {
			best = i
		}
	}
	return best
}

// Of returns a quantity of both sides. The peer's is NaN where no peer was measured.
func (o *Outcome) Of(quantity func(Result) float64) Pair {
	var ours, theirs []float64
	best := o.Best()
	for _, r := range o.Rounds {
		ours = append(ours, quantity(r.Ours))
		if best >= 0 && Figures[o.Figure](r.Peers[best]) > 0 {
			theirs = append(theirs, quantity(r.Peers[best]))
		}
	}
	return Pair{Median(ours), Median(theirs)}
}

// losses returns a sentence for each peer whose losses are not ours.
func (o *Outcome) losses() []string {
	if o.LossBound == 0 {
		return nil
	}
	var out []string
	for p, peer := range o.Peers {
		for _, r := range o.Rounds {
			if err := sameLoss(r.Ours.Loss, r.Peers[p].Loss, o.LossBound); err != nil {
				out = append(out, fmt.Sprintf("%s: %s: %v", o.Name, peer.Name, err))
				break
			}
		}
	}
	return out
}

func sameLoss(ours, theirs []float64, bound float64) error {
	if len(theirs) == 0 {
		return nil
	}
	if len(ours) != len(theirs) {
		return errors.New("it prints another number of losses than ours")
	}
	for i, x := range theirs {
		if d := math.Abs(ours[i]-x) / math.Abs(x); !(d <= bound) {
			return fmt.Errorf("its losses are %.4g and ours %.4g, which differ by %.2g; at most %.2g counts as the same", theirs, ours, d, bound)
		}
	}
	return nil
}
