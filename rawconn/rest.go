package rawconn

import (
	"errors"
	"sync"
	"time"
)

// This file is about stacks. What a goroutine has once needed of one it keeps, and the
// least that it shrinks to is twice what waiting for a connection takes. Where thousands
// wait that is most of their memory. So whoever reads may be told that nothing came for a
// while, and leave the waiting to a new goroutine. Finding that out costs a busy
// connection one deadline each second, which is a timer that it has anyway.

// ErrQuiet is returned by ReadOrRest when nothing has come for a while since something
// did: whoever reads should go on in a new goroutine. The first one, which may have done
// other things before, has a shorter time, whatever comes.
var ErrQuiet = errors.New("nothing came for a while")

// quietTime is that while, up to twice as long, and firstTime that of the first goroutine.
const (
	quietTime = time.Second
	firstTime = 250 * time.Millisecond
)

// rest finds out that nothing comes, by the deadline for reading.
type rest struct {
	wanted   bool // ReadOrRest was called
	watching bool // the deadline is ours
	first    bool // it is that of the first goroutine
	came     bool // something did since it was set

	mu    sync.Mutex
	final bool // Until was called: the deadline is not ours
}

// ReadOrRest is Read, but may return ErrQuiet. Before the first call, and after that of
// Until, the deadline for reading may be set by others.
func (r *Reader) ReadOrRest() (int, error) {
	if !r.rest.wanted && r.raw != nil {
		r.rest.wanted, r.rest.first = true, true
		r.rest.watching = r.deadline(time.Now().Add(firstTime))
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

// watch notes that something came.
func (r *Reader) watch() {
	r.rest.came = true
	if r.rest.wanted && !r.rest.watching {
		r.rest.watching = r.deadline(time.Now().Add(quietTime))
	}
}

// quiet is called when our deadline has passed, and reports whether it is time to rest.
func (r *Reader) quiet(mayRest bool) bool {
	if came := r.rest.came && !r.rest.first; came || !mayRest {
		r.rest.came = false
		r.rest.watching = r.deadline(time.Now().Add(quietTime))
		return false
	}
	r.rest.watching, r.rest.first = false, false
	return r.deadline(time.Time{})
}

// deadline sets the deadline for reading, or reports false if Until has.
func (r *Reader) deadline(t time.Time) bool {
	r.rest.mu.Lock()
	defer r.rest.mu.Unlock()
	if !r.rest.final {
		r.conn.SetReadDeadline(t)
	}
	return !r.rest.final
}
