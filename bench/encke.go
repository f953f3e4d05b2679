package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"sync"
	"sync/atomic"
)

// dialEnckeWS opens a session over WebSocket for each stream.
func dialEnckeWS(n *network, u *url.URL) dialer {
	return func() (stream, error) { return newEnckeStream(n, newEnckeWS(n, u)), nil }
}

// enckeStream is a session with one socket. It has no goroutine: whoever reads the
// stream reads the link, and a writer that waits for credit does it when nobody else is.
type enckeStream struct {
	link   enckeLink
	sender enckeSender

	reading sync.Mutex // held by who reads the link
	frames  frames
	ahead   []byte // content that a waiting writer had to read
	window  enckeWindow
	writers atomic.Int32
}

func newEnckeStream(n *network, l enckeLink) *enckeStream {
	s := &enckeStream{link: l, frames: frames{src: l}}
	s.sender.init(l, 1, n)
	return s
}

func (s *enckeStream) Read(p []byte) (int, error) {
	s.reading.Lock()
	defer s.leave()
	if err := s.sender.open(); err != nil {
		return 0, err
	}
	var n int
	if len(s.ahead) > 0 {
		n = copy(p, s.ahead)
		s.ahead = s.ahead[n:]
	} else {
		for s.frames.left == 0 {
			if err := s.control(); err != nil {
				return 0, err
			}
		}
		var err error
		if n, err = s.frames.read(p); err != nil {
			return n, err
		}
	}
	if n := s.window.taken(n); n > 0 {
		s.sender.window(n)
	}
	return n, nil
}

// enckeWindow tells a proxy, as TCPSocket.js does, how much a socket may be sent: it doubles
// each time all of it was taken.
type enckeWindow struct {
	grown int // by so much
	owed  int // bytes taken that the proxy was not told of
	since int // bytes taken since it grew
}

// taken returns what to tell the proxy now that n more bytes were taken.
func (w *enckeWindow) taken(n int) int {
	size := receiveWindow + w.grown
	w.owed += n
	w.since += n
	if w.owed < size/4 {
		return 0
	}
	tell := w.owed
	if w.since >= size && size < largestWindow {
		w.grown += size
		w.since = 0
		tell += size
	}
	w.owed = 0
	return tell
}

// leave lets a writer read the link.
func (s *enckeStream) leave() {
	s.reading.Unlock()
	if s.writers.Load() > 0 {
		s.sender.credit(0)
	}
}

// control reads one frame, of a DATA frame only the head.
func (s *enckeStream) control() error {
	f, err := s.frames.next()
	if err != nil {
		return err
	}
	switch f.kind {
	case frameOpened, frameWindow:
		s.sender.credit(f.n)
	case frameReset:
		return fmt.Errorf("encke: socket reset: cause %d", f.n)
	case frameEOF:
		return io.EOF
	}
	return nil
}

// wait reads the link on behalf of a writer without credit, or lets it wait for who does.
func (s *enckeStream) wait() (bool, error) {
	if !s.reading.TryLock() {
		return false, nil
	}
	defer s.reading.Unlock()
	if s.frames.left == 0 {
		return true, s.control()
	}
	if len(s.ahead) > receiveWindow {
		return true, fmt.Errorf("encke: %d bytes were written and none read", len(s.ahead))
	}
	buf := make([]byte, s.frames.left)
	n, err := s.frames.read(buf)
	s.ahead = append(s.ahead, buf[:n]...)
	return true, err
}

func (s *enckeStream) Write(p []byte) (int, error) {
	s.writers.Add(1)
	defer s.writers.Add(-1)
	return s.sender.write(p, s.wait)
}

// Repeat implements repeater.
func (s *enckeStream) Repeat(p []byte, n int) error {
	s.writers.Add(1)
	defer s.writers.Add(-1)
	return s.sender.repeat(p, n, s.wait)
}

func (s *enckeStream) Close() error { return s.link.Close() }

// enckeSender is the sending half of a socket.
type enckeSender struct {
	link   enckeLink
	socket uint64

	mu      sync.Mutex
	cond    sync.Cond
	opening []byte // the OPEN frame, until it was sent
	left    int    // credit
	changes int    // calls of credit, to notice one that came in between
	err     error

	writing sync.Mutex // guards head
	head    []byte
	room    [2][96]byte // for opening and head, while they are short
}

func (s *enckeSender) init(l enckeLink, socket uint64, n *network) {
	s.link, s.socket, s.left = l, socket, firstCredit
	s.cond.L = &s.mu
	s.head = s.room[1][:0]
	s.opening = appendOpen(s.room[0][:0], socket, n.backendHost, n.backendPort)
}

// open sends the OPEN frame by itself, if nothing was written that it could go with.
func (s *enckeSender) open() error {
	s.mu.Lock()
	opening := s.opening
	s.opening = nil
	s.mu.Unlock()
	if opening == nil {
		return nil
	}
	return s.link.send(opening, nil)
}

// credit lets the stream send n more bytes.
func (s *enckeSender) credit(n int) {
	s.mu.Lock()
	s.left += n
	s.changes++
	s.cond.Broadcast()
	s.mu.Unlock()
}

// fail ends waiting for credit.
func (s *enckeSender) fail(err error) {
	s.mu.Lock()
	s.err = err
	s.cond.Broadcast()
	s.mu.Unlock()
}

// take waits for at least least bytes of credit and takes up to most. wait, unless nil,
// is called while there is too little: it reports false when somebody else reads.
func (s *enckeSender) take(least, most int, wait func() (bool, error)) (n int, opening []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.left < least && s.err == nil {
		if s.opening != nil { // credit comes only once the socket is open
			opening, s.opening = s.opening, nil
			s.mu.Unlock()
			err := s.link.send(opening, nil)
			s.mu.Lock()
			if err != nil {
				return 0, nil, err
			}
			continue
		}
		if wait != nil {
			changes := s.changes
			s.mu.Unlock()
			read, err := wait()
			s.mu.Lock()
			if err != nil {
				return 0, nil, err
			}
			if read || s.changes != changes {
				continue
			}
		}
		s.cond.Wait()
	}
	if s.err != nil {
		return 0, nil, s.err
	}
	n = min(s.left, most)
	s.left -= n
	opening, s.opening = s.opening, nil
	return n, opening, nil
}

// whole takes credit for up to most messages of size bytes and returns for how many there was.
func (s *enckeSender) whole(size, most int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(s.left/size, most)
	s.left -= n * size
	return n
}

// failed returns what fail was called with.
func (s *enckeSender) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// write sends p as one message, or as several when there is credit for a part only.
func (s *enckeSender) write(p []byte, wait func() (bool, error)) (int, error) {
	for sent := 0; sent < len(p); {
		n, opening, err := s.take(1, len(p)-sent, wait)
		if err != nil {
			return sent, err
		}
		s.writing.Lock()
		s.head = appendDataHead(append(s.head[:0], opening...), s.socket, n)
		if err = s.failed(); err == nil {
			err = s.link.send(s.head, p[sent:sent+n])
		}
		s.writing.Unlock()
		if err != nil {
			return sent, err
		}
		sent += n
	}
	return len(p), nil
}

// repeat sends p n times as n messages.
func (s *enckeSender) repeat(p []byte, n int, wait func() (bool, error)) error {
	if err := s.open(); err != nil {
		return err
	}
	if _, _, err := s.take(n*len(p), n*len(p), wait); err != nil {
		return err
	}
	return s.repeatNow(p, n)
}

// repeatNow is repeat for which credit was taken.
func (s *enckeSender) repeatNow(p []byte, n int) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.failed(); err != nil {
		return err
	}
	s.head = appendDataHead(s.head[:0], s.socket, len(p))
	return s.link.repeat(s.head, p, n)
}

// turn sends p, for which credit was taken, n times, as n messages.
func (s *enckeSender) turn(p []byte, n int) error {
	for range n {
		if err := s.repeatNow(p, 1); err != nil {
			return err
		}
	}
	return nil
}

// last sends a frame behind which there are no more, after fail: data behind it would end the
// session.
func (s *enckeSender) last(frame []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.link.send(frame, nil)
}

// window tells the proxy that n bytes were taken.
func (s *enckeSender) window(n int) error {
	head := binary.AppendUvarint([]byte{frameWindow}, s.socket)
	return s.link.send(binary.AppendUvarint(head, uint64(n)), nil)
}
