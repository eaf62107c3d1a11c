package bench

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/cpuid/v2"

	"tunebook/engine/backend/cpu"
)

// Machine is what the processor can do at most.
type Machine struct {
	CPU     string      `json:"cpu"`
	Threads int         `json:"threads"`
	Peaks   []PeakRate  `json:"peaks"`
	Reads   []Bandwidth `json:"reads"` // by size, the smallest first
}

// PeakRate is the most operations of a kind a second, in 1e9: multiply-adds in registers, counted as two.
type PeakRate struct {
	Name string  `json:"name"`
	One  float64 `json:"one"` // on one thread
	All  float64 `json:"all"` // on all threads at once
}

// Bandwidth is how fast all threads together read memory that they read before: from the caches where it fits.
type Bandwidth struct {
	Bytes int     `json:"bytes"`
	Rate  float64 `json:"rate"` // 1e9 bytes a second
}

// window is how long one measurement of a rate takes; the best of several counts.
const (
	window  = 25 * time.Millisecond
	windows = 10
)

// readSizes are the sizes of what is read, in bytes: in the second cache of each core, in the third of most machines, and beyond.
var readSizes = []int{1 << 20, 16 << 20, 64 << 20, 512 << 20}

// MeasureMachine measures the processor; small measures less memory, for a quick look.
func MeasureMachine(small bool) Machine {
	m := Machine{CPU: cpuid.CPU.BrandName, Threads: runtime.GOMAXPROCS(0)}
	for _, p := range cpu.Peaks() {
		// A round takes some nanoseconds: so many take about a tenth of a millisecond, since such a loop cannot be interrupted.
		const rounds = 20000
		work := func(int) float64 { p.Loop(rounds); return rounds * p.Work }
		m.Peaks = append(m.Peaks, PeakRate{p.Name, rate(1, work) / 1e9, rate(m.Threads, work) / 1e9})
	}
	sizes := readSizes
	if small {
		sizes = sizes[:2]
	}
	memory := make([]float32, sizes[len(sizes)-1]/4)
	for i := range memory {
		memory[i] = 1 // a page that was never written is one page of zeros for all
	}
	for _, size := range sizes {
		part := size / 4 / m.Threads &^ 127
		const piece = 1 << 16 // elements
		at := make([]int, m.Threads)
		read := func(thread int) float64 {
			own := memory[thread*part : (thread+1)*part]
			from := at[thread]
			to := min(from+piece, len(own))
			cpu.Read(own[from:to])
			if at[thread] = to; to == len(own) {
				at[thread] = 0
			}
			return float64(4 * (to - from))
		}
		m.Reads = append(m.Reads, Bandwidth{size, rate(m.Threads, read) / 1e9})
	}
	// As fast as much can be read, less can be, whatever else the machine did while that was measured.
	for i := len(m.Reads) - 2; i >= 0; i-- {
		m.Reads[i].Rate = max(m.Reads[i].Rate, m.Reads[i+1].Rate)
	}
	return m
}

// rate returns the most work a second that threads do at once in a window, where work does a little and says how much it was.
func rate(threads int, work func(thread int) float64) float64 {
	best := 0.0
	for range windows {
		done, took := make([]float64, threads), make([]time.Duration, threads)
		var start, end sync.WaitGroup
		start.Add(threads)
		for i := range threads {
			end.Go(func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				work(i)
				start.Done()
				start.Wait()
				from := time.Now()
				for took[i] < window {
					done[i] += work(i)
					took[i] = time.Since(from)
				}
			})
		}
		end.Wait()
		sum := 0.0
		for i := range done {
			sum += done[i] / took[i].Seconds()
		}
		best = max(best, sum)
	}
	return best
}

// Arithmetic returns the most operations a second of products on all threads in a device's precision: of float32, and with bf16
// of pairs of bf16 where they are faster. It is 0 where no peak was measured.
func (m Machine) Arithmetic(bf16 bool) float64 {
	best := 0.0
	for _, p := range m.Peaks {
		if strings.HasPrefix(p.Name, "float32") || bf16 && strings.HasPrefix(p.Name, "bf16") {
			best = max(best, p.All*1e9)
		}
	}
	return best
}

// Bandwidth returns how fast so many bytes can be read at most: the rate of the largest size measured that is not larger, since
// less is read faster. It is 0 where nothing was measured.
func (m Machine) Bandwidth(bytes float64) float64 {
	if len(m.Reads) == 0 {
		return 0
	}
	at, found := slices.BinarySearchFunc(m.Reads, bytes, func(b Bandwidth, bytes float64) int { return cmp.Compare(float64(b.Bytes), bytes) })
	if !found && at > 0 {
		at--
	}
	return m.Reads[at].Rate * 1e9
}

// Possible returns the seconds that work takes at least: its operations at the peak of arithmetic, or its bytes at the bandwidth of
// so much memory as they lie in, whichever is longer. Work that takes less was done while the machine was faster than when it was
// measured, as shared ones are at times.
func (m Machine) Possible(flops, bytes, memory float64, bf16 bool) float64 {
	t := 0.0
	if peak := m.Arithmetic(bf16); peak > 0 {
		t = flops / peak
	}
	if b := m.Bandwidth(memory); b > 0 {
		t = max(t, bytes/b)
	}
	return t
}
