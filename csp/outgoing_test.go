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
		n := s.Reserve(16<<10, 0, 0)
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
	if n := s.Reserve(16<<10, 0, 0); n != 16<<10 {
		t.Errorf("Reserve after that: %d", n)
	}
	s.Unreserve(16 << 10)
}

func TestSmallPacketsCountAsMuchAsTheirMemory(t *testing.T) {
	_, s, _ := open(t, csp.Options{SendBuffer: 64 << 10})
	l := attach(t, s, 0)
	sent := 0
	for s.Reserve(1, 0, 0) > 0 {
		s.Send(buffer.Copy([]byte{1}), 1)
		taken(t, l) // so that packets are not merged
		sent++
	}
	if sent > 64<<10/256+1 {
		t.Errorf("%d packets of one byte fit into 64 KiB", sent)
	}
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
		if err := s.Acked(first); err != nil {
			t.Fatal(err)
		}
		first++
		others(1)
		if n := s.Reserve(16<<10, 5*time.Millisecond, 0); n != 0 {
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
		if n := s.Reserve(16<<10, 5*time.Millisecond, 0); n != 16<<10 {
			t.Errorf("%d bytes granted once all that was on its way is acknowledged, want all", n)
		}
	})
}

// Of packets that leave together the other side may acknowledge some at once and the rest late.
func TestWayOfPacketsThatLeaveTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, csp.Options{})
		l := attach(t, s, 0)
		const piece, short = 15 << 10, 5 * time.Millisecond
		send := func(n int) {
			for range n {
				b := buffer.Get(piece)
				b.Append(make([]byte, piece))
				s.SendApart(b, s.Reserve(piece, 0, 0))
			}
		}
		send(1)
		taken(t, l)
		s.Acked(1)
		send(7)
		taken(t, l)
		time.Sleep(time.Millisecond)
		s.Acked(6) // 75 KiB
		time.Sleep(time.Second)
		s.Acked(8)
		got := 0
		for n := s.Reserve(piece, short, 0); n > 0; n = s.Reserve(piece, short, 0) {
			got += n
		}
		if got > 128<<10 {
			t.Errorf("who yields got %d bytes on a way of 1 ms", got)
		}
	})
}

// Who yields has half the first bound on a short way, and all of the bound on a long one.
func TestWhoYields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, h := open(t, csp.Options{SendBuffer: 256 << 10, MaxSendBuffer: 256 << 10})
		l := attach(t, s, 0)
		const piece, short = 16 << 10, 5 * time.Millisecond
		fill := func(yield time.Duration) (pieces uint64) {
			for ; s.Reserve(piece, yield, 0) == piece; pieces++ {
				b := buffer.Get(piece)
				b.Append(make([]byte, piece))
				s.Send(b, piece)
				taken(t, l)
			}
			return pieces
		}
		acked := fill(short)
		if acked != 16 {
			t.Errorf("%d pieces before anything was acknowledged, want 16", acked)
		}
		s.Acked(acked)
		expectFill := func(what string, yield time.Duration, want uint64) {
			t.Helper()
			if n := fill(yield); n != want {
				t.Errorf("%s: %d pieces, want %d", what, n, want)
			}
			acked += want
		}
		expectFill("who yields", short, 8)
		expectFill("who does not, beside it", 0, 8)
		for n := uint64(1); n <= 12; n++ { // 4 are left: half of what who yields may have
			h.writable = 0
			if err := s.Acked(acked - 16 + n); err != nil {
				t.Fatal(err)
			}
			if (h.writable > 0) != (n == 4) { // a quarter of the bound, which the last one met
				t.Errorf("Writable was called %d times at packet %d", h.writable, n)
			}
		}
		expectFill("who yields, beside what is left", short, 4)
		h.writable = 0
		s.Acked(acked - 2)
		if h.writable != 1 {
			t.Errorf("Writable was called %d times when a quarter of the smaller bound was free", h.writable)
		}
		s.Acked(acked)

		long := func(way time.Duration) { // the packets of one filling are that long on it
			time.Sleep(way)
			s.Acked(acked)
		}
		expectFill("who yields", short, 8)
		long(50 * time.Millisecond)
		expectFill("on a long way", short, 16)
		long(2 * time.Millisecond)
		expectFill("and on a short one again", short, 8)
		long(2 * time.Millisecond)
		expectFill("who yields on shorter ones only", time.Millisecond, 16)
		s.Acked(acked)

		expectFill("alone", 0, 16)
		s.Acked(acked - 8)
		long(50 * time.Millisecond) // its own queue
		expectFill("on a way that was short before that queue", short, 8)
		long(50 * time.Millisecond)
		expectFill("on a long way", short, 16)
		long(50 * time.Millisecond)
		time.Sleep(4 * time.Second)
		expectFill("on what is still a long way", short, 16)
		long(50 * time.Millisecond)
		time.Sleep(6 * time.Second)
		expectFill("a hundred delays later it is tried again", short, 8)
		long(2 * time.Millisecond)

		l.AckedApart()
		expectFill("who yields where acknowledgements come in requests of their own", time.Millisecond, 8)
		long(2 * time.Millisecond)
		expectFill("and again", time.Millisecond, 8)
		long(6 * time.Millisecond)
		expectFill("on a longer way", time.Millisecond, 16)
	})
}
