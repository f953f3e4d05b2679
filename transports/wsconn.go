package transports

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

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

	reading sync.Mutex // held while reading: the library reads too when it closes
	reader  *rawconn.Reader
	in      *buffer.Buffer // read and not yet taken, or nil
	direct  []byte         // where the caller wants the bytes, if that is large enough
	guard   frameGuard
	merge   frameMerger
	give    int         // bytes of the header, or payload, under way that the library did not get yet
	payload int         // behind the header under way
	single  bool        // the frame under way is a binary message by itself
	ended   atomic.Bool // the client has said all it will

	// Set once.
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
		c.prepare(0)
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

// Read reads from the connection. It stops behind each header, so that the payload can
// be read where it is (see arrived), and behind each frame. A violation comes behind
// what was sent before it.
func (c *wsConn) Read(p []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	for c.in == nil {
		if c.guard.bad != nil {
			return 0, c.guard.bad
		}
		c.direct = p
		n, err := c.reader.Read()
		c.direct = nil
		if err != nil {
			return 0, c.over(err)
		}
		if c.in == nil { // it went to p, which is for payload of the frame under way
			n, err = c.guard.check(p[:n], sinceStart())
			c.merge.passed(n)
			c.header()
			c.give -= n
			if n == 0 {
				return 0, err
			}
			return n, nil
		}
		c.took(n)
	}
	c.header()
	n := copy(p[:min(len(p), c.give)], c.in.Bytes())
	c.give -= n
	c.in.Trim(n)
	if c.in.Len() == 0 {
		c.unplace()
	}
	return n, nil
}

// await waits for the first bytes of a frame, unless some have arrived. The library would
// wait with more of the stack in use, and could not leave off; the error may be
// rawconn.ErrQuiet. The caller has read the last message to its end.
func (c *wsConn) await() error {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.in != nil || c.give > 0 || c.payload > 0 || c.guard.bad != nil {
		return nil
	}
	n, err := c.reader.ReadOrRest()
	if err != nil {
		return c.over(err)
	}
	c.took(n)
	return nil
}

// left reports whether the client has said all it will, which has been read. It does not
// know while somebody else reads: the library, which closes a WebSocket that was displaced,
// and may wait for the client.
func (c *wsConn) left() bool {
	if !c.reading.TryLock() {
		return false
	}
	defer c.reading.Unlock()
	if c.in == nil && c.reader.Ended() {
		c.ended.Store(true)
	}
	return c.ended.Load()
}

// over is err, of a read, but for io.EOF, which the WebSocket library takes inside a frame
// for the end of the message.
func (c *wsConn) over(err error) error {
	if err == io.EOF {
		c.ended.Store(true)
		return io.ErrUnexpectedEOF
	}
	return err
}

// took makes the n bytes behind c.in, which were read there, part of it.
func (c *wsConn) took(n int) {
	old := c.in.Len()
	c.in.Extend(n)
	c.prepare(old)
}

// goodbye returns what the client said when it closed the WebSocket, or 0. It does not
// matter whether the library was closing it too, and who has read that.
func (c *wsConn) goodbye() websocket.StatusCode {
	c.reading.Lock()
	defer c.reading.Unlock()
	if !c.guard.bye || len(c.guard.close) < 2 {
		return 0
	}
	return websocket.StatusCode(binary.BigEndian.Uint16(c.guard.close))
}

// header makes give count what comes next when the library got all of the header or
// payload that was under way.
func (c *wsConn) header() {
	if c.give == 0 {
		c.give, c.payload = c.payload, 0
	}
	if c.give == 0 {
		p := c.in.Bytes() // merge lets no part of a header pass
		f, _ := parseFrame(p)
		c.give, c.payload, c.single = f.head, int(f.size), p[0] == binaryFrame
	}
}

// arrived returns the payload of the frame whose header the library got last, if that is
// a message and has arrived whole, and a reference to the buffer that it is in. Who
// makes the library read it to that very place saves a copy.
func (c *wsConn) arrived() ([]byte, *buffer.Buffer) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.in == nil || !c.single || c.give > 0 || c.payload == 0 || c.payload > c.in.Len() {
		return nil, nil
	}
	c.in.Retain()
	return c.in.Bytes()[:c.payload], c.in
}

// expected returns how much room the frame under way deserves: twice what has arrived
// of it, if it announced that much.
func (c *wsConn) expected() int {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.in == nil {
		return 0
	}
	return min(c.give+c.payload, 2*c.in.Len(), buffer.Max)
}

// prepare prepares for the library what is new in c.in, behind its first old bytes.
func (c *wsConn) prepare(old int) {
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
	if c.ended.Load() { // and all of it was read
		return c.Conn.Close()
	}
	return closeGently(c.Conn, c.reader.Until)
}

// closeGently closes a connection once the client has, or after a second. Closed at
// once, with bytes of the client still unread, TCP would reset it, and the client
// might never see why its WebSocket was closed (RFC 6455 section 7.1.1). until sets the
// deadline for reading.
func closeGently(c net.Conn, until func(time.Time) error) error {
	half, ok := c.(interface{ CloseWrite() error })
	if ok && half.CloseWrite() == nil {
		until(time.Now().Add(farewell))
		io.Copy(io.Discard, c)
	}
	return c.Close()
}
