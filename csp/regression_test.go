package csp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// Send gives back most of a reservation, nobody who was refused is told.
func TestSendFreesRoomSilently(t *testing.T) {
	_, s, h := open(t, csp.Options{})
	n := 0
	for s.Reserve(64<<10, 0, 0) > 0 {
		n++
	}
	for range n {
		s.Send(buffer.Copy([]byte("few")), 64<<10)
	}
	if h.writable == 0 {
		t.Errorf("%d reservations were given back, a refused Reserve was never told (Writable)", n)
	}
}

// NEW, half-open expiry, NEW again with the same key: acted on twice.
func TestRepeatedNewAfterExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []*recorder
		server := csp.NewServer(csp.Options{Accept: func(*csp.Session) csp.Handler {
			h := &recorder{}
			all = append(all, h)
			return h
		}})
		for range 2 {
			s, err := server.Open(csp.Peer{}, csp.Key{9})
			if err == nil {
				s.Deliver([]csp.Packet{data(1, "PAY 100;")}, true)
			}
			time.Sleep(20 * time.Second) // the answer was lost; the client repeats
		}
		got := ""
		for _, h := range all {
			got += h.got.String()
		}
		if got != "PAY 100;" {
			t.Errorf("acted on %q", got)
		}
		server.Close(cause.Closed.Err())
	})
}

// Each gap is filled within a second, but something is always held: killed after 30 s.
func TestGapTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{})
		attach(t, s, 0)
		deliver(t, s, data(2, "x"))
		for id := uint64(4); id < 100; id += 2 {
			time.Sleep(time.Second)
			if _, err := s.Deliver([]csp.Packet{data(id, "x"), data(id-3, "x")}, true); err != nil {
				t.Fatalf("packet %d: %v; no gap was open for more than 2 s", id, err)
			}
		}
	})
}

// second request within 15 s (an uplink) does not keep the session.
func TestHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, s, _ := open(t, csp.Options{})
		s.Deliver(nil, true)
		time.Sleep(10 * time.Second)
		again, err := server.Resume(s.ID()) // the second request, say /send
		if err != nil {
			t.Fatal(err)
		}
		again.Deliver(nil, true)
		time.Sleep(6 * time.Second)
		if err := s.Err(); err != nil {
			t.Errorf("after a second request at 10 s the session ends at 15 s: %v", err)
		}
	})
}
