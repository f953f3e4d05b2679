//go:build unix

package rawconn

import (
	"io"
	"os"
	"syscall"
)

const supported = true

// readable is called when the socket may have something to read. False makes the
// runtime wait until it has.
func (r *Reader) readable(fd uintptr) bool {
	p := r.place()
	if p == nil {
		return true
	}
	for {
		n, err := syscall.Read(int(fd), p)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			r.unplace()
			return false
		case err != nil:
			r.unplace()
			r.err = os.NewSyscallError("read", err)
		case n == 0:
			r.unplace()
			r.err = io.EOF
		default:
			r.n = n
		}
		return true
	}
}

func atEnd(fd int) bool {
	var p [1]byte
	n, _, err := syscall.Recvfrom(fd, p[:], syscall.MSG_PEEK) // fd does not block
	return n == 0 && err == nil
}

// writable is called once and writes until the socket takes no more.
func (w *Writer) writable(fd uintptr) bool {
	for len(w.p[0])+len(w.p[1]) > 0 {
		n, err := write(int(fd), &w.p)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			w.err = os.NewSyscallError("write", err)
			return true
		default:
			w.n += n
			first := min(n, len(w.p[0]))
			w.p[0], w.p[1] = w.p[0][first:], w.p[1][n-first:]
		}
	}
	return true
}

// write writes what it can of the two.
func write(fd int, p *[2][]byte) (int, error) {
	switch {
	case len(p[0]) == 0:
		return syscall.Write(fd, p[1])
	case len(p[1]) == 0:
		return syscall.Write(fd, p[0])
	}
	return writeBoth(fd, p)
}
