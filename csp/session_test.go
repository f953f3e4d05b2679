package csp_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"encke/cause"
	"encke/csp"
)

func TestProtocolErrorsEndTheSession(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(s *csp.Session) error
	}{
		{"acknowledgement of what was never sent", func(s *csp.Session) error { return s.Acked(1) }},
		{"the same on attaching", func(s *csp.Session) error { _, err := s.Attach(1, nil); return err }},
		{"packet far above a gap", func(s *csp.Session) error { _, err := s.Deliver([]csp.Packet{data(66, "x")}, true); return err }},
		{"too many bytes above a gap", func(s *csp.Session) error {
			var err error
			for id := uint64(2); id < 8 && err == nil; id++ {
				_, err = s.Deliver([]csp.Packet{{ID: id, Data: make([]byte, 60_000)}}, true)
			}
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, s, h := open(t, csp.Options{})
			if err := tt.do(s); !errors.Is(err, cause.ProtocolError.Err()) {
				t.Errorf("error %v, want cause protocol-error", err)
			}
			if len(h.closed) != 1 || h.closed[0].Code != cause.ProtocolError {
				t.Errorf("Closed was called with %v", h.closed)
			}
			if _, err := s.Attach(0, nil); !errors.Is(err, cause.ProtocolError.Err()) {
				t.Errorf("a later link is told %v", err)
			}
		})
	}
}

func TestEndBothWays(t *testing.T) {
	_, s, h := open(t, csp.Options{})
	l := attach(t, s, 0)
	send(s, "last")
	taken(t, l)
	deliver(t, s, csp.Packet{ID: 2, End: true})
	if s.Ended() {
		t.Error("ended though a packet before the end is missing")
	}
	deliver(t, s, data(1, "bye"))
	if !s.Ended() || s.Handler() != h {
		t.Errorf("ended: %v, handler %v", s.Ended(), s.Handler())
	}
	if len(h.closed) != 0 {
		t.Fatal("closed before our end was acknowledged")
	}
	expect(t, "answer", taken(t, l), `[[2,0,null]]`)
	if err := s.Acked(2); err != nil {
		t.Fatal(err)
	}
	if len(h.closed) != 1 || h.closed[0].Code != cause.Closed || h.got.String() != "bye" {
		t.Errorf("closed with %v after %q", h.closed, h.got.String())
	}
}

func TestTimers(t *testing.T) {
	for _, tt := range []struct {
		name  string
		alive time.Duration // still there after
		dead  time.Duration // over after
		do    func(t *testing.T, s *csp.Session)
		want  cause.Code
	}{
		{"half-open", 14 * time.Second, 16 * time.Second, func(*testing.T, *csp.Session) {}, cause.SessionLost},
		{"lingering", 119 * time.Second, 121 * time.Second, func(t *testing.T, s *csp.Session) { attach(t, s, 0).Detach() }, cause.SessionLost},
		{"gap", 29 * time.Second, 31 * time.Second, func(t *testing.T, s *csp.Session) {
			attach(t, s, 0)
			deliver(t, s, data(2, "b"))
		}, cause.ProtocolError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, s, _ := open(t, csp.Options{})
				tt.do(t, s)
				time.Sleep(tt.alive)
				synctest.Wait()
				if err := s.Err(); err != nil {
					t.Fatalf("over after %v: %v", tt.alive, err)
				}
				time.Sleep(tt.dead - tt.alive)
				synctest.Wait()
				if err := s.Err(); !errors.Is(err, tt.want.Err()) {
					t.Errorf("after %v: %v, want %v", tt.dead, err, tt.want)
				}
			})
		})
	}
}

func TestAttachedSessionLivesForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{})
		attach(t, s, 0)
		time.Sleep(24 * time.Hour)
		if err := s.Err(); err != nil {
			t.Error(err)
		}
	})
}
