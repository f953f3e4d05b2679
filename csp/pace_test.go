package csp_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"encke/buffer"
	"encke/csp"
)

// pipe is a link that carries so many bytes per second and takes so long each way. The other
// side acknowledges each 64 KiB.
type pipe struct {
	s     *csp.Session
	rate  int
	way   time.Duration
	free  time.Time // when it has carried all that was sent
	bytes chan int  // of each packet
	got   atomic.Int64
}

// ack arrives at a time.
type ack struct {
	id uint64
	at time.Time
}

func (p *pipe) deliver() {
	acks := make(chan ack, 1<<10)
	defer close(acks)
	go func() { // until acks is closed
		for a := range acks {
			time.Sleep(time.Until(a.at))
			p.s.Acked(a.id)
		}
	}()
	id, unacked := uint64(0), 0
	for n := range p.bytes {
		now := time.Now()
		if p.free.Before(now) {
			p.free = now
		}
		p.free = p.free.Add(time.Duration(n) * time.Second / time.Duration(p.rate))
		time.Sleep(p.free.Sub(now))
		p.got.Add(int64(n))
		id++
		if unacked += n; unacked >= 64<<10 {
			unacked = 0
			acks <- ack{id, time.Now().Add(2 * p.way)}
		}
	}
}

// take throws away what l has.
func take(l *csp.Link) {
	for {
		var b csp.Batch
		if ok, err := l.Take(&b, 1<<20); !ok || err != nil {
			return
		}
		b.Release()
	}
}

// On a link that is slow, and not far, little is in front of what others send; one that is far
// carries as much as without them.
func TestYieldsByPace(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rate  int
		way   time.Duration
		queue time.Duration // at most
	}{
		{"2 MB/s, near", 2e6, time.Millisecond, 150 * time.Millisecond},
		{"10 MB/s, near", 10e6, time.Millisecond, 30 * time.Millisecond},
		{"2 MB/s, 40 ms", 2e6, 20 * time.Millisecond, 150 * time.Millisecond},
		{"20 MB/s, 80 ms", 20e6, 40 * time.Millisecond, 120 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := map[time.Duration]int64{}
				for _, yield := range []time.Duration{0, 5 * time.Millisecond} {
					_, s, _ := open(t, csp.Options{MaxSendBuffer: 8 << 20})
					l := attach(t, s, 0)
					p := &pipe{s: s, rate: tt.rate, way: tt.way, bytes: make(chan int, 1<<16)}
					go p.deliver()
					const piece = 16 << 10
					var most time.Duration
					for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(time.Millisecond) {
						for n := s.Reserve(piece, yield, 0); n > 0; n = s.Reserve(piece, yield, 0) {
							b := buffer.Get(n)
							b.Append(make([]byte, n))
							s.SendApart(b, n)
							take(l)
							p.bytes <- n
						}
						if time.Since(began) > 3*time.Second {
							most = max(most, time.Duration(len(p.bytes)*piece)*time.Second/time.Duration(p.rate))
						}
					}
					got[yield] = p.got.Load()
					t.Logf("yield %v: %.1f MB/s, at most %v in front", yield, float64(p.got.Load())/10e6, most)
					if yield > 0 && most > tt.queue {
						t.Errorf("%v in front of what others send, want at most %v", most, tt.queue)
					}
					close(p.bytes)
					time.Sleep(time.Second)
				}
				if a, b := got[0], got[5*time.Millisecond]; b < a*8/10 {
					t.Errorf("it carried %d bytes, %d without them", b, a)
				}
			})
		})
	}
}
