package legacy

import (
	"sync"

	"encke/buffer"
	"encke/cause"
	"encke/tcpsocket"
)

// Sockets are the sockets of one stream. Bytes for a backend that does not take them at
// once are queued, and Room tells when more may come.
type Sockets struct {
	Carrier
	group   *tcpsocket.Group
	buffers *Buffers
	done    chan struct{} // closed by Close
	idle    chan struct{} // closed when, after that, the last socket has ended

	mu   sync.Mutex
	live map[*Socket]struct{}
	over *cause.Error
}

// NewSockets returns the sockets of a client, none yet. The caller must call Close.
func NewSockets(group *tcpsocket.Group, carrier Carrier, budget *buffer.Budget) *Sockets {
	done := make(chan struct{})
	return &Sockets{
		Carrier: carrier, group: group, buffers: NewBuffers(budget, done, group.Go),
		done: done, idle: make(chan struct{}), live: make(map[*Socket]struct{}),
	}
}

// Room returns when the client may send more. False: the stream is over, or gone is closed.
func (s *Sockets) Room(gone <-chan struct{}) bool {
	select {
	case <-s.done:
		return false
	default:
		return s.buffers.Wait(gone)
	}
}

// Send is as in Carrier. What waits to be sent is counted.
func (s *Sockets) Send(p []byte) error {
	s.buffers.Hold(cap(p))
	defer s.buffers.Hold(-cap(p))
	return s.Carrier.Send(p)
}

// Hold counts n bytes more of what the client has sent and no backend gets yet.
func (s *Sockets) Hold(n int) { s.buffers.Hold(n) }

// Close ends all sockets: cleanly for the cause Closed, so that their backends get what
// was sent before, else backends are reset.
func (s *Sockets) Close(why *cause.Error) {
	s.mu.Lock()
	if s.over != nil {
		s.mu.Unlock()
		return
	}
	s.over = why
	close(s.done)
	all := make([]*Socket, 0, len(s.live))
	for k := range s.live {
		all = append(all, k)
	}
	s.mu.Unlock()
	if why.Code != cause.Closed {
		s.group.Close(why)
	}
	for _, k := range all {
		k.Close()
	}
	if len(all) == 0 {
		s.finish(why)
	}
}

// ended forgets a socket. The group ends with the last one after Close.
func (s *Sockets) ended(k *Socket) {
	k.backlog.Drop()
	s.mu.Lock()
	delete(s.live, k)
	over := s.over
	if len(s.live) > 0 {
		over = nil
	}
	s.mu.Unlock()
	if over != nil {
		s.finish(over)
	}
}

// finish is called when no socket is left, behind Close.
func (s *Sockets) finish(why *cause.Error) {
	s.group.Close(why)
	s.buffers.end()
	close(s.idle)
}

// Wait returns when all sockets have ended, after Close.
func (s *Sockets) Wait() { <-s.idle }
