package relay

// plan is something to do when a number of bytes has passed. Guarded by Relay.mu.
type plan struct {
	left      int64 // bytes that may still be taken for passing on
	unwritten int64 // bytes that are not passed on yet
	f         func()
	over      chan struct{} // closed when f has run
}

// After calls f when exactly n more bytes have passed, counted over all links and both
// directions; nothing passes while f runs. The channel is closed when f has run. f may
// call After. A later call of After replaces an earlier one that is not due yet.
func (r *Relay) After(n int64, f func()) <-chan struct{} {
	p := &plan{left: n, unwritten: n, f: f, over: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan = p
	return p.over
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

// take takes up to n bytes out of what may pass before the plan is due. 0: it is due,
// wait for its end. It is called with r.mu held.
func (r *Relay) take(n int) int {
	if r.plan == nil {
		return n
	}
	n = int(min(int64(n), r.plan.left))
	r.plan.left -= int64(n)
	return n
}

// put counts n taken bytes as passed on and does what is due then.
func (r *Relay) put(n int, p *plan) {
	r.mu.Lock()
	r.passed += int64(n)
	if p == nil || p != r.plan {
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
