package repl

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peterh/liner"

	"tunebook/runtime/session"
	"tunebook/stdlib/symbols"
)

// piped runs a REPL whose input is a file.
func piped(t *testing.T, input string) (stdout, stderr string, code int) {
	t.Helper()
	in := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(in, []byte(input), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out, errs bytes.Buffer
	s, err := session.New(session.Config{
		Packages: session.Packages{Paths: symbols.Paths, Name: symbols.Name, Values: symbols.Values, Types: symbols.Types, Docs: symbols.Docs},
		Preset:   map[string]string{"fmt": "fmt", "os": "os", "strings": "strings"}, Stdout: &out, Stderr: &errs,
	})
	if err != nil {
		t.Fatal(err)
	}
	code = Run(Config{Session: s, Stdin: f, Stdout: &out, Stderr: &errs, Banner: "not for pipes"})
	return out.String(), errs.String(), code
}

func TestPiped(t *testing.T) {
	for _, c := range []struct {
		name, in, out, err string
		code               int
	}{
		{"nothing", "", "", "", 0},
		{"a value without an end of line", "1+1", "2\n", "", 0},
		{"no prompt, no banner", "x := 1\n\nx\n", "1\n", "", 0},
		{"carriage returns", "x := 1\r\nx\r\n", "1\n", "", 0},
		{"the cells after a failed one run", "missing\n7\n", "7\n", "stdin:1:1: undefined: missing\n  | missing\n  | ^\n", 1},
		{"the line of a block", "\n\nif true {\n\n\tmissing()\n}\n", "", "stdin:5:2: undefined: missing\n  | \tmissing()\n  | \t^\n", 1},
		{"two empty lines end a cell that cannot end", "f(\n\n\n7\n", "7\n", "stdin:1:2: ( is not closed\n  | f(\n  |  ^\n", 1},
		{"partial output", "fmt.Print(\"a\")\n1\n", "a1\n", "", 0},
		{"exit", "fmt.Println(1)\nos.Exit(3)\nfmt.Println(2)\n", "1\n", "", 3},
		{"quit", ":quit\n1\n", "", "", 0},
		{"an unknown command", ":nope\n", "", "no command :nope\n" + commands + lastCommand, 1},
		{"help on nothing", "nope?\n", "", "nothing is called nope here\n", 1},
		{"type", ":type strings.Fields(\"a\")\n:type 1 +\n", "[]string\n", "1:4: expected operand, found the end of the cell\n  | 1 +\n  |    ^\n", 1},
		{"time", ":time\n:time\n", "times are shown\ntimes are not shown\n", "", 0},
		{"no UTF-8", "\xf7\n1\n", "1\n", "stdin:1:1: byte 0xf7 is no UTF-8\n  | \xf7\n  | ^\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs, code := piped(t, c.in)
			if out != c.out || errs != c.err || code != c.code {
				t.Errorf("got  %q, %q, code %d\nwant %q, %q, code %d", out, errs, code, c.out, c.err, c.code)
			}
		})
	}
}

func TestSaveAndLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	out, errs, code := piped(t, "x := 2\nmissing\nx * 3\n:save a.go\n:reset\n:load a.go\nx\n:load none.go\n")
	if out != "6\nwrote 2 cells to a.go\n6\n2\n" || !strings.Contains(errs, "none.go") || code != 1 {
		t.Errorf("%q, %q, code %d", out, errs, code)
	}
	b, err := os.ReadFile("a.go")
	if err != nil || string(b) != "// %%\nx := 2\n\n// %%\nx * 3\n\n" {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

func TestHistory(t *testing.T) {
	dir := t.TempDir()
	r := &repl{cfg: Config{History: filepath.Join(dir, "state", "history")}}
	ed := liner.NewLiner()
	defer ed.Close()
	for _, l := range []string{"a", "é 你好 👍\ttab", "c"} {
		ed.AppendHistory(l)
	}
	r.writeHistory(ed)
	info, err := os.Stat(r.cfg.History)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the history is %v, %v", info, err)
	}
	again := liner.NewLiner()
	defer again.Close()
	r.readHistory(again)
	var b bytes.Buffer
	if n, err := again.WriteHistory(&b); err != nil || n != 3 || b.String() != "a\né 你好 👍\ttab\nc\n" {
		t.Errorf("%d lines came back: %q, %v", n, b.String(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "state", ".history-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	t.Setenv("XDG_STATE_HOME", "/state")
	if got := HistoryFile(); got != "/state/tunebook/history" {
		t.Errorf("the history is in %q", got)
	}
	t.Setenv("XDG_STATE_HOME", "relative")
	t.Setenv("HOME", "/h")
	if got := HistoryFile(); got != "/h/.local/state/tunebook/history" {
		t.Errorf("the history is in %q", got)
	}
	t.Setenv("HOME", "")
	if got := HistoryFile(); got != "" {
		t.Errorf("without a home the history is in %q", got)
	}
}
