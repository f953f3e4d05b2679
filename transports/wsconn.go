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
//   - Write never waits (wswrite.go).
//   - guard sees the frames before the library does, and merge makes one message of
//     small ones that come together.
//   - Close sees to it that the last frame arrives.
type wsConn struct {
	net.Conn

	// Used by the one reader.
	reader *rawconn.Reader
	in     *buffer.Buffer // read and not yet taken, or nil
	direct []byte         // where the caller wants the bytes, if that is large enough
	guard  frameGuard
	merge  frameMerger

	timeout time.Duration // of a waiting write
	start   func() bool   // starts a goroutine that calls drain; false: it cannot

	mu       sync.Mutex
	writer   *rawconn.Writer
	pending  []piece       // to be written, in order
	corked   bool          // between cork and uncork
	answers  int           // bytes of pending that were written beside the flusher while draining
	draining bool          // a goroutine writes what is pending
	behind   bool          // whoever uncorked waits for that
	drained  chan struct{} // closed when draining ends
	err      error         // of writing; nothing is written after it
}

func newWSConn(conn net.Conn, ahead []byte, timeout time.Duration, start func() bool) *wsConn {
	c := &wsConn{Conn: conn, timeout: timeout, start: start, writer: rawconn.NewWriter(conn)}
	c.reader = rawconn.NewReader(conn, c.place, c.unplace)
	if len(ahead) > 0 {
		c.in = buffer.Copy(ahead)
		c.arrived(0)
	}
	return c
}

func (c *wsConn) place() []byte {
	if len(c.direct) >= smallPiece {
		return c.direct
	}
	c.in = buffer.Get(buffer.Max)
	c.in.Append(c.merge.rest())
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
	for c.in == nil {
		if c.guard.bad != nil {
			return 0, c.guard.bad
		}
		c.direct = p
		n, err := c.reader.Read()
		c.direct = nil
		if err == io.EOF {
			// The WebSocket library takes io.EOF inside a frame for the end
			// of the message.
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		if c.in == nil { // it went to p, which is for payload of the frame under way
			n, err = c.guard.check(p[:n], sinceStart())
			c.merge.passed(n)
			if n == 0 {
				return 0, err
			}
			return n, nil
		}
		old := c.in.Len()
		c.in.Extend(n)
		c.arrived(old)
	}
	n := copy(p, c.in.Bytes())
	c.in.Trim(n)
	if c.in.Len() == 0 {
		c.unplace()
	}
	return n, nil
}

// arrived prepares for the library what is new in c.in, behind its first old bytes.
func (c *wsConn) arrived(old int) {
	fine, _ := c.guard.check(c.in.Bytes()[old:], sinceStart())
	if c.in.Truncate(len(c.merge.merge(c.in.Bytes()[:old+fine]))); c.in.Len() == 0 {
		c.unplace()
	}
}

// farewell is how long Close waits for the client to close the connection too.
const farewell = time.Second

// Close closes the connection when what is collected was written.
func (c *wsConn) Close() error {
	c.mu.Lock()
	if c.corked && !c.draining && c.err == nil {
		c.push() // a close frame may be among what is collected
	}
	c.mu.Unlock()
	c.awaitDrained(farewell)
	return closeGently(c.Conn)
}

// closeGently closes a connection once the client has, or after a second. Closed at
// once, with bytes of the client still unread, TCP would reset it, and the client
// might never see why its WebSocket was closed (RFC 6455 section 7.1.1).
func closeGently(c net.Conn) error {
	half, ok := c.(interface{ CloseWrite() error })
	if ok && half.CloseWrite() == nil {
		c.SetReadDeadline(time.Now().Add(farewell))
		io.Copy(io.Discard, c)
	}
	return c.Close()
}
