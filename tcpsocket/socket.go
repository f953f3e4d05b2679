package tcpsocket

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/rawconn"
	"encke/whitelist"
)

// lingerTime is how long a backend is still read, and what it says thrown away,
// after the page closed. Closing with unread bytes would reset the connection
// and could destroy what the page sent last.
const lingerTime = 5 * time.Second

// socket is one connection to a backend, on behalf of a page. Its fields are in this order
// for its size.
type socket struct {
	m     *Mux
	id    uint64
	dest  whitelist.Dest
	since time.Time
	turn  chan struct{} // rung when the backend may be read again

	// Used by Mux.Receive only.
	batch *[][]byte // what this Receive brought, or nil
	dirty bool      // is in Mux.dirty

	// Used by the socket's goroutine only, but for Until.
	light   bool // it has read little last, and nowhere near that lately
	reader  *rawconn.Reader
	ask     int            // how much to read next
	much    time.Time      // when it last read minRead or more
	granted int            // room reserved for it
	into    *buffer.Buffer // what is read into

	mu      sync.Mutex
	conn    net.Conn           // nil while dialing
	cancel  context.CancelFunc // of the dial, nil after it
	over    bool               // removed from the mux
	said    pageState
	writing writeState // towards the backend
	reading readState  // from the backend

	// Towards the backend.
	queue   []*buffer.Buffer
	queued  int            // bytes of queue, and of what is being written from it
	account buffer.Account // of queued
	writer  *rawconn.Writer
	span    int // the window
	credits int // bytes of it that the page may still send
	spent   int // bytes taken that were not given back as credit
	in      uint64

	// From the backend.
	window int // bytes that the page still takes
	out    uint64
}

// pageState is what the page said last about its direction. It only moves on.
type pageState uint8

const (
	pageSends  pageState = iota
	pageEnded            // EOF: it sends no more
	pageClosed           // CLOSE: and takes no more
)

// writeState is how far the page's direction has got.
type writeState uint8

const (
	writeIdle     writeState = iota // nothing to write
	writeBusy                       // somebody is writing, queue or batch
	writeFinished                   // everything and the FIN were written
	writeFailed                     // the backend takes nothing any more
)

// readState is how far the backend's direction has got.
type readState uint8

const (
	readOpen  readState = iota
	readEnded           // EOF was sent to the page
)

// wake makes the socket's goroutine look again whether it may read.
func (s *socket) wake() {
	select {
	case s.turn <- struct{}{}:
	default:
	}
}

// dial connects, writes what the page has sent meanwhile, and goes on to read the backend.
func (s *socket) dial(ctx context.Context, opts OpenOptions) {
	rawconn.Deepen8K()
	opts.Early = s.waits
	conn, err := s.m.server.opener.Open(ctx, s.m.caller, s.dest, opts)
	if err != nil {
		s.abort(dialCause(err), true)
		return
	}
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		reset(conn)
		return
	}
	s.cancel()
	s.cancel = nil
	s.conn = conn
	s.writer, s.reader = rawconn.NewWriter(conn), rawconn.NewReader(conn, s.place, s.unplace)
	extra := s.m.widen()
	s.span += extra
	s.credits += extra
	s.writing = writeBusy // nothing overtakes what was queued while dialing
	s.limitClosing()
	waited := s.queued > 0
	var early *buffer.Buffer
	if s.queued < firstWindow/4 && s.said == pageSends {
		early = s.next()
	}
	s.mu.Unlock()
	s.ask = minRead
	opened := Frame{
		Type: Opened, Socket: s.id, N: uint64(extra),
		Remote: []byte(conn.RemoteAddr().String()), Local: []byte(conn.LocalAddr().String()),
	}
	if early != nil {
		err = s.openWithAnswer(conn, early, &opened)
	} else {
		s.m.send(&opened)
	}
	for s.writeNext(conn, false) {
	}
	if waited {
		acknowledgeAtOnce(conn)
	}
	s.continueWriting()
	if err != nil {
		s.readEnded(conn, err)
		return
	}
	s.pump(conn)
}

// waits reports whether the page has sent something.
func (s *socket) waits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queued > 0
}

// answerTime is how long OPENED waits for the answer to what the page has sent behind OPEN.
const answerTime = time.Millisecond

// openWithAnswer writes what the page has sent, which is so little that no credit is due for
// it, and says that the socket is open together with the answer, if there is one at once: for
// the page that is one event less. An error is that of reading.
func (s *socket) openWithAnswer(conn net.Conn, early *buffer.Buffer, opened *Frame) error {
	s.writeBuffer(conn, early, false)
	conn.SetReadDeadline(time.Now().Add(answerTime))
	n, err := s.reader.Read()
	conn.SetReadDeadline(time.Time{})
	switch {
	case n > 0 && s.granted > 0:
		s.forward(n, opened)
		return nil
	case n > 0:
		s.unplace()
	}
	s.m.send(opened)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// credit lets the backend send n more bytes to the page.
func (s *socket) credit(n uint64) error {
	s.mu.Lock()
	if n > maxCredit || s.window+int(n) > maxCredit {
		s.mu.Unlock()
		s.m.server.count.windowOverflows.Add(1)
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
	if conn := s.end(why, tell); conn != nil {
		reset(conn)
	}
}

// end removes the socket and returns its connection. Only the first call counts:
// closing the connection, which comes after it, makes others notice. A dial under way ends.
func (s *socket) end(why *cause.Error, tell bool) net.Conn {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return nil
	}
	s.over = true
	conn, queue, cancel := s.conn, s.queue, s.cancel
	s.queue = nil
	s.unqueued(s.queued)
	s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
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

// reset closes conn so that the backend sees a TCP RST rather than a clean end.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
