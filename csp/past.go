package csp

import (
	"time"

	"encke/cause"
)

// tombstone is how long a closed session's cause is told to late links.
const tombstone = 60 * time.Second

// past is what is kept of a session that is over. Where sessions are short there are
// thousands, so that is no more than late requests are told.
type past struct {
	hash   idHash
	key    Key
	origin string
	why    *cause.Error
	until  time.Time
}

// pasts holds them, in the order in which they are forgotten. One timer runs while there
// are any. Guarded by Server.mu.
type pasts struct {
	byID  map[idHash]*past
	byKey map[Key]*past
	queue []*past // the timer is for the first
}

// closed is called once by each session of v at its end.
func (v *Server) closed(s *Session, why *cause.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.sessions, s.hash)
	delete(v.opening, s.key)
	if s.release != nil {
		s.release()
	}
	v.stats.Closed[why.Code]++
	if len(v.past.queue) >= v.opts.MaxSessions {
		return
	}
	p := &past{s.hash, s.key, s.peer.Origin, why, time.Now().Add(tombstone)}
	v.past.byID[p.hash], v.past.byKey[p.key] = p, p
	if v.past.queue = append(v.past.queue, p); len(v.past.queue) == 1 {
		time.AfterFunc(tombstone, v.forget)
	}
}

// forget is called by the timer when the first of the closed sessions is old enough. Those
// that become so within the next second are not worth a timer each.
func (v *Server) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	q, now := v.past.queue, time.Now()
	for len(q) > 0 && !now.Before(q[0].until) {
		delete(v.past.byID, q[0].hash)
		delete(v.past.byKey, q[0].key)
		q[0] = nil
		q = q[1:]
	}
	if v.past.queue = q; len(q) > 0 {
		time.AfterFunc(max(q[0].until.Sub(now), time.Second), v.forget)
	} else {
		v.past.queue = nil
	}
}
