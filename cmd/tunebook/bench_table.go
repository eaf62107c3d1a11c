package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"tunebook/engine/backend"
	"tunebook/engine/bench"
)

// inColumns writes lines of cells, which are parted by tabs, in columns.
func inColumns(w io.Writer, lines ...string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		fmt.Fprintln(t, l)
	}
	return t.Flush()
}

func cells(format string, args ...any) string {
	return fmt.Sprintf(strings.ReplaceAll(format, "|", "\t"), args...)
}

// quantity is a number to three digits.
func quantity(v float64) string {
	switch {
	case v == 0:
		return "-"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func gigabytes(bytes float64) string { return quantity(bytes / 1e9) }

// printPart prints what a piece of work took, under the part's headline where it is the part's first.
func printPart(w io.Writer, row benchRow, first bool) error {
	r := row.Result
	var lines []string
	if first {
		fmt.Fprintf(w, "\n%s\n", strings.ToUpper(string(row.Part)))
	}
	switch row.Part {
	case bench.PartKernels:
		return printKernels(w, r)
	case bench.PartSteps:
		lines = append(lines,
			cells("%s|%s|tokens/s (median %s)|%.3f s a step|%s GB (%s planned)|first step after %s s|loss %.4f", row.Name, quantity(r.Best), quantity(r.Median), r.StepMin,
				gigabytes(float64(row.Peak)), gigabytes(float64(r.Planned)), quantity(r.FirstStep), r.Loss[len(r.Loss)-1]))
		if err := inColumns(w, lines...); err != nil {
			return err
		}
		lines = nil
		for _, part := range append(slices.Clone(backend.Parts), "rest") {
			if share, ok := r.Shares[part]; ok {
				line := cells("  %s|%.1f %%", part, 100*share)
				if rate := r.Rates[part]; rate > 0 {
					line += cells("|%s GFLOP/s", quantity(rate))
				}
				lines = append(lines, line)
			}
		}
	case bench.PartGeneration:
		lines = append(lines, cells("%s|%s|tokens/s (median %s)|prompts at %s tokens/s|%s GB", row.Name, quantity(r.Decode), quantity(r.DecodeMed), quantity(r.Prefill), gigabytes(float64(row.Peak))))
	case bench.PartEvaluation:
		lines = append(lines, cells("%s|%s|choices/s|%s GB", row.Name, quantity(r.Rows), gigabytes(float64(row.Peak))))
	case bench.PartStart:
		lines = append(lines, cells("%s|%.0f ms|ready after %.0f ms|%s GB", row.Name, 1e3*r.FirstStep, 1e3*r.SetUp, gigabytes(float64(row.Peak))))
	}
	return inColumns(w, lines...)
}

func printKernels(w io.Writer, r bench.Result) error {
	m := r.Machine
	fmt.Fprintf(w, "%s; %s\n", m.CPU, r.Info)
	lines := []string{cells("peak|one thread|%d threads|", m.Threads)}
	for _, p := range m.Peaks {
		lines = append(lines, cells("%s|%s|%s|G operations/s", p.Name, quantity(p.One), quantity(p.All)))
	}
	for _, b := range m.Reads {
		lines = append(lines, cells("reading %d MB||%s|GB/s", b.Bytes>>20, quantity(b.Rate)))
	}
	if err := inColumns(w, lines...); err != nil {
		return err
	}
	fmt.Fprintln(w)
	lines = []string{cells("kernel|shape|time, ms|GFLOP/s|GB/s|of what is possible")}
	for _, k := range r.Kernels {
		share := "-"
		if k.Share > 0 {
			share = fmt.Sprintf("%.0f %%", 100*k.Share)
		}
		lines = append(lines, cells("%s|%s|%s|%s|%s|%s", k.Name, k.Shape, quantity(1e3*k.Seconds), quantity(k.Flops/k.Seconds/1e9), quantity(k.Bytes/k.Seconds/1e9), share))
	}
	return inColumns(w, lines...)
}

// printSummaries prints a line for each comparison, and below them what could not be measured and losses that differ.
func printSummaries(w io.Writer, sums []bench.Summary) error {
	lines := []string{cells("comparison|against|ours|theirs||ratio: min|median|goal|memory, GB||first step, s||set-up, s")}
	for _, s := range sums {
		if len(s.Ratios) == 0 {
			lines = append(lines, cells("%s|not measured|||||||||||", s.Name))
			continue
		}
		lines = append(lines, cells("%s|%s|%s|%s|%s|%.2f|%.2f|%s|%s|%s|%s|%s|%s", s.Name, s.Peer, quantity(s.Ours), quantity(s.Theirs), s.Unit, s.Min, s.Median, quantity(s.Goal),
			pair(s.Memory, 1e9), ratio(s.Memory), pair(s.FirstStep, 1), ratio(s.FirstStep), pair(s.SetUp, 1)))
	}
	if err := inColumns(w, lines...); err != nil {
		return err
	}
	for _, s := range sums {
		for _, line := range append(slices.Clone(s.Failed), s.Notes...) {
			fmt.Fprintln(w, line)
		}
	}
	return nil
}

func pair(p bench.Pair, unit float64) string {
	return quantity(p.Ours/unit) + " / " + quantity(p.Theirs/unit)
}

func ratio(p bench.Pair) string {
	if p.Theirs == 0 {
		return "-"
	}
	return fmt.Sprintf("= %.2f", p.Ratio())
}
