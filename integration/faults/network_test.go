package faults

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"encke/cause"
	"encke/integration/backend"
	"encke/integration/netns"
	"encke/integration/peer"
	"encke/integration/proxy"
)

// halfOpen: nothing of the client arrives any more, and nobody says so. The proxy finds
// out, keeps the session for its window and lets the backend go then; the client learns
// that its session is lost.
func halfOpen(f *fault) {
	const linger = 3 * time.Second
	w := f.startOnWire(proxy.Options{Args: append([]string{"--linger", linger.String()}, brisk...)})
	b := f.backend(backend.Echo)
	p := f.peer(briskly)
	e := f.echo(p, b, 5)
	if err := e.say(small); err != nil {
		f.Fatal(err)
	}
	began := time.Now()
	w.Drop(netns.Both)
	until(f, "the proxy to let the backend go", func() bool { return b.Open() == 0 })
	took := time.Since(began)
	f.Logf("the backend's socket ended after %v", took)
	// 45 s of silence at most, and the window. Nothing shorter than that is judged.
	if limit := 45*time.Second + linger + time.Second; took > limit {
		f.Errorf("I2: the backend's socket ended after %v, want at most %v", took, limit)
	}
	w.Mend()
	await(f, "the end of the session", p.Done())
	if !errors.Is(p.Err(), cause.SessionLost.Err()) {
		f.Errorf("I2: the session ended with %v, want session-lost", p.Err())
	}
}

// readdressed: the client gets another address in the middle of a transfer. Its old connections
// fall silent; it knows of the change and goes on from the new one.
func readdressed(f *fault) {
	n := either[int64](10<<20, 1<<20)
	// Connections that were idle when the address went away are let go by an idle timeout.
	w := f.startOnWire(proxy.Options{Args: append([]string{"--idle-timeout", either("5s", "1s")}, brisk...)})
	b := f.backend(exchanging(31, 32, n))
	p := f.peer(briskly)
	id := p.ID()
	done := f.exchange(p, b, 31, 32, n)
	until(f, "half of the transfer", func() bool { return b.Read() > n/2 || b.Written() > n/2 })
	w.Move()
	p.Cut() // what a browser does whose network has changed
	if err := await(f, "the transfer", done); err != nil {
		f.Errorf("%v; the session: %v", err, p.Err())
	}
	st := p.Stats()
	f.result.Cuts, f.result.Resumed = st.Cuts, st.Resumes
	f.Logf("%+v", st)
	if p.ID() != id || p.Err() != nil {
		f.Errorf("the session did not live: %v", p.Err())
	}
	if st.Cuts == 0 {
		f.Error("no connection was lost: the row shows nothing")
	}
	if st.LastResume > 3*time.Second && full {
		f.Errorf("it took %v to go on from the new address", st.LastResume)
	}
}

// flaps: the network goes away for half a second and comes back, again and again.
func flaps(f *fault) {
	w := f.startOnWire(proxy.Options{Args: brisk})
	p := f.peer(briskly)
	id := p.ID()
	e := f.echo(p, f.backend(backend.Echo), 5)
	stop, echoes := make(chan struct{}), make(chan error, 1)
	var longest time.Duration // of echoes; read when echoes has something
	go func() {               // until stop, or an echo fails
		for {
			select {
			case <-stop:
				echoes <- e.end()
				return
			default:
			}
			began := time.Now()
			if err := e.say(2000); err != nil {
				echoes <- err
				return
			}
			longest = max(longest, time.Since(began))
			time.Sleep(20 * time.Millisecond)
		}
	}()
	for range either(20, 3) {
		w.Down()
		time.Sleep(500 * time.Millisecond)
		w.Up()
		time.Sleep(2 * time.Second)
	}
	close(stop)
	if err := await(f, "the echoes", echoes); err != nil {
		f.Errorf("%v; the session: %v", err, p.Err())
	}
	if longest < 250*time.Millisecond {
		f.Errorf("no echo took longer than %v: the row shows nothing", longest)
	}
	f.result.Resumed = p.Stats().Resumes
	f.Logf("%d bytes echoed, the longest in %v; %+v", e.pos, longest, p.Stats())
	if p.ID() != id {
		f.Error("it is another session")
	}
}

// badLine: packets are lost, the line is slow, answers take long. The session lives; a
// line that loses a tenth is not taken for dead.
func badLine(f *fault) {
	w := f.startOnWire(proxy.Options{})
	b := f.backend(backend.Echo)
	lines := []struct {
		name   string
		spoil  func()
		mend   func()
		echoes int
		bulk   int64
		dead   bool // links may be taken for dead
	}{
		{"1 % lost", func() { w.Lose(netns.Both, 1) }, w.Mend, either(200, 20), either[int64](1<<20, 100_000), false},
		{"10 % lost", func() { w.Lose(netns.Both, 10) }, w.Mend, either(100, 10), either[int64](200_000, 20_000), false},
		{"30 % lost", func() { w.Lose(netns.Both, 30) }, w.Mend, either(20, 2), either[int64](20_000, 2_000), true},
		{"800 kbit/s", func() { w.Rate(800) }, func() { w.Rate(0) }, either(50, 5), either[int64](500_000, 50_000), false},
	}
	for _, line := range lines {
		p := f.peer()
		e := f.echo(p, b, 5)
		line.spoil()
		var took []time.Duration
		for range line.echoes {
			began := time.Now()
			if err := e.say(100); err != nil {
				f.Fatalf("%s: %v; the session: %v", line.name, err, p.Err())
			}
			took = append(took, time.Since(began))
		}
		if err := e.say(int(line.bulk)); err != nil {
			f.Fatalf("%s: %v; the session: %v", line.name, err, p.Err())
		}
		line.mend()
		st := p.Stats()
		f.Logf("%s: p99 of an echo %v; %+v", line.name, p99(took), st)
		if st.Failed > 0 && !line.dead {
			f.Errorf("%s: %d links were taken for dead", line.name, st.Failed)
		}
		if err := e.end(); err != nil {
			f.Errorf("%s: %v", line.name, err)
		}
	}
	f.farAway(b)
}

// farAway: the answers take 300 ms.
func (f *fault) farAway(b *backend.Backend) {
	p := f.peer(func(o *peer.Options) {
		dial := o.Dial
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return newLate(conn, 300*time.Millisecond), nil
		}
	})
	e := f.echo(p, b, 6)
	for range either(20, 3) {
		if err := e.say(2000); err != nil {
			f.Fatalf("300 ms: %v; the session: %v", err, p.Err())
		}
	}
	if st := p.Stats(); st.Failed > 0 {
		f.Errorf("300 ms: %d links were taken for dead", st.Failed)
	}
	if err := e.end(); err != nil {
		f.Errorf("300 ms: %v", err)
	}
}

// late is a connection whose incoming bytes arrive after a delay, as many as there are.
type late struct {
	net.Conn
	pieces chan piece
	closed chan struct{}
	once   sync.Once
	rest   piece
}

type piece struct {
	at  time.Time
	p   []byte
	err error
}

func newLate(conn net.Conn, delay time.Duration) *late {
	l := &late{Conn: conn, pieces: make(chan piece, 1024), closed: make(chan struct{})}
	go func() { // until the connection ends or is closed
		for {
			p := make([]byte, 16<<10)
			n, err := conn.Read(p)
			select {
			case l.pieces <- piece{time.Now().Add(delay), p[:n], err}:
			case <-l.closed:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return l
}

// Read implements net.Conn.
func (l *late) Read(p []byte) (int, error) {
	if len(l.rest.p) == 0 && l.rest.err == nil {
		select {
		case l.rest = <-l.pieces:
		case <-l.closed:
			return 0, net.ErrClosed
		}
		select {
		case <-time.After(time.Until(l.rest.at)):
		case <-l.closed:
			return 0, net.ErrClosed
		}
	}
	n := copy(p, l.rest.p)
	l.rest.p = l.rest.p[n:]
	if n == 0 {
		return 0, l.rest.err
	}
	return n, nil
}

// Close implements net.Conn.
func (l *late) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Conn.Close()
}

// slowPage: the backend never stops sending, and the line takes 10 KB/s. The backend is
// held, the proxy keeps a bounded part, and what arrives is right.
func slowPage(f *fault) {
	const key, kbit = 24, 80
	w := f.startOnWire(proxy.Options{})
	source := f.backend(func(t testing.TB) *backend.Backend { return backend.Source(t, key, 1<<50) })
	p := f.peer()
	conn, err := p.Open(f.Context(), source.Host(), source.Port())
	if err != nil {
		f.Fatal(err)
	}
	w.Rate(kbit)
	until(f, "the backend to be held", func() bool {
		was := source.Written()
		time.Sleep(500 * time.Millisecond)
		return source.Written()-was < 500<<10
	})
	base, heap := f.look(), int64(0)
	var pos int64
	buf := make([]byte, 4<<10)
	const enough = 100_000 // so little is no test of anything
	for end := time.Now().Add(either(5*time.Minute, 10*time.Second)); pos < enough || time.Now().Before(end); {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		n, err := conn.Read(buf)
		if err != nil {
			f.Fatalf("I1: read at %d: %v; the session: %v; %+v", pos, err, p.Err(), p.Stats())
		}
		if err := backend.Check(buf[:n], key, pos); err != nil {
			f.Fatalf("I1: %v", err)
		}
		pos += int64(n)
		if pos%(256<<10) < int64(n) {
			heap = max(heap, f.look().heap)
		}
	}
	heap = max(heap, f.look().heap)
	// Its window of 1 MiB may lie with the page; the rest is with the proxy and in kernels.
	ahead := source.Written() - pos
	f.Logf("%d bytes read, %d more are under way; heap %d, before %d; %+v", pos, ahead, heap, base.heap, p.Stats())
	if ahead > 8<<20 {
		f.Errorf("I3: %d bytes are under way", ahead)
	}
	if heap > base.heap+4<<20 {
		f.Errorf("I3: the proxy's heap is %d bytes, was %d", heap, base.heap)
	}
	w.Rate(0)
	if err := conn.Abort(); err != nil {
		f.Error(err)
	}
}
