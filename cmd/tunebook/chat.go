package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/peterh/liner"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tunebook/engine/backend"
	core "tunebook/engine/model"
	"tunebook/engine/model/base"
	"tunebook/engine/token"
)

func chatCommand() *cobra.Command {
	var o chatOptions
	c := &cobra.Command{
		Use:   "chat [MODEL]",
		Short: "Talk with a model",
		Long: `Chat opens a model and answers one line after another in view of what was said before, in the model's own template.

MODEL is "base", the small model inside the binary, when left out, or the path of a model folder or file. Ctrl-C stops an answer,
Ctrl-D ends the talk. /clear forgets what was said, /system TEXT begins anew with a system message, /say prints the talk so far.
Where standard input is no terminal each of its lines is a message, and the answers are printed one a line.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.model = args[0]
			}
			return chat(o)
		},
	}
	f := c.Flags()
	o.model = base.Name
	f.StringVar(&o.system, "system", "", "system message")
	f.StringVar(&o.template, "template", "", "built-in chat template to use instead of the model's own")
	f.IntVar(&o.maxNew, "max-new", 512, "new tokens of an answer at most")
	f.Float64Var(&o.s.Temperature, "temperature", 0, "0 takes the most likely token, 1 draws from the model's distribution")
	f.IntVar(&o.s.TopK, "top-k", 0, "draw from the so many most likely tokens only")
	f.Float64Var(&o.s.TopP, "top-p", 0, "draw from the fewest tokens whose probabilities add up to this")
	f.Float64Var(&o.s.MinP, "min-p", 0, "draw from tokens at least this times as likely as the most likely one")
	f.Float64Var(&o.s.RepetitionPenalty, "repetition-penalty", 0, "above 1: lower the scores of tokens that were said already")
	f.Int64Var(&o.s.Seed, "seed", 0, "seed of the draws")
	return c
}

type chatOptions struct {
	model, system, template string
	maxNew                  int
	s                       core.Sampling
}

func chat(o chatOptions) error {
	dev, err := backend.Open("cpu")
	if err != nil {
		return exit{1, err}
	}
	var m *core.Model
	if o.model == base.Name {
		m, err = core.OpenFS(dev, base.Files, base.Name)
	} else {
		m, err = core.Open(dev, o.model)
	}
	if err == nil && o.template != "" {
		m.Template, err = token.TemplateFor(o.template)
	}
	if err != nil {
		return exit{1, fmt.Errorf("tunebook: %w", err)}
	}
	c := &talk{Conversation: core.Conversation{Model: m, MaxNew: o.maxNew, Sampling: o.s}}
	c.begin(o.system)
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return c.piped(os.Stdin)
	}
	return c.terminal()
}

// talk is a conversation with a person.
type talk struct{ core.Conversation }

// begin forgets what was said.
func (c *talk) begin(system string) {
	c.Messages = nil
	if system != "" {
		c.Messages = []token.Message{{Role: token.System, Content: system}}
	}
}

// piped answers each line of in; it ends with the first error.
func (c *talk) piped(in io.Reader) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	lines := bufio.NewReader(in)
	for {
		line, end := lines.ReadString('\n')
		if line = strings.TrimSpace(line); line != "" && !c.command(line, os.Stdout) {
			answer, err := c.Say(ctx, line, nil)
			if errors.Is(err, context.Canceled) {
				return exit{130, nil}
			}
			if err != nil {
				return exit{1, fmt.Errorf("tunebook: %w", err)}
			}
			fmt.Println(strings.ReplaceAll(answer, "\n", " "))
		}
		if end == io.EOF {
			return nil
		}
		if end != nil {
			return exit{1, end}
		}
	}
}

// terminal answers what is typed, word by word.
func (c *talk) terminal() error {
	before, err := liner.TerminalMode()
	if err != nil {
		return exit{1, err}
	}
	ed := liner.NewLiner()
	during, err := liner.TerminalMode()
	if err != nil {
		return exit{1, err}
	}
	defer before.ApplyMode()
	defer ed.Close()
	ed.SetCtrlCAborts(true)
	ed.SetMultiLineMode(true)
	fmt.Printf("%s, template %s, %s. Ctrl-C stops an answer, Ctrl-D ends the talk.\n", c.Model.Name, templateName(c.Model.Template), c.Sampling)
	for {
		during.ApplyMode()
		line, err := ed.Prompt("> ")
		before.ApplyMode() // Ctrl-C becomes a signal while the model answers
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			continue
		case errors.Is(err, io.EOF):
			fmt.Println()
			return nil
		case err != nil:
			return exit{1, err}
		}
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		ed.AppendHistory(line)
		if c.command(line, os.Stdout) {
			continue
		}
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		_, err = c.Say(ctx, line, func(piece string) { fmt.Print(visible(piece)) })
		stop()
		switch {
		case errors.Is(err, context.Canceled):
			fmt.Println(" … stopped")
		case err != nil:
			fmt.Fprintln(os.Stderr, err)
		default:
			fmt.Println()
		}
	}
}

func templateName(t *token.Template) string {
	if t == nil {
		return "none"
	}
	return t.Name
}

// command does what a line that begins with "/" says, and tells whether it was such a line.
func (c *talk) command(line string, out io.Writer) bool {
	name, rest, _ := strings.Cut(line, " ")
	switch name {
	case "/clear":
		system := ""
		if len(c.Messages) > 0 && c.Messages[0].Role == token.System {
			system = c.Messages[0].Content
		}
		c.begin(system)
	case "/system":
		c.begin(strings.TrimSpace(rest))
	case "/say":
		for _, m := range c.Messages {
			fmt.Fprintf(out, "%s: %s\n", m.Role, visible(m.Content))
		}
	default:
		return false
	}
	return true
}

// visible keeps a model from moving the cursor or changing the terminal: control characters other than newlines and tabs
// become their pictures.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20:
			return 0x2400 + r
		case r == 0x7f:
			return 0x2421
		case r >= 0x80 && r < 0xa0:
			return '\uFFFD'
		}
		return r
	}, s)
}
