package orbited07

import (
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/legacy"
	"encke/tcpsocket"
)

const (
	// maxBacklog is how much may wait for a backend when a POST is answered. Clients have
	// no other brake: they send the next one when the last one was answered.
	maxBacklog = 256 << 10

	// tailTime is how long a backend may take the rest when nothing follows.
	tailTime = 15 * time.Second
)

// backlog is what waits for the backend of a conn, whose mu guards it.
type backlog struct {
	backend *tcpsocket.Backend // nil: not connected
	queue   []*buffer.Buffer
	queued  int // cost of queue, and of what is being written
	account buffer.Account
	writing bool          // there is a goroutine that writes
	failed  bool          // the backend takes nothing any more
	last    bool          // nothing follows: the backend is closed when it has all
	left    bool          // and so is the session
	changed chan struct{} // closed and replaced when there is less
}

// write queues a packet of the client.
func (c *conn) write(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed || c.last {
		return // nobody wants it
	}
	for len(p) > 0 {
		n := min(len(p), buffer.Max)
		c.queue = append(c.queue, buffer.Copy(p[:n]))
		c.count(legacy.Cost(n))
		p = p[n:]
	}
	if !c.writing && len(c.queue) > 0 {
		c.writing = true
		c.group.Go(c.drain) // until the queue is empty
	}
}

// count counts n more, with mu held.
func (c *conn) count(n int) {
	c.queued += n
	c.account.Set(c.queued)
	if n < 0 {
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

// drop throws away, with mu held, what waits.
func (c *conn) drop() {
	for _, b := range c.queue {
		b.Release()
	}
	c.queue, c.failed = nil, true
	c.count(-c.queued)
}

// drain writes until nothing waits.
func (c *conn) drain() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.writing = false
			last, left := c.last, c.left
			c.mu.Unlock()
			if last {
				c.shut(left)
			}
			return
		}
		b := c.queue[0]
		c.queue = append(c.queue[:0], c.queue[1:]...)
		c.mu.Unlock()
		n := legacy.Cost(b.Len())
		_, err := c.backend.Write(b.Bytes())
		b.Release()
		c.mu.Lock()
		if err != nil {
			c.drop()
		} else if !c.failed { // else it was counted with the rest
			c.count(-n)
		}
		c.mu.Unlock()
	}
}

// finish says that nothing follows for the backend; leaving: and that the session ends
// with it.
func (c *conn) finish(leaving bool) {
	c.mu.Lock()
	c.last = true
	c.left = c.left || leaving
	b, left, writing := c.backend, c.left, c.writing
	c.mu.Unlock()
	if b != nil {
		b.SetWriteDeadline(time.Now().Add(tailTime))
	}
	if !writing {
		c.shut(left)
	}
}

// shut closes the backend, which has got everything or takes nothing any more, and the
// session if its client has left.
func (c *conn) shut(left bool) {
	c.mu.Lock()
	b, failed := c.backend, c.failed
	c.mu.Unlock()
	switch {
	case b == nil:
	case failed:
		b.Fail(cause.Reset.With("the backend takes nothing any more"))
	default:
		b.Close()
	}
	if left {
		c.s.Close(cause.Closed.Err())
	}
}

// waitRoom returns when a POST may be answered, or when done or over is closed; then it
// reports false.
func (c *conn) waitRoom(done <-chan struct{}) bool {
	for {
		c.mu.Lock()
		queued, changed := c.queued, c.changed
		c.mu.Unlock()
		if queued <= maxBacklog {
			return true
		}
		select {
		case <-changed:
		case <-done:
			return false
		case <-c.over:
			return false
		}
	}
}
