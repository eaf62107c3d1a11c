package nvrtc

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func open(t *testing.T) *Compiler {
	c, err := Open()
	if err != nil {
		t.Skip(err)
	}
	return c
}

const twice = `#include "by.cuh"
extern "C" __global__ void twice(float* x, int n) {
  __shared__ float s[BLOCK];
  int i = threadIdx.x;
  s[i] = by() * x[i];
  __syncthreads();
  if (i < n) x[i] = s[n - 1 - i];
}
`

func TestCompile(t *testing.T) {
	c := open(t)
	o := Options{Headers: map[string]string{"by.cuh": "__device__ float by() { return 2; }\n"}, Define: []string{"BLOCK=64"}, Lines: true}
	o.Arch = "compute_80"
	p, err := c.Compile("twice.cu", twice, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".entry twice(", ".target sm_80", ".loc", "twice.cu"} {
		if !bytes.Contains(p.Image, []byte(want)) {
			t.Errorf("no %q in the PTX", want)
		}
	}
	o.Arch = "sm_90a"
	p, err = c.Compile("twice.cu", twice, o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(p.Image, []byte("\x7fELF")) {
		t.Errorf("a cubin that begins with %q", p.Image[:4])
	}
	if len(p.Usage) != 1 || p.Usage[0].Kernel != "twice" || p.Usage[0].Registers < 4 || p.Usage[0].Shared != 256 {
		t.Errorf("usage %+v; wanted twice, some registers and 256 bytes shared", p.Usage)
	}
}

func TestCompileError(t *testing.T) {
	c := open(t)
	_, err := c.Compile("wrong.cu", "__global__ void f(float* x) {\n  x[0] = y;\n}\n", Options{Arch: "compute_80"})
	var wrong *CompileError
	if !errors.As(err, &wrong) {
		t.Fatalf("%v; wanted a CompileError", err)
	}
	if got := err.Error(); !strings.HasPrefix(got, "wrong.cu:2: ") || !strings.Contains(got, `"y" is undefined`) {
		t.Errorf("%q", got)
	}
}

func TestLogs(t *testing.T) {
	e := compileError("a.cu(3): error: identifier \"q\" is undefined\n  x = q;\n      ^\n\na.cu(9): error #20: no\n\n2 errors detected in the compilation of \"a.cu\".\nnvrtc: error: bad option\n")
	if got, want := e.Error(), "a.cu:3: identifier \"q\" is undefined\na.cu:9: no"; !strings.HasPrefix(got, want) {
		t.Errorf("%q; wanted %q first", got, want)
	}
	u := usage("ptxas info    : Compiling entry function 'f' for 'sm_80'\nptxas info    : Function properties for f\n    8 bytes stack frame, 12 bytes spill stores, 4 bytes spill loads\n" +
		"ptxas info    : Used 40 registers, used 1 barriers, 8 bytes cumulative stack size, 1056 bytes smem, 396 bytes cmem[0]\n" +
		"ptxas info    : Compiling entry function 'g' for 'sm_80'\nptxas info    : Used 8 registers, 396 bytes cmem[0]\n")
	if len(u) != 2 || u[0] != (Usage{"f", 40, 12, 8, 1056}) || u[1] != (Usage{"g", 8, 0, 0, 0}) {
		t.Errorf("%+v", u)
	}
}
