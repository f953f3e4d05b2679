package csp_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// fight lets n links displace each other, each alive when it is displaced, with a
// pause between them.
func fight(t *testing.T, s *csp.Session, n int, pause time.Duration) {
	old := attach(t, s, 0)
	for range n {
		time.Sleep(pause)
		l, err := s.Attach(0, nil)
		if err != nil {
			return
		}
		old.Contested()
		old.Detach()
		old = l
	}
}

// Two clients that take the session from each other lose it, both.
func TestTakeOverLoopEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The first displaces a link that displaced nobody, the others count.
		_, s, _ := open(t, csp.Options{})
		fight(t, s, 6, time.Second)
		if err := s.Err(); err != nil {
			t.Errorf("after five take-overs in 10 s: %v", err)
		}
		server, s, _ := open(t, csp.Options{})
		fight(t, s, 7, time.Second)
		if err := s.Err(); !errors.Is(err, cause.Displaced.Err()) {
			t.Errorf("after six take-overs in 10 s: %v, want displaced", err)
		}
		if st := server.Stats(); st.TakeOvers != 6 || st.TakeOverLoops != 1 || st.Displaced != 7 {
			t.Errorf("%d take-overs, %d loops, %d displaced; want 6, 1, 7", st.TakeOvers, st.TakeOverLoops, st.Displaced)
		}
	})
}

func TestSlowTakeOversAreNoLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{})
		fight(t, s, 100, 2500*time.Millisecond)
		if err := s.Err(); err != nil {
			t.Errorf("%v", err)
		}
	})
}

// One client that changes links as fast as it can is no loop, whether they broke and
// were noticed, broke unnoticed, were answered polls, or were given up for a better
// transport.
func TestOneClientIsNoLoop(t *testing.T) {
	for _, tt := range []struct {
		name string
		next func(t *testing.T, s *csp.Session, i int, old *csp.Link) *csp.Link
	}{
		{"links that broke", func(t *testing.T, s *csp.Session, _ int, old *csp.Link) *csp.Link {
			old.Detach()
			return attach(t, s, 0)
		}},
		{"half-open links", func(t *testing.T, s *csp.Session, _ int, old *csp.Link) *csp.Link {
			l := attach(t, s, 0)
			old.Detach() // found dead when it was to be told
			return l
		}},
		{"upgrade and fallback in turn", func(t *testing.T, s *csp.Session, i int, old *csp.Link) *csp.Link {
			if i%2 == 0 { // the WebSocket takes over from a poll that waits
				l := attach(t, s, 0)
				old.Contested()
				old.Detach()
				return l
			}
			old.Detach() // the client has closed it
			return attach(t, s, 0)
		}},
		{"new links that acknowledge what the old one brought", func(t *testing.T, s *csp.Session, i int, old *csp.Link) *csp.Link {
			s.Send(buffer.Copy([]byte("x")), 0)
			var b csp.Batch
			if ok, err := old.Take(&b, 1<<10); !ok || err != nil {
				t.Fatal(ok, err)
			}
			b.Release()
			l := attach(t, s, uint64(i+1))
			old.Contested()
			old.Detach()
			return l
		}},
		{"upgrade, and a fallback that overtakes the end of the WebSocket", func(t *testing.T, s *csp.Session, i int, old *csp.Link) *csp.Link {
			l := attach(t, s, 0)
			if i%2 == 0 {
				old.Contested()
			}
			old.Detach()
			return l
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, s, _ := open(t, csp.Options{})
			l := attach(t, s, 0)
			for i := range 1000 {
				l = tt.next(t, s, i, l)
			}
			if st := server.Stats(); s.Err() != nil || st.TakeOvers != 0 {
				t.Errorf("%v after %d take-overs, want none", s.Err(), st.TakeOvers)
			}
		})
	}
}
