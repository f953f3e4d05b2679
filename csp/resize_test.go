package csp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// A client that polls has no link for a moment after each answer.
func TestBoundBetweenPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 8 << 20
		_, s, _ := open(t, csp.Options{})
		got := 0
		for range 10 {
			l := attach(t, s, s.Sent())
			l.AckedApart()
			got = fillEach(s, func() { taken(t, l) })
			l.Detach()
			time.Sleep(10 * time.Millisecond)
		}
		if got != most {
			t.Errorf("%d bytes between two polls, want %d", got, most)
		}
	})
}

// Four times the first bound is enough for what is near and fills it alone.
func TestBoundGrowsFurther(t *testing.T) {
	const first = 64 << 10
	for _, tt := range []struct {
		name    string
		apart   bool
		delay   time.Duration // until what is sent is acknowledged
		waiting int
		want    int
	}{
		{"near", false, 10 * time.Millisecond, 0, 4 * first},
		{"near, another waits", false, 10 * time.Millisecond, 1, 8 * first},
		{"near, many wait", false, 10 * time.Millisecond, 50, 16 * first},
		{"near, in requests", true, 10 * time.Millisecond, 0, 32 * first},
		{"far", false, 30 * time.Millisecond, 0, 32 * first},
		{"slow, in requests", true, 150 * time.Millisecond, 0, 4 * first},
		{"slow, many wait", false, 150 * time.Millisecond, 50, 4 * first},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, s, _ := open(t, csp.Options{SendBuffer: first, MaxSendBuffer: 32 * first})
				l := attach(t, s, 0)
				if tt.apart {
					l.AckedApart()
				}
				most := 0
				for range 10 {
					most = max(most, fillFor(s, tt.waiting, func() { taken(t, l) }))
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

// What a session had for those who waited goes back when they do not wait any more.
func TestBoundWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const first = 64 << 10
		_, s, _ := open(t, csp.Options{SendBuffer: first, MaxSendBuffer: 32 * first})
		l := attach(t, s, 0)
		round := func(waiting int) int {
			n := fillFor(s, waiting, func() { taken(t, l) })
			time.Sleep(5 * time.Millisecond)
			if err := s.Acked(s.Sent()); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for round(3) < 16*first {
		}
		for range 3 {
			round(0)
		}
		if n := round(0); n != 4*first {
			t.Errorf("%d bytes are on the way of one that is alone, want %d", n, 4*first)
		}
	})
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
						for r := s.Reserve(min(left, 16<<10), 0, 0); r > 0; r = s.Reserve(min(left, 16<<10), 0, 0) {
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

// What a bound has grown by is there for others once its session is idle, or acknowledges
// nothing, whatever else it does.
func TestGrowthIsGivenBack(t *testing.T) {
	const first, share = 64 << 10, 512 << 10 // a quarter of the budget
	for _, tt := range []struct {
		name string
		idle func(*csp.Server, *csp.Session, *csp.Link)
		want int // what the bound of another can be then
	}{
		{"not idle", func(*csp.Server, *csp.Session, *csp.Link) {}, first},
		{"heartbeat", func(_ *csp.Server, _ *csp.Session, l *csp.Link) {
			time.Sleep(25 * time.Second)
			l.Beat()
			taken(t, l)
		}, 4 * first},
		{"something small now and then", func(_ *csp.Server, s *csp.Session, l *csp.Link) {
			for range 6 {
				time.Sleep(10 * time.Second)
				if err := s.Send(buffer.Copy([]byte("x")), s.Reserve(16, 0, 0)); err != nil {
					t.Error(err)
				}
				taken(t, l)
			}
		}, 4 * first},
		{"requests without a link", func(v *csp.Server, s *csp.Session, l *csp.Link) {
			l.Detach()
			for range 6 {
				time.Sleep(time.Minute)
				if _, err := v.Resume(s.ID()); err != nil {
					t.Error(err)
				}
			}
		}, 4 * first},
		{"all of it kept", func(_ *csp.Server, s *csp.Session, l *csp.Link) {
			fillEach(s, func() { taken(t, l) })
			time.Sleep(25 * time.Second)
			l.Beat()
			taken(t, l)
		}, first},
		{"closed while growing", func(_ *csp.Server, s *csp.Session, l *csp.Link) {
			fillEach(s, func() { taken(t, l) })
			s.Close(cause.Closed.Err())
		}, 4 * first},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				budget := buffer.NewBudget(4 * share)
				v := csp.NewServer(csp.Options{
					SendBuffer: first, Budget: budget, Accept: func(*csp.Session) csp.Handler { return &recorder{} },
				})
				defer v.Close(cause.Closed.Err())
				grow := func(n byte) (s *csp.Session, l *csp.Link, most int) {
					s = openMore(t, v, n)
					l = attach(t, s, 0)
					for range 10 {
						most = max(most, fillEach(s, func() { taken(t, l) }))
						time.Sleep(10 * time.Millisecond)
						if err := s.Acked(s.Sent()); err != nil {
							t.Fatal(err)
						}
					}
					return s, l, most
				}
				s, l, _ := grow(0)
				for n := range byte(3) {
					grow(n + 1)
				}
				tt.idle(v, s, l)
				if _, _, most := grow(9); most != tt.want {
					t.Errorf("the bound of another is %d, want %d", most, tt.want)
				}
			})
		})
	}
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
		for s.Reserve(piece, 0, 0) == piece {
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
