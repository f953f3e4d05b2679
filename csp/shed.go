package csp

import (
	"slices"
	"time"

	"encke/cause"
)

// idleAfter is how long a session has acknowledged nothing when it is among the
// first to be closed for its memory.
const idleAfter = 5 * time.Second

// shed relieves the budget of what belongs to no session, and then closes sessions: the
// largest of those that acknowledge nothing, then the largest of the others. The budget
// calls it.
func (v *Server) shed() {
	if v.opts.Relieve != nil {
		v.opts.Relieve()
	}
	type candidate struct {
		s    *Session
		idle bool
		size int
	}
	var all []candidate
	now := time.Now()
	for _, s := range v.Sessions() {
		if size, idle := s.weight(now); size > 0 {
			all = append(all, candidate{s, idle, size})
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		if a.idle != b.idle {
			if a.idle {
				return -1
			}
			return 1
		}
		return b.size - a.size
	})
	for _, c := range all {
		if v.opts.Budget.Relieved() {
			return
		}
		v.opts.count.shed.Add(1)
		c.s.Close(&cause.Error{Code: cause.Limit, Text: "the proxy needed the memory of this session", Retry: 10})
	}
}

// queuer is a Handler that keeps bytes of its session too.
type queuer interface {
	Queued() int // bytes received and not yet passed on
}

// weight returns how many bytes are kept for the session, and whether it is idle.
func (s *Session) weight(now time.Time) (size int, idle bool) {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return 0, false
	}
	size, idle = s.out.cost+s.in.heldBytes, now.Sub(s.moved) > idleAfter
	s.mu.Unlock()
	if q, ok := s.handler.(queuer); ok {
		size += q.Queued()
	}
	return size, idle
}
