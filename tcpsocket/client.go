package tcpsocket

import (
	"context"
	"sync"

	"encke/cause"
	"encke/whitelist"
)

// clientWindow is how many bytes a Conn takes before they are read.
const clientWindow = 1 << 20

// Client is the far end of a Mux: it opens sockets over one session. It gets the
// session's bytes by Receive, Writable and Closed.
type Client struct {
	sender Sender
	turns  turns

	in    parser // used by Receive only
	frame Frame

	openMu sync.Mutex // makes Open frames leave in the order of their numbers

	mu      sync.Mutex
	sockets map[uint64]*Conn
	last    uint64
	ended   chan struct{} // closed and replaced when a socket is forgotten
	over    *cause.Error  // no new sockets, because of this
}

// NewClient returns a Client without sockets.
func NewClient(sender Sender) *Client {
	return &Client{sender: sender, turns: turns{sender: sender, light: new(justNow)}, sockets: make(map[uint64]*Conn), ended: make(chan struct{})}
}

// Dial opens a socket and waits until the backend is connected or ctx is done.
// Errors are of type *cause.Error or ctx's.
func (c *Client) Dial(ctx context.Context, dest whitelist.Dest) (*Conn, error) {
	s, err := c.open(dest)
	if err != nil {
		return nil, err
	}
	if err := s.waitOpen(ctx); err != nil {
		s.Abort()
		return nil, err
	}
	return s, nil
}

func (c *Client) open(dest whitelist.Dest) (*Conn, error) {
	c.openMu.Lock()
	defer c.openMu.Unlock()
	c.mu.Lock()
	if c.over != nil {
		c.mu.Unlock()
		return nil, c.over
	}
	c.last++
	s := newConn(c, c.last, dest)
	c.sockets[s.id] = s
	c.mu.Unlock()
	f := Frame{Type: Open, Socket: s.id, N: clientWindow, Port: uint64(dest.Port), Host: []byte(dest.Host)}
	if err := s.send(&f); err != nil {
		c.forget(s)
		return nil, err
	}
	return s, nil
}

// Receive takes the next bytes of the session.
func (c *Client) Receive(data [][]byte) error {
	defer func() { c.frame = Frame{} }() // it points into data
	for _, p := range data {
		if err := c.in.feed(p, &c.frame, c.handle); err != nil {
			return err
		}
	}
	return nil
}

// Flush waits until the proxy has confirmed the sockets that were closed, which it
// does when their last bytes have reached the backend, or until ctx is done.
func (c *Client) Flush(ctx context.Context) {
	for {
		c.mu.Lock()
		closing := false
		for _, s := range c.sockets {
			closing = closing || s.isClosed()
		}
		ended := c.ended
		c.mu.Unlock()
		if !closing {
			return
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return
		}
	}
}

// Writable says that the session has room again.
func (c *Client) Writable() { c.turns.writable() }

// Closed ends all sockets because the session is over.
func (c *Client) Closed(why *cause.Error) {
	if why.Code == cause.Closed {
		why = cause.SessionLost.With("the session was closed")
	}
	c.mu.Lock()
	c.over = why
	all := c.sockets
	c.sockets = nil
	c.mu.Unlock()
	for _, s := range all {
		s.end(why)
	}
}

// Err returns why no socket can be opened any more, or nil.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over == nil {
		return nil
	}
	return c.over
}

// Len returns the number of open sockets.
func (c *Client) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sockets)
}

func (c *Client) forget(s *Conn) {
	c.mu.Lock()
	delete(c.sockets, s.id)
	close(c.ended)
	c.ended = make(chan struct{})
	c.mu.Unlock()
	c.turns.forget(s)
}

func (c *Client) handle(f *Frame) error {
	if f.Type == GoAway {
		c.mu.Lock()
		if c.over == nil {
			c.over = &cause.Error{Code: cause.FromWire(f.Cause), Retry: int(min(f.Retry, 3600))}
		}
		c.mu.Unlock()
		return nil
	}
	c.mu.Lock()
	s, known := c.sockets[f.Socket], f.Socket > 0 && f.Socket <= c.last
	c.mu.Unlock()
	if s == nil {
		if known {
			return nil
		}
		return cause.ProtocolError.With("frame for a socket that was never opened")
	}
	switch f.Type {
	case Opened:
		return s.opened(f)
	case Data:
		return s.receive(f.Data)
	case Window:
		return s.credit(f.N)
	case EOF:
		s.receiveEOF()
	case Reset:
		s.end(&cause.Error{Code: cause.FromWire(f.Cause), Text: string(f.Text)})
	default:
		return cause.ProtocolError.With("frame type 0x%02x from a server", byte(f.Type))
	}
	return nil
}
