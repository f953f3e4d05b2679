package csp_test

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"encke/cause"
	"encke/csp"
)

func TestDisplacement(t *testing.T) {
	_, s, _ := open(t, csp.Options{})
	rang := 0
	old, err := s.Attach(0, func() { rang++ })
	if err != nil {
		t.Fatal(err)
	}
	taken(t, old) // parks it
	l := attach(t, s, 0)
	if rang != 1 {
		t.Errorf("the displaced link was woken %d times, want 1", rang)
	}
	expect(t, "old link", taken(t, old), "("+csp.ErrDisplaced.Error()+")")
	old.Detach() // must not detach the new one
	send(s, "x")
	expect(t, "new link", taken(t, l), `[["ack",0],[1,0,"x"]]`)
}

// What packets of a link bring about goes out together, but no later than it must.
func TestDeliverOnALink(t *testing.T) {
	_, s, h := open(t, csp.Options{})
	h.answer = func() { send(s, "credit") }
	woken := 0
	l, err := s.Attach(0, func() { woken++ })
	if err != nil {
		t.Fatal(err)
	}
	taken(t, l)
	id := uint64(0)
	deliver := func(n int) {
		t.Helper()
		id++
		if _, err := l.Deliver([]csp.Packet{{ID: id, Data: make([]byte, n)}}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		deliver(32 << 10)
	}
	if woken != 0 {
		t.Errorf("woken %d times with 96 KiB delivered and others at hand", woken)
	}
	if !l.Due() {
		t.Error("Flush is not due")
	}
	l.Flush()
	if woken != 1 {
		t.Errorf("woken %d times by Flush, want once", woken)
	}
	expect(t, "what three packets brought about", taken(t, l), `[["ack",3],[1,0,"creditcreditcredit"]]`)
	if l.Due() {
		t.Error("Flush is due with nothing to send")
	}
	l.Flush()
	if woken != 1 {
		t.Error("woken by Flush with nothing to send")
	}
	for range 4 {
		deliver(32 << 10)
	}
	if woken != 2 {
		t.Errorf("woken %d times with 128 KiB delivered, want twice", woken)
	}
	taken(t, l)
	deliver(10)
	send(s, "x")
	if woken != 3 {
		t.Errorf("woken %d times when others send, want three times", woken)
	}
}

// What a displaced link still brings goes out on the other one at once: that does not know.
func TestDeliverOnADisplacedLink(t *testing.T) {
	_, s, h := open(t, csp.Options{})
	h.answer = func() { send(s, "credit") }
	old := attach(t, s, 0)
	woken := 0
	l, err := s.Attach(0, func() { woken++ })
	if err != nil {
		t.Fatal(err)
	}
	taken(t, l)
	if _, err := old.Deliver([]csp.Packet{{ID: 1, Data: make([]byte, 10)}}); err != nil {
		t.Fatal(err)
	}
	if woken != 1 {
		t.Errorf("the attached link was woken %d times, want once", woken)
	}
}

func TestCloseIsSaidOnceThenTheLinkEnds(t *testing.T) {
	server, s, h := open(t, csp.Options{})
	l := attach(t, s, 0)
	taken(t, l)
	s.Close(cause.Limit.With("enough"))
	s.Close(cause.Internal.Err())
	expect(t, "attached link", taken(t, l), `[["close",9,0,"enough"]](EOF)`)
	if len(h.closed) != 1 || h.closed[0].Code != cause.Limit {
		t.Errorf("Closed was called with %v, want once with limit", h.closed)
	}
	if _, err := server.Resume(s.ID()); !errors.Is(err, cause.Limit.Err()) {
		t.Errorf("Resume within a minute: %v, want the cause", err)
	}
	if n := server.Stats().Live; n != 0 {
		t.Errorf("%d live sessions", n)
	}
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{})
		l := attach(t, s, 0)
		taken(t, l)
		var b csp.Batch
		began := time.Now()
		if ok, err := l.Next(t.Context(), 25*time.Second, &b, 100); ok || err != nil || time.Since(began) != 25*time.Second {
			t.Errorf("Next on a silent session: %v, %v after %v", ok, err, time.Since(began))
		}
		time.AfterFunc(time.Second, func() { send(s, "x") })
		began = time.Now()
		if ok, err := l.Next(t.Context(), 25*time.Second, &b, 100); !ok || err != nil || time.Since(began) != time.Second {
			t.Errorf("Next: %v, %v after %v", ok, err, time.Since(began))
		}
		b.Release()
		time.AfterFunc(time.Second, l.Detach)
		if _, err := l.Next(t.Context(), 25*time.Second, &b, 100); err != io.EOF {
			t.Errorf("Next after Detach: %v, want EOF", err)
		}
	})
}

func TestProbesAreAnsweredOnTheDownlink(t *testing.T) {
	_, s, _ := open(t, csp.Options{})
	s.Ping() // nobody there: forgotten
	l := attach(t, s, 0)
	expect(t, "before", taken(t, l), `[["ack",0]]`)
	s.Ping()
	expect(t, "after", taken(t, l), `[["pong"]]`)
	for range 100 {
		s.Ping()
	}
	if got := taken(t, l); len(got) > 100 {
		t.Errorf("100 probes cost %d bytes", len(got))
	}
}

// A delivery that brings about an answer is acknowledged together with it, when an
// acknowledgement is nearly due anyway.
func TestDeliveriesWakeTheLinkOnce(t *testing.T) {
	var s *csp.Session
	server := csp.NewServer(csp.Options{Accept: func(*csp.Session) csp.Handler { return answering(func() { send(s, "credit") }) }})
	t.Cleanup(func() { server.Close(cause.Closed.Err()) })
	s, err := server.Open(csp.Peer{}, csp.Key{1})
	if err != nil {
		t.Fatal(err)
	}
	woken := 0
	l, err := s.Attach(0, func() { woken++ })
	if err != nil {
		t.Fatal(err)
	}
	taken(t, l)
	for i, c := range []struct {
		size int
		want string
	}{
		{30 << 10, `[[1,0,"credit"]]`},
		{30 << 10, `[["ack",2],[2,0,"credit"]]`},
		{64 << 10, `[["ack",3],[3,0,"credit"]]`},
	} {
		if _, err := s.Deliver([]csp.Packet{{ID: uint64(i + 1), Data: make([]byte, c.size)}}, false); err != nil {
			t.Fatal(err)
		}
		if woken != i+1 {
			t.Errorf("after %d deliveries the link was woken %d times", i+1, woken)
		}
		expect(t, "taken", taken(t, l), c.want)
	}
}

// answering is a Handler that calls itself when something arrives.
type answering func()

func (h answering) Receive([][]byte) error { h(); return nil }
func (h answering) Writable()              {}
func (h answering) Closed(*cause.Error)    {}

// An acknowledgement goes with what is sent in the second half of the time it may
// wait, and else by itself at the end of it.
func TestLateAcknowledgementsGoAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{})
		l := attach(t, s, 0)
		taken(t, l)
		arrive := func(id uint64) {
			t.Helper()
			if _, err := s.Deliver([]csp.Packet{data(id, "x")}, false); err != nil {
				t.Fatal(err)
			}
		}
		arrive(1)
		time.Sleep(400 * time.Millisecond)
		send(s, "early")
		expect(t, "after 0.4 s", taken(t, l), `[[1,0,"early"]]`)
		time.Sleep(200 * time.Millisecond)
		expect(t, "after 0.6 s, nothing to send", taken(t, l), ``)
		send(s, "late")
		expect(t, "after 0.6 s", taken(t, l), `[["ack",1],[2,0,"late"]]`)
		arrive(2)
		time.Sleep(850 * time.Millisecond)
		expect(t, "0.85 s later", taken(t, l), ``)
		time.Sleep(150 * time.Millisecond)
		expect(t, "1 s later", taken(t, l), `[["ack",2]]`)
	})
}

// What a link begins with may wait for what comes next, not the other way round.
func TestParkedLinkBeginsWithWhatComes(t *testing.T) {
	_, s, _ := open(t, csp.Options{})
	woken := 0
	l, err := s.Attach(0, func() { woken++ })
	if err != nil {
		t.Fatal(err)
	}
	if !l.Park() || woken != 0 {
		t.Fatalf("a link with nothing to say is not parked, or was woken %d times", woken)
	}
	send(s, "x")
	if woken != 1 {
		t.Errorf("woken %d times, want once", woken)
	}
	if l.Park() {
		t.Error("a link is parked that has something to say")
	}
	expect(t, "together", taken(t, l), `[["ack",0],[1,0,"x"]]`)
	s.Close(cause.Limit.With("enough"))
	if l.Park() {
		t.Error("a link is parked whose session is over")
	}
}
