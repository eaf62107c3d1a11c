package backend

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Available returns the bytes that a device can still give: of its own memory where it has a method
// Available() (int64, error), else of the machine's, or of what the process's control group leaves it, with what the
// device holds for later use. false where that cannot be told.
func Available(dev Backend) (int64, bool) {
	if d, ok := dev.(interface{ Available() (int64, error) }); ok {
		n, err := d.Available()
		return n, err == nil
	}
	n, ok := HostAvailable()
	if d, has := dev.(interface{ Reusable() int64 }); has && ok {
		n += d.Reusable()
	}
	return n, ok
}

// HostAvailable returns the bytes that the machine, or the process's control group, can still give.
func HostAvailable() (int64, bool) { return hostAvailable("/") }

// hostAvailable reads Linux's figures below root.
func hostAvailable(root string) (int64, bool) {
	n, ok := field(filepath.Join(root, "proc/meminfo"), "MemAvailable:")
	if !ok {
		return 0, false
	}
	n <<= 10 // kB
	group, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return n, true
	}
	for line := range strings.Lines(string(group)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		// Every group above may set a limit too.
		for ; ; path = filepath.Dir(path) {
			dir := filepath.Join(root, "sys/fs/cgroup", path)
			limit, ok1 := number(filepath.Join(dir, "memory.max"))
			used, ok2 := number(filepath.Join(dir, "memory.current"))
			if ok1 && ok2 {
				cache, _ := field(filepath.Join(dir, "memory.stat"), "inactive_file")
				n = min(n, limit-used+cache)
			}
			if path == "/" || path == "." {
				break
			}
		}
	}
	return max(0, n), true
}

// number reads a file of one number; false for "max" and for no file.
func number(path string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}

// field reads the number behind a name at the start of a line.
func field(path, name string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
