package tcpsocket

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
)

// scarce grants what is left, and remembers who yielded, and how many waited at last.
type scarce struct {
	left    int
	yields  []time.Duration
	waiting int
}

func (s *scarce) Send(*buffer.Buffer, int) error { return nil }
func (s *scarce) Unreserve(int)                  {}
func (s *scarce) Reserve(n int, yield time.Duration, waiting int) int {
	s.waiting = waiting
	s.yields = append(s.yields, yield)
	n = min(n, s.left)
	s.left -= n
	return n
}

type woken struct{ times int }

func (w *woken) wake() { w.times++ }

func TestLightSocketsTakeNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := &scarce{}
		turns := turns{sender: room, light: new(justNow)}
		first, second, light := new(woken), new(woken), new(woken)
		ask := func(w waiter, isLight bool, want int) {
			t.Helper()
			if n := turns.reserve(w, 10, isLight); n != want {
				t.Errorf("%d granted, want %d", n, want)
			}
		}
		ask(first, false, 0)
		room.left = 100
		ask(second, false, 0) // first waits
		if len(room.yields) != 1 {
			t.Error("who has to wait for its turn was asked for anyway")
		}
		ask(light, true, 10)
		ask(first, false, 10)
		if second.times != 1 {
			t.Errorf("the next one was woken %d times, want once", second.times)
		}
		ask(second, false, 10)
		time.Sleep(lately)
		ask(first, false, 10)
		if want := []time.Duration{0, 0, yieldInSession, yieldInSession, 0}; len(room.yields) != len(want) {
			t.Errorf("asked %d times, want %d", len(room.yields), len(want))
		} else {
			for i := range want {
				if room.yields[i] != want[i] {
					t.Errorf("request %d yields: %v, want %v", i, room.yields[i], want[i])
				}
			}
		}

		room.left, second.times = 0, 0
		ask(second, false, 0)
		ask(light, true, 0) // it waits too, where there is no room at all, but not behind others
		turns.writable()
		if light.times != 1 || second.times != 0 {
			t.Errorf("woken: light %d times, the other one %d; want once and never", light.times, second.times)
		}
		room.left = 100
		ask(light, true, 10)
		if second.times != 1 {
			t.Errorf("the next one was woken %d times, want once", second.times)
		}
		ask(second, false, 10)
		ask(light, false, 10)
		if room.yields[len(room.yields)-1] != 0 {
			t.Error("yielded to itself")
		}
	})
}

// Light sockets that wait go before the others, and in the order in which they came.
func TestLightSocketsWaitInTurn(t *testing.T) {
	room := &scarce{}
	turns := turns{sender: room, light: new(justNow)}
	bulk, ended := new(woken), new(woken)
	light := []*woken{new(woken), new(woken), new(woken)}
	turns.reserve(bulk, 10, false)
	turns.reserve(light[0], 10, true)
	turns.reserve(ended, 10, true)
	turns.reserve(light[1], 10, true)
	turns.forget(ended)
	turns.reserve(light[2], 10, true)
	for i, next := range append(light, bulk) {
		if next.times = 0; i == 0 {
			turns.writable()
		} else {
			turns.reserve(light[i-1], 10, true)
		}
		if next.times != 1 {
			t.Errorf("the %d. was woken %d times, want once", i+1, next.times)
		}
		room.left = 10
	}
}

// Bulk that is alone in its session yields to the light sockets of other sessions, on shorter
// ways and for a moment.
func TestYieldsToOtherSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked justNow
		room := &scarce{left: 100}
		one, other := turns{sender: room, light: &asked}, turns{sender: room, light: &asked}
		bulk, second, light := new(woken), new(woken), new(woken)
		expect := func(what string, want time.Duration) {
			t.Helper()
			one.reserve(bulk, 10, false)
			if got := room.yields[len(room.yields)-1]; got != want {
				t.Errorf("%s: yields on ways of less than %v, want %v", what, got, want)
			}
		}
		expect("alone", 0)
		other.reserve(light, 10, true)
		expect("beside another session", yieldToOthers)
		one.reserve(light, 10, true)
		expect("beside its own session's", yieldInSession)
		one.forget(light)
		expect("when that has just ended", yieldInSession)
		time.Sleep(afterEnd)
		expect("when that has ended", 0)
		one.reserve(light, 10, true)
		time.Sleep(lately)
		expect("when none is light any more", 0)

		one.reserve(bulk, 10, true)
		expect("beside what it was itself", 0)
		time.Sleep(yieldFor)
		other.reserve(light, 10, true)
		expect("beside another session, again", yieldToOthers)

		room.left = 0
		one.reserve(bulk, 10, false)
		one.reserve(second, 10, false)
		other.reserve(light, 10, true)
		expect("with another one that waits", 0)
		room.left = 100
		expect("with another one that waited", 0)
		time.Sleep(2 * lately)
		other.reserve(light, 10, true)
		room.left = 100
		one.leave(second)
		expect("alone in its session again", yieldToOthers)
	})
}

// Who asks does not count itself among those who wait.
func TestHowManyWait(t *testing.T) {
	room := &scarce{}
	turns := turns{sender: room, light: new(justNow)}
	first := new(woken)
	for i, w := range []*woken{first, new(woken), new(woken)} {
		if turns.reserve(w, 10, false) != 0 {
			t.Fatalf("the %d. got something", i+1)
		}
	}
	if room.waiting != 0 {
		t.Errorf("%d waited before the first one, want none", room.waiting)
	}
	room.left = 10
	if turns.reserve(first, 10, false) != 10 || room.waiting != 2 {
		t.Errorf("%d wait behind the first one, want 2", room.waiting)
	}
}

// While a bulk socket fills the session, others get their turn.
func TestTurns(t *testing.T) {
	r := newRig(t, nil, Options{})
	r.down.hold(true)
	r.down.watch = "me too"
	bulk, bulkFar := r.pairHeld()
	go func() { bulkFar.Write(random(4 << 20)); bulkFar.Close() }()
	eventually(t, "the session is full", func() bool { r.down.mu.Lock(); defer r.down.mu.Unlock(); return r.down.starved })
	small, smallFar := r.pairHeld()
	smallFar.Write([]byte("me too"))
	time.Sleep(50 * time.Millisecond)
	r.down.hold(false)
	buf := make([]byte, 6)
	if _, err := io.ReadFull(small, buf); err != nil || string(buf) != "me too" {
		t.Fatalf("%q, %v", buf, err)
	}
	r.down.mu.Lock()
	before, bound := r.down.watched, r.down.bound
	r.down.mu.Unlock()
	if before == 0 || before > 2*bound {
		t.Errorf("the small socket waited for %d bytes of the bulk one, in a session that has room for %d", before, bound)
	}
	io.Copy(io.Discard, bulk)
}
