package peer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"encke/cause"
	"encke/csp"
	"encke/tcpsocket"
	"encke/whitelist"
)

// Options are the settings of a Peer; Base is required.
type Options struct {
	// Base is the proxy's URL: http, host and its path prefix.
	Base string

	// Transport is the technique to begin with. Default websocket.
	Transport string

	// Origin is sent as the Origin header. Default: the proxy's own.
	Origin string

	// Dial connects to the proxy. Default: a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Hold is how long a downlink may be silent, whole seconds up to 60. Default: not
	// said, the proxy's heartbeat.
	Hold time.Duration

	// Grace is how long after that a silent link is taken for dead. Default 20 s.
	Grace time.Duration

	// Answer is how long the beginning of an answer, or the whole answer of an uplink
	// request, may take. Default 10 s.
	Answer time.Duration

	// GiveUp bounds how long the session may take to open. Default 15 s.
	GiveUp time.Duration

	// FreshConns makes each request use a TCP connection of its own. Otherwise net/http
	// keeps them, and repeats a GET by itself when one turns out to be closed.
	FreshConns bool
}

func (o Options) withDefaults() Options {
	o.Base = strings.TrimSuffix(o.Base, "/")
	if o.Transport == "" {
		o.Transport = "websocket"
	}
	if o.Origin == "" {
		scheme, rest, _ := strings.Cut(o.Base, "://")
		host, _, _ := strings.Cut(rest, "/")
		o.Origin = scheme + "://" + host
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	for _, d := range [...]struct {
		p *time.Duration
		v time.Duration
	}{{&o.Grace, 20 * time.Second}, {&o.Answer, 10 * time.Second}, {&o.GiveUp, 15 * time.Second}} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
	return o
}

// Peer is one session with the proxy. Its methods may be called concurrently.
type Peer struct {
	opts    Options
	key     csp.Key
	csp     *csp.Session
	sockets *tcpsocket.Client
	conns   conns
	http    *http.Client

	webSockets atomic.Uint32 // so far

	over chan struct{} // closed when the session is over
	done chan struct{} // closed when nothing of the peer runs any more

	moving sync.Mutex // held by Switch

	mu        sync.Mutex
	id        string        // from WELCOME
	window    time.Duration // from WELCOME
	heartbeat time.Duration // from WELCOME
	told      bool          // the proxy itself said that the session is over
	carrier   *carrier      // carries the session, or will after Switch
	lost      time.Time     // when the link was lost; zero: it is there
	heard     time.Time     // when the proxy last answered
	stats     Stats
}

// Stats are counters of a Peer. The counters only grow.
type Stats struct {
	Links      int           // downlinks that were answered; each poll is one
	Failed     int           // downlinks that ended otherwise than they should
	Repeated   int           // uplink requests sent again because no answer came
	Resumes    int           // times the session had a link again after it had lost one
	Cuts       int           // TCP connections reset by Cut
	Switches   int           // moves to another technique
	LastResume time.Duration // from the last loss to the first answer on a new link
}

// Dial opens a session and returns when the proxy has welcomed it, or says why not.
func Dial(ctx context.Context, opts Options) (*Peer, error) {
	opts = opts.withDefaults()
	how, err := technique(opts.Transport)
	if err != nil {
		return nil, err
	}
	p := &Peer{opts: opts, over: make(chan struct{}), done: make(chan struct{}), heard: time.Now()}
	rand.Read(p.key[:])
	p.conns.dial = opts.Dial
	p.http = &http.Client{Transport: &http.Transport{
		DialContext: p.conns.open, DisableCompression: true, DisableKeepAlives: opts.FreshConns,
		MaxIdleConnsPerHost: 6, // what browsers have; a proxy that drains accepts no others
	}}
	// A packet must fit into a URL, since the session may move to script tags; and the
	// packets that wait must fit into a request, which takes 1,000.
	p.csp = csp.NewSession(csp.Options{Linger: 24 * time.Hour, SendBuffer: 128 << 10, MaxSendBuffer: 128 << 10}, (*handler)(p))
	p.sockets = tcpsocket.NewClient(pieces{p.csp})
	p.carrier = p.start(how)
	go p.wind() // until the session is over
	select {
	case <-p.carrier.ready:
		return p, nil
	case <-p.over:
		<-p.done
		return nil, p.Err()
	case <-ctx.Done():
		p.Close()
		return nil, fmt.Errorf("open a session over %s: %w", opts.Transport, ctx.Err())
	}
}

// Open opens a socket to a backend and returns when it is connected. Errors of the proxy
// are of type *cause.Error.
func (p *Peer) Open(ctx context.Context, host string, port int) (*tcpsocket.Conn, error) {
	dest, err := whitelist.ParseDest(host, uint64(port))
	if err != nil {
		return nil, err
	}
	return p.sockets.Dial(ctx, dest)
}

// Cut resets all TCP connections to the proxy there are, and returns how many. When there
// are none, between two polls, it resets the next one as soon as it is connected.
func (p *Peer) Cut() int {
	n := p.conns.cut()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Cuts += n
	return n
}

// Transport returns the technique that carries the session.
func (p *Peer) Transport() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.carrier.how.name
}

// ID returns the session's id, a credential.
func (p *Peer) ID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.id
}

// Received returns the highest id of a packet received in order.
func (p *Peer) Received() uint64 { return p.csp.Received() }

// Stats returns the counters.
func (p *Peer) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Done is closed when the session is over and nothing of the peer runs any more.
func (p *Peer) Done() <-chan struct{} { return p.done }

// Err returns why the session is over, of type *cause.Error, or nil while it lives.
func (p *Peer) Err() error { return p.csp.Err() }

// Close ends the session and returns when the proxy was told, if it can be.
func (p *Peer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	p.sockets.Flush(ctx)
	p.csp.Close(cause.Closed.Err())
	<-p.done
	return nil
}

// farewell is how long the end of a session may take to reach the proxy.
const farewell = 3 * time.Second

// wind ends everything after the session is over.
func (p *Peer) wind() {
	defer close(p.done)
	<-p.over
	p.mu.Lock()
	c, told := p.carrier, p.told
	p.mu.Unlock()
	if !told {
		select {
		case <-c.sent():
		case <-time.After(farewell):
		}
	}
	c.stop()
	p.moving.Lock() // a Switch under way stops its own carrier
	p.mu.Lock()
	c = p.carrier
	p.mu.Unlock()
	c.stop()
	p.moving.Unlock()
	p.http.CloseIdleConnections()
	p.conns.cut()
}

// fail ends the session if err is the proxy's last word, or when links failed for too
// long. It reports whether the session is over.
func (p *Peer) fail(err error, since time.Time) bool {
	var said *cause.Error
	p.mu.Lock()
	opened, patience := p.id != "", p.window
	if !opened {
		patience = p.opts.GiveUp
	}
	final := errors.As(err, &said) && (opened || said.Code != cause.GoingAway && said.Code != cause.Limit)
	if final && p.csp.Err() == nil {
		p.told = true
	}
	p.mu.Unlock()
	switch {
	case final:
		p.csp.Close(said)
	case time.Since(since) <= patience:
	case opened:
		p.csp.Close(cause.SessionLost.With("no link for %v: %v", patience, err))
	default:
		p.csp.Close(cause.NoTransport.With("%v", err))
	}
	return p.csp.Err() != nil
}

// hello returns the first record of a request: NEW, or RESUME with the session's id.
func (p *Peer) hello() (hello []byte, node string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.id == "" {
		return (&csp.Record{Kind: csp.New, Version: csp.Version, Key: p.key}).Append(nil), ""
	}
	node, _, _ = strings.Cut(p.id, ".")
	return (&csp.Record{Kind: csp.Resume, Session: []byte(p.id), ID: p.csp.Received()}).Append(nil), node
}
