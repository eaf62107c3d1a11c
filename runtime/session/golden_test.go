package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tunebook/runtime/cell"
	"tunebook/stdlib/symbols"
)

func testPackages() Packages {
	return Packages{Paths: symbols.Paths, Name: symbols.Name, Values: symbols.Values, Types: symbols.Types, Docs: symbols.Docs}
}

// golden is one program of ../shared/golden/cells: cells separated by lines of four dashes, and what they print or,
// when they print nothing, what the last one shows.
type golden struct {
	name, want string
	cells      []string
}

func readGolden(t *testing.T, file string) []golden {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var gs []golden
	for _, block := range strings.Split("\n"+string(b), "\n####")[1:] {
		head, body, _ := strings.Cut(block, "\n")
		name, want, _ := strings.Cut(head, "=>")
		gs = append(gs, golden{strings.TrimSpace(name), strings.TrimSpace(strings.ReplaceAll(want, `\n`, "\n")), strings.Split(body, "\n----\n")})
	}
	return gs
}

func runGolden(t *testing.T, g golden) string {
	s, err := New(Config{Packages: testPackages()})
	if err != nil {
		t.Fatal(err)
	}
	var out, last string
	for _, c := range g.cells {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		r := s.Eval(ctx, "cell", c)
		cancel()
		out += r.Output
		last = r.Text
		if r.Err != nil {
			var es cell.Errors
			if errors.As(r.Err, &es) {
				return "REFUSED " + r.Err.Error()
			}
			return "FAILED " + r.Err.Error() + " after " + out
		}
	}
	if out = strings.TrimSpace(out); out == "" {
		out = "=" + last
	}
	return out
}

func TestGoldenCells(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/golden/cells/*.txt")
	if len(files) == 0 {
		t.Skip("../shared/golden/cells is not there")
	}
	for _, f := range files {
		for _, g := range readGolden(t, f) {
			t.Run(filepath.Base(f)+"/"+g.name, func(t *testing.T) {
				if got := runGolden(t, g); got != g.want {
					t.Errorf("got  %s\nwant %s", got, g.want)
				}
			})
		}
	}
}
