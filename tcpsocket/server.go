package tcpsocket

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
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
	// Reserve grants room for up to n bytes, or 0: then Writable is called later. yield, 0 if
	// there are none, says that other sockets send little and are not to wait: it grants less
	// on a way shorter than that, or than 5 ms if acknowledgements take longer than the way, and
	// with 5 ms no more than the way holds on a longer one.
	// waiting is how many others wait for room.
	Reserve(n int, yield time.Duration, waiting int) int
	// Unreserve gives back a reservation.
	Unreserve(n int)
}

// Opener connects to a destination on behalf of a caller. Errors that the page
// may see are of type *cause.Error.
type Opener interface {
	Open(ctx context.Context, caller Caller, dest whitelist.Dest, opts OpenOptions) (net.Conn, error)
}

// OpenOptions are what a page may ask of its connection.
type OpenOptions struct {
	NoDelay   bool
	KeepAlive time.Duration // 0: off
	Family    int           // 0: any, 4 or 6

	// Early reports whether something will be written as soon as the connection is there.
	// Nil: no.
	Early func() bool
}

// Caller is on whose behalf sockets are opened. The first three go into the audit log.
type Caller struct {
	Session string // digest
	Origin  string
	Remote  string // network address

	// Host is the Host header field of the request that opened the session: what it may
	// reach can depend on it, see whitelist.Rules.From.
	Host string

	// Take counts one more socket of whoever the session belongs to, beside those of
	// the other sessions; false: it has too many. Give counts one less. Nil: no bound.
	Take func() bool
	Give func()

	// End ends the session after a fault of ours in one of its sockets. Nil: the
	// session goes on without the socket.
	End func(why *cause.Error)
}

// Options are the settings of a Server. The zero value is the recommended setting.
type Options struct {
	// Window bounds the bytes from the page that wait for one backend.
	// Default 512 KiB, at least 64 KiB.
	Window int

	// MaxSockets bounds the open sockets of one session. Default 128.
	MaxSockets int

	// OpenRate is how many sockets a session may open in a second, on average, and
	// OpenBurst how many at once: a page with 50 sockets opens them when it is
	// loaded. More are refused with limit. Default 10 and MaxSockets.
	OpenRate, OpenBurst int

	// MaxPerTarget bounds the open sockets of all sessions to one host and port, so
	// that a crowd of pages cannot drown a backend. Default 1,000.
	MaxPerTarget int

	// MaxWindows bounds what the windows of a session's sockets are larger together
	// than the 64 KiB that each has from the start: a socket for which nothing is
	// left stays at that. So no session keeps more than this and 64 KiB for each
	// socket. Default 8 MiB.
	MaxWindows int

	// Budget gets an account of what waits for backends. Nil: it is not counted.
	Budget *buffer.Budget

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
		o.Window = 512 << 10
	}
	o.Window = max(o.Window, firstWindow)
	if o.MaxSockets == 0 {
		o.MaxSockets = 128
	}
	if o.OpenRate == 0 {
		o.OpenRate = 10
	}
	if o.OpenBurst == 0 {
		o.OpenBurst = o.MaxSockets
	}
	if o.MaxPerTarget == 0 {
		o.MaxPerTarget = 1000
	}
	if o.MaxWindows == 0 {
		o.MaxWindows = 8 << 20
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
	muxes map[*Mux]struct{} // of live sessions, and of ended ones that have sockets
	away  bool              // sessions that come now open no sockets

	targets targets
	light   justNow
	count   counters
}

// NewServer returns a Server that connects through opener.
func NewServer(opener Opener, opts Options) *Server {
	v := &Server{opener: opener, opts: opts.withDefaults(), muxes: make(map[*Mux]struct{})}
	v.targets.max, v.targets.n = v.opts.MaxPerTarget, make(map[whitelist.Dest]int)
	return v
}

// Mux returns the sockets of one session, none yet. Its method Closed must be
// called in the end.
func (v *Server) Mux(sender Sender, caller Caller) *Mux {
	m := &Mux{
		server: v, sender: sender, caller: caller, turns: turns{sender: sender, light: &v.light},
		opening: rate{perSecond: v.opts.OpenRate, burst: v.opts.OpenBurst},
		lines:   rate{perSecond: refusedRate, burst: refusedLines},
	}
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
	v.mu.Unlock()
	for _, m := range v.all() {
		m.GoAway(retry)
	}
}

// Cut resets the backends that still get what pages sent before they closed their
// sessions.
func (v *Server) Cut() {
	for _, m := range v.all() {
		m.cut()
	}
}

func (v *Server) all() []*Mux {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Collect(maps.Keys(v.muxes))
}

// Open returns the number of open sockets.
func (v *Server) Open() int { return int(v.count.open.Load()) }

// Wait returns when all goroutines of all sockets have ended, which they do when
// their sessions are closed, and Cut was called if that was done by pages.
func (v *Server) Wait() { v.wg.Wait() }
