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

// fill sends what the session has room for, in pieces of 16 KiB.
func fill(s *csp.Session) int { return fillEach(s, func() {}) }

// fillEach is fill that calls sent after each piece.
func fillEach(s *csp.Session, sent func()) int { return fillFor(s, 0, sent) }

// fillFor is fillEach of one for whose room others wait.
func fillFor(s *csp.Session, waiting int, sent func()) (n int) {
	for {
		r := s.Reserve(16<<10, 0, waiting)
		if r == 0 {
			return n
		}
		b := buffer.Get(r)
		b.Append(make([]byte, r))
		s.Send(b, r)
		sent()
		n += r
	}
}

func openMore(t *testing.T, server *csp.Server, n byte) *csp.Session {
	t.Helper()
	s, err := server.Open(csp.Peer{}, csp.Key{n})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The bytes of all sessions together stay within the budget: no new session at
// 80 %, and at 95 % those end that keep most and acknowledge nothing.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _, _ := open(t, csp.Options{Budget: buffer.NewBudget(1 << 20), MaxSendBuffer: 256 << 10})
		idle, busy, small := openMore(t, server, 2), openMore(t, server, 3), openMore(t, server, 4)
		link := attach(t, busy, 0)
		fill(idle)
		fill(busy)
		send(small, "x")
		other := openMore(t, server, 5)
		other.Deliver([]csp.Packet{{ID: 2, Data: make([]byte, 200<<10)}}, true) // above a gap, kept too
		if used := server.Stats().Retained; used < 700<<10 || used > 800<<10 {
			t.Fatalf("%d bytes are counted", used)
		}
		last := openMore(t, server, 6)
		fill(last)
		if _, err := server.Open(csp.Peer{}, csp.Key{7}); !errors.Is(err, cause.Limit.Err()) || err.(*cause.Error).Retry == 0 {
			t.Errorf("a session above 80 %%: %v, want limit and when to retry", err)
		}
		if st := server.Stats(); st.RefusedBudget != 1 || st.Shed != 0 {
			t.Errorf("%d refused, %d shed; want 1, 0", st.RefusedBudget, st.Shed)
		}
		time.Sleep(6 * time.Second)
		taken(t, link)
		if err := busy.Acked(1); err != nil {
			t.Fatal(err)
		}
		fill(busy)
		send(small, string(make([]byte, 30<<10))) // this is too much
		synctest.Wait()
		if err := busy.Err(); err != nil {
			t.Errorf("the session that acknowledges: %v", err)
		}
		if err := small.Err(); err != nil {
			t.Errorf("the small session: %v", err)
		}
		shed := 0
		for _, s := range []*csp.Session{idle, other, last} {
			if errors.Is(s.Err(), cause.Limit.Err()) {
				shed++
			}
		}
		st := server.Stats()
		if shed != 1 || st.Shed != 1 || other.Err() != nil {
			t.Errorf("%d large idle sessions ended, %d counted, the smaller: %v; want 1, 1, nil", shed, st.Shed, other.Err())
		}
		server.Close(cause.Closed.Err())
		if used := server.Stats().Retained; used != 0 {
			t.Errorf("%d bytes are counted after the end of all sessions", used)
		}
	})
}

func TestLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, s, _ := open(t, csp.Options{Lifetime: time.Hour})
		attach(t, s, 0)
		time.Sleep(time.Hour - time.Second)
		if err := s.Err(); err != nil {
			t.Fatalf("before its time: %v", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if err := s.Err(); !errors.Is(err, cause.Limit.Err()) {
			t.Errorf("after its time: %v, want limit", err)
		}
		if n := server.Stats().OutLived; n != 1 {
			t.Errorf("%d counted", n)
		}
	})
}

// Each way in which a session can end badly has its counter.
func TestCounters(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, v *csp.Server, s *csp.Session)
		want func(csp.Stats) uint64
	}{
		{"repeats", func(t *testing.T, _ *csp.Server, s *csp.Session) {
			deliver(t, s, data(1, "a"))
			deliver(t, s, data(1, "a"))
		}, func(st csp.Stats) uint64 { return st.Repeats }},
		{"out of order", func(t *testing.T, _ *csp.Server, s *csp.Session) { deliver(t, s, data(2, "b")) }, func(st csp.Stats) uint64 { return st.OutOfOrder }},
		{"gap", func(t *testing.T, _ *csp.Server, s *csp.Session) {
			attach(t, s, 0)
			deliver(t, s, data(2, "b"))
			time.Sleep(31 * time.Second)
		}, func(st csp.Stats) uint64 { return st.Gaps }},
		{"window overrun", func(_ *testing.T, _ *csp.Server, s *csp.Session) { s.Deliver([]csp.Packet{data(99, "x")}, true) }, func(st csp.Stats) uint64 { return st.WindowOverruns }},
		{"optimistic acknowledgement", func(_ *testing.T, _ *csp.Server, s *csp.Session) { s.Acked(7) }, func(st csp.Stats) uint64 { return st.OptimisticAcks }},
		{"half-open", func(*testing.T, *csp.Server, *csp.Session) { time.Sleep(16 * time.Second) }, func(st csp.Stats) uint64 { return st.HalfOpen }},
		{"expired", func(t *testing.T, _ *csp.Server, s *csp.Session) {
			attach(t, s, 0).Detach()
			time.Sleep(121 * time.Second)
		}, func(st csp.Stats) uint64 { return st.Expired }},
		{"unread answers", func(_ *testing.T, _ *csp.Server, s *csp.Session) { s.Send(buffer.Copy(make([]byte, 3<<20)), 0) }, func(st csp.Stats) uint64 { return st.UnreadAnswers }},
		{"retransmitted", func(t *testing.T, _ *csp.Server, s *csp.Session) {
			l := attach(t, s, 0)
			send(s, "a")
			taken(t, l)
			l.Detach()
			attach(t, s, 0)
		}, func(st csp.Stats) uint64 { return st.Retransmitted }},
		{"displaced", func(t *testing.T, _ *csp.Server, s *csp.Session) { attach(t, s, 0); attach(t, s, 0) }, func(st csp.Stats) uint64 { return st.Displaced }},
		{"resumed", func(_ *testing.T, v *csp.Server, s *csp.Session) { v.Resume(s.ID()) }, func(st csp.Stats) uint64 { return st.Resumed }},
		{"unknown", func(_ *testing.T, v *csp.Server, _ *csp.Session) { v.Resume("n0.x") }, func(st csp.Stats) uint64 { return st.Unknown }},
		{"refused: key", func(_ *testing.T, v *csp.Server, _ *csp.Session) {
			v.Open(csp.Peer{Origin: "https://a.test"}, csp.Key{1})
		}, func(st csp.Stats) uint64 { return st.RefusedKeys }},
		{"refused: sessions", func(_ *testing.T, v *csp.Server, _ *csp.Session) { v.Open(csp.Peer{}, csp.Key{2}) }, func(st csp.Stats) uint64 { return st.RefusedSessions }},
		{"refused: draining", func(_ *testing.T, v *csp.Server, _ *csp.Session) { v.Drain(); v.Open(csp.Peer{}, csp.Key{2}) }, func(st csp.Stats) uint64 { return st.RefusedDraining }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, s, _ := open(t, csp.Options{MaxSessions: 1})
				if n := tt.want(server.Stats()); n != 0 {
					t.Fatalf("%d before", n)
				}
				tt.do(t, server, s)
				synctest.Wait()
				if n := tt.want(server.Stats()); n != 1 {
					t.Errorf("%d counted, want 1", n)
				}
			})
		})
	}
}

// Closed sessions are remembered for a minute, but never more than there may be
// live ones.
func TestTombstonesAreBounded(t *testing.T) {
	server, s, _ := open(t, csp.Options{MaxSessions: 10})
	s.Close(cause.Closed.Err())
	ids := []string{s.ID()}
	for i := range 100 {
		s := openMore(t, server, byte(2+i))
		s.Close(cause.Closed.Err())
		ids = append(ids, s.ID())
	}
	n := 0
	for _, id := range ids {
		if _, err := server.Resume(id); errors.Is(err, cause.Closed.Err()) {
			n++
		}
	}
	if n != 10 {
		t.Errorf("%d closed sessions are remembered, want 10", n)
	}
}

// A repeated NEW that comes after the session's end is told of that, unless it is another's.
func TestClosedSessionsKeepTheirKey(t *testing.T) {
	server, s, _ := open(t, csp.Options{})
	s.Close(cause.Limit.Err())
	if _, err := server.Open(csp.Peer{}, csp.Key{1}); !errors.Is(err, cause.Limit.Err()) {
		t.Errorf("opened again: %v, want the cause of its end", err)
	}
	if _, err := server.Open(csp.Peer{Origin: "http://other.test"}, csp.Key{1}); !errors.Is(err, cause.ProtocolError.Err()) {
		t.Errorf("opened by another origin with the same key: %v", err)
	}
	if n := server.Stats().RefusedKeys; n != 1 {
		t.Errorf("%d refused keys, want 1", n)
	}
}

// A session whose client takes what it is sent outlives a smaller one whose client
// does not.
func TestIdleSessionsAreClosedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, small, _ := open(t, csp.Options{Budget: buffer.NewBudget(1 << 20), SendBuffer: 512 << 10})
		busy := openMore(t, server, 2)
		link := attach(t, busy, 0)
		fill(busy)
		taken(t, link)
		send(small, string(make([]byte, 60<<10)))
		for range 6 {
			send(small, string(make([]byte, 60<<10)))
		}
		time.Sleep(6 * time.Second)
		if err := busy.Acked(1); err != nil {
			t.Fatal(err)
		}
		fill(busy)
		send(small, string(make([]byte, 60<<10)))
		synctest.Wait()
		if small.Err() == nil || busy.Err() != nil {
			t.Errorf("the idle session: %v, the larger one that acknowledges: %v; want the first closed", small.Err(), busy.Err())
		}
	})
}

// What nobody's session needs goes before any session does.
func TestWhatBelongsToNoSessionGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := buffer.NewBudget(1 << 20)
		left := budget.Account()
		full := make(chan struct{})
		_, s, _ := open(t, csp.Options{Budget: budget, Relieve: func() { <-full; left.Set(0) }})
		send(s, "small")
		left.Set(1 << 20)
		close(full)
		synctest.Wait()
		if err := s.Err(); err != nil || !budget.Relieved() {
			t.Errorf("the session ended with %v; %d bytes are in use", err, budget.Used())
		}
	})
}
