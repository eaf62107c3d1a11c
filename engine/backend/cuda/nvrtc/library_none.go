//go:build !linux || nogpu

package nvrtc

import (
	"errors"
	"runtime"
)

// Compiler is the loaded library; this binary can load none.
type Compiler struct{}

// Open says why this binary has no compiler.
func Open() (*Compiler, error) {
	if runtime.GOOS == "linux" {
		return nil, errors.New("nvrtc: this binary was built with the tag nogpu and loads no library; build it without the tag")
	}
	return nil, errors.New("nvrtc: the compiler is loaded on linux only; this is " + runtime.GOOS)
}

// Path is empty.
func (*Compiler) Path() string { return "" }

// Version is empty.
func (*Compiler) Version() string { return "" }

// Compile never runs, since Open gives no Compiler.
func (*Compiler) Compile(name, source string, o Options) (*Program, error) {
	_, err := Open()
	return nil, err
}
