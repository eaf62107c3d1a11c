package tensor

// DType is the type of a tensor's elements.
type DType uint8

// The element types that buffers hold. Quantised types of files are read into F32 by package weights.
const (
	F32 DType = iota // IEEE 754 binary32
	I32              // two's complement, 32 bits: token ids, positions, row indices
)

// String returns the type's name in lower case, as files and messages write it.
func (d DType) String() string {
	switch d {
	case F32:
		return "f32"
	case I32:
		return "i32"
	}
	return "unknown"
}

// Bytes returns the size of one element.
func (d DType) Bytes() int { return 4 }
