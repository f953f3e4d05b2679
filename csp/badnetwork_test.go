package csp_test

import (
	"errors"
	"time"

	"pgregory.net/rapid"

	"encke/cause"
	"encke/csp"
)

// badNetwork joins the client's and the server's end of a session. What is on its way
// arrives late, twice, in another order or not at all; links are cut and displaced.
type badNetwork struct {
	t        *rapid.T
	server   *csp.Server
	key      csp.Key
	ends     [2]*checkedEnd // client, server
	links    [2][]*checkedLink
	requests []request
	answers  []answer
}

// request is on its way to an end: it brings packets, asks for a link, or both.
type request struct {
	to          *checkedEnd
	fresh       bool // NEW, not RESUME
	ack         uint64
	first, last uint64 // packets of the other end; first 0: none
	attach      bool
	poll, text  bool
}

// answer is on its way to the client.
type answer struct {
	ack  uint64
	over bool
}

func newBadNetwork(t *rapid.T) *badNetwork {
	n := &badNetwork{t: t, key: csp.Key{7}}
	small := rapid.SampledFrom([]int{1 << 10, 2 << 10, 4 << 10}).Draw(t, "bound")
	opts := csp.Options{
		SendBuffer: small, MaxSendBuffer: max(2<<10, small*rapid.IntRange(1, 2).Draw(t, "growth")),
		// Requests wait here for hours.
		Linger: 1000 * time.Hour, HalfOpen: 1000 * time.Hour, GapTimeout: 1000 * time.Hour,
	}
	client := &checkedEnd{t: t, name: 'c', bound: opts.MaxSendBuffer}
	server := &checkedEnd{t: t, name: 's', bound: opts.MaxSendBuffer, peer: client}
	client.peer = server
	n.ends = [2]*checkedEnd{client, server}
	client.session = csp.NewSession(opts, client)
	opts.Accept = func(*csp.Session) csp.Handler { return server }
	n.server = csp.NewServer(opts)
	var err error
	if server.session, err = n.server.Open(csp.Peer{}, n.key); err != nil {
		t.Fatal(err)
	}
	return n
}

// pick returns an index below n.
func (n *badNetwork) pick(count int) int { return rapid.IntRange(0, count-1).Draw(n.t, "which") }

func (n *badNetwork) chance(percent int) bool {
	return rapid.IntRange(1, 100).Draw(n.t, "percent") <= percent
}

// ask puts a request on its way: for a link, and for an HTTP uplink with what the
// client has not seen acknowledged.
func (n *badNetwork) ask(from *checkedEnd, attach, packets bool) {
	if from.over {
		return
	}
	r := request{to: from.peer, ack: from.session.Received(), attach: attach}
	if from == n.ends[0] {
		r.fresh = n.chance(20)
		if r.fresh {
			r.ack = 0
		}
		r.poll, r.text = n.chance(30), n.chance(30)
		if packets && from.acked < uint64(len(from.packets)) {
			// Not more than the receiver holds above a gap.
			top := min(uint64(len(from.packets)), from.acked+64)
			r.first = from.acked + 1 + uint64(n.pick(int(top-from.acked)))
			r.last = r.first + uint64(n.pick(int(top-r.first+1)))
		}
	}
	n.requests = append(n.requests, r)
}

// session finds the server's session as a transport does.
func (n *badNetwork) session(r request) (*csp.Session, error) {
	if r.to == n.ends[0] {
		return r.to.session, nil
	}
	var s *csp.Session
	var err error
	if r.fresh {
		s, err = n.server.Open(csp.Peer{}, n.key)
	} else {
		s, err = n.server.Resume(r.to.session.ID())
	}
	if r.to.over {
		if !errors.Is(err, cause.Closed.Err()) {
			n.t.Fatalf("a request for a session that is over: %v", err)
		}
	} else if err != nil || s != r.to.session {
		n.t.Fatalf("a request finds another session, or %v", err)
	}
	return s, err
}

// serve lets a request take effect.
func (n *badNetwork) serve(r request) {
	s, err := n.session(r)
	if err != nil {
		n.answers = append(n.answers, answer{over: true})
		return
	}
	if !r.fresh {
		n.acked(r.to, r.ack)
	}
	if r.first > 0 {
		packets := n.repeat(r.to.peer, r.first, r.last)
		n.deliver(r.to, packets, true)
		if !r.to.over {
			n.answers = append(n.answers, answer{ack: s.Received()})
		}
	}
	if r.attach {
		n.attach(r)
	}
}

// repeat makes packets as they are written into a request.
func (n *badNetwork) repeat(e *checkedEnd, first, last uint64) (packets []csp.Packet) {
	for id := first; id <= last; id++ {
		s := e.packets[id-1]
		p := csp.Packet{ID: id, End: s.last, Data: make([]byte, s.end-s.start)}
		for i := range p.Data {
			p.Data[i] = content(e.name, s.start+i)
		}
		packets = append(packets, p)
	}
	return packets
}

func (n *badNetwork) attach(r request) {
	e := r.to
	l := &checkedLink{of: e, poll: r.poll, text: r.text}
	if !r.fresh {
		e.acknowledged(r.ack)
	} else {
		r.ack = 0
	}
	link, err := e.session.Attach(r.ack, l.woken)
	if e.over {
		if !errors.Is(err, cause.Closed.Err()) {
			n.t.Fatalf("Attach to a session that is over: %v", err)
		}
		return
	}
	if err != nil {
		n.t.Fatal(err)
	}
	if e.link != nil {
		e.link.mustStop(csp.ErrDisplaced)
	}
	l.link, l.next = link, e.acked+1
	e.link = l
	if r.poll {
		link.Patient()
	}
	i := 0
	if e == n.ends[1] {
		i = 1
	}
	n.links[i] = append(n.links[i], l)
	if len(n.links[i]) > 4 {
		n.links[i] = n.links[i][1:]
	}
}

// acked brings an acknowledgement to an end.
func (n *badNetwork) acked(e *checkedEnd, id uint64) {
	was := e.over
	e.acknowledged(id)
	err := e.session.Acked(id)
	if err != nil && !was {
		n.t.Fatalf("%c: acknowledgement of %d: %v", e.name, id, err)
	}
}

// deliver brings packets to an end, whose memory is used for something else afterwards.
func (n *badNetwork) deliver(e *checkedEnd, packets []csp.Packet, answered bool) {
	was := e.over
	e.arrived(packets)
	got, err := e.session.Deliver(packets, answered)
	if (err != nil) != was || err == nil && got != e.inOrder {
		n.t.Fatalf("%c: Deliver says %d, %v; has %d", e.name, got, err, e.inOrder)
	}
	if answered {
		e.owed = false
	}
	for _, p := range packets {
		clear(p.Data)
	}
}

// carry brings the next batch of a link to the other end.
func (n *badNetwork) carry(l *checkedLink) {
	e := l.of.peer
	batch := l.wire[0]
	l.wire = l.wire[1:]
	var packets []csp.Packet
	record := func(r *csp.Record) error {
		switch r.Kind {
		case csp.Data, csp.End:
			packets = append(packets, csp.Packet{ID: r.ID, Data: r.Data, End: r.Kind == csp.End})
		case csp.Ack:
			n.acked(e, r.ID)
		case csp.Close:
			n.close(e)
		}
		return nil
	}
	var err error
	if l.text {
		err = csp.ParseText(batch, record)
	} else {
		l.counted, err = csp.Parse(batch, l.counted, record)
	}
	if err != nil {
		n.t.Fatalf("%c can not read what %c said: %v", e.name, l.of.name, err)
	}
	n.deliver(e, packets, false)
	clear(batch)
}

// close tells e that the session is over for its peer.
func (n *badNetwork) close(e *checkedEnd) {
	if !e.peer.over {
		n.t.Fatalf("%c is told that the session is over, and it is not for %c", e.name, e.peer.name)
	}
	e.session.Close(cause.Closed.Err())
	e.over = true
}
