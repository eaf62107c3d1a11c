package cpu

import (
	"strings"
	"testing"
)

func TestRestrict(t *testing.T) {
	t.Setenv(Restrict, "")
	if k, err := chosen(); err != nil || k != best() {
		t.Errorf("without a name: %v, %v; wanted the fastest", k.name, err)
	}
	t.Setenv(Restrict, "go")
	if k, err := chosen(); err != nil || k != &generic {
		t.Errorf("go: %v, %v; wanted the portable kernels", k, err)
	}
	for _, k := range available()[:len(available())-1] {
		t.Setenv(Restrict, strings.ToLower(strings.ReplaceAll(k.name, "-", "")))
		if got, err := chosen(); err != nil || got != k {
			t.Errorf("%s: %v, %v", k.name, got, err)
		}
	}
	t.Setenv(Restrict, "mmx")
	if _, err := chosen(); err == nil || !strings.Contains(err.Error(), `"mmx"`) || !strings.Contains(err.Error(), "go") {
		t.Errorf("mmx: %v; wanted an error that lists what there is", err)
	}
}
