package transports

import (
	"net/http"
	"runtime/debug"

	"encke/cause"
	"encke/csp"
)

// Panicked takes note of a panic, which is a fault of ours, and ends the session in
// whose name the goroutine ran, if there is one (else s is nil). Nobody else is
// concerned.
func (h *Handler) Panicked(value any, s *csp.Session) {
	h.stats.panics.Add(1)
	digest := ""
	if s != nil {
		digest = s.Digest()
		// The panic may have left a lock of the session behind: only this
		// goroutine then waits for it, for ever.
		go func() {
			defer func() { recover() }() // whatever is broken may break again
			s.Close(cause.Internal.Err())
		}()
	}
	h.opts.Log.Error("panic", "session", digest, "value", value, "stack", string(debug.Stack()))
}

// confine is deferred by a handler; the connection ends without an answer.
func (h *Handler) confine(u *uplink) {
	switch v := recover(); v {
	case nil:
	case http.ErrAbortHandler:
		panic(v)
	default:
		h.Panicked(v, u.session)
		panic(http.ErrAbortHandler)
	}
}

// confined is f, which runs for a WebSocket; a panic ends that.
func (l *wsLink) confined(f func()) func() {
	return func() {
		defer func() {
			if v := recover(); v != nil {
				l.h.Panicked(v, l.session)
				l.conn.abandon()
			}
		}()
		f()
	}
}
