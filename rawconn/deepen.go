package rawconn

import "runtime"

// Deepen gives the goroutine that calls it, near its top, a stack for deep calls: of 8 KiB
// instead of 2. Growing it later, in steps, copies it with all the frames that are there
// by then.
//
//go:noinline
func Deepen() {
	var room [4 << 10]byte
	runtime.KeepAlive(&room)
}
