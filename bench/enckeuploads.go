package main

import "sync"

// enckeUploads sends for those sockets of a session that upload without a pause, as
// TCPSocket.js does: from one place, in turns, and no more than the proxy acknowledges in
// time.
type enckeUploads struct {
	link *enckeWS

	mu      sync.Mutex
	changed sync.Cond
	sockets []*enckeSocket // in the order of their turns; while there are any, run runs
	flying  []flyingTurn   // in the order in which they were sent
	flight  int            // bytes of them
}

// flyingTurn is a turn whose last packet was not acknowledged.
type flyingTurn struct {
	last  uint64
	bytes int
}

// The largest turn and the largest bound of what is not acknowledged: those of TCPSocket.js.
const (
	largestTurn  = 256 << 10
	largestBound = 2 << 20
)

func (u *enckeUploads) init(l *enckeWS) {
	u.link, u.changed.L = l, &u.mu
	l.acked = u.acked
}

// add begins to send s.pours for s, until its end.
func (u *enckeUploads) add(s *enckeSocket) {
	u.mu.Lock()
	u.sockets = append(u.sockets, s)
	if len(u.sockets) == 1 {
		go u.run() // until no socket is left
	}
	u.changed.Signal()
	u.mu.Unlock()
}

func (u *enckeUploads) run() {
	for {
		s, n := u.next()
		if s == nil {
			return
		}
		if err := s.sender.turn(s.pours, n); err != nil {
			s.end(err)
			continue
		}
		last := u.link.lastID()
		u.mu.Lock()
		u.flying = append(u.flying, flyingTurn{last, n * len(s.pours)})
		u.flight += n * len(s.pours)
		u.mu.Unlock()
	}
}

// next waits until a socket may send, and returns it with its number of messages, or nil when
// none is left.
func (u *enckeUploads) next() (*enckeSocket, int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for {
		for range len(u.sockets) {
			s := u.sockets[0]
			u.sockets = append(u.sockets[:0], u.sockets[1:]...)
			if s.sender.failed() != nil {
				continue
			}
			u.sockets = append(u.sockets, s)
			if u.flight >= largestBound {
				continue
			}
			if n := s.sender.whole(len(s.pours), largestTurn/len(s.pours)); n > 0 {
				return s, n
			}
		}
		if len(u.sockets) == 0 {
			return nil, 0
		}
		u.changed.Wait()
	}
}

// wake says that a socket may have credit, or has ended.
func (u *enckeUploads) wake() {
	u.mu.Lock()
	u.changed.Signal()
	u.mu.Unlock()
}

// acked says that the proxy has all packets up to id.
func (u *enckeUploads) acked(id uint64) {
	u.mu.Lock()
	for len(u.flying) > 0 && u.flying[0].last <= id {
		u.flight -= u.flying[0].bytes
		u.flying = u.flying[1:]
	}
	u.changed.Signal()
	u.mu.Unlock()
}
