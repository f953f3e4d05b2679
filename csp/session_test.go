package csp_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// recorder is a Handler that keeps what it gets.
type recorder struct {
	got      bytes.Buffer
	writable int
	closed   []*cause.Error
	refuse   error // returned by Receive
}

func (h *recorder) Receive(data [][]byte) error {
	for _, p := range data {
		h.got.Write(p)
	}
	return h.refuse
}
func (h *recorder) Writable()               { h.writable++ }
func (h *recorder) Closed(why *cause.Error) { h.closed = append(h.closed, why) }

// open returns a server with one session and its handler.
func open(t *testing.T, opts csp.Options) (*csp.Server, *csp.Session, *recorder) {
	t.Helper()
	h := &recorder{}
	opts.Accept = func(*csp.Session) csp.Handler { return h }
	server := csp.NewServer(opts)
	s, err := server.Open(csp.Peer{}, csp.Key{1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(cause.Closed.Err()) })
	return server, s, h
}

func attach(t *testing.T, s *csp.Session, ack uint64) *csp.Link {
	t.Helper()
	l, err := s.Attach(ack, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// taken returns all a link has to send now, as text.
func taken(t *testing.T, l *csp.Link) string {
	t.Helper()
	var out []byte
	for {
		var b csp.Batch
		ok, err := l.Take(&b, 1<<20)
		if err != nil {
			return string(out) + "(" + err.Error() + ")"
		}
		if !ok {
			return string(out)
		}
		out = csp.Text.Append(out, &b)
		b.Release()
	}
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func send(s *csp.Session, text string) { s.Send(buffer.Copy([]byte(text)), 0) }

func data(id uint64, text string) csp.Packet { return csp.Packet{ID: id, Data: []byte(text)} }

func deliver(t *testing.T, s *csp.Session, packets ...csp.Packet) uint64 {
	t.Helper()
	got, err := s.Deliver(packets, true)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestResumeSendsWhatWasNotAcknowledged(t *testing.T) {
	_, s, _ := open(t, csp.Options{})
	l := attach(t, s, 0)
	expect(t, "first batch", taken(t, l), `[["ack",0]]`)
	send(s, "one")
	expect(t, "packet", taken(t, l), `[[1,0,"one"]]`)
	send(s, "two")
	expect(t, "packet", taken(t, l), `[[2,0,"two"]]`)
	l.Detach()
	send(s, "three")
	l = attach(t, s, 1)
	expect(t, "after a cut", taken(t, l), `[["ack",0],[2,0,"two"],[3,0,"three"]]`)
	l = attach(t, s, 3)
	expect(t, "all acknowledged", taken(t, l), `[["ack",0]]`)
}

// After a resume, an acknowledgement from the old link may make the new link skip
// packets. The other side counts ids by itself, so it must be told.
func TestSkippedPacketsAreAnnounced(t *testing.T) {
	_, s, _ := open(t, csp.Options{})
	old := attach(t, s, 0)
	for range 3 {
		s.Send(buffer.Copy(make([]byte, 1000)), 0)
		taken(t, old)
	}
	l := attach(t, s, 0)
	var b csp.Batch
	take := func(max int) (first uint64, seq bool) {
		t.Helper()
		if ok, err := l.Take(&b, max); !ok || err != nil || len(b.Packets) != 1 {
			t.Fatalf("Take: %v, %v, %d packets", ok, err, len(b.Packets))
		}
		first, seq = b.First, b.Seq
		b.Release()
		return first, seq
	}
	if id, seq := take(1); id != 1 || !seq {
		t.Errorf("packet %d, announced: %v; want 1, true", id, seq)
	}
	if err := s.Acked(2); err != nil { // the old link had carried it
		t.Fatal(err)
	}
	if id, seq := take(1); id != 3 || !seq {
		t.Errorf("packet %d, announced: %v; want 3, true", id, seq)
	}
	send(s, "x")
	if id, seq := take(1); id != 4 || seq {
		t.Errorf("packet %d, announced: %v; want 4, false", id, seq)
	}
}

func TestUnsentPacketsAreMergedButSentOnesNeverChange(t *testing.T) {
	_, s, _ := open(t, csp.Options{})
	send(s, "a")
	send(s, "b")
	l := attach(t, s, 0)
	expect(t, "merged", taken(t, l), `[["ack",0],[1,0,"ab"]]`)
	l.Detach()
	send(s, "c")
	send(s, "d")
	l = attach(t, s, 0)
	expect(t, "a packet that was sent is the same when repeated", taken(t, l), `[["ack",0],[1,0,"ab"],[2,0,"cd"]]`)
}

func TestDeliverOnceInOrder(t *testing.T) {
	for _, tt := range []struct {
		name    string
		batches [][]csp.Packet
		want    string
		acked   uint64
	}{
		{"in order", [][]csp.Packet{{data(1, "a"), data(2, "b")}}, "ab", 2},
		{"repeated", [][]csp.Packet{{data(1, "a")}, {data(1, "a")}, {data(1, "a"), data(2, "b")}}, "ab", 2},
		{"other content under an old id", [][]csp.Packet{{data(1, "a")}, {data(1, "X"), data(2, "b")}}, "ab", 2},
		{"gap filled later", [][]csp.Packet{{data(3, "c")}, {data(2, "b")}, {data(1, "a")}}, "abc", 3},
		{"gap filled from both sides", [][]csp.Packet{{data(2, "b"), data(4, "d")}, {data(1, "a")}, {data(3, "c")}}, "abcd", 4},
		{"gap stays", [][]csp.Packet{{data(1, "a")}, {data(3, "c")}}, "a", 1},
		{"repeated above the gap", [][]csp.Packet{{data(2, "b")}, {data(2, "b")}, {data(1, "a")}}, "ab", 2},
		{"empty packets count", [][]csp.Packet{{data(1, "")}, {data(2, "b")}}, "b", 2},
		{"nothing after the end", [][]csp.Packet{{data(1, "a"), {ID: 2, End: true}, data(3, "c")}}, "a", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, s, h := open(t, csp.Options{})
			var acked uint64
			for _, b := range tt.batches {
				acked = deliver(t, s, b...)
			}
			if h.got.String() != tt.want || acked != tt.acked {
				t.Errorf("delivered %q, acknowledged %d; want %q, %d", h.got.String(), acked, tt.want, tt.acked)
			}
		})
	}
}

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

func TestHandlerErrorEndsTheSession(t *testing.T) {
	_, s, h := open(t, csp.Options{})
	h.refuse = cause.Limit.With("enough")
	if _, err := s.Deliver([]csp.Packet{data(1, "x")}, true); !errors.Is(err, cause.Limit.Err()) {
		t.Errorf("Deliver: %v", err)
	}
}

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

func TestEndBothWays(t *testing.T) {
	_, s, h := open(t, csp.Options{})
	l := attach(t, s, 0)
	send(s, "last")
	taken(t, l)
	deliver(t, s, data(1, "bye"), csp.Packet{ID: 2, End: true})
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

func TestReserveStopsAtTheBound(t *testing.T) {
	_, s, h := open(t, csp.Options{SendBuffer: 64 << 10, MaxSendBuffer: 64 << 10})
	l := attach(t, s, 0)
	sent := 0
	for {
		n := s.Reserve(16 << 10)
		if n == 0 {
			break
		}
		b := buffer.Get(n)
		b.Append(make([]byte, n))
		s.Send(b, n)
		sent += n
	}
	if sent != 64<<10 {
		t.Errorf("%d bytes were taken, want the bound of 64 KiB", sent)
	}
	taken(t, l)
	if h.writable != 0 {
		t.Error("writable before anything was acknowledged")
	}
	if err := s.Acked(1); err != nil {
		t.Fatal(err)
	}
	if h.writable != 1 {
		t.Errorf("Writable was called %d times after a quarter was acknowledged, want 1", h.writable)
	}
	if n := s.Reserve(16 << 10); n != 16<<10 {
		t.Errorf("Reserve after that: %d", n)
	}
	s.Unreserve(16 << 10)
}

func TestSmallPacketsCountAsMuchAsTheirMemory(t *testing.T) {
	_, s, _ := open(t, csp.Options{SendBuffer: 64 << 10})
	l := attach(t, s, 0)
	sent := 0
	for s.Reserve(1) > 0 {
		s.Send(buffer.Copy([]byte{1}), 1)
		taken(t, l) // so that packets are not merged
		sent++
	}
	if sent > 64<<10/256+1 {
		t.Errorf("%d packets of one byte fit into 64 KiB", sent)
	}
}

func TestBoundGrowsOnAFastLinkWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{SendBuffer: 64 << 10, MaxSendBuffer: 1 << 20, Budget: buffer.NewBudget(768 << 10)})
		l := attach(t, s, 0)
		fill := func() (n int) {
			for {
				r := s.Reserve(16 << 10)
				if r == 0 {
					return n
				}
				b := buffer.Get(r)
				b.Append(make([]byte, r))
				s.Send(b, r)
				taken(t, l)
				n += r
			}
		}
		var id uint64
		for range 10 {
			id += uint64(fill() / (16 << 10))
			time.Sleep(10 * time.Millisecond)
			if err := s.Acked(id); err != nil {
				t.Fatal(err)
			}
		}
		if n := fill(); n != 256<<10 {
			t.Errorf("the bound grew to %d, want 256 KiB: 64 and a quarter of the budget of 768", n)
		}
		time.Sleep(3 * time.Second)
		if err := s.Acked(id + 16); err != nil {
			t.Fatal(err)
		}
		if n := fill(); n != 64<<10 {
			t.Errorf("after a slow round the bound is %d, want 64 KiB again", n)
		}
	})
}

func TestAcknowledgements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{})
		l := attach(t, s, 0)
		taken(t, l)
		got := func(packets ...csp.Packet) {
			t.Helper()
			if _, err := s.Deliver(packets, false); err != nil {
				t.Fatal(err)
			}
		}
		got(data(1, "x"))
		expect(t, "at once", taken(t, l), "")
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		expect(t, "before a second", taken(t, l), "")
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		expect(t, "after a second", taken(t, l), `[["ack",1]]`)
		got(csp.Packet{ID: 2, Data: make([]byte, 64<<10)})
		expect(t, "after 64 KiB", taken(t, l), `[["ack",2]]`)
		for id := uint64(3); id < 3+256; id++ {
			got(data(id, "x"))
		}
		expect(t, "after 256 small packets", taken(t, l), `[["ack",258]]`)
		time.Sleep(5 * time.Second)
		expect(t, "idle", taken(t, l), "")
	})
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
