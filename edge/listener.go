package edge

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"encke/quota"
	"encke/rawconn"
)

// Options are the settings of a Listener. The zero value of a field means its
// default.
type Options struct {
	// MaxConnections bounds the connections of all Listeners that share Stats. Those
	// beyond are answered 503. Default 50,000.
	MaxConnections int

	// PerAddress bounds the connections of each address; those beyond are answered
	// 429. Nil: no bound. Peers in Trusted are not counted, since they bring many
	// clients.
	PerAddress *quota.Counts

	// Trusted are the balancers whose forwarded headers are believed.
	Trusted []netip.Prefix

	// Descriptors stops accepting when they are scarce. Nil: never.
	Descriptors *Descriptors

	// ProxyFrom are the balancers that connect with a PROXY header. If there are
	// any, every connection must come from one of them and begin with one.
	ProxyFrom []netip.Prefix

	// TLS is how TLS is spoken. Nil: it is not.
	TLS *tls.Config

	// Patience bounds the TLS handshake, the time to the first request behind it, and from
	// the first byte of a request to the fourth; 3 s are for the PROXY header before it. Default 5 s.
	Patience time.Duration

	// Idle is how long a connection may be without a request. Default 75 s.
	Idle time.Duration

	// Upgrades serves requests for a WebSocket in place of net/http. Nil: net/http does.
	Upgrades http.Handler

	Stats *Stats       // nil: own ones
	Log   *slog.Logger // nil: none
}

// Listener is a net.Listener for an http.Server that gets HTTP/1 as Conn and HTTP/2 as
// *tls.Conn.
type Listener struct {
	net.Listener
	opts      Options
	ready     chan net.Conn
	done      chan struct{} // closed by Close
	close     sync.Once
	work      sync.WaitGroup
	farewells chan struct{} // holds one element for each refusal that is being said

	mu      sync.Mutex
	resting map[*Conn]struct{} // those that wait for their next request, in nobody's turn
	closed  bool
}

// Listen returns a Listener on top of one for TCP. Close ends what it starts.
func Listen(inner net.Listener, opts Options) *Listener {
	if opts.MaxConnections == 0 {
		opts.MaxConnections = 50_000
	}
	if opts.Patience == 0 {
		opts.Patience = 5 * time.Second
	}
	if opts.Idle == 0 {
		opts.Idle = 75 * time.Second
	}
	if opts.Stats == nil {
		opts.Stats = new(Stats)
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	l := &Listener{
		Listener: inner, opts: opts, ready: make(chan net.Conn), done: make(chan struct{}),
		resting: make(map[*Conn]struct{}), farewells: make(chan struct{}, maxFarewells),
	}
	l.work.Go(l.run) // ends when Close closes the listener below
	return l
}

// maxFarewells is how many refused connections are told why at a time; more of them
// are just closed.
const maxFarewells = 64

// Accept returns the next connection that is ready for HTTP.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Drain stops listening. On the connections there are, requests go on.
func (l *Listener) Drain() { l.Listener.Close() }

// Close is Drain and closes the connections that are not in net/http's hands.
func (l *Listener) Close() error {
	err := net.ErrClosed
	l.close.Do(func() {
		close(l.done)
		err = l.Listener.Close()
		l.closeResting()
		l.work.Wait()
	})
	return err
}

// run accepts until the listener is closed, whatever goes wrong in between.
func (l *Listener) run() {
	wait := firstWait
	for {
		if !l.pause() {
			return
		}
		conn, err := l.Listener.Accept()
		switch {
		case err == nil:
			wait = firstWait
			l.take(conn.(*net.TCPConn))
		case errors.Is(err, net.ErrClosed):
			return
		default:
			l.opts.Stats.AcceptErrors.Add(1)
			l.opts.Log.Error("accept", "err", err.Error())
			if !l.sleep(wait) {
				return
			}
			wait = min(2*wait, lastWait)
		}
	}
}

// After an error of accept the next attempt waits, longer each time.
const (
	firstWait = 10 * time.Millisecond
	lastWait  = time.Second
)

// pause waits while descriptors are scarce. It reports false when the listener was
// closed.
func (l *Listener) pause() bool {
	d := l.opts.Descriptors
	if d == nil || !d.Scarce() {
		return true
	}
	l.opts.Stats.Pauses.Add(1)
	l.opts.Log.Error("out of descriptors: not accepting", "used", d.Used(), "limit", d.Limit())
	for d.Scarce() {
		if !l.sleep(50 * time.Millisecond) {
			return false
		}
	}
	return true
}

func (l *Listener) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.done:
		return false
	}
}

// take counts a connection and brings it to where HTTP begins.
func (l *Listener) take(tcp *net.TCPConn) {
	s := l.opts.Stats
	s.Accepted.Add(1)
	c := &counted{TCPConn: rawconn.NewTCPConn(tcp), l: l, remote: tcp.RemoteAddr()}
	open := s.Open.Add(1)
	if d := l.opts.Descriptors; d != nil {
		d.conns.Add(1)
	}
	switch {
	case open > int64(l.opts.MaxConnections):
		s.TooMany.Add(1)
		l.farewell(c, 503, "too many connections", 10)
	case len(l.opts.ProxyFrom) > 0:
		l.work.Go(func() { // ends with its deadlines, or with the connection
			if l.proxyHeader(c) && l.count(c) {
				l.handshake(c)
			}
		})
	case !l.count(c):
	case l.opts.TLS != nil:
		l.work.Go(func() { l.handshake(c) }) // the same
	default:
		newConn(c, l).park(l.opts.Patience)
	}
}

// count counts the connection for its address, or refuses it. Balancers are not
// counted: they bring many clients, or ask for our health.
func (l *Listener) count(c *counted) bool {
	per, addr := l.opts.PerAddress, address(c.remote)
	if per == nil || contains(l.opts.Trusted, addr) || contains(l.opts.ProxyFrom, addr) {
		return true
	}
	if key := quota.KeyOf(addr); per.Take(key) {
		c.perAddress, c.key = per, key
		return true
	}
	l.opts.Stats.TooManyOfAddress.Add(1)
	l.opts.Log.Warn("refused", "reason", "too many connections of this address", "remote", c.remote.String())
	l.farewell(c, 429, "too many connections from this address", 5)
	return false
}

// farewell says why a connection is refused and closes it. In TLS that would cost a
// handshake, so there it is just closed.
func (l *Listener) farewell(c *counted, status int, text string, retry int) {
	if l.opts.TLS != nil {
		c.Close()
		return
	}
	select {
	case l.farewells <- struct{}{}:
	default:
		c.Close()
		return
	}
	l.work.Go(func() { // ends with its deadlines
		defer func() { <-l.farewells }()
		defer c.Close()
		defer l.closing(c)()
		c.SetWriteDeadline(time.Now().Add(goodbye))
		if _, err := c.Write(response(status, text, retry)); err == nil {
			linger(c)
		}
	})
}

// handshake speaks TLS if that is wanted, and hands the connection out.
func (l *Listener) handshake(c *counted) {
	if l.opts.TLS == nil {
		newConn(c, l).park(l.opts.Patience)
		return
	}
	conn := tls.Server(c, l.opts.TLS)
	c.SetDeadline(time.Now().Add(l.opts.Patience))
	stop := l.closing(c)
	err := conn.Handshake()
	stop()
	if err != nil {
		l.opts.Stats.FailedTLS.Add(1)
		l.opts.Log.Debug("TLS handshake", "remote", c.remote.String(), "err", err.Error())
		c.Close()
		return
	}
	c.SetDeadline(time.Time{})
	if conn.ConnectionState().NegotiatedProtocol == "h2" {
		l.give(conn)
		return
	}
	newConn(conn, l).park(l.opts.Patience)
}

// closing cuts c when the listener is closed, until the returned function is called.
func (l *Listener) closing(c *counted) (stop func()) {
	over := make(chan struct{})
	l.work.Go(func() { // ends when stop is called
		select {
		case <-l.done:
			c.SetDeadline(time.Unix(1, 0))
		case <-over:
		}
	})
	return func() { close(over) }
}

func (l *Listener) give(c net.Conn) {
	select {
	case l.ready <- c:
	case <-l.done:
		c.Close()
	}
}

// counted is a connection that is counted until it is closed.
type counted struct {
	rawconn.TCPConn
	l          *Listener
	remote     net.Addr // of the client: behind a PROXY header not the peer
	perAddress *quota.Counts
	key        netip.Addr
	closed     atomic.Bool
}

// RemoteAddr returns the address of the client.
func (c *counted) RemoteAddr() net.Addr { return c.remote }

// Close closes the connection.
func (c *counted) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	err := c.TCPConn.Close()
	c.l.opts.Stats.Open.Add(-1)
	if d := c.l.opts.Descriptors; d != nil {
		d.conns.Add(-1)
	}
	if c.perAddress != nil {
		c.perAddress.Give(c.key)
	}
	return err
}

func address(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

func contains(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a.WithZone("")) {
			return true
		}
	}
	return false
}
