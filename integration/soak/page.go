package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"encke/cause"
	"encke/integration/peer"
)

// page is one session and what it does.
type page struct {
	run *run
	n   uint64 // number of the session; with the seed it decides everything
	rng *rand.Rand
	w   *weather
	p   *peer.Peer
}

// live opens a session, lets its sockets play and closes it. An error is a failure of
// what is tested.
func (r *run) live(ctx context.Context, n uint64) error {
	g := &page{run: r, n: n, rng: rand.New(rand.NewPCG(r.seed, n))}
	g.w = &weather{dial: r.dial, count: r.count, rng: rand.New(rand.NewPCG(r.seed, n<<1|1<<63))}
	transports := peer.Transports()
	var err error
	g.p, err = peer.Dial(ctx, peer.Options{
		Base: r.base, Transport: transports[g.rng.IntN(len(transports))], Dial: g.w.open,
		Hold: hold, Grace: 3 * time.Second, Answer: 5 * time.Second, GiveUp: patience,
	})
	if err != nil {
		return fmt.Errorf("session %d: open: %w", n, err)
	}
	r.count("sessions")
	var wg sync.WaitGroup
	trouble, calm := context.WithCancel(ctx)
	wg.Go(func() { g.trouble(trouble) }) // until calm
	errs := make([]error, 1+g.rng.IntN(3))
	scripts := make([][]script, len(errs))
	for i := range scripts {
		for range 1 + g.rng.IntN(4) {
			scripts[i] = append(scripts[i], newScript(g.rng, r.scripts.Add(1)))
		}
	}
	var acts sync.WaitGroup
	for i := range errs {
		acts.Go(func() {
			for _, s := range scripts[i] {
				if errs[i] = g.play(ctx, s); errs[i] != nil {
					return
				}
			}
		})
	}
	acts.Wait()
	calm()
	wg.Wait()
	g.w.settle()
	st := g.p.Stats()
	err = errors.Join(errs...)
	if err == nil && g.p.Err() != nil {
		err = fmt.Errorf("the session is over: %w", g.p.Err())
	}
	if err != nil {
		err = fmt.Errorf("session %d over %s: %w; %+v; the session: %v", n, g.p.Transport(), err, st, g.p.Err())
	}
	_ = g.p.Close()
	r.add(func(t *totals) {
		t.resumes += st.Resumes
		t.links += st.Links
		t.repeated += st.Repeated
		t.switches += st.Switches
	})
	return err
}

// hold is how long a downlink may be silent, for both sides.
const hold = 2 * time.Second

// trouble cuts the connections and moves between transports until ctx is done.
func (g *page) trouble(ctx context.Context) {
	rng := rand.New(rand.NewPCG(g.run.seed, g.n|1<<62))
	transports := peer.Transports()
	for {
		sleep(ctx, time.Duration(rng.IntN(4000))*time.Millisecond)
		if ctx.Err() != nil {
			return
		}
		if rng.IntN(3) == 0 {
			g.run.count("session cut")
			g.p.Cut()
			continue
		}
		to := transports[rng.IntN(len(transports))]
		move, cancel := context.WithTimeout(ctx, 20*time.Second)
		_ = g.p.Switch(move, to) // in this weather it may fail; the session stays where it is
		cancel()
	}
}

// play plays the page's part of a script on a socket of its own.
func (g *page) play(ctx context.Context, s script) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	h := g.run.theatre
	defer h.forget(s.id)
	conn, err := g.p.Open(ctx, "127.0.0.1", h.port())
	if err != nil {
		return fmt.Errorf("socket %d, %v: open: %w", s.id, s.act, err)
	}
	defer conn.Close()
	g.run.count(s.act.String())
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err = conn.Write(s.append(nil)); err == nil {
		err = g.act(conn, s)
	}
	// When a page resets, the script may not have got to the backend.
	if s.act == abort && err == nil {
		return nil
	}
	if err == nil {
		select {
		case err = <-h.end(s.id):
		case <-ctx.Done():
			err = errors.New("the backend has not come to its end")
		}
	} else {
		select {
		case there := <-h.end(s.id):
			err = fmt.Errorf("%w; the backend: %v", err, there)
		case <-time.After(time.Second):
			err = fmt.Errorf("%w; the backend is still at it", err)
		}
	}
	if err != nil {
		return fmt.Errorf("socket %d, %v of %d bytes down and %d up: %w", s.id, s.act, s.downLen, s.upLen, err)
	}
	return nil
}

func (g *page) act(conn half, s script) error {
	sendAll := func() error {
		if err := send(conn, s.up, s.upLen, g.run.wait); err != nil {
			return err
		}
		return conn.CloseWrite()
	}
	readAll := func() error {
		_, err := receive(conn, s.down, s.downLen, true, g.note)
		return err
	}
	switch s.act {
	case exchange:
		return both(conn, sendAll, readAll)
	case answer:
		if err := sendAll(); err != nil {
			return err
		}
		return readAll()
	case greet:
		if err := readAll(); err != nil {
			return err
		}
		return sendAll()
	case reset:
		if _, err := receive(conn, s.down, s.downLen, false, g.note); err != nil {
			return err
		}
		if _, err := conn.Write([]byte{1}); err != nil {
			return err
		}
		n, err := conn.Read(make([]byte, 1))
		if n > 0 || !errors.Is(err, cause.Reset.Err()) {
			return fmt.Errorf("read %d bytes and %v, want the cause reset", n, err)
		}
		return nil
	case abort:
		half := func() error { return send(conn, s.up, s.upLen/2, g.run.wait) }
		other := func() error {
			_, err := receive(conn, s.down, s.downLen/2, false, g.note)
			return err
		}
		if err := both(conn, half, other); err != nil {
			return err
		}
		return conn.(interface{ Abort() error }).Abort()
	case leave:
		if err := send(conn, s.up, s.upLen, g.run.wait); err != nil {
			return err
		}
		return conn.Close()
	}
	return fmt.Errorf("no act %d", s.act)
}

// note counts what the page received, and lets it read no faster than the run allows.
func (g *page) note(n int) {
	g.run.checked.Add(int64(n))
	if n > 0 {
		g.run.wait()
	}
}
