package edge

import "sync/atomic"

// Stats are the counters of one or more Listeners. All but Open only grow.
type Stats struct {
	Open             atomic.Int64  // connections now
	Accepted         atomic.Uint64 // connections taken
	AcceptErrors     atomic.Uint64 // errors of accept, out of descriptors mostly
	Pauses           atomic.Uint64 // times accepting stopped for want of descriptors
	TooMany          atomic.Uint64 // connections refused: too many in all
	TooManyOfAddress atomic.Uint64 // connections refused: too many of their address
	BadProxyHeaders  atomic.Uint64 // connections closed: no PROXY header, or not from a balancer
	FailedTLS        atomic.Uint64 // TLS handshakes that failed or took too long
	Malformed        atomic.Uint64 // requests refused with 400
	TooLarge         atomic.Uint64 // requests refused with 414 or 431
	SlowHeads        atomic.Uint64 // heads that did not come in time
}

func (s *Stats) refused(bad *fault) {
	if bad.status == 400 {
		s.Malformed.Add(1)
	} else {
		s.TooLarge.Add(1)
	}
}

// Counters is a copy of Stats.
type Counters struct {
	Open                                                  int64
	Accepted, AcceptErrors, Pauses                        uint64
	TooMany, TooManyOfAddress, BadProxyHeaders, FailedTLS uint64
	Malformed, TooLarge, SlowHeads                        uint64
}

// Copy returns the counters as they are.
func (s *Stats) Copy() Counters {
	return Counters{
		Open: s.Open.Load(), Accepted: s.Accepted.Load(), AcceptErrors: s.AcceptErrors.Load(), Pauses: s.Pauses.Load(),
		TooMany: s.TooMany.Load(), TooManyOfAddress: s.TooManyOfAddress.Load(),
		BadProxyHeaders: s.BadProxyHeaders.Load(), FailedTLS: s.FailedTLS.Load(),
		Malformed: s.Malformed.Load(), TooLarge: s.TooLarge.Load(), SlowHeads: s.SlowHeads.Load(),
	}
}
