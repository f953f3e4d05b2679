package legacy

import (
	"sync"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/tcpsocket"
)

const (
	// linkBytes is how much may wait for all backends of one link. A client that has so
	// much stalled loses the next socket that asks for more.
	linkBytes = 8 << 20

	// spareBytes is how much may wait for a backend when memory is short.
	spareBytes = 64 << 10

	// tailTime is how long a backend may take the rest of the bytes after its client
	// closed.
	tailTime = 15 * time.Second
)

// Cost is what n bytes that wait count towards bounds: small pieces do not cost less memory
// than this.
func Cost(n int) int { return max(n, minCost) }

// minCost is the size of the smallest buffer.
const minCost = 256

// Backlog is what waits for one backend to take it. What the backend takes at once does not
// wait; only for the rest there is a goroutine, until all is written. One goroutine
// at a time may call Put and Wait.
type Backlog struct {
	l       *Link
	max     int    // bytes
	drained func() // called, with no lock held, when nothing waits any more; nil: nobody is

	mu      sync.Mutex
	backend *tcpsocket.Backend // nil: it is not connected yet
	write   func([]byte) (int, error)
	queue   []*buffer.Buffer
	queued  int // cost of queue, and of what is being written
	account buffer.Account
	busy    bool          // somebody writes
	last    bool          // nothing comes any more
	failed  bool          // the backend takes nothing any more
	changed chan struct{} // closed when there may be room again; nil: nobody waits
}

// Backlog returns the backlog of a socket of the link, of at most max bytes.
func (l *Link) Backlog(max int, drained func()) *Backlog {
	return &Backlog{l: l, max: max, drained: drained, account: l.proxy.Sessions.Budget().Account()}
}

// Start lets b have what waits and what comes.
func (q *Backlog) Start(b *tcpsocket.Backend) {
	q.mu.Lock()
	q.backend, q.write = b, b.Writer()
	waiting, last := len(q.queue) > 0, q.last
	q.busy = waiting
	q.mu.Unlock()
	if last {
		b.SetWriteDeadline(time.Now().Add(tailTime))
	}
	if waiting {
		q.l.Go(q.run)
	} else if last {
		b.Close()
	}
}

// Put takes b, unless there is no room for it. What comes after the end of a backend is
// thrown away.
func (q *Backlog) Put(b *buffer.Buffer) bool {
	q.mu.Lock()
	if q.failed || q.last || b.Len() == 0 {
		q.mu.Unlock()
		b.Release()
		return true
	}
	if q.busy || q.backend == nil {
		defer q.mu.Unlock()
		return q.enqueue(b)
	}
	q.busy = true
	q.mu.Unlock()
	n, err := q.write(b.Bytes())
	if err != nil {
		b.Release()
		q.Drop()
		return true
	}
	b.Trim(n)
	if b.Len() == 0 {
		b.Release()
		q.idle()
		return true
	}
	q.mu.Lock()
	q.enqueue(b) // there is room, as it was empty
	q.mu.Unlock()
	q.l.Go(q.run)
	return true
}

// enqueue keeps b if there is room, with mu held.
func (q *Backlog) enqueue(b *buffer.Buffer) bool {
	cost := Cost(b.Len())
	n := q.queued + cost
	switch {
	case q.failed:
		b.Release()
		return true
	case q.queued == 0:
	case n > q.max, n > spareBytes && q.l.proxy.Sessions.Budget().Tight():
		return false
	case q.l.queued.Load()+int64(cost) > linkBytes:
		return false
	}
	b = b.Fit()
	q.queue = append(q.queue, b)
	q.count(cost)
	return true
}

// count counts n more, with mu held.
func (q *Backlog) count(n int) {
	q.queued += n
	q.account.Set(q.queued)
	q.l.queued.Add(int64(n))
}

// run writes until nothing waits.
func (q *Backlog) run() {
	for {
		q.mu.Lock()
		if len(q.queue) == 0 {
			q.mu.Unlock()
			q.idle()
			return
		}
		b := q.queue[0]
		q.queue = append(q.queue[:0], q.queue[1:]...)
		q.mu.Unlock()
		n := Cost(b.Len())
		_, err := q.backend.Write(b.Bytes())
		b.Release()
		q.mu.Lock()
		if !q.failed {
			q.count(-n)
		}
		q.wake()
		q.mu.Unlock()
		if err != nil {
			q.Drop()
			return
		}
	}
}

// idle is called when all was written.
func (q *Backlog) idle() {
	q.mu.Lock()
	more := len(q.queue) > 0 // put meanwhile
	q.busy = more
	last := q.last
	q.mu.Unlock()
	switch {
	case more:
		q.l.Go(q.run)
	case last:
		q.backend.Close()
	case q.drained != nil:
		q.drained()
	}
}

// wake tells Wait, with mu held.
func (q *Backlog) wake() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}

// Wait returns when there may be room again, or when the link has ended.
func (q *Backlog) Wait() {
	q.mu.Lock()
	if q.queued == 0 {
		q.mu.Unlock()
		return
	}
	q.changed = make(chan struct{})
	changed := q.changed
	q.mu.Unlock()
	select {
	case <-changed:
	case <-q.l.Done():
	}
}

// Empty reports whether nothing waits.
func (q *Backlog) Empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.queued == 0
}

// End says that nothing comes any more. The backend is closed when it has taken all.
func (q *Backlog) End() {
	q.mu.Lock()
	again := q.last
	q.last = true
	b, writing := q.backend, q.busy && !q.failed
	q.mu.Unlock()
	switch {
	case again, b == nil: // Start sees it
	case writing:
		b.SetWriteDeadline(time.Now().Add(tailTime))
	default:
		b.Close()
	}
}

// Drop throws away what waits, because the backend takes nothing any more. A backend
// that was to be closed is reset.
func (q *Backlog) Drop() {
	q.mu.Lock()
	queue, b, last := q.queue, q.backend, q.last
	q.queue, q.failed = nil, true
	q.count(-q.queued)
	q.wake()
	q.mu.Unlock()
	for _, b := range queue {
		b.Release()
	}
	if last && b != nil {
		b.Fail(cause.TimedOut.With("the backend does not take the rest"))
	}
}
