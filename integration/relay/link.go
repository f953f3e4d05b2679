package relay

import (
	"bytes"
	"io"
	"net"
	"sync"
)

// link is one connection of a client and the one to the target that belongs to it.
type link struct {
	relay  *Relay
	client *net.TCPConn
	over   chan struct{} // closed by cut

	// Guarded by relay.mu.
	server *net.TCPConn // nil until the target is dialled
	frozen bool
	isCut  bool
	seen   []byte // the end of what the client sent, where a blocked text may have begun
}

// cut ends the link. It is called with relay.mu held.
func (l *link) cut(mode Mode) {
	if l.isCut {
		return
	}
	l.isCut = true
	close(l.over)
	for _, conn := range []*net.TCPConn{l.client, l.server} {
		if conn == nil {
			continue
		}
		if mode == RST {
			_ = conn.SetLinger(0)
		}
		_ = conn.Close()
	}
}

// serve passes bytes both ways until both sides have sent FIN or the link is cut.
func (l *link) serve() {
	conn, err := net.Dial("tcp", l.relay.target)
	l.relay.mu.Lock()
	switch {
	case err != nil:
		l.cut(RST)
	case l.isCut:
		_ = conn.Close()
	default:
		l.server = conn.(*net.TCPConn)
	}
	isCut := l.isCut
	l.relay.mu.Unlock()
	if !isCut {
		var both sync.WaitGroup
		both.Go(func() { l.pass(l.server, l.client, true) }) // until FIN or cut
		both.Go(func() { l.pass(l.client, l.server, false) })
		both.Wait()
	}
	l.relay.mu.Lock()
	defer l.relay.mu.Unlock()
	l.cut(FIN)
	delete(l.relay.links, l)
}

// pass copies from src to dst until src sends FIN, which it passes on, or an end fails,
// which cuts the link.
func (l *link) pass(dst, src *net.TCPConn, upwards bool) {
	p := make([]byte, 32<<10)
	for {
		n, err := src.Read(p)
		if upwards && !l.inspect(p[:n]) {
			return
		}
		for rest := p[:n]; len(rest) > 0; {
			allowed, plan := l.take(len(rest), upwards)
			if allowed == 0 {
				return
			}
			_, err := dst.Write(rest[:allowed])
			l.relay.put(allowed, plan) // also on failure: what is due is due
			if err != nil {
				l.fail()
				return
			}
			rest = rest[allowed:]
		}
		switch {
		case err == nil:
		case l.isFrozen():
			<-l.over
			return
		case err == io.EOF:
			_ = dst.CloseWrite()
			return
		default:
			l.fail()
			return
		}
	}
}

// inspect looks for the blocked text in what the client sends and cuts the link when it
// is there.
func (l *link) inspect(p []byte) bool {
	r := l.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.blocked) == 0 {
		l.seen = nil
		return true
	}
	seen := append(l.seen, p...)
	if bytes.Contains(seen, r.blocked) {
		l.cut(RST)
		delete(r.links, l)
		return false
	}
	l.seen = append([]byte(nil), seen[max(0, len(seen)-len(r.blocked)+1):]...)
	return true
}

// take says how many of n bytes may be passed on now, and which plan they belong to. 0:
// none ever, the link is over. It waits while a plan is due, and for the end of a
// frozen link.
func (l *link) take(n int, upwards bool) (int, *plan) {
	r := l.relay
	for {
		r.mu.Lock()
		isCut, frozen, due := l.isCut, l.frozen, r.plan
		allowed := 0
		var plan *plan
		if !isCut && !frozen {
			allowed, plan = r.take(n, upwards)
		}
		r.mu.Unlock()
		switch {
		case isCut, allowed > 0:
			return allowed, plan
		case frozen:
			<-l.over
		default:
			select {
			case <-due.over:
			case <-l.over:
			}
		}
	}
}

// fail cuts the link because one of its ends failed.
func (l *link) fail() {
	l.relay.mu.Lock()
	defer l.relay.mu.Unlock()
	l.cut(RST)
	delete(l.relay.links, l)
}

func (l *link) isFrozen() bool {
	l.relay.mu.Lock()
	defer l.relay.mu.Unlock()
	return l.frozen
}
