package tcpsocket

import (
	"runtime/debug"

	"encke/cause"
)

// confined is f, which runs for a socket. A panic in it is a fault of ours: it ends the
// session in whose name it ran, and nobody else's.
func (s *socket) confined(f func()) func() { return s.m.confined(f) }

func (m *Mux) confined(f func()) func() {
	return func() {
		defer func() {
			if v := recover(); v != nil {
				m.panicked(v)
			}
		}()
		f()
	}
}

func (m *Mux) panicked(value any) {
	m.server.count.panics.Add(1)
	m.server.opts.Log.Error("panic", "session", m.caller.Session, "value", value, "stack", string(debug.Stack()))
	if m.caller.End == nil {
		return
	}
	// The panic may have left a lock behind: only this goroutine then waits for it,
	// for ever.
	go func() {
		defer func() { recover() }() // whatever is broken may break again
		m.caller.End(cause.Internal.Err())
	}()
}
