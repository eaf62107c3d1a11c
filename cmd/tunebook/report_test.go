package main

import (
	"context"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// scriptFiles writes the files of a script of testdata into a folder of their own.
func scriptFiles(t *testing.T, script string) string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata/script", script))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range a.Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// chromium opens a page without a screen and without a network. Without a browser the test is skipped, or fails when the
// environment says CI_CHROMIUM=required.
func chromium(t *testing.T, page string, args ...string) string {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("CI_CHROMIUM") == "required" {
			t.Fatal("no chromium; CI_CHROMIUM=required wants one")
		}
		t.Skip("no chromium")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	all := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--no-first-run", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(), "--host-resolver-rules=MAP * ~NOTFOUND",
		"--virtual-time-budget=3000"}, args...)
	cmd := exec.CommandContext(ctx, path, append(all, "file://"+page)...)
	cmd.WaitDelay = 5 * time.Second
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, errs.String())
	}
	return string(out)
}

// TestReportInABrowser opens the report of a notebook whose titles, texts, data and output try to become something else.
func TestReportInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	dir := scriptFiles(t, "run_report.txtar")
	out, errs, code := tunebook(t, dir, "", "run", "--html", "a.html", "nb.go")
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	page := filepath.Join(dir, "a.html")
	dom := chromium(t, page, "--dump-dom")
	if !strings.Contains(dom, "<title>A &lt;b&gt;study&lt;/b&gt; &amp; more</title>") {
		t.Error("the title is not what it was: a text ran as code")
	}
	body := regexp.MustCompile(`(?s)<script.*?</script>`).ReplaceAllString(dom, "")
	for _, bad := range []string{"<img", "<i>", "alert(1)</script>", "\u202e", "\x1b"} {
		if strings.Contains(body, bad) {
			t.Errorf("%q of a text became part of the page", bad)
		}
	}
	if !regexp.MustCompile(`(?s)class="tb-plot".{0,400}<svg`).MatchString(dom) {
		t.Error("the chart is not drawn")
	}
	// For those who do not see or do not use a mouse: one main heading, landmarks, names for what scrolls, a way to skip.
	for _, want := range []string{`<html lang="en">`, `<main id="content">`, `<nav aria-label="Contents">`, `class="tb-skip"`, `role="region" aria-label="Output"`, `role="img" aria-label=`, `<summary>Code (3 lines)</summary>`} {
		if !strings.Contains(dom, want) {
			t.Errorf("%s is not in the page", want)
		}
	}
	if n := strings.Count(dom, "<h1"); n != 1 {
		t.Errorf("%d main headings", n)
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(dom, -1) {
		if ids[m[1]] {
			t.Errorf("two elements have the id %s", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`<a href="#([^"]+)"`).FindAllStringSubmatch(dom, -1) {
		if !ids[m[1]] {
			t.Errorf("a link leads to %s, which is nowhere", m[1])
		}
	}
	pdf := filepath.Join(dir, "a.pdf")
	chromium(t, page, "--print-to-pdf="+pdf, "--no-pdf-header-footer")
	if b, err := os.ReadFile(pdf); err != nil || len(b) < 5000 {
		t.Errorf("printed, the page has %d bytes, %v", len(b), err)
	}
}

// TestLocalPackagesCompiled: the notebook with packages beside it prints the same when it is compiled.
func TestLocalPackagesCompiled(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program")
	}
	dir := filepath.Join(scriptFiles(t, "local_packages.txtar"), "mod")
	ran, errs, code := tunebook(t, dir, "", "run", "nb.go")
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, ran, errs)
	}
	out, errs, code := output(t, dir, "", "go", "run", "nb.go")
	if code != 0 || out != ran {
		t.Errorf("exit code %d\n%s\nprinted\n%s\nwant\n%s", code, errs, out, ran)
	}
}

// What tunebook new writes is formatted, and go vet takes it.
func TestFirstNotebook(t *testing.T) {
	b, err := format.Source([]byte(first))
	if err != nil || string(b) != first {
		t.Errorf("gofmt would change it: %v", err)
	}
	if testing.Short() {
		t.Skip("runs go vet")
	}
	path := filepath.Join(t.TempDir(), "first.go")
	if err := os.WriteFile(path, []byte(first), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, errs, code := output(t, ".", "", "go", "vet", path); code != 0 {
		t.Errorf("go vet: exit code %d\n%s%s", code, out, errs)
	}
}
