package edge

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"encke/buffer"
	"encke/rawconn"
)

// Conn is an HTTP/1 connection; net/http gets it for a turn at a time (turn.go). It reads
// no further than to the end of a message at a time; what came with it is kept for the
// next Read.
//
// At a malformed head it gives net/http bytes that no server takes for a request
// instead of the rest, and replaces the answer that net/http gives to them by one of
// its own. So the answer comes in its turn, behind those to earlier requests, and is
// the last. In a malformed body the connection just ends.
type Conn struct {
	net.Conn
	l     *Listener
	stats *Stats
	tls   *tls.ConnectionState // nil: none

	// Used by the one reader.
	framing  framing
	ahead    []byte // read and not yet scanned
	err      error  // comes behind ahead
	poison   []byte // left to deliver
	requests int
	slow     bool // counted
	busy     bool // the last request came soon after the one before

	reader  *rawconn.Reader // for fetch
	in      *buffer.Buffer  // what ahead lies in, if fetch has read it
	release func()          // lets Close of the listener no longer wait for the last spawn

	readBy, writeBy time.Time // deadlines of the connection below

	fault *fault // set before the poison is delivered
	armed bool   // the poison was delivered whole: the next write answers it

	answered atomic.Bool // the fault was; http.Server.Close asks from another goroutine
	rest     rest
}

func newConn(conn net.Conn, l *Listener) *Conn {
	c := &Conn{Conn: conn, l: l, stats: l.opts.Stats}
	if t, ok := conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		c.tls = &state
	}
	return c
}

// poison makes net/http answer 400 wherever in a head it comes: NUL is in no method,
// target, version, name or value.
var poison = []byte("\x00\r\n\r\n")

// Read reads from the connection, at most to the end of a message.
func (c *Conn) Read(p []byte) (int, error) {
	switch {
	case c.fault != nil:
		return c.deliver(p)
	case len(p) == 0:
		return 0, nil
	case c.framing.state == inUpgrade: // the handler has not taken over the connection
		return c.refuse(p, 0, upgraded)
	}
	n, err := c.fill(p)
	if n == 0 {
		c.timedOut(err)
		return 0, err
	}
	fresh := c.framing.between()
	used, bad := c.framing.scan(p[:n])
	if bad != nil {
		return c.refuse(p, used, bad)
	}
	if fresh {
		c.requests++
	}
	if used < n {
		c.ahead = append(append(make([]byte, 0, n-used+len(c.ahead)), p[used:n]...), c.ahead...)
		c.unplace()
	}
	return used, nil
}

// fill reads what is ahead, or else from the network.
func (c *Conn) fill(p []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		if c.ahead = c.ahead[n:]; len(c.ahead) == 0 {
			c.ahead = nil
			c.unplace()
		}
		return n, nil
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.Conn.Read(p)
	if n > 0 && err != nil {
		c.err, err = err, nil
	}
	return n, err
}

// timedOut counts heads that did not come in time, and connections that never began.
func (c *Conn) timedOut(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) && !c.slow && (c.requests == 0 || c.framing.inHead()) {
		c.slow = true
		c.stats.SlowHeads.Add(1)
	}
}

// refuse delivers the good bytes of p and then poison.
func (c *Conn) refuse(p []byte, good int, bad *fault) (int, error) {
	c.fault, c.ahead = bad, nil
	c.stats.refused(bad)
	if c.framing.state >= inBody && c.framing.state != inUpgrade {
		c.answered.Store(true) // or is about to be, by who reads no bodies
		return good, errBadBody
	}
	c.poison = poison
	n, err := c.deliver(p[good:])
	return good + n, err
}

var errBadBody = errors.New("the body of the request is malformed")

func (c *Conn) deliver(p []byte) (int, error) {
	if len(c.poison) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.poison)
	if c.poison = c.poison[n:]; len(c.poison) == 0 {
		c.armed = true
	}
	return n, nil
}

// Write writes to the connection; the answer to poison becomes ours. When all poison
// was read no handler runs, so this is that answer: Read ends at the end of each
// message.
func (c *Conn) Write(p []byte) (int, error) {
	if !c.armed || !bytes.HasPrefix(p, []byte("HTTP/1.1 400 Bad Request")) {
		return c.Conn.Write(p)
	}
	c.armed = false
	c.Conn.SetWriteDeadline(time.Now().Add(goodbye))
	c.answered.Store(true)
	if _, err := c.Conn.Write(answer(c.fault)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// answer is the whole answer to a request that was refused.
func answer(bad *fault) []byte {
	return response(bad.status, bad.text, 0)
}

// response is an answer behind which the connection ends. retry is in seconds, 0: not
// said.
func response(status int, text string, retry int) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + statusText[status] + "\r\n" +
		"Cache-Control: no-store\r\nConnection: close\r\nContent-Length: " + strconv.Itoa(len(text)+1) + "\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\nReferrer-Policy: no-referrer\r\n")
	if retry > 0 {
		b.WriteString("Retry-After: " + strconv.Itoa(retry) + "\r\n")
	}
	b.WriteString("X-Content-Type-Options: nosniff\r\n\r\n" + text + "\n")
	return b.Bytes()
}

var statusText = map[int]string{
	400: "Bad Request", 414: "URI Too Long", 429: "Too Many Requests",
	431: "Request Header Fields Too Large", 503: "Service Unavailable",
}

// goodbye bounds writing the last answer of a connection, and waiting for the client
// to have it.
const goodbye = time.Second

// Close closes the connection. Behind a refusal it first takes what the client still
// sends, for a moment: a connection that is closed with unread bytes is reset, and the
// client may lose the answer. One that is closed while a request goes on does not wait:
// http.Server.Close closes one after the other.
func (c *Conn) Close() error {
	if c.answered.Swap(false) {
		linger(c.Conn)
	}
	c.l.active(c)
	return c.Conn.Close()
}

// linger ends our direction and waits until the client has ended its own, or too much
// or too little comes.
func linger(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	conn.SetReadDeadline(time.Now().Add(goodbye))
	io.CopyN(io.Discard, conn, 4*MaxHead)
}

// CloseWrite ends our direction.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Detach returns the connection below, for whoever took over an upgraded connection
// from net/http, and the bytes that were read ahead of that. Nothing is checked any
// more; c must not be used again.
func (c *Conn) Detach() (net.Conn, []byte) {
	c.setReadBy(time.Time{})
	c.setWriteBy(time.Time{})
	return c.Conn, c.ahead
}

// setReadBy sets the deadline of reads below, which costs more than to look whether it
// is another one.
func (c *Conn) setReadBy(t time.Time) {
	if t != c.readBy {
		c.readBy = t
		c.Conn.SetReadDeadline(t)
	}
}

// setWriteBy is setReadBy for writes.
func (c *Conn) setWriteBy(t time.Time) {
	if t != c.writeBy {
		c.writeBy = t
		c.Conn.SetWriteDeadline(t)
	}
}
