package integration

import (
	"testing"

	"encke/integration/backend"
)

// held is the length of a transfer whose receiver does not take it. It is more than fits
// into all buffers on the way together: less than 1 MiB of the kernel's (the backends
// see to that), a window of 512 KiB and at most 1 MiB of the session's.
const held = 4 * MiB

// slowReader: the page does not read one socket. Its backend is held, other sockets go
// on, and when the page reads at last everything is there.
func slowReader(t *testing.T, c cell) {
	const key = 21
	source, other := backend.Source(t, key, held), backend.Echo(t)
	r := c.rig(t, list(source, other))
	var slow struct{ Read int64 }
	r.run(&slow, "slowReader", args{"source": source.Port(), "port": other.Port(), "bytes": 1 * MiB})
	if source.Written() >= held {
		t.Errorf("the backend could send all %d bytes to a page that does not read", source.Written())
	}
	if slow.Read > 64*KiB {
		t.Errorf("the page was sent %d bytes, its window is 64 KiB", slow.Read)
	}
	var fast struct{ Received int64 }
	r.run(&fast, "slowReaderReads", args{"key": key, "length": held})
	if fast.Received != held {
		t.Errorf("the page got %d bytes, want %d", fast.Received, held)
	}
	wellEnded(t, source, 1)
	wellEnded(t, other, 1)
}

// stuckWriter: the backend does not read. The page's writer is held, other sockets go
// on, and when the backend reads at last everything arrives.
func stuckWriter(t *testing.T, c cell) {
	const key = 22
	release := make(chan struct{})
	stuck, other := backend.NeverReads(t, key, held, release), backend.Echo(t)
	r := c.rig(t, list(stuck, other))
	var got struct{ Taken int64 }
	r.run(&got, "stuckWriter", args{"stuck": stuck.Port(), "port": other.Port(), "bytes": 1 * MiB, "key": key, "length": held})
	if got.Taken >= held {
		t.Errorf("the page could write all %d bytes to a backend that does not read", got.Taken)
	}
	if stuck.Read() > 0 {
		t.Errorf("the backend has read %d bytes", stuck.Read())
	}
	close(release)
	r.run(nil, "stuckWriterWrites", args{})
	wellEnded(t, stuck, 1)
	wellEnded(t, other, 1)
}
