package app

import (
	"encke/cause"
	"encke/csp"
	"encke/quota"
	"encke/tcpsocket"
)

// group returns the sockets of a client that speaks an older protocol.
func (a *App) group(remote, origin, session string, end func(*cause.Error)) *tcpsocket.Group {
	c := a.caller(remote)
	c.Session, c.Origin, c.End = session, origin, end
	return a.sockets.Group(c)
}

// callerOf is on whose behalf a session opens sockets.
func (a *App) callerOf(s *csp.Session) tcpsocket.Caller {
	c := a.caller(s.Peer().Addr)
	c.Session, c.Origin, c.End = s.Digest(), s.Peer().Origin, s.Close
	return c
}

// caller is a caller at an address, which has so many sockets over all its sessions.
func (a *App) caller(remote string) tcpsocket.Caller {
	key := quota.Key(remote)
	return tcpsocket.Caller{
		Remote: remote,
		Take:   func() bool { return a.perAddrOpen.Take(key) },
		Give:   func() { a.perAddrOpen.Give(key) },
	}
}
