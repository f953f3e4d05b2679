package soak

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// weather is what a session's TCP connections to the proxy go through. Each new one draws
// its own lot.
type weather struct {
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	count func(fault string)

	mu   sync.Mutex
	rng  *rand.Rand
	bad  int  // connections in a row that were to fail
	calm bool // faults have ended
}

// mostBad is how many connections in a row fail by lot. More could keep a session without
// a link for longer than it can be resumed, which would be nobody's fault.
const mostBad = 3

// ways in which a connection fails when its bytes are used up.
var ways = []string{"connection reset", "connection closed", "connection stalled", "connection half open"}

func (w *weather) open(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := w.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	b := &badConn{Conn: conn, w: w, left: -1, over: make(chan struct{})}
	if w.calm {
		return b, nil
	}
	if w.bad++; w.bad > mostBad || w.rng.IntN(3) == 0 {
		w.bad = 0
	} else {
		b.way = ways[w.rng.IntN(len(ways))]
		b.left = int64(1) << w.rng.IntN(8+w.rng.IntN(13)) * int64(2+w.rng.IntN(3)) / 2
	}
	switch w.rng.IntN(12) {
	case 0:
		b.delay = time.Duration(1+w.rng.IntN(100)) * time.Millisecond
		w.count("connection delayed")
	case 1:
		b.piece = 1 + w.rng.IntN(200)
		w.count("connection in small pieces")
	case 2:
		b.hold = time.Duration(1+w.rng.IntN(1500)) * time.Millisecond
		w.count("connection held back")
	}
	return b, nil
}

// settle lets connections live from now on; those that failed already stay so.
func (w *weather) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calm = true
}

func (w *weather) isCalm() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calm
}

// badConn passes exactly left bytes, both ways together, and fails then in the middle of
// whatever it is.
type badConn struct {
	net.Conn
	w     *weather
	way   string
	delay time.Duration // before each piece that was read is handed on
	hold  time.Duration // before the first one is
	piece int           // most bytes of one Write on the wire; 0: any
	over  chan struct{} // closed by Close
	once  sync.Once

	mu    sync.Mutex
	left  int64 // -1: any number
	ended bool
}

var errBroken = errors.New("the connection was broken for the test")

// take says how many of n bytes still pass.
func (b *badConn) take(n int) (passed int, fails bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return 0, true
	}
	if b.left < 0 || b.w.isCalm() {
		return n, false
	}
	passed = int(min(int64(n), b.left))
	b.left -= int64(passed)
	if b.left > 0 || n == 0 {
		return passed, false
	}
	b.ended = true
	b.w.count(b.way)
	return passed, true
}

// fail does to the connection what is due, and returns what a Read or Write says.
func (b *badConn) fail() error {
	switch b.way {
	case "connection reset":
		if tcp, ok := b.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = b.Close()
	case "connection closed":
		_ = b.Close()
	default:
		<-b.over // the other side hears nothing
	}
	return errBroken
}

// Read implements net.Conn.
func (b *badConn) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if n == 0 {
		return n, err
	}
	b.mu.Lock()
	wait := b.delay + b.hold
	b.hold = 0
	b.mu.Unlock()
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-b.over:
		}
	}
	n, fails := b.take(n)
	if fails {
		if n > 0 {
			return n, nil // the next call fails
		}
		return 0, b.fail()
	}
	return n, err
}

// Write implements net.Conn.
func (b *badConn) Write(p []byte) (int, error) {
	n, fails := b.take(len(p))
	wrote := 0
	for wrote < n {
		end := n
		if b.piece > 0 {
			end = min(n, wrote+b.piece)
		}
		m, err := b.Conn.Write(p[wrote:end])
		wrote += m
		if err != nil {
			return wrote, err
		}
	}
	switch {
	case !fails:
		return wrote, nil
	case b.way == "connection half open": // what is written seems to arrive
		return len(p), nil
	}
	return wrote, b.fail()
}

// SetLinger lets a peer reset the connection.
func (b *badConn) SetLinger(seconds int) error {
	if tcp, ok := b.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(seconds)
	}
	return nil
}

// Close implements net.Conn.
func (b *badConn) Close() error {
	b.once.Do(func() { close(b.over) })
	return b.Conn.Close()
}
