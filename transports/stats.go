package transports

import (
	"errors"
	"sync/atomic"

	"encke/cause"
)

// Stats are the counters of a Handler: requests and links that were refused, by the
// reason. They only grow.
type Stats struct {
	Origin      uint64 // origin not accepted: 403
	Method      uint64 // wrong method: 405
	Encoded     uint64 // encoded body: 415
	Malformed   uint64 // variables or records not well formed: 400
	TooLarge    uint64 // body, query or number of packets: 413
	SlowBodies  uint64 // body not there in time, or not whole; the connection is cut
	Sessions    uint64 // too many sessions of the address: 429
	Handshakes  uint64 // too many new sessions of the address in a short time: 429
	Upgrades    uint64 // too many WebSockets of the address in a short time: 429
	Requests    uint64 // too many requests of the address at a time: 429
	Unavailable uint64 // too much in all, or about to stop: 503
	Starved     uint64 // bodies and messages given up half-sent, for want of memory
	Lost        uint64 // unknown or ended session, or another origin's: 404, 403
	Moved       uint64 // requests of a session from another address than the one before; they are served
	Panics      uint64 // faults of our own that ended a session with internal
}

type counters struct {
	origin, method, encoded, malformed, tooLarge, slowBodies,
	sessions, handshakes, upgrades, requests, unavailable, starved, lost, moved, panics atomic.Uint64
}

// Stats returns the counters.
func (h *Handler) Stats() Stats {
	s := &h.stats
	return Stats{
		Origin: s.origin.Load(), Method: s.method.Load(), Encoded: s.encoded.Load(), Malformed: s.malformed.Load(),
		TooLarge: s.tooLarge.Load(), SlowBodies: s.slowBodies.Load(), Sessions: s.sessions.Load(),
		Handshakes: s.handshakes.Load(), Upgrades: s.upgrades.Load(), Requests: s.requests.Load(), Unavailable: s.unavailable.Load(),
		Starved: s.starved.Load(), Lost: s.lost.Load(), Moved: s.moved.Load(), Panics: s.panics.Load(),
	}
}

// refused counts a link that was refused because of err. What the limits of an
// address refuse is counted there.
func (s *counters) refused(err error) {
	var many tooMany
	var why *cause.Error
	switch {
	case errors.As(err, &many) || !errors.As(err, &why):
	case why.Code == cause.ProtocolError:
		s.malformed.Add(1)
	case why.Code == cause.Limit && why.Retry == 0:
		s.tooLarge.Add(1)
	case why.Code == cause.Limit, why.Code == cause.GoingAway:
		s.unavailable.Add(1)
	default:
		s.lost.Add(1)
	}
}
