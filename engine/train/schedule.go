package train

import "math"

// Schedules are the names that Config.Schedule knows.
var Schedules = []string{"cosine", "linear", "constant", "inverse-sqrt", "wsd"}

// At returns the learning rate of update step (from 0) of total. It is a pure function: nothing is carried from one
// update to the next, so resuming cannot shift it. The first update has a rate above 0, the last of the warm-up has the
// peak, and the last of all lies above MinLR.
//
//	cosine, linear   fall from the peak to MinLR over all that follows the warm-up
//	constant         stays at the peak
//	inverse-sqrt     peak·sqrt(s/(s+k)) at the k-th update after the warm-up, s the warm-up's length, 10000 without one;
//	                 never below MinLR. Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 3, scaled to the peak
//	wsd              stays at the peak and falls in a line to MinLR over the last Decay updates.
//	                 Source: Hu et al. 2024, arXiv:2404.06395, section 4
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
	case "inverse-sqrt":
		s := float64(warm)
		if warm == 0 {
			s = 10000
		}
		return max(c.MinLR, c.LR*math.Sqrt(s/(s+float64(step-warm+1))))
	case "wsd":
		decay := c.Decay
		if decay == 0 {
			decay = (total + 9) / 10
		}
		decay = min(decay, total-warm)
		p := float64(step-(total-decay)+1) / float64(decay+1)
		return c.MinLR + (c.LR-c.MinLR)*(1-max(0, p))
	}
	return c.MinLR + (c.LR-c.MinLR)*(1+math.Cos(math.Pi*p))/2
}
