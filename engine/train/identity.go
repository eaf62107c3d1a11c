package train

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// inputs returns the configuration without what does not change the result.
func (c Config) inputs() Config {
	c.Dir, c.Every, c.Keep, c.MicroTokens = "", 0, 0, 0
	return c
}

// Inputs returns what the run computes from besides its starting weights: the SHA-256 of the sequences that it is
// trained and measured on, with their sources' names, and the configuration.
func (t *Trainer) Inputs() (data string, config json.RawMessage, err error) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, x := range []any{t.Sources, t.seqs, t.cfg.Validation} {
		if err := enc.Encode(x); err != nil {
			return "", nil, err
		}
	}
	c := t.cfg.inputs()
	config, err = json.Marshal(struct {
		Config
		ValidateEvery int
	}{c, t.cfg.ValidateEvery})
	return hex.EncodeToString(h.Sum(nil)), config, err
}

// Identity names what a run computes: its configuration, its sequences and its starting weights. Two runs of one
// identity compute the same.
func (t *Trainer) Identity() (string, error) {
	if t.identity != "" {
		return t.identity, nil
	}
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, x := range []any{t.cfg.inputs(), t.model.Config, t.seqs} {
		if err := enc.Encode(x); err != nil {
			return "", err
		}
	}
	w, err := t.model.Fingerprint()
	if err != nil {
		return "", err
	}
	fmt.Fprint(h, w)
	t.identity = hex.EncodeToString(h.Sum(nil))
	return t.identity, nil
}
