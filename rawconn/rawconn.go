// Package rawconn reads sockets without holding a buffer while waiting, and
// writes to them without waiting. On connections that are no sockets (TLS, pipes)
// and on systems other than Unix it does the same with ordinary calls, at the
// price of a small buffer for each. On Linux the runtime is not told of its system calls,
// since they do not wait. It imports nothing of ours.
package rawconn

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// fallbackSize is what a Reader holds where it cannot wait without a buffer.
const fallbackSize = 4 << 10

// Reader reads a connection. Its methods must not be called concurrently.
type Reader struct {
	conn    net.Conn
	raw     syscall.RawConn // nil: fallback
	place   func() []byte
	unplace func()
	due     func() bool // OnWait, or nil
	waits   func()
	poll    func(fd uintptr) bool // r.readable, made once

	n      int
	err    error
	again  bool   // nothing was read: waits comes first
	held   []byte // fallback: its buffer
	unread []byte // fallback: read and not yet placed

	rest rest
}

// NewReader returns a Reader of conn. place is asked for a slice each time there
// may be something to read; when there was nothing after all, unplace is called
// to take the slice back.
func NewReader(conn net.Conn, place func() []byte, unplace func()) *Reader {
	r := &Reader{conn: conn, raw: rawOf(conn), place: place, unplace: unplace}
	r.poll = r.readable
	return r
}

// OnWait has f called before a Read that may wait, in its goroutine, if due says so, which it
// must not again until something was read.
func (r *Reader) OnWait(due func() bool, f func()) { r.due, r.waits = due, f }

// Read waits until there is something to read, asks for a place and reads into
// it. It returns the number of bytes read, or 0 and nil when place returned nil:
// then nothing was read. At the end of the stream the error is io.EOF.
func (r *Reader) Read() (int, error) { return r.read(false) }

// Ended reports whether all that the other side has sent was read, and it will send no
// more, without waiting. It may be false although that is so.
func (r *Reader) Ended() bool {
	if r.raw == nil {
		return false
	}
	ended := false
	err := r.raw.Control(func(fd uintptr) { ended = atEnd(int(fd)) })
	return err == nil && ended
}

func (r *Reader) read(mayRest bool) (int, error) {
	if r.raw == nil {
		return r.readBlocking()
	}
	for {
		r.n, r.err = 0, nil
		err := r.raw.Read(r.poll)
		switch {
		case err == nil && r.again: // not in raw.Read, where closing the connection would wait for itself
			r.again = false
			r.waits()
		case err == nil:
			if r.n > 0 {
				r.watch()
			}
			return r.n, r.err
		case !errors.Is(err, os.ErrDeadlineExceeded) || !r.wasKicked():
			return 0, err
		case mayRest:
			return 0, ErrQuiet
		}
	}
}

func (r *Reader) readBlocking() (int, error) {
	if len(r.unread) == 0 {
		if r.held == nil {
			r.held = make([]byte, fallbackSize)
		}
		if r.due != nil && r.due() {
			r.waits()
		}
		n, err := r.conn.Read(r.held)
		if n == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return 0, err
		}
		r.unread = r.held[:n]
	}
	p := r.place()
	if p == nil {
		return 0, nil
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}

// Writer writes to a connection without waiting. Its methods must not be called
// concurrently.
type Writer struct {
	raw  syscall.RawConn // nil: cannot
	poll func(fd uintptr) bool
	one  [1][]byte // for TryWrite
	p    [][]byte  // to be written
	n    int
	err  error
}

// NewWriter returns a Writer to conn.
func NewWriter(conn net.Conn) *Writer {
	w := &Writer{raw: rawOf(conn)}
	w.poll = w.writable
	return w
}

// TryWrite writes as much of p as the connection takes at once and returns how
// much that was. Less than len(p) without an error means that the rest must be
// written in a way that can wait.
func (w *Writer) TryWrite(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	w.one[0] = p
	_, n, err := w.TryWriteAll(w.one[:])
	w.one[0] = nil
	return n, err
}

// TryWriteAll is TryWrite for pieces, several in one system call where there is one for it.
// rest are the pieces that are left; the first may have been cut in place.
func (w *Writer) TryWriteAll(pieces [][]byte) (rest [][]byte, n int, err error) {
	if w.raw == nil || len(pieces) == 0 {
		return pieces, 0, nil
	}
	w.p, w.n, w.err = pieces, 0, nil
	err = w.raw.Write(w.poll)
	rest, w.p = w.p, nil
	if err == nil {
		err = w.err
	}
	return rest, w.n, err
}

// Cut returns pieces without their first n bytes. The first piece may be cut in place.
func Cut(pieces [][]byte, n int) [][]byte {
	for len(pieces) > 0 && n >= len(pieces[0]) {
		n -= len(pieces[0])
		pieces = pieces[1:]
	}
	if n > 0 {
		pieces[0] = pieces[0][n:]
	}
	return pieces
}

func rawOf(conn net.Conn) syscall.RawConn {
	sc, ok := conn.(syscall.Conn)
	if !ok || !supported {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
