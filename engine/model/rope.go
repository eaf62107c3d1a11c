package model

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strings"
)

// RopeScaling says how RoPE's angles were stretched for longer texts, under the names of config.json. The zero value
// stands for no scaling.
type RopeScaling struct {
	RopeType                      string  `json:"rope_type"` // "linear" or "llama3"
	Factor                        float64 `json:"factor"`
	LowFreqFactor                 float64 `json:"low_freq_factor,omitempty"`
	HighFreqFactor                float64 `json:"high_freq_factor,omitempty"`
	OriginalMaxPositionEmbeddings int     `json:"original_max_position_embeddings,omitempty"`
}

// parseRope reads rope_scaling, and rope_parameters, which newer files write in its place together with rope_theta.
func parseRope(c *Config, key string, raw json.RawMessage) error {
	if string(raw) == "null" {
		return nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return fmt.Errorf("model.ParseConfig: %s: %w", key, err)
	}
	var r RopeScaling
	var older string
	fields := map[string]any{"rope_type": &r.RopeType, "type": &older, "factor": &r.Factor, "low_freq_factor": &r.LowFreqFactor,
		"high_freq_factor": &r.HighFreqFactor, "original_max_position_embeddings": &r.OriginalMaxPositionEmbeddings,
		"rope_theta": &c.RopeTheta, "partial_rotary_factor": &c.PartialRotaryFactor}
	var unknown []string
	for k, v := range all {
		to, ok := fields[k]
		if !ok {
			unknown = append(unknown, k)
			continue
		}
		if err := json.Unmarshal(v, to); err != nil {
			return fmt.Errorf("model.ParseConfig: %s.%s: %w", key, k, err)
		}
	}
	if r.RopeType == "" {
		r.RopeType = older
	}
	switch r.RopeType {
	case "linear", "llama3":
		if len(unknown) > 0 {
			sort.Strings(unknown)
			return fmt.Errorf("model.ParseConfig: %s: keys that are not implemented: %s", key, strings.Join(unknown, ", "))
		}
		c.RopeScaling = r
	case "default", "":
		if len(unknown) > 0 || r != (RopeScaling{RopeType: r.RopeType}) {
			return fmt.Errorf("model.ParseConfig: %s: rope_type is %q with the keys of a scaled one; wanted none", key, r.RopeType)
		}
	default:
		return fmt.Errorf("model.ParseConfig: %s: rope_type is %q; only \"default\", \"linear\" and \"llama3\" are implemented", key, r.RopeType)
	}
	return nil
}

func (r *RopeScaling) check() error {
	positive := func(x float64) bool { return x > 0 && !math.IsInf(x, 0) }
	switch {
	case *r == RopeScaling{}:
	case r.RopeType != "linear" && r.RopeType != "llama3":
		return fmt.Errorf("model.Config: rope_scaling: rope_type is %q; wanted \"linear\" or \"llama3\"", r.RopeType)
	case !positive(r.Factor):
		return fmt.Errorf("model.Config: rope_scaling: factor is %g; wanted a positive number", r.Factor)
	case r.RopeType == "llama3" && !(positive(r.LowFreqFactor) && r.HighFreqFactor > r.LowFreqFactor && r.OriginalMaxPositionEmbeddings > 0):
		return fmt.Errorf("model.Config: rope_scaling: low_freq_factor %g, high_freq_factor %g, original_max_position_embeddings %d; wanted 0 < low < high and positions",
			r.LowFreqFactor, r.HighFreqFactor, r.OriginalMaxPositionEmbeddings)
	}
	return nil
}

// rotary returns the number of elements of a head that RoPE turns.
func (c *Config) rotary() int {
	if c.PartialRotaryFactor == 0 {
		return c.HeadDim
	}
	return int(float64(c.HeadDim) * c.PartialRotaryFactor)
}

// ropeFreqs returns the angle by which each pair turns from one position to the next, theta^(-2i/D), scaled:
//
//	linear   every angle divided by factor (positional interpolation, Chen et al. 2023, arXiv:2306.15595)
//	llama3   with wave length λ = 2π/angle and the original context P: angles with λ > P/low are divided by factor, those
//	         with λ < P/high stay, and between them a mix goes over from one to the other (Llama team 2024, arXiv:2407.21783)
func (c *Config) ropeFreqs(theta float64, rotary int) []float32 {
	f := make([]float32, rotary/2)
	s := c.RopeScaling
	for i := range f {
		angle := 1 / math.Pow(theta, float64(2*i)/float64(rotary))
		switch s.RopeType {
		case "linear":
			angle /= s.Factor
		case "llama3":
			turns := float64(s.OriginalMaxPositionEmbeddings) * angle / (2 * math.Pi) // P/λ
			mix := (turns - s.LowFreqFactor) / (s.HighFreqFactor - s.LowFreqFactor)
			mix = min(1, max(0, mix))
			angle = (1-mix)*angle/s.Factor + mix*angle
		}
		f[i] = float32(angle)
	}
	return f
}

// llama3Of returns the scaling that divides each pair's angle by its factor, as GGUF files list them. The two limits are those of
// every published model, 1 and 4; factors that no such scaling gives are an error.
func llama3Of(factors []float32, theta float64, rotary int) (RopeScaling, error) {
	r := RopeScaling{RopeType: "llama3", LowFreqFactor: 1, HighFreqFactor: 4, OriginalMaxPositionEmbeddings: 8192}
	if len(factors) != rotary/2 {
		return r, fmt.Errorf("%d factors; heads of %d want %d", len(factors), rotary, rotary/2)
	}
	for _, f := range factors {
		r.Factor = max(r.Factor, float64(f))
	}
	for i, f := range factors { // a factor between the limits tells the positions
		if f > 1.001 && float64(f) < 0.999*r.Factor {
			mix := (1/float64(f) - 1/r.Factor) / (1 - 1/r.Factor)
			turns := r.LowFreqFactor + mix*(r.HighFreqFactor-r.LowFreqFactor)
			r.OriginalMaxPositionEmbeddings = int(math.Round(turns * 2 * math.Pi * math.Pow(theta, float64(2*i)/float64(rotary))))
			break
		}
	}
	c := Config{RopeScaling: r}
	for i, f := range c.ropeFactors(theta, rotary) {
		if math.Abs(float64(f-factors[i])) > 1e-3*float64(f) {
			return r, fmt.Errorf("factor %d is %g; only those of rope_scaling \"llama3\" with limits 1 and 4 are implemented, here %g", i, factors[i], f)
		}
	}
	return r, nil
}

// ropeFactors returns what scaling divides each angle by.
func (c *Config) ropeFactors(theta float64, rotary int) []float32 {
	plain := Config{}
	f, scaled := plain.ropeFreqs(theta, rotary), c.ropeFreqs(theta, rotary)
	for i := range f {
		f[i] /= scaled[i]
	}
	return f
}

// turned tells whether the rows of a tensor are those that RoPE turns: the families that have an interleaved form have them
// in q and k.
func turned(name string) bool {
	return strings.Contains(name, ".self_attn.q_proj.") || strings.Contains(name, ".self_attn.k_proj.")
}

// neighbours undoes halves.
func neighbours(data []float32, rows, d int) []float32 {
	out, width := make([]float32, len(data)), len(data)/rows
	for r := range rows {
		head, at := r/d*d, r%d
		from := head + at/2 + at%2*(d/2)
		copy(out[r*width:(r+1)*width], data[from*width:(from+1)*width])
	}
	return out
}

// halves returns rows of heads of d with neighbours (2i, 2i+1) put at (i, i+d/2): RoPE of halves then gives the scores that
// interleaved RoPE gave before.
func halves[E float32 | int32](data []E, rows, d int) []E {
	out, width := make([]E, len(data)), len(data)/rows
	for r := range rows {
		head, at := r/d*d, r%d
		to := head + at/2 + at%2*(d/2)
		copy(out[to*width:(to+1)*width], data[r*width:(r+1)*width])
	}
	return out
}
