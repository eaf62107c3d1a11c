package session

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "compile and run the programs in testdata and write down what they print")

const (
	programs   = "testdata/programs"
	outputMark = "\n// Output:\n"
)

// readPrograms returns the programs' sources by their paths, in order, each with what it prints.
func readPrograms(t *testing.T) (files []string, src, want map[string]string) {
	t.Helper()
	src, want = map[string]string{}, map[string]string{}
	err := filepath.WalkDir(programs, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".go" {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		files = append(files, p)
		s, w, _ := strings.Cut(string(b), outputMark)
		src[p], want[p] = s, uncomment(w)
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatal("no programs: ", err)
	}
	return files, src, want
}

// uncomment takes the comment signs off, and the spaces at the ends of lines, which gofmt does not keep.
func uncomment(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(l, "//"), " "), " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// same compares what a program printed with what stands below it.
func same(t *testing.T, got, want string) {
	t.Helper()
	var g []string
	for _, l := range strings.Split(got, "\n") {
		g = append(g, strings.TrimRight(l, " "))
	}
	if got = strings.TrimRight(strings.Join(g, "\n"), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestPrograms runs whole programs in the interpreter. What they must print is what the compiled ones print.
func TestPrograms(t *testing.T) {
	files, src, want := readPrograms(t)
	for _, f := range files {
		name, _ := strings.CutPrefix(filepath.ToSlash(f), programs+"/")
		t.Run(strings.TrimSuffix(name, ".go"), func(t *testing.T) {
			var out bytes.Buffer
			s, err := New(Config{Packages: testPackages(), DeferToEnd: true, Stdout: &out, Args: []string{name}})
			if err != nil {
				t.Fatal(err)
			}
			p, err := s.Load(name, src[f], func(int) int { return 0 })
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			for i := -1; i <= 0; i++ {
				if r := p.Run(ctx, i); r.Err != nil {
					t.Errorf("%v", r.Err)
				}
			}
			if err := s.Close(ctx); err != nil {
				t.Error(err)
			}
			same(t, out.String(), want[f])
		})
	}
}

// TestProgramsCompiled compiles the same programs and compares. They are built as one command, each a package of its
// own with a name as long as main, since the go tool links too slowly for hundreds of commands; those that print before
// main are run by themselves.
func TestProgramsCompiled(t *testing.T) {
	if testing.Short() {
		t.Skip("the go tool takes half a minute")
	}
	files, src, want := readPrograms(t)
	dir := t.TempDir()
	write := func(name, text string) {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var imports, cases strings.Builder
	name := func(i int) string { return fmt.Sprintf("z%03d", i) }
	clause, mainFunc := regexp.MustCompile(`(?m)^package main$`), regexp.MustCompile(`(?m)^func main\(\)`)
	alone := func(f string) bool { return strings.Contains(src[f], "\nfunc init()") }
	for i, f := range files {
		if alone(f) {
			continue
		}
		text := clause.ReplaceAllLiteralString(src[f], "package "+name(i))
		write(name(i)+"/p.go", mainFunc.ReplaceAllLiteralString(text, "func Main()"))
		fmt.Fprintf(&imports, "\t%q\n", "programs/"+name(i))
		fmt.Fprintf(&cases, "\tcase %q:\n\t\t%s.Main()\n", name(i), name(i))
	}
	write("go.mod", "module programs\n\ngo 1.26\n")
	write("main.go", "package main\n\nimport (\n\t\"os\"\n"+imports.String()+")\n\nfunc main() {\n\tp := os.Args[1]\n\tos.Args = os.Args[:1]\n\tswitch p {\n"+cases.String()+"\t}\n}\n")
	build := exec.Command("go", "build", "-o", "all", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for i, f := range files {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(f), programs+"/"), ".go"), func(t *testing.T) {
			cmd := exec.Command(filepath.Join(dir, "all"), name(i))
			cmd.Dir = t.TempDir()
			if alone(f) {
				cmd = exec.Command("go", "run", f)
			}
			var errs bytes.Buffer
			cmd.Stderr = &errs
			b, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, errs.String())
			}
			out := strings.ReplaceAll(string(b), name(i)+".", "main.")
			if *update {
				text := "// " + strings.ReplaceAll(strings.TrimRight(out, "\n"), "\n", "\n// ") + "\n"
				lines := strings.Split(text, "\n")
				for i, l := range lines {
					lines[i] = strings.TrimRight(l, " ")
				}
				if err := os.WriteFile(f, []byte(strings.TrimRight(src[f], "\n")+"\n"+outputMark+strings.Join(lines, "\n")), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			same(t, out, want[f])
		})
	}
}
