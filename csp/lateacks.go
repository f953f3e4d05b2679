package csp

import (
	"sync"
	"time"
)

// lateAcks are the sessions of a Server that owe an acknowledgement which nothing has
// carried yet. They share one timer, which runs while there are any: one for each would run
// all the time where a page sends a little now and then, and each wakes a processor.
type lateAcks struct {
	mu      sync.Mutex
	due     []*Session
	running bool
}

// add has s looked at in the next two rounds, the second of which is over within ackDelay.
func (l *lateAcks) add(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = append(l.due, s)
	if !l.running {
		l.running = true
		time.AfterFunc(ackDelay/2, l.round)
	}
}

// round is called by the timer.
func (l *lateAcks) round() {
	l.mu.Lock()
	due := l.due
	l.due = nil
	l.mu.Unlock()
	for _, s := range due {
		s.confined(s.ackNow)()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running = len(l.due) > 0; l.running {
		time.AfterFunc(ackDelay/2, l.round)
	}
}

// ackNow is called twice for an acknowledgement: from the first time on it goes with
// whatever is sent, the second time by itself.
func (s *Session) ackNow() {
	if s.mu.TryLock() {
		s.ack()
	} else { // a panic may have left the lock behind: nobody else is to wait for it
		go s.confined(func() { s.mu.Lock(); s.ack() })() // until it is free
	}
}

// ack is ackNow with mu held, which it unlocks.
func (s *Session) ack() {
	switch {
	case s.err != nil || s.link == nil || s.in.unacked == 0:
		s.in.ackDue = false
	case s.in.ripe:
		s.in.ackDue = false
		s.link.sayAck = true
	default:
		s.in.ripe = true
		s.opts.late.add(s)
	}
	wake := s.wake()
	s.mu.Unlock()
	wake()
}
