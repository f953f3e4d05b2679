package main

import (
	"sync"
	"time"
)

// An acknowledgement is due after so many bytes, a packet counting at least leastCost of
// them, and at the latest after ackDelay. From half of either on it goes with what is sent.
const (
	ackBytes  = 64 << 10
	leastCost = 256
	ackDelay  = time.Second
)

// acks is what a client of Encke has received and what it still has to say about it.
type acks struct {
	late func() // called when an acknowledgement has waited for ackDelay

	mu      sync.Mutex
	got     uint64 // highest id received in order
	unacked int
	waiting bool // for lateAcks
	ripe    bool // half of ackDelay is over
	closed  bool
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
	if !a.waiting && !a.closed {
		a.waiting = true
		lateAcks.add(a)
	}
	return false
}

// due reports whether an acknowledgement is due now.
func (a *acks) due() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unacked >= ackBytes
}

// waited is called after each half of ackDelay.
func (a *acks) waited() {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.unacked == 0 || a.closed:
		a.waiting = false
	case a.ripe:
		a.waiting = false
		go a.late()
	default:
		a.ripe = true
		lateAcks.add(a)
	}
}

// ready reports whether an acknowledgement is to go with what is sent.
func (a *acks) ready() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ripe || a.unacked >= ackBytes/2
}

// take returns what is to be acknowledged and whether the proxy does not know it yet.
func (a *acks) take() (got uint64, news bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	news = a.unacked > 0
	a.unacked, a.ripe = 0, false
	return a.got, news
}

// stop is for the end of the session.
func (a *acks) stop() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
}

// lateAcks has one timer for all clients, as a page with one session has: the timers of a
// hundred would wake the harness all the time.
var lateAcks ackTimer

type ackTimer struct {
	mu      sync.Mutex
	all     []*acks
	running bool
}

func (t *ackTimer) add(a *acks) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, a)
	if !t.running {
		t.running = true
		time.AfterFunc(ackDelay/2, t.round)
	}
}

func (t *ackTimer) round() {
	t.mu.Lock()
	all := t.all
	t.all = nil
	t.mu.Unlock()
	for _, a := range all {
		a.waited()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running = len(t.all) > 0; t.running {
		time.AfterFunc(ackDelay/2, t.round)
	}
}
