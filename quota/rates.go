package quota

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// MaxAddresses is how many addresses a Rates remembers. The one that was silent for
// longest is forgotten for a new one; it then begins with a full burst, which takes
// nothing from others.
const MaxAddresses = 16 << 10

// Rates bounds how many things each address does in a second.
type Rates struct {
	perSecond, burst int

	mu     sync.Mutex
	known  map[netip.Addr]*list.Element // of *bucket
	recent list.List                    // most recently used first
}

type bucket struct {
	key     netip.Addr
	limiter *rate.Limiter
}

// NewRates returns a Rates that lets each address do perSecond things a second, and
// burst at once after a silence; a negative perSecond is no limit.
func NewRates(perSecond, burst int) *Rates {
	return &Rates{perSecond: perSecond, burst: burst, known: make(map[netip.Addr]*list.Element)}
}

// Allow counts one thing of this key, or reports false when it comes too soon.
func (r *Rates) Allow(key netip.Addr) bool {
	if r.perSecond < 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.known[key]
	if e == nil {
		if r.recent.Len() >= MaxAddresses {
			oldest := r.recent.Back()
			delete(r.known, oldest.Value.(*bucket).key)
			r.recent.Remove(oldest)
		}
		e = r.recent.PushFront(&bucket{key, rate.NewLimiter(rate.Limit(r.perSecond), r.burst)})
		r.known[key] = e
	} else {
		r.recent.MoveToFront(e)
	}
	return e.Value.(*bucket).limiter.AllowN(time.Now(), 1)
}

// Len returns the number of addresses that are remembered.
func (r *Rates) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.known)
}
