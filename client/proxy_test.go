package client_test

import (
	"context"
	"math/rand"
	"net"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"encke/cause"
	"encke/client"
	"encke/csp"
	"encke/tcpsocket"
	"encke/transports"
	"encke/whitelist"
)

// startProxy runs the server side for a test, without the command around it. It
// allows everything on 127.0.0.1.
func startProxy(t *testing.T, opts csp.Options) (url string, sessions *csp.Server) {
	t.Helper()
	return startLimited(t, opts, transports.Options{})
}

// startLimited is startProxy with options for the transports.
func startLimited(t *testing.T, opts csp.Options, links transports.Options) (url string, sessions *csp.Server) {
	t.Helper()
	rules, err := whitelist.New("127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	sockets := tcpsocket.NewServer(tcpsocket.NewDialer(rules, tcpsocket.DialOptions{}), tcpsocket.Options{})
	opts.Accept = func(s *csp.Session) csp.Handler { return sockets.Mux(s, tcpsocket.Caller{}) }
	sessions = csp.NewServer(opts)
	handler, err := transports.New(sessions, links)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(handler)
	t.Cleanup(func() {
		sessions.Close(cause.GoingAway.Err())
		srv.CloseClientConnections()
		srv.Close()
		handler.Wait(time.Second)
		sockets.Wait()
	})
	return srv.URL, sessions
}

// pair is a connection through the proxy and the backend's end of it.
func pair(t *testing.T, d *client.Dialer) (near, far net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			close(accepted)
			return
		}
		accepted <- c
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	near, err = d.DialContext(ctx, "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return near, <-accepted
}

// cutter is a way to the proxy whose connections can be cut, or cut themselves
// after a random number of bytes: some after few, some late enough for a whole
// packet to get through.
type cutter struct {
	rng *rand.Rand // nil: only by cut

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	cuts  int
}

func (c *cutter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	cc := &cuttingConn{Conn: conn, c: c, left: -1}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rng != nil {
		cc.left = 500 + c.rng.Intn(20_000)
		if c.rng.Intn(3) == 0 {
			cc.left = 100_000 + c.rng.Intn(1_000_000)
		}
	}
	if c.conns == nil {
		c.conns = make(map[net.Conn]struct{})
	}
	c.conns[conn] = struct{}{}
	return cc, nil
}

// cut resets all connections there are.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
	c.cuts += len(c.conns)
	clear(c.conns)
}

func (c *cutter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cuts
}

// cuttingConn passes on exactly so many bytes, both ways together, and is then
// cut in the middle of whatever it is.
type cuttingConn struct {
	net.Conn
	c    *cutter
	mu   sync.Mutex
	left int
}

func (c *cuttingConn) allow(n int) (allowed int, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left < 0 {
		return n, false
	}
	allowed = min(n, c.left)
	c.left -= allowed
	return allowed, c.left == 0
}

func (c *cuttingConn) die() {
	c.c.mu.Lock()
	if _, alive := c.c.conns[c.Conn]; alive {
		delete(c.c.conns, c.Conn)
		c.c.cuts++
	}
	c.c.mu.Unlock()
	c.Conn.Close()
}

func (c *cuttingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n == 0 {
		return n, err
	}
	n, last := c.allow(n)
	if last {
		c.die()
		if n == 0 {
			return 0, net.ErrClosed
		}
	}
	return n, err
}

func (c *cuttingConn) Write(p []byte) (int, error) {
	n, last := c.allow(len(p))
	wrote, err := c.Conn.Write(p[:n])
	if last {
		c.die()
		if err == nil && wrote < len(p) {
			err = net.ErrClosed
		}
	}
	return wrote, err
}
