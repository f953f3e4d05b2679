package tcpsocket

import (
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
)

// scarce grants what is left, and remembers who yielded.
type scarce struct {
	left   int
	yields []bool
}

func (s *scarce) Send(*buffer.Buffer, int) error { return nil }
func (s *scarce) Unreserve(int)                  {}
func (s *scarce) Reserve(n int, yields bool) int {
	s.yields = append(s.yields, yields)
	n = min(n, s.left)
	s.left -= n
	return n
}

type woken struct{ times int }

func (w *woken) wake() { w.times++ }

func TestLightSocketsTakeNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := &scarce{}
		turns := turns{sender: room}
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
		if want := []bool{false, false, true, true, false}; len(room.yields) != len(want) {
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
		if room.yields[len(room.yields)-1] {
			t.Error("yielded to itself")
		}
	})
}
