package tcpsocket

import "time"

// rate lets things happen at most perSecond times a second on average, and burst
// times at once. It is guarded by its owner's lock.
type rate struct {
	perSecond, burst int

	used float64 // of burst
	at   time.Time
}

// allow reports whether it may happen once more now.
func (r *rate) allow(now time.Time) bool {
	if !r.at.IsZero() {
		r.used = max(0, r.used-now.Sub(r.at).Seconds()*float64(r.perSecond))
	}
	r.at = now
	if r.used+1 > float64(r.burst) {
		return false
	}
	r.used++
	return true
}
