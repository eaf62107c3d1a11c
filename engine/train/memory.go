package train

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/grad"
)

// Memory is what a run takes besides the model's weights, in bytes, as estimated before its first update: its passes
// are walked through on a device that computes nothing and counts.
type Memory struct {
	Passes    int64 // gradients and activations at their highest, over all passes
	Optimizer int64 // the optimizer's state and working memory
	Copies    int64 // float32 masters, the average, the parameters of the best score
	Tokens    int   // of the largest pass
	Host      int64 // of a device with memory of its own: what lies in the machine's instead
}

// Total returns the sum of what lies in the device's memory.
func (m Memory) Total() int64 { return m.Passes + m.Optimizer + m.Copies }

// TooLarge is returned when a run would take more memory than there is.
type TooLarge struct {
	Memory
	Available int64
	Device    string

	canOffload, hostShort bool
}

func (e *TooLarge) Error() string {
	gb := func(n int64) string { return fmt.Sprintf("%.2f GB", float64(n)/1e9) }
	if e.hostShort {
		return fmt.Sprintf("train.New: the run would keep %s of the optimizer's state and working memory in the machine's memory, which has %s left; take the optimizer \"adamw8bit\" or \"adamw-bf16\", or train with LoRA",
			gb(e.Host), gb(e.Available))
	}
	offload := ""
	if e.canOffload {
		offload = "set OffloadOptimizer, which keeps the optimizer's state in the machine's memory, "
	}
	return fmt.Sprintf("train.New: the run would take %s besides the model: gradients and activations of passes of up to %d tokens %s, optimizer %s, copies of the weights %s; %s has %s left; lower MicroTokens or MaxLen, set Recompute, train with LoRA, %sor take the optimizer \"adamw8bit\", \"adamw-bf16\", \"lion\", \"sgd\" or \"adafactor\"",
		gb(e.Total()), e.Tokens, gb(e.Passes), gb(e.Optimizer), gb(e.Copies), e.Device, gb(e.Available), offload)
}

// estimate walks the passes of a replica in the first epoch, some of them where there are many, through a backend.Plan. false where the model uses an operation
// that the plan does not know. It is called before the gradients are made.
//
// Of a Llama decoder whose P weights are all trained, in a pass of T tokens over L layers, it makes about
//
//	4·max(T·A + V·C, P) bytes,  A = L·(2·C + 2·H·D + 2·K·D + 2·F)
//
// for a pass that is its update's only one: two sums of the residual stream, q, k, v, o, gate and up are kept of every
// layer, what norms and SwiGLU make is made again, and the gradients of the layers take the room that activations leave on the way
// back; that of the tied head comes first. The passes of an update of several find its gradients there: 4·(T·A + P). Of adapters of
// rank R on the seven modules of every layer, P numbers together, it makes about
//
//	4·max(T·(A + 7·L·R), P) bytes
//
// since what an adapter's first half makes is kept. The optimizer has 8·P more, and the weights, which all of this comes besides, 4
// bytes each or what their form takes (backend.Quant.Bits). There is nothing of T·T, and no logits but LinearCrossEntropy's chunk,
// at most 512·V·4 bytes or 8 MB, which is the device's. Runs of less than a gigabyte (roomy) keep what norms and SwiGLU make, too,
// and take more.
//
// Measured with SmolLM2-135M, 4 rows of 256 tokens, "tunebook bench --only steps" on two threads: weights and estimate together are
// 2.70 GB for all weights, 1.41 GB for adapters of rank 16 and 1.14 GB for those over int8; the processes took 2.81, 1.53 and 1.26 GB
// at their highest. The 0.11 GB between them are the program's own and the kernels' working memory.
func (t *Trainer) estimate(r *replica) (m Memory, ok bool) {
	if r.dev == t.dev { // which makes the updates
		m.Optimizer, m.Host = newOptimizer(t.cfg, t.dev, t.params, t.rates, true).size()
		m.Copies = t.copies()
	}
	type pass struct {
		data.Batch
		alone bool // in its update: the gradients of others are not there
	}
	var all []pass
	order := t.order(0)
	size := t.cfg.BatchSize * t.cfg.group()
	for from := 0; from < len(order); from += size {
		micro := t.shares(order[from:min(from+size, len(order))])[slices.Index(t.replicas, r)]
		for _, b := range micro {
			all = append(all, pass{b, len(micro) == 1})
		}
	}
	if len(all) == 0 { // fewer examples than devices
		return m, true
	}
	widest := slices.MaxFunc(all, func(a, b pass) int {
		return cmp.Or(cmp.Compare(len(a.IDs), len(b.IDs)), cmp.Compare(a.Supervised, b.Supervised))
	})
	m.Tokens = len(widest.IDs)
	meter := backend.NewPlan(r.dev)
	forget := func() {
		for _, p := range r.params {
			if p.Grad != nil {
				meter.Free(p.Grad)
				p.Grad = nil
			}
		}
	}
	defer func() {
		if recover() != nil { // an operation that the meter lacks
			ok = false
		}
		for _, p := range r.params {
			p.Grad, p.Trained = nil, false
		}
	}()
	for _, p := range r.params {
		p.Trained = true
	}
	walk := func(p pass) {
		if p.alone {
			forget()
		} else if len(r.params) > 0 && r.params[0].Grad == nil && t.cfg.Objective == nil {
			t.walk(r, meter, p.Batch) // makes the gradients that a later pass of its update finds
		}
		t.walk(r, meter, p.Batch)
	}
	// Passes of other lengths leave buffers of other sizes behind: some of them are walked through too. An objective may
	// compute in earnest, such as another model's answer: one must do.
	for i := 0; i < len(all) && t.cfg.Objective == nil; i += (len(all) + 63) / 64 {
		walk(all[i])
	}
	walk(widest)
	m.Passes = meter.Peak()
	return m, true
}

// copies returns the bytes of the parameters' copies.
func (t *Trainer) copies() (n int64) {
	longest, sum := int64(0), int64(0)
	for _, p := range t.params {
		size := 4 * int64(p.Len())
		longest, sum = max(longest, size), sum+size
	}
	if t.cfg.Precision == "bf16" {
		n += sum + longest
	}
	if t.cfg.EMA > 0 {
		n += 2 * sum // the average, and the parameters while it is measured or brought up to date
	}
	if t.cfg.keepsBest() {
		n += sum
	}
	return n
}

// roomy is how many bytes a run may take, the model included, that keeps what norms and SwiGLU make for the way back: every machine has
// them, and making it again would take a twentieth of the time.
var roomy int64 = 1 << 30

// plan is estimate, which for the model's own device decides whether the run does. limit is Config.MemoryLimit: a run that fits without
// keeping anything is not refused for what it would keep.
func (t *Trainer) plan(r *replica, limit int64) (Memory, bool) {
	if r.dev == t.dev && !t.cfg.Recompute && 4*t.model.Bytes() <= roomy {
		most := roomy - t.model.Bytes()
		if free, ok := backend.Available(r.dev); ok {
			most = min(most, free)
		}
		if limit > 0 {
			most = min(most, limit)
		}
		t.keeps = true
		if m, ok := t.estimate(r); ok && m.Total() <= most {
			return m, true
		}
		t.keeps = false
	}
	return t.estimate(r)
}

// tape makes the tape of a pass of the run.
func (t *Trainer) tape(dev backend.Backend, record bool) *grad.Tape {
	tape := grad.New(dev, record)
	tape.Keeps = t.keeps
	return tape
}

// walk makes one pass on the meter.
func (t *Trainer) walk(r *replica, meter backend.Plan, b data.Batch) {
	in := input(b)
	in.Recompute = t.cfg.Recompute
	if t.cfg.NEFTune > 0 {
		in.Noise = make([]float32, len(b.IDs)*r.model.Config.HiddenSize)
	}
	if t.cfg.Objective != nil {
		for i := range t.cfg.Objective.Parts {
			p := &t.cfg.Objective.Parts[i]
			pb := p.of(b)
			if len(pb.IDs) == 0 || p.Units(pb) == 0 {
				continue
			}
			in := input(pb)
			in.Recompute = t.cfg.Recompute
			tape := t.tape(meter, true)
			if v, err := r.losses[i](tape, r.model, in, pb); err == nil && v != nil {
				tape.From(v, 1)
				tape.Backward()
			}
			tape.Free()
		}
		return
	}
	tape := t.tape(meter, true)
	defer tape.Free()
	r.model.Loss(tape, in, b.Targets, t.weights(b), 1)
	tape.Backward()
}

// fits refuses a run that takes more memory on a replica's device than there is. limit is what there is, 0 to look.
func (t *Trainer) fits(r *replica, limit int64) error {
	m, ok := t.plan(r, limit)
	if !ok {
		return nil
	}
	t.memory[r.dev] = m
	large := func(available int64, device string) error {
		_, adamw := momentForms[t.cfg.Optimizer]
		return &TooLarge{Memory: m, Available: available, Device: device, canOffload: adamw && r.dev == t.dev && !backend.OnHost(r.dev) && !t.cfg.OffloadOptimizer}
	}
	if m.Host > 0 {
		if free, ok := backend.HostAvailable(); ok && m.Host > free {
			return &TooLarge{Memory: m, Available: free, Device: "the machine", hostShort: true}
		}
	}
	if limit > 0 {
		if m.Total() > limit {
			return large(limit, "MemoryLimit")
		}
		return nil
	}
	others := int64(0) // what the replicas before take of the same memory
	if backend.OnHost(r.dev) {
		others, t.onHost = t.onHost, t.onHost+m.Total()
	}
	free, ok := backend.Available(r.dev)
	if ok && m.Total() > free-others {
		debug.FreeOSMemory() // what earlier runs have left is ours too
		free, ok = backend.Available(r.dev)
	}
	if ok && m.Total() > free-others {
		return large(max(0, free-others), "device "+r.dev.Name())
	}
	return nil
}

// Memory returns what the run was estimated to take on the model's device; zero where that could not be told.
func (t *Trainer) Memory() Memory { return t.memory[t.dev] }

// MemoryOn is Memory for one of several devices, where a copy of the model comes to it.
func (t *Trainer) MemoryOn(dev backend.Backend) Memory { return t.memory[dev] }
