package runs

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// System is where a run was made.
type System struct {
	Host   string `json:"host"`
	OS     string `json:"os"`  // "linux/amd64"
	CPU    string `json:"cpu"` // the processor's name; empty where it cannot be told
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory"` // bytes of the machine; 0 where it cannot be told
	Go     string `json:"go"`
	Device string `json:"device"` // what it was trained on
}

// SystemNow describes this machine.
func SystemNow() System {
	host, _ := os.Hostname()
	return System{Host: host, OS: runtime.GOOS + "/" + runtime.GOARCH, CPU: procField("/proc/cpuinfo", "model name"),
		Cores: runtime.NumCPU(), Memory: kilobytes(procField("/proc/meminfo", "MemTotal")), Go: runtime.Version()}
}

// Resident returns the bytes of memory that this process holds, 0 where it cannot be told.
func Resident() int64 { return kilobytes(procField("/proc/self/status", "VmRSS")) }

// procField returns the value of "name : value" in a file of Linux's /proc, empty where there is none.
func procField(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// kilobytes reads "1234 kB" as bytes.
func kilobytes(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(s, "kB")), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// process names a process for good: another one that gets its number later differs in its start, and one of another
// machine or container in its place.
type process struct {
	Place string `json:"place"` // machine, boot and process namespace; empty where it cannot be told
	PID   int    `json:"pid"`
	Start string `json:"start"` // in the system's ticks; empty where it cannot be told
}

func thisProcess() string {
	b, err := json.Marshal(process{place(), os.Getpid(), startOf(os.Getpid())})
	if err != nil {
		panic(err) // strings and a number
	}
	return string(b)
}

func place() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	ns, err2 := os.Readlink("/proc/self/ns/pid")
	if err != nil || err2 != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + ns
}

// startOf returns when a process began: the 22nd field of its stat, counted behind the name, which may hold anything.
func startOf(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 20 || f[0] == "Z" { // a dead one whose parent has not looked yet
		return ""
	}
	return f[19]
}

// alive tells whether the process of a running run is still there. Where it runs on this machine that is looked up;
// elsewhere its last heartbeat decides.
func alive(proc string, since time.Duration) bool {
	var p process
	if json.Unmarshal([]byte(proc), &p) == nil && p.Place != "" && p.Place == place() {
		return startOf(p.PID) == p.Start
	}
	return since < silence
}
