package transports

import (
	"errors"
	"net"
	"sync"
	"time"

	"encke/buffer"
)

// This file is how a wsConn writes. What is written is collected and goes out in
// order, as much as the socket takes at once; for the rest a goroutine lives until
// it is written. Two write: the flusher, which corks the connection to write many
// frames together, and the WebSocket library, which answers pings and closes. Neither
// waits: while the library did, with a lock of its own, so did the flusher.

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
// reference, which is safe because the library passes on what it was given, and
// only the flusher gives it large ones: it holds on to them until all is written.
const smallPiece = 4 << 10

// maxAnswers is how many bytes of answers to pings may wait for a client that takes
// little. One that takes nothing is found out by the timeout; one that takes a byte now
// and then and goes on to ping would fill the memory.
const maxAnswers = 16 << 10

var errUnread = errors.New("the client pings and does not take the answers")

// Write collects p. While the connection is not corked it also writes what the
// socket takes at once.
func (c *wsConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	if c.draining && !c.corked {
		if c.answers += len(p); c.answers > maxAnswers {
			c.err = errUnread
			return 0, c.err
		}
	}
	c.collect(p)
	if c.corked || c.draining {
		return len(p), nil
	}
	if _, err := c.push(); err != nil {
		return 0, err
	}
	return len(p), nil
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

// push writes, with mu held, as much as the socket takes at once, and reports
// whether that was all. Otherwise a goroutine drains the rest.
func (c *wsConn) push() (bool, error) {
	if len(c.pending) == 0 {
		return true, nil
	}
	list := pieceLists.Get().(*[][]byte)
	for i := range c.pending {
		*list = append(*list, c.pending[i].bytes())
	}
	rest, _, err := c.writer.TryWriteAll(*list)
	n := len(*list) - len(rest)
	if err == nil && len(rest) > 0 {
		c.pending[n].trim(len(c.pending[n].bytes()) - len(rest[0]))
	}
	clear(*list)
	*list = (*list)[:0]
	pieceLists.Put(list)
	if err != nil {
		c.err = err
		return false, err
	}
	if n == len(c.pending) {
		c.clear()
		return true, nil
	}
	for i := range n {
		c.pending[i].release()
	}
	c.pending = append(c.pending[:0], c.pending[n:]...)
	return false, c.drainLater()
}

// pieceLists holds lists of what is written together.
var pieceLists = sync.Pool{New: func() any { return new([][]byte) }}

// drainLater starts, with mu held, the goroutine that drains.
func (c *wsConn) drainLater() error {
	if !c.start() {
		c.err = net.ErrClosed
		return c.err
	}
	c.draining, c.drained = true, make(chan struct{})
	return nil
}

// cork makes Write collect only. One goroutine at a time may cork.
func (c *wsConn) cork() {
	c.mu.Lock()
	c.corked = true
	c.mu.Unlock()
}

// uncork writes what was collected and reports whether that is done. If not, drain
// will tell the goroutine that runs it; until then what was written by reference
// must stay as it is.
func (c *wsConn) uncork() (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked = false
	if c.err != nil {
		return false, c.err
	}
	done := false
	if !c.draining {
		var err error
		if done, err = c.push(); err != nil {
			return false, err
		}
	}
	c.behind = !done
	return done, nil
}

// drain writes what is pending and waits for the socket, until nothing is pending. It
// is called by the goroutine that start has started, and reports whether somebody
// waits for what uncork had to leave.
func (c *wsConn) drain() (behind bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) > 0 && err == nil {
		pending := c.pending
		c.pending, c.answers = nil, 0
		c.mu.Unlock()
		for i := range pending {
			c.Conn.SetWriteDeadline(time.Now().Add(c.timeout))
			if _, err = c.Conn.Write(pending[i].bytes()); err != nil {
				break
			}
			pending[i].release()
		}
		c.mu.Lock()
	}
	if err == nil {
		c.Conn.SetWriteDeadline(time.Time{}) // else a later TryWrite fails by it
	} else if c.err == nil {
		c.err = err
	}
	behind = c.behind
	c.draining, c.behind = false, false
	close(c.drained)
	return behind, err
}

// awaitDrained returns when no goroutine drains, or after patience.
func (c *wsConn) awaitDrained(patience time.Duration) {
	c.mu.Lock()
	draining, drained := c.draining, c.drained
	c.mu.Unlock()
	if !draining {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
}

// clear releases what is pending, with mu held.
func (c *wsConn) clear() {
	for i := range c.pending {
		c.pending[i].release()
	}
	if c.pending = c.pending[:0]; cap(c.pending) > 16 {
		c.pending = nil
	}
}

// abandon gives up what was not written; the connection is dead.
func (c *wsConn) abandon() {
	c.Conn.Close() // first, or what is written meanwhile would follow a hole
	c.mu.Lock()
	if c.err == nil {
		c.err = net.ErrClosed
	}
	c.clear()
	c.mu.Unlock()
}
