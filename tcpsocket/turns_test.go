package tcpsocket

import (
	"sync/atomic"
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
		turns := turns{sender: room, all: new(atomic.Pointer[lightly])}
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

// Bulk yields to the light sockets of other sessions too, on a shorter way, and not to those
// that were light long ago.
func TestYieldsToOtherSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all atomic.Pointer[lightly]
		room := &scarce{left: 1 << 30}
		one, other := turns{sender: room, all: &all}, turns{sender: room, all: &all}
		bulk, light := new(woken), new(woken)
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
		time.Sleep(lately / 2)
		other.reserve(light, 10, true)
		time.Sleep(lately / 2)
		expect("half a second after the other", yieldToOthers)
		time.Sleep(lately)
		expect("when none is light any more", 0)
	})
}

// A session's own light socket, which has become a bulk one, makes it not yield.
func TestOwnLightSocketIsNoOther(t *testing.T) {
	var all atomic.Pointer[lightly]
	room := &scarce{left: 1 << 30}
	one := turns{sender: room, all: &all}
	w := new(woken)
	one.reserve(w, 10, true)
	one.reserve(w, 10, false)
	if room.yields[1] != 0 {
		t.Error("yielded to itself")
	}
}

// Who asks does not count itself among those who wait.
func TestHowManyWait(t *testing.T) {
	room := &scarce{}
	turns := turns{sender: room, all: new(atomic.Pointer[lightly])}
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
