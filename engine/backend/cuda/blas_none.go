//go:build !linux || nogpu

package cuda

import "errors"

// loadBlas says why this binary reaches no cuBLASLt.
func loadBlas() (*blasTable, string, error) {
	return nil, "", errors.New("cuda: this binary loads no cuBLASLt")
}
