package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	store "tunebook/engine/runs"
	"tunebook/engine/weights"
	"tunebook/stdlib/runs"
)

// runsCommand looks at what was trained.
func runsCommand() *cobra.Command {
	dir := ""
	c := &cobra.Command{
		Use:   "runs",
		Short: "Look at what was trained",
		Long: `Runs lists, shows, compares, exports and removes the runs that train.Run has kept.

The store is the folder .tunebook in the working directory (a notebook's runs are kept beside the notebook), the one that
the environment variable TUNEBOOK_STORE names, or the one given by --store.
A run is named by its ID or the beginning of it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.PersistentFlags().StringVar(&dir, "store", "", "folder of the store")
	// with opens the store and the runs that args name: all of them for none.
	with := func(f func(c *cobra.Command, s *store.Store, rs []*store.Run) error) func(*cobra.Command, []string) error {
		return func(c *cobra.Command, args []string) error {
			s, err := openStore(dir)
			if err != nil {
				return exit{1, fmt.Errorf("tunebook: %w", err)}
			}
			defer s.Close()
			var rs []*store.Run
			for _, id := range args {
				r, err := s.Find(id)
				if err != nil {
					return exit{1, fmt.Errorf("tunebook: %w", err)}
				}
				rs = append(rs, r)
			}
			if len(args) == 0 {
				if rs, err = s.List(); err != nil {
					return exit{1, fmt.Errorf("tunebook: %w", err)}
				}
			}
			var ended exit
			if err := f(c, s, rs); errors.As(err, &ended) {
				return ended
			} else if err != nil {
				return exit{1, fmt.Errorf("tunebook: %w", err)}
			}
			return nil
		}
	}
	c.AddCommand(
		&cobra.Command{Use: "list", Short: "A line for each run", Args: cobra.NoArgs,
			RunE: with(func(c *cobra.Command, s *store.Store, rs []*store.Run) error {
				_, err := fmt.Fprint(c.OutOrStdout(), runs.Wrap(s, rs...))
				return err
			})},
		&cobra.Command{Use: "show ID...", Short: "All that is known of runs", Args: cobra.MinimumNArgs(1),
			RunE: with(func(c *cobra.Command, s *store.Store, rs []*store.Run) error {
				for _, r := range runs.Wrap(s, rs...) {
					fmt.Fprint(c.OutOrStdout(), r)
				}
				return nil
			})},
		compareCommand(with), exportCommand(with), tensorboardCommand(with), mlflowCommand(with), removeCommand(with),
	)
	return c
}

// openStore opens the store that a flag, the environment or the working directory names.
func openStore(dir string) (*store.Store, error) {
	if dir == "" {
		if dir = runs.Dir(); dir == "" {
			dir = runs.Folder
		}
	}
	s, err := store.OpenExisting(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if near, _ := filepath.Glob(filepath.Join("*", runs.Folder)); len(near) > 0 {
			return nil, fmt.Errorf("%w\n  hint: there is one at %s: give --store", err, strings.Join(near, ", "))
		}
		return nil, fmt.Errorf("%w\n  hint: give --store or set TUNEBOOK_STORE; train.Run makes a store beside the notebook", err)
	}
	return s, err
}

type onRuns = func(f func(c *cobra.Command, s *store.Store, rs []*store.Run) error) func(*cobra.Command, []string) error

func compareCommand(with onRuns) *cobra.Command {
	metric := "loss"
	c := &cobra.Command{Use: "compare ID ID...", Short: "What differs between runs, and their curves", Args: cobra.MinimumNArgs(2),
		RunE: with(func(c *cobra.Command, s *store.Store, rs []*store.Run) error {
			cmp := runs.Compare(runs.Wrap(s, rs...)...)
			cmp.Metric = metric
			_, err := fmt.Fprint(c.OutOrStdout(), cmp)
			return err
		})}
	c.Flags().StringVar(&metric, "metric", metric, "whose curves are drawn")
	return c
}

func exportCommand(with onRuns) *cobra.Command {
	format, out := "csv", ""
	c := &cobra.Command{Use: "export [ID]...", Short: "Write metrics as CSV or Parquet, or all that is known as JSON",
		Long: `Export writes the metrics of runs (of all runs when none is named), one value a line: run, name, metric, step, value.
As JSON it writes all that is known of them.`,
		RunE: with(func(c *cobra.Command, s *store.Store, rs []*store.Run) error {
			write := map[string]func(io.Writer, []*store.Run) error{"csv": s.WriteCSV, "json": s.WriteJSON, "parquet": s.WriteParquet}[format]
			if write == nil {
				return exit{2, fmt.Errorf("tunebook: --format is %q; wanted csv, json or parquet", format)}
			}
			if out == "" || out == "-" {
				return write(c.OutOrStdout(), rs)
			}
			return weights.AtomicWrite(out, func(w io.Writer) error { return write(w, rs) })
		})}
	c.Flags().StringVar(&format, "format", format, "csv, json or parquet")
	c.Flags().StringVarP(&out, "output", "o", "", "file to write; standard output when not given")
	return c
}

func tensorboardCommand(with onRuns) *cobra.Command {
	out := ""
	c := &cobra.Command{Use: "tensorboard [ID]... --output FOLDER", Short: "Write event files for TensorBoard",
		RunE: with(func(c *cobra.Command, s *store.Store, rs []*store.Run) error {
			paths, err := s.ExportTensorBoard(out, rs)
			for _, p := range paths {
				fmt.Fprintln(c.OutOrStdout(), p)
			}
			return err
		})}
	c.Flags().StringVarP(&out, "output", "o", "", "folder that is given to tensorboard --logdir")
	c.MarkFlagRequired("output")
	return c
}

func mlflowCommand(with onRuns) *cobra.Command {
	m := store.MLflow{Experiment: "tunebook"}
	c := &cobra.Command{Use: "mlflow [ID]... --url URL", Short: "Send runs to an MLflow tracking server",
		Long: `Mlflow sends runs with their settings, metrics and state by MLflow's REST interface.
The server is --url or MLFLOW_TRACKING_URI; a token in MLFLOW_TRACKING_TOKEN is sent with each call.`,
		RunE: with(func(c *cobra.Command, s *store.Store, rs []*store.Run) error {
			if m.URL == "" {
				m.URL = os.Getenv("MLFLOW_TRACKING_URI")
			}
			if m.URL == "" {
				return exit{2, errors.New("tunebook: no server; give --url or set MLFLOW_TRACKING_URI")}
			}
			m.Token = os.Getenv("MLFLOW_TRACKING_TOKEN")
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			for _, r := range rs {
				id, err := s.ExportMLflow(ctx, &m, r)
				if err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "%s is %s\n", r.ID, id)
			}
			return nil
		})}
	c.Flags().StringVar(&m.URL, "url", "", "of the server")
	c.Flags().StringVar(&m.Experiment, "experiment", m.Experiment, "its name; made when there is none")
	return c
}

func removeCommand(with onRuns) *cobra.Command {
	dry, dependents, force := false, false, false
	c := &cobra.Command{Use: "remove ID...", Short: "Remove runs, after telling what depends on them",
		Long: `Remove takes runs and the files that only they have out of the store.
Runs that were trained from a model of one of them depend on it: then nothing is removed, unless --dependents removes
these too or --force leaves them without what they started from.`,
		Args: cobra.MinimumNArgs(1),
		RunE: with(func(c *cobra.Command, s *store.Store, rs []*store.Run) error {
			var ids []string
			for _, r := range rs {
				ids = append(ids, r.ID)
			}
			rem, err := s.Removal(ids, dependents)
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			for _, r := range rem.Runs {
				fmt.Fprintf(out, "%s: %s, %s\n", r.ID, r.Name, r.State())
			}
			for _, r := range rem.Dependents {
				fmt.Fprintf(out, "%s: %s, %s: it depends on these\n", r.ID, r.Name, r.State())
				if dependents {
					ids = append(ids, r.ID)
				}
			}
			if n := len(rem.Dependents); n > 0 && !dependents && !force && !dry {
				return fmt.Errorf("%d runs started from these; nothing was removed: give --dependents to remove them too, or --force", n)
			}
			if dry {
				fmt.Fprintf(out, "%d bytes would be freed; nothing was removed\n", rem.Bytes)
				return nil
			}
			freed, err := s.Remove(ids...)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%d runs removed, %d bytes freed\n", len(ids), freed)
			return nil
		})}
	c.Flags().BoolVar(&dry, "dry-run", false, "only tell what would go")
	c.Flags().BoolVar(&dependents, "dependents", false, "remove what depends on them too")
	c.Flags().BoolVar(&force, "force", false, "remove them although others depend on them")
	return c
}
