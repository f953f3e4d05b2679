package demo

import (
	"net"
	"sync"
)

// listener accepts on loopback and remembers what it accepted, so that closing
// it ends the connections too: also those that have not said anything yet, which
// no server above it knows.
type listener struct {
	*net.TCPListener

	mu     sync.Mutex
	open   map[*conn]struct{} // accepted and not closed; nil once the listener is closed
	served sync.WaitGroup     // goroutines of serve
}

type conn struct {
	*net.TCPConn
	owner *listener
}

// listen takes a free port of 127.0.0.1.
func listen() (*listener, error) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	return &listener{TCPListener: l, open: map[*conn]struct{}{}}, nil
}

// Accept returns the next connection; its Close also forgets it.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.accept()
	if err != nil {
		return nil, err // a nil *conn in a net.Conn would not be nil
	}
	return c, nil
}

func (l *listener) accept() (*conn, error) {
	tcp, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	c := &conn{TCPConn: tcp, owner: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		_ = tcp.Close() // accepted while the listener was being closed
		return nil, net.ErrClosed
	}
	l.open[c] = struct{}{}
	return c, nil
}

// Close stops accepting and closes every open connection. It does not wait for
// whoever reads them.
func (l *listener) Close() error {
	l.mu.Lock()
	open := l.open
	l.open = nil
	l.mu.Unlock()

	err := l.TCPListener.Close()
	for c := range open {
		_ = c.TCPConn.Close()
	}
	return err
}

func (c *conn) Close() error {
	c.owner.mu.Lock()
	delete(c.owner.open, c)
	c.owner.mu.Unlock()
	return c.TCPConn.Close()
}

// serve runs handle for each connection, in a goroutine of its own, and closes
// the connection when handle returns. The returned backend's stop ends all that
// by closing the connections, and waits.
func (l *listener) serve(handle func(*conn)) backend {
	l.served.Go(func() { // ended by Close
		for {
			c, err := l.accept()
			if err != nil {
				return
			}
			l.served.Go(func() { // ended by handle, at the latest when Close closes c
				defer c.Close()
				handle(c)
			})
		}
	})
	return backend{addr: l.addr(), stop: func() error {
		err := l.Close()
		l.served.Wait()
		return err
	}}
}

func (l *listener) addr() *net.TCPAddr { return l.Addr().(*net.TCPAddr) }
