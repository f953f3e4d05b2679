package csp

import (
	"encoding/hex"
	"net/netip"
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

// lastID is the packet id with which a session ends, long before ids end at 2^53-1.
const lastID = 1 << 52

// ackDelay is how long an acknowledgement may wait.
const ackDelay = time.Second

// Session is one end of a session. All methods may be called concurrently.
type Session struct {
	id      string
	hash    idHash // of id
	key     Key    // what the client opened it with
	peer    Peer
	opts    *Options
	server  *Server // nil on the client's side
	release func()  // of Options.Admit, or nil
	handler Handler // set before the session is visible to others

	// deliver orders deliveries: it is held from the decision which packets
	// are next until Handler.Receive has taken them.
	deliver sync.Mutex

	mu  sync.Mutex
	err *cause.Error // why the session is over
	out outgoing
	in  incoming

	link        *Link       // attached, or nil
	takeOvers   *takeOvers  // nil: there were none
	delivering  bool        // Deliver wakes the link when it is through
	halfOpen    bool        // there was no second request and no link yet
	linger      *time.Timer // runs while no link is attached
	lingerUntil time.Time
	lifetime    *time.Timer // nil: as long as it likes

	addr    netip.Addr     // where its last request came from
	account buffer.Account // of what out and in keep
	moved   time.Time      // when the other side last acknowledged something while the budget was filling
}

func newSession(id string, peer Peer, opts *Options, server *Server) *Session {
	s := &Session{id: id, peer: peer, opts: opts, server: server, account: opts.Budget.Account(), moved: time.Now()}
	s.hash, _ = hashID(id)
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
	s.touch()
	return s
}

// ID returns the id, a credential: show Digest instead.
func (s *Session) ID() string { return s.id }

// Peer returns what the transport proved about the other side at Open.
func (s *Session) Peer() Peer { return s.peer }

// Handler returns what Options.Accept has made for the session.
func (s *Session) Handler() Handler { return s.handler }

// Digest returns a short name for log lines that does not give the id away.
func (s *Session) Digest() string { return hex.EncodeToString(s.hash[:4]) }

// Moved notes where a request of the session came from, and reports whether the one before
// it came from elsewhere.
func (s *Session) Moved(from netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	moved := s.addr.IsValid() && s.addr != from
	s.addr = from
	return moved
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
// reservation back. yield says that others send little beside what the caller sends, so that
// they need not wait: 5 ms, in this session: it gets no more than the way holds; less, in others:
// it gets less on a way that is shorter, or than 5 ms if acknowledgements come in requests of
// their own. 0: it gets all.
// waiting is how many wait for room beside it: for several the bound grows further.
func (s *Session) Reserve(n int, yield time.Duration, waiting int) (granted int) {
	// A defer would need more stack, and who reads a backend outgrow 2 KiB of it here.
	s.mu.Lock()
	if s.err == nil {
		granted = s.out.reserve(n, yield, waiting, s.opts)
	}
	s.mu.Unlock()
	return granted
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
// cause returned; what was not reserved ends the session when it piles up to 2 MiB
// beyond the bound.
func (s *Session) Send(payload *buffer.Buffer, reserved int) error {
	return s.send(payload, reserved, false)
}

// SendApart is Send for what stays a packet of its own, whatever else is sent.
func (s *Session) SendApart(payload *buffer.Buffer, reserved int) error {
	return s.send(payload, reserved, true)
}

func (s *Session) send(payload *buffer.Buffer, reserved int, apart bool) error {
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
	s.out.push(payload, apart)
	s.count()
	if err := s.overdone(); err != nil {
		s.mu.Unlock()
		return s.fail(err)
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

// overdone returns, with mu held, why a session must end that sends more and more.
func (s *Session) overdone() *cause.Error {
	switch {
	case s.out.overdone():
		s.opts.count.unreadAnswers.Add(1)
		return cause.Limit.With("too much is answered and nothing taken")
	case s.out.usedUp():
		s.opts.count.usedUp.Add(1)
		return cause.Limit.With("the session has used up its packet ids")
	}
	return nil
}

// count tells the budget, with mu held, what the session keeps now.
func (s *Session) count() { s.account.Set(s.out.cost + s.in.heldBytes) }

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
		s.opts.count.optimisticAcks.Add(1)
		return s.fail(cause.ProtocolError.With("acknowledgement of packet %d, which was never sent", id))
	}
	if id >= s.out.first {
		s.out.ack(id, s.opts)
		if s.opts.Budget.Filling() { // else nobody asks
			s.moved = time.Now()
		}
		s.count()
	}
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

// pieceLists holds what Deliver gives to handlers, so that no session keeps one.
var pieceLists = sync.Pool{New: func() any { return new([][]byte) }}

// Deliver takes packets from a link, passes the bytes that are next in order to
// the Handler, and returns the highest id received in order. answered says that
// the caller will tell the other side that id at once; otherwise the attached
// link does it later. An error ends the session.
//
// Packets that arrive above a gap are kept, within bounds, and delivered when the gap
// is filled; repeats are dropped.
func (s *Session) Deliver(packets []Packet, answered bool) (uint64, error) {
	return s.accept(packets, answered, nil)
}

// gathered is what a link may bring before it is answered in its midst.
const gathered = 2 * ackBytes

// accept is Deliver, or, with from, Link.Deliver.
func (s *Session) accept(packets []Packet, answered bool, from *Link) (uint64, error) {
	s.deliver.Lock()
	defer s.deliver.Unlock()

	s.mu.Lock()
	if s.err != nil {
		err := s.err
		s.mu.Unlock()
		return 0, err
	}
	list := pieceLists.Get().(*[][]byte)
	data, err := s.in.take(packets, (*list)[:0], s.opts.count)
	if err != nil {
		s.mu.Unlock()
		return 0, s.fail(err)
	}
	got, ended := s.in.got, s.in.ended
	s.watchGap()
	s.count()
	s.delivering = true
	s.mu.Unlock()
	if got > lastID {
		s.opts.count.usedUp.Add(1)
		return 0, s.fail(cause.Limit.With("the session has used up its packet ids"))
	}

	if len(data) > 0 {
		if err := s.handler.Receive(data); err != nil {
			return got, s.fail(causeOf(err))
		}
	}
	clear(data)
	*list = data[:0]
	pieceLists.Put(list)

	s.mu.Lock()
	s.delivering = false
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
	wake := noWake
	if from == nil || from != s.link || s.in.unacked >= gathered {
		wake = s.wake()
	}
	s.mu.Unlock()
	if over {
		s.Close(cause.Closed.Err())
	}
	wake()
	return got, nil
}

// Sent returns the highest id that any link has carried: acknowledgements of more are
// impossible.
func (s *Session) Sent() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.taken
}

// Ended reports whether the other side has ended its stream, all of which was received.
func (s *Session) Ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in.ended
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
	}
	if s.link.sayAck || s.in.ackDue || s.in.unacked == 0 {
		return
	}
	s.in.ackDue = true
	s.opts.late.add(s)
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

func causeOf(err error) *cause.Error {
	if e, ok := err.(*cause.Error); ok {
		return e
	}
	return cause.Internal.Err()
}
