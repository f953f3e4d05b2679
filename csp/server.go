package csp

import (
	"sync"
	"time"

	"encke/buffer"
	"encke/cause"
)

// Peer is what a transport proved about the other side when a session was opened.
type Peer struct {
	Origin   string // canonical origin of the page
	Addr     string // network address of the first request, for the audit log
	Host     string // its Host header field: by what name the proxy was asked, for the rules
	Protocol string // the older protocol whose records carry the session; empty: ours
}

// Server holds the live sessions.
type Server struct {
	opts Options

	mu       sync.Mutex
	sessions map[idHash]*Session // those that are not over, or only just
	opening  map[Key]*Session    // the same ones by the key they were opened with
	past     pasts               // the others, for a while
	draining bool
	stats    Stats // without what counters holds
}

// NewServer returns a Server with no sessions. opts.Accept is required.
func NewServer(opts Options) *Server {
	v := &Server{
		opts:     opts.withDefaults(),
		sessions: make(map[idHash]*Session),
		opening:  make(map[Key]*Session),
		past:     pasts{byID: make(map[idHash]*past), byKey: make(map[Key]*past)},
	}
	v.opts.Budget.Relieve(v.shed)
	return v
}

// Linger returns how long a session without a link is kept.
func (v *Server) Linger() time.Duration { return v.opts.Linger }

// Budget returns what the sessions' bytes are counted by.
func (v *Server) Budget() *buffer.Budget { return v.opts.Budget }

// Open returns a new session, or the one that was opened with the same key by the
// same origin: a repeated NEW may arrive late, even after the session has ended (then
// Open fails with its cause). It fails with Limit or GoingAway, or as Admit says.
func (v *Server) Open(peer Peer, key Key) (*Session, error) {
	v.mu.Lock()
	if s, p := v.opening[key], v.past.byKey[key]; s != nil || p != nil {
		defer v.mu.Unlock()
		switch {
		case s != nil && s.peer.Origin == peer.Origin:
			if err := s.Err(); err != nil {
				return nil, err
			}
			return s, nil
		case p != nil && p.origin == peer.Origin:
			return nil, p.why
		}
		v.stats.RefusedKeys++
		return nil, cause.ProtocolError.With("opening key in use")
	}
	defer v.mu.Unlock()
	if err := v.refusal(); err != nil {
		return nil, err
	}
	var release func()
	if v.opts.Admit != nil {
		var err error
		if release, err = v.opts.Admit(peer); err != nil {
			return nil, err
		}
	}
	s := newSession(v.newID(), peer, &v.opts, v)
	s.release = release
	s.handler = v.opts.Accept(s)
	s.mu.Lock()
	s.halfOpen = true
	s.startLinger(v.opts.HalfOpen)
	if v.opts.Lifetime > 0 {
		s.lifetime = time.AfterFunc(v.opts.Lifetime, s.confined(s.outLived))
	}
	s.mu.Unlock()
	v.sessions[s.hash] = s
	v.opening[key] = s
	s.key = key
	v.stats.Opened++
	return s, nil
}

// refusal returns, with mu held, why no session can be opened now, or nil.
func (v *Server) refusal() error {
	switch {
	case v.draining:
		v.stats.RefusedDraining++
		return &cause.Error{Code: cause.GoingAway, Text: "the proxy is stopping", Retry: 5}
	case len(v.sessions) >= v.opts.MaxSessions:
		v.stats.RefusedSessions++
		return &cause.Error{Code: cause.Limit, Text: "too many sessions", Retry: 10}
	case v.opts.Budget.Tight():
		v.stats.RefusedBudget++
		return &cause.Error{Code: cause.Limit, Text: "the proxy has no memory to spare", Retry: 10}
	}
	return nil
}

// Resume returns the session with this id. It fails with the cause of its end
// when it ended within the last minute, else with SessionLost.
func (v *Server) Resume(id string) (*Session, error) {
	hash, possible := hashID(id)
	v.mu.Lock()
	s, p := v.sessions[hash], v.past.byID[hash]
	if s == nil && p == nil || !possible {
		v.stats.Unknown++
		v.mu.Unlock()
		return nil, cause.SessionLost.With("unknown session")
	}
	v.stats.Resumed++
	v.mu.Unlock()
	if s == nil {
		return nil, p.why
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	s.touch()
	return s, nil
}

// Unsent returns how many packets of all live sessions wait for acknowledgement.
func (v *Server) Unsent() int {
	n := 0
	for _, s := range v.Sessions() {
		n += s.unsent()
	}
	return n
}

// Drain refuses new sessions from now on. Live ones can still be resumed.
func (v *Server) Drain() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.draining = true
}

// Close ends all sessions with this cause and refuses new ones.
func (v *Server) Close(why *cause.Error) {
	v.Drain()
	for _, s := range v.Sessions() {
		s.Close(why)
	}
}

// Sessions returns the sessions that live now; some may be over by now.
func (v *Server) Sessions() []*Session {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := make([]*Session, 0, len(v.sessions))
	for _, s := range v.sessions {
		all = append(all, s)
	}
	return all
}
