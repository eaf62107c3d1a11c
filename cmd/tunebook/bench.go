package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tunebook/engine/bench"
)

// benchChildCommand measures one piece of work, which it reads from standard input.
func benchChildCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "bench-child",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			work, err := io.ReadAll(os.Stdin)
			if err != nil {
				return exit{1, err}
			}
			line, err := bench.Child(context.Background(), work)
			if err != nil {
				return exit{1, err}
			}
			fmt.Printf("%s\n", line)
			return nil
		},
	}
}
