package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
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

// differs lists the programs whose expectation is not what a session should do, with what it does.
var differs = map[string]string{
	"embed directive":                  "REFUSED",
	"init() func":                      "REFUSED", // a cell's statements are its initialisation
	"unsafe import":                    "REFUSED",
	"syscall import":                   "REFUSED",
	"forward ref in later cell":        "REFUSED", // checked before it runs, so that a misspelt name is found
	"mutual recursion 2 cells":         "REFUSED",
	"redefine fn other signature used": "=1", // and a note that g no longer fits
	"os/exec":                          "=",  // an error that is nil is no news
	"log.Println to Stderr opt":        "hi",
	"log.Fatal":                        "x", // the script ends; the session lives
	"runtime.Goexit":                   "FAILED",
	"os.Exit":                          "=", // the script ends
	"redefine type":                    "=T{A: 1, B: 2}",
	"struct value":                     `={X: 1, S: "a"}`,
	"multi return fn last":             "=1\n2",
	"assignment last shows":            "=", // a statement has no value
	"unused var in cell":               "=",
	"nil result":                       "=nil",
	"empty cell":                       "=",
	"comment only":                     "=",
	"T http handler iface":             "REFUSED", // net/http is not for scripts
	"stack overflow":                   "=1",
}

func TestGoldenCells(t *testing.T) {
	// engine/internal/shared knows the folder too, but is not for this floor.
	folder, err := filepath.Abs("../../../shared/golden/cells")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*.txt"))
	if len(files) == 0 {
		if os.Getenv("CI_SHARED") == "required" {
			t.Fatal("no programs in ../shared/golden/cells")
		}
		t.Skip("no folder ../shared beside the module")
	}
	t.Chdir(t.TempDir()) // some of the programs write files
	for _, f := range files {
		for _, g := range readGolden(t, f) {
			t.Run(filepath.Base(f)+"/"+g.name, func(t *testing.T) {
				got, want := runGolden(t, g), g.want
				switch {
				case differs[g.name] != "":
					want = differs[g.name]
				case strings.HasPrefix(want, "compile err") || want == "err" && got != "err" || want == "error" && strings.HasPrefix(got, "REFUSED"):
					want = "REFUSED"
				case want == "PANIC":
					want = "FAILED"
				case strings.HasPrefix(got, `="`):
					want = "=" + strconv.Quote(strings.TrimPrefix(want, "="))
				}
				if want == "REFUSED" || want == "FAILED" || want == "x" {
					// The text of the refusal is for people.
					if !strings.Contains(got, want) {
						t.Errorf("got  %s\nwant %s", got, want)
					}
				} else if got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		}
	}
}
