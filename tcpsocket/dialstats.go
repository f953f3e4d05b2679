package tcpsocket

import (
	"sync"
	"sync/atomic"
	"time"

	"encke/cause"
)

// DialStats are counters of a Dialer; all only grow.
type DialStats struct {
	Dials     uint64              // destinations asked for
	Connected uint64              // of these, how many were reached
	Failed    [cause.Count]uint64 // and how many were not, by what the page was told

	DeniedNames     uint64 // no rule allows the host and port; nothing was looked up
	DeniedAddresses uint64 // the name is allowed, an address it resolves to is not

	LookupFailures  uint64 // the name does not resolve
	LookupTimeouts  uint64 // the name server did not answer within DNSTimeout
	ConnectTimeouts uint64 // no address answered within ConnectTimeout
	NoDescriptor    uint64 // the process had no descriptor left
	LeftOut         uint64 // lines about denied targets that were not logged
}

// dialCounters are DialStats while they are counted.
type dialCounters struct {
	dials, connected               atomic.Uint64
	failed                         [cause.Count]atomic.Uint64
	deniedNames, deniedAddresses   atomic.Uint64
	lookupFailures, lookupTimeouts atomic.Uint64
	connectTimeouts, noDescriptor  atomic.Uint64
	leftOut                        atomic.Uint64
}

// Stats returns the counters.
func (d *Dialer) Stats() DialStats {
	c := &d.count
	st := DialStats{
		Dials: c.dials.Load(), Connected: c.connected.Load(),
		DeniedNames: c.deniedNames.Load(), DeniedAddresses: c.deniedAddresses.Load(),
		LookupFailures: c.lookupFailures.Load(), LookupTimeouts: c.lookupTimeouts.Load(),
		ConnectTimeouts: c.connectTimeouts.Load(), NoDescriptor: c.noDescriptor.Load(),
		LeftOut: c.leftOut.Load(),
	}
	for i := range c.failed {
		st.Failed[i] = c.failed[i].Load()
	}
	return st
}

// deniedLog bounds the lines about denied targets: 100 at once, then 10 a second.
type deniedLog struct {
	mu      sync.Mutex
	lines   rate
	leftOut int
}

// allow reports whether one more line may be logged, and how many were left out
// before it.
func (l *deniedLog) allow() (ok bool, leftOut int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.lines.allow(time.Now()) {
		l.leftOut++
		return false, 0
	}
	leftOut, l.leftOut = l.leftOut, 0
	return true, leftOut
}
