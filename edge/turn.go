package edge

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// turn is a Conn while net/http has it, which costs a goroutine and buffers of 10 KiB. So
// it is for requests only: a connection that waits for one, or for what a long answer is
// to say, is taken back. To net/http it then looks like one that the client has closed,
// and is put away; the next request begins another turn.
//
// Deadlines are kept until there is something to read or write by them: net/http and our
// handlers set several for each request, and most are never waited for.
type turn struct {
	*Conn
	over  atomic.Bool // http.Server.Close asks from another goroutine
	brief bool        // the handler does not want to know whether the client leaves
	write time.Time   // deadline

	mu     sync.Mutex
	readBy time.Time     // deadline
	looked chan struct{} // closed when a look ahead ends; nil: there is none
}

// tlsTurn is one in TLS; net/http asks it for Request.TLS.
type tlsTurn struct{ turn }

func (t *tlsTurn) ConnectionState() tls.ConnectionState { return *t.tls }

func (c *Conn) newTurn() net.Conn {
	if c.tls != nil {
		return &tlsTurn{turn{Conn: c}}
	}
	return &turn{Conn: c}
}

// nextSoon is how soon the next request must follow for the turn to go on, so that a client
// that sends one after the other finds net/http waiting. Others pay for another turn.
// Memory is given back (cmd/encke/cgroup) once twice this, when a turn ends at the latest, is
// over.
const nextSoon = 500 * time.Millisecond

// Read reads from the connection, at most to the end of a message. net/http reads a single
// byte ahead while a handler runs.
func (t *turn) Read(p []byte) (int, error) {
	c := t.Conn
	if t.over.Load() {
		return 0, io.EOF
	}
	if len(p) == 1 {
		if looked, err := t.lookAhead(); looked {
			return 0, err
		}
	}
	t.mu.Lock()
	readBy := t.readBy
	t.brief = t.brief && !c.framing.between()
	t.mu.Unlock()
	switch {
	case c.idle() && !c.busy:
		return t.leave(0)
	case c.idle():
		since := time.Now()
		if left := c.readBy.Sub(since); left < nextSoon || left > 2*nextSoon {
			c.setReadBy(since.Add(2 * nextSoon))
		}
		n, err := c.Read(p)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			return t.leave(time.Since(since))
		}
		c.busy = time.Since(since) < nextSoon
		t.SetReadDeadline(time.Now().Add(t.l.opts.Patience)) // net/http sets its own when it has 4 bytes
		return n, err
	}
	c.setReadBy(readBy)
	return c.Read(p)
}

// lookAhead waits until the client has left, or sends more; that is left for the next Read.
// It reports false when the request under way was not read to its end. net/http calls it in
// a goroutine of its own, which may be late: once the connection was taken, what it looks
// at here is another turn's.
func (t *turn) lookAhead() (bool, error) {
	c := t.Conn
	t.mu.Lock()
	switch {
	case t.over.Load():
		t.mu.Unlock()
		return true, io.EOF
	case c.requests == 0 || !c.framing.between() && c.framing.state != inUpgrade:
		t.mu.Unlock()
		return false, nil
	case t.brief:
		t.mu.Unlock()
		return true, nil
	}
	t.looked = make(chan struct{})
	t.setReadBy(t.readBy)
	t.mu.Unlock()
	err := t.fetch()
	t.mu.Lock()
	close(t.looked)
	t.looked = nil
	t.mu.Unlock()
	return true, err
}

// leave ends the turn, which has found the connection without a request for so long.
func (t *turn) leave(waited time.Duration) (int, error) {
	t.over.Store(true)
	t.park(t.l.opts.Idle - waited)
	return 0, io.EOF
}

// idle says that a request was answered and nothing of another has come.
func (c *Conn) idle() bool {
	return c.requests > 0 && c.framing.between() && len(c.ahead) == 0 && c.err == nil && c.fault == nil
}

// Write writes to the connection.
func (t *turn) Write(p []byte) (int, error) {
	if t.over.Load() {
		return len(p), nil
	}
	t.setWriteBy(t.write)
	return t.Conn.Write(p)
}

// Close closes the connection unless that is somebody else's by now.
func (t *turn) Close() error {
	if t.over.Load() {
		return nil
	}
	return t.Conn.Close()
}

// CloseWrite ends our direction.
func (t *turn) CloseWrite() error {
	if t.over.Load() {
		return nil
	}
	return t.Conn.CloseWrite()
}

func (t *turn) SetDeadline(d time.Time) error {
	t.write = d
	return t.SetReadDeadline(d)
}

func (t *turn) SetReadDeadline(d time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.readBy = d; t.looked != nil {
		t.setReadBy(d)
	}
	return nil
}

func (t *turn) SetWriteDeadline(d time.Time) error {
	t.write = d
	return nil
}

// Brief says, before the body of a request is read, that its handler does not take long
// or calls Take: nobody needs to wait for the client to leave.
func (t *turn) Brief() {
	t.mu.Lock()
	t.brief = true
	t.mu.Unlock()
}

// Takeable reports whether Take can be called: the request was read to its end.
func (t *turn) Takeable() bool {
	return t.framing.between() && t.requests > 0 && t.fault == nil && !t.over.Load()
}

// Take takes the connection from net/http for the answer to the request under way, and
// returns the connection below, for writing. The caller then must have Await run, and call
// Answered or Hangup.
func (t *turn) Take() net.Conn {
	t.mu.Lock()
	t.over.Store(true)
	looked := t.looked
	if looked != nil {
		t.setReadBy(time.Unix(1, 0))
	}
	t.mu.Unlock()
	if looked != nil {
		<-looked // at once
	}
	t.setReadBy(time.Time{})
	t.setWriteBy(time.Time{})
	t.rest.take()
	return t.Conn.Conn
}
