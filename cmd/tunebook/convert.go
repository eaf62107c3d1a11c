package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tunebook/runtime/notebook"
)

func convertCommand() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "convert FROM TO",
		Short: "Convert a notebook between .go, .ipynb and .md",
		Long: `Convert writes the notebook FROM as TO. The kinds are told by the names: .go, .ipynb (Jupyter, nbformat 4) and .md.

Nothing is lost: converted back, a notebook is the same file, to the byte for .go and .md, and for .ipynb in the spelling that
Jupyter writes. Cells, their titles and their texts are said in the words of each kind:

  .go     "// %% title", "// %% [markdown] title" and "// %% [raw]" begin cells; text is in comments. A program's cells are
          those of main; in .ipynb and .md what stands outside main becomes the first cells.
  .md     fences of Go are cells ("` + "```go title" + `"), what stands between them is text; <!-- %% title --> parts two texts.

What .go and .md have no words for (ids, metadata, outputs, attachments, spaces that Go's comments do not keep) stands in a
block of comments at the end of the file, "// %% [jupyter]" or <!-- %% [jupyter] -->, and only when there is such a thing.
A cell that is edited afterwards keeps its id and metadata and loses its outputs. Delete the block to be rid of all that.`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			from, to := args[0], args[1]
			b, err := os.ReadFile(from)
			if err != nil {
				return wrong("%w", err)
			}
			if _, err := os.Stat(to); err == nil && !force {
				return wrong("%s is there already; --force replaces it", to)
			}
			out, err := notebook.Convert(from, string(b), notebook.Kind(from), notebook.Kind(to))
			if err != nil {
				return wrong("%w", err)
			}
			if err := writeFile(to, []byte(out)); err != nil {
				return exit{1, err}
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "replace TO if it is there")
	return c
}

// first is what tunebook new writes. It is a Go program of its own, so that its tests can run it as it is.
//
//go:embed first.txt
var first string

func newCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new [FILE]",
		Short: "Write a first notebook",
		Long: `New writes a small study to FILE (notebook.go when none is given; .go, .ipynb or .md), to be changed into one's own: it
opens the model inside tunebook, trains it on a few examples, and scores it before and after. It does not replace a file.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := "notebook.go"
			if len(args) > 0 {
				path = args[0]
			}
			text := first
			switch kind := notebook.Kind(path); kind {
			case ".go":
			case ".ipynb", ".md":
				var err error
				if text, err = notebook.Convert(path, first, ".go", kind); err != nil {
					return exit{1, err}
				}
			default:
				return wrong("%s: a notebook is a .go, .ipynb or .md file", path)
			}
			if strings.HasSuffix(path, "_test.go") {
				return wrong("%s: go run takes a name that ends in _test.go for tests", path)
			}
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
			switch {
			case errors.Is(err, os.ErrExist):
				return wrong("%s is there already; give another name", path)
			case err != nil:
				return wrong("%w", err)
			}
			_, err = f.WriteString(text)
			if e := f.Close(); err == nil {
				err = e
			}
			if err != nil {
				return exit{1, fmt.Errorf("tunebook: %w", err)}
			}
			fmt.Printf("wrote %s; tunebook run %s runs it\n", path, filepath.ToSlash(path))
			return nil
		},
	}
}
