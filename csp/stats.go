package csp

import (
	"sync/atomic"

	"encke/cause"
)

// Stats are counters of a Server. Those that are "now" go up and down, all others
// only grow.
type Stats struct {
	Live     int   // sessions now
	Retained int64 // bytes queued and kept now, of the Budget and all who share it
	Budget   int64 // bytes of the Budget

	Opened  uint64              // sessions made
	Resumed uint64              // lookups by id that found a live session
	Unknown uint64              // lookups by id that did not, whatever was wrong with it
	Closed  [cause.Count]uint64 // sessions by the cause of their end

	// New sessions that were refused.
	RefusedSessions uint64 // there were MaxSessions
	RefusedBudget   uint64 // the Budget was tight
	RefusedDraining uint64 // the process was stopping
	RefusedKeys     uint64 // the opening key was that of another origin's session

	// Links.
	Attached  uint64 // downlinks that began
	Displaced uint64 // links displaced by a newer one, dead ones included
	TakeOvers uint64 // of these, how many displaced a live link that had done the same

	// Packets.
	Repeats       uint64 // packets dropped because they had been delivered, or are held
	OutOfOrder    uint64 // packets held because one before them was missing
	Retransmitted uint64 // packets that a new link had to carry again

	// Sessions by what ended them, finer than Closed.
	Expired        uint64 // no link for Linger
	HalfOpen       uint64 // no second request for HalfOpen
	OutLived       uint64 // older than Lifetime
	Gaps           uint64 // a packet did not arrive for GapTimeout
	WindowOverruns uint64 // packets too far above a gap
	OptimisticAcks uint64 // an acknowledgement of what was never sent
	TakeOverLoops  uint64 // two clients that took the session from each other
	UnreadAnswers  uint64 // much was answered and nothing taken
	Shed           uint64 // closed to relieve the Budget
	IDsUsedUp      uint64 // packet ids came near their end
}

// counters are the part of Stats that sessions count. A client's session has its
// own, which nobody reads.
type counters struct {
	attached, displaced, takeOvers                       atomic.Uint64
	repeats, outOfOrder, retransmitted                   atomic.Uint64
	expired, halfOpen, outLived, gaps, windowOverruns    atomic.Uint64
	optimisticAcks, takeOverLoops, unreadAnswers, usedUp atomic.Uint64
	shed                                                 atomic.Uint64
}

func (c *counters) fill(st *Stats) {
	st.Attached, st.Displaced, st.TakeOvers = c.attached.Load(), c.displaced.Load(), c.takeOvers.Load()
	st.Repeats, st.OutOfOrder, st.Retransmitted = c.repeats.Load(), c.outOfOrder.Load(), c.retransmitted.Load()
	st.Expired, st.HalfOpen, st.OutLived = c.expired.Load(), c.halfOpen.Load(), c.outLived.Load()
	st.Gaps, st.WindowOverruns, st.OptimisticAcks = c.gaps.Load(), c.windowOverruns.Load(), c.optimisticAcks.Load()
	st.TakeOverLoops, st.UnreadAnswers = c.takeOverLoops.Load(), c.unreadAnswers.Load()
	st.Shed, st.IDsUsedUp = c.shed.Load(), c.usedUp.Load()
}

// Stats returns the counters.
func (v *Server) Stats() Stats {
	v.mu.Lock()
	st := v.stats
	st.Live = len(v.sessions)
	v.mu.Unlock()
	v.opts.count.fill(&st)
	st.Retained, st.Budget = v.opts.Budget.Used(), v.opts.Budget.Limit()
	return st
}
