package relay

// plan is something to do when a number of bytes has passed. Guarded by Relay.mu.
type plan struct {
	way       Way
	left      int64 // bytes that may still be taken for passing on
	unwritten int64 // bytes that are not passed on yet
	f         func()
	over      chan struct{} // closed when f has run
}

// After calls f when exactly n more bytes have passed, counted over all links and both
// directions; nothing passes while f runs. The channel is closed when f has run. f may
// call After. A later call of After replaces an earlier one that is not due yet.
func (r *Relay) After(n int64, f func()) <-chan struct{} { return r.AfterOn(Both, n, f) }

// Way says which bytes count.
type Way int

// Up is from the client, Down to it.
const (
	Both Way = iota
	Up
	Down
)

func (w Way) counts(upwards bool) bool { return w == Both || (w == Up) == upwards }

// AfterOn is After for the bytes of one direction; those of the other pass until then.
func (r *Relay) AfterOn(way Way, n int64, f func()) <-chan struct{} {
	p := &plan{way: way, left: n, unwritten: n, f: f, over: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan = p
	return p.over
}

// Never drops what After was told, if it is not due yet.
func (r *Relay) Never() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan = nil
}

// CutEach cuts all open links each time that n more bytes have passed, times times in
// all, with RST and FIN in turn. The channel is closed with the last cut.
func (r *Relay) CutEach(n int64, times int) <-chan struct{} {
	done := make(chan struct{})
	mode := RST
	var cut func()
	cut = func() {
		r.Cut(mode)
		mode = RST + FIN - mode
		if times--; times == 0 {
			close(done)
			return
		}
		r.After(n, cut)
	}
	r.After(n, cut)
	return done
}

// take takes up to n bytes out of what may pass before the plan is due, and says which
// plan they count for. 0: it is due, wait for its end. It is called with r.mu held.
func (r *Relay) take(n int, upwards bool) (int, *plan) {
	p := r.plan
	if p == nil || !p.way.counts(upwards) && p.left > 0 {
		return n, nil
	}
	n = int(min(int64(n), p.left))
	p.left -= int64(n)
	return n, p
}

// put counts n taken bytes as passed on and does what is due then.
func (r *Relay) put(n int, p *plan) {
	r.mu.Lock()
	r.passed += int64(n)
	if p == nil {
		r.mu.Unlock()
		return
	}
	p.unwritten -= int64(n)
	due := p.unwritten == 0
	r.mu.Unlock()
	if !due {
		return
	}
	p.f()
	r.mu.Lock()
	if r.plan == p {
		r.plan = nil
	}
	r.mu.Unlock()
	close(p.over)
}
