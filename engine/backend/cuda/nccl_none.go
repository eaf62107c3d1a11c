//go:build !linux || nogpu

package cuda

import "errors"

// loadNCCL says why this binary reaches no NCCL.
var loadNCCL = func() (*ncclTable, string, error) {
	return nil, "", errors.New("cuda: this binary loads no NCCL")
}
