package orbited07

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"sync"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
	"encke/legacy"
	"encke/tcpsocket"
	"encke/whitelist"
)

// phase is how far the one connection of a session has got. It only moves on.
type phase uint8

const (
	awaiting   phase = iota // the handshake
	connecting              // the backend is dialed
	relaying
	refused // the handshake failed, or the client has closed
)

// conn is the one connection of a session to a backend; it handles what the session
// receives.
type conn struct {
	a     *adapter
	s     *csp.Session
	group *tcpsocket.Group

	down chan struct{} // held by the response that may write packets
	post *legacy.Turn  // of the POST that may deliver packets
	room chan struct{} // rung when the session may have room again
	over chan struct{} // closed at the end of the session

	buffers *legacy.Buffers
	backlog *legacy.Backlog // of the backend

	// Used by the goroutine that reads the backend only.
	into    *buffer.Buffer
	granted int

	mu     sync.Mutex
	phase  phase
	heard  time.Time   // when the last request came
	pinged time.Time   // when a ping was sent for which nothing has come; zero: none was
	opened bool        // the client has got "open"
	ending *time.Timer // runs since the client was told that the backend has closed

	left bool // the client has closed: the session ends when the backend has got everything
}

// accept makes the Handler of a session.
func (a *adapter) accept(s *csp.Session) csp.Handler {
	c := &conn{
		a: a, s: s, group: a.p.Group(s.Peer(), s.Digest(), s.Close),
		down: make(chan struct{}, 1), post: legacy.NewTurn(),
		room: make(chan struct{}, 1), over: make(chan struct{}),
		heard: time.Now(),
	}
	c.buffers = legacy.NewBuffers(a.p.Sessions.Budget(), c.over, c.group.Go)
	c.backlog = c.buffers.Backlog(nil, c.settled)
	return c
}

// Receive gets what the client sends, one slice for each packet.
func (c *conn) Receive(data [][]byte) error {
	for _, p := range data {
		c.mu.Lock()
		now := c.phase
		c.mu.Unlock()
		switch now {
		case awaiting:
			c.handshake(p)
		case connecting: // the client sends nothing before it is told
			c.refuse(invalidHandshake)
		case relaying:
			c.backlog.Put(buffer.Copy(p))
		}
	}
	return nil
}

// Writable says that the session has room for what the backend says.
func (c *conn) Writable() {
	select {
	case c.room <- struct{}{}:
	default:
	}
}

// Closed ends everything.
func (c *conn) Closed(why *cause.Error) {
	c.mu.Lock()
	c.phase = refused
	if c.ending != nil {
		c.ending.Stop()
	}
	c.mu.Unlock()
	close(c.over)
	c.backlog.Drop()
	c.group.Close(why)
}

// handshake connects to the backend that the first packet names.
func (c *conn) handshake(p []byte) {
	dest, ok := target(p)
	c.mu.Lock()
	c.phase = connecting
	c.mu.Unlock()
	if !ok {
		c.refuse(invalidHandshake)
		return
	}
	c.group.Go(func() { c.run(dest) }) // ends when the backend or the session does
}

// target parses "HOST:PORT\n". An IPv6 address may stand in brackets or not: the port is
// behind the last colon.
func target(p []byte) (whitelist.Dest, bool) {
	p = bytes.TrimRight(p, "\r\n")
	colon := bytes.LastIndexByte(p, ':')
	if colon < 0 {
		return whitelist.Dest{}, false
	}
	port, err := strconv.ParseUint(string(p[colon+1:]), 10, 16)
	if err != nil {
		return whitelist.Dest{}, false
	}
	host := p[:colon]
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	dest, err := whitelist.ParseDest(string(host), port)
	return dest, err == nil
}

// refuse answers the handshake with a code, and ends.
func (c *conn) refuse(why code) {
	c.mu.Lock()
	before := c.phase
	c.phase = refused
	c.mu.Unlock()
	if before == refused {
		return
	}
	c.s.SendApart(buffer.Copy([]byte(why.answer())), 0)
	c.s.End()
}

// run dials the backend and reads it until its end.
func (c *conn) run(dest whitelist.Dest) {
	b, err := c.group.Dial(context.Background(), dest, tcpsocket.OpenOptions{NoDelay: true, KeepAlive: keepAlive})
	if err != nil {
		c.refuse(codeOf(err.(*cause.Error).Code))
		return
	}
	c.mu.Lock()
	wanted := c.phase == connecting
	if wanted {
		c.phase = relaying
	}
	c.mu.Unlock()
	if !wanted {
		b.Close()
		return
	}
	c.backlog.Start(b, b.Writer())
	// The client throws away what follows this in the same packet.
	c.s.SendApart(buffer.Copy([]byte(connected)), 0)
	c.pump(b)
}

// keepAlive is what TCP does for a connection that nobody uses.
const keepAlive = 15 * time.Second

// maxPiece is how much of the backend goes into one packet, at most.
const maxPiece = 16<<10 - buffer.Headroom

// pump sends what the backend says to the client. While the session has no room the
// backend is not read.
func (c *conn) pump(b *tcpsocket.Backend) {
	read := b.Reader(c.place, c.unplace)
	for {
		n, err := read()
		switch {
		case err != nil:
			if err != io.EOF {
				b.Fail(tcpsocket.ReadCause(err))
			}
			if !c.hasLeft() { // else the end of the backend is what it asked for
				c.s.End()
			}
			c.backlog.End()
			return
		case n == 0:
			select {
			case <-c.room:
			case <-c.over:
				return
			}
		default:
			c.into.Extend(n)
			full, granted := c.into, c.granted
			c.into, c.granted = nil, 0
			c.s.Send(full, granted) // after the end it is dropped
		}
	}
}

// place is asked for memory when the backend has something to say.
func (c *conn) place() []byte {
	if c.granted = c.s.Reserve(maxPiece, 0, 0); c.granted == 0 {
		return nil
	}
	c.into = buffer.Get(c.granted)
	return c.into.Room()[:c.granted]
}

// unplace takes it back: there was nothing to read.
func (c *conn) unplace() {
	c.into.Release()
	c.s.Unreserve(c.granted)
	c.into, c.granted = nil, 0
}
