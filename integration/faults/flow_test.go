package faults

import (
	"sync/atomic"
	"time"

	"encke/integration/backend"
	"encke/integration/proxy"
)

// heapBound is what one session may have in the proxy: its send buffer, the windows of
// its sockets, and something for the rest.
const heapBound = 4 << 20

// deafBackend: a backend reads nothing. What waits for it is bounded, and others of the
// session go on.
func deafBackend(f *fault) {
	f.start(proxy.Options{})
	n := int64(3 << 20)
	if f.transport == "jsonp" && !full {
		n = 1 << 20 // some 4,000 bytes fit into a request
	}
	release := make(chan struct{})
	deaf := backend.NeverReads(f.T, streamKey, n, release)
	p := f.peer()
	other := f.echo(p, backend.Echo(f.T), 3)
	conn, err := p.Open(f.Context(), deaf.Host(), deaf.Port())
	if err != nil {
		f.Fatal(err)
	}
	var taken atomic.Int64
	done := make(chan error, 1)
	go func() { // until everything is written
		err := pour(counted{conn, &taken}, streamKey, n)
		if err == nil {
			err = conn.CloseWrite()
		}
		done <- err
	}()
	stuck := stopped(taken.Load)
	for range 50 {
		if err := other.say(1000); err != nil {
			f.Fatalf("another socket of the session: %v", err)
		}
	}
	during := f.look()
	f.Logf("%d bytes were taken; the proxy's heap is %d, was %d", stuck, during.heap, f.before.heap)
	if stuck >= n {
		f.Errorf("I3: all %d bytes were taken for a backend that reads none", n)
	}
	if during.heap > f.before.heap+heapBound {
		f.Errorf("I3: the proxy's heap is %d bytes, was %d", during.heap, f.before.heap)
	}
	close(release)
	if err := await(f, "the end of the writing", done); err != nil {
		f.Error(err)
	}
	f.ended(deaf)
	if err := errorf(other.end(), "another socket of the session"); err != nil {
		f.Error(err)
	}
}

// slowBackend: a backend reads 1 KiB a second. A page that closes is done, and what it
// sent is delivered.
func slowBackend(f *fault) {
	f.start(proxy.Options{})
	const n = 600 << 10
	slow := 3
	if full {
		slow = 20
	}
	b := backend.Paced(f.T, streamKey, n, slow, time.Second)
	p := f.peer()
	conn, err := p.Open(f.Context(), b.Host(), b.Port())
	if err != nil {
		f.Fatal(err)
	}
	other := f.echo(p, backend.Echo(f.T), 3)
	if err := pour(conn, streamKey, n); err != nil {
		f.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		f.Fatal(err)
	}
	for range 20 {
		if err := other.say(1000); err != nil {
			f.Fatalf("another socket of the session: %v", err)
		}
	}
	f.ended(b)
	if err := errorf(other.end(), "another socket of the session"); err != nil {
		f.Error(err)
	}
}

// counted counts what was written.
type counted struct {
	w interface{ Write([]byte) (int, error) }
	n *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// stopped waits until a count no longer changes and returns it.
func stopped(count func() int64) int64 {
	for was := int64(-1); ; time.Sleep(500 * time.Millisecond) {
		is := count()
		if is == was {
			return is
		}
		was = is
	}
}
