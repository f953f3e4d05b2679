// Package legacy is what the adapters of older protocols share. Each protocol is a
// package below it: an adapter that speaks the old wire to old clients and opens
// sockets as everything else does, through tcpsocket, within the same rules and limits.
// None of them is known to the packages that serve our own client, and package app
// knows each by one line; an adapter can be deleted with that line.
package legacy

import (
	"log/slog"
	"net/http"
	"time"

	"encke/cause"
	"encke/csp"
	"encke/static"
	"encke/tcpsocket"
	"encke/transports"
)

// Proxy is what an adapter gets of the proxy.
type Proxy struct {
	// Handler guards requests and makes WebSockets.
	Handler *transports.Handler

	// Sessions has the sessions of all protocols. An adapter opens its own with its name
	// as Peer.Protocol and gives back in Resume only those, see Resume.
	Sessions *csp.Server

	// Group returns the sockets of a client: transports.Peer of its first request, or the
	// Peer of its session. session is a digest for the log, empty where there are no sessions;
	// end, if it is not nil, is called after a fault of ours in one of the sockets.
	Group func(peer csp.Peer, session string, end func(*cause.Error)) *tcpsocket.Group

	// Framings are those of the protocols that are switched on, for the protocols that
	// carry them. It is complete when the first request comes.
	Framings []Framing

	// Heartbeat is how long a link may be silent; Linger how long a session without a
	// link waits for the next one.
	Heartbeat, Linger time.Duration

	// Folders are those of the operator by the name they are served at, see
	// Protocol.Folder.
	Folders map[string]*static.Folder

	Log *slog.Logger
}

// Protocol is one of the older protocols, switched on.
type Protocol struct {
	// Routes are the handlers by the pattern of their path below the proxy's prefix, such
	// as "/tcp/". They see that path. The Host of requests is one of ours.
	Routes map[string]http.Handler

	// Folder names the one of the operator's folders that the protocol serves itself, with
	// files of its own. Empty: none.
	Folder string

	// Accept makes the Handler of a session that was opened with the name of the protocol.
	// Nil: it opens none.
	Accept func(*csp.Session) csp.Handler

	// Framing is how its clients put sockets into the stream of another protocol, whose
	// name is Over. That is served too, then.
	Framing *Framing
	Over    string
}

// Resume returns the session with this id if it belongs to the protocol and to the page's
// origin, or the cause of its end.
func (p *Proxy) Resume(protocol, id, origin string) (*csp.Session, error) {
	s, err := p.Sessions.Resume(id)
	switch {
	case err != nil:
		return nil, err
	case s.Peer().Protocol != protocol:
		return nil, cause.SessionLost.With("unknown session")
	case s.Peer().Origin != origin:
		return nil, cause.Denied.With("the session belongs to another origin")
	}
	return s, nil
}
