package cuda

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sort"
	"strings"
	"unsafe"

	"tunebook/engine/backend"
)

// driverTable is the part of NVIDIA's driver API that the backend uses: libcuda's functions, or a test's. Each returns 0
// or an error code. Source: CUDA Driver API reference.
type driverTable struct {
	Init              func(flags uint32) int32
	DriverGetVersion  func(v *int32) int32
	DeviceGetCount    func(n *int32) int32
	DeviceGet         func(dev *int32, ordinal int32) int32
	DeviceGetName     func(name *byte, n, dev int32) int32
	DeviceAttribute   func(v *int32, attribute, dev int32) int32
	DeviceTotalMem    func(bytes *uint64, dev int32) int32
	ContextRetain     func(ctx *uintptr, dev int32) int32
	ContextSetCurrent func(ctx uintptr) int32
	StreamCreate      func(stream *uintptr, flags uint32) int32
	StreamSynchronize func(stream uintptr) int32
	ModuleLoadData    func(module *uintptr, image *byte) int32
	ModuleGetFunction func(f *uintptr, module uintptr, name *byte) int32
	FuncSetAttribute  func(f uintptr, attribute, value int32) int32
	LaunchKernel      func(f uintptr, gx, gy, gz, bx, by, bz, shared uint32, stream uintptr, params *unsafe.Pointer, extra uintptr) int32
	MemAlloc          func(addr *uint64, bytes uint64) int32
	MemFree           func(addr uint64) int32
	MemGetInfo        func(free, total *uint64) int32
	MemHostAlloc      func(p **byte, bytes uint64, flags uint32) int32
	MemFreeHost       func(p *byte) int32
	CopyToDevice      func(to uint64, from *byte, bytes uint64, stream uintptr) int32
	CopyToHost        func(to *byte, from, bytes uint64, stream uintptr) int32
	Memset            func(to uint64, value uint8, bytes uint64, stream uintptr) int32
	ErrorString       func(code int32, s **byte) int32
	ErrorName         func(code int32, s **byte) int32

	// Graphs. A driver need not have them: BeginCapture is nil then.
	BeginCapture     func(stream uintptr, mode int32) int32
	EndCapture       func(stream uintptr, graph *uintptr) int32
	GraphInstantiate func(exec *uintptr, graph uintptr, flags uint64) int32
	GraphLaunch      func(exec, stream uintptr) int32
	GraphDestroy     func(graph uintptr) int32
	GraphExecDestroy func(exec uintptr) int32
}

// graphSymbols maps the functions of graphs to their names; cuGraphInstantiateWithFlags came with CUDA 11.4.
func (t *driverTable) graphSymbols() map[string]any {
	return map[string]any{
		"cuStreamBeginCapture_v2": &t.BeginCapture, "cuStreamEndCapture": &t.EndCapture, "cuGraphInstantiateWithFlags": &t.GraphInstantiate,
		"cuGraphLaunch": &t.GraphLaunch, "cuGraphDestroy": &t.GraphDestroy, "cuGraphExecDestroy": &t.GraphExecDestroy,
	}
}

// symbols maps the table to the names in the library.
func (t *driverTable) symbols() map[string]any {
	return map[string]any{
		"cuInit": &t.Init, "cuDriverGetVersion": &t.DriverGetVersion, "cuDeviceGetCount": &t.DeviceGetCount, "cuDeviceGet": &t.DeviceGet,
		"cuDeviceGetName": &t.DeviceGetName, "cuDeviceGetAttribute": &t.DeviceAttribute, "cuDeviceTotalMem_v2": &t.DeviceTotalMem,
		"cuDevicePrimaryCtxRetain": &t.ContextRetain, "cuCtxSetCurrent": &t.ContextSetCurrent, "cuStreamCreate": &t.StreamCreate,
		"cuStreamSynchronize": &t.StreamSynchronize, "cuModuleLoadData": &t.ModuleLoadData, "cuModuleGetFunction": &t.ModuleGetFunction,
		"cuFuncSetAttribute": &t.FuncSetAttribute, "cuLaunchKernel": &t.LaunchKernel, "cuMemAlloc_v2": &t.MemAlloc, "cuMemFree_v2": &t.MemFree,
		"cuMemGetInfo_v2": &t.MemGetInfo, "cuMemcpyHtoDAsync_v2": &t.CopyToDevice, "cuMemcpyDtoHAsync_v2": &t.CopyToHost,
		"cuMemsetD8Async": &t.Memset, "cuMemHostAlloc": &t.MemHostAlloc, "cuMemFreeHost": &t.MemFreeHost, "cuGetErrorString": &t.ErrorString, "cuGetErrorName": &t.ErrorName,
	}
}

// Numbers of the driver API.
const (
	codeOutOfMemory = 2
	codeNoDevice    = 100

	attributeMajor      = 75
	attributeMinor      = 76
	attributeProcessors = 16

	attributeClock       = 13 // kHz
	attributeMemoryClock = 36 // kHz
	attributeBusWidth    = 37 // bits

	functionDynamicShared = 8 // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
	streamNonBlocking     = 1

	maxArgs = 32 // parameters of a kernel

	oldestDriver = 11020 // the PTX version of built kernels: CUDA 11.2
)

// errNoDriver says that there is no driver to ask.
var errNoDriver = errors.New("no driver")

// card is one GPU through the driver.
type card struct {
	t       *driverTable
	Card    Card
	ordinal int32 // the driver's number of it
	ctx     uintptr
	stream  uintptr

	functions map[string]uintptr
	modules   map[string]uintptr
	allowed   map[string]int // shared memory that kernels were allowed beyond 48 KB

	blas   *blas   // nil without cuBLASLt
	graphs *graphs // nil where operations are started one by one

	args   [maxArgs]uint64
	params [maxArgs]unsafe.Pointer

	live          map[uint64]int   // allocations in use, by address: the size of their class
	kept          map[int][]uint64 // allocations given back, by size; the lowest address, which is used next, at the end
	inUse, pooled int
}

// Card describes a GPU.
type Card struct {
	Name         string
	Major, Minor int    // compute capability
	Bytes        uint64 // of memory
	Processors   int    // multiprocessors
	Driver       string // the CUDA version of the driver, "12.9"

	ClockMHz, MemoryMHz, BusBits int // the highest clocks, and the width of the memory's bus; 0 where the driver does not say
}

// String is one line: "NVIDIA H100 80GB HBM3, 80 GiB, compute capability 9.0, 132 multiprocessors, driver for CUDA 12.9".
func (c Card) String() string {
	return fmt.Sprintf("%s, %.0f GiB, compute capability %d.%d, %d multiprocessors, driver for CUDA %s", c.Name, float64(c.Bytes)/(1<<30), c.Major, c.Minor, c.Processors, c.Driver)
}

// check turns a code into an error in the driver's words.
func (t *driverTable) check(what string, code int32) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("cuda: %s: %s (%d)", what, t.words(code), code)
}

func (t *driverTable) words(code int32) string {
	var s *byte
	if t.ErrorString(code, &s) != 0 || s == nil {
		return "an error that the driver does not know"
	}
	var b []byte
	for p := s; *p != 0; p = (*byte)(unsafe.Add(unsafe.Pointer(p), 1)) {
		b = append(b, *p)
	}
	return string(b)
}

// cards lists what the driver has. It refuses a driver that is too old for the kernels.
func (t *driverTable) cards() ([]Card, error) {
	if code := t.Init(0); code == codeNoDevice {
		return nil, errors.New("cuda: the driver finds no card")
	} else if code != 0 {
		return nil, t.check("the driver does not start", code)
	}
	var v, n int32
	if err := t.check("cuDriverGetVersion", t.DriverGetVersion(&v)); err != nil {
		return nil, err
	}
	version := fmt.Sprintf("%d.%d", v/1000, v%1000/10)
	if v < oldestDriver {
		return nil, fmt.Errorf("cuda: the driver is for CUDA %s; the kernels want 11.2 or newer (driver 460)", version)
	}
	if err := t.check("cuDeviceGetCount", t.DeviceGetCount(&n)); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, errors.New("cuda: the driver finds no card")
	}
	var all []Card
	for i := range n {
		var dev, major, minor, processors int32
		var name [256]byte
		c := Card{Driver: version}
		for _, err := range []error{
			t.check("cuDeviceGet", t.DeviceGet(&dev, i)),
			t.check("cuDeviceGetName", t.DeviceGetName(&name[0], int32(len(name)), dev)),
			t.check("cuDeviceGetAttribute", t.DeviceAttribute(&major, attributeMajor, dev)),
			t.check("cuDeviceGetAttribute", t.DeviceAttribute(&minor, attributeMinor, dev)),
			t.check("cuDeviceGetAttribute", t.DeviceAttribute(&processors, attributeProcessors, dev)),
			t.check("cuDeviceTotalMem", t.DeviceTotalMem(&c.Bytes, dev)),
		} {
			if err != nil {
				return nil, err
			}
		}
		c.Name, _, _ = strings.Cut(string(name[:]), "\x00")
		c.Major, c.Minor, c.Processors = int(major), int(minor), int(processors)
		said := func(attribute int32) int {
			var v int32
			if t.DeviceAttribute(&v, attribute, dev) != 0 {
				return 0 // a card without it is a card
			}
			return int(v)
		}
		c.ClockMHz, c.MemoryMHz, c.BusBits = said(attributeClock)/1000, said(attributeMemoryClock)/1000, said(attributeBusWidth)
		all = append(all, c)
	}
	return all, nil
}

// Usable says why a card cannot run the kernels.
func (c Card) Usable() error {
	if c.Major < 8 {
		return fmt.Errorf("cuda: %s has compute capability %d.%d; the kernels want 8.0 or newer (Ampere)", c.Name, c.Major, c.Minor)
	}
	return nil
}

// arch is the cubin that a card takes: that of its own capability, else the newest older one of its generation; "" for the PTX.
func (c Card) arch() string {
	built := map[int][]int{8: {9, 6, 0}, 10: {0}, 12: {0}}
	if c.Major == 9 && c.Minor == 0 {
		return "sm_90a" // for this capability alone
	}
	for _, minor := range built[c.Major] {
		if minor <= c.Minor {
			return fmt.Sprintf("sm_%d%d", c.Major, minor)
		}
	}
	return ""
}

// openCard takes card number i into use.
func openCard(t *driverTable, i int) (*card, error) {
	all, err := t.cards()
	if err != nil {
		return nil, err
	}
	if i >= len(all) {
		var names []string
		for j, c := range all {
			names = append(names, fmt.Sprintf("cuda:%d %s", j, c.Name))
		}
		return nil, fmt.Errorf("cuda: there is no card cuda:%d; the driver has %s", i, strings.Join(names, ", "))
	}
	if err := all[i].Usable(); err != nil {
		return nil, err
	}
	c := &card{t: t, Card: all[i], ordinal: int32(i), functions: map[string]uintptr{}, modules: map[string]uintptr{}, allowed: map[string]int{}, live: map[uint64]int{}, kept: map[int][]uint64{}}
	for j := range c.params {
		c.params[j] = unsafe.Pointer(&c.args[j])
	}
	var dev int32
	if err := t.check("cuDeviceGet", t.DeviceGet(&dev, int32(i))); err != nil {
		return nil, err
	}
	if err := t.check("cuDevicePrimaryCtxRetain", t.ContextRetain(&c.ctx, dev)); err != nil {
		return nil, err
	}
	return c, c.do("cuStreamCreate", func() int32 { return t.StreamCreate(&c.stream, streamNonBlocking) })
}

// do makes a call on a thread to which the card's context belongs.
func (c *card) do(what string, f func() int32) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := c.t.check("cuCtxSetCurrent", c.t.ContextSetCurrent(c.ctx)); err != nil {
		return err
	}
	return c.t.check(what, f())
}

func (c *card) info() string { return c.Card.String() }
func (c *card) arch() string { return c.Card.arch() }

// function loads a kernel at its first use. A kernel's source is what its name begins with.
func (c *card) function(kernel string) (uintptr, error) {
	if f, ok := c.functions[kernel]; ok {
		return f, nil
	}
	source, _, _ := strings.Cut(kernel, "_")
	m, ok := c.modules[source]
	if !ok {
		img, err := image(source, c.Card.arch())
		if err == nil && img == nil {
			img, err = image(source, "")
		}
		if err != nil {
			return 0, err
		}
		img = append(img, 0) // PTX is a C string
		if err := c.do("loading kernels "+source, func() int32 { return c.t.ModuleLoadData(&m, &img[0]) }); err != nil {
			return 0, err
		}
		c.modules[source] = m
	}
	var f uintptr
	name := append([]byte(kernel), 0)
	if err := c.do("kernel "+kernel, func() int32 { return c.t.ModuleGetFunction(&f, m, &name[0]) }); err != nil {
		return 0, err
	}
	c.functions[kernel] = f
	return f, nil
}

func (c *card) launch(kernel string, grid, block [3]int, shared int, args []uint64) error {
	f, err := c.function(kernel)
	if err != nil {
		return err
	}
	o := op{kernel: kernel, function: f, grid: grid, block: block, shared: shared}
	copy(o.args[:], args)
	return c.add(o)
}

// add starts an operation, or has the graphs do it.
func (c *card) add(o op) error {
	if c.graphs != nil {
		return c.graphs.add(o)
	}
	return c.begin(&o)
}

// settle starts what graphs hold back: the next call goes past them.
func (c *card) settle() error {
	if c.graphs != nil {
		return c.graphs.end()
	}
	return nil
}

// begin starts an operation.
func (c *card) begin(o *op) error {
	switch {
	case o.kernel != "":
		return c.start(o.kernel, o.function, o.grid, o.block, o.shared, o.args[:])
	case o.plan != nil:
		var err error
		if failed := c.do("a product", func() int32 { err = c.blas.start(o.plan, o.product, c.stream); return 0 }); failed != nil {
			return failed
		}
		return err
	}
	return c.do("cuMemsetD8Async", func() int32 { return c.t.Memset(o.zeros, 0, uint64(o.bytes), c.stream) })
}

// load gives the driver PTX of the caller's own.
func (c *card) load(name string, ptx []byte) (func(kernel string, grid, block [3]int, shared int, args []uint64) error, error) {
	var m uintptr
	img := append(append([]byte{}, ptx...), 0)
	if err := c.do("loading "+name, func() int32 { return c.t.ModuleLoadData(&m, &img[0]) }); err != nil {
		return nil, err
	}
	return func(kernel string, grid, block [3]int, shared int, args []uint64) error {
		var f uintptr
		k := append([]byte(kernel), 0)
		if err := c.do("kernel "+kernel, func() int32 { return c.t.ModuleGetFunction(&f, m, &k[0]) }); err != nil {
			return err
		}
		if err := c.settle(); err != nil {
			return err
		}
		return c.start(kernel, f, grid, block, shared, args)
	}, nil
}

// start launches a function.
func (c *card) start(kernel string, f uintptr, grid, block [3]int, shared int, args []uint64) error {
	const always = 48 << 10 // more than this is asked for by each kernel
	if shared > always && shared > c.allowed[kernel] {
		if err := c.do("shared memory of "+kernel, func() int32 { return c.t.FuncSetAttribute(f, functionDynamicShared, int32(shared)) }); err != nil {
			return err
		}
		c.allowed[kernel] = shared
	}
	copy(c.args[:], args)
	return c.do(kernel, func() int32 {
		return c.t.LaunchKernel(f, uint32(grid[0]), uint32(grid[1]), uint32(grid[2]), uint32(block[0]), uint32(block[1]), uint32(block[2]),
			uint32(shared), c.stream, &c.params[0], 0)
	})
}

// library binds cuBLASLt where there is one.
func (c *card) library() (bool, error) {
	if t, _, err := loadBlas(); c.blas == nil && err == nil {
		if err := c.useBlas(t); err != nil {
			return false, err
		}
	}
	return c.blas != nil, nil
}

// multiply starts a product by cuBLASLt.
func (c *card) multiply(x multiplication) (done bool, err error) {
	if c.blas == nil {
		return false, nil
	}
	var p *blasPlan
	if failed := c.do("a product", func() int32 { p, err = c.blas.planned(x); return 0 }); failed != nil {
		return false, failed
	}
	if err != nil || p.none {
		return false, err
	}
	return true, c.add(op{product: x, plan: p})
}

// useBlas makes products go through a cuBLASLt.
func (c *card) useBlas(t *blasTable) error {
	l := &blas{t: t, plans: map[blasShape]*blasPlan{}}
	var err error
	if l.workspace, err = c.alloc(blasWorkspace); err != nil {
		return err
	}
	if err := c.do("cuBLASLt", func() int32 { err = l.check("the library does not start", t.Create(&l.handle)); return 0 }); err != nil {
		return err
	}
	if err == nil {
		c.blas = l
	}
	return err
}

func (c *card) upload(addr uint64, b []byte) error {
	if err := c.settle(); err != nil {
		return err
	}
	// From memory that is not pinned the driver copies to a buffer of its own before it returns.
	return c.do("a copy to the card", func() int32 { return c.t.CopyToDevice(addr, &b[0], uint64(len(b)), c.stream) })
}

func (c *card) download(b []byte, addr uint64) error {
	if err := c.settle(); err != nil {
		return err
	}
	if err := c.do("a copy from the card", func() int32 { return c.t.CopyToHost(&b[0], addr, uint64(len(b)), c.stream) }); err != nil {
		return err
	}
	return c.sync()
}

func (c *card) zero(addr uint64, bytes int) error {
	if bytes == 0 {
		return nil
	}
	return c.add(op{zeros: addr, bytes: bytes})
}

func (c *card) sync() error {
	if err := c.settle(); err != nil {
		return err
	}
	return c.do("the card's work", func() int32 { return c.t.StreamSynchronize(c.stream) })
}

// sizeClass rounds up so that memory given back fits again: four sizes for every power of two, 512 bytes at least.
func sizeClass(bytes int) int {
	size := 512
	for size < bytes {
		size *= 2
	}
	if size <= 1024 {
		return size
	}
	step := size / 8 // sizes between half and whole
	return (bytes + step - 1) / step * step
}

// alloc takes memory that was given back, or new memory. There is one stream, so work that still uses memory given back
// runs before what uses it next.
func (c *card) alloc(bytes int) (uint64, error) {
	size := sizeClass(bytes)
	if l := c.kept[size]; len(l) > 0 {
		addr := l[len(l)-1]
		c.kept[size] = l[:len(l)-1]
		c.pooled -= size
		c.take(addr, size)
		return addr, nil
	}
	var addr uint64
	code := int32(0)
	try := func() error {
		return c.do("cuMemAlloc", func() int32 { code = c.t.MemAlloc(&addr, uint64(size)); return code })
	}
	err := try()
	if code == codeOutOfMemory && c.pooled > 0 {
		if err := c.release(); err != nil {
			return 0, err
		}
		err = try()
	}
	switch {
	case code == codeOutOfMemory:
		return 0, c.outOfMemory(bytes)
	case err != nil:
		return 0, err
	}
	c.take(addr, size)
	return addr, nil
}

func (c *card) take(addr uint64, size int) {
	c.live[addr] = size
	c.inUse += size
}

func (c *card) free(addr uint64) {
	size, ok := c.live[addr]
	if !ok {
		panic(fmt.Sprintf("cuda: free of %#x, which is not in use", addr))
	}
	delete(c.live, addr)
	c.inUse -= size
	// The lowest address is used next, not the last one given back: after a step that gives back what it took, the next one
	// like it finds its buffers where they were.
	l := c.kept[size]
	at, _ := slices.BinarySearchFunc(l, addr, func(a, b uint64) int { return cmp.Compare(b, a) })
	c.kept[size] = slices.Insert(l, at, addr)
	c.pooled += size
}

// release gives what is kept back to the driver.
func (c *card) release() error {
	if err := c.sync(); err != nil {
		return err
	}
	for size, l := range c.kept {
		for _, addr := range l {
			if err := c.do("cuMemFree", func() int32 { return c.t.MemFree(addr) }); err != nil {
				return err
			}
		}
		c.pooled -= size * len(l)
	}
	clear(c.kept)
	return nil
}

// OutOfMemory says what did not fit and what fills the card.
type OutOfMemory struct {
	Wanted, InUse int    // bytes; InUse is this process's
	Free, Total   uint64 // bytes of the card
	Largest       []int  // the largest buffers in use, in bytes
}

// Error is one sentence with the numbers and what to do.
func (e *OutOfMemory) Error() string {
	var l []string
	for _, n := range e.Largest {
		l = append(l, mib(uint64(n)))
	}
	return fmt.Sprintf("cuda: out of memory: %s wanted, %s of %s free; this process uses %s, its largest buffers %s; fewer tokens in a batch, Recompute, OffloadOptimizer, LoRA or a smaller model take less, and Close gives back a model that is done with",
		mib(uint64(e.Wanted)), mib(e.Free), mib(e.Total), mib(uint64(e.InUse)), strings.Join(l, ", "))
}

func mib(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// available is what the card and this process can still give, in bytes.
func (c *card) available() (int64, error) {
	var free, total uint64
	err := c.do("cuMemGetInfo", func() int32 { return c.t.MemGetInfo(&free, &total) })
	return int64(free) + int64(c.pooled), err
}

func (c *card) outOfMemory(wanted int) error {
	e := &OutOfMemory{Wanted: wanted, InUse: c.inUse}
	if err := c.do("cuMemGetInfo", func() int32 { return c.t.MemGetInfo(&e.Free, &e.Total) }); err != nil {
		return err
	}
	for _, n := range c.live {
		e.Largest = append(e.Largest, n)
	}
	sort.Sort(sort.Reverse(sort.IntSlice(e.Largest)))
	e.Largest = e.Largest[:min(5, len(e.Largest))]
	return e
}

// Open returns the backend of card i, counted from 0 as the driver counts them.
func Open(i int) (*Backend, error) {
	t, _, err := loadDriver()
	if err != nil {
		return nil, err
	}
	c, err := openCard(t, i)
	if err != nil {
		return nil, err
	}
	return newBackend(backend.Numbered("cuda", i), c)
}

// Cards lists the cards, or says why there are none in one sentence.
func Cards() ([]Card, error) {
	t, _, err := loadDriver()
	if err != nil {
		return nil, err
	}
	return t.cards()
}

// Available tells whether there is a card that the backend can use.
func Available() bool {
	all, err := Cards()
	return err == nil && all[0].Usable() == nil
}

// DefaultDevice is the device of models for which none is asked: the one that TUNEBOOK_DEVICE names, else "cuda" where there is
// a card, else "cpu". All three compute in float32; "cuda-bf16" is several times as fast and has to be asked for.
func DefaultDevice() string {
	if name := os.Getenv("TUNEBOOK_DEVICE"); name != "" {
		return name
	}
	if Available() {
		return "cuda"
	}
	return "cpu"
}
