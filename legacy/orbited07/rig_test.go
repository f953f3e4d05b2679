package orbited07

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"encke/cause"
	"encke/csp"
	"encke/legacy"
	"encke/static"
	"encke/tcpsocket"
	"encke/transports"
	"encke/whitelist"
)

// rig is the protocol on a proxy of its own.
type rig struct {
	mux      *http.ServeMux
	sessions *csp.Server
	sockets  *tcpsocket.Server
	accept   func(*csp.Session) csp.Handler
}

// newRig serves the protocol, with sockets that opener connects.
func newRig(t *testing.T, opener tcpsocket.Opener, folders map[string]*static.Folder) *rig {
	t.Helper()
	r := &rig{mux: http.NewServeMux()}
	r.sessions = csp.NewServer(csp.Options{Accept: func(s *csp.Session) csp.Handler { return r.accept(s) }})
	r.sockets = tcpsocket.NewServer(opener, tcpsocket.Options{})
	h, err := transports.New(r.sessions, transports.Options{})
	if err != nil {
		t.Fatal(err)
	}
	protocol := New(&legacy.Proxy{
		Handler: h, Sessions: r.sessions, Heartbeat: 25 * time.Second, Linger: 120 * time.Second,
		Group: func(peer csp.Peer, session string, end func(*cause.Error)) *tcpsocket.Group {
			return r.sockets.Group(tcpsocket.Caller{Remote: peer.Addr, Origin: peer.Origin, Host: peer.Host, Session: session, End: end})
		},
		Folders: folders,
	})
	r.accept = protocol.Accept
	for path, h := range protocol.Routes {
		r.mux.Handle(path, h)
	}
	return r
}

// stop ends all sessions and waits for their sockets.
func (r *rig) stop() {
	r.sessions.Close(cause.GoingAway.Err())
	r.sockets.Wait()
}

// openFunc is an Opener.
type openFunc func(dest whitelist.Dest) (net.Conn, error)

func (f openFunc) Open(_ context.Context, _ tcpsocket.Caller, dest whitelist.Dest, _ tcpsocket.OpenOptions) (net.Conn, error) {
	return f(dest)
}

type dest = whitelist.Dest

var closedForTest = cause.GoingAway.Err()

// find returns the connection of the session.
func (th *theatre) find() (*conn, error) {
	s, err := th.r.sessions.Resume(th.key)
	if err != nil {
		return nil, err
	}
	return s.Handler().(*conn), nil
}
