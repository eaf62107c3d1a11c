package model

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// keeper is a device with memory of its own that counts the buffers that were not given back.
type keeper struct {
	backend.Backend
	held map[backend.Buffer]bool
}

func (k *keeper) Alloc(dt tensor.DType, n int) backend.Buffer {
	b := k.Backend.Alloc(dt, n)
	k.held[b] = true
	return b
}

func (k *keeper) AllocUninit(dt tensor.DType, n int) backend.Buffer { return k.Alloc(dt, n) }

func (k *keeper) Free(b backend.Buffer) {
	delete(k.held, b)
	k.Backend.Free(b)
}

// The weights are read beside the tokenizer: where that is refused, nothing of them stays on the device, and where both are refused
// the message is the tokenizer's.
func TestTokenizerRefusedBesideWeights(t *testing.T) {
	dev := &keeper{refDevice(t), map[backend.Buffer]bool{}}
	m, err := New(dev, tiny(true, false), 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := m.SaveBare(dir, "F32"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "m.gguf")
	if err := m.SaveBareGGUF(path, "F32"); err != nil {
		t.Fatal(err)
	}
	clear(dev.held)
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(path, want string, q ...backend.Quant) {
		t.Helper()
		if _, err := Open(dev, path, q...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; wanted %q", err, want)
		}
		if len(dev.held) > 0 {
			t.Errorf("%q: %d buffers stay on the device", want, len(dev.held))
		}
	}
	refused(dir, "tokenizer.json")
	refused(path, "tokenizer.ggml.model")
	refused(path, "tokenizer.ggml.model", backend.Q8_0)
	put("tokenizer.json", "{}")
	refused(dir, "model: not in the file")
	put(weightsFile, "no weights")
	refused(dir, "model: not in the file")
	_, err = besideTexts(func() (texts, error) { return texts{}, nil }, func() (*Model, error) { return nil, errors.New("no weights") })
	if err == nil || err.Error() != "no weights" {
		t.Error(err)
	}
}
