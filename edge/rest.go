package edge

import (
	"sync"
	"time"

	"encke/buffer"
	"encke/rawconn"
)

// rest is the state of a connection that no turn has.
type rest struct {
	mu      sync.Mutex
	answer  bool // an answer is under way
	request bool // the next request has begun
	left    bool // or the client has left
}

// take says that an answer is under way.
func (r *rest) take() {
	r.mu.Lock()
	r.answer, r.request = true, false
	r.mu.Unlock()
}

// came says what the client has done, and reports whether an answer is under way.
func (r *rest) came(request bool) (answer bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.request, r.left = request, !request
	return r.answer
}

// answered says that the answer is over, and reports what the client has done meanwhile.
func (r *rest) answered() (request, left bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = false
	return r.request, r.left
}

// Await waits until the client begins its next request, and has that served once the
// answer under way is over. It returns an error when the client has left, or when it has
// begun nothing for too long after the answer; then the caller must call Hangup.
func (c *Conn) Await() error {
	since := time.Now()
	if err := c.fetch(); err != nil {
		c.rest.came(false)
		return err
	}
	c.busy = c.requests > 0 && time.Since(since) < nextSoon
	if answer := c.rest.came(true); !answer {
		c.resume()
	}
	return nil
}

// fetch waits until something is ahead. It holds no buffer meanwhile.
func (c *Conn) fetch() error {
	switch {
	case len(c.ahead) > 0:
		return nil
	case c.err != nil:
		return c.err
	}
	if c.reader == nil {
		c.reader = rawconn.NewReader(c.Conn, c.place, c.unplace)
	}
	n, err := c.reader.Read()
	if err == nil {
		c.in.Extend(n)
		c.ahead = c.in.Bytes()
	}
	return err
}

// firstRead is how much is read of a request before it has a turn: as much as net/http
// reads at a time, and no less than rawconn does where it cannot wait without a buffer.
const firstRead = 4 << 10

func (c *Conn) place() []byte {
	c.in = buffer.Get(firstRead)
	return c.in.Room()
}

func (c *Conn) unplace() {
	if c.in != nil {
		c.in.Release()
		c.in = nil
	}
}

// Answered ends what Take has begun: the answer was written, and the connection waits for
// the next request.
func (c *Conn) Answered() {
	if !c.l.rest(c) {
		c.Close()
		return
	}
	c.setReadBy(time.Now().Add(c.l.opts.Idle))
	switch request, left := c.rest.answered(); {
	case left:
		c.Close()
	case request:
		c.spawn(c.resume) // ends when the request is taken, or the listener closed
	}
}

// Hangup closes the connection, which net/http has no longer.
func (c *Conn) Hangup() { c.Close() }

// park waits at most so long for the next request of a connection that net/http does not
// have.
func (c *Conn) park(wait time.Duration) {
	if !c.l.rest(c) {
		c.Close()
		return
	}
	c.setReadBy(time.Now().Add(wait))
	c.spawn(func() { // ends with the wait, or when the listener is closed
		if err := c.Await(); err != nil {
			c.timedOut(err)
			c.Close()
		}
	})
}

// resume has the request that has begun served: by net/http in another turn, if it is not
// for a WebSocket.
func (c *Conn) resume() {
	if r := c.upgrade(); r != nil {
		c.serveUpgrade(r)
		return
	}
	c.l.active(c)
	c.l.give(c.newTurn())
}

// rest notes a connection that waits for its next request, so that Close closes it. It
// reports false when that was called.
func (l *Listener) rest(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.resting[c] = struct{}{}
	}
	return !l.closed
}

// active takes back what rest has noted.
func (l *Listener) active(c *Conn) {
	l.mu.Lock()
	delete(l.resting, c)
	l.mu.Unlock()
}

// spawn runs f in a goroutine that Close of the listener waits for, unless that was called,
// until f returns or calls c.release.
func (c *Conn) spawn(f func()) {
	l := c.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.work.Add(1)
	c.release = sync.OnceFunc(l.work.Done)
	go func(release func()) {
		defer release()
		f()
	}(c.release)
}

// closeResting closes the connections that wait for a request, all at once: in TLS each
// may take 5 s to say so to a client that reads nothing.
func (l *Listener) closeResting() {
	l.mu.Lock()
	l.closed = true
	resting := l.resting
	l.resting = nil
	l.mu.Unlock()
	for c := range resting {
		l.work.Go(func() { c.Close() }) // Close waits for it
	}
}
