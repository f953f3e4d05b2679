package cgroup

import (
	"os"
	"runtime/debug"
)

// garbage is how much may lie about before it is collected, in percent of what is in
// use. Go's own 100 lets the buffers of pages that do not read weigh twice.
const garbage = 50

// largestBallast lets 16 MiB of garbage lie about in any case. With little in use a busy
// proxy would collect dozens of times a second otherwise, and throw away what it keeps in
// pools each time.
const largestBallast = 32 << 20

// Ballast counts as memory in use, of which the garbage may be so many percent. It is
// never touched, so the system gives no memory for it.
type Ballast []byte

// Collect makes the Go runtime collect garbage earlier than it would by itself when much
// is in use, and later when little is, unless GOGC says something else. limit is that of
// memory in bytes, of which the ballast may not be a large part; 0: none. The ballast is
// for GiveBack, which holds on to it.
func Collect(limit int64) Ballast {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(garbage)
	size := int64(largestBallast)
	if limit > 0 {
		size = min(size, limit/16)
	}
	return make(Ballast, size)
}
