package session

import (
	"context"
	"errors"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A script that calls itself without end would use up the process's stack, which Go answers by ending the process. So
// the memory of all stacks is watched while a cell runs. One level of a script's calls takes some 600 bytes, and stacks
// grow by doubling: the cell is stopped long before the 512 MB at which the runtime gives up.
const (
	deepest    = 200 << 20 // bytes that stacks may grow by in one cell, about 200,000 calls
	depthEvery = 10 * time.Millisecond
)

var errTooDeep = errors.New("stack overflow: the calls are too deep; does a function call itself without end?")

// watchDepth cancels a cell whose calls are too deep. It ends with ctx.
func watchDepth(ctx context.Context, cancel context.CancelCauseFunc) {
	start := stackBytes()
	tick := time.NewTicker(depthEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if n := stackBytes(); n > start && n-start > deepest {
				cancel(errTooDeep)
				return
			}
		}
	}
}

// stackBytes returns the memory that the stacks of all goroutines take.
func stackBytes() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return s[0].Value.Uint64()
}

// giveBackStack returns the memory of a stack that has just been left, so that the next cell begins without it.
func giveBackStack() { debug.FreeOSMemory() }
