package host

import (
	"bytes"
	"testing"
)

// keeper is a writer of a session that makes a manifest, or does not.
type keeper struct {
	bytes.Buffer
	keeps bool
	used  string
}

func (k *keeper) Keeps() bool            { return k.keeps }
func (k *keeper) Used(kind, what string) { k.used += kind + " " + what }

func TestUsed(t *testing.T) {
	out, errs := Stdout(), Stderr()
	t.Cleanup(func() { SetOutput(out, errs) })
	calls := 0
	what := func() string { calls++; return "a.jsonl" }
	no, yes := &keeper{}, &keeper{keeps: true}
	for _, w := range []*keeper{no, yes} {
		SetOutput(w, errs)
		Used("Data", what)
	}
	SetOutput(&bytes.Buffer{}, errs)
	Used("Data", what)
	if calls != 1 || no.used != "" || yes.used != "Data a.jsonl" {
		t.Errorf("%d calls, %q, %q", calls, no.used, yes.used)
	}
}
