package tcpsocket

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/whitelist"
)

// wire is a session reduced to what sockets need: what one end sends, the other
// receives, in order, in pieces of random size if asked for.
type wire struct {
	to    func([][]byte) error
	bound int

	mu       sync.Mutex
	cond     *sync.Cond
	queue    []*buffer.Buffer
	used     int    // queued and reserved
	yielded  int    // reservations that did
	sent     int    // bytes
	watch    string // what is looked for in what is sent
	watched  int    // bytes sent before that
	starved  bool
	writable func()
	held     bool // deliver nothing
	closed   bool
	err      error // of the receiver
	done     chan struct{}
}

func newWire(bound int) *wire {
	w := &wire{bound: bound, done: make(chan struct{})}
	w.cond = sync.NewCond(&w.mu)
	return w
}

func (w *wire) Send(b *buffer.Buffer, reserved int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used += b.Len() - reserved
	if w.watch != "" && strings.Contains(string(b.Bytes()), w.watch) {
		w.watched = w.sent
	}
	w.sent += b.Len()
	w.queue = append(w.queue, b)
	w.cond.Broadcast()
	return nil
}

func (w *wire) Reserve(n int, yield time.Duration, _ int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if yield > 0 {
		w.yielded++
	}
	n = min(n, w.bound-w.used)
	if n <= 0 {
		w.starved = true
		return 0
	}
	w.used += n
	return n
}

func (w *wire) Unreserve(n int) { w.free(n) }

func (w *wire) free(n int) {
	w.mu.Lock()
	w.used -= n
	wake := w.starved && w.used < w.bound
	if wake {
		w.starved = false
	}
	w.mu.Unlock()
	if wake {
		w.writable()
	}
}

func (w *wire) run() {
	defer close(w.done)
	for {
		w.mu.Lock()
		for (len(w.queue) == 0 || w.held) && !w.closed {
			w.cond.Wait()
		}
		if w.closed {
			w.mu.Unlock()
			return
		}
		b := w.queue[0]
		w.queue = w.queue[1:]
		w.mu.Unlock()
		err := w.to([][]byte{b.Bytes()})
		n := b.Len()
		b.Release()
		w.free(n)
		if err != nil {
			w.mu.Lock()
			w.err = err
			w.closed = true
			w.mu.Unlock()
			return
		}
	}
}

func (w *wire) hold(held bool) {
	w.mu.Lock()
	w.held = held
	w.cond.Broadcast()
	w.mu.Unlock()
}

func (w *wire) close() {
	w.mu.Lock()
	w.closed = true
	w.cond.Broadcast()
	w.mu.Unlock()
	<-w.done
}

// rig is a client and a mux joined by wires, and a way to make backends.
type rig struct {
	t        *testing.T
	client   *Client
	mux      *Mux
	server   *Server
	up, down *wire // page to proxy, proxy to page
}

type dialFunc func(ctx context.Context, dest whitelist.Dest, opts OpenOptions) (net.Conn, error)

func (f dialFunc) Open(ctx context.Context, _ Caller, dest whitelist.Dest, opts OpenOptions) (net.Conn, error) {
	return f(ctx, dest, opts)
}

func newRig(t *testing.T, opener Opener, opts Options) *rig {
	t.Helper()
	if opener == nil {
		rules, err := whitelist.New("127.0.0.1:*")
		if err != nil {
			t.Fatal(err)
		}
		opener = NewDialer(rules, DialOptions{})
	}
	r := &rig{t: t, up: newWire(256 << 10), down: newWire(256 << 10)}
	r.server = NewServer(opener, opts)
	r.mux = r.server.Mux(r.down, Caller{})
	r.client = NewClient(r.up)
	r.up.to, r.up.writable = r.mux.Receive, r.client.Writable
	r.down.to, r.down.writable = r.client.Receive, r.mux.Writable
	go r.up.run()
	go r.down.run()
	t.Cleanup(r.stop)
	return r
}

func (r *rig) stop() {
	r.up.close()
	r.mux.Closed(cause.SessionLost.Err())
	r.client.Closed(cause.SessionLost.Err())
	r.server.Wait()
	r.down.close()
}

// listen returns the address of a backend and its accepted connections.
func listen(t *testing.T) (whitelist.Dest, <-chan *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan *net.TCPConn, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns <- c.(*net.TCPConn)
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	dest, err := whitelist.ParseHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return dest, conns
}

// pair is a socket and the backend's end of it.
func (r *rig) pair() (*Conn, *net.TCPConn) {
	r.t.Helper()
	dest, conns := listen(r.t)
	s := r.dial(dest)
	far := <-conns
	r.t.Cleanup(func() { far.Close() })
	return s, far
}

func (r *rig) dial(dest whitelist.Dest) *Conn {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	s, err := r.client.Dial(ctx, dest)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// eventually waits for a state that other goroutines bring about.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 3000 {
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("not within 30 s: %s", what)
}
