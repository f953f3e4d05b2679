package tcpsocket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"encke/cause"
	"encke/whitelist"
)

// Mux is the proxy's end of one session's sockets.
type Mux struct {
	server *Server
	sender Sender
	caller Caller
	turns  turns

	// Used by Receive only, which is never called concurrently.
	in     parser
	dirty  []*socket // got data in this Receive
	recent *socket   // got the last frame of this Receive, which was Data

	mu      sync.Mutex
	sockets map[uint64]*socket
	last    uint64 // highest socket number ever opened
	over    *cause.Error
	goAway  bool
	extra   int  // by what windows are larger than firstWindow, together
	lines   rate // of the log, about refused sockets
	leftOut int  // lines that were too many

	opening rate // of sockets

	// Used by Receive only, like the first ones.
	chatter      int // frames for numbers never opened, since chatterSince
	chatterSince time.Time
}

// frameStore holds those that are being received: one is larger than all else of a Mux.
var frameStore = sync.Pool{New: func() any { return new(Frame) }}

// Receive takes the next bytes of the session. It does not block and keeps no
// part of data. An error, of type *cause.Error, ends the session.
func (m *Mux) Receive(data [][]byte) error {
	var err error
	frame := frameStore.Get().(*Frame)
	for _, p := range data {
		if err = m.in.feed(p, frame, m.handle); err != nil {
			break
		}
	}
	for i, s := range m.dirty {
		s.flush()
		m.dirty[i] = nil
	}
	m.dirty = m.dirty[:0]
	*frame, m.recent = Frame{}, nil // it points into data
	frameStore.Put(frame)
	return err
}

// Writable says that the session has room again.
func (m *Mux) Writable() { m.turns.writable() }

// Closed ends all sockets because the session is over. When the page has closed it, their
// backends get what it sent before.
func (m *Mux) Closed(why *cause.Error) { m.close(why, why.Code == cause.Closed) }

func (m *Mux) close(why *cause.Error, wind bool) {
	m.mu.Lock()
	if m.over == nil {
		m.over = why
	}
	m.mu.Unlock()
	for _, s := range m.all() {
		if wind {
			s.wind()
		} else {
			s.abort(why, false)
		}
	}
	m.auditRest()
	m.forgotten()
}

// cut resets the backends of a session that is over.
func (m *Mux) cut() {
	if why := m.overBy(); why != nil {
		for _, s := range m.all() {
			s.abort(why, false)
		}
	}
}

// forgotten lets the server forget m if its session is over and has no socket left.
func (m *Mux) forgotten() {
	m.mu.Lock()
	done := m.over != nil && len(m.sockets) == 0
	m.mu.Unlock()
	if done {
		m.server.forget(m)
	}
}

func (m *Mux) all() []*socket {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.sockets))
}

// GoAway tells the client that no new socket will be opened on this session, and
// refuses those it asks for all the same. retry is in seconds.
func (m *Mux) GoAway(retry int) {
	m.mu.Lock()
	first := !m.goAway
	m.goAway = true
	m.mu.Unlock()
	if first {
		m.send(&Frame{Type: GoAway, Cause: uint64(cause.GoingAway), Retry: uint64(retry)})
	}
}

// Len returns the number of open sockets.
func (m *Mux) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sockets)
}

// Queued returns how many bytes wait for backends.
func (m *Mux) Queued() int {
	n := 0
	for _, s := range m.all() {
		s.mu.Lock()
		n += s.queued
		s.mu.Unlock()
	}
	return n
}

func (m *Mux) handle(f *Frame) error {
	if f.Type == Data && m.recent != nil && m.recent.id == f.Socket {
		return m.recent.receive(f.Data)
	}
	m.recent = nil
	if f.Type == Open {
		return m.open(f)
	}
	m.mu.Lock()
	s, known := m.sockets[f.Socket], f.Socket > 0 && f.Socket <= m.last
	m.mu.Unlock()
	switch {
	case s == nil && known:
		return nil // it crossed the socket's end on the way
	case s == nil:
		return m.stray(f)
	}
	switch f.Type {
	case Data:
		m.recent = s
		return s.receive(f.Data)
	case Window:
		return s.credit(f.N)
	case EOF:
		s.finish(false)
	case Close:
		s.finish(true)
	case Reset:
		s.abort(cause.Reset.With("by the page"), false)
	default:
		return cause.ProtocolError.With("frame type 0x%02x from a client", byte(f.Type))
	}
	return nil
}

// maxChatter is how many frames a minute may be for sockets that never were.
const maxChatter = 100

func (m *Mux) stray(f *Frame) error {
	m.server.count.strays.Add(1)
	if now := time.Now(); now.Sub(m.chatterSince) > time.Minute {
		m.chatterSince, m.chatter = now, 0
	}
	if m.chatter++; m.chatter > maxChatter {
		m.server.count.strayLoops.Add(1)
		return cause.ProtocolError.With("too many frames for sockets that were never opened")
	}
	if f.Type == Reset {
		return nil
	}
	m.sendReset(f.Socket, cause.ProtocolError.With("this socket was never opened"))
	return nil
}

func (m *Mux) open(f *Frame) error {
	m.mu.Lock()
	if f.Socket <= m.last {
		m.mu.Unlock()
		m.server.count.numbersUsed.Add(1)
		return cause.ProtocolError.With("socket number %d used again", f.Socket)
	}
	m.last = f.Socket
	over := m.over != nil
	m.mu.Unlock()
	if over {
		return nil
	}
	m.server.count.opened.Add(1)

	s := &socket{m: m, id: f.Socket, window: int(min(f.N, maxWindow)), since: time.Now()}
	dest, err := whitelist.ParseDest(string(f.Host), f.Port)
	s.dest = dest
	var opts OpenOptions
	if err == nil {
		opts, err = openOptions(f.Option)
	}
	if err != nil {
		m.refuse(s, cause.BadTarget.With("%v", err))
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), m.server.opts.DialTimeout)
	s.cancel = cancel
	s.turn = make(chan struct{}, 1)
	s.credits, s.span = firstWindow, firstWindow
	s.account = m.server.opts.Budget.Account()
	if why := m.admit(s); why != nil {
		cancel()
		m.refuse(s, why)
		return nil
	}
	m.server.wg.Go(s.confined(func() { s.dial(ctx, opts) })) // ends by ctx, then when the backend does, or by abort
	return nil
}

// admit makes s one of the sockets, unless a limit is reached or the session ends.
func (m *Mux) admit(s *socket) *cause.Error {
	v := m.server
	m.mu.Lock()
	full, away := len(m.sockets) >= v.opts.MaxSockets, m.goAway
	fast := !full && !away && !m.opening.allow(s.since)
	m.mu.Unlock()
	switch {
	case full:
		v.count.limitSockets.Add(1)
		return cause.Limit.With("too many open sockets in this session")
	case away:
		return cause.GoingAway.With("the proxy is stopping")
	case fast:
		v.count.limitRate.Add(1)
		return cause.Limit.With("sockets are opened too fast")
	case m.caller.Take != nil && !m.caller.Take():
		v.count.limitCaller.Add(1)
		return cause.Limit.With("too many open sockets from this address")
	case !v.targets.take(s.dest):
		m.give()
		v.count.limitTarget.Add(1)
		return cause.Limit.With("too many sockets to this target")
	}
	m.mu.Lock()
	if why := m.over; why != nil {
		m.mu.Unlock()
		m.give()
		v.targets.give(s.dest)
		return why
	}
	if m.sockets == nil {
		m.sockets = make(map[uint64]*socket)
	}
	m.sockets[s.id] = s
	v.count.open.Add(1)
	m.mu.Unlock()
	return nil
}

// widen returns by how much the window of one more socket may be larger than
// firstWindow.
func (m *Mux) widen() int {
	n := m.server.opts.Window - firstWindow
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.extra+n > m.server.opts.MaxWindows {
		m.server.count.smallWindows.Add(1)
		return 0
	}
	m.extra += n
	return n
}

// refuse answers an Open that did not become a socket.
func (m *Mux) refuse(s *socket, why *cause.Error) {
	s.audit(why)
	m.sendReset(s.id, why)
}

// give counts one socket less for the caller.
func (m *Mux) give() {
	if m.caller.Give != nil {
		m.caller.Give()
	}
}

// remove forgets a socket that is over.
func (m *Mux) remove(s *socket) {
	m.mu.Lock()
	delete(m.sockets, s.id)
	m.extra -= s.span - firstWindow // nobody changes it now
	m.mu.Unlock()
	m.give()
	m.server.targets.give(s.dest)
	m.turns.forget(s)
	m.server.count.open.Add(-1)
	m.forgotten()
}

func (m *Mux) send(f *Frame) { m.sender.Send(f.buffer(), 0) }

func (m *Mux) sendReset(socket uint64, why *cause.Error) {
	m.send(&Frame{Type: Reset, Socket: socket, Cause: uint64(why.Code), Text: []byte(why.Text)})
}

func openOptions(list []Option) (OpenOptions, error) {
	o := OpenOptions{NoDelay: true, KeepAlive: 15 * time.Second}
	for _, opt := range list {
		switch {
		case opt.Key == OptionNoDelay && len(opt.Value) == 1 && opt.Value[0] <= 1:
			o.NoDelay = opt.Value[0] == 1
		case opt.Key == OptionFamily && len(opt.Value) == 1 && (opt.Value[0] == 4 || opt.Value[0] == 6):
			o.Family = int(opt.Value[0])
		case opt.Key == OptionKeepAlive:
			r := fieldReader{src: opt.Value}
			ms := r.number()
			if r.err != nil || r.at != len(opt.Value) || ms > 24*3600*1000 {
				return o, errors.New("keep-alive delay out of range")
			}
			o.KeepAlive = time.Duration(ms) * time.Millisecond
		default:
			return o, fmt.Errorf("unknown or malformed option %d", opt.Key)
		}
	}
	return o, nil
}
