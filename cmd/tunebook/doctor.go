package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu"
	"tunebook/engine/backend/cuda"
	"tunebook/engine/backend/cuda/nvrtc"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what models can run on here",
		Long: `Doctor says, a line each, what processor and cards models can run on, which is the default, and where the libraries of products
and of several cards at once and the compiler of a script's own CUDA kernels were found. What is missing is said with the places where it was looked for. Nothing is missing
that the cpu device needs.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			for _, l := range doctor() {
				fmt.Fprintf(w, "%s\t%s\n", l[0], l[1])
			}
			return w.Flush()
		},
	}
}

// doctor returns the lines: what, and what of it.
func doctor() [][2]string {
	var lines [][2]string
	if dev, err := backend.Open("cpu"); err != nil {
		lines = append(lines, [2]string{"cpu", err.Error()})
	} else {
		lines = append(lines, [2]string{"cpu", dev.Info()})
	}
	cards, err := cuda.Cards()
	if err != nil {
		lines = append(lines, [2]string{"cuda", err.Error()})
	}
	for i, c := range cards {
		lines = append(lines, [2]string{fmt.Sprintf("cuda:%d", i), c.String()})
		if err := c.Usable(); err != nil {
			lines = append(lines, [2]string{"", err.Error()})
		}
	}
	if l, err := cuda.Library(); err != nil {
		lines = append(lines, [2]string{"products", err.Error()})
	} else {
		lines = append(lines, [2]string{"products", l})
	}
	if l, err := cuda.Collectives(); err != nil {
		lines = append(lines, [2]string{"several cards", err.Error()})
	} else {
		lines = append(lines, [2]string{"several cards", l})
	}
	if c, err := nvrtc.Open(); err != nil {
		lines = append(lines, [2]string{"compiler", err.Error()})
	} else {
		lines = append(lines, [2]string{"compiler", fmt.Sprintf("NVRTC %s, %s", c.Version(), c.Path())})
	}
	if cuda.Available() && os.Getenv("TUNEBOOK_DEVICE") == "" {
		lines = append(lines, [2]string{"", "TUNEBOOK_DEVICE=cuda-bf16 is faster: tensor cores, with operands rounded to bf16"})
	}
	return append(lines, [2]string{"default", cuda.DefaultDevice()})
}
