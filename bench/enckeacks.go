package main

import (
	"sync"
	"time"
)

// An acknowledgement is due after so many bytes, a packet counting at least leastCost of
// them, and at the latest after ackDelay.
const (
	ackBytes  = 64 << 10
	leastCost = 256
	ackDelay  = time.Second
)

// acks is what a client of Encke has received and what it still has to say about it.
type acks struct {
	mu      sync.Mutex
	got     uint64 // highest id received in order
	unacked int
	armed   bool
	timer   *time.Timer
	closed  bool
	late    func() // called when an acknowledgement has waited for ackDelay
}

// arrived counts a packet of n bytes. It reports whether an acknowledgement is due;
// else late is called in time.
func (a *acks) arrived(n int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got++
	if a.unacked += max(n, leastCost); a.unacked >= ackBytes {
		return true
	}
	if a.armed || a.closed {
		return false
	}
	a.armed = true
	if a.timer == nil {
		a.timer = time.AfterFunc(ackDelay, a.waited)
	} else {
		a.timer.Reset(ackDelay)
	}
	return false
}

func (a *acks) waited() {
	a.mu.Lock()
	a.armed = false
	due := a.unacked > 0 && !a.closed
	a.mu.Unlock()
	if due {
		a.late()
	}
}

// take returns what is to be acknowledged, with whatever is sent now, and whether the
// proxy does not know it yet.
func (a *acks) take() (got uint64, news bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	news = a.unacked > 0
	a.unacked = 0
	return a.got, news
}

// stop is for the end of the session.
func (a *acks) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.timer != nil {
		a.timer.Stop()
	}
}
