package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"tunebook/runtime/cell"
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

// newSession joins the runtime, which knows nothing of models, and the script API.
// args[0] is the notebook, or a name in the folder that the prompt was started in.
func newSession(args []string, stdout io.Writer, withPreset, deferToEnd, manifest bool) (*session.Session, error) {
	folder, err := cell.FolderOf(args[0])
	if err != nil {
		return nil, fmt.Errorf("tunebook: %w", err)
	}
	cfg := session.Config{
		Packages: session.Packages{Paths: symbols.Paths, Name: symbols.Name, Values: symbols.Values, Types: symbols.Types, Docs: symbols.Docs},
		Stdin:    os.Stdin, Stdout: stdout, Stderr: host.Stderr(), Args: args,
		SetContext: host.SetContext, SetOutput: host.SetOutput, EndCell: host.EndProgress,
		DeferToEnd: deferToEnd, Folder: folder, Manifest: manifest,
	}
	if withPreset {
		cfg.Preset = preset
	}
	return session.New(cfg)
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
