package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// conns are the TCP connections of a Peer.
type conns struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu   sync.Mutex
	live map[*conn]struct{}
	next bool // the next connection is to be cut, since there was none
}

// conn leaves its conns when it is closed.
type conn struct {
	net.Conn
	all *conns
}

func (c *conns) open(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := c.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	one := &conn{raw, c}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live == nil {
		c.live = make(map[*conn]struct{})
	}
	c.live[one] = struct{}{}
	if c.next {
		c.next = false
		c.reset()
	}
	return one, nil
}

// cut resets all connections there are, or the next one when there are none. It returns
// how many.
func (c *conns) cut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = len(c.live) == 0
	return max(c.reset(), 1)
}

// reset is cut with mu held.
func (c *conns) reset() int {
	for one := range c.live {
		if tcp, ok := one.Conn.(interface{ SetLinger(int) error }); ok {
			_ = tcp.SetLinger(0)
		}
		_ = one.Conn.Close()
	}
	n := len(c.live)
	clear(c.live)
	return n
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.all.mu.Lock()
	delete(c.all.live, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

var errCut = errors.New("connection closed by the other side")

// cutConn makes the end of the connection an error. The WebSocket library takes
// io.EOF inside a frame for the end of the message.
type cutConn struct{ net.Conn }

func (c cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n == 0 && err == io.EOF {
		err = errCut
	}
	return n, err
}
