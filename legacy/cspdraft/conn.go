package cspdraft

import (
	"sync"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
	"encke/legacy"
)

// conn is one session: the Handler of what its client sends, the Carrier of what it gets.
type conn struct {
	a       *adapter
	session *csp.Session
	sockets *legacy.Sockets
	sending *legacy.Turn // of sends
	done    chan struct{}

	// Used by Receive, and by sockets, which it opens.
	head   []byte        // what the stream begins with, as far as it does not tell the framing
	stream legacy.Stream // nil: nothing did yet
	apart  bool

	mu       sync.Mutex
	vars     variables
	writable chan struct{} // closed when a refused reservation may succeed
}

var (
	_ csp.Handler    = (*conn)(nil)
	_ legacy.Carrier = (*conn)(nil)
)

func (a *adapter) accept(s *csp.Session) csp.Handler {
	c := &conn{
		a: a, session: s, sending: legacy.NewTurn(), done: make(chan struct{}),
		vars: defaults, writable: make(chan struct{}),
	}
	group := a.p.Group(s.Peer(), s.Digest(), s.Close)
	c.sockets = legacy.NewSockets(group, c, a.p.Sessions.Budget())
	return c
}

// begin connects a new session whose framing and target are known: its backend may have
// the first word.
func (c *conn) begin() {
	if framings := c.a.p.Framings; c.a.target != nil && len(framings) == 1 {
		c.stream = framings[0].Open(c.sockets)
	}
}

// maxDigits is how many digits a stream may begin with before the mark of its framing.
const maxDigits = 7

// Receive passes on the stream. Its first bytes tell the framing.
func (c *conn) Receive(data [][]byte) error {
	for _, p := range data {
		if c.stream == nil {
			before := len(c.head)
			c.head = append(c.head, p[:min(len(p), maxDigits+1-before)]...)
			n := 0
			for n < len(c.head) && c.head[n]-'0' < 10 {
				n++
			}
			if n == len(c.head) && n <= maxDigits {
				continue
			}
			if err := c.choose(c.head[n:]); err != nil {
				return err
			}
			if err := c.stream.Receive(c.head[:before]); err != nil {
				return err
			}
		}
		if err := c.stream.Receive(p); err != nil {
			return err
		}
	}
	return nil
}

// choose finds the framing of a stream from what is behind the digits that it begins with.
func (c *conn) choose(rest []byte) error {
	mark := byte(0)
	if len(rest) > 0 && len(rest) < len(c.head) && (rest[0] == ':' || rest[0] == ',') {
		mark = rest[0]
	}
	for _, f := range c.a.p.Framings {
		if f.Mark == mark {
			c.apart = f.Apart
			c.stream = f.Open(c.sockets)
			return nil
		}
	}
	c.a.p.Log.Warn("refused", "reason", "the framing of a client is not switched on (--legacy)", "session", c.session.Digest(), "mark", string(mark))
	return cause.Denied.With("this framing is not served here")
}

// Writable is called when the client has taken enough.
func (c *conn) Writable() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.writable)
	c.writable = make(chan struct{})
}

// Closed is called when the session is over.
func (c *conn) Closed(why *cause.Error) {
	close(c.done)
	c.sockets.Close(why)
}

// Origin is as in legacy.Carrier.
func (c *conn) Origin() string { return c.session.Peer().Origin }

// maxReserve is how much room a frame waits for, at most; more there may never be.
const maxReserve = 16 << 10

// Send is as in legacy.Carrier.
func (c *conn) Send(p []byte) error {
	for {
		c.mu.Lock()
		writable := c.writable
		c.mu.Unlock()
		if n := c.session.Reserve(min(len(p), maxReserve), 0, 0); n > 0 {
			if c.apart {
				return c.session.SendApart(buffer.Copy(p), n)
			}
			return c.session.Send(buffer.Copy(p), n)
		}
		select {
		case <-writable:
		case <-c.done:
			return c.session.Err()
		}
	}
}

// Answer is as in legacy.Carrier. Clients want some answers to be packets of their own.
func (c *conn) Answer(p []byte) { _ = c.session.SendApart(buffer.Copy(p), 0) }

// End is as in legacy.Carrier.
func (c *conn) End() { c.session.End() }
