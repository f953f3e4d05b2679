package tcpsocket

import (
	"context"
	"io"
	"net"
	"time"

	"encke/buffer"
	"encke/cause"
	"encke/rawconn"
	"encke/whitelist"
)

// Group is the sockets of one session, or of one WebSocket, whose protocol has no frames
// of ours: each is a net.Conn to its backend, for goroutines that wait. The same
// rules, limits, counters and audit record hold as for the sockets of a Mux.
type Group struct{ m *Mux }

// Group returns the sockets of one caller, none yet. Its method Close must be called in
// the end.
func (v *Server) Group(caller Caller) *Group { return &Group{v.Mux(unsent{}, caller)} }

// unsent is the Sender of a Group, which has no frames to send.
type unsent struct{}

func (unsent) Send(b *buffer.Buffer, _ int) error  { b.Release(); return nil }
func (unsent) Reserve(int, time.Duration, int) int { return 0 }
func (unsent) Unreserve(int)                       {}

// Dial connects to dest and returns when it is connected, or why it is not, as a
// *cause.Error. It takes at most Options.DialTimeout; ctx may end it earlier, then the cause
// is Closed.
func (g *Group) Dial(ctx context.Context, dest whitelist.Dest, opts OpenOptions) (*Backend, error) {
	m, asked := g.m, ctx
	m.server.count.opened.Add(1)
	m.mu.Lock()
	m.last++
	s := &socket{m: m, id: m.last, dest: dest, since: time.Now(), turn: make(chan struct{}, 1), span: firstWindow}
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, m.server.opts.DialTimeout)
	s.cancel = cancel
	if why := m.admit(s); why != nil {
		cancel()
		s.audit(why)
		return nil, why
	}
	conn, err := m.server.opener.Open(ctx, m.caller, dest, opts)
	cancel()
	s.mu.Lock()
	if over := s.over; !over && err == nil {
		s.conn, s.cancel = conn, nil
		s.mu.Unlock()
		return &Backend{Conn: conn, s: s}, nil
	}
	s.mu.Unlock()
	if conn != nil { // the group was closed meanwhile
		reset(conn)
		return nil, m.overBy()
	}
	why := dialCause(err)
	if asked.Err() != nil {
		why = cause.Closed.With("while connecting")
	}
	s.end(why, false)
	return nil, why
}

// Go runs f, which ends when the sockets do, in a goroutine that Server.Wait waits for. A
// panic in it ends the session.
func (g *Group) Go(f func()) { g.m.server.wg.Go(g.m.confined(f)) }

// Close ends all sockets because their session is over: backends are reset.
func (g *Group) Close(why *cause.Error) { g.m.close(why, false) }

// Len returns the number of open sockets.
func (g *Group) Len() int { return g.m.Len() }

// overBy returns why the session is over.
func (m *Mux) overBy() *cause.Error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over
}

// Backend is one connection of a Group: a net.Conn, and ways to read and write it that are
// cheaper for many.
type Backend struct {
	net.Conn
	s *socket
}

// Read reads what the backend says.
func (b *Backend) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	b.said(n)
	return n, err
}

// Reader returns a function that reads what the backend says and holds no buffer while it
// waits; it does so as Read of a rawconn.Reader.
func (b *Backend) Reader(place func() []byte, unplace func()) func() (int, error) {
	r := rawconn.NewReader(b.Conn, place, unplace)
	return func() (int, error) {
		n, err := r.Read()
		b.said(n)
		return n, err
	}
}

// said counts bytes of the backend.
func (b *Backend) said(n int) {
	b.s.mu.Lock()
	b.s.out += uint64(n)
	b.s.mu.Unlock()
	b.s.m.server.count.out.Add(uint64(n))
}

// Write writes what the client says.
func (b *Backend) Write(p []byte) (int, error) {
	n, err := b.Conn.Write(p)
	b.heard(n)
	return n, err
}

// Writer returns a function that writes as much of what the client says as the backend
// takes at once, as TryWrite of a rawconn.Writer does. It is not to be called while a Write
// is under way.
func (b *Backend) Writer() func(p []byte) (int, error) {
	w := rawconn.NewWriter(b.Conn)
	return func(p []byte) (int, error) {
		n, err := w.TryWrite(p)
		b.heard(n)
		return n, err
	}
}

// heard counts bytes of the client.
func (b *Backend) heard(n int) {
	b.s.mu.Lock()
	b.s.in += uint64(n)
	b.s.mu.Unlock()
	b.s.m.server.count.in.Add(uint64(n))
}

// CloseWrite ends the client's direction; the backend may go on.
func (b *Backend) CloseWrite() error {
	if half, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close ends the connection cleanly: the backend gets what was written. What it still says
// is read and thrown away for a while, as closing with unread bytes would reset it.
func (b *Backend) Close() error {
	conn := b.s.end(cause.Closed.Err(), false)
	if conn == nil {
		return net.ErrClosed
	}
	_ = b.CloseWrite()
	conn.SetReadDeadline(time.Now().Add(lingerTime))
	b.s.m.server.wg.Go(func() { // until the deadline at most
		io.Copy(io.Discard, conn)
		conn.Close()
	})
	return nil
}

// Fail ends the connection for a cause: the backend is reset.
func (b *Backend) Fail(why *cause.Error) { b.s.abort(why, false) }

// ReadCause says what the error of a Read means for the client.
func ReadCause(err error) *cause.Error { return readCause(err) }
