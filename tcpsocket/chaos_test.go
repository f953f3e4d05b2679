package tcpsocket

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"encke/whitelist"
)

// Sockets of one session, many at a time, that open, send, half-close, close and are
// closed in every order and at every moment. What one side wrote before it ended its
// direction the other reads, each byte by its position, and then the end.
func TestChaosOfSockets(t *testing.T) {
	const rounds, workers = 1500, 24
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := newRig(t, nil, Options{MaxSockets: 1000, OpenRate: 1 << 20, OpenBurst: 1 << 20, MaxPerTarget: 1 << 20})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stage := &stage{seed: seed, ended: make(map[uint64]chan error)}
	stage.wg.Go(func() { stage.accept(ln) }) // until ln is closed
	dest, err := whitelist.ParseHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var next atomic.Uint64
	var pages sync.WaitGroup
	for range workers {
		pages.Go(func() {
			for n := next.Add(1); n <= rounds && !t.Failed(); n = next.Add(1) {
				p := newPart(seed, n)
				backend := stage.end(n)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				s, err := r.client.open(dest)
				if err == nil && p.waits {
					err = s.waitOpen(ctx)
				}
				if err == nil {
					s.SetDeadline(time.Now().Add(time.Minute))
					err = p.page(s)
				}
				if err == nil {
					select {
					case err = <-backend:
					case <-ctx.Done():
						err = errors.New("the backend has not come to its end")
					}
				}
				cancel()
				if err != nil {
					t.Errorf("seed %d, round %d, %+v: %v", seed, n, p, err)
				}
			}
		})
	}
	pages.Wait()
	ln.Close()
	stage.wg.Wait()
}

// part is what happens on one socket, known to both sides by its number.
type part struct {
	n        uint64
	order    int  // 0: both at once, 1: the page first, 2: the backend first, 3: the page leaves
	up, down int  // bytes
	piece    int  // of a write
	waits    bool // until the socket is open
}

func newPart(seed, n uint64) part {
	rng := rand.New(rand.NewPCG(seed, n))
	size := func() int {
		sizes := []int{0, 1, 33, 1000, 16 << 10, firstWindow - 1, firstWindow, firstWindow + 1, 300_000}
		return sizes[rng.IntN(len(sizes)-rng.IntN(5))]
	}
	return part{n: n, order: rng.IntN(4), up: size(), down: size(), piece: 1 + rng.IntN(1<<rng.IntN(18)), waits: rng.IntN(3) == 0}
}

type halfConn interface {
	net.Conn
	CloseWrite() error
}

// page plays the page's part.
func (p part) page(s halfConn) error {
	defer s.Close()
	if _, err := s.Write(binary.BigEndian.AppendUint64(nil, p.n)); err != nil {
		return fmt.Errorf("write the number: %w", err)
	}
	if p.order == 3 {
		if err := p.send(s, p.up, 'u'); err != nil {
			return err
		}
		return s.Close()
	}
	return p.inOrder(p.order == 1,
		func() error { return p.sendAll(s, p.up, 'u') },
		func() error { return p.receive(s, p.down, 'd') })
}

// backend plays the backend's part.
func (p part) backend(c halfConn) error {
	if p.order == 3 {
		return p.receive(c, p.up, 'u')
	}
	return p.inOrder(p.order == 2,
		func() error { return p.sendAll(c, p.down, 'd') },
		func() error { return p.receive(c, p.up, 'u') })
}

// inOrder sends and receives, at once or one after the other.
func (p part) inOrder(sendFirst bool, send, receive func() error) error {
	switch {
	case p.order == 0:
		sent := make(chan error, 1)
		go func() { sent <- send() }()
		return errors.Join(receive(), <-sent)
	case sendFirst:
		return errors.Join(send(), receive())
	}
	return errors.Join(receive(), send())
}

func (p part) sendAll(c halfConn, n int, key byte) error {
	if err := p.send(c, n, key); err != nil {
		return err
	}
	return c.CloseWrite()
}

func (p part) send(c net.Conn, n int, key byte) error {
	for at := 0; at < n; {
		piece := p.piece
		if at > 1000 { // what is left is not worth as many calls
			piece = max(piece, 16<<10)
		}
		buf := make([]byte, min(piece, n-at))
		for i := range buf {
			buf[i] = p.byteAt(at+i, key)
		}
		if _, err := c.Write(buf); err != nil {
			return fmt.Errorf("wrote %d of %d bytes: %w", at, n, err)
		}
		at += len(buf)
	}
	return nil
}

func (p part) receive(c net.Conn, n int, key byte) error {
	got, err := io.ReadAll(c)
	for i, b := range got {
		if i < n && b != p.byteAt(i, key) {
			return fmt.Errorf("byte %d of %d is wrong", i, n)
		}
	}
	if err == nil && len(got) == n {
		return nil
	}
	return fmt.Errorf("read %d of %d bytes, then: %w", len(got), n, errors.Join(err, io.EOF))
}

func (p part) byteAt(i int, key byte) byte { return byte(uint64(i)*131+p.n*7) ^ key ^ byte(i>>8) }

// stage is the backend of all sockets.
type stage struct {
	seed uint64
	wg   sync.WaitGroup

	mu    sync.Mutex
	ended map[uint64]chan error
}

func (g *stage) end(n uint64) chan error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended[n] == nil {
		g.ended[n] = make(chan error, 1)
	}
	return g.ended[n]
}

func (g *stage) accept(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		g.wg.Go(func() {
			defer c.Close()
			c.SetDeadline(time.Now().Add(time.Minute))
			var number [8]byte
			if _, err := io.ReadFull(c, number[:]); err != nil {
				return // the round is told by the page, which waits for us
			}
			n := binary.BigEndian.Uint64(number[:])
			g.end(n) <- newPart(g.seed, n).backend(c.(*net.TCPConn))
		})
	}
}
