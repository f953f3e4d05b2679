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
	v := s.m.server
	v.count.ended[why.Code].Add(1)
	log, leftOut := true, 0
	if !connected {
		if log, leftOut = s.m.mayLog(); !log {
			v.count.leftOut.Add(1)
			return
		}
	}
	h := v.opts.Log.Handler()
	if !h.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	now := time.Now()
	line := slog.NewRecord(now, slog.LevelInfo, "socket ended", 0) // LogAttrs would walk the stack for the place in the source
	line.AddAttrs(slog.Any("", &ended{s, in, out, why.Code, now.Sub(s.since), leftOut}))
	h.Handle(context.Background(), line)
}

// ended is what the line about the end of a socket says: a group without a name, which
// handlers write as attributes of the line. It is made when a handler wants it: a busy
// proxy leaves out most of these lines.
type ended struct {
	s       *socket
	in, out uint64
	code    cause.Code
	took    time.Duration
	leftOut int
}

// LogValue implements slog.LogValuer.
func (e *ended) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("session", e.s.m.caller.Session),
		slog.Uint64("socket", e.s.id),
		slog.String("dest", e.s.dest.String()),
		slog.String("origin", e.s.m.caller.Origin),
		slog.String("remote", e.s.m.caller.Remote),
		slog.Uint64("in", e.in),
		slog.Uint64("out", e.out),
		slog.String("code", e.code.String()),
		slog.Duration("took", e.took.Round(time.Millisecond)),
	}
	if e.leftOut > 0 {
		attrs = append(attrs, slog.Int("left_out", e.leftOut))
	}
	return slog.GroupValue(attrs...)
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
