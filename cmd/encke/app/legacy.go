package app

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"encke/csp"
	"encke/legacy"
)

// protocols are the older protocols by the names of --legacy.
var protocols = map[string]func(*legacy.Proxy) legacy.Protocol{}

// Legacy lists the older protocols that can be switched on.
func Legacy() []string { return slices.Sorted(maps.Keys(protocols)) }

func checkLegacy(name string) error {
	if protocols[name] == nil {
		return fmt.Errorf("unknown protocol %q; the older protocols are %s", name, strings.Join(Legacy(), ", "))
	}
	return nil
}

// wireLegacy mounts the older protocols that are switched on.
func (a *App) wireLegacy() {
	p := &legacy.Proxy{
		Handler: a.handler, Sessions: a.sessions, Group: a.group,
		Heartbeat: a.heartbeat(), Linger: a.sessions.Linger(), Log: a.log,
	}
	a.accept = make(map[string]func(*csp.Session) csp.Handler)
	for _, name := range a.cfg.Legacy {
		protocol := protocols[name](p)
		a.accept[name] = protocol.Accept
		for path, h := range protocol.Routes {
			a.routes.Handle(a.cfg.Prefix+path, a.guard(http.StripPrefix(a.cfg.Prefix, h)))
		}
	}
}

// acceptSession makes what handles the bytes of a session.
func (a *App) acceptSession(s *csp.Session) csp.Handler {
	if accept := a.accept[s.Peer().Protocol]; accept != nil {
		return accept(s)
	}
	return a.sockets.Mux(s, a.callerOf(s))
}
