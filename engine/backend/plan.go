package backend

// Plan is a device that computes nothing and counts the memory that is asked of it. Buffers of the device whose plan it is may be
// given to its operations.
type Plan interface {
	Backend
	// Peak returns the bytes that the device needs for the calls so far, besides what it held before.
	Peak() int64
}

// Planner is a device that has plans of its own, because operations take memory besides their operands or its memory is dealt out
// in other sizes than the host's.
type Planner interface{ Plan() Plan }

// NewPlan returns a plan of a device: its own, or for others a Meter.
func NewPlan(dev Backend) Plan {
	if t, ok := dev.(*Timed); ok {
		dev = t.Backend
	}
	if p, ok := dev.(Planner); ok {
		return p.Plan()
	}
	return NewMeter()
}
