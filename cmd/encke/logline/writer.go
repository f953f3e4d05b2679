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
	lines   []byte // not yet written
	n       int    // how many
	size    int    // bytes of them, and of those that are being written
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
	w.lines = append(w.lines, line...)
	w.n++
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

// pause is how soon after a write the next one follows. Lines that come meanwhile are
// written together.
const pause = 5 * time.Millisecond

func (w *Writer) run() {
	defer close(w.done)
	var spare []byte
	for {
		w.mu.Lock()
		for w.n == 0 && !w.closed {
			w.wake.Wait()
		}
		lines, n, closed := w.lines, w.n, w.closed
		w.lines, w.n = spare[:0], 0
		w.mu.Unlock()
		if n == 0 {
			return
		}
		_, err := w.out.Write(lines)
		w.mu.Lock()
		w.size -= len(lines)
		if err != nil {
			w.dropped += uint64(n)
		}
		w.mu.Unlock()
		if spare = lines; cap(spare) > keptLines {
			spare = nil
		}
		if !closed {
			time.Sleep(pause)
		}
	}
}

// keptLines is for how many bytes of lines space is kept.
const keptLines = 16 << 10

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
