package rawconn

import "runtime"

// Deepen8K and Deepen16K give the goroutine that calls them, near its top, a stack of that
// size at once. It begins with 2 KiB, and growing it later, in steps, copies it with all the
// frames that are there by then.

//go:noinline
func Deepen8K() {
	var room [4 << 10]byte
	runtime.KeepAlive(&room)
}

//go:noinline
func Deepen16K() {
	var room [8 << 10]byte
	runtime.KeepAlive(&room)
}
