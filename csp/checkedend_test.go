package csp_test

import (
	"errors"
	"time"

	"pgregory.net/rapid"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// span is what a packet carried when a link first took it: bytes start to end of the
// stream, or the end of the stream.
type span struct {
	start, end int
	last       bool
}

// checkedEnd is one end of a session together with what PROTOCOL.md says about its
// state. Byte i of the stream of an end is content(name, i), so that no stream has to
// be kept to be compared.
type checkedEnd struct {
	t       *rapid.T
	name    byte
	peer    *checkedEnd
	session *csp.Session
	bound   int // of bytes that are unacknowledged or reserved

	// Sending.
	sent     int    // bytes given to the session
	ended    bool   // so was the end, by us or in answer to the peer's
	packets  []span // packets 1, 2 ... as links took them
	acked    uint64 // all up to it are acknowledged
	rooms    []int  // reservations that were not used yet
	reserved int    // their sum
	starved  bool   // a Reserve was refused, and Writable not called since

	// Receiving.
	got     int    // bytes that the handler received
	have    []bool // packets that arrived, in order or not
	inOrder uint64 // all up to it arrived
	owed    bool   // the peer was not told inOrder
	since   time.Time

	link   *checkedLink // attached
	over   bool
	closed []*cause.Error
}

// content is byte i of the stream that the end called name sends.
func content(name byte, i int) byte { return name ^ byte(uint32(i)*2654435761>>24) }

// Receive, Writable and Closed make a checkedEnd the session's Handler.
func (e *checkedEnd) Receive(data [][]byte) error {
	for _, p := range data {
		if e.got+len(p) > e.peer.sent {
			e.t.Fatalf("%c received %d bytes of the %d sent", e.name, e.got+len(p), e.peer.sent)
		}
		for i, c := range p {
			if c != content(e.peer.name, e.got+i) {
				e.t.Fatalf("%c received a wrong byte at %d", e.name, e.got+i)
			}
		}
		e.got += len(p)
	}
	return nil
}

func (e *checkedEnd) Writable() { e.starved = false }

func (e *checkedEnd) Closed(why *cause.Error) { e.closed = append(e.closed, why) }

// reserve asks for room for n bytes, to be used later.
func (e *checkedEnd) reserve(n int, yield time.Duration) {
	granted := e.session.Reserve(n, yield, 0)
	switch {
	case e.over && granted != 0:
		e.t.Fatalf("%c: room for %d bytes in a session that is over", e.name, granted)
	case e.over:
	case granted == 0 && e.idle():
		e.t.Fatalf("%c: no room for %d bytes though nothing is under way", e.name, n)
	case granted == 0:
		e.starved = true
	case granted > n || granted < (n+3)/4:
		e.t.Fatalf("%c: Reserve(%d) granted %d", e.name, n, granted)
	case e.unacked()+e.reserved+granted > e.bound:
		e.t.Fatalf("%c: %d bytes unacknowledged, %d reserved and %d granted, bound %d", e.name, e.unacked(), e.reserved, granted, e.bound)
	default:
		e.reserved += granted
		e.rooms = append(e.rooms, granted)
	}
}

// use sends n bytes with the oldest reservation, or gives it back for 0.
func (e *checkedEnd) use(n int) {
	granted := e.rooms[0]
	e.rooms = e.rooms[1:]
	e.reserved -= granted
	if n > 0 {
		e.send(n, granted)
	} else {
		e.session.Unreserve(granted)
	}
}

// send sends the next n bytes of the stream.
func (e *checkedEnd) send(n, reserved int) {
	b := buffer.Get(n)
	for i, room := 0, b.Room(); i < n; i++ {
		room[i] = content(e.name, e.sent+i)
	}
	b.Extend(n)
	err := e.session.Send(b, reserved)
	switch {
	case e.ended || e.over:
		if !errors.Is(err, cause.Closed.Err()) {
			e.t.Fatalf("%c: Send after the end: %v", e.name, err)
		}
	case err != nil:
		e.t.Fatalf("%c: Send: %v", e.name, err)
	default:
		e.sent += n
	}
}

func (e *checkedEnd) end() {
	e.session.End()
	e.ended = true
}

// first returns the stream's first byte that no packet has.
func (e *checkedEnd) first() int {
	if n := len(e.packets); n > 0 {
		return e.packets[n-1].end
	}
	return 0
}

// endTaken reports whether a link has taken the end of the stream.
func (e *checkedEnd) endTaken() bool { return len(e.packets) > 0 && e.packets[len(e.packets)-1].last }

// unacked returns how many bytes were sent and are not acknowledged.
func (e *checkedEnd) unacked() int {
	if e.acked == 0 {
		return e.sent
	}
	return e.sent - e.packets[e.acked-1].end
}

// idle reports whether nothing counts towards the bound.
func (e *checkedEnd) idle() bool { return e.unacked() == 0 && !e.ended && e.reserved == 0 }

// acknowledged is called with every acknowledgement that reaches the end, before it does.
func (e *checkedEnd) acknowledged(id uint64) {
	if e.over {
		return
	}
	if id > e.peer.inOrder {
		e.t.Fatalf("%c is told that packet %d arrived, but %d did", e.name, id, e.peer.inOrder)
	}
	e.acked = max(e.acked, id)
	if e.link != nil {
		e.link.next = max(e.link.next, e.acked+1)
	}
	e.maybeOver()
}

// arrived is called with the ids of packets, before the session gets them.
func (e *checkedEnd) arrived(packets []csp.Packet) {
	if e.over {
		return
	}
	before := e.inOrder
	for _, p := range packets {
		for uint64(len(e.have)) < p.ID {
			e.have = append(e.have, false)
		}
		e.have[p.ID-1] = true
		for e.inOrder < uint64(len(e.have)) && e.have[e.inOrder] {
			e.inOrder++
		}
	}
	if e.inOrder > before && !e.owed {
		e.owed, e.since = true, time.Now()
	}
	if e.sawEnd() {
		e.ended = true
	}
	e.maybeOver()
}

// sawEnd reports whether everything up to the peer's end arrived.
func (e *checkedEnd) sawEnd() bool { return e.inOrder > 0 && e.peer.packets[e.inOrder-1].last }

// maybeOver notes that both ends are sent, received and acknowledged.
func (e *checkedEnd) maybeOver() {
	if e.sawEnd() && e.endTaken() && e.acked == uint64(len(e.packets)) {
		e.over = true
	}
}

// check compares the session with what it should be. It is called after every step.
func (e *checkedEnd) check() {
	if (e.session.Err() != nil) != e.over || e.over && (len(e.closed) != 1 || e.closed[0].Code != cause.Closed) || !e.over && len(e.closed) > 0 {
		e.t.Fatalf("%c: error %v, Closed was called with %v; should be over: %v", e.name, e.session.Err(), e.closed, e.over)
	}
	if e.over {
		if !e.whole() {
			e.t.Fatalf("%c is over, but received %d of %d bytes, and %d of the %d it sent arrived", e.name, e.got, e.peer.sent, e.peer.got, e.sent)
		}
		return
	}
	if got := e.session.Received(); got != e.inOrder {
		e.t.Fatalf("%c says that it has %d packets, should have %d", e.name, got, e.inOrder)
	}
	if want := e.peer.delivered(e.inOrder); e.got != want {
		e.t.Fatalf("%c: %d bytes of %d packets were delivered, should be %d", e.name, e.got, e.inOrder, want)
	}
	if e.starved && e.idle() {
		e.t.Fatalf("%c: a refused Reserve was never told that everything is acknowledged", e.name)
	}
	if e.link != nil {
		e.link.check()
	}
}

func (e *checkedEnd) delivered(id uint64) int {
	if id == 0 {
		return 0
	}
	return e.packets[id-1].end
}

// whole reports whether all that was sent has arrived, both ways.
func (e *checkedEnd) whole() bool { return e.got == e.peer.sent && e.peer.got == e.sent }
