package app

import (
	"encke/cause"
	"encke/csp"
	"encke/quota"
	"encke/tcpsocket"
)

// group returns the sockets of a client that speaks an older protocol.
func (a *App) group(peer csp.Peer, session string, end func(*cause.Error)) *tcpsocket.Group {
	return a.sockets.Group(a.caller(peer, session, end))
}

// callerOf is on whose behalf a session opens sockets.
func (a *App) callerOf(s *csp.Session) tcpsocket.Caller {
	return a.caller(s.Peer(), s.Digest(), s.Close)
}

// caller is on whose behalf sockets are opened; its address has so many over all its
// sessions.
func (a *App) caller(peer csp.Peer, session string, end func(*cause.Error)) tcpsocket.Caller {
	key := quota.Key(peer.Addr)
	return tcpsocket.Caller{
		Session: session, Origin: peer.Origin, Remote: peer.Addr, Host: peer.Host,
		Take: func() bool { return a.perAddrOpen.Take(key) },
		Give: func() { a.perAddrOpen.Give(key) },
		End:  end,
	}
}
