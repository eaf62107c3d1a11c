package notebook

import (
	"encoding/json"
	"strings"

	"tunebook/runtime/session"
)

// output is one output of a cell as nbformat 4 has it.
type output struct {
	Type   string         `json:"output_type"`
	Name   string         `json:"name,omitempty"`
	Text   []string       `json:"text,omitempty"`
	Count  *int           `json:"execution_count,omitempty"`
	Data   map[string]any `json:"data,omitempty"`
	Meta   *struct{}      `json:"metadata,omitempty"`
	EName  string         `json:"ename,omitempty"`
	EValue string         `json:"evalue,omitempty"`
	Trace  []string       `json:"traceback,omitempty"`
}

// outputsOf returns what a cell printed and showed, and its error.
func outputsOf(r *session.Result, count int) []any {
	out := []any{}
	data := func(text, html string) map[string]any {
		m := map[string]any{"text/plain": split(strings.TrimRight(text, "\n"))}
		// A chart's HTML is drawn by a script that only a whole page holds.
		if html != "" && !strings.Contains(html, "<script") {
			m["text/html"] = split(html)
		}
		return m
	}
	for _, p := range r.Pieces {
		switch {
		case p.HTML != "":
			out = append(out, output{Type: "display_data", Data: data(p.Text, p.HTML), Meta: &struct{}{}})
		case p.Stderr:
			out = append(out, output{Type: "stream", Name: "stderr", Text: split(p.Text)})
		case p.Text != "":
			out = append(out, output{Type: "stream", Name: "stdout", Text: split(p.Text)})
		}
	}
	if r.Text != "" {
		out = append(out, output{Type: "execute_result", Count: &count, Data: data(r.Text, r.HTML), Meta: &struct{}{}})
	}
	if r.Err != nil {
		text := r.Err.Error()
		name := "Error"
		if session.Interrupted(r.Err) {
			name = "Interrupted"
		}
		out = append(out, output{Type: "error", EName: name, EValue: strings.SplitN(text, "\n", 2)[0], Trace: strings.Split(text, "\n")})
	}
	return out
}

// outputsIn returns the outputs that a cell holds.
func outputsIn(c *JupyterCell) []any {
	var raw []json.RawMessage
	json.Unmarshal(c.rest.get("outputs"), &raw)
	var out []any
	for _, r := range raw {
		out = append(out, r)
	}
	return out
}

// Golden returns the outputs that a Jupyter notebook holds, as far as they are compared: standard output and values.
func (p *Plan) Golden() *Golden {
	g := &Golden{}
	for i := range p.File.Cells {
		c := &p.File.Cells[i]
		if p.Number[i] == 0 || c.at == 0 {
			continue
		}
		var outs []struct {
			Type string `json:"output_type"`
			Name string
			Text json.RawMessage
			Data map[string]json.RawMessage
		}
		raw := p.File.jupyter.Cells[c.at-1].rest
		if json.Unmarshal(raw.get("outputs"), &outs) != nil || string(raw.get("execution_count")) == "null" && len(outs) == 0 {
			continue
		}
		var b strings.Builder
		for _, o := range outs {
			switch {
			case o.Type == "stream" && o.Name == "stdout":
				s, _ := lines(o.Text)
				b.WriteString(s)
			case o.Type == "display_data" || o.Type == "execute_result":
				s, _ := lines(o.Data["text/plain"])
				if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") && o.Type == "execute_result" {
					b.WriteByte('\n')
				}
				b.WriteString(s + "\n")
			}
		}
		g.Cells = append(g.Cells, GoldenCell{p.Number[i], p.File.label(i), strings.TrimRight(b.String(), "\n")})
	}
	return g
}

// Merge returns the outputs with those of cells that ran put in the place of the old ones.
func (g *Golden) Merge(r *Record, whole bool) *Golden {
	fresh := r.Golden()
	if whole || g == nil {
		return fresh
	}
	out := &Golden{}
	at := map[int]GoldenCell{}
	for _, c := range fresh.Cells {
		at[c.Number] = c
	}
	for _, c := range g.Cells {
		if n, ok := at[c.Number]; ok {
			c = n
			delete(at, c.Number)
		}
		out.Cells = append(out.Cells, c)
	}
	for _, c := range fresh.Cells {
		if _, ok := at[c.Number]; ok {
			out.Cells = append(out.Cells, c)
		}
	}
	sortCells(out.Cells)
	return out
}

// sortCells puts cells in the order of their numbers; what was deferred to the end (-1) comes last.
func sortCells(cells []GoldenCell) {
	key := func(c GoldenCell) int {
		if c.Number < 0 {
			return 1 << 30
		}
		return c.Number
	}
	for i := 1; i < len(cells); i++ {
		for j := i; j > 0 && key(cells[j]) < key(cells[j-1]); j-- {
			cells[j], cells[j-1] = cells[j-1], cells[j]
		}
	}
}
