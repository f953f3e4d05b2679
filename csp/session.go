package csp

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"encke/buffer"
	"encke/cause"
)

// Handler gets what a session receives. Its methods are called without a lock
// that its own calls into the session would need.
type Handler interface {
	// Receive gets the next bytes of the stream. It must not block or keep
	// data. An error ends the session with that cause.
	Receive(data [][]byte) error
	// Writable says that a Reserve which was refused may succeed now.
	Writable()
	// Closed is called once, when the session is over.
	Closed(why *cause.Error)
}

// minCost is what a packet counts at least towards bounds, since its memory does
// not shrink with its content.
const minCost = 256

// ackBytes is how much may arrive before it is acknowledged.
const ackBytes = 64 << 10

// ackDelay is how long an acknowledgement may wait.
const ackDelay = time.Second

// Session is one end of a session. All methods may be called concurrently.
type Session struct {
	id      string
	key     Key // what the client opened it with
	peer    Peer
	opts    *Options
	server  *Server // nil on the client's side
	handler Handler // set before the session is visible to others

	// deliver orders deliveries: it is held from the decision which packets
	// are next until Handler.Receive has taken them.
	deliver sync.Mutex
	ready   [][]byte // guarded by deliver

	mu  sync.Mutex
	err *cause.Error // why the session is over
	out outgoing
	in  incoming

	link     *Link       // attached, or nil
	linger   *time.Timer // runs while no link is attached
	ackTimer *time.Timer // runs while an acknowledgement is due
}

func newSession(id string, peer Peer, opts *Options, server *Server) *Session {
	s := &Session{id: id, peer: peer, opts: opts, server: server}
	s.out.first = 1
	s.out.bound = opts.SendBuffer
	return s
}

// NewSession returns the client's end of a session that is not yet known to a
// server. It ends with SessionLost when no link was attached for opts.Linger.
func NewSession(opts Options, handler Handler) *Session {
	o := opts.withDefaults()
	s := newSession("", Peer{}, &o, nil)
	s.handler = handler
	s.startLinger(o.Linger)
	return s
}

// ID returns the id, a credential: show Digest instead.
func (s *Session) ID() string { return s.id }

// Peer returns what the transport proved about the other side at Open.
func (s *Session) Peer() Peer { return s.peer }

// Digest returns a short name for log lines that does not give the id away.
func (s *Session) Digest() string {
	sum := sha256.Sum256([]byte(s.id))
	return hex.EncodeToString(sum[:4])
}

// Err returns why the session is over, or nil while it lives.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return nil
	}
	return s.err
}

// Reserve asks for room for up to n bytes that the caller is about to read from
// elsewhere. It returns how many may be read, at least n/4 or n if that is less,
// or 0: then Handler.Writable will be called. Send or Unreserve gives the
// reservation back.
func (s *Session) Reserve(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0
	}
	return s.out.reserve(n)
}

// Unreserve gives back a reservation that was not used.
func (s *Session) Unreserve(n int) {
	s.mu.Lock()
	s.out.reserved -= n
	writable := s.err == nil && s.out.unstarve()
	s.mu.Unlock()
	if writable {
		s.handler.Writable()
	}
}

// Send queues payload, which the session then owns, and gives back a reservation
// of reserved bytes. It never blocks on the network unless the attached link's
// wake function does. After the end of the session payload is dropped and the
// cause returned; what was not reserved ends the session when it piles up to twice
// the largest bound.
func (s *Session) Send(payload *buffer.Buffer, reserved int) error {
	s.mu.Lock()
	s.out.reserved -= reserved
	if s.err != nil || s.out.ended {
		err := s.err
		s.mu.Unlock()
		payload.Release()
		if err == nil {
			err = cause.Closed.Err()
		}
		return err
	}
	s.out.push(payload)
	if s.out.cost > 2*s.opts.MaxSendBuffer {
		s.mu.Unlock()
		return s.fail(cause.Limit.With("too much is answered and nothing taken"))
	}
	wake := s.wake()
	writable := s.out.unstarve() // less may have come than was reserved
	s.mu.Unlock()
	wake()
	if writable {
		s.handler.Writable()
	}
	return nil
}

// End queues the end of the stream: the other side will see everything sent so
// far and then that the session is closed.
func (s *Session) End() {
	s.mu.Lock()
	s.end()
	wake := s.wake()
	s.mu.Unlock()
	wake()
}

func (s *Session) end() {
	if s.err == nil && !s.out.ended {
		s.out.pushEnd()
	}
}

// Acked takes an acknowledgement from the other side. An error ends the session.
func (s *Session) Acked(id uint64) error {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return s.err
	}
	if id > s.out.taken {
		s.mu.Unlock()
		return s.fail(cause.ProtocolError.With("acknowledgement of packet %d, which was never sent", id))
	}
	s.out.ack(id, s.opts)
	writable := s.out.unstarve()
	over := s.over()
	s.mu.Unlock()
	if over {
		s.Close(cause.Closed.Err())
	} else if writable {
		s.handler.Writable()
	}
	return nil
}

// over reports whether both ends are sent, received and acknowledged.
func (s *Session) over() bool { return s.in.ended && s.out.ended && len(s.out.queue) == 0 }

// Deliver takes packets from a link, passes the bytes that are next in order to
// the Handler, and returns the highest id received in order. answered says that
// the caller will tell the other side that id at once; otherwise the attached
// link does it later. An error ends the session.
//
// Packets that arrive above a gap are kept, within bounds, and delivered when the gap
// is filled; repeats are dropped.
func (s *Session) Deliver(packets []Packet, answered bool) (uint64, error) {
	s.deliver.Lock()
	defer s.deliver.Unlock()

	s.mu.Lock()
	if s.err != nil {
		err := s.err
		s.mu.Unlock()
		return 0, err
	}
	data, err := s.in.take(packets, s.ready[:0])
	if err != nil {
		s.mu.Unlock()
		return 0, s.fail(err)
	}
	got, ended := s.in.got, s.in.ended
	s.watchGap()
	s.mu.Unlock()

	if len(data) > 0 {
		if err := s.handler.Receive(data); err != nil {
			return got, s.fail(causeOf(err))
		}
	}
	clear(data)
	s.ready = data[:0]
	if cap(data) > 64 {
		s.ready = nil
	}

	s.mu.Lock()
	s.in.release()
	if ended {
		s.end()
	}
	if answered {
		s.in.told()
	} else {
		s.scheduleAck()
	}
	over := s.over()
	wake := s.wake()
	s.mu.Unlock()
	if over {
		s.Close(cause.Closed.Err())
	}
	wake()
	return got, nil
}

// repeats returns how many packets were dropped as delivered before.
func (s *Session) repeats() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in.repeats
}

// touch keeps a session that has no link for another Linger: its client is there.
func (s *Session) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && s.link == nil {
		s.startLinger(s.opts.Linger)
	}
}

// unsent returns how many packets are not yet acknowledged.
func (s *Session) unsent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.out.queue)
}

// Received returns the highest id received in order.
func (s *Session) Received() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in.got
}

// scheduleAck makes the attached link acknowledge, now or within ackDelay.
func (s *Session) scheduleAck() {
	if s.link == nil {
		return // a link that attaches acknowledges first thing
	}
	if s.in.unacked >= ackBytes || s.in.again {
		s.link.sayAck = true
		return
	}
	if s.in.ackDue || s.in.unacked == 0 {
		return
	}
	s.in.ackDue = true
	if s.ackTimer == nil {
		s.ackTimer = time.AfterFunc(ackDelay, s.ackNow)
	} else {
		s.ackTimer.Reset(ackDelay)
	}
}

func (s *Session) ackNow() {
	s.mu.Lock()
	s.in.ackDue = false
	if s.in.unacked > 0 && s.link != nil {
		s.link.sayAck = true
	}
	wake := s.wake()
	s.mu.Unlock()
	wake()
}

// watchGap runs the timer that ends a session whose gap stays open.
func (s *Session) watchGap() {
	if s.in.ended {
		s.in.dropHeld() // nothing comes behind the end
	}
	switch open := len(s.in.held) > 0; {
	case open && s.in.gap != nil && s.in.gapAt != s.in.got: // another gap
		s.in.gapAt = s.in.got
		s.in.gap.Reset(s.opts.GapTimeout)
	case open && s.in.gap == nil:
		s.in.gapAt = s.in.got
		s.in.gap = time.AfterFunc(s.opts.GapTimeout, func() {
			s.fail(cause.ProtocolError.With("a packet did not arrive for %v", s.opts.GapTimeout))
		})
	case !open && s.in.gap != nil:
		s.in.gap.Stop()
		s.in.gap = nil
	}
}

// Ping answers a probe that arrived on an uplink with a Pong on the downlink.
func (s *Session) Ping() {
	s.mu.Lock()
	if s.link != nil && s.link.pongs < 8 {
		s.link.pongs++
	}
	wake := s.wake()
	s.mu.Unlock()
	wake()
}

// fail closes the session for an error of the other side and returns it.
func (s *Session) fail(err *cause.Error) error {
	s.Close(err)
	return err
}

// Close ends the session at once. Unsent bytes are dropped, an attached link says
// why and ends, later links are told for a while.
func (s *Session) Close(why *cause.Error) {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.err = why
	s.out.drop(s.opts)
	s.in.drop()
	for _, t := range [...]*time.Timer{s.linger, s.ackTimer} {
		if t != nil {
			t.Stop()
		}
	}
	wake := s.wake()
	s.mu.Unlock()
	wake()
	s.handler.Closed(why)
	if s.server != nil {
		s.server.closed(s, why)
	}
}

// startLinger must be called with mu held or before s is shared.
func (s *Session) startLinger(d time.Duration) {
	if s.linger == nil {
		s.linger = time.AfterFunc(d, s.expire)
	} else {
		s.linger.Reset(d)
	}
}

func (s *Session) expire() {
	s.mu.Lock()
	attached := s.link != nil
	s.mu.Unlock()
	if !attached {
		s.Close(cause.SessionLost.With("no link for longer than the resume window"))
	}
}

func causeOf(err error) *cause.Error {
	if e, ok := err.(*cause.Error); ok {
		return e
	}
	return cause.Internal.Err()
}
