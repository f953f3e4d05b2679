package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// Backend is a listening TCP server.
type Backend struct {
	ln    net.Listener
	wg    sync.WaitGroup
	ended chan error // one value for each connection that was served, in the order of their ends

	written, read atomic.Int64

	mu    sync.Mutex
	conns map[*net.TCPConn]bool // open ones; nil when the backend is closed
}

// start listens and serves each connection with serve, in its own goroutine, until t
// ends; it closes the connection when serve returns.
func start(t testing.TB, serve func(*Backend, *net.TCPConn) error) *Backend {
	t.Helper()
	return startWith(t, net.ListenConfig{}, serve)
}

// startTight is start with as little room for bytes in the kernel as can be had, so that
// a transfer that is held stops soon: small buffers here, and segments of Ethernet's
// size, from which the other side derives its own.
func startTight(t testing.TB, serve func(*Backend, *net.TCPConn) error) *Backend {
	t.Helper()
	return startWith(t, net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var errs []error
		err := c.Control(func(fd uintptr) {
			for _, option := range []struct{ level, name, value int }{
				{syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16 << 10},
				{syscall.SOL_SOCKET, syscall.SO_SNDBUF, 64 << 10},
				{syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1460},
			} {
				errs = append(errs, syscall.SetsockoptInt(int(fd), option.level, option.name, option.value))
			}
		})
		return errors.Join(append(errs, err)...)
	}}, serve)
}

func startWith(t testing.TB, config net.ListenConfig, serve func(*Backend, *net.TCPConn) error) *Backend {
	t.Helper()
	ln, err := config.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &Backend{ln: ln, ended: make(chan error, 1024), conns: make(map[*net.TCPConn]bool)}
	t.Cleanup(b.close)
	b.wg.Go(func() { // until close closes the listener
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conn := c.(*net.TCPConn)
			if !b.keep(conn) {
				return
			}
			b.wg.Go(func() { // until serve ends, at the latest when close closes conn
				err := serve(b, conn)
				b.drop(conn)
				if err != nil && !errors.Is(err, net.ErrClosed) {
					err = fmt.Errorf("backend: %w", err)
				}
				b.ended <- err
			})
		}
	})
	return b
}

// Addr is the backend's address as 127.0.0.1:PORT.
func (b *Backend) Addr() string { return b.ln.Addr().String() }

// Host is the backend's host, 127.0.0.1.
func (b *Backend) Host() string { return "127.0.0.1" }

// Port is the backend's port.
func (b *Backend) Port() int { return b.ln.Addr().(*net.TCPAddr).Port }

// Written is the number of bytes that the kernel has taken from the backend so far.
func (b *Backend) Written() int64 { return b.written.Load() }

// Read is the number of bytes that the backend has read so far.
func (b *Backend) Read() int64 { return b.read.Load() }

// Ended delivers how each connection ended: nil when everything was as it should be.
func (b *Backend) Ended() <-chan error { return b.ended }

// Open is the number of connections that are open now.
func (b *Backend) Open() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.conns)
}

func (b *Backend) keep(conn *net.TCPConn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conns == nil {
		_ = conn.Close()
		return false
	}
	b.conns[conn] = true
	return true
}

func (b *Backend) drop(conn *net.TCPConn) {
	_ = conn.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, conn)
}

func (b *Backend) close() {
	_ = b.ln.Close()
	b.mu.Lock()
	for conn := range b.conns {
		_ = conn.Close()
	}
	b.conns = nil
	b.mu.Unlock()
	b.wg.Wait()
}

// counting counts what goes through a connection.
type counting struct {
	*Backend
	conn *net.TCPConn
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func (c counting) Write(p []byte) (int, error) {
	n, err := c.conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

var _ io.ReadWriter = counting{}

// Refuse returns a port of 127.0.0.1 on which nobody listens and nobody else will until
// t ends: the port is bound, so a dial is answered by a RST.
func Refuse(t testing.TB) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return name.(*syscall.SockaddrInet4).Port
}
