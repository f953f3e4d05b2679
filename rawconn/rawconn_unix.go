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
	n, err := tryRead(int(fd), p)
	if err != nil {
		r.unplace()
	}
	if err == syscall.EAGAIN {
		r.again = r.due != nil && r.due()
		return r.again
	}
	r.n, r.err = n, err
	return true
}

// tryRead is a read that does not wait: instead the error is syscall.EAGAIN.
func tryRead(fd int, p []byte) (int, error) {
	for {
		n, err := read(fd, p)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return 0, err
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

func atEnd(fd int) bool {
	var p [1]byte
	n, _, err := syscall.Recvfrom(fd, p[:], syscall.MSG_PEEK) // fd does not block
	return n == 0 && err == nil
}

// writable is called once and writes until the socket takes no more.
func (w *Writer) writable(fd uintptr) bool {
	for len(w.p) > 0 {
		n, err := write(int(fd), w.p)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			w.err = os.NewSyscallError("write", err)
			return true
		default:
			w.n += n
			w.p = Cut(w.p, n)
		}
	}
	return true
}

// write writes what it can of the first pieces.
func write(fd int, p [][]byte) (int, error) {
	if len(p) == 1 {
		return writeOne(fd, p[0])
	}
	return writeMany(fd, p[:min(len(p), atOnce)])
}

// atOnce is how many pieces are written together, for which unix.Writev needs no memory.
const atOnce = 8

func (t *transfer) readable(fd uintptr) bool {
	t.n, t.err = tryRead(int(fd), t.p)
	return t.err != syscall.EAGAIN
}

// writable writes all of it, however often it is called for that.
func (t *transfer) writable(fd uintptr) bool {
	for t.n < len(t.p) {
		n, err := writeOne(int(fd), t.p[t.n:])
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return false
		case err != nil:
			t.err = os.NewSyscallError("write", err)
			return true
		default:
			t.n += n
		}
	}
	return true
}
