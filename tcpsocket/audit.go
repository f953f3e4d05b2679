package tcpsocket

import (
	"context"
	"log/slog"
	"time"

	"encke/cause"
)

// A session may cause this many lines about sockets that were never connected: so
// many at once, then one a second. How many were left out is said in the next line.
const (
	refusedLines = 20
	refusedRate  = 1
)

// audit counts and logs the end of the socket.
func (s *socket) audit(why *cause.Error) {
	s.mu.Lock()
	in, out, connected := s.in, s.out, s.conn != nil
	s.mu.Unlock()
	v, c := s.m.server, s.m.caller
	v.count.ended[why.Code].Add(1)
	log, leftOut := true, 0
	if !connected {
		if log, leftOut = s.m.mayLog(); !log {
			v.count.leftOut.Add(1)
			return
		}
	}
	attrs := []slog.Attr{
		slog.String("session", c.Session),
		slog.Uint64("socket", s.id),
		slog.String("dest", s.dest.String()),
		slog.String("origin", c.Origin),
		slog.String("remote", c.Remote),
		slog.Uint64("in", in),
		slog.Uint64("out", out),
		slog.String("code", why.Code.String()),
		slog.Duration("took", time.Since(s.since).Round(time.Millisecond)),
	}
	if leftOut > 0 {
		attrs = append(attrs, slog.Int("left_out", leftOut))
	}
	v.opts.Log.LogAttrs(context.Background(), slog.LevelInfo, "socket ended", attrs...)
}

// mayLog reports whether one more line about a refused socket may be logged, and
// how many were left out before it.
func (m *Mux) mayLog() (ok bool, leftOut int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.lines.allow(time.Now()) {
		m.leftOut++
		return false, 0
	}
	leftOut, m.leftOut = m.leftOut, 0
	return true, leftOut
}

// auditRest logs, at the end of the session, what no line has said.
func (m *Mux) auditRest() {
	m.mu.Lock()
	leftOut := m.leftOut
	m.leftOut = 0
	m.mu.Unlock()
	if leftOut > 0 {
		m.server.opts.Log.LogAttrs(context.Background(), slog.LevelInfo, "sockets refused",
			slog.String("session", m.caller.Session),
			slog.String("origin", m.caller.Origin),
			slog.String("remote", m.caller.Remote),
			slog.Int("left_out", leftOut))
	}
}
