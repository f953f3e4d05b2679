package tcpsocket

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/whitelist"
)

// Sender is what a Mux or a Client needs of a session.
type Sender interface {
	// Send queues a buffer, which the session then owns, and gives back a
	// reservation of reserved bytes.
	Send(b *buffer.Buffer, reserved int) error
	// Reserve grants room for up to n bytes, or 0: then Writable is called later.
	Reserve(n int) int
	// Unreserve gives back a reservation.
	Unreserve(n int)
}

// Opener connects to a destination that a caller asked for. Errors that the page
// may see are of type *cause.Error.
type Opener interface {
	Open(ctx context.Context, dest whitelist.Dest, opts OpenOptions) (net.Conn, error)
}

// OpenOptions are what a page may ask of its connection.
type OpenOptions struct {
	NoDelay   bool
	KeepAlive time.Duration // 0: off
	Family    int           // 0: any, 4 or 6
}

// Caller is on whose behalf sockets are opened; it goes into the audit log.
type Caller struct {
	Session string // digest
	Origin  string
	Remote  string // network address
}

// Options are the settings of a Server. The zero value is the recommended setting.
type Options struct {
	// Window bounds the bytes from the page that wait for one backend.
	// Default 256 KiB, at least 64 KiB.
	Window int

	// MaxSockets bounds the open sockets of one session. Default 128.
	MaxSockets int

	// DialTimeout bounds resolving and connecting together. Default 15 s.
	DialTimeout time.Duration

	// CloseTimeout is how long a backend may take the rest of the bytes after
	// the page closed. Default 15 s.
	CloseTimeout time.Duration

	// Log gets one line for each socket that ended, the audit record. Nil: none.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Window == 0 {
		o.Window = 256 << 10
	}
	o.Window = max(o.Window, firstWindow)
	if o.MaxSockets == 0 {
		o.MaxSockets = 128
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = 15 * time.Second
	}
	if o.CloseTimeout == 0 {
		o.CloseTimeout = 15 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// firstWindow is what a client may send before OPENED.
const firstWindow = 64 << 10

// Server opens the sockets of many sessions.
type Server struct {
	opener Opener
	opts   Options
	wg     sync.WaitGroup // goroutines of sockets

	mu    sync.Mutex
	muxes map[*Mux]struct{} // of live sessions
	away  bool              // sessions that come now open no sockets

	open   atomic.Int64
	opened atomic.Uint64
	in     atomic.Uint64
	out    atomic.Uint64
	ended  [cause.Count]atomic.Uint64
}

// NewServer returns a Server that connects through opener.
func NewServer(opener Opener, opts Options) *Server {
	return &Server{opener: opener, opts: opts.withDefaults(), muxes: make(map[*Mux]struct{})}
}

// Mux returns the sockets of one session, none yet. Its method Closed must be
// called in the end.
func (v *Server) Mux(sender Sender, caller Caller) *Mux {
	m := &Mux{server: v, sender: sender, caller: caller, turns: turns{sender: sender}}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.muxes[m] = struct{}{}
	m.goAway = v.away
	return m
}

func (v *Server) forget(m *Mux) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.muxes, m)
}

// GoAway tells all clients that no new socket will be opened. retry is in seconds.
func (v *Server) GoAway(retry int) {
	v.mu.Lock()
	v.away = true
	all := make([]*Mux, 0, len(v.muxes))
	for m := range v.muxes {
		all = append(all, m)
	}
	v.mu.Unlock()
	for _, m := range all {
		m.GoAway(retry)
	}
}

// Open returns the number of open sockets.
func (v *Server) Open() int { return int(v.open.Load()) }

// Wait returns when all goroutines of all sockets have ended, which they do when
// their sessions are closed.
func (v *Server) Wait() { v.wg.Wait() }

// Stats are counters of a Server; all but Open only grow.
type Stats struct {
	Open   int                 // sockets now
	Opened uint64              // sockets asked for
	In     uint64              // bytes from pages written to backends
	Out    uint64              // bytes read from backends
	Ended  [cause.Count]uint64 // sockets by the cause of their end
}

// Stats returns the counters.
func (v *Server) Stats() Stats {
	st := Stats{
		Open: int(v.open.Load()), Opened: v.opened.Load(),
		In: v.in.Load(), Out: v.out.Load(),
	}
	for i := range v.ended {
		st.Ended[i] = v.ended[i].Load()
	}
	return st
}
