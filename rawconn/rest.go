package rawconn

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// This file is about stacks. What a goroutine has once needed of one it keeps, and the
// least that it shrinks to is twice what waiting for a connection takes. Where thousands
// wait that is most of their memory. So whoever reads may be told that nothing came for a
// while, and leave the waiting to a new goroutine.

// ErrQuiet is returned by ReadOrRest when nothing has come for half a second to a second
// since something did: whoever reads should go on in a new goroutine. The first one, which may
// have done other things before, is told within half a second, whatever comes; where it is no
// socket that is read at once, and nobody else is told.
var ErrQuiet = errors.New("nothing came for a while")

// rest finds out that nothing comes.
type rest struct {
	wanted bool // ReadOrRest was called
	first  bool // by the first goroutine, which is still there

	watched atomic.Bool // the reader is one of those that watch has
	came    atomic.Bool // something did since the last round

	mu     sync.Mutex
	kicked bool // by a deadline that was over at once
	final  bool // Until was called: the deadline is not ours
}

// ReadOrRest is Read, but may return ErrQuiet. Before the first call, and after that of
// Until, the deadline for reading may be set by others.
func (r *Reader) ReadOrRest() (int, error) {
	if !r.rest.wanted {
		r.rest.wanted, r.rest.first = true, true
		if r.raw == nil { // nobody could tell it later
			return 0, ErrQuiet
		}
		r.watch()
	}
	return r.read(true)
}

// Until sets the deadline for reading, whatever the one who reads does. It may be called
// concurrently.
func (r *Reader) Until(t time.Time) error {
	r.rest.mu.Lock()
	defer r.rest.mu.Unlock()
	r.rest.final = true
	return r.conn.SetReadDeadline(t)
}

// watch has r looked at until nothing came for a round.
func (r *Reader) watch() {
	if !r.rest.wanted {
		return
	}
	r.rest.came.Store(true)
	if !r.rest.watched.Load() {
		r.rest.watched.Store(true)
		busy.add(r)
	}
}

// kick makes the one who reads see ErrQuiet.
func (r *Reader) kick() {
	r.rest.mu.Lock()
	defer r.rest.mu.Unlock()
	if r.rest.kicked = !r.rest.final; r.rest.kicked {
		r.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// wasKicked reports whether r was kicked since the last call, and lets it read on.
func (r *Reader) wasKicked() bool {
	r.rest.mu.Lock()
	defer r.rest.mu.Unlock()
	kicked := r.rest.kicked
	r.rest.kicked = false
	if kicked && !r.rest.final {
		r.conn.SetReadDeadline(time.Time{})
	}
	return kicked
}

// busy are the readers to which something comes. They share one timer, which runs while
// there are any: a deadline for each would be one that fires twice a second, and each wakes a
// processor.
var busy readers

type readers struct {
	mu      sync.Mutex
	all     []*Reader
	running bool
}

// roundTime is how often readers are looked at.
const roundTime = 500 * time.Millisecond

func (b *readers) add(r *Reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, r)
	if !b.running {
		b.running = true
		time.AfterFunc(roundTime, b.round)
	}
}

// round is called by the timer. It kicks those to which nothing came since the last round,
// and has no more to do with them until something does.
func (b *readers) round() {
	b.mu.Lock()
	all := b.all
	b.all = nil
	b.mu.Unlock()
	still := all[:0]
	for _, r := range all {
		if came := r.rest.came.Swap(false); came && !r.rest.first {
			still = append(still, r)
			continue
		}
		r.rest.first = false
		r.rest.watched.Store(false)
		r.kick()
	}
	clear(all[len(still):])
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(still, b.all...)
	if b.running = len(b.all) > 0; b.running {
		time.AfterFunc(roundTime, b.round)
	} else {
		b.all = nil
	}
}
