package legacy

import (
	"sync"

	"encke/buffer"
)

const (
	// clientBytes is how much of one client may wait for all its backends when more is read
	// of it, beside the piece that comes then. None of the older protocols but Wisp can tell a
	// client to stop one socket, so a backend that takes nothing holds up the others.
	clientBytes = 256 << 10

	// spareBytes is the same when memory is short.
	spareBytes = 64 << 10
)

// Buffers are all that is kept of one client outside its session: what waits for its
// backends, a Backlog for each, and what one of these has said while the client does not take
// it, see Floor. The budget of the proxy counts it.
type Buffers struct {
	budget *buffer.Budget
	over   <-chan struct{} // closed when the client takes and says nothing any more
	run    func(func())    // in a goroutine that ends when backends do
	floor  chan struct{}   // full: somebody has it, see Floor

	mu      sync.Mutex // guards the backlogs, too
	account buffer.Account
	queued  int           // cost of all backlogs
	held    int           // bytes on their way to the client, or of a message that is under way
	changed chan struct{} // closed when less is queued; nil: nobody waits for that
	ended   bool          // nothing is counted any more
}

// NewBuffers returns those of a new client. over is closed when that is gone; run runs what
// writes to backends.
func NewBuffers(budget *buffer.Budget, over <-chan struct{}, run func(func())) *Buffers {
	return &Buffers{budget: budget, over: over, run: run, floor: make(chan struct{}, 1), account: budget.Account()}
}

// Wait returns when the client may send more. False: it is gone, or gone is closed.
func (a *Buffers) Wait(gone <-chan struct{}) bool {
	for {
		a.mu.Lock()
		if a.queued <= spareBytes || a.queued <= clientBytes && !a.budget.Tight() {
			a.mu.Unlock()
			return true
		}
		if a.changed == nil {
			a.changed = make(chan struct{})
		}
		changed := a.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-gone:
			return false
		case <-a.over:
			return false
		}
	}
}

// queue counts n more that wait for backends, with mu held.
func (a *Buffers) queue(n int) {
	a.queued += n
	a.count()
	if n < 0 && a.changed != nil {
		close(a.changed)
		a.changed = nil
	}
}

// Hold counts n more that are on their way to the client, or come from it.
func (a *Buffers) Hold(n int) {
	a.mu.Lock()
	a.held += n
	a.count()
	a.mu.Unlock()
}

// count tells the budget, with mu held.
func (a *Buffers) count() {
	if !a.ended {
		a.account.Set(a.queued + a.held)
	}
}

// end gives everything back: the backends are gone, and what was kept for them is garbage.
func (a *Buffers) end() {
	a.mu.Lock()
	a.account.Set(0)
	a.ended = true
	a.mu.Unlock()
}

// cost is what n bytes that wait count: small pieces do not cost less memory than this.
func cost(n int) int { return max(n, minCost) }

// minCost is the size of the smallest buffer.
const minCost = 256
