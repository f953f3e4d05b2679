package rawconn

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// These calls do not wait, so Go is not told of them. Before it makes one that might, it wakes
// the thread that watches for that (sysmon) if that has gone to sleep, and the thread then
// looks every 20 µs for a millisecond: where messages come now and then that is a quarter of
// all the work. The same thread sees to it that those who go on without a pause let others
// run, and that the network is looked at when all do. So large writes, which take their time,
// are ordinary calls, and of all others every so many.

const ordinary = 1024

var calls atomic.Uint32

func read(fd int, p []byte) (int, error) {
	if calls.Add(1)%ordinary == 0 {
		return syscall.Read(fd, p)
	}
	n, err := nowait(unix.SYS_RECVFROM, fd, p)
	received()
	return n, err
}

func writeOne(fd int, p []byte) (int, error) {
	if len(p) > smallWrite || calls.Add(1)%ordinary == 0 {
		return syscall.Write(fd, p)
	}
	sending()
	return nowait(unix.SYS_SENDTO, fd, p)
}

func nowait(call uintptr, fd int, p []byte) (int, error) {
	n, _, errno := unix.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func writeMany(fd int, p [][]byte) (int, error) { return unix.Writev(fd, p) }
