package logline

import (
	"io"
	"sync"
	"time"
)

// Writer is an io.Writer that never waits. A goroutine of its own writes; while that
// is stuck, lines are kept up to a bound and then dropped and counted. Lines that
// cannot be written (a full disk) count as dropped too.
type Writer struct {
	out  io.Writer
	done chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex
	wake    *sync.Cond
	lines   [][]byte // not yet written
	size    int      // bytes of them
	closed  bool
	dropped uint64
}

// maxQueue is how many bytes of lines wait for a reader of the log.
const maxQueue = 256 << 10

// NewWriter returns a Writer to out. It must be closed.
func NewWriter(out io.Writer) *Writer {
	w := &Writer{out: out, done: make(chan struct{})}
	w.wake = sync.NewCond(&w.mu)
	go w.run() // ends after Close, when out takes what is left
	return w
}

// Write takes one line. It always succeeds.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.size+len(line) > maxQueue {
		w.dropped++
		return len(line), nil
	}
	w.lines = append(w.lines, append([]byte(nil), line...))
	w.size += len(line)
	w.wake.Signal()
	return len(line), nil
}

// Dropped returns how many lines were dropped so far.
func (w *Writer) Dropped() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

func (w *Writer) run() {
	defer close(w.done)
	for {
		w.mu.Lock()
		for len(w.lines) == 0 && !w.closed {
			w.wake.Wait()
		}
		lines := w.lines
		w.lines = nil
		closed := w.closed
		w.mu.Unlock()
		for _, line := range lines {
			_, err := w.out.Write(line)
			w.mu.Lock()
			w.size -= len(line)
			if err != nil {
				w.dropped++
			}
			w.mu.Unlock()
		}
		if closed && len(lines) == 0 {
			return
		}
	}
}

// patience is how long Close waits for a reader of the log.
const patience = time.Second

// Close writes what is left, unless nobody takes it for a second.
func (w *Writer) Close() error {
	w.mu.Lock()
	w.closed = true
	w.wake.Signal()
	w.mu.Unlock()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-w.done:
	case <-t.C:
	}
	return nil
}
