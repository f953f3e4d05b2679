package tcpsocket

import (
	"sync/atomic"

	"encke/cause"
)

// Stats are counters of a Server; all but Open only grow.
type Stats struct {
	Open   int                 // sockets now
	Opened uint64              // sockets asked for
	In     uint64              // bytes from pages written to backends
	Out    uint64              // bytes read from backends
	Ended  [cause.Count]uint64 // sockets by the cause of their end; refused ones too

	// Sockets that were refused with the cause limit.
	LimitSockets uint64 // the session had MaxSockets
	LimitRate    uint64 // the session opened them faster than OpenRate
	LimitCaller  uint64 // its caller had too many, in all sessions
	LimitTarget  uint64 // all sessions together had MaxPerTarget of this target

	SmallWindows uint64 // sockets that stayed at their first window, for MaxWindows

	// Sessions that ended because of what a page must not send.
	WindowOverruns  uint64 // more bytes than the window
	WindowOverflows uint64 // a window above 2^31-1
	NumbersReused   uint64 // a socket number twice, or lower than one before it
	StrayLoops      uint64 // too many frames for sockets that were never opened

	Strays  uint64 // frames for sockets that were never opened
	Panics  uint64 // faults of our own that ended a session
	LeftOut uint64 // lines about refused sockets that were not logged
}

// counters are the atomic part of Stats.
type counters struct {
	open                                         atomic.Int64
	opened, in, out                              atomic.Uint64
	ended                                        [cause.Count]atomic.Uint64
	limitSockets, limitRate                      atomic.Uint64
	limitCaller, limitTarget                     atomic.Uint64
	smallWindows                                 atomic.Uint64
	windowOverruns, windowOverflows, numbersUsed atomic.Uint64
	strayLoops, strays, leftOut, panics          atomic.Uint64
}

// Stats returns the counters.
func (v *Server) Stats() Stats {
	c := &v.count
	st := Stats{
		Open: int(c.open.Load()), Opened: c.opened.Load(),
		In: c.in.Load(), Out: c.out.Load(),
		LimitSockets: c.limitSockets.Load(), LimitRate: c.limitRate.Load(), LimitCaller: c.limitCaller.Load(), LimitTarget: c.limitTarget.Load(),
		SmallWindows:   c.smallWindows.Load(),
		WindowOverruns: c.windowOverruns.Load(), WindowOverflows: c.windowOverflows.Load(), NumbersReused: c.numbersUsed.Load(),
		StrayLoops: c.strayLoops.Load(), Strays: c.strays.Load(), LeftOut: c.leftOut.Load(),
		Panics: c.panics.Load(),
	}
	for i := range c.ended {
		st.Ended[i] = c.ended[i].Load()
	}
	return st
}
