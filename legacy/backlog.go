package legacy

import (
	"errors"
	"os"
	"time"

	"encke/buffer"
	"encke/cause"
)

const (
	// tailTime is how long a backend may take the rest of the bytes after its client closed.
	tailTime = 15 * time.Second

	// linkBytes is how much may wait for all backends of a client whose protocol tells it how
	// much it may send to each. One that has so much stalled loses the next socket that
	// asks for more.
	linkBytes = 8 << 20
)

// Far is the end of a connection that a Backlog writes to.
type Far interface {
	Write(p []byte) (int, error)
	SetWriteDeadline(time.Time) error
	// Close ends the connection behind what was written; Fail for a cause, at once.
	Close() error
	Fail(*cause.Error)
}

// Backlog is what waits for one backend to take it, in the pieces in which it came. What the
// backend takes at once does not wait; only for the rest there is a goroutine, until all is
// written. It refuses nothing: who reads the client asks before, Wait of Buffers or Takes.
// One goroutine at a time may call Put.
type Backlog struct {
	all      *Buffers
	drained  func()        // called, with no lock held, when nothing waits any more; may be nil
	settled  func()        // called once, behind End, when there is nothing left to do; may be nil
	messages bool          // pieces are messages: an empty one is something, and Close of far waits
	end      chan struct{} // closed by End

	// Guarded by all.mu.
	far    Far                       // nil: it is not connected yet
	try    func([]byte) (int, error) // writes what is taken at once; nil: nothing is
	queue  []*buffer.Buffer
	queued int          // cost of queue, and of what is being written
	busy   bool         // somebody writes
	last   bool         // nothing comes any more
	over   bool         // and nothing is left to do
	failed bool         // the backend takes nothing any more
	why    *cause.Error // it said so
}

// Backlog returns the backlog of a new socket.
func (a *Buffers) Backlog(drained, settled func()) *Backlog {
	return &Backlog{all: a, drained: drained, settled: settled, end: make(chan struct{})}
}

// Start lets a backend have what waits and what comes. try may be nil.
func (q *Backlog) Start(far Far, try func([]byte) (int, error)) {
	q.all.mu.Lock()
	q.far, q.try = far, try
	waiting, last, over := len(q.queue) > 0, q.last, q.over
	q.busy = waiting
	q.all.mu.Unlock()
	if last {
		far.SetWriteDeadline(time.Now().Add(tailTime))
	}
	switch {
	case waiting:
		q.all.run(q.run)
	case over: // it was connected when nobody needed it any more
		far.Close()
	}
}

// Put takes b. What comes after the end of a backend is thrown away.
func (q *Backlog) Put(b *buffer.Buffer) {
	q.all.mu.Lock()
	switch {
	case q.failed || q.last || b.Len() == 0 && !q.messages:
		q.all.mu.Unlock()
		b.Release()
		return
	case q.busy || q.far == nil:
		q.enqueue(b)
		q.all.mu.Unlock()
		return
	}
	q.busy = true
	q.all.mu.Unlock()
	if q.try != nil {
		n, err := q.try(b.Bytes())
		b.Trim(n)
		if err != nil || b.Len() == 0 {
			b.Release()
			q.written(err)
			return
		}
	}
	q.all.mu.Lock()
	q.enqueue(b)
	q.all.mu.Unlock()
	q.all.run(q.run)
}

// enqueue keeps b, with mu held.
func (q *Backlog) enqueue(b *buffer.Buffer) {
	if q.failed {
		b.Release()
		return
	}
	b = b.Fit()
	q.queue = append(q.queue, b)
	q.count(cost(b.Len()))
}

// count counts n more, with mu held.
func (q *Backlog) count(n int) {
	q.queued += n
	q.all.queue(n)
}

// run writes until nothing waits.
func (q *Backlog) run() {
	for {
		q.all.mu.Lock()
		if len(q.queue) == 0 {
			q.all.mu.Unlock()
			q.written(nil)
			return
		}
		b := q.queue[0]
		q.queue = append(q.queue[:0], q.queue[1:]...)
		q.all.mu.Unlock()
		n := cost(b.Len())
		_, err := q.far.Write(b.Bytes())
		b.Release()
		q.all.mu.Lock()
		if !q.failed { // else it was counted with the rest
			q.count(-n)
		}
		q.all.mu.Unlock()
		if err != nil {
			q.written(err)
			return
		}
	}
}

// written is called when all was written, or with the error for which no more is.
func (q *Backlog) written(err error) {
	q.all.mu.Lock()
	if err != nil {
		q.drop()
		q.why = cause.Reset.With("by the backend")
		if errors.Is(err, os.ErrDeadlineExceeded) {
			q.why = cause.TimedOut.With("the backend does not take the rest")
		}
	}
	q.busy = len(q.queue) > 0 // put meanwhile
	busy, last := q.busy, q.last
	q.all.mu.Unlock()
	switch {
	case busy:
		q.all.run(q.run)
	case last:
		q.settle()
	case err == nil && q.drained != nil:
		q.drained()
	}
}

// settle ends the backend when nothing is left to do for it.
func (q *Backlog) settle() {
	q.all.mu.Lock()
	ready := q.last && !q.busy && len(q.queue) == 0 && !q.over
	q.over = q.over || ready
	far, why := q.far, q.why
	q.all.mu.Unlock()
	if !ready {
		return
	}
	finish := func() {
		switch {
		case far == nil:
		case why != nil:
			far.Fail(why)
		default:
			far.Close()
		}
		if q.settled != nil {
			q.settled()
		}
	}
	if q.messages && far != nil {
		q.all.run(finish)
	} else {
		finish()
	}
}

// Takes reports whether n bytes more may wait, beside most for this backend and linkBytes for
// all of the client. It is for protocols that tell a client how much it may send: more is its
// fault.
func (q *Backlog) Takes(n, most int) bool {
	q.all.mu.Lock()
	defer q.all.mu.Unlock()
	if q.all.budget.Tight() {
		most = min(most, spareBytes)
	}
	return q.queued == 0 || q.queued+cost(n) <= most && q.all.queued+cost(n) <= linkBytes
}

// Empty reports whether nothing waits.
func (q *Backlog) Empty() bool {
	q.all.mu.Lock()
	defer q.all.mu.Unlock()
	return q.queued == 0
}

// End says that nothing comes any more. The backend is closed when it has taken all.
func (q *Backlog) End() {
	q.all.mu.Lock()
	again := q.last
	q.last = true
	far := q.far
	q.all.mu.Unlock()
	if again {
		return
	}
	close(q.end)
	if far != nil {
		far.SetWriteDeadline(time.Now().Add(tailTime))
	}
	q.settle()
}

// Ended reports whether nothing comes any more.
func (q *Backlog) Ended() bool {
	select {
	case <-q.end:
		return true
	default:
		return false
	}
}

// Settled reports whether, behind End, nothing is left to do.
func (q *Backlog) Settled() bool {
	q.all.mu.Lock()
	defer q.all.mu.Unlock()
	return q.over
}

// Drop throws away what waits and what comes: the backend is lost, and whoever says so ends it.
func (q *Backlog) Drop() {
	q.all.mu.Lock()
	q.drop()
	q.all.mu.Unlock()
	q.settle()
}

func (q *Backlog) drop() {
	for _, b := range q.queue {
		b.Release()
	}
	q.queue, q.failed = nil, true
	q.count(-q.queued)
}
