package model

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tunebook/stdlib/stop"
)

// The embedded model opens, is what its card says, and survives being saved and opened again.
func TestBase(t *testing.T) {
	base := Open("base")
	card, err := os.ReadFile("../../engine/model/base/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if base.Params() != 2828736 || !strings.Contains(string(card), "2,828,736 parameters") {
		t.Errorf("%d parameters; the card says otherwise", base.Params())
	}
	weights, err := os.Stat("../../engine/model/base/model.safetensors")
	if err != nil || weights.Size() > 8e6 {
		t.Errorf("the weights take %v bytes; 8 MB is the limit (%v)", weights.Size(), err)
	}
	again := Open(base.Save(filepath.Join(t.TempDir(), "saved"), "F16"))
	if again.Fingerprint() != base.Fingerprint() {
		t.Error("saved and opened, it is another model")
	}
	if a, b := base.Complete("The home of", 12), again.Complete("The home of", 12); a != b || a == "" {
		t.Errorf("%q and %q", a, b)
	}
	gguf := Open(base.SaveGGUF(filepath.Join(t.TempDir(), "base.gguf"), "F32"))
	if a, b := base.Complete("The home of", 12), gguf.Complete("The home of", 12); a != b {
		t.Errorf("%q and, from a GGUF file, %q", a, b)
	}
	if small := Open("base", Options{Quant: "nf4"}); !strings.Contains(small.String(), "held in nf4") || small.Fingerprint() != base.Quantize("nf4").Fingerprint() {
		t.Errorf("opened in nf4: %s", small)
	}
	if small := base.Quantize("q8_0"); !strings.Contains(small.String(), "held in q8_0") || small.Complete("The home of", 4) == "" {
		t.Errorf("quantised: %s", small)
	}
	if ref := Open("base", Options{Device: "ref"}); ref.Complete("The home of", 6) != base.Complete("The home of", 6) {
		t.Error("ref continues otherwise than cpu")
	}
}

func TestOpenRefuses(t *testing.T) {
	for want, f := range map[string]func(){
		"nowhere":              func() { Open("nowhere") },
		"is neither":           func() { Open("model_test.go") },
		`no device "tpu"`:      func() { Open("base", Options{Device: "tpu"}) },
		`quantisation is "q5"`: func() { Open("base").Quantize("q5") },
		"a decoder":            func() { Open("base").Embed("a text") },
	} {
		func() {
			defer func() {
				e, ok := recover().(*stop.Error)
				if !ok || !strings.Contains(e.Error(), want) {
					t.Errorf("%q: %v", want, e)
				}
			}()
			f()
		}()
	}
}
