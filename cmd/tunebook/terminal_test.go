//go:build linux

package main

import (
	"cmp"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// terminal is tunebook at a terminal of its own.
type terminal struct {
	t   *testing.T
	cmd *exec.Cmd
	pty *os.File // the person's side
	tty *os.File // the program's side

	mu   sync.Mutex
	text []byte // all that was written
	seen int    // how much of it expect has passed
	done chan error
}

func startTerminal(t *testing.T) *terminal {
	t.Helper()
	term := openTerminal(t)
	term.prompt(">>> ")
	return term
}

// columns is the width of the terminals that openTerminal opens.
var columns uint16 = 100

// narrow makes it 40 for one test.
func narrow(t *testing.T) {
	was := columns
	columns = 40
	t.Cleanup(func() { columns = was })
}

// openTerminal starts tunebook with these arguments.
func openTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminal here: ", err)
	}
	if err := pty.Setsize(p, &pty.Winsize{Rows: 40, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, pty: p, tty: tty, done: make(chan error, 1)}
	home := t.TempDir()
	term.cmd = exec.Command(self, args...)
	term.cmd.Env = append(os.Environ(), "TUNEBOOK_TEST_MAIN=1", "TERM="+cmp.Or(os.Getenv("TUNEBOOK_TEST_TERM"), "xterm"), "HOME="+home, "XDG_STATE_HOME="+home)
	term.cmd.Dir = home
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = tty, tty, tty
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := p.Read(buf)
			term.mu.Lock()
			term.text = append(term.text, buf[:n]...)
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { term.done <- term.cmd.Wait() }()
	t.Cleanup(func() {
		term.cmd.Process.Kill()
		tty.Close()
		p.Close()
	})
	return term
}

func (x *terminal) typeIn(s string) {
	x.t.Helper()
	if _, err := io.WriteString(x.pty, s); err != nil {
		x.t.Fatal(err)
	}
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// expect waits until want has been written after what earlier calls have seen, and returns what came before it.
func (x *terminal) expect(want string) string {
	x.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		x.mu.Lock()
		raw := string(x.text[x.seen:])
		if i := strings.Index(raw, want); i >= 0 {
			x.seen += i + len(want)
			x.mu.Unlock()
			return escapes.ReplaceAllString(raw[:i], "")
		}
		x.mu.Unlock()
		if time.Now().After(end) {
			x.t.Fatalf("%q was not written; there was\n%q", want, raw)
		}
	}
}

// prompt waits until a new line holds nothing but a prompt, and returns what came before it. The editor writes the prompt
// again with each key, so that its text alone says nothing.
func (x *terminal) prompt(p string) string {
	x.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		x.mu.Lock()
		raw := string(x.text[x.seen:])
		text := strings.ReplaceAll(escapes.ReplaceAllString(raw, ""), "\r", "")
		if before, ok := strings.CutSuffix(text, "\n"+p); ok {
			x.seen = len(x.text)
			x.mu.Unlock()
			return strings.TrimSpace(before)
		}
		x.mu.Unlock()
		if time.Now().After(end) {
			x.t.Fatalf("no prompt %q came; there was\n%q", p, raw)
		}
	}
}

// enter types a line and returns what stands between it and the next prompt.
func (x *terminal) enter(line string) string {
	x.t.Helper()
	x.typeIn(line + "\r")
	_, got, _ := strings.Cut(x.prompt(">>> "), "\n")
	return got
}

// quiet types lines that show nothing.
func (x *terminal) quiet(lines ...string) {
	x.t.Helper()
	for _, l := range lines {
		if got := x.enter(l); got != "" {
			x.t.Fatalf("%s\ngives %s", l, got)
		}
	}
}

// exit waits for the end and returns the exit code.
func (x *terminal) exit() int {
	x.t.Helper()
	select {
	case <-x.done:
		return x.cmd.ProcessState.ExitCode()
	case <-time.After(20 * time.Second):
		x.t.Fatal("tunebook does not end")
		return -1
	}
}

// cooked reports that the terminal echoes and edits lines, as a shell needs it.
func (x *terminal) cooked() bool {
	x.t.Helper()
	m, err := unix.IoctlGetTermios(int(x.tty.Fd()), unix.TCGETS)
	if err != nil {
		x.t.Fatal(err)
	}
	return m.Lflag&unix.ECHO != 0 && m.Lflag&unix.ICANON != 0 && m.Lflag&unix.ISIG != 0
}

// running waits until a script runs: it finds the terminal as the shell left it, so that Ctrl-C is a signal again.
func (x *terminal) running() {
	x.t.Helper()
	for end := time.Now().Add(20 * time.Second); !x.cooked(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			x.t.Fatal("a running script does not find the terminal as the shell left it")
		}
	}
	time.Sleep(20 * time.Millisecond)
}

func TestTerminal(t *testing.T) {
	x := startTerminal(t)
	if got := x.enter("1+1"); got != "2" {
		t.Errorf("1+1 shows %q", got)
	}
	x.enter(`word := "é 你好"`)
	if got := x.enter("word"); got != `"é 你好"` {
		t.Errorf("word shows %q", got)
	}
	if got := x.enter("word + missing"); !strings.Contains(got, ":1:8: undefined: missing\n  | word + missing\n  |        ^") {
		t.Errorf("the error is %q", got)
	}

	// A block of several lines.
	x.typeIn("for i := range 3 {\r")
	x.prompt("... ")
	x.typeIn("\tfmt.Print(i, \" \")\r") // a tab at the start of a line indents
	x.prompt("... ")
	if got := x.enter("}"); got != "0 1 2" {
		t.Errorf("the loop prints %q", got)
	}

	// History: the line before last, with a change.
	x.typeIn("word\r")
	x.prompt(">>> ")
	x.typeIn("\x1b[A") // up
	if got := x.enter("[:2]"); got != `"é"` {
		t.Errorf("the recalled line shows %q", got)
	}

	// Completion of members.
	x.typeIn("strings.Repe\t")
	x.expect("strings.Repeat")
	if got := x.enter(`("ab", 3)`); got != `"ababab"` {
		t.Errorf("the completed call shows %q", got)
	}
	x.typeIn("data.Ge\t\t")
	x.expect("Generate")
	x.typeIn("\x03")
	x.prompt(">>> ")
	if x.cooked() {
		t.Error("the terminal is not in the editor's mode at the prompt")
	}

	// Ctrl-C while nothing runs forgets the line; while something runs it stops that.
	x.typeIn("for {\r")
	x.prompt("... ")
	x.typeIn("\x03")
	x.prompt(">>> ")
	for _, endless := range []string{
		"n := 0; for { n++ }",
		"time.Sleep(time.Hour)",
		"<-make(chan int)",
	} {
		x.typeIn(endless + "\r")
		x.expect("\n")
		x.running()
		x.typeIn("\x03")
		if got := x.prompt(">>> "); !strings.Contains(got, "interrupted") {
			t.Errorf("%s: Ctrl-C gives %q", endless, got)
		}
	}
	if got := x.enter("word"); got != `"é 你好"` {
		t.Errorf("after the interrupts word shows %q", got)
	}

	x.typeIn("\x04")
	if code := x.exit(); code != 0 {
		t.Errorf("exit code %d after Ctrl-D", code)
	}
	if !x.cooked() {
		t.Error("the terminal's mode is not what it was")
	}
}

// TestTerminalTraining stops a training run by Ctrl-C and goes on with the session.
func TestTerminalTraining(t *testing.T) {
	x := startTerminal(t)
	x.quiet(
		`rows := []data.Example{{Prompt: "who barks", Answer: "a dog"}, {Prompt: "who purrs", Answer: "a cat"}}`,
		`set := data.New("pets", rows)`,
		`tok := model.TrainTokenizer([]string{"who barks a dog who purrs a cat"}, 262)`,
		`c := model.Config{HiddenSize: 8, IntermediateSize: 16, NumHiddenLayers: 1}`,
		`c.NumAttentionHeads, c.NumKeyValueHeads, c.MaxPositionEmbeddings = 1, 1, 64`,
		`c.RMSNormEps, c.RopeTheta, c.TieWordEmbeddings = 1e-5, 10000, true`,
		`base := model.New(c, tok, 1)`)
	x.typeIn("run := train.Run(base, set, train.Config{LR: 1e-3, Steps: 100000000, Seed: 1})\r")
	x.expect("100000000 steps")
	x.expect(" left, loss ") // the progress line has a rate and the time left
	x.typeIn("\x03")
	got := x.prompt(">>> ")
	if !strings.Contains(got, "interrupted at step") || !strings.Contains(got, "hint: ") {
		t.Errorf("Ctrl-C gives %q", got)
	}
	if got := x.enter("run"); !strings.Contains(got, "undefined: run") {
		t.Errorf("run of a stopped cell shows %q", got)
	}
	x.enter("run := train.Run(base, set, train.Config{LR: 1e-3, Steps: 3, Seed: 1})")
	if got := x.enter("len(run.Log)"); got != "3" {
		t.Errorf("len(run.Log) shows %q", got)
	}
	x.typeIn("run.Fin\t")
	x.expect("run.FinalLoss")
	x.typeIn("\x03")
	x.prompt(">>> ")
	if got := x.enter(`chart.Curves("", "step", "nats", chart.Series{Name: "a", X: []float64{1, 2, 3}, Y: run.Losses()})`); !strings.Contains(got, "●") {
		t.Errorf("the chart is %q", got)
	}
}

// TestTerminalKilled ends tunebook by a signal at the prompt and while a cell runs: the terminal is given back.
func TestTerminalKilled(t *testing.T) {
	for _, line := range []string{"", "for {}\r"} {
		x := startTerminal(t)
		if line != "" {
			x.typeIn(line)
			x.expect("\n")
			x.running()
		}
		x.cmd.Process.Signal(syscall.SIGTERM)
		if code := x.exit(); code != 143 {
			t.Errorf("exit code %d after SIGTERM", code)
		}
		if !x.cooked() {
			t.Errorf("after SIGTERM with %q running the terminal's mode is not what it was", line)
		}
	}
}

// TestRunIsInterrupted stops a notebook by Ctrl-C and by SIGTERM: the place is named, the report so far is written, later
// cells do not run, and the exit code is 130 or 143.
func TestRunIsInterrupted(t *testing.T) {
	const src = "package main\n\nimport \"fmt\"\n\nfunc main() {\n\t// %% First\n\tdefer fmt.Println(\"not at an interrupt\")\n\tfmt.Println(\"begun\")\n\t// %% Endless\n\tfor {\n\t}\n\t// %% After\n\tfmt.Println(\"not reached\")\n}\n"
	for _, c := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/nb.go", []byte(src), 0o666); err != nil {
			t.Fatal(err)
		}
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self, "run", "--html", "r.html", "--ipynb", "r.ipynb", "nb.go")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "TUNEBOOK_TEST_MAIN=1")
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		begun := make([]byte, len("begun\n"))
		if _, err := io.ReadFull(out, begun); err != nil || string(begun) != "begun\n" {
			t.Fatalf("it prints %q, %v", begun, err)
		}
		time.Sleep(200 * time.Millisecond) // the statement that printed is over
		cmd.Process.Signal(c.signal)
		start := time.Now()
		rest, _ := io.ReadAll(out)
		cmd.Wait()
		t.Logf("%v: it ended after %v", c.signal, time.Since(start))
		if code := cmd.ProcessState.ExitCode(); code != c.code || len(rest) > 0 || regexp.MustCompile(`   \d+ ms\n`).ReplaceAllString(errs.String(), "") != "── 1 First\n── 2 Endless\nnb.go:10:2: interrupted\n  | \tfor {\n  | \t^\n" {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", c.signal, code, rest, errs.String())
		}
		page, err := os.ReadFile(dir + "/r.html")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"This run was interrupted</strong> in <a href=\"#cell-2\">cell 2</a>", ">begun<", "<strong>Interrupted</strong>", "cell 3 · not run", "2 of 3; interrupted in cell 2"} {
			if !strings.Contains(string(page), want) {
				t.Errorf("%v: %q is not in the report", c.signal, want)
			}
		}
		if nb, err := os.ReadFile(dir + "/r.ipynb"); err != nil || !strings.Contains(string(nb), `"ename": "Interrupted"`) {
			t.Errorf("%v: the Jupyter notebook: %v", c.signal, err)
		}
	}
}

// TestTerminalProcessEnds ends the process that runs the script: the terminal, the history and the cells stay.
func TestTerminalProcessEnds(t *testing.T) {
	x := startTerminal(t)
	x.quiet("x := 40", "func two() int { return 2 }")
	got := x.enter(`p, _ := os.FindProcess(os.Getpid()); fmt.Println("before"); p.Kill(); time.Sleep(time.Hour)`)
	for _, want := range []string{"before\n", "the process of the script was ended by a signal: killed", "the variables are gone", ":replay runs again what had run (2 cells)"} {
		if !strings.Contains(got, want) {
			t.Errorf("after a kill it says %q, without %q", got, want)
		}
	}
	if got := x.enter("x"); !strings.Contains(got, "undefined: x") {
		t.Errorf("x shows %q", got)
	}
	if got := x.enter(":replay"); got != "2 cells ran again" {
		t.Errorf(":replay says %q", got)
	}
	if got := x.enter("x + two()"); got != "42" {
		t.Errorf("x + two() shows %q", got)
	}
	if got := x.enter(`m := map[int]int{}; for i := range 8 { go func() { for { m[i]++ } }() }; time.Sleep(time.Hour)`); !strings.Contains(got, "fatal error: concurrent map") || strings.Contains(got, "goroutine ") {
		t.Errorf("a fatal error gives %q", got)
	}
	if got := x.enter(`func deep(n int) int { return deep(n+1) + 1 }; deep(0)`); !strings.Contains(got, "stack overflow") {
		t.Errorf("an endless recursion gives %q", got)
	}
	x.typeIn("os.Exit(5)\r")
	if code := x.exit(); code != 5 {
		t.Errorf("exit code %d", code)
	}
	if !x.cooked() {
		t.Error("the terminal's mode is not what it was")
	}
	b, err := os.ReadFile(x.cmd.Dir + "/tunebook/history")
	if err != nil || !strings.HasPrefix(string(b), "x := 40\n") || !strings.HasSuffix(string(b), "os.Exit(5)\n") {
		t.Errorf("the history is %q, %v", b, err)
	}
}

// TestTerminalLeave presses Ctrl-C twice in a row: the second time it is asked whether to leave.
func TestTerminalLeave(t *testing.T) {
	x := startTerminal(t)
	x.quiet(`import "sync"`, "var mu sync.Mutex", "mu.Lock()")
	x.typeIn("mu.Lock()\r")
	x.expect("\n")
	x.running()
	x.typeIn("\x03")
	time.Sleep(50 * time.Millisecond)
	x.typeIn("\x03") // what does not heed the first is ended by the second
	x.expect("leave tunebook? (y or n) ")
	x.typeIn("n\r")
	x.prompt(">>> ")
	if got := x.enter("1 + 1"); got != "2" {
		t.Errorf("1 + 1 shows %q", got)
	}
	x.typeIn("\x03")
	x.prompt(">>> ")
	x.typeIn("\x03")
	x.expect("leave tunebook? (y or n) ")
	x.typeIn("y\r")
	if code := x.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !x.cooked() {
		t.Error("the terminal's mode is not what it was")
	}
}

// TestTerminalPaste pastes more than twenty lines, with tabs, wide characters and empty lines, into windows of two widths.
func TestTerminalPaste(t *testing.T) {
	const code = "type Row struct {\n\tName\tstring\t// a tab\n\tN\tint\n}\n\nfunc total(rows []Row) (n int) {\n\tfor _, r := range rows {\n\t\tif r.N > 0 {\n\t\t\tn += r.N\n\t\t}\n\n\n\t}\n\treturn n\n}\n\nrows := []Row{\n\t{\"é 你好\", 1},\n\t{\"b\", 2},\n}\nfmt.Println(\"total\", total(rows))\nrows\n"
	for _, width := range []uint16{100, 40} {
		if width == 40 {
			narrow(t)
		}
		x := startTerminal(t)
		x.typeIn(strings.ReplaceAll(code, "\n", "\r"))
		got := x.expect("total 3")
		got += x.prompt(">>> ")
		if !strings.Contains(got, "Name    N\n──────  ─\né 你好  1\nb       2") || strings.Contains(got, "not closed") {
			t.Errorf("in %d columns: %q", width, got)
		}
		x.typeIn("\x04")
		x.exit()
	}
}

// TestTerminalNarrow edits a line that is longer than the window, with wide characters in it.
func TestTerminalNarrow(t *testing.T) {
	narrow(t)
	x := startTerminal(t)
	long := `len([]rune("` + strings.Repeat("你好 é ", 12) + `"))`
	x.typeIn(long + "\x1b[D\x1b[C\r")
	if got := x.prompt(">>> "); !strings.HasSuffix(got, "\n60") {
		t.Errorf("the long line gives %q", got)
	}
	x.typeIn("\x1b[A") // recall it
	if got := x.enter(" + 1"); !strings.HasSuffix(got, "61") {
		t.Errorf("recalled and longer it gives %q", got)
	}
	if got := x.enter(`[]struct{ Name, Text string }{{"a", "` + strings.Repeat("word ", 20) + `"}}`); !strings.HasSuffix(got, "…") {
		t.Errorf("a table wider than the window is %q", got)
	}
}

// TestTerminalCommands goes through what a prompt knows besides Go.
func TestTerminalCommands(t *testing.T) {
	x := startTerminal(t)
	if err := os.WriteFile(x.cmd.Dir+"/rows.jsonl", []byte("{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	x.quiet("type P struct{ Name string; Age int }", "func (p P) Greet() string { return p.Name }", `ann := P{"Ann", 30}`)
	for _, c := range []struct{ line, want string }{
		{":vars", "ann P"},
		{":type ann.Age * 2", "int"},
		{":type slices.Max([]float64{1})", "float64"},
		{"strings.Repeat?", "func Repeat(s string, count int) string\n\nRepeat returns a new string"},
		{":help ann", "var ann P"},
		{"ann.Greet?", "func (P).Greet() string"},
		{":help data.Set", "type Set struct {"},
		{":time", "times are shown"},
		{"ann.Age", "30\ntook "},
		{":time", "times are not shown"},
		{":save cells.go", "wrote 4 cells to cells.go"},
		{":runs", "no runs are kept here yet"},
		{":reset", ""},
		{":vars", ""},
		{":load cells.go", "30"},
		{"ann.Greet()", `"Ann"`},
		{":nope", "no command :nope"},
		{"nope?", "nothing is called nope here"},
	} {
		if got := x.enter(c.line); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s\ngives %q\nwithout %q", c.line, got, c.want)
		}
	}
	for _, c := range []struct{ typed, want string }{
		{"ann.Gr\t", "ann.Greet"}, {"ann.A\t", "ann.Age"}, {"an\t", "ann"}, {`os.ReadFile("row` + "\t", `os.ReadFile("rows.jsonl`}, {"strings.Build\t", "strings.Builder"},
	} {
		x.typeIn(c.typed)
		x.expect(c.want)
		x.typeIn("\x01\x0b\r") // to the start of the line, and away with it
		x.prompt(">>> ")
	}
}

// TestTerminalDumb works where the terminal can do nothing.
func TestTerminalDumb(t *testing.T) {
	t.Setenv("TUNEBOOK_TEST_TERM", "dumb")
	x := openTerminal(t)
	x.expect(">>> ")
	x.typeIn("x := \"é 你好\"\r")
	x.expect(">>> ")
	x.typeIn("x\r")
	x.expect("\"é 你好\"\r\n")
	x.expect(">>> ")
	x.typeIn("func f() int {\rreturn 3\r}\rf()\r")
	x.expect("3\r\n>>> ")
	x.typeIn("\x04")
	if code := x.exit(); code != 0 || !x.cooked() {
		t.Errorf("exit code %d, terminal as it was: %t", code, x.cooked())
	}
}
