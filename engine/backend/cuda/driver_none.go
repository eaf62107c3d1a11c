//go:build !linux || nogpu

package cuda

import (
	"fmt"
	"runtime"
)

// loadDriver says why this binary reaches no driver.
func loadDriver() (*driverTable, string, error) {
	if runtime.GOOS == "linux" {
		return nil, "", fmt.Errorf("cuda: %w: this binary was built with the tag nogpu and loads no library", errNoDriver)
	}
	return nil, "", fmt.Errorf("cuda: %w: cards are reached on linux only; this is %s", errNoDriver, runtime.GOOS)
}
