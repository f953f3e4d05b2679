package legacy

import (
	"context"
	"errors"
	"io"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/tcpsocket"
	"encke/whitelist"
)

// Socket is one socket of a stream. Its methods do not wait.
type Socket struct {
	s       *Sockets
	events  Events
	backlog *Backlog
	settled chan struct{} // closed when the backend has what was sent before Close, or never will
}

// Events are told in a goroutine of the socket, one after the other. They may wait.
type Events interface {
	Opened()
	Data(p []byte) error // does not keep p; an error says that the stream is over
	Ended(*cause.Error)  // not after Close
}

// Backend is the far end of a socket.
type Backend interface {
	Far // is written to in pieces as they were given to Socket.Write
	// Next waits for what it says next, which is valid until Next or Release is called.
	Next() ([]byte, error)
	Release()
}

// Upgrade makes something else of a new connection to a backend. It ends when ctx does.
type Upgrade func(ctx context.Context, b *tcpsocket.Backend, floor *Floor) (Backend, error)

// plain is a Backend whose pieces mean nothing.
type plain struct {
	*tcpsocket.Backend
	*Reader
}

// Next is as in Backend.
func (p plain) Next() ([]byte, error) {
	b, err := p.Reader.Next()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// readBytes is how much is read from a backend at a time.
const readBytes = 16<<10 - buffer.Headroom

// Open opens a socket to dest. upgrade may be nil.
func (s *Sockets) Open(dest whitelist.Dest, upgrade Upgrade, events Events) *Socket {
	ctx, cancel := context.WithCancel(context.Background())
	k := &Socket{s: s, events: events, settled: make(chan struct{})}
	k.backlog = s.buffers.Backlog(nil, func() {
		cancel() // with nothing to deliver it is not even connected
		close(k.settled)
	})
	k.backlog.messages = upgrade != nil
	s.mu.Lock()
	over := s.over != nil
	if !over {
		s.live[k] = struct{}{}
	}
	s.mu.Unlock()
	if over { // the session ended while its client asked: nobody wants it
		k.Close()
		return k
	}
	s.group.Go(func() { // ends when the backend or the group does
		defer s.ended(k)
		defer cancel()
		backend, try, err := s.dial(ctx, dest, upgrade, k.backlog.Floor())
		if err != nil {
			why := cause.Internal.Err()
			errors.As(err, &why)
			k.tell(why)
			return
		}
		defer backend.Release()
		events.Opened()
		k.backlog.Start(backend, try)
		k.read(backend)
	})
	return k
}

// dial connects to a backend. try is nil if all has to be written in a way that waits.
func (s *Sockets) dial(ctx context.Context, dest whitelist.Dest, upgrade Upgrade, floor *Floor) (to Backend, try func([]byte) (int, error), err error) {
	b, err := s.group.Dial(ctx, dest, tcpsocket.OpenOptions{NoDelay: true, KeepAlive: 15 * time.Second})
	if err != nil {
		return nil, nil, err
	}
	if upgrade == nil {
		return plain{b, NewReader(b, readBytes, floor)}, b.Writer(), nil
	}
	to, err = upgrade(ctx, b, floor)
	if err != nil {
		why := cause.Refused.Err()
		errors.As(err, &why)
		b.Fail(why)
		return nil, nil, why
	}
	return to, nil, nil
}

// Write sends a copy of p to the backend, as soon as it is connected.
func (k *Socket) Write(p []byte) { k.backlog.Put(buffer.Copy(p)) }

// Close ends the socket because its client does. The backend gets what was sent before, and
// the client is told nothing any more.
func (k *Socket) Close() { k.backlog.End() }

// read passes on what the backend says, until it ends.
func (k *Socket) read(b Backend) {
	for {
		p, err := b.Next()
		if err == nil && !k.backlog.Ended() && k.events.Data(p) != nil {
			k.leave(b)
			return
		}
		switch {
		case err == nil:
		case k.backlog.Ended():
			<-k.settled
			return
		case err == io.EOF: // there is no half-close
			k.tell(cause.Closed.Err())
			k.Close()
			<-k.settled
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
			<-k.settled
			return
		}
	}
}

// tell reports the end of the socket, unless the client has closed it.
func (k *Socket) tell(why *cause.Error) {
	if !k.backlog.Ended() {
		k.events.Ended(why)
	}
}
