package tcpsocket

import (
	"sync"

	"encke/whitelist"
)

// targets counts the sockets of all sessions by where they go.
type targets struct {
	max int

	mu sync.Mutex
	n  map[whitelist.Dest]int
}

// take counts one more socket to dest, unless there are max.
func (t *targets) take(dest whitelist.Dest) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n[dest] >= t.max {
		return false
	}
	t.n[dest]++
	return true
}

func (t *targets) give(dest whitelist.Dest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n[dest]--; t.n[dest] == 0 {
		delete(t.n, dest)
	}
}
