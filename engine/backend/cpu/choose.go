package cpu

import (
	"fmt"
	"os"
	"strings"
)

// Restrict is the environment variable that names the kernels of the devices "cpu" and "cpu-bf16": "avx512", "avx2" or "go".
// Without it they are the fastest that the processor runs.
const Restrict = "TUNEBOOK_CPU"

// chosen returns the kernels that the environment asks for. A name that this processor has no kernels of is an error.
func chosen() (*kernels, error) {
	name := os.Getenv(Restrict)
	if name == "" {
		return best(), nil
	}
	var names []string
	for _, k := range available() {
		id := "go"
		if k != &generic {
			id = strings.ToLower(strings.ReplaceAll(k.name, "-", ""))
		}
		if id == name {
			return k, nil
		}
		names = append(names, id)
	}
	return nil, fmt.Errorf("cpu: %s is %q; wanted one of %v, which this processor runs", Restrict, name, names)
}
