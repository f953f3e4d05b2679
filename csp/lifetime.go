package csp

import (
	"time"

	"encke/cause"
)

// This file is how sessions end, and the timers that end them.

// fail closes the session for an error of the other side and returns it.
func (s *Session) fail(err *cause.Error) error {
	s.Close(err)
	return err
}

// Close ends the session at once. Unsent bytes are dropped, an attached link says
// why and ends, later links are told for a while.
func (s *Session) Close(why *cause.Error) {
	s.mu.Lock()
	s.close(why)
}

// close is Close with mu held, which it unlocks.
func (s *Session) close(why *cause.Error) {
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.err = why
	s.out.drop(s.opts)
	s.in.drop()
	s.count()
	for _, t := range [...]*time.Timer{s.linger, s.lifetime} {
		if t != nil {
			t.Stop()
		}
	}
	wake := s.wake()
	s.mu.Unlock()
	if s.server != nil {
		defer s.server.closed(s, why) // also when what follows panics
	}
	wake()
	s.handler.Closed(why)
}

// confined is f, which a timer runs. A panic in it is told to Options.Panicked.
func (s *Session) confined(f func()) func() {
	return func() {
		if s.opts.Panicked != nil {
			defer func() {
				if v := recover(); v != nil {
					s.opts.Panicked(v, s)
				}
			}()
		}
		f()
	}
}

// startLinger must be called with mu held.
func (s *Session) startLinger(d time.Duration) {
	s.lingerUntil = time.Now().Add(d)
	if s.linger == nil {
		s.linger = time.AfterFunc(d, s.confined(s.expire))
	} else {
		s.linger.Reset(d)
	}
}

// expire is called by the timer, which may be late: a link came, or a request.
func (s *Session) expire() {
	s.mu.Lock()
	if s.err != nil || s.link != nil || time.Now().Before(s.lingerUntil) {
		s.mu.Unlock()
		return
	}
	ended, text := &s.opts.count.expired, "no link for longer than the resume window"
	if s.halfOpen {
		ended, text = &s.opts.count.halfOpen, "no second request after the session was opened"
	}
	ended.Add(1)
	s.close(cause.SessionLost.With("%s", text))
}

// outLived ends a session that is older than sessions may be.
func (s *Session) outLived() {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.opts.count.outLived.Add(1)
	s.close(cause.Limit.With("sessions live %v at most", s.opts.Lifetime))
}

// touch keeps a session that has no link for another Linger: its client is there.
func (s *Session) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.halfOpen = false
	if s.err == nil && s.link == nil {
		s.out.resize(s.opts) // nothing may have been acknowledged for long
		s.startLinger(s.opts.Linger)
	}
}

// watchGap runs the timer that ends a session whose gap stays open.
func (s *Session) watchGap() {
	if s.in.ended {
		s.in.dropHeld() // nothing comes behind the end
	}
	switch open := len(s.in.held) > 0; {
	case open && s.in.gap != nil && s.in.gapAt != s.in.got: // another gap
		s.in.gapAt, s.in.gapUntil = s.in.got, time.Now().Add(s.opts.GapTimeout)
		s.in.gap.Reset(s.opts.GapTimeout)
	case open && s.in.gap == nil:
		s.in.gapAt, s.in.gapUntil = s.in.got, time.Now().Add(s.opts.GapTimeout)
		s.in.gap = time.AfterFunc(s.opts.GapTimeout, s.confined(s.gapOpen))
	case !open && s.in.gap != nil:
		s.in.gap.Stop()
		s.in.gap = nil
	}
}

// gapOpen is called by the timer, which may be late: the gap was filled, or it is
// another one.
func (s *Session) gapOpen() {
	s.mu.Lock()
	if s.err != nil || s.in.gap == nil || time.Now().Before(s.in.gapUntil) {
		s.mu.Unlock()
		return
	}
	s.opts.count.gaps.Add(1)
	s.close(cause.ProtocolError.With("a packet did not arrive for %v", s.opts.GapTimeout))
}
