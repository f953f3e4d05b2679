package csp

import (
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/cause"
)

// A timer that fires late, while what it waits for has just come, ends nothing.
func TestLateTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := nopServer(Options{})
		defer v.Close(cause.Closed.Err())
		s, err := v.Open(Peer{}, Key{1})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(14 * time.Second)
		s.touch() // and the timer for the end of 15 s has fired meanwhile
		s.expire()
		if err := s.Err(); err != nil {
			t.Errorf("expired although a request had come: %v", err)
		}
		l, err := s.Attach(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		s.expire()
		if err := s.Err(); err != nil {
			t.Errorf("expired although a link is attached: %v", err)
		}
		_ = l
		if _, err := s.Deliver([]Packet{{ID: 2, Data: []byte("b")}}, true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * time.Second)
		if _, err := s.Deliver([]Packet{{ID: 1, Data: []byte("a")}, {ID: 4, Data: []byte("d")}}, true); err != nil {
			t.Fatal(err)
		}
		s.gapOpen() // it was for the gap before
		if err := s.Err(); err != nil {
			t.Errorf("ended for a gap that was filled: %v", err)
		}
		if _, err := s.Deliver([]Packet{{ID: 3, Data: []byte("c")}}, true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		s.gapOpen()
		if err := s.Err(); err != nil {
			t.Errorf("ended without a gap: %v", err)
		}
	})
}

// A timer that was about to look at the bound of a session finds it over.
func TestNothingGrowsAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := buffer.NewBudget(256 << 20)
		v := nopServer(Options{Budget: budget})
		s, err := v.Open(Peer{}, Key{1})
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.Attach(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		fill := func() {
			for r := s.Reserve(16<<10, 0, 0); r > 0; r = s.Reserve(16<<10, 0, 0) {
				s.Send(buffer.Copy(make([]byte, r)), r)
			}
		}
		round := func(left uint64) {
			fill()
			for ok := true; ok; {
				var b Batch
				if ok, err = l.Take(&b, 1<<20); err != nil {
					t.Fatal(err)
				}
				b.Release()
			}
			if err := s.Acked(s.Sent() - left); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			round(0)
		}
		round(4) // the end comes in the middle of one
		fill()
		v.Close(cause.Closed.Err())
		s.mu.Lock()
		s.out.resize(s.opts)
		s.mu.Unlock()
		if !budget.Grow(64<<20, nearShare) {
			t.Error("a session that is over has some of what bounds may grow by")
		}
	})
}
