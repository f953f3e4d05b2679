package transports

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const width = 250 * time.Millisecond

func TestRoundTimersAreInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rounds{width: width}
		random := rand.New(rand.NewPCG(1, 2))
		for range 5000 {
			d := time.Duration(random.Int64N(int64(slots * width)))
			set := time.Now()
			var timer roundTimer
			called := 0
			timer = r.timer(func() {
				called++
				switch took := time.Since(set); {
				case took > max(d, width):
					t.Errorf("called after %v, too late for %v", took, d)
				case took < d-2*width:
					t.Errorf("called after %v, too early for %v", took, d)
				}
				if called > 1 {
					t.Error("called twice")
				}
			})
			timer.reset(d)
			time.Sleep(time.Duration(random.Int64N(int64(width))))
		}
		time.Sleep(slots * width)
		synctest.Wait()
		if r.running || r.set != 0 {
			t.Errorf("%d timers are set, running: %v; want none, since all were called", r.set, r.running)
		}
	})
}

func TestRoundTimersAreSetAgainAndStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rounds{width: width}
		called := make([]int, 9)
		timers := make([]roundTimer, len(called))
		for i := range timers {
			timers[i] = r.timer(func() { called[i]++ })
			timers[i].reset(10 * time.Second)
		}
		timers[0].stop()
		timers[8].stop()
		timers[8].stop()
		timers[8].reset(time.Second) // stopped for good
		timers[1].reset(20 * time.Second)
		timers[2].reset(time.Second)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for i, want := range []int{0, 0, 1, 1, 1, 1, 1, 1, 0} {
			if called[i] != want {
				t.Errorf("timer %d was called %d times within 10 s, want %d", i, called[i], want)
			}
		}
		timers[2].reset(time.Second)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if called[1] != 1 || called[2] != 2 {
			t.Errorf("after 20 s: %d and %d, want 1 and 2", called[1], called[2])
		}
	})
}

// A call that never returns, as behind a lock that a panic has left, holds up nobody for more
// than a round.
func TestARoundThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rounds{width: width}
		hang := make(chan struct{})
		var called atomic.Int32
		timers := make([]roundTimer, 10)
		for i := range timers {
			timers[i] = r.timer(func() {
				if i%3 == 0 {
					<-hang
				}
				called.Add(1)
			})
			timers[i].reset(time.Second)
		}
		time.Sleep(time.Second + 4*width)
		synctest.Wait()
		if n := called.Load(); n != 6 {
			t.Errorf("%d of the 6 that do not hang were called", n)
		}
		close(hang)
	})
}
