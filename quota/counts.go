package quota

import (
	"net/netip"
	"sync"
)

// Counts bounds how many things each address has at a time. It holds one number for
// each address that has any.
type Counts struct {
	limit int

	mu   sync.Mutex
	have map[netip.Addr]int
}

// NewCounts returns a Counts that lets each address have up to limit things; a
// negative limit is none.
func NewCounts(limit int) *Counts {
	return &Counts{limit: limit, have: make(map[netip.Addr]int)}
}

// Take counts one more thing of this key, or reports false when that is too many.
// Each success must be followed by one Give.
func (c *Counts) Take(key netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit >= 0 && c.have[key] >= c.limit {
		return false
	}
	c.have[key]++
	return true
}

// Give counts one thing less of this key.
func (c *Counts) Give(key netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.have[key]; n > 1 {
		c.have[key] = n - 1
	} else {
		delete(c.have, key)
	}
}

// Len returns the number of addresses that have something.
func (c *Counts) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.have)
}
