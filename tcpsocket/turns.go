package tcpsocket

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// turns lets the sockets of one session use its room in turn: who finds no room
// waits behind those who wait already, and is woken when it is first and there is
// room again.
type turns struct {
	sender Sender
	light  *justNow // of all sessions of the server

	mu       sync.Mutex
	waiting  []waiter  // the first was, or will be, woken
	ahead    int       // how many of them were light and are first
	little   time.Time // when a light socket last asked
	littleBy waiter    // which one
	several  time.Time // when more than one waited
	calls    uint64    // of writable, to notice one that came in between
}

// waiter is woken by wake, which must not block.
type waiter interface{ wake() }

// reserve grants up to n bytes of the session's room to w. 0 means that w will be
// woken when it should ask again. Who is light does not wait for the turn of others, who
// leave the room for it.
func (t *turns) reserve(w waiter, n int, light bool) int {
	for {
		t.mu.Lock()
		if light {
			t.little, t.littleBy = time.Now(), w
		}
		if !light && len(t.waiting) > 0 && t.waiting[0] != w {
			t.enqueue(w, false)
			t.mu.Unlock()
			return 0
		}
		yield, calls, waiting := t.yield(w, light), t.calls, max(len(t.waiting)-1, 0)
		t.mu.Unlock()

		granted := t.sender.Reserve(n, yield, waiting)

		t.mu.Lock()
		if granted > 0 {
			next := t.leave(w)
			t.mu.Unlock()
			if next != nil {
				next.wake()
			}
			return granted
		}
		if t.calls == calls {
			t.enqueue(w, light)
			t.mu.Unlock()
			return 0
		}
		t.mu.Unlock() // room came back while we were refused
	}
}

// How short a way is on which half a session's first bound, 128 KiB, is enough for bulk that
// yields: it still has 26 MB/s there, and a gigabit per second beside sockets of other sessions
// only, which wait for the same processor, not for the same connection (26 MB/s too where
// acknowledgements come in requests of their own, for which csp counts 5 ms). On longer ways it
// yields in its own session alone, by what they carry; the 5 ms say so to Sender.Reserve.
const (
	yieldInSession = 5 * time.Millisecond
	yieldToOthers  = time.Millisecond
)

// yield returns the way for Sender.Reserve, on which w has to leave room. To other sessions
// only one that is alone in its own yields: many would have next to nothing each.
func (t *turns) yield(w waiter, light bool) time.Duration {
	little := time.Since(t.little)
	switch {
	case light:
		t.light.set()
	case t.littleBy != w && little < lately:
		return yieldInSession
	case t.littleBy == w && little < yieldFor: // it may be the only one that asked
	case time.Since(t.several) > lately && t.light.is():
		return yieldToOthers
	}
	return 0
}

// justNow is when a light socket of any session last asked.
type justNow struct{ unix atomic.Int64 } // ns

// yieldFor is for how long bulk yields to a request of another session: where those are rare
// it goes on as if there were none.
const yieldFor = 10 * time.Millisecond

// set is cheap: who writes to memory that all sessions read has it to itself for a moment.
func (j *justNow) set() {
	now := time.Now().UnixNano()
	if ago := time.Duration(now - j.unix.Load()); ago < 0 || ago > yieldFor/10 {
		j.unix.Store(now)
	}
}

func (j *justNow) is() bool {
	ago := time.Duration(time.Now().UnixNano() - j.unix.Load())
	return ago >= 0 && ago < yieldFor // the clock may have been set back
}

// afterEnd is for how long bulk yields to a socket that has ended: another one may ask.
const afterEnd = 100 * time.Millisecond

// forget takes w out of the queue, because it has ended.
func (t *turns) forget(w waiter) {
	t.mu.Lock()
	next := t.leave(w)
	if t.littleBy == w {
		t.littleBy = nil
		if little := time.Now().Add(afterEnd - lately); little.Before(t.little) {
			t.little = little
		}
	}
	t.mu.Unlock()
	if next != nil {
		next.wake()
	}
}

// writable says that the session has room again.
func (t *turns) writable() {
	t.mu.Lock()
	t.calls++
	var first waiter
	if len(t.waiting) > 0 {
		first = t.waiting[0]
	}
	t.mu.Unlock()
	if first != nil {
		first.wake()
	}
}

func (t *turns) enqueue(w waiter, light bool) {
	for _, other := range t.waiting {
		if other == w {
			return
		}
	}
	if len(t.waiting) > 0 {
		t.several = time.Now()
	}
	if light {
		t.waiting = slices.Insert(t.waiting, t.ahead, w)
		t.ahead++
	} else {
		t.waiting = append(t.waiting, w)
	}
}

// leave removes w and returns who is first now, if w was first before.
func (t *turns) leave(w waiter) waiter {
	for i, other := range t.waiting {
		if other != w {
			continue
		}
		t.waiting = append(t.waiting[:i], t.waiting[i+1:]...)
		if i < t.ahead {
			t.ahead--
		}
		if len(t.waiting) == 0 {
			t.waiting = nil
		} else if i == 0 {
			return t.waiting[0]
		}
		break
	}
	return nil
}
