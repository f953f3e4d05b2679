package legacy

import "sync"

// Turn is taken by one request at a time, in which a client sends something. Clients have
// one such request under way; so when another one comes, that which waits is of a connection
// that is lost, and gives way.
type Turn struct {
	held chan struct{}

	mu   sync.Mutex
	next chan struct{} // closed when another one comes; nil: none waited
}

// NewTurn returns a Turn that nobody has.
func NewTurn() *Turn { return &Turn{held: make(chan struct{}, 1)} }

// Take waits for the turn. False: another request has come, or gone or over is closed.
func (t *Turn) Take(gone, over <-chan struct{}) bool {
	next := make(chan struct{})
	t.mu.Lock()
	if t.next != nil {
		close(t.next)
	}
	t.next = next
	t.mu.Unlock()
	select {
	case t.held <- struct{}{}:
		return true
	case <-next:
	case <-gone:
	case <-over:
	}
	return false
}

// Release gives it back.
func (t *Turn) Release() { <-t.held }
