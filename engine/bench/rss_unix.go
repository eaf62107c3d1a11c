//go:build linux || darwin || freebsd

package bench

import (
	"os"
	"runtime"
	"syscall"
)

// peak returns the most memory that an ended process held, in bytes.
func peak(p *os.ProcessState) int64 {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss) // it counts in bytes
	}
	return int64(u.Maxrss) << 10
}
