package model_test

import (
	"os"
	"os/exec"
)

// offline is a command of the Python that TUNEBOOK_PYTHON names, which asks no hub for anything.
func offline(python string, args ...string) *exec.Cmd {
	cmd := exec.Command(python, args...)
	cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "HF_HUB_DISABLE_TELEMETRY=1")
	return cmd
}
