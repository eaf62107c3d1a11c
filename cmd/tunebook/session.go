package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"

	"github.com/spf13/cobra"

	"tunebook/runtime/cell"
	"tunebook/runtime/child"
	"tunebook/runtime/session"
	"tunebook/stdlib/host"
	"tunebook/stdlib/symbols"
)

// preset are the packages that the prompt knows without an import.
var preset = func() map[string]string {
	m := map[string]string{}
	for _, p := range []string{
		"bytes", "errors", "fmt", "math", "math/rand", "os", "path/filepath", "regexp", "slices", "maps", "sort", "strconv", "strings", "time",
		"tunebook/stdlib/chart", "tunebook/stdlib/data", "tunebook/stdlib/eval", "tunebook/stdlib/gpu", "tunebook/stdlib/grad", "tunebook/stdlib/model",
		"tunebook/stdlib/runs", "tunebook/stdlib/study", "tunebook/stdlib/train",
	} {
		if n := symbols.Name(p); n != "" {
			m[n] = p
		}
	}
	return m
}()

// packages is the script API and the standard library.
var packages = session.Packages{Paths: symbols.Paths, Name: symbols.Name, Values: symbols.Values, Types: symbols.Types, Docs: symbols.Docs}

// presetFor returns the packages that need no import.
func presetFor(yes bool) map[string]string {
	if yes {
		return preset
	}
	return nil
}

// scratch returns what makes scopes without declarations, to check what is not run: a notebook, or a name in the folder
// of which packages may be imported.
func scratch(path string, withPreset bool) (func() *cell.Scope, error) {
	folder, err := cell.FolderOf(path)
	if err != nil {
		return nil, fmt.Errorf("tunebook: %w", err)
	}
	return func() *cell.Scope { return session.NewScope(packages, presetFor(withPreset), folder) }, nil
}

// newProcess starts the process that runs scripts.
func newProcess(set child.Setup) (*child.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return child.New(child.Config{
		Command: func() *exec.Cmd {
			c := exec.Command(self, childUse)
			c.Args[0] = os.Args[0]
			return c
		},
		Setup: set, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	})
}

const childUse = "run-scripts-for-parent"

// childCommand is the other end of newProcess.
func childCommand() *cobra.Command {
	return &cobra.Command{Use: childUse, Hidden: true, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		requests, replies := child.Files()
		child.Serve(requests, replies, openSession, host.Stdout(), host.Stderr())
		return nil
	}}
}

// openSession joins the runtime, which knows nothing of models, and the script API.
func openSession(set child.Setup, stdout, stderr io.Writer) (*session.Session, error) {
	host.SetNotebook(set.Notebook)
	folder, err := cell.FolderOf(set.Args[0])
	if err != nil {
		return nil, fmt.Errorf("tunebook: %w", err)
	}
	return session.New(session.Config{
		Packages: packages, Preset: presetFor(set.Preset),
		Stdin: os.Stdin, Stdout: stdout, Stderr: stderr, Args: set.Args,
		SetContext: host.SetContext, SetOutput: host.SetOutput, EndCell: host.EndProgress,
		DeferToEnd: set.DeferToEnd, Folder: folder, Manifest: set.Manifest,
	})
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), "tunebook", version())
			return err
		},
	}
}

// version is what the build says of itself.
func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := b.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				v += "-" + s.Value[:12]
			}
		}
	}
	return v + " " + b.GoVersion
}
