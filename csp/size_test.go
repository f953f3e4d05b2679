package csp

import (
	"testing"
	"unsafe"
)

// What is larger gets memory of the next size: with the eight bytes that are the
// allocator's own, 640 bytes are one.
func TestSize(t *testing.T) {
	const most = 632
	if n := unsafe.Sizeof(Session{}); unsafe.Sizeof(uintptr(0)) == 8 && n > most {
		t.Errorf("a Session has %d bytes, want at most %d", n, most)
	}
}
