package main

import (
	"encoding/binary"
	"net"
	"sync"
)

// The peer "floor-session" is floor with the costs of a reliable session: every frame
// carries type, stream, sequence and acknowledgement (13 bytes), what was sent is kept in
// a ring of 256 KiB until acknowledged, a full ring stops reading the backend, and
// either side acknowledges after 64 KiB or with its next frame. It measures the price of
// that; it neither resumes nor multiplexes.
const (
	sessionHead  = 13
	sessionData  = 1
	sessionAck   = 2
	sessionRing  = 256 << 10
	sessionEvery = 64 << 10
)

var ringPool = sync.Pool{New: func() any { return new([sessionRing]byte) }}

// putSessionHead fills the first 13 bytes of b.
func putSessionHead(b []byte, typ byte, seq, ack uint32) {
	b[0] = typ
	binary.BigEndian.PutUint32(b[1:], 1)
	binary.BigEndian.PutUint32(b[5:], seq)
	binary.BigEndian.PutUint32(b[9:], ack)
}

// floorSession is the server's end.
type floorSession struct {
	mu         sync.Mutex
	cond       sync.Cond
	ring       *[sessionRing]byte // nil while nothing is unacknowledged
	head, tail uint32             // acknowledged, sent
	got        uint32             // received from the client
	closed     bool

	acked uint32 // of got; used by the goroutine that reads the client
}

func newFloorSession() *floorSession {
	s := &floorSession{}
	s.cond.L = &s.mu
	return s
}

// keep copies p into the ring, waiting for room. It returns p's sequence number and what
// is to be acknowledged.
func (s *floorSession) keep(p []byte) (seq, ack uint32, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for int(s.tail-s.head)+len(p) > sessionRing && !s.closed {
		s.cond.Wait()
	}
	if s.ring == nil {
		s.ring = ringPool.Get().(*[sessionRing]byte)
	}
	seq, ack = s.tail, s.got
	for len(p) > 0 {
		n := copy(s.ring[s.tail%sessionRing:], p)
		s.tail, p = s.tail+uint32(n), p[n:]
	}
	return seq, ack, !s.closed
}

func (s *floorSession) ack(n uint32) {
	s.mu.Lock()
	if d := n - s.head; d > 0 && d <= s.tail-s.head {
		s.head = n
		if s.head == s.tail {
			ringPool.Put(s.ring)
			s.ring = nil
		}
		s.cond.Signal()
	}
	s.mu.Unlock()
}

// took counts n bytes from the client and acknowledges them when they are enough.
func (s *floorSession) took(c *net.TCPConn, n int) {
	s.mu.Lock()
	s.got += uint32(n)
	got := s.got
	s.mu.Unlock()
	if got-s.acked < sessionEvery {
		return
	}
	s.acked = got
	var h [2 + sessionHead]byte
	h[0], h[1] = 0x80|opBinary, sessionHead
	putSessionHead(h[2:], sessionAck, 0, got)
	c.Write(h[:])
}

func (s *floorSession) close() {
	s.mu.Lock()
	s.closed = true
	s.cond.Signal()
	s.mu.Unlock()
}

// down carries what the backend says to the client.
func (s *floorSession) down(c, tcp *net.TCPConn) {
	defer c.Close()
	defer tcp.Close()
	r := newLazyReader(tcp, 4+sessionHead)
	for {
		b, p, err := r.read()
		if err != nil {
			return
		}
		seq, ack, ok := s.keep(p)
		if !ok {
			floorPool.Put(b)
			return
		}
		putSessionHead(b[4:], sessionData, seq, ack)
		n := len(p) + sessionHead
		_, err = c.Write(b[frameHeader(b, n) : 4+n])
		floorPool.Put(b)
		if err != nil {
			return
		}
	}
}
