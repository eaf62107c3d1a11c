package runs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGit compares what is read from a repository's files with what git itself says.
func TestGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git to make a repository with")
	}
	dir := filepath.Join(t.TempDir(), "repo")
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Skipf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if err := os.MkdirAll(filepath.Join(dir, "a folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "a folder", "study.go")
	put := func(path, s string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(file, "package main\n")
	if g := GitOf(file); g != nil {
		t.Fatalf("no repository, and %+v", g)
	}
	git("init", "-q", "-b", "trunk")
	if g := GitOf(file); g == nil || g.Branch != "trunk" || g.Commit != "" || g.Notebook != "not tracked" {
		t.Fatalf("%+v", g)
	}
	for _, n := range []string{"a", "a folder/another", "a folder/study.go.txt", "z"} {
		put(filepath.Join(dir, n), n)
	}
	git("add", ".")
	git("commit", "-q", "-m", "first")
	head := git("rev-parse", "HEAD")
	for _, v := range []string{"2", "4"} {
		git("update-index", "--index-version", v)
		put(file, "package main\n")
		if g := GitOf(file); g.Commit != head || g.Notebook != "as staged" || g.Error != "" {
			t.Errorf("index %s: %+v", v, g)
		}
		put(file, "package main\n\nfunc main() {}\n")
		if g := GitOf(file); g.Notebook != "changed" {
			t.Errorf("index %s: %+v", v, g)
		}
	}
	git("pack-refs", "--all")
	if g := GitOf(file); g.Commit != head {
		t.Errorf("packed: %+v", g)
	}
	tree := filepath.Join(filepath.Dir(dir), "tree")
	git("worktree", "add", "-q", "-b", "side", tree)
	if g := GitOf(filepath.Join(tree, "a folder", "study.go")); g == nil || g.Branch != "side" || g.Commit != head || g.Notebook != "as staged" {
		t.Errorf("a linked work tree: %+v", g)
	}
	git("checkout", "-q", "--detach")
	if g := GitOf(file); g.Branch != "" || g.Commit != head {
		t.Errorf("detached: %+v", g)
	}
	put(filepath.Join(dir, ".git", "index"), "DIRC cut")
	if g := GitOf(file); g.Error == "" || g.Commit != head {
		t.Errorf("a broken index: %+v", g)
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x01" + strings.Repeat("a", 60) + "\x00\x01a\x00\x00"))
	f.Add([]byte("DIRC\x00\x00\x00\x04\x00\x00\x00\x01" + strings.Repeat("a", 60) + "\x00\x01\x00a\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if blob, err := indexed(b, "a", 20); err != nil && blob != "" {
			t.Error("a blob and an error")
		}
	})
}
