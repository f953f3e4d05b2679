package csp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/csp"
)

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

// What was lost on a line that is too slow for it goes out again in pieces; what is new
// does not.
func TestWhatIsSentAgainIsSentInPieces(t *testing.T) {
	_, s, _ := open(t, csp.Options{})
	var b csp.Batch
	take := func(l *csp.Link) (size int) {
		t.Helper()
		if ok, err := l.Take(&b, 256<<10); !ok || err != nil {
			t.Fatalf("Take: %v, %v", ok, err)
		}
		for _, p := range b.Packets {
			size += len(p.Payload())
		}
		b.Release()
		return size
	}
	fill := func(packets int) {
		for range packets {
			s.SendApart(buffer.Copy(make([]byte, 10_000)), 0)
		}
	}
	fill(8)
	if n := take(attach(t, s, 0)); n != 80_000 {
		t.Errorf("the first link carries %d bytes, want all", n)
	}
	for ack := uint64(0); ack < 8; ack += 2 {
		if n := take(attach(t, s, ack)); n != 20_000 {
			t.Errorf("behind %d a poll carries %d bytes, want 20000", ack, n)
		}
	}
	fill(8)
	if n := take(attach(t, s, 8)); n != 80_000 {
		t.Errorf("a poll carries %d bytes that are new, want all", n)
	}
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

func TestPacketsStayApart(t *testing.T) {
	_, s, _ := open(t, csp.Options{})
	for _, send := range []struct {
		text  string
		apart bool
	}{{"a", false}, {"b", true}, {"c", false}, {"d", false}, {"e", true}, {"f", true}} {
		f := s.Send
		if send.apart {
			f = s.SendApart
		}
		if err := f(buffer.Copy([]byte(send.text)), 0); err != nil {
			t.Fatal(err)
		}
	}
	if s.Sent() != 0 {
		t.Errorf("packet %d was sent though no link took any", s.Sent())
	}
	expect(t, "packets", taken(t, attach(t, s, 0)), `[["ack",0],[1,0,"a"],[2,0,"b"],[3,0,"cd"],[4,0,"e"],[5,0,"f"]]`)
	if s.Sent() != 5 {
		t.Errorf("the highest packet sent is %d, want 5", s.Sent())
	}
}

func TestReserveStopsAtTheBound(t *testing.T) {
	_, s, h := open(t, csp.Options{SendBuffer: 64 << 10, MaxSendBuffer: 64 << 10})
	l := attach(t, s, 0)
	sent := 0
	for {
		n := s.Reserve(16<<10, false)
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
	if n := s.Reserve(16<<10, false); n != 16<<10 {
		t.Errorf("Reserve after that: %d", n)
	}
	s.Unreserve(16 << 10)
}

func TestSmallPacketsCountAsMuchAsTheirMemory(t *testing.T) {
	_, s, _ := open(t, csp.Options{SendBuffer: 64 << 10})
	l := attach(t, s, 0)
	sent := 0
	for s.Reserve(1, false) > 0 {
		s.Send(buffer.Copy([]byte{1}), 1)
		taken(t, l) // so that packets are not merged
		sent++
	}
	if sent > 64<<10/256+1 {
		t.Errorf("%d packets of one byte fit into 64 KiB", sent)
	}
}

// Four times the first bound is enough for what is near.
func TestBoundGrowsFurtherWhereAcknowledgementsTakeLong(t *testing.T) {
	const first = 64 << 10
	for _, tt := range []struct {
		name  string
		apart bool
		delay time.Duration // until what is sent is acknowledged
		want  int
	}{
		{"near", false, 10 * time.Millisecond, 4 * first},
		{"near, in requests", true, 10 * time.Millisecond, 16 * first},
		{"far", false, 30 * time.Millisecond, 16 * first},
		{"slow, in requests", true, 150 * time.Millisecond, 4 * first},
		{"slow", false, 150 * time.Millisecond, 4 * first},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, s, _ := open(t, csp.Options{SendBuffer: first, MaxSendBuffer: 16 * first})
				l := attach(t, s, 0)
				if tt.apart {
					l.AckedApart()
				}
				most := 0
				for range 10 {
					most = max(most, fillEach(s, func() { taken(t, l) }))
					time.Sleep(tt.delay)
					if err := s.Acked(s.Sent()); err != nil {
						t.Fatal(err)
					}
				}
				if most != tt.want {
					t.Errorf("%d bytes were on the way, want %d", most, tt.want)
				}
			})
		})
	}
}

// What there was room for may still be there when the bound is lowered, and ends nothing; what
// nobody asked room for ends the session as before.
func TestLoweredBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const first, most, piece = 64 << 10, 4 << 20, 16 << 10
		_, s, _ := open(t, csp.Options{SendBuffer: first, MaxSendBuffer: most})
		l := attach(t, s, 0)
		l.AckedApart()
		acked := func(id uint64) {
			t.Helper()
			if err := s.Acked(id); err != nil {
				t.Fatal(err)
			}
		}
		for fill(s) < most {
			taken(t, l)
			acked(s.Sent())
		}
		before := s.Sent()
		taken(t, l)
		half := (before + s.Sent()) / 2
		acked(half)
		fill(s)
		time.Sleep(3 * time.Second)
		acked(s.Sent())
		if n := fill(s); n != 0 {
			t.Fatalf("%d bytes granted after a slow round, with half the old bound unacknowledged", n)
		}
		taken(t, l)
		answer := func() error {
			defer taken(t, l)
			return s.Send(buffer.Copy(make([]byte, piece)), 0)
		}
		if err := answer(); err != nil {
			t.Fatalf("an answer above the lowered bound: %v", err)
		}
		time.Sleep(time.Second) // too slow to grow again
		acked(s.Sent())
		answers := 0
		for answer() == nil {
			answers++
		}
		if want := (first + 2<<20) / piece; answers != want {
			t.Errorf("%d answers before the session ended, want %d", answers, want)
		}
	})
}

// What sends in bursts is no slower than it were if bounds grew to a megabyte only.
func TestBoundOfBursts(t *testing.T) {
	for _, burst := range []int{1 << 20, 2 << 20, 4 << 20} {
		synctest.Test(t, func(t *testing.T) {
			trips := map[int]int{}
			for _, most := range []int{1 << 20, 8 << 20} {
				_, s, _ := open(t, csp.Options{MaxSendBuffer: most})
				l := attach(t, s, 0)
				l.AckedApart()
				for range 40 {
					time.Sleep(time.Second)
					for left := burst; left > 0; trips[most]++ {
						for r := s.Reserve(min(left, 16<<10), false); r > 0; r = s.Reserve(min(left, 16<<10), false) {
							b := buffer.Get(r)
							b.Append(make([]byte, r))
							s.Send(b, r)
							taken(t, l)
							left -= r
						}
						time.Sleep(30 * time.Millisecond)
						if err := s.Acked(s.Sent()); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if trips[8<<20] > trips[1<<20] {
				t.Errorf("bursts of %d bytes: %d round trips, want at most %d", burst, trips[8<<20], trips[1<<20])
			}
		})
	}
}

// A session that is idle leaves what its bound had grown by to others.
func TestBoundOfAnIdleSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := buffer.NewBudget(2 << 20)
		grow := func() (l *csp.Link, most int) {
			_, s, _ := open(t, csp.Options{SendBuffer: 64 << 10, Budget: budget})
			l = attach(t, s, 0)
			for range 10 {
				most = max(most, fillEach(s, func() { taken(t, l) }))
				time.Sleep(10 * time.Millisecond)
				if err := s.Acked(s.Sent()); err != nil {
					t.Fatal(err)
				}
			}
			return l, most
		}
		var first *csp.Link
		for range 4 {
			if l, _ := grow(); first == nil {
				first = l
			}
		}
		if _, most := grow(); most != 64<<10 {
			t.Errorf("%d bytes while others have all that bounds may grow by, want 64 KiB", most)
		}
		time.Sleep(25 * time.Second)
		first.Beat()
		taken(t, first)
		if _, most := grow(); most != 256<<10 {
			t.Errorf("%d bytes after one of them was idle, want 256 KiB", most)
		}
	})
}

// A page that is busy when a transfer begins does not make its way a long one.
func TestBoundAfterAHiccup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{})
		l := attach(t, s, 0)
		most := 0
		for i := range 60 {
			most = max(most, fillEach(s, func() { taken(t, l) }))
			time.Sleep(2 * time.Millisecond)
			if i == 0 {
				time.Sleep(20 * time.Millisecond)
			}
			if n := s.Sent(); n > 10 {
				if err := s.Acked(n - 9); err != nil { // a steady flow
					t.Fatal(err)
				}
			}
		}
		if most > 1<<20 {
			t.Errorf("%d bytes were on a way of 2 ms", most)
		}
	})
}

// What is reserved may still come when the bound is lowered, whatever else is sent meanwhile.
func TestReservedWhenTheBoundIsLowered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const piece = 16 << 10
		_, s, _ := open(t, csp.Options{SendBuffer: 64 << 10, MaxSendBuffer: 8 << 20})
		l := attach(t, s, 0)
		l.AckedApart()
		ack := func() {
			t.Helper()
			taken(t, l)
			if err := s.Acked(s.Sent()); err != nil {
				t.Fatal(err)
			}
		}
		for fill(s) < 8<<20 {
			ack()
		}
		ack()
		reserved := 0
		for s.Reserve(piece, false) == piece {
			reserved++
		}
		for range 2 * 8 << 20 / piece { // answers, each acknowledged
			if err := s.Send(buffer.Copy(make([]byte, piece)), 0); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond)
			ack()
		}
		for i := range reserved {
			if err := s.Send(buffer.Copy(make([]byte, piece)), piece); err != nil {
				t.Fatalf("piece %d of %d that had room: %v", i, reserved, err)
			}
		}
	})
}

func TestBoundGrowsOnAFastLinkWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{SendBuffer: 64 << 10, MaxSendBuffer: 1 << 20, Budget: buffer.NewBudget(768 << 10)})
		l := attach(t, s, 0)
		for range 10 {
			fill(s)
			taken(t, l)
			time.Sleep(10 * time.Millisecond)
			if err := s.Acked(s.Sent()); err != nil {
				t.Fatal(err)
			}
		}
		if n := fill(s); n != 256<<10 {
			t.Errorf("the bound grew to %d, want 256 KiB: 64 and a quarter of the budget of 768", n)
		}
		taken(t, l)
		time.Sleep(3 * time.Second)
		if err := s.Acked(s.Sent()); err != nil {
			t.Fatal(err)
		}
		if n := fill(s); n != 64<<10 {
			t.Errorf("after a slow round the bound is %d, want 64 KiB again", n)
		}
	})
}

// Who yields is not starved by others who fill what it may have.
func TestWhoYieldsGetsRoomBesideOthersWhoFillThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, h := open(t, csp.Options{})
		l := attach(t, s, 0)
		const packets = 800 // of others, always on their way; each counts 256 bytes
		first, last := uint64(1), uint64(0)
		others := func(n int) {
			for range n {
				s.SendApart(buffer.Copy([]byte("little")), 0)
				last++
			}
			taken(t, l)
		}
		others(packets)
		if n := s.Reserve(16<<10, true); n != 0 {
			t.Fatalf("%d bytes granted beside others who fill it", n)
		}
		for range packets {
			if h.writable > 0 {
				break
			}
			if err := s.Acked(first); err != nil {
				t.Fatal(err)
			}
			first++
			others(1)
		}
		if n := s.Reserve(16<<10, true); n != 16<<10 {
			t.Errorf("%d bytes granted once all that was on its way is acknowledged, want all", n)
		}
	})
}

// Who yields has half the first bound on a short way, and all of the bound on a long one.
func TestWhoYields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, h := open(t, csp.Options{SendBuffer: 256 << 10, MaxSendBuffer: 256 << 10})
		l := attach(t, s, 0)
		const piece = 16 << 10
		fill := func(yields bool) (pieces uint64) {
			for ; s.Reserve(piece, yields) == piece; pieces++ {
				b := buffer.Get(piece)
				b.Append(make([]byte, piece))
				s.Send(b, piece)
				taken(t, l)
			}
			return pieces
		}
		acked := uint64(0)
		expectFill := func(what string, yields bool, want uint64) {
			t.Helper()
			if n := fill(yields); n != want {
				t.Errorf("%s: %d pieces, want %d", what, n, want)
			}
			acked += want
		}
		expectFill("who yields", true, 8)
		expectFill("who does not, beside it", false, 8)
		for id := uint64(1); id <= 12; id++ { // 4 are left: half of what who yields may have
			h.writable = 0
			if err := s.Acked(id); err != nil {
				t.Fatal(err)
			}
			if (h.writable > 0) != (id == 4) { // a quarter of the bound, which the last one met
				t.Errorf("Writable was called %d times at packet %d", h.writable, id)
			}
		}
		expectFill("who yields, beside what is left", true, 4)
		h.writable = 0
		s.Acked(14)
		if h.writable != 1 {
			t.Errorf("Writable was called %d times when a quarter of the smaller bound was free", h.writable)
		}
		s.Acked(acked)

		long := func(way time.Duration) { // the packets of one filling are that long on it
			time.Sleep(way)
			s.Acked(acked)
		}
		expectFill("who yields", true, 8)
		long(50 * time.Millisecond)
		expectFill("on a long way", true, 16)
		long(2 * time.Millisecond)
		expectFill("and on a short one again", true, 8)
		long(2 * time.Millisecond)

		expectFill("alone", false, 16)
		s.Acked(acked - 8)
		long(50 * time.Millisecond) // its own queue
		expectFill("on a way that was short before that queue", true, 8)
		long(50 * time.Millisecond)
		expectFill("on a long way", true, 16)
		long(time.Millisecond)
		time.Sleep(3 * time.Second)
		expectFill("a while later it is tried again", true, 8)
	})
}
