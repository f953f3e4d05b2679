package tcpsocket

import (
	"testing"
	"unsafe"
)

// What is larger gets memory of the next size.
func TestSize(t *testing.T) {
	const most = 288
	if n := unsafe.Sizeof(socket{}); unsafe.Sizeof(uintptr(0)) == 8 && n > most {
		t.Errorf("a socket has %d bytes, want at most %d", n, most)
	}
}
