package main

import (
	"io"
	"net"
	"sync"
	"syscall"
)

const floorBuffer = 64 << 10

var floorPool = sync.Pool{New: func() any { return new([floorBuffer]byte) }}

// lazyReader reads a socket into a pooled buffer, which it holds only while there is
// something in it.
type lazyReader struct {
	raw  syscall.RawConn
	try  func(fd uintptr) bool
	keep []byte // not yet parsed, put in front of the next read
	off  int    // free space in front of what is read
	buf  *[floorBuffer]byte
	n    int
	err  error
}

func newLazyReader(c *net.TCPConn, off int) *lazyReader {
	r := &lazyReader{off: off}
	r.raw, _ = c.SyscallConn()
	r.try = r.attempt
	return r
}

func (r *lazyReader) attempt(fd uintptr) bool {
	b := floorPool.Get().(*[floorBuffer]byte)
	for {
		n, err := syscall.Read(int(fd), b[r.off+len(r.keep):])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			floorPool.Put(b)
			return false
		case err != nil || n <= 0:
			floorPool.Put(b)
			if r.err = err; err == nil {
				r.err = io.EOF
			}
			return true
		}
		copy(b[r.off:], r.keep)
		r.buf, r.n = b, n+len(r.keep)
		r.keep = r.keep[:0]
		return true
	}
}

// read returns a buffer and the part of it that is filled; the caller gives the buffer
// back to floorPool.
func (r *lazyReader) read() (*[floorBuffer]byte, []byte, error) {
	if err := r.raw.Read(r.try); err != nil {
		return nil, nil, err
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	b := r.buf
	r.buf = nil
	return b, b[r.off : r.off+r.n], nil
}
