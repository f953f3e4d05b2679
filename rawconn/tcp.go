package rawconn

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// smallWrite is up to how many bytes are written without telling Go (nowait_linux.go).
const smallWrite = 4 << 10

// TCPConn is a net.TCPConn whose Read, and Write of little, go without what Go does around
// system calls that may wait.
type TCPConn struct {
	*net.TCPConn
	raw syscall.RawConn // nil: it is no other than a net.TCPConn
}

// NewTCPConn returns conn as a TCPConn.
func NewTCPConn(conn *net.TCPConn) TCPConn { return TCPConn{conn, rawOf(conn)} }

// Read reads from the connection as that of net.TCPConn does.
func (c TCPConn) Read(p []byte) (int, error) {
	if c.raw == nil || len(p) == 0 {
		return c.TCPConn.Read(p)
	}
	t := transfers.Get().(*transfer)
	t.p = p
	err := c.raw.Read(t.read)
	return c.done(t, "read", err)
}

// Write writes to the connection as that of net.TCPConn does.
func (c TCPConn) Write(p []byte) (int, error) {
	if c.raw == nil || len(p) > smallWrite {
		return c.TCPConn.Write(p)
	}
	t := transfers.Get().(*transfer)
	t.p = p
	err := c.raw.Write(t.write)
	return c.done(t, "write", err)
}

func (c TCPConn) done(t *transfer, op string, err error) (int, error) {
	n := t.n
	var raw *net.OpError
	switch {
	case errors.As(err, &raw):
		raw.Op = op
	case err == nil && t.err != nil && t.err != io.EOF:
		err = &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: t.err}
	case err == nil:
		err = t.err
	}
	t.p, t.n, t.err = nil, 0, nil
	transfers.Put(t)
	return n, err
}

// transfer is a Read or Write under way.
type transfer struct {
	p           []byte
	n           int
	err         error
	read, write func(fd uintptr) bool // readable and writable, made once
}

var transfers = sync.Pool{New: func() any {
	t := new(transfer)
	t.read, t.write = t.readable, t.writable
	return t
}}
