package relay

import (
	"net"
	"sync"
	"testing"
)

// Mode is how a cut looks to both ends.
type Mode int

// A cut closes both TCP connections of a link, with a RST or with a FIN each.
const (
	RST Mode = iota
	FIN
)

// Relay passes connections on to one target.
type Relay struct {
	target string
	ln     net.Listener
	wg     sync.WaitGroup

	mu      sync.Mutex
	links   map[*link]bool // open links; nil once closed
	total   int            // links accepted so far
	passed  int64          // bytes passed so far, both ways
	refuse  bool           // new links are cut at once
	blocked []byte         // text that cuts a link; empty: none
	plan    *plan          // nil: none
}

// New starts a relay to target ("host:port") on a free port of 127.0.0.1. It ends with t.
func New(t testing.TB, target string) *Relay {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{target: target, ln: ln, links: make(map[*link]bool)}
	r.wg.Go(r.accept) // until close
	t.Cleanup(r.close)
	return r
}

// Addr is where the relay listens, as 127.0.0.1:PORT.
func (r *Relay) Addr() string { return r.ln.Addr().String() }

// Cut cuts all links that are open now.
func (r *Relay) Cut(mode Mode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cutAll(mode)
}

// Refuse makes the relay cut every new link at once, or stop doing so. Open links go on.
func (r *Relay) Refuse(refuse bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = refuse
}

// Block cuts a link as soon as the client sends text on it, before any byte of the piece
// that completes the text is passed on. It also cuts all open links now. Empty text
// blocks nothing.
func (r *Relay) Block(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocked = []byte(text)
	if text != "" {
		r.cutAll(RST)
	}
}

// Freeze makes all links that are open now pass nothing more, for ever, without closing
// them: what a network does that loses its route. New links are not affected.
func (r *Relay) Freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range r.links {
		l.frozen = true
	}
}

// Links is the number of links accepted so far.
func (r *Relay) Links() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}

// Passed is the number of bytes passed so far, both ways.
func (r *Relay) Passed() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.passed
}

// cutAll is called with r.mu held.
func (r *Relay) cutAll(mode Mode) {
	for l := range r.links {
		l.cut(mode)
		delete(r.links, l)
	}
}

// accept serves links until the listener is closed.
func (r *Relay) accept() {
	for {
		conn, err := r.ln.Accept()
		if err != nil {
			return
		}
		l := &link{relay: r, client: conn.(*net.TCPConn), over: make(chan struct{})}
		r.mu.Lock()
		r.total++
		if r.refuse || r.links == nil {
			l.cut(RST)
		} else {
			r.links[l] = true
			r.wg.Go(l.serve) // until both ends are through or the link is cut
		}
		r.mu.Unlock()
	}
}

func (r *Relay) close() {
	_ = r.ln.Close()
	r.mu.Lock()
	r.cutAll(RST)
	r.links = nil
	r.mu.Unlock()
	r.wg.Wait()
}
