package tcpsocket

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/rawconn"
	"encke/whitelist"
)

// maxRead is how much is read from a backend at a time.
const maxRead = buffer.Max

// lingerTime is how long a backend is still read, and what it says thrown away,
// after the page closed. Closing with unread bytes would reset the connection
// and could destroy what the page sent last.
const lingerTime = 5 * time.Second

// socket is one connection to a backend, on behalf of a page.
type socket struct {
	m      *Mux
	id     uint64
	dest   whitelist.Dest
	since  time.Time
	cancel context.CancelFunc // of the dial
	turn   chan struct{}      // rung when the backend may be read again

	// Used by Mux.Receive only.
	batch [][]byte // what this Receive brought
	dirty bool     // is in Mux.dirty

	// Used by the socket's goroutine only.
	granted int
	reading *buffer.Buffer

	mu   sync.Mutex
	conn net.Conn // nil while dialing
	over bool     // removed from the mux

	// Towards the backend.
	queue    []*buffer.Buffer
	writing  bool // somebody is writing, queue or batch
	writer   *rawconn.Writer
	failed   bool // the backend takes nothing any more
	credits  int  // bytes that the page may still send
	spent    int  // bytes taken that were not given back as credit
	pageDone bool // the page sent EOF or CLOSE
	closing  bool // it was CLOSE
	flushed  bool // everything and the FIN were written
	in       uint64

	// From the backend.
	window int  // bytes that the page still takes
	ended  bool // EOF was sent to the page
	out    uint64
}

// wake makes the socket's goroutine look again whether it may read.
func (s *socket) wake() {
	select {
	case s.turn <- struct{}{}:
	default:
	}
}

// run is the socket's goroutine: dial, then read the backend until its end.
func (s *socket) run(ctx context.Context, opts OpenOptions) {
	conn, err := s.m.server.opener.Open(ctx, s.dest, opts)
	s.cancel()
	if err != nil {
		s.abort(dialCause(err), true)
		return
	}
	extra := s.m.server.opts.Window - firstWindow
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		reset(conn)
		return
	}
	s.conn = conn
	s.writer = rawconn.NewWriter(conn)
	s.credits += extra
	s.writing = true // nothing overtakes what was queued while dialing
	s.limitClosing()
	s.mu.Unlock()
	s.m.send(&Frame{
		Type: Opened, Socket: s.id, N: uint64(extra),
		Remote: []byte(conn.RemoteAddr().String()), Local: []byte(conn.LocalAddr().String()),
	})
	s.continueWriting()
	s.pump(conn)
}

// pump sends what the backend says to the page.
func (s *socket) pump(conn net.Conn) {
	defer s.m.turns.forget(s) // it may have asked for a turn after end took it out
	reader := rawconn.NewReader(conn, s.place, s.unplace)
	for {
		n, err := reader.Read()
		switch {
		case err != nil:
			s.readEnded(conn, err)
			return
		case n == 0: // no window, or no room in the session
			<-s.turn
		case s.granted > 0:
			s.forward(n)
		default:
			s.unplace() // the page closed: nobody wants it
		}
	}
}

// place is asked for a slice when the backend has something to say.
func (s *socket) place() []byte {
	s.mu.Lock()
	discard, window := s.closing || s.over, s.window
	s.mu.Unlock()
	if discard {
		s.m.turns.forget(s)
		s.reading = buffer.Get(4 << 10)
		return s.reading.Room()
	}
	if window == 0 {
		return nil
	}
	s.granted = s.m.turns.reserve(s, min(window, maxRead))
	if s.granted == 0 {
		return nil
	}
	s.reading = buffer.Get(s.granted)
	return s.reading.Room()[:s.granted]
}

// unplace takes back what place gave, because there was nothing to read.
func (s *socket) unplace() {
	s.reading.Release()
	s.reading = nil
	if s.granted > 0 {
		s.m.sender.Unreserve(s.granted)
		s.granted = 0
	}
}

// forward sends the n bytes that were read as a frame.
func (s *socket) forward(n int) {
	b := s.reading
	b.Extend(n)
	s.mu.Lock()
	s.window -= n
	s.out += uint64(n)
	s.mu.Unlock()
	s.m.server.out.Add(uint64(n))
	b = b.Fit()
	prependData(b, s.id)
	granted := s.granted
	s.granted, s.reading = 0, nil
	s.m.sender.Send(b, granted) // an error means that abort is on its way
}

// readEnded is called once when the backend says nothing any more.
func (s *socket) readEnded(conn net.Conn, err error) {
	s.mu.Lock()
	failed, closing, over := s.failed, s.closing, s.over
	clean := errors.Is(err, io.EOF) && !failed
	done := s.flushed
	s.ended = clean
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

// credit lets the backend send n more bytes to the page.
func (s *socket) credit(n uint64) error {
	s.mu.Lock()
	if n > maxCredit || s.window+int(n) > maxCredit {
		s.mu.Unlock()
		return cause.ProtocolError.With("window above 2^31-1")
	}
	s.window += int(n)
	s.mu.Unlock()
	s.wake()
	return nil
}

// abort ends the socket at once: the backend is reset, and with tell the page
// hears why.
func (s *socket) abort(why *cause.Error, tell bool) {
	s.cancel()
	if conn := s.end(why, tell); conn != nil {
		reset(conn)
	}
}

// end removes the socket and returns its connection. Only the first call counts:
// closing the connection, which comes after it, makes others notice.
func (s *socket) end(why *cause.Error, tell bool) net.Conn {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return nil
	}
	s.over = true
	conn, queue := s.conn, s.queue
	s.queue = nil
	s.mu.Unlock()
	for _, b := range queue {
		b.Release()
	}
	s.wake()
	s.m.remove(s)
	s.audit(why)
	if tell {
		s.m.sendReset(s.id, why)
	}
	return conn
}

// audit counts and logs the end of the socket.
func (s *socket) audit(why *cause.Error) {
	s.mu.Lock()
	in, out := s.in, s.out
	s.mu.Unlock()
	v, c := s.m.server, s.m.caller
	v.ended[why.Code].Add(1)
	v.opts.Log.LogAttrs(context.Background(), slog.LevelInfo, "socket ended",
		slog.String("session", c.Session),
		slog.Uint64("socket", s.id),
		slog.String("dest", s.dest.String()),
		slog.String("origin", c.Origin),
		slog.String("remote", c.Remote),
		slog.Uint64("in", in),
		slog.Uint64("out", out),
		slog.String("code", why.Code.String()),
		slog.Duration("took", time.Since(s.since).Round(time.Millisecond)),
	)
}

// reset closes conn so that the backend sees a TCP RST rather than a clean end.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
