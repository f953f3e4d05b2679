package tcpsocket

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/whitelist"
)

// Conn is a socket of a Client. It is a net.Conn whose addresses are those of the
// TCP connection between the proxy and the backend. A Write returns when the
// session has taken the bytes; from then on they survive the loss of any link.
// Errors other than io.EOF, net.ErrClosed and deadlines are of type *cause.Error.
type Conn struct {
	c    *Client
	id   uint64
	dest whitelist.Dest

	remote, local net.Addr // set before the Conn is handed out

	read, write deadline

	writeMu sync.Mutex // orders Writes, held over waiting

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when anything below changes
	isOpen  bool
	queue   []*buffer.Buffer // received, not yet read
	eof     bool             // the backend ended its direction
	spent   int              // bytes read, not yet given back as credit
	window  int              // bytes that may still be sent
	closed  bool             // by Close or Abort
	sentEOF bool
	err     *cause.Error // why the socket is over
}

var _ net.Conn = (*Conn)(nil)

func newConn(c *Client, id uint64, dest whitelist.Dest) *Conn {
	return &Conn{
		c: c, id: id, dest: dest, changed: make(chan struct{}), window: firstWindow,
		read: makeDeadline(), write: makeDeadline(),
	}
}

// signal wakes everybody who waits for a change, with mu held.
func (s *Conn) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// wake says that the session may have room again.
func (s *Conn) wake() {
	s.mu.Lock()
	s.signal()
	s.mu.Unlock()
}

func (s *Conn) waitOpen(ctx context.Context) error {
	for {
		s.mu.Lock()
		isOpen, err, changed := s.isOpen, s.err, s.changed
		s.mu.Unlock()
		switch {
		case isOpen:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Conn) opened(f *Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isOpen || f.N > maxCredit-firstWindow {
		return cause.ProtocolError.With("wrong OPENED")
	}
	s.isOpen = true
	s.remote, s.local = parseAddr(f.Remote), parseAddr(f.Local)
	s.window += int(f.N)
	s.signal()
	return nil
}

func parseAddr(text []byte) net.Addr {
	if a, err := netip.ParseAddrPort(string(text)); err == nil {
		return net.TCPAddrFromAddrPort(a)
	}
	return &net.TCPAddr{}
}

func (s *Conn) receive(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil // what was on its way when we closed
	}
	queued := s.spent
	for _, b := range s.queue {
		queued += b.Len()
	}
	if queued+len(p) > clientWindow {
		return cause.ProtocolError.With("socket %d received more than its window", s.id)
	}
	for len(p) > 0 {
		last := len(s.queue) - 1
		if last < 0 || len(s.queue[last].Room()) == 0 {
			s.queue = append(s.queue, buffer.Get(min(len(p), buffer.Max)))
			last++
		}
		b := s.queue[last]
		n := copy(b.Room(), p)
		b.Extend(n)
		p = p[n:]
	}
	s.signal()
	return nil
}

func (s *Conn) receiveEOF() {
	s.mu.Lock()
	s.eof = true
	over := s.sentEOF
	s.signal()
	s.mu.Unlock()
	if over {
		s.end(nil)
	}
}

func (s *Conn) credit(n uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > maxCredit || s.window+int(n) > maxCredit {
		return cause.ProtocolError.With("window above 2^31-1")
	}
	s.window += int(n)
	s.signal()
	return nil
}

// end is called when the socket is over on the wire; nil: both ends finished.
func (s *Conn) end(why *cause.Error) {
	s.c.forget(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && why != nil && why.Code != cause.Closed {
		s.err = why
	}
	s.eof = true
	s.signal()
}

// Read reads what the backend sent. What came before an error is read first.
func (s *Conn) Read(p []byte) (int, error) {
	for {
		if s.read.passed() {
			return 0, os.ErrDeadlineExceeded
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return 0, net.ErrClosed
		}
		if len(p) == 0 {
			s.mu.Unlock()
			return 0, nil
		}
		if n := s.dequeue(p); n > 0 {
			s.spent += n
			give := 0
			if s.spent >= clientWindow/4 && !s.eof {
				give, s.spent = s.spent, 0
			}
			s.mu.Unlock()
			if give > 0 {
				s.send(&Frame{Type: Window, Socket: s.id, N: uint64(give)})
			}
			return n, nil
		}
		err, eof, changed := s.err, s.eof, s.changed
		s.mu.Unlock()
		switch {
		case err != nil:
			return 0, err
		case eof:
			return 0, io.EOF
		}
		select {
		case <-changed:
		case <-s.read.done():
		}
	}
}

// dequeue moves received bytes to p, with mu held.
func (s *Conn) dequeue(p []byte) int {
	n := 0
	for n < len(p) && len(s.queue) > 0 {
		b := s.queue[0]
		m := copy(p[n:], b.Bytes())
		b.Trim(m)
		n += m
		if b.Len() == 0 {
			b.Release()
			s.queue = append(s.queue[:0], s.queue[1:]...)
		}
	}
	return n
}

// Write sends p. It waits while the window is closed or the session is full.
func (s *Conn) Write(p []byte) (int, error) {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	sent := 0
	for {
		n, changed, err := s.mayWrite(len(p) - sent)
		if err != nil {
			s.c.turns.forget(s)
			return sent, err
		}
		if len(p) == 0 {
			return 0, nil
		}
		if n == 0 {
			select {
			case <-changed:
			case <-s.write.done():
			}
			continue
		}
		b := buffer.Get(n)
		b.Append(p[sent : sent+n])
		prependData(b, s.id)
		if err := s.c.sender.Send(b, n); err != nil {
			return sent, err
		}
		if sent += n; sent == len(p) {
			return sent, nil // whatever has become of the socket meanwhile
		}
	}
}

// mayWrite returns how many bytes may be sent now, reserved in the session, or 0
// and the channel to wait on.
func (s *Conn) mayWrite(n int) (int, <-chan struct{}, error) {
	if s.write.passed() {
		return 0, nil, os.ErrDeadlineExceeded
	}
	s.mu.Lock()
	changed, window := s.changed, s.window
	var err error
	switch {
	case s.closed:
		err = net.ErrClosed
	case s.err != nil:
		err = s.err
	case s.sentEOF:
		err = net.ErrClosed
	}
	s.mu.Unlock()
	if err != nil || window == 0 || n == 0 {
		return 0, changed, err
	}
	n = s.c.turns.reserve(s, min(n, window, buffer.Max), false)
	s.mu.Lock()
	s.window -= n
	s.mu.Unlock()
	return n, changed, nil
}

// CloseWrite ends our direction; the backend's goes on.
func (s *Conn) CloseWrite() error {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	s.mu.Lock()
	if s.closed || s.sentEOF {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.sentEOF = true
	over := s.eof
	s.mu.Unlock()
	err := s.send(&Frame{Type: EOF, Socket: s.id})
	if over {
		s.end(nil)
	}
	return err
}

// Close ends both directions. What was written before still reaches the backend.
func (s *Conn) Close() error { return s.close(&Frame{Type: Close, Socket: s.id}) }

// Abort ends both directions at once; the backend is reset.
func (s *Conn) Abort() error {
	return s.close(&Frame{Type: Reset, Socket: s.id, Cause: uint64(cause.Reset)})
}

func (s *Conn) close(last *Frame) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.closed = true
	over := s.eof && s.sentEOF || s.err != nil
	for _, b := range s.queue {
		b.Release()
	}
	s.queue = nil
	s.signal()
	s.mu.Unlock()
	s.c.turns.forget(s)
	if over {
		return nil
	}
	// A Write under way is let go by the signal and sends nothing after this.
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	err := s.send(last)
	if last.Type == Reset {
		s.c.forget(s)
	}
	return err
}

func (s *Conn) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Conn) send(f *Frame) error { return s.c.sender.Send(f.buffer(), 0) }

// LocalAddr returns the proxy's address on its connection to the backend.
func (s *Conn) LocalAddr() net.Addr { return s.local }

// RemoteAddr returns the backend's address.
func (s *Conn) RemoteAddr() net.Addr { return s.remote }

// SetDeadline sets both deadlines.
func (s *Conn) SetDeadline(t time.Time) error {
	s.read.set(t)
	s.write.set(t)
	return nil
}

// SetReadDeadline sets when a Read gives up.
func (s *Conn) SetReadDeadline(t time.Time) error { s.read.set(t); return nil }

// SetWriteDeadline sets when a Write gives up.
func (s *Conn) SetWriteDeadline(t time.Time) error { s.write.set(t); return nil }
