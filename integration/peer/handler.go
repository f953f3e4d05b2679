package peer

import (
	"time"

	"encke/cause"
	"encke/csp"
	"encke/tcpsocket"
)

// handler is the Peer as its csp.Session sees it.
type handler Peer

var _ csp.Handler = (*handler)(nil)

// Receive implements csp.Handler.
func (h *handler) Receive(data [][]byte) error { return h.sockets.Receive(data) }

// Writable implements csp.Handler.
func (h *handler) Writable() { h.sockets.Writable() }

// Closed implements csp.Handler.
func (h *handler) Closed(why *cause.Error) {
	h.sockets.Closed(why)
	close(h.over)
}

// pieces is a session that gives room for small packets only.
type pieces struct{ *csp.Session }

var _ tcpsocket.Sender = pieces{}

// maxPiece makes packets of which one fits into a URL of 8 kB, in base64.
const maxPiece = 4000

// Reserve implements tcpsocket.Sender.
func (s pieces) Reserve(n int, yield time.Duration, waiting int) int {
	return s.Session.Reserve(min(n, maxPiece), yield, waiting)
}
