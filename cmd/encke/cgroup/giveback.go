package cgroup

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The proxy counts as quiet when it allocates less than quietBytes from one look to the
// next, twice: what it does by itself within a second after it became idle frees memory too
// (goroutines are exchanged for some with smaller stacks, rawconn, and net/http lets go of
// connections, edge). Tidying up is worth it when it has allocated leastWorth since the last
// time, and a quarter of what was in use then: a collection costs what is in use.
const (
	look       = 500 * time.Millisecond
	quietBytes = 128 << 10
	leastWorth = 4 << 20
)

// GiveBack makes the process collect its garbage and give what is free back to the system
// once it has become quiet. By itself the Go runtime collects when the heap has grown,
// which an idle proxy's does not, or after two minutes, and gives back slowly. A proxy that
// stays busy is left alone. drop is called before, to let go of what is kept for work. The
// returned function ends it, and lets go of the ballast.
func GiveBack(ballast Ballast, drop func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends when stop is called
		defer close(ended)
		defer runtime.KeepAlive(ballast)
		tick := time.NewTicker(look)
		defer tick.Stop()
		q := quiet{worth: leastWorth}
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if now, _ := heap(); q.due(now) {
				drop()
				runtime.GC() // what pools hold is free only after a second one
				debug.FreeOSMemory()
				now, used := heap()
				q.tidied(now, used-uint64(len(ballast)))
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// heap returns how many bytes were ever allocated, and how many are in use.
func heap() (allocated, used uint64) {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64(), s[1].Value.Uint64()
}

// quiet finds out when nothing happens after something did. Its times are numbers of
// allocated bytes.
type quiet struct {
	seen  uint64 // the last look
	still bool   // it was quiet then
	tidy  uint64 // when it was tidied up last
	worth uint64
}

// due reports whether now is the time to tidy up.
func (q *quiet) due(now uint64) bool {
	before := q.still
	q.still = now-q.seen < quietBytes
	q.seen = now
	return before && q.still && now-q.tidy >= q.worth
}

// tidied notes that it was, and what is left.
func (q *quiet) tidied(now, used uint64) {
	q.seen, q.tidy, q.worth = now, now, max(leastWorth, used/4)
}
