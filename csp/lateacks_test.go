package csp

import "testing"

// A session whose lock is held, perhaps for ever, keeps no other from being looked at.
func TestStuckSessionDelaysNoOther(t *testing.T) {
	stuck, other := NewSession(Options{}, nil), NewSession(Options{}, nil)
	for _, s := range []*Session{stuck, other} {
		s.linger.Stop()
		s.link, s.in.unacked, s.in.ackDue = &Link{s: s}, 1, true
	}
	stuck.mu.Lock()
	l := &lateAcks{running: true, due: []*Session{stuck, other}}
	l.round()
	other.mu.Lock()
	if !other.in.ripe {
		t.Error("no acknowledgement of the other session")
	}
	other.mu.Unlock()
	stuck.mu.Unlock()
}
