package tcpsocket

import (
	"errors"
	"io"
	"net"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/rawconn"
)

// This file is the way of a backend's bytes to the page. The socket's goroutine is
// the only one that reads its backend, when there is something to read, the window
// is open and the session has room.

// maxRead is how much is read from a backend at a time, at most, and minRead at least:
// the messages of most protocols are shorter, and clients that take each piece for whole
// characters or messages are common.
const (
	maxRead = buffer.Max
	minRead = 16<<10 - buffer.Headroom
)

// readSize is how much is asked for next: as much as came last, in powers of two, twice
// that when it might have been more. A large buffer that fits what comes need not be
// copied to a smaller one in order to be kept.
func readSize(asked, came int) int {
	if came == asked {
		return min(2*(asked+buffer.Headroom), maxRead+buffer.Headroom) - buffer.Headroom
	}
	return max(buffer.Fitting(came), minRead)
}

// pump sends what the backend says to the page. When that was nothing for a while it
// leaves waiting to a new goroutine: this one has a larger stack than that takes.
func (s *socket) pump(conn net.Conn) {
	for {
		n, err := s.reader.ReadOrRest()
		switch {
		case err == rawconn.ErrQuiet:
			s.m.server.wg.Go(s.confined(func() { s.pump(conn) })) // ends as this one does
			return
		case err != nil:
			s.readEnded(conn, err)
			return
		case n == 0: // no window, or no room in the session
			<-s.turn
		case s.granted > 0:
			s.forward(n, nil)
		default:
			s.unplace() // the page closed: nobody wants it
		}
	}
}

// place is asked for a slice when the backend has something to say.
func (s *socket) place() []byte {
	s.mu.Lock()
	discard, window := s.said == pageClosed || s.over, s.window
	s.mu.Unlock()
	if discard {
		s.m.turns.forget(s)
		s.into = buffer.Get(4 << 10)
		return s.into.Room()
	}
	if window == 0 {
		return nil
	}
	s.granted = s.m.turns.reserve(s, min(window, s.ask), s.light)
	if s.granted == 0 {
		return nil
	}
	s.into = buffer.Get(s.granted)
	return s.into.Room()[:s.granted]
}

// lately is for how long it counts that a socket had much to say, or little.
const lately = time.Second

// unplace takes back what place gave, because there was nothing to read.
func (s *socket) unplace() {
	s.into.Release()
	s.into = nil
	if s.granted > 0 {
		s.m.sender.Unreserve(s.granted)
		s.granted = 0
	}
}

// forward sends the n bytes that were read as a frame, behind first if there is one.
func (s *socket) forward(n int, first *Frame) {
	b := s.into
	b.Extend(n)
	if s.ask = readSize(s.ask, n); n >= minRead {
		s.much = time.Now()
	}
	s.light = n < minRead/4 && time.Since(s.much) > lately
	s.mu.Lock()
	s.window -= n
	s.out += uint64(n)
	s.mu.Unlock()
	s.m.server.count.out.Add(uint64(n))
	b = b.Fit()
	prependData(b, s.id)
	if first != nil {
		data := b
		b = buffer.Copy(append(first.Append(nil), data.Bytes()...))
		data.Release()
	}
	granted := s.granted
	s.granted, s.into = 0, nil
	s.m.sender.Send(b, granted) // an error means that abort is on its way
}

// readEnded is called once when the backend says nothing any more.
func (s *socket) readEnded(conn net.Conn, err error) {
	defer s.m.turns.forget(s) // it may have asked for a turn after end took it out
	s.mu.Lock()
	failed, closing, over := s.writing == writeFailed, s.said == pageClosed, s.over
	clean := errors.Is(err, io.EOF) && !failed
	done := s.writing == writeFinished
	if clean {
		s.reading = readEnded
	}
	s.mu.Unlock()
	switch {
	case over && !closing:
		return // whoever ended it closed the connection
	case closing && !failed:
		conn.Close()
		s.end(cause.Closed.Err(), true)
	case !clean:
		s.abort(readCause(err), true)
	default:
		s.m.send(&Frame{Type: EOF, Socket: s.id})
		if done {
			conn.Close()
			s.end(cause.Closed.Err(), false)
		}
	}
}
