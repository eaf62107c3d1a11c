package pages

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

func populate(b []byte) {
	size := os.Getpagesize()
	at := int(uintptr(unsafe.Pointer(unsafe.SliceData(b))) % uintptr(size))
	from := (size - at) % size
	to := len(b) - (at+len(b))%size
	if from < to { // whole pages: those at the ends hold other memory too, which is there
		unix.Madvise(b[from:to], unix.MADV_POPULATE_WRITE)
	}
}
