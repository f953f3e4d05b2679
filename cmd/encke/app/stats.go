package app

import (
	"encke/csp"
	"encke/edge"
	"encke/tcpsocket"
	"encke/transports"
)

// Stats are the counters of all layers, from the outside in.
type Stats struct {
	Edge         edge.Counters    // connections, and what was refused before it was a request
	Hosts        uint64           // requests refused for their Host: 421
	Requests     transports.Stats // requests and links refused
	Sessions     csp.Stats
	Sockets      tcpsocket.Stats
	Dials        tcpsocket.DialStats
	DroppedLines uint64 // log lines left out
}

// Stats returns the counters.
func (a *App) Stats() Stats {
	return Stats{
		Edge: a.edge.Copy(), Hosts: a.hosts.Load(), Requests: a.handler.Stats(),
		Sessions: a.sessions.Stats(), Sockets: a.sockets.Stats(), Dials: a.dialer.Stats(),
		DroppedLines: a.lines.Dropped(),
	}
}
