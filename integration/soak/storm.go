package soak

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"encke/integration/netns"
	"encke/integration/process"
)

// storm is what befalls everybody at once: the network between the clients and the proxy,
// and the proxy's process. Each fault ends before a session may be given up for it.
type storm struct {
	t     testing.TB
	wire  *netns.Wire // nil: no network of our own
	proxy process.Process
	port  int // of the proxy
	rng   *rand.Rand
	count func(fault string)
}

// run lets one fault follow the other until ctx is done, and leaves none behind.
func (s *storm) run(ctx context.Context) {
	for ctx.Err() == nil {
		sleep(ctx, time.Duration(500+s.rng.IntN(5000))*time.Millisecond)
		if ctx.Err() != nil {
			return
		}
		s.strike(ctx)
	}
}

func (s *storm) strike(ctx context.Context) {
	short := time.Duration(50+s.rng.IntN(1500)) * time.Millisecond
	long := time.Duration(500+s.rng.IntN(6000)) * time.Millisecond
	dice := s.rng.IntN(10)
	percent, kbit, way := 1+s.rng.IntN(25), 2000+s.rng.IntN(20_000), netns.Way(1+s.rng.IntN(3))
	if s.wire == nil || dice == 0 {
		s.count("proxy stopped")
		s.proxy.Stop(s.t)
		sleep(ctx, long)
		s.proxy.Continue()
		return
	}
	switch dice {
	case 1, 2:
		s.count("network down")
		s.wire.Down()
		sleep(ctx, long)
		s.wire.Up()
	case 3, 4:
		s.count("network silent")
		s.wire.Drop(way)
		sleep(ctx, long)
		s.wire.Mend()
	case 5:
		s.count("network refuses")
		s.wire.Refuse()
		sleep(ctx, short)
		s.wire.Mend()
	case 6:
		s.count("network loses packets")
		s.wire.Lose(way, percent)
		sleep(ctx, long)
		s.wire.Mend()
	case 7:
		s.count("network slow")
		s.wire.Rate(kbit)
		sleep(ctx, long)
		s.wire.Rate(0)
	case 8:
		s.count("network changed")
		s.wire.Move()
	case 9:
		s.count("all connections reset")
		s.wire.Cut(s.port)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
