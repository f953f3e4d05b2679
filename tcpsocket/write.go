package tcpsocket

import (
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"encke/buffer"
	"encke/cause"
)

// This file is the way of a socket's bytes to its backend. At any time one
// goroutine is writing (writeBusy): Mux.Receive, which only writes what the
// backend takes at once, or a writer goroutine that lives until the queue is
// empty.

// receive notes the next piece from the page. It is written by flush, at the end
// of the Receive that brought it.
func (s *socket) receive(p []byte) error {
	s.mu.Lock()
	s.credits -= len(p)
	overdrawn, done := s.credits < 0, s.said != pageSends
	s.mu.Unlock()
	switch {
	case overdrawn:
		s.m.server.count.windowOverruns.Add(1)
		return cause.ProtocolError.With("socket %d sent more than its window", s.id)
	case done:
		return cause.ProtocolError.With("socket %d sent data after its end", s.id)
	}
	s.markDirty()
	if s.batch == nil {
		s.batch = pieceLists.Get().(*[][]byte)
	}
	*s.batch = append(*s.batch, p)
	return nil
}

// finish notes that the page sends no more; closing: and takes no more either.
func (s *socket) finish(closing bool) {
	if s.batch != nil { // before a writer may see that it has written the last
		s.flush()
	}
	s.mu.Lock()
	if closing {
		s.said = pageClosed
	} else {
		s.said = max(s.said, pageEnded)
	}
	pointless := closing && s.conn == nil && len(s.queue) == 0 // nothing to deliver: do not even connect
	s.limitClosing()
	s.mu.Unlock()
	if closing {
		s.m.turns.forget(s)
		s.wake() // from now on the backend is read to throw it away
	}
	if pointless {
		s.abort(cause.Closed.Err(), true)
		return
	}
	s.markDirty()
}

// wind ends the socket as a CLOSE does, after the session has ended.
func (s *socket) wind() {
	s.mu.Lock()
	s.said = pageClosed
	pointless := s.conn == nil && len(s.queue) == 0
	waits := s.conn != nil && (s.writing == writeIdle || s.writing == writeFinished) // else whoever writes goes on
	if waits {
		s.writing = writeBusy
	}
	s.limitClosing()
	s.mu.Unlock()
	s.m.turns.forget(s)
	s.wake()
	switch {
	case pointless:
		s.abort(cause.Closed.Err(), false)
	case waits:
		s.continueWriting()
	}
}

// limitClosing bounds, with mu held, how long a backend may take the rest.
func (s *socket) limitClosing() {
	if s.said == pageClosed && s.conn != nil {
		s.conn.SetWriteDeadline(time.Now().Add(s.m.server.opts.CloseTimeout))
	}
}

func (s *socket) markDirty() {
	if !s.dirty {
		s.dirty = true
		s.m.dirty = append(s.m.dirty, s)
	}
}

// pieceLists holds what Receive brings, piece by piece, until it is written: no socket
// keeps the space for it.
var pieceLists = sync.Pool{New: func() any { return new([][]byte) }}

// keptPieces is for how many pieces a list is kept. A page may send its window in frames
// of one byte each; their list is 24 times that.
const keptPieces = 4096

// flush writes what this Receive brought, as far as the backend takes it at once,
// and queues the rest.
func (s *socket) flush() {
	s.dirty = false
	if s.batch == nil {
		s.write(nil)
		return
	}
	list := s.batch
	s.batch = nil
	s.write(*list)
	clear(*list)
	if *list = (*list)[:0]; cap(*list) <= keptPieces {
		pieceLists.Put(list)
	}
}

// write is flush of the pieces in batch.
func (s *socket) write(batch [][]byte) {
	s.mu.Lock()
	switch {
	case s.over, s.writing == writeFailed, s.writing == writeFinished && s.said == pageEnded:
		s.mu.Unlock()
		return
	case s.conn == nil, s.writing == writeBusy:
		s.enqueue(batch)
		s.mu.Unlock()
		return
	}
	s.writing = writeBusy
	s.mu.Unlock()

	rest, written, err := s.tryWrite(batch)
	if written > 0 {
		s.took(written)
	}
	s.mu.Lock()
	if err != nil {
		s.writing = writeFailed
	} else if !s.over {
		s.enqueue(rest)
	}
	s.mu.Unlock()
	s.continueWriting()
}

// enqueue copies the pieces to the queue, with mu held.
func (s *socket) enqueue(batch [][]byte) {
	total := 0
	for _, p := range batch {
		total += len(p)
	}
	s.queued += total
	s.account.Set(s.queued)
	for _, p := range batch {
		for len(p) > 0 {
			last := len(s.queue) - 1
			if last < 0 || len(s.queue[last].Room()) == 0 {
				s.queue = append(s.queue, buffer.Get(min(total, buffer.Max)))
				last++
			}
			b := s.queue[last]
			n := copy(b.Room(), p)
			b.Extend(n)
			p = p[n:]
			total -= n
		}
	}
}

// continueWriting is called by whoever was writing: it starts a writer goroutine
// when something is queued, ends the stream when the page has ended it, or lets
// go.
func (s *socket) continueWriting() {
	s.mu.Lock()
	switch {
	case s.over:
		s.writing = writeIdle
	case s.writing == writeFailed:
		s.dropQueue()
		s.endWithoutProgress(s.out)
	case len(s.queue) > 0:
		conn := s.conn
		s.m.server.wg.Go(s.confined(func() { s.writeQueue(conn) })) // ends when the queue is empty or conn is closed
	case s.said != pageSends:
		s.writing = writeFinished
		conn, closing, ended := s.conn, s.said == pageClosed, s.reading == readEnded
		s.mu.Unlock()
		s.shut(conn, closing, ended)
		return
	default:
		s.writing = writeIdle
	}
	s.mu.Unlock()
}

// endWithoutProgress ends, with mu held, a socket whose backend takes nothing any
// more. What the backend said before can still be read; the end comes when none of
// it was for a second, since out bytes had been.
func (s *socket) endWithoutProgress(out uint64) {
	wait := time.Second
	if s.reading == readEnded {
		wait = 0
	}
	time.AfterFunc(wait, func() {
		s.mu.Lock()
		if !s.over && s.reading == readOpen && s.out != out {
			s.endWithoutProgress(s.out)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		s.abort(cause.Reset.With("by the backend"), true)
	})
}

// writeQueue writes until the queue is empty.
func (s *socket) writeQueue(conn net.Conn) {
	for s.writeNext(conn, true) {
	}
	s.continueWriting()
}

// writeNext writes the first buffer of the queue, see writeBuffer, and reports whether to go on.
func (s *socket) writeNext(conn net.Conn, mayWait bool) bool {
	s.mu.Lock()
	b := s.next()
	s.mu.Unlock()
	return b != nil && s.writeBuffer(conn, b, mayWait)
}

// next takes, with mu held, the first buffer from the queue, if it is to be written.
func (s *socket) next() *buffer.Buffer {
	if len(s.queue) == 0 || s.over || s.writing == writeFailed {
		return nil
	}
	b := s.queue[0]
	s.queue = append(s.queue[:0], s.queue[1:]...)
	s.limitClosing()
	return b
}

// writeBuffer writes b, unless it may wait only as far as the backend takes it at once, and
// reports whether that was all.
func (s *socket) writeBuffer(conn net.Conn, b *buffer.Buffer, mayWait bool) bool {
	n, write := b.Len(), s.tryWriteAll
	if mayWait {
		write = s.writeAll
	}
	err := write(conn, b)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unqueued(n - b.Len())
	if err != nil {
		s.writing = writeFailed
	} else if b.Len() > 0 && !s.over {
		s.queue = slices.Insert(s.queue, 0, b)
		return false
	}
	b.Release()
	return true
}

// tryWriteAll is writeAll as far as the backend takes it at once.
func (s *socket) tryWriteAll(_ net.Conn, b *buffer.Buffer) error {
	n, err := s.writer.TryWrite(b.Bytes())
	b.Trim(n)
	if n > 0 {
		s.took(n)
	}
	return err
}

// writeAll writes b. While the socket is closing it goes on as long as the backend
// takes anything within CloseTimeout.
func (s *socket) writeAll(conn net.Conn, b *buffer.Buffer) error {
	for {
		n, err := conn.Write(b.Bytes())
		b.Trim(n)
		if n > 0 {
			s.took(n)
		}
		if b.Len() == 0 {
			return nil
		}
		if n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		s.mu.Lock()
		s.limitClosing()
		s.mu.Unlock()
	}
}

// shut passes the page's end to the backend, after everything was written.
func (s *socket) shut(conn net.Conn, closing, ended bool) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	switch {
	case ended: // nobody reads any more
		conn.Close()
		s.end(cause.Closed.Err(), closing)
	case closing:
		s.readUntil(time.Now().Add(lingerTime))
		s.wake()
		s.end(cause.Closed.Err(), true)
	}
}

// readUntil bounds how long the backend is still read.
func (s *socket) readUntil(t time.Time) {
	if s.reader != nil {
		s.reader.Until(t)
	} else { // of a Group, whose user reads
		s.conn.SetReadDeadline(t)
	}
}

// took counts n bytes that the backend took, and gives them back to the page as
// credit when they are a good piece of the window.
func (s *socket) took(n int) {
	s.m.server.count.in.Add(uint64(n))
	s.mu.Lock()
	s.in += uint64(n)
	s.spent += n
	give := 0
	if s.spent >= s.span/4 && s.said == pageSends && !s.over {
		give = s.spent
		s.credits += give
		s.spent = 0
	}
	s.mu.Unlock()
	if give > 0 {
		s.m.send(&Frame{Type: Window, Socket: s.id, N: uint64(give)})
	}
}

func (s *socket) dropQueue() {
	for _, b := range s.queue {
		b.Release()
	}
	s.queue = nil
	s.unqueued(s.queued)
}

// unqueued counts, with mu held, n bytes that are not kept any more. At the end of
// the socket none are.
func (s *socket) unqueued(n int) {
	s.queued = max(s.queued-n, 0)
	s.account.Set(s.queued)
}
