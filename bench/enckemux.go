package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"sync"
	"sync/atomic"
)

// dialEnckeMux opens sockets on sessions that are shared by up to perSession of them.
func dialEnckeMux(perSession int) func(*network, *url.URL) dialer {
	return func(n *network, u *url.URL) dialer {
		var mu sync.Mutex
		var all []*enckeMux
		return func() (stream, error) {
			mu.Lock()
			defer mu.Unlock()
			for i := len(all) - 1; i >= 0; i-- {
				if s := all[i].open(n, perSession); s != nil {
					return s, nil
				}
			}
			m := &enckeMux{link: newEnckeWS(n, u), sockets: map[uint64]*enckeSocket{}}
			m.uploads.init(m.link)
			all = append(all, m)
			return m.open(n, perSession), nil
		}
	}
}

// enckeMux is a session with many sockets.
type enckeMux struct {
	link    *enckeWS
	uploads enckeUploads

	mu      sync.Mutex
	sockets map[uint64]*enckeSocket // those that were opened
	live    int                     // and those that will be
	last    uint64
	err     error
}

// enckeSocket is one of them.
type enckeSocket struct {
	*inbox
	m       *enckeMux
	network *network
	sender  enckeSender
	window  enckeWindow
	took    atomic.Int64
	pours   []byte // what Pour sends

	number uint64 // given with the first Write; guarded by m.mu
}

// open returns a new socket, or nil if the session has enough of them or is over.
func (m *enckeMux) open(n *network, most int) *enckeSocket {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil || m.live >= most {
		return nil
	}
	m.live++
	return &enckeSocket{inbox: newInbox(), m: m, network: n}
}

// receive gives each socket what is for it.
func (m *enckeMux) receive() {
	f := frames{src: m.link}
	buf := make([]byte, 64<<10)
	var err error
	for err == nil {
		var head frame
		if head, err = f.next(); err != nil {
			break
		}
		m.mu.Lock()
		s := m.sockets[f.socket]
		m.mu.Unlock()
		if s == nil {
			_, err = io.CopyN(io.Discard, readerFunc(f.read), int64(f.left))
			continue
		}
		if err = s.Fill(readerFunc(f.read), f.left, buf); err != nil {
			break
		}
		switch head.kind {
		case frameOpened, frameWindow:
			s.sender.credit(head.n)
			m.uploads.wake()
		case frameReset:
			s.end(fmt.Errorf("encke: socket reset: cause %d", head.n))
		case frameEOF:
			s.end(io.EOF)
		}
	}
	m.mu.Lock()
	m.err = err
	all := m.sockets
	m.sockets = nil
	m.mu.Unlock()
	for _, s := range all {
		s.end(err)
	}
}

func (s *enckeSocket) end(err error) {
	s.Fail(err)
	s.sender.fail(err)
	s.m.uploads.wake()
}

func (s *enckeSocket) Read(p []byte) (int, error) {
	n, err := s.inbox.Read(p)
	s.taken(n)
	return n, err
}

// taken counts n bytes and tells the proxy of them when it is time.
func (s *enckeSocket) taken(n int) {
	s.took.Add(int64(n))
	if n := s.window.taken(n); n > 0 {
		s.sender.window(n)
	}
}

// Drain implements drainer.
func (s *enckeSocket) Drain(got *atomic.Int64) {
	s.drop(func(n int) {
		s.taken(n)
		got.Add(int64(n))
	})
}

// Write sends p as one message, the first one together with the OPEN frame: numbers must
// reach the proxy in their order.
func (s *enckeSocket) Write(p []byte) (int, error) {
	s.m.mu.Lock()
	if s.number == 0 && s.m.sockets != nil {
		defer s.m.mu.Unlock()
		s.m.last++
		s.number = s.m.last
		s.m.sockets[s.number] = s
		s.sender.init(s.m.link, s.number, s.network)
		first := s.m.link.ws == nil
		n, err := s.sender.write(p[:min(len(p), firstCredit)], nil)
		if first && err == nil {
			go s.m.receive() // until the session ends
		}
		return n, err
	}
	s.m.mu.Unlock()
	return s.sender.write(p, nil)
}

// Repeat implements repeater.
func (s *enckeSocket) Repeat(p []byte, n int) error { return s.sender.repeat(p, n, nil) }

// Pour implements pourer.
func (s *enckeSocket) Pour(p []byte) {
	s.pours = p
	s.m.uploads.add(s)
}

// Close closes the socket as a page does that has what it wanted; one that leaves in the
// midst of a stream resets it.
func (s *enckeSocket) Close() error {
	s.m.mu.Lock()
	_, open := s.m.sockets[s.number]
	delete(s.m.sockets, s.number)
	s.m.live--
	s.m.mu.Unlock()
	if !open {
		return nil
	}
	s.end(io.ErrClosedPipe)
	if s.took.Load() < receiveWindow {
		return s.sender.last(binary.AppendUvarint([]byte{frameClose}, s.number))
	}
	return s.sender.last(append(binary.AppendUvarint([]byte{frameReset}, s.number), 0, 0))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
