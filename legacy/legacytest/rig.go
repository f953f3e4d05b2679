// Package legacytest runs the adapters of older protocols without a network, for their
// tests: inside a bubble of testing/synctest, with backends that are pipes.
package legacytest

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
	"encke/legacy"
	"encke/tcpsocket"
	"encke/transports"
	"encke/whitelist"
)

// Host is the name of the proxy. A page of that origin may use it.
const Host = "proxy.test"

// Rig is a proxy with some of the older protocols.
type Rig struct {
	Sessions *csp.Server
	Sockets  *tcpsocket.Server
	Far      chan net.Conn // the far ends of connections to backends
	ln       *listener
}

// New starts a proxy with these protocols. It ends with the test.
func New(t testing.TB, protocols ...func(*legacy.Proxy) legacy.Protocol) *Rig {
	t.Helper()
	r := &Rig{Far: make(chan net.Conn, 200), ln: &listener{conns: make(chan net.Conn), done: make(chan struct{})}}
	r.Sockets = tcpsocket.NewServer(r, tcpsocket.Options{})
	var accept func(*csp.Session) csp.Handler
	r.Sessions = csp.NewServer(csp.Options{Budget: buffer.NewBudget(64 << 20), Accept: func(s *csp.Session) csp.Handler { return accept(s) }})
	origins, err := transports.ParseOrigins("http://page.test", "null")
	if err != nil {
		t.Fatal(err)
	}
	h, err := transports.New(r.Sessions, transports.Options{Origins: origins})
	if err != nil {
		t.Fatal(err)
	}
	p := &legacy.Proxy{
		Handler: h, Sessions: r.Sessions, Heartbeat: 25 * time.Second, Linger: r.Sessions.Linger(), Log: slog.New(slog.DiscardHandler),
		Group: func(peer csp.Peer, session string, end func(*cause.Error)) *tcpsocket.Group {
			return r.Sockets.Group(tcpsocket.Caller{Remote: peer.Addr, Origin: peer.Origin, Session: session, End: end})
		},
	}
	mux := http.NewServeMux()
	for _, start := range protocols {
		protocol := start(p)
		if protocol.Accept != nil {
			accept = protocol.Accept
		}
		if protocol.Framing != nil {
			p.Framings = append(p.Framings, *protocol.Framing)
		}
		for path, route := range protocol.Routes {
			mux.Handle(path, route)
		}
	}
	srv := &http.Server{Handler: mux}
	done := make(chan struct{})
	go func() { // ends with srv
		srv.Serve(r.ln)
		close(done)
	}()
	t.Cleanup(func() {
		r.Sessions.Close(cause.GoingAway.Err())
		h.Wait(time.Second)
		srv.Close()
		<-done
		r.Sockets.Wait()
	})
	return r
}

// Dial returns a new connection to the proxy.
func (r *Rig) Dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	r.ln.conns <- addressed{near}
	return addressed{far}, nil
}

// Open connects to a backend. The first label of its name says how that goes.
func (r *Rig) Open(ctx context.Context, _ tcpsocket.Caller, dest whitelist.Dest, _ tcpsocket.OpenOptions) (net.Conn, error) {
	switch how, _, _ := strings.Cut(dest.Host, "."); how {
	case "denied":
		return nil, cause.Denied.Err()
	case "refused":
		return nil, cause.Refused.Err()
	case "unknown":
		return nil, cause.NameNotFound.Err()
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case "lost":
		return nil, cause.Unreachable.Err()
	case "full":
		return nil, cause.Limit.Err()
	case "later":
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	near, far := net.Pipe()
	r.Far <- far
	return near, nil
}

// listener hands out pipes.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// addressed is a pipe with an address, by which the proxy limits clients.
type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1024} }
