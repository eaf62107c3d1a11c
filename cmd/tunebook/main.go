// Command tunebook runs Go notebooks that train language models.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() { os.Exit(Main()) }

// Main runs the command line and returns the exit code: 0, 1 for a cell that failed, 2 for a wrong use.
func Main() int {
	root := &cobra.Command{
		Use:   "tunebook",
		Short: "Notebooks in Go that train language models and compare the data they learn from",
		Long: `tunebook runs short Go scripts that train, score and compare language models.

Without a command it starts a prompt: Go statements run as they are typed.`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(*cobra.Command, []string) error { return startREPL() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(childCommand(), runCommand(), newCommand(), convertCommand(), vetCommand(), runsCommand(), chatCommand(), doctorCommand(), versionCommand(), benchCommand())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage{c, err} })
	c, err := root.ExecuteC()
	var ended exit
	var wrong usage
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		if ended.err != nil {
			fmt.Fprintln(os.Stderr, ended.err)
		}
		return ended.code
	case errors.As(err, &wrong):
		c = wrong.cmd
	}
	fmt.Fprintf(os.Stderr, "tunebook: %v\nRun '%s --help' for how it is used.\n", err, c.CommandPath())
	return 2
}

// exit ends the process with a code, after err, if any, was printed.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string { return fmt.Sprint(e.err) }

// usage is a command line that means nothing.
type usage struct {
	cmd *cobra.Command
	err error
}

func (u usage) Error() string { return u.err.Error() }
