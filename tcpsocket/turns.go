package tcpsocket

import (
	"slices"
	"sync"
	"time"
)

// turns lets the sockets of one session use its room in turn: who finds no room
// waits behind those who wait already, and is woken when it is first and there is
// room again.
type turns struct {
	sender Sender

	mu       sync.Mutex
	waiting  []waiter  // the first was, or will be, woken
	little   time.Time // when a light socket last asked
	littleBy waiter    // which one
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
		yields := !light && t.littleBy != w && time.Since(t.little) < lately
		if !light && len(t.waiting) > 0 && t.waiting[0] != w {
			t.enqueue(w, false)
			t.mu.Unlock()
			return 0
		}
		calls := t.calls
		t.mu.Unlock()

		granted := t.sender.Reserve(n, yields)

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

// forget takes w out of the queue, because it has ended.
func (t *turns) forget(w waiter) {
	t.mu.Lock()
	next := t.leave(w)
	if t.littleBy == w {
		t.littleBy = nil
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

func (t *turns) enqueue(w waiter, first bool) {
	for _, other := range t.waiting {
		if other == w {
			return
		}
	}
	if first {
		t.waiting = slices.Insert(t.waiting, 0, w)
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
		if len(t.waiting) == 0 {
			t.waiting = nil
		} else if i == 0 {
			return t.waiting[0]
		}
		break
	}
	return nil
}
