package legacy

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"encke/cause"
	"encke/tcpsocket"
	"encke/whitelist"
)

// Socket is one socket of a stream. Its methods do not wait.
type Socket struct {
	s      *Sockets
	events Events
	cancel context.CancelFunc // of dialing

	written chan struct{} // closed when the backend has what was sent before Close, or never will

	// Guarded by s.mu.
	backend Backend // nil: it is not connected yet
	queue   [][]byte
	writing bool // there is a goroutine that writes the queue
	closed  bool // by the client: nothing comes any more, and it is told nothing
	failed  bool // the backend takes nothing
}

// Events are told in a goroutine of the socket, one after the other. They may wait.
type Events interface {
	Opened()
	Data(p []byte) error // does not keep p; an error says that the stream is over
	Ended(*cause.Error)  // not after Close
}

// Backend is the far end of a socket.
type Backend interface {
	// Next waits for what the far end says next; it is valid until it is called again.
	Next() ([]byte, error)
	// Write writes a piece as it was given to Socket.Write.
	Write(p []byte) (int, error)
	SetWriteDeadline(time.Time) error
	// Close ends the connection behind what was written; Fail for a cause, at once.
	Close() error
	Fail(*cause.Error)
}

// Upgrade makes something else of a new connection to a backend. It ends when ctx does.
type Upgrade func(ctx context.Context, b *tcpsocket.Backend) (Backend, error)

// Open opens a socket to dest. upgrade may be nil.
func (s *Sockets) Open(dest whitelist.Dest, upgrade Upgrade, events Events) *Socket {
	ctx, cancel := context.WithCancel(context.Background())
	k := &Socket{s: s, events: events, cancel: cancel, written: make(chan struct{})}
	s.mu.Lock()
	over := s.over != nil
	if over { // the session ended while its client asked: nobody wants it
		k.closed = true
	} else {
		s.live[k] = struct{}{}
	}
	s.mu.Unlock()
	if over {
		cancel()
		return k
	}
	s.group.Go(func() { // ends when the backend or the group does
		defer s.ended(k)
		defer cancel()
		backend, err := s.dial(ctx, dest, upgrade)
		if err != nil {
			why := cause.Internal.Err()
			errors.As(err, &why)
			k.tell(why)
			return
		}
		events.Opened()
		k.start(backend)
		k.read(backend)
	})
	return k
}

func (s *Sockets) dial(ctx context.Context, dest whitelist.Dest, upgrade Upgrade) (Backend, error) {
	b, err := s.group.Dial(ctx, dest, tcpsocket.OpenOptions{NoDelay: true, KeepAlive: 15 * time.Second})
	if err != nil {
		return nil, err
	}
	if upgrade == nil {
		return newPlain(b), nil
	}
	u, err := upgrade(ctx, b)
	if err != nil {
		why := cause.Refused.Err()
		errors.As(err, &why)
		b.Fail(why)
		return nil, why
	}
	return u, nil
}

// Write sends a copy of p to the backend, as soon as it is connected.
func (k *Socket) Write(p []byte) {
	if len(p) == 0 {
		return
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	if k.closed || k.failed {
		return
	}
	k.queue = append(k.queue, slices.Clone(p))
	k.s.count(cost(p))
	k.wake()
}

// Close ends the socket because its client does. The backend gets what was sent before.
func (k *Socket) Close() {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	if k.closed {
		return
	}
	k.closed = true
	switch {
	case k.backend != nil:
		k.backend.SetWriteDeadline(time.Now().Add(tailTime))
		k.wake()
	case len(k.queue) == 0:
		k.cancel() // nothing to deliver: do not even connect
	}
}

// start lets the backend have what waits and what comes.
func (k *Socket) start(b Backend) {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	k.backend = b
	if k.closed {
		b.SetWriteDeadline(time.Now().Add(tailTime))
	}
	k.wake()
}

// wake starts, with mu held, a goroutine for what there is to do.
func (k *Socket) wake() {
	if k.writing || k.backend == nil || len(k.queue) == 0 && !k.closed {
		return
	}
	k.writing = true
	k.s.group.Go(k.write) // ends when the queue is empty or the backend takes no more
}

// write writes until the queue is empty, then closes the backend if the client has.
func (k *Socket) write() {
	s := k.s
	s.mu.Lock()
	for len(k.queue) > 0 {
		p := k.queue[0]
		k.queue = k.queue[1:]
		s.mu.Unlock()
		_, err := k.backend.Write(p)
		s.mu.Lock()
		s.count(-cost(p))
		if err != nil {
			k.drop()
		}
	}
	closed, failed := k.closed, k.failed
	k.writing = closed // nothing comes behind that
	s.mu.Unlock()
	switch {
	case closed && failed:
		k.backend.Fail(cause.TimedOut.With("the backend does not take the rest"))
	case closed:
		k.backend.Close()
	}
	if closed {
		close(k.written)
	}
}

// drop throws away, with mu held, what the backend does not take any more.
func (k *Socket) drop() {
	n := 0
	for _, p := range k.queue {
		n += cost(p)
	}
	k.queue, k.failed = nil, true
	k.s.count(-n)
}

// read passes on what the backend says, until it ends.
func (k *Socket) read(b Backend) {
	for {
		p, err := b.Next()
		if len(p) > 0 && !k.isClosed() && k.events.Data(p) != nil {
			k.leave(b)
			return
		}
		switch {
		case err == nil:
		case k.isClosed():
			<-k.written
			return
		case err == io.EOF: // there is no half-close
			k.tell(cause.Closed.Err())
			k.Close()
			<-k.written
			return
		default:
			why := tcpsocket.ReadCause(err)
			errors.As(err, &why)
			b.Fail(why)
			k.tell(why)
			return
		}
	}
}

// leave ends a socket whose client is gone. After a clean end Close of Sockets has
// closed it, or is about to.
func (k *Socket) leave(b Backend) {
	<-k.s.done
	if k.s.over.Code != cause.Closed {
		return // the group is closed
	}
	k.Close()
	for { // until the far end closes too, or the time for it is over
		if _, err := b.Next(); err != nil {
			<-k.written
			return
		}
	}
}

func (k *Socket) isClosed() bool {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	return k.closed
}

// tell reports the end of the socket, unless the client has closed it.
func (k *Socket) tell(why *cause.Error) {
	if !k.isClosed() {
		k.events.Ended(why)
	}
}
