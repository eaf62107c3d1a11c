package runs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
)

// Setting is one input by which runs may differ.
type Setting struct {
	Name   string
	Values []string // one a run; empty where the run has no such setting
}

// Settings returns all that went into runs: starting weights, data, code, every field of their configurations and of the
// sources of their mixes, by name.
func Settings(rs ...*Run) []Setting {
	flat := make([]map[string]string, len(rs))
	names := map[string]bool{}
	for i, r := range rs {
		m := map[string]string{"base": r.BaseName, "base weights": short(r.Base), "data": r.Name, "data rows": short(r.Data), "code": short(r.Code), "device": r.System.Device}
		flatten(m, "", r.Config)
		var manifest struct {
			Seed    *int64 `json:"seed"`
			Sources []struct {
				Name    string  `json:"name"`
				Drawn   int     `json:"drawn"`
				Weight  float64 `json:"weight"`
				Tokens  int     `json:"tokens"`
				Trained int     `json:"supervised"`
			} `json:"sources"`
		}
		if json.Unmarshal(r.Manifest, &manifest) == nil {
			if manifest.Seed != nil {
				m["mix seed"] = fmt.Sprint(*manifest.Seed)
			}
			for _, s := range manifest.Sources {
				m["mix "+s.Name+" rows"] = fmt.Sprint(s.Drawn)
				m["mix "+s.Name+" weight"] = fmt.Sprint(s.Weight)
			}
		}
		for n := range m {
			names[n] = true
		}
		flat[i] = m
	}
	var out []Setting
	for n := range names {
		s := Setting{Name: n}
		for _, m := range flat {
			s.Values = append(s.Values, m[n])
		}
		out = append(out, s)
	}
	sort.Slice(out, func(a, b int) bool { return out[a].Name < out[b].Name })
	return out
}

// Differ tells whether the runs do not all have the same value.
func (s Setting) Differ() bool {
	for _, v := range s.Values {
		if v != s.Values[0] {
			return true
		}
	}
	return false
}

func short(hash string) string {
	if len(hash) > 12 {
		return hash[:12]
	}
	return hash
}

// flatten puts the leaves of a JSON value into m under dotted names.
func flatten(m map[string]string, at string, raw json.RawMessage) {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil && object != nil {
		for k, v := range object {
			name := k
			if at != "" {
				name = at + "." + k
			}
			flatten(m, name, v)
		}
		return
	}
	var text string
	var b bytes.Buffer
	switch {
	case json.Unmarshal(raw, &text) == nil:
	case json.Compact(&b, raw) == nil:
		text = b.String()
	}
	if at != "" && text != "null" && text != "" {
		m[at] = text
	}
}
