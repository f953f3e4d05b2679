package edge

import "sync/atomic"

// Descriptors says how near the process is to its limit of open files. Connections of
// clients are counted by the Listener, what else is open is asked for.
type Descriptors struct {
	limit int
	base  int        // open at the start, and what may come beside connections
	other func() int // connections to backends now
	conns atomic.Int64
}

// spare is set aside for what is open beside connections: files, name servers,
// attempts to connect to a second address.
const spare = 24

// NewDescriptors returns a Descriptors for a limit; 0: the soft limit of the process,
// which the Go runtime has raised to the hard one. Backends returns how many
// connections to backends there are.
func NewDescriptors(limit int, backends func() int) *Descriptors {
	if limit == 0 {
		limit = softLimit()
	}
	return &Descriptors{limit: limit, base: openNow() + spare, other: backends}
}

// Limit returns the limit.
func (d *Descriptors) Limit() int { return d.limit }

// Used returns about how many descriptors are in use, with a reserve.
func (d *Descriptors) Used() int { return d.base + int(d.conns.Load()) + d.other() }

// Scarce reports that 90 % are in use: no connections are accepted and no sessions
// made. The rest is for the sockets of the sessions there are.
func (d *Descriptors) Scarce() bool { return d.Used() >= d.limit/10*9 }

// Out reports that there is none for another connection to a backend.
func (d *Descriptors) Out() bool { return d.Used() >= d.limit }
