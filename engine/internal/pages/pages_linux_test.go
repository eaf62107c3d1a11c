package pages

import (
	"errors"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What Populate was called of is in memory before it is written.
func TestPopulateTakesPages(t *testing.T) {
	if os.Getpagesize() != 4096 {
		t.Skip("pages of another size than 4096 bytes")
	}
	const size = 64 << 12
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(b)
	if err := unix.Madvise(b[:4096], unix.MADV_POPULATE_WRITE); errors.Is(err, unix.EINVAL) {
		t.Skip("this Linux has no MADV_POPULATE_WRITE")
	}
	Populate(b[4096+1 : size/2+1])
	for i, r := range resident(t, b) {
		// Page 1 is in part other memory's, and the one byte of page size/2 too.
		if want := i == 0 || i >= 2 && i < size/2>>12; r != want {
			t.Fatalf("page %d of %d: in memory %v; wanted %v", i, size>>12, r, want)
		}
	}
}

// resident tells of each page whether it is in memory.
func resident(t *testing.T, b []byte) []bool {
	t.Helper()
	v := make([]byte, len(b)>>12)
	if _, _, err := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(unsafe.Pointer(&v[0]))); err != 0 {
		t.Fatal(err)
	}
	in := make([]bool, len(v))
	for i, x := range v {
		in[i] = x&1 == 1
	}
	return in
}
