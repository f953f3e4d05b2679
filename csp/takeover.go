package csp

import (
	"time"

	"encke/cause"
)

// Two clients that use one session take it from each other for ever: each is told
// that its link was displaced, and comes back. One client alone also displaces
// links: dead ones, which it gave up while the server had not noticed, and a live
// one when it changes to a better transport. What it never does is to displace a
// live link over and over, since it ends the one it uses before it opens the next.
//
// So a take-over is counted when the displaced link was still alive and had itself
// displaced one that was. Whether a link was alive is known to its transport after
// the fact: somebody was there to be told (Contested). And it is not counted when
// the newcomer acknowledges what only the displaced link has carried: then it is
// the same client.

// More take-overs than maxTakeOvers within takeOverTime end the session.
const (
	maxTakeOvers = 5
	takeOverTime = 10 * time.Second
)

// takeOvers are the times of the last ones. It is guarded by Session.mu.
type takeOvers struct {
	at [maxTakeOvers]time.Time // a ring
	n  int                     // how many ever
}

// add notes one and reports whether it is one too many.
func (t *takeOvers) add(now time.Time) bool {
	oldest := &t.at[t.n%maxTakeOvers]
	loop := t.n >= maxTakeOvers && now.Sub(*oldest) <= takeOverTime
	*oldest = now
	t.n++
	return loop
}

// Contested says that this link was displaced while its other side was still
// there. The transport calls it once, after it has ended the link.
func (l *Link) Contested() {
	s := l.s
	s.mu.Lock()
	if l.by == nil || s.err != nil {
		s.mu.Unlock()
		return
	}
	l.by.tookLive = true
	loop := false
	if l.tookLive && !l.by.knows {
		s.opts.count.takeOvers.Add(1)
		if s.takeOvers == nil {
			s.takeOvers = new(takeOvers)
		}
		loop = s.takeOvers.add(time.Now())
	}
	s.mu.Unlock()
	if loop {
		s.opts.count.takeOverLoops.Add(1)
		s.Close(cause.Displaced.With("two clients take this session from each other"))
	}
}
