package train

import (
	"fmt"
	"path"

	"tunebook/engine/grad"
)

// Group gives the parameters whose names match a pattern a learning rate and a weight decay of their own. In a pattern *
// stands for any characters: "*.lora_B.*", "model.embed_tokens.weight".
type Group struct {
	Match       string
	LR          float64 // times the run's; 0 means 1
	WeightDecay float64 // in place of the run's; -1 for none, 0 leaves it
}

// chosen tells for each pattern which parameters it matches. A pattern that matches none is an error.
func chosen(field string, patterns []string, params []*grad.Param) ([][]bool, error) {
	out := make([][]bool, len(patterns))
	for i, pattern := range patterns {
		out[i] = make([]bool, len(params))
		any := false
		for j, p := range params {
			hit, err := path.Match(pattern, p.Name)
			if err != nil {
				return nil, fmt.Errorf("train.Config: %s[%d]: the pattern %q is none: %w", field, i, pattern, err)
			}
			out[i][j] = hit
			any = any || hit
		}
		if !any {
			return nil, fmt.Errorf("train.Config: %s[%d]: no trained parameter matches %q; they are called %s, …, %s",
				field, i, pattern, params[0].Name, params[len(params)-1].Name)
		}
	}
	return out, nil
}

// thaw returns the parameters that no pattern of cfg.Freeze matches.
func thaw(params []*grad.Param, freeze []string) ([]*grad.Param, error) {
	hits, err := chosen("Freeze", freeze, params)
	if err != nil {
		return nil, err
	}
	var out []*grad.Param
	for j, p := range params {
		frozen := false
		for i := range freeze {
			frozen = frozen || hits[i][j]
		}
		if !frozen {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("train.Config: Freeze: all %d parameters are frozen; nothing is left to train", len(params))
	}
	return out, nil
}

// rates are the learning rate's factor and the weight decay of one parameter.
type rates struct{ lr, decay float64 }

// ratesOf returns those of every parameter: the first group that matches decides. Without one, those decay that usually do:
// grad.Param.Decays.
func ratesOf(cfg Config, params []*grad.Param) ([]rates, error) {
	var patterns []string
	for _, g := range cfg.Groups {
		patterns = append(patterns, g.Match)
	}
	hits, err := chosen("Groups", patterns, params)
	if err != nil {
		return nil, err
	}
	out := make([]rates, len(params))
	for j, p := range params {
		r := rates{lr: 1}
		if p.Decays() {
			r.decay = cfg.WeightDecay
		}
		for i, g := range cfg.Groups {
			if !hits[i][j] {
				continue
			}
			if g.LR != 0 {
				r.lr = g.LR
			}
			switch {
			case g.WeightDecay == -1:
				r.decay = 0
			case g.WeightDecay > 0:
				r.decay = g.WeightDecay
			}
			break
		}
		out[j] = r
	}
	return out, nil
}
