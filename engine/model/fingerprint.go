package model

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
)

// Fingerprint returns the SHA-256, in hexadecimal, of the configuration and of all weights, adapters included: two
// models with the same fingerprint compute the same.
func (m *Model) Fingerprint() (string, error) {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(m.Config); err != nil {
		return "", err
	}
	all := m.params
	if m.Adapter != nil {
		if err := json.NewEncoder(h).Encode(m.Adapter.LoRA); err != nil {
			return "", err
		}
		all = append(all[:len(all):len(all)], m.Adapter.params...)
	}
	for _, p := range all {
		x, err := m.read(p)
		if err != nil {
			return "", err
		}
		h.Write([]byte(p.Name))
		buf := make([]byte, 0, 4*len(x))
		for _, v := range x {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		h.Write(buf)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
