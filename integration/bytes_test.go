package integration

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"encke/integration/backend"
)

// echo: every byte value in odd pieces, by streams, by callbacks with bytes and with text.
func echo(t *testing.T, c cell) {
	b := backend.Echo(t)
	r := c.rig(t, list(b))
	var got struct{ Transport string }
	r.run(&got, "echo", args{"port": b.Port()})
	if got.Transport != c.transport {
		t.Errorf("the transport is %q, want %q", got.Transport, c.transport)
	}
	wellEnded(t, b, 3)
}

// big: much data down and up at the same time, on two sockets.
func big(t *testing.T, c cell) {
	const key = 7
	n := c.bulk()
	source, sink := backend.Source(t, key, n), backend.Sink(t)
	r := c.rig(t, list(source, sink))
	var got struct {
		Received          int64
		Answer, Transport string
	}
	r.run(&got, "big", args{"source": source.Port(), "sink": sink.Port(), "bytes": n, "key": key})
	data := make([]byte, n)
	backend.Fill(data, key, 0)
	if want := fmt.Sprintf("%d %x\n", n, sha256.Sum256(data)); got.Answer != want {
		t.Errorf("the sink got %q, want %q", got.Answer, want)
	}
	if got.Received != n || got.Transport != c.transport {
		t.Errorf("got %d bytes over %q, want %d over %q", got.Received, got.Transport, n, c.transport)
	}
	wellEnded(t, source, 1)
	wellEnded(t, sink, 1)
}

// fifty: as many sockets at once, each with its own stream.
func fifty(t *testing.T, c cell) {
	const count, n = 50, 20_000
	b := backend.Echo(t)
	r := c.rig(t, list(b))
	var got struct{ Received int64 }
	r.run(&got, "many", args{"port": b.Port(), "count": count, "bytes": n})
	if want := int64(count*n + count*(count-1)/2); got.Received != want {
		t.Errorf("got %d bytes, want %d", got.Received, want)
	}
	wellEnded(t, b, count)
}

// halfClose: the backend answers only when the page has ended its direction.
func halfClose(t *testing.T, c cell) {
	b := backend.HalfClose(t)
	r := c.rig(t, list(b))
	r.run(nil, "halfClose", args{"port": b.Port(), "bytes": 200 * KiB, "key": 3})
	wellEnded(t, b, 1)
}

// halfCloseByBackend: the page goes on writing when the backend has ended its direction.
func halfCloseByBackend(t *testing.T, c cell) {
	const greeting, key, n = "that is all from me", 4, 200 * KiB
	b := backend.FirstFin(t, greeting, key, n)
	r := c.rig(t, list(b))
	r.run(nil, "halfCloseByBackend", args{"port": b.Port(), "greeting": greeting, "key": key, "bytes": n})
	wellEnded(t, b, 1)
}
