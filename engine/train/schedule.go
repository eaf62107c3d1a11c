package train

import "math"

// At returns the learning rate of update step (from 0) of total. It is a pure function: nothing is carried from one
// update to the next, so resuming cannot shift it. The first update has a rate above 0, the last of the warm-up has the
// peak, and the last of all lies above MinLR.
func (c Config) At(step, total int) float64 {
	warm := c.Warmup
	switch {
	case warm == -1:
		warm = 0
	case warm == 0:
		warm = (3*total + 99) / 100
	}
	warm = min(warm, total)
	if step < warm {
		return c.LR * float64(step+1) / float64(warm)
	}
	// p runs from just above 0 after the warm-up (where the rate is the peak) to just below 1 at the last update.
	p := float64(step-warm+1) / float64(total-warm+1)
	switch c.Schedule {
	case "linear":
		return c.MinLR + (c.LR-c.MinLR)*(1-p)
	case "constant":
		return c.LR
	}
	return c.MinLR + (c.LR-c.MinLR)*(1+math.Cos(math.Pi*p))/2
}
