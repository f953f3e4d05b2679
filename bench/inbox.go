package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// inboxBound is how many bytes an inbox takes before Put waits.
const inboxBound = 1 << 20

// inbox is a bounded queue of bytes between a reader that demultiplexes and a stream, which
// one goroutine at a time reads.
type inbox struct {
	mu     sync.Mutex
	cond   *sync.Cond
	buf    bytes.Buffer
	err    error
	into   []byte // where the waiting Read wants its bytes; Fill takes it
	busy   bool   // Fill has it
	filled int    // bytes that Fill has put there
	came   time.Time
	drops  func(n int) // is told of bytes, which are not kept; nil: they are
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
	if drops := b.drops; drops != nil {
		b.mu.Unlock()
		drops(len(p))
		return
	}
	b.buf.Write(p)
	b.came = time.Now()
	b.cond.Broadcast()
	b.mu.Unlock()
}

// Fill takes n bytes from src, to where a Read waits for them if one does, without another
// copy, else by way of scratch.
func (b *inbox) Fill(src io.Reader, n int, scratch []byte) error {
	for n > 0 {
		b.mu.Lock()
		into := b.into
		if b.busy = into != nil && b.buf.Len() == 0; b.busy {
			b.into = nil
		} else {
			into = scratch
		}
		b.mu.Unlock()
		k, err := io.ReadFull(src, into[:min(len(into), n)])
		if n -= k; !b.busy {
			b.Put(into[:k])
		} else {
			b.mu.Lock()
			b.busy, b.filled, b.came = false, k, time.Now()
			b.cond.Broadcast()
			b.mu.Unlock()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// drop drops what is there and what comes, tells f of so many bytes, and waits for the end.
// Nobody may Read. f is called by one goroutine at a time: first by this one.
func (b *inbox) drop(f func(n int)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n := b.buf.Len(); n > 0; n = b.buf.Len() {
		b.buf.Reset()
		b.cond.Broadcast()
		b.mu.Unlock()
		f(n)
		b.mu.Lock()
	}
	b.drops = f
	for b.err == nil {
		b.cond.Wait()
	}
}

// Drain implements drainer.
func (b *inbox) Drain(got *atomic.Int64) { b.drop(func(n int) { got.Add(int64(n)) }) }

// arrived returns when the last bytes came: a page has them then, and need not be woken.
func (b *inbox) arrived() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.came
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
	for b.buf.Len() == 0 || b.busy {
		if b.err != nil && !b.busy {
			return 0, b.err
		}
		if !b.busy {
			b.into = p
		}
		b.cond.Wait()
		if n := b.filled; n > 0 {
			b.filled = 0
			return n, nil
		}
	}
	b.into = nil
	n, _ := b.buf.Read(p)
	b.cond.Broadcast()
	return n, nil
}
