package bench

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// made is an outcome of made-up rounds: ours, then the speeds of two peers, 0 for one that failed.
func made(rounds ...[3]float64) Outcome {
	o := Outcome{Comparison: Comparison{Name: "made up", Figure: "step", Goal: 1.5, LossBound: 1e-3, Peers: []Side{{Name: "one"}, {Name: "two"}}}}
	for i, r := range rounds {
		peer := func(speed float64) Result {
			if speed == 0 {
				return Result{}
			}
			return Result{Best: speed, Peak: int64(2000 + 1000*i), FirstStep: 10, ImportT: 1, ImportTF: 2, Load: 0.5, Loss: []float64{2, 1}}
		}
		o.Rounds = append(o.Rounds, Round{Ours: Result{Best: r[0], Peak: 1000, FirstStep: 4, SetUp: 0.2, Loss: []float64{2.0001, 1.0001}}, Peers: []Result{peer(r[1]), peer(r[2])}})
	}
	return o
}

func TestRatios(t *testing.T) {
	o := made([3]float64{300, 100, 200}, [3]float64{300, 240, 120}, [3]float64{330, 150, 165})
	s := o.Summary()
	// Each round against its own fastest: 300/200, 300/240, 330/165.
	if !reflect.DeepEqual(s.Ratios, []float64{1.5, 1.25, 2}) || s.Min != 1.25 || s.Median != 1.5 {
		t.Errorf("ratios %v, min %v, median %v", s.Ratios, s.Min, s.Median)
	}
	if s.Peer != "two" || s.Theirs != 165 || s.Ours != 300 {
		t.Errorf("against %s at %v, ours %v; wanted two at 165, ours 300", s.Peer, s.Theirs, s.Ours)
	}
	if s.Memory != (Pair{1000, 3000}) || s.FirstStep.Ratio() != 0.4 || s.SetUp != (Pair{0.2, 3.5}) {
		t.Errorf("memory %v, first step %v, set-up %v", s.Memory, s.FirstStep, s.SetUp)
	}
	if o = made([3]float64{300, 0, 0}); len(o.Summary().Ratios) != 0 || o.Summary().Peer != "" || o.Best() != -1 {
		t.Errorf("without a peer: %+v", o.Summary())
	}
	if o = made([3]float64{300, 100, 0}); o.Summary().Peer != "one" || o.Summary().Min != 3 {
		t.Errorf("with one peer: %+v", o.Summary())
	}
}

func TestLosses(t *testing.T) {
	o := made([3]float64{300, 100, 200})
	if got := o.losses(); got != nil {
		t.Errorf("losses within the bound: %q", got)
	}
	o.Rounds[0].Peers[1].Loss = []float64{2, 1.1}
	got := o.losses()
	if len(got) != 1 || !strings.HasPrefix(got[0], "made up: two: its losses are [2 1.1] and ours [2 1]") {
		t.Errorf("a loss beyond the bound: %q", got)
	}
	o.Rounds[0].Peers[1].Loss = []float64{2, math.NaN()}
	if got := o.losses(); len(got) != 1 {
		t.Errorf("a loss that is no number: %q", got)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want float64
	}{{[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}, {[]float64{7}, 7}} {
		if got := Median(c.x); got != c.want {
			t.Errorf("Median(%v): %v; wanted %v", c.x, got, c.want)
		}
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("the median of nothing is a number")
	}
}

// stub writes a program that stands for Python: it answers -c, and else notes its script's name and prints a result.
func stub(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCompareTurns runs two peers against a program that stands for ours and reads the order from a file.
func TestCompareTurns(t *testing.T) {
	dir := t.TempDir()
	order := filepath.Join(dir, "order")
	ours := stub(t, `cat >/dev/null; echo ours >> `+order+`; echo '{"tok_s_best": 300, "loss": [2, 1]}'`)
	python := stub(t, `case "$2" in slow) s=100;; fast) s=200;; esac
[ "$2" = broken ] && { echo "noise"; echo "ModuleNotFoundError: no peft" >&2; exit 1; }
[ -n "$OPENBLAS_CORETYPE" ] && exit 3
echo "$2" >> `+order+`; echo noise; echo '{"tok_s_best": '$s', "loss": [2, 1]}'`)
	t.Setenv("OPENBLAS_CORETYPE", "Haswell")
	if err := os.WriteFile(filepath.Join(dir, "script.py"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	r := &Runner{Self: []string{ours}, Python: python, Scripts: dir, Log: t.Logf}
	c := Comparison{Name: "turns", Figure: "step", LossBound: 1e-6, Ours: Side{Name: "ours", Work: &Work{}},
		Peers: []Side{{Name: "slow", Script: "script.py", Args: []string{"slow"}}, {Name: "fast", Script: "script.py", Args: []string{"fast"}},
			{Name: "broken", Script: "script.py", Args: []string{"broken"}}, {Name: "absent", Script: "absent.py"}}}
	o, err := r.Compare(context.Background(), c, 3)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(order)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Fields(string(b)), strings.Fields("ours slow fast fast slow ours ours slow fast"); !reflect.DeepEqual(got, want) {
		t.Errorf("order %v; wanted %v", got, want)
	}
	s := o.Summary()
	if !reflect.DeepEqual(s.Ratios, []float64{1.5, 1.5, 1.5}) || s.Peer != "fast" {
		t.Errorf("%+v", s)
	}
	if len(s.Failed) != 2 || s.Failed[0] != "turns: broken: exit status 1: ModuleNotFoundError: no peft" || !strings.Contains(s.Failed[1], "has no absent.py") {
		t.Errorf("what failed: %q", s.Failed)
	}
}

func TestMissing(t *testing.T) {
	ctx := context.Background()
	r := &Runner{Python: filepath.Join(t.TempDir(), "none")}
	if err := r.Missing(ctx, "torch"); err == nil || !strings.Contains(err.Error(), "there is no Python") || !strings.Contains(err.Error(), "torch") {
		t.Errorf("no Python: %v", err)
	}
	r.Python = stub(t, "echo torch,peft")
	if err := r.Missing(ctx, "torch", "transformers", "peft"); err == nil || !strings.Contains(err.Error(), "has no torch, no peft;") {
		t.Errorf("no torch: %v", err)
	}
	r.Python = stub(t, "echo")
	if err := r.Missing(ctx, "torch"); err != nil {
		t.Errorf("nothing is missing: %v", err)
	}
}

// TestReason: why a process ended is the line of the panic or of the last exception, whatever stands behind it.
func TestReason(t *testing.T) {
	for _, c := range [][2]string{
		{"panic: no memory\n\ngoroutine 1 [running]:\nmain.main()\n", "panic: no memory"},
		{"something\nwent wrong\n", "went wrong"},
		{"Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    f()\nValueError: 3 is too many\n", "ValueError: 3 is too many"},
		{"Traceback (most recent call last):\n  File \"a.py\", line 3\nKeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n" +
			"  File \"b.py\", line 7\n    g()\n    ^^^\ntorch._inductor.exc.InductorError: InvalidCxxCompiler: No working C++ compiler found\n\nSet TORCHDYNAMO_VERBOSE=1 for the full stack trace\n\n",
			"torch._inductor.exc.InductorError: InvalidCxxCompiler: No working C++ compiler found"},
		{"Traceback (most recent call last):\n  File \"a.py\"", `File "a.py"`},
		{"", ""},
	} {
		if got := reason(c[0]); got != c[1] {
			t.Errorf("%q: %q; wanted %q", c[0], got, c[1])
		}
	}
}
