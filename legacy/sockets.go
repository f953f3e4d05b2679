package legacy

import (
	"sync"

	"encke/buffer"
	"encke/cause"
	"encke/tcpsocket"
)

// maxQueued is how many bytes of one client may wait for all its backends, beside those
// of the piece that brings more. None of the older protocols can tell a client to stop one
// socket, so one backend that takes nothing holds up the others.
const maxQueued = 256 << 10

// Sockets are the sockets of one stream. Bytes for a backend that does not take them at
// once are queued, and Room tells when more may come.
type Sockets struct {
	Carrier
	group   *tcpsocket.Group
	done    chan struct{} // closed by Close
	idle    chan struct{} // closed when, after that, the last socket has ended
	mu      sync.Mutex
	account buffer.Account
	queued  int           // cost of all queues
	room    chan struct{} // closed when there is room again; nil: nobody waits
	live    map[*Socket]struct{}
	over    *cause.Error
}

// NewSockets returns the sockets of a client, none yet. The caller must call Close.
func NewSockets(group *tcpsocket.Group, carrier Carrier, budget *buffer.Budget) *Sockets {
	return &Sockets{
		Carrier: carrier, group: group, done: make(chan struct{}), idle: make(chan struct{}), account: budget.Account(),
		live: make(map[*Socket]struct{}),
	}
}

// Room returns when the client may send more. False: the stream is over, or gone is closed.
func (s *Sockets) Room(gone <-chan struct{}) bool {
	for {
		s.mu.Lock()
		if s.over != nil {
			s.mu.Unlock()
			return false
		}
		if s.queued <= maxQueued {
			s.mu.Unlock()
			return true
		}
		if s.room == nil {
			s.room = make(chan struct{})
		}
		room := s.room
		s.mu.Unlock()
		select {
		case <-room:
		case <-s.done:
		case <-gone:
			return false
		}
	}
}

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
	if len(all) == 0 {
		close(s.idle)
	}
	if why.Code != cause.Closed || len(all) == 0 {
		s.group.Close(why)
		return
	}
	for _, k := range all {
		k.Close()
	}
}

// cost is what a piece in a queue counts: its bytes, and what holding it takes. A message of a
// client can have a hundred thousand pieces.
func cost(p []byte) int { return len(p) + 64 }

// count counts n more in the queues, with mu held.
func (s *Sockets) count(n int) {
	s.queued += n
	s.account.Set(s.queued)
	if s.queued <= maxQueued && s.room != nil {
		close(s.room)
		s.room = nil
	}
}

// ended forgets a socket. The group ends with the last one after Close.
func (s *Sockets) ended(k *Socket) {
	s.mu.Lock()
	delete(s.live, k)
	k.drop()
	over := s.over
	if len(s.live) > 0 {
		over = nil
	}
	s.mu.Unlock()
	if over != nil {
		s.group.Close(over)
		close(s.idle)
	}
}

// Wait returns when all sockets have ended, after Close.
func (s *Sockets) Wait() { <-s.idle }
