package csp_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"testing"

	"encke/buffer"
	"encke/cause"
	"encke/csp"
)

// end is one end of a session in a simulated network, with everything it ever
// sent and received.
type end struct {
	name    string
	session *csp.Session
	handler recorder
	sent    bytes.Buffer
	links   []*simLink // that carry away from here; the last one is attached
}

// simLink is a link with what is on its way, batch by batch. A dead one may still
// have something on its way.
type simLink struct {
	link *csp.Link
	wire [][]byte
	next uint64 // of the receiver
}

// request asks far to attach a link, beginning behind what near had received when
// it was made. It may arrive late, or twice.
type request struct {
	far *end
	ack uint64
}

type network struct {
	rng      *rand.Rand
	ends     [2]*end
	requests []request
	trace    []string
}

func (n *network) logf(format string, args ...any) {
	n.trace = append(n.trace, fmt.Sprintf(format, args...))
}

// step lets one random thing happen.
func (n *network) step() error {
	i := n.rng.Intn(2)
	near, far := n.ends[i], n.ends[1-i]
	switch n.rng.Intn(12) {
	case 0, 1:
		p := make([]byte, 1+n.rng.Intn(400))
		n.rng.Read(p)
		near.sent.Write(p)
		n.logf("%s sends %d bytes", near.name, len(p))
		near.session.Send(buffer.Copy(p), 0)
	case 2, 3, 4:
		n.take(near, 1+n.rng.Intn(1000))
	case 5, 6, 7:
		return n.carry(near, far)
	case 8:
		n.cut(near)
	case 9, 10:
		n.logf("%s asks for a link behind %d", near.name, near.session.Received())
		n.requests = append(n.requests, request{far, near.session.Received()})
	case 11:
		return n.attach()
	}
	return nil
}

func (n *network) take(e *end, limit int) bool {
	if len(e.links) == 0 {
		return false
	}
	l := e.links[len(e.links)-1]
	var b csp.Batch
	ok, err := l.link.Take(&b, limit)
	if !ok || err != nil {
		return false
	}
	n.logf("%s takes %d packets from %d, seq %v, ack %v %d", e.name, len(b.Packets), b.First, b.Seq, b.HasAck, b.Ack)
	l.wire = append(l.wire, csp.Binary.Append(nil, &b))
	b.Release()
	return true
}

// carry delivers the next batch of one of near's links to far.
func (n *network) carry(near, far *end) error {
	if len(near.links) == 0 {
		return nil
	}
	l := near.links[n.rng.Intn(len(near.links))]
	if len(l.wire) == 0 {
		return nil
	}
	batch := l.wire[0]
	l.wire = l.wire[1:]
	n.logf("%s gets %d bytes", far.name, len(batch))
	var packets []csp.Packet
	var acks []uint64
	var err error
	l.next, err = csp.Parse(batch, l.next, func(r *csp.Record) error {
		switch r.Kind {
		case csp.Data:
			packets = append(packets, csp.Packet{ID: r.ID, Data: r.Data})
		case csp.Ack:
			acks = append(acks, r.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range acks {
		if err := far.session.Acked(id); err != nil {
			return err
		}
	}
	_, err = far.session.Deliver(packets, n.rng.Intn(4) == 0)
	clear(batch) // nothing of it may be kept
	return err
}

// cut loses the end of what is on its way, and mostly the link as well.
func (n *network) cut(e *end) {
	if len(e.links) == 0 {
		return
	}
	i := n.rng.Intn(len(e.links))
	l := e.links[i]
	l.wire = l.wire[:n.rng.Intn(len(l.wire)+1)]
	n.logf("%s loses link %d but for %d batches", e.name, i, len(l.wire))
	l.link.Detach()
}

// attach serves a request, which may be served again later.
func (n *network) attach() error {
	if len(n.requests) == 0 {
		return nil
	}
	i := n.rng.Intn(len(n.requests))
	r := n.requests[i]
	if n.rng.Intn(3) > 0 {
		n.requests = append(n.requests[:i], n.requests[i+1:]...)
	}
	return n.serve(r)
}

func (n *network) serve(r request) error {
	link, err := r.far.session.Attach(r.ack, func() {})
	if err != nil {
		return err
	}
	n.logf("%s attaches a link behind %d", r.far.name, r.ack)
	r.far.links = append(r.far.links, &simLink{link: link})
	if len(r.far.links) > 4 {
		r.far.links = r.far.links[1:]
	}
	return nil
}

// heal gives both ends good links and carries everything.
func (n *network) heal() error {
	for i, e := range n.ends {
		if err := n.serve(request{e, n.ends[1-i].session.Received()}); err != nil {
			return err
		}
		e.links = e.links[len(e.links)-1:]
	}
	for busy := true; busy; {
		busy = false
		for i, e := range n.ends {
			busy = n.take(e, 1<<20) || busy
			for len(e.links[0].wire) > 0 {
				if err := n.carry(e, n.ends[1-i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (n *network) check(whole bool) error {
	for i, e := range n.ends {
		got, sent := n.ends[1-i].handler.got.Bytes(), e.sent.Bytes()
		if !bytes.HasPrefix(sent, got) {
			return fmt.Errorf("what %s sent arrived wrong: %d bytes that are no prefix of the %d sent", e.name, len(got), len(sent))
		}
		if whole && len(got) != len(sent) {
			return fmt.Errorf("%d of the %d bytes that %s sent arrived", len(got), len(sent), e.name)
		}
	}
	return nil
}

func simulate(seed int64, steps int) (trace []string, err error) {
	n := &network{rng: rand.New(rand.NewSource(seed))}
	for i, name := range [...]string{"client", "server"} {
		n.ends[i] = &end{name: name}
	}
	server := csp.NewServer(csp.Options{Accept: func(*csp.Session) csp.Handler { return &n.ends[1].handler }})
	defer server.Close(cause.Closed.Err())
	if n.ends[1].session, err = server.Open(csp.Peer{}, csp.Key{}); err != nil {
		return nil, err
	}
	n.ends[0].session = csp.NewSession(csp.Options{}, &n.ends[0].handler)
	defer n.ends[0].session.Close(cause.Closed.Err())
	for range steps {
		if err := n.step(); err != nil && !errors.Is(err, io.EOF) {
			return n.trace, err
		}
		if err := n.check(false); err != nil {
			return n.trace, err
		}
	}
	if err := n.heal(); err != nil {
		return n.trace, err
	}
	return n.trace, n.check(true)
}

// Whatever a network does (lose, repeat and delay requests, cut links with data on
// their way, deliver from links that were replaced), what arrives is what was sent.
func TestChaos(t *testing.T) {
	runs := int64(3000)
	if testing.Short() {
		runs = 300
	}
	first := rand.Int63()
	t.Logf("seeds from %d", first)
	for seed := first; seed < first+runs; seed++ {
		if trace, err := simulate(seed, 150); err != nil {
			for _, line := range trace {
				t.Log(line)
			}
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}
