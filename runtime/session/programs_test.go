package session

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "compile and run the programs in testdata and write down what they print")

const outputMark = "\n// Output:\n"

// TestPrograms runs whole programs, whose expected output is that of the compiler.
func TestPrograms(t *testing.T) {
	files, err := filepath.Glob("testdata/programs/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no programs: ", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			src, want, _ := strings.Cut(string(b), outputMark)
			if *update {
				out, err := exec.Command("go", "run", f).CombinedOutput()
				if err != nil {
					t.Fatalf("go run: %v\n%s", err, out)
				}
				want = "// " + strings.ReplaceAll(strings.TrimRight(string(out), "\n"), "\n", "\n// ") + "\n"
				if err := os.WriteFile(f, []byte(src+outputMark+want), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			s, err := New(Config{Packages: testPackages(), DeferToEnd: true})
			if err != nil {
				t.Fatal(err)
			}
			p, err := s.Load(f, src, func(int) int { return 0 })
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			var got string
			for i := -1; i <= 0; i++ {
				r := p.Run(ctx, i)
				got += r.Output
				if r.Err != nil {
					t.Errorf("%v", r.Err)
				}
			}
			gl, wl := strings.Split(strings.TrimRight(got, "\n"), "\n"), strings.Split(strings.TrimRight(want, "\n"), "\n")
			for i := range max(len(gl), len(wl)) {
				g, w := "(nothing)", "(nothing)"
				if i < len(gl) {
					g = strings.TrimRight(gl[i], " ")
				}
				if i < len(wl) {
					w = strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(wl[i], "//"), " "), " ")
				}
				if g != w {
					t.Errorf("line %d\ngot  %s\nwant %s", i+1, g, w)
				}
			}
		})
	}
}
