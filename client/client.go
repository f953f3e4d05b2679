// Package client opens TCP connections through an Encke proxy from Go programs.
// They are net.Conns that survive the loss of the link to the proxy: it is
// replaced, and nothing is lost or repeated, as long as that takes no longer than
// the proxy's resume window.
//
//	d := &client.Dialer{Proxy: "https://proxy.example.org"}
//	defer d.Close()
//	conn, err := d.DialContext(ctx, "tcp", "irc.example.org:6667")
package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"encke/cause"
	"encke/csp"
	"encke/tcpsocket"
	"encke/whitelist"
)

// Dialer dials through one proxy. All its connections share one session. The
// fields must not be changed after the first dial.
type Dialer struct {
	// Proxy is the URL of the proxy: http or https, host, and its path prefix.
	Proxy string

	// Origin is sent as the Origin header. Default: the proxy's own, which it
	// accepts.
	Origin string

	// TLS is used for https proxies; nil: the system's roots.
	TLS *tls.Config

	// DialLink connects to the proxy. Default: a net.Dialer.
	DialLink func(ctx context.Context, network, addr string) (net.Conn, error)

	// GiveUp bounds how long the first link may take. Default 15 s.
	GiveUp time.Duration

	mu      sync.Mutex
	session *session
	closed  bool
}

// DialContext opens a connection to address, "host:port"; network must be "tcp".
// Errors of the proxy are of type *cause.Error.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if network != "tcp" {
		return nil, fmt.Errorf("dial %s: network %q is not supported, only tcp", address, network)
	}
	dest, err := whitelist.ParseHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	s, err := d.live()
	if err != nil {
		return nil, err
	}
	conn, err := s.sockets.Dial(ctx, dest)
	if err != nil {
		return nil, fmt.Errorf("dial %s through %s: %w", address, d.Proxy, err)
	}
	return conn, nil
}

// Dial is DialContext without a context.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// Close ends the session and all its connections. What connections that were closed
// before had sent still reaches their backends, if that takes no longer than 5 s.
func (d *Dialer) Close() error {
	d.mu.Lock()
	d.closed = true
	s := d.session
	d.session = nil
	d.mu.Unlock()
	if s != nil {
		s.stop()
	}
	return nil
}

// live returns the session, a new one if there is none or the last one is over.
func (d *Dialer) live() (*session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, net.ErrClosed
	}
	if d.session != nil && d.session.usable() {
		return d.session, nil
	}
	if d.session != nil {
		d.session.retire()
	}
	s, err := d.newSession()
	if err != nil {
		return nil, err
	}
	d.session = s
	return s, nil
}

func (d *Dialer) newSession() (*session, error) {
	u, err := url.Parse(d.Proxy)
	if err != nil {
		return nil, fmt.Errorf("proxy %q: %w", d.Proxy, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("proxy %q: write it like https://proxy.example.org/prefix", d.Proxy)
	}
	origin := d.Origin
	if origin == "" {
		origin = u.Scheme + "://" + u.Host
	}
	u.RawQuery, u.Fragment = "", ""
	s := &session{
		url:    strings.TrimSuffix(u.String(), "/") + "/session/websocket",
		header: http.Header{"Origin": {origin}},
		http:   &http.Client{Transport: d.transport()},
		giveUp: d.GiveUp,
		done:   make(chan struct{}),
	}
	if s.giveUp == 0 {
		s.giveUp = 15 * time.Second
	}
	rand.Read(s.key[:])
	s.csp = csp.NewSession(csp.Options{Linger: 24 * time.Hour}, s)
	s.sockets = tcpsocket.NewClient(s.csp)
	ctx, cancel := context.WithCancel(context.Background())
	s.over = cancel
	go s.run(ctx) // ends when the session is over
	return s, nil
}

func (d *Dialer) transport() *http.Transport {
	dial := d.DialLink
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return &http.Transport{
		TLSClientConfig:   d.TLS,
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &cutConn{Conn: conn}, nil
		},
	}
}

// cutConn makes the end of the connection an error. The WebSocket library takes
// io.EOF inside a frame for the end of the message.
type cutConn struct{ net.Conn }

var errCut = errors.New("connection closed by the other side")

func (c *cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n == 0 && err == io.EOF {
		err = errCut
	}
	return n, err
}

var _ csp.Handler = (*session)(nil)

// Receive implements csp.Handler.
func (s *session) Receive(data [][]byte) error { return s.sockets.Receive(data) }

// Writable implements csp.Handler.
func (s *session) Writable() { s.sockets.Writable() }

// Closed implements csp.Handler.
func (s *session) Closed(why *cause.Error) {
	s.sockets.Closed(why)
	s.over()
}
