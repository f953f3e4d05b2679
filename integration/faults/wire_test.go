package faults

import (
	"testing"
	"time"

	"encke/integration/backend"
	"encke/integration/netns"
	"encke/integration/peer"
	"encke/integration/proxy"
)

// startOnWire is start with a network of the test's own between peers and proxy, in
// place of the relay. The proxy, the backends and the neighbour are at its far end.
func (f *fault) startOnWire(o proxy.Options) *netns.Wire {
	f.Helper()
	if why := netns.Missing(); why != "" {
		f.skip(why)
	}
	c := encke(f.T)
	f.wire = netns.NewWire(f.T)
	o.Listen, o.Hosts, o.Allow = netns.ServerIP+":0", []string{netns.ServerIP}, []string{"127.0.0.1:*"}
	f.wire.Server.Do(func() { f.proxy = c.Start(f.T, o) })
	f.begin()
	return f.wire
}

// backend starts a backend where the proxy finds it.
func (f *fault) backend(start func(testing.TB) *backend.Backend) (b *backend.Backend) {
	f.Helper()
	if f.wire == nil {
		return start(f.T)
	}
	f.wire.Server.Do(func() { b = start(f.T) })
	return b
}

// exchanging is a backend.Exchange as backend wants it.
func exchanging(down, up uint32, n int64) func(testing.TB) *backend.Backend {
	return func(t testing.TB) *backend.Backend { return backend.Exchange(t, down, up, n) }
}

// brisk lets both sides find out soon that a link is dead. It changes no mechanism, only
// how long it waits.
var brisk = []string{"--heartbeat", "2s"}

func briskly(o *peer.Options) {
	o.Hold, o.Grace, o.Answer = 2*time.Second, 3*time.Second, 4*time.Second
}

// either is a figure for the full set and one for the short.
func either[T any](long, short T) T {
	if full {
		return long
	}
	return short
}
