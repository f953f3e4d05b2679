package legacy

// Floor is what one backend of a client has at a time: from when it has something to say until
// the client got that. So a client that takes nothing holds up one piece, whatever
// number of its backends have something to say. One goroutine may use a Floor.
type Floor struct {
	q    *Backlog
	has  bool
	held int // bytes
}

// Floor returns that of the backlog's backend, which has it not. When the client takes nothing
// of the backend any more, its Floor is always free.
func (q *Backlog) Floor() *Floor { return &Floor{q: q} }

// Try takes the floor unless another has it.
func (f *Floor) Try() bool {
	if f.has {
		return true
	}
	select {
	case <-f.q.end:
		return true
	case <-f.q.all.over:
		return true
	default:
	}
	select {
	case f.q.all.floor <- struct{}{}:
		f.has = true
	default:
	}
	return f.has
}

// Take takes the floor when it is free.
func (f *Floor) Take() {
	if f.has {
		return
	}
	select {
	case f.q.all.floor <- struct{}{}:
		f.has = true
	case <-f.q.end:
	case <-f.q.all.over:
	}
}

// Hold counts n bytes more that are kept for the client, until the floor is given back.
func (f *Floor) Hold(n int) {
	f.held += n
	f.q.all.Hold(n)
}

// Yield gives the floor back, if the backend has it: the client has got what was said.
func (f *Floor) Yield() {
	if f.held > 0 {
		f.q.all.Hold(-f.held)
		f.held = 0
	}
	if f.has {
		f.has = false
		<-f.q.all.floor
	}
}
