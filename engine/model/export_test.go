package model

import (
	"os"

	"tunebook/engine/backend"
	"tunebook/engine/weights"
)

// OpenBare opens a folder that has no tokenizer.
func OpenBare(dev backend.Backend, dir string) (*Model, error) {
	fsys := os.DirFS(dir)
	c, err := readConfig(fsys, dir)
	if err != nil {
		return nil, err
	}
	return openWeights(dev, c, fsys, dir)
}

// SaveBare writes a model that has no tokenizer.
func (m *Model) SaveBare(dir, dtype string) error { return m.saveWeights(dir, dtype) }

// File returns the text of config.json.
func (c *Config) File(dtype string) ([]byte, error) { return c.file(dtype, nil) }

// OpenBareGGUF opens a GGUF file that has no tokenizer.
func OpenBareGGUF(dev backend.Backend, path string, q ...backend.Quant) (*Model, error) {
	g, err := weights.OpenGGUF(path)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	c, err := ggufConfig(g, path)
	if err != nil {
		return nil, err
	}
	return loadGGUF(dev, c, g, path, q...)
}

// ReadPooling reads how a folder's encoder makes its vectors.
var ReadPooling = readPooling

// SaveBareGGUF writes a model that has no tokenizer.
func (m *Model) SaveBareGGUF(path, as string) error { return m.saveGGUF(path, as, map[string]any{}) }
