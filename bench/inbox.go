package main

import (
	"bytes"
	"fmt"
	"sync"
)

// inboxBound is how many bytes an inbox takes before Put waits.
const inboxBound = 1 << 20

// inbox is a bounded queue of bytes between a reader that demultiplexes and a stream.
type inbox struct {
	mu   sync.Mutex
	cond *sync.Cond
	buf  bytes.Buffer
	err  error
}

func newInbox() *inbox {
	b := &inbox{}
	b.cond = sync.NewCond(&b.mu)
	return b
}

// Put adds a copy of p. It waits while the inbox is full.
func (b *inbox) Put(p []byte) {
	b.mu.Lock()
	for b.buf.Len() > inboxBound && b.err == nil {
		b.cond.Wait()
	}
	b.buf.Write(p)
	b.cond.Broadcast()
	b.mu.Unlock()
}

// Fail ends the inbox behind what is in it. Only the first error counts.
func (b *inbox) Fail(err error) {
	b.mu.Lock()
	if b.err == nil {
		b.err = fmt.Errorf("stream ended: %w", err)
	}
	b.cond.Broadcast()
	b.mu.Unlock()
}

// Read waits for bytes.
func (b *inbox) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.buf.Len() == 0 {
		if b.err != nil {
			return 0, b.err
		}
		b.cond.Wait()
	}
	n, _ := b.buf.Read(p)
	b.cond.Broadcast()
	return n, nil
}
