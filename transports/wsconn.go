package transports

import (
	"io"
	"net"
	"sync"
	"time"

	"encke/buffer"
	"encke/rawconn"
)

// wsConn is the net.Conn under a server's WebSocket. It exists so that the
// WebSocket library keeps no large buffer while nothing happens, and so that many
// frames leave in one write that does not wait:
//
//   - Read takes a buffer from the pool when there is something to read and gives
//     it back when it is empty.
//   - Between cork and uncork, Write only collects. uncork writes as much as the
//     socket takes at once; drain writes the rest and may wait.
//   - guard sees the frames before the library does.
//   - Close sees to it that the last frame arrives.
type wsConn struct {
	net.Conn

	// Used by the one reader.
	reader *rawconn.Reader
	in     *buffer.Buffer // read and not yet taken, or nil
	direct []byte         // where the caller wants the bytes, if that is large enough
	guard  frameGuard

	mu      sync.Mutex
	writer  *rawconn.Writer
	corked  bool
	pending []piece       // collected, in order
	timeout time.Duration // of a waiting write
}

// piece is a part of what was collected: a copy of small writes, or one large
// write by reference.
type piece struct {
	copied *buffer.Buffer
	ref    []byte
}

func (p *piece) bytes() []byte {
	if p.copied != nil {
		return p.copied.Bytes()
	}
	return p.ref
}

func (p *piece) trim(n int) {
	if p.copied != nil {
		p.copied.Trim(n)
	} else {
		p.ref = p.ref[n:]
	}
}

func (p *piece) release() {
	if p.copied != nil {
		p.copied.Release()
	}
	*p = piece{}
}

// smallPiece is up to which size Write copies. Larger pieces are kept by
// reference, which is safe because the library passes on what it was given and
// the flusher holds on to that until everything is written.
const smallPiece = 4 << 10

func newWSConn(conn net.Conn, ahead []byte, timeout time.Duration) *wsConn {
	c := &wsConn{Conn: conn, timeout: timeout, writer: rawconn.NewWriter(conn)}
	c.reader = rawconn.NewReader(conn, c.place, c.unplace)
	if len(ahead) > 0 {
		c.in = buffer.Copy(ahead)
	}
	return c
}

func (c *wsConn) place() []byte {
	if len(c.direct) >= smallPiece {
		return c.direct
	}
	c.in = buffer.Get(buffer.Max)
	return c.in.Room()
}

func (c *wsConn) unplace() {
	if c.in != nil {
		c.in.Release()
		c.in = nil
	}
}

// Read reads from the connection. A violation comes behind what was sent before it.
func (c *wsConn) Read(p []byte) (int, error) {
	if c.guard.bad != nil {
		return 0, c.guard.bad
	}
	n, err := c.read(p)
	fine, bad := c.guard.check(p[:n], sinceStart())
	switch {
	case bad == nil:
		return n, err
	case fine > 0:
		return fine, nil
	}
	return 0, bad
}

func (c *wsConn) read(p []byte) (int, error) {
	if c.in == nil {
		c.direct = p
		n, err := c.reader.Read()
		c.direct = nil
		if err == io.EOF {
			// The WebSocket library takes io.EOF inside a frame for the end
			// of the message.
			err = io.ErrUnexpectedEOF
		}
		if err != nil || c.in == nil {
			return n, err
		}
		c.in.Extend(n)
	}
	n := copy(p, c.in.Bytes())
	c.in.Trim(n)
	if c.in.Len() == 0 {
		c.unplace()
	}
	return n, nil
}

// Write writes p, or collects it while corked.
func (c *wsConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.corked {
		c.collect(p)
		c.mu.Unlock()
		return len(p), nil
	}
	c.mu.Unlock()
	c.Conn.SetWriteDeadline(time.Now().Add(c.timeout))
	defer c.Conn.SetWriteDeadline(time.Time{})
	return c.Conn.Write(p)
}

// collect adds p to pending, with mu held.
func (c *wsConn) collect(p []byte) {
	if len(p) > smallPiece {
		c.pending = append(c.pending, piece{ref: p})
		return
	}
	last := len(c.pending) - 1
	if last < 0 || c.pending[last].copied == nil || len(c.pending[last].copied.Room()) < len(p) {
		c.pending = append(c.pending, piece{copied: buffer.Get(2 * smallPiece)})
		last++
	}
	c.pending[last].copied.Append(p)
}

func (c *wsConn) cork() {
	c.mu.Lock()
	c.corked = true
	c.mu.Unlock()
}

// uncork writes what was collected, as far as the socket takes it at once, and
// reports whether that was all. If not the connection stays corked, and drain
// must be called.
func (c *wsConn) uncork() (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.pending {
		p := &c.pending[i]
		n, err := c.writer.TryWrite(p.bytes())
		if err != nil {
			return false, err
		}
		if n < len(p.bytes()) {
			p.trim(n)
			c.pending = append(c.pending[:0], c.pending[i:]...)
			return false, nil
		}
		p.release()
	}
	c.release()
	return true, nil
}

// drain writes the rest and waits for the socket. It is called from one goroutine
// at a time, which is the only one that corks and uncorks.
func (c *wsConn) drain() error {
	for {
		c.mu.Lock()
		pending := c.pending
		c.pending = nil
		if len(pending) == 0 {
			c.Conn.SetWriteDeadline(time.Time{}) // else a later TryWrite fails by it
			c.release()
			c.mu.Unlock()
			return nil
		}
		c.mu.Unlock()
		for i := range pending {
			c.Conn.SetWriteDeadline(time.Now().Add(c.timeout))
			if _, err := c.Conn.Write(pending[i].bytes()); err != nil {
				return err
			}
			pending[i].release()
		}
	}
}

// release ends the corked state, with mu held.
func (c *wsConn) release() {
	for i := range c.pending {
		c.pending[i].release()
	}
	if c.pending = c.pending[:0]; cap(c.pending) > 16 {
		c.pending = nil
	}
	c.corked = false
}

// farewell is how long Close waits for the client to close the connection too.
const farewell = time.Second

// Close closes the connection once the client has, or after a second. Closed at
// once, with bytes of the client still unread, TCP would reset it, and the client
// might never see why its WebSocket was closed (RFC 6455 section 7.1.1).
func (c *wsConn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if ok && half.CloseWrite() == nil {
		c.Conn.SetReadDeadline(time.Now().Add(farewell))
		io.Copy(io.Discard, c.Conn)
	}
	return c.Conn.Close()
}

// abandon gives up what was not written; the connection is dead.
func (c *wsConn) abandon() {
	c.Conn.Close() // first, or what is written meanwhile would follow a hole
	c.mu.Lock()
	c.release()
	c.mu.Unlock()
}
