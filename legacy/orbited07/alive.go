package orbited07

import (
	"time"

	"encke/cause"
)

// This file is how each side knows that the other is there.

// closeTime is how long a session is kept when its client was told that the backend has
// closed, so that it can be told again. The client drops the session and says nothing.
const closeTime = 30 * time.Second

// due is what has to be said because the client says nothing.
type due uint8

const (
	nothingDue due = iota
	pingDue
	timeoutDue
)

// hear notes that a request has come; opened: one that shows that the client got "open".
func (c *conn) hear(opened bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard, c.pinged = time.Now(), time.Time{}
	c.opened = c.opened || opened
}

// toOpen returns what a client that has got ack must still get to open.
func (c *conn) toOpen(ack uint64) []packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opened {
		return nil
	}
	return opening[min(ack, offset):]
}

// patience is how long it is until silence says something.
func (c *conn) patience() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Until(c.dueAt())
}

// dueAt is when the next ping or timeout is due, with mu held.
func (c *conn) dueAt() time.Time {
	if c.pinged.IsZero() {
		return c.heard.Add(pingInterval * time.Second)
	}
	return c.pinged.Add(pingTimeout * time.Second)
}

// silence returns what is due now. A ping is due once.
func (c *conn) silence() due {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch now := time.Now(); {
	case now.Before(c.dueAt()):
		return nothingDue
	case c.pinged.IsZero():
		c.pinged = now
		return pingDue
	}
	return timeoutDue
}

// said notes that the client is being told that the backend has closed.
func (c *conn) said() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending == nil && c.s.Err() == nil {
		c.ending = time.AfterFunc(closeTime, func() { c.s.Close(cause.Closed.Err()) })
	}
}
