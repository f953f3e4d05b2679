package csp_test

import (
	"io"
	"sync/atomic"
	"time"

	"encke/csp"
)

// checkedLink is a link of a checkedEnd with what is on its way on it, batch by batch.
// One that was displaced or cut may still have something on its way.
type checkedLink struct {
	of     *checkedEnd
	link   *csp.Link
	gone   error // what Take must say: displaced or detached
	next   uint64
	parked atomic.Bool // Take found nothing, and wake was not called since
	poll   bool        // ends with its first batch, and waits for more than an acknowledgement

	announced uint64 // id that runs on: what was taken last, and one
	text      bool   // text encoding
	wire      [][]byte
	counted   uint64 // next id, as the receiver counts
}

// woken is the link's wake function. Acknowledgements wake it from a timer.
func (l *checkedLink) woken() {
	if !l.parked.Swap(false) {
		l.of.t.Errorf("%c: a link was woken that waits for nothing", l.of.name)
	}
}

// mustStop notes that the link is gone; who waits for something to take is told.
func (l *checkedLink) mustStop(why error) {
	if l.gone == nil {
		l.gone = why
	}
	if l.parked.Load() {
		l.of.t.Fatalf("%c: a link is gone (%v) and was not woken", l.of.name, why)
	}
}

// pending reports whether there are packets to take.
func (l *checkedLink) pending() bool {
	e := l.of
	return l.next <= uint64(len(e.packets)) || e.sent > e.first() || e.ended && !e.endTaken()
}

func (l *checkedLink) check() {
	e := l.of
	if l.parked.Load() && l.pending() {
		e.t.Fatalf("%c: there is something to take, and the link was not woken", e.name)
	}
	if l.parked.Load() && !l.poll && e.owed && time.Since(e.since) > time.Second {
		e.t.Fatalf("%c: no acknowledgement for %v", e.name, time.Since(e.since))
	}
}

// take takes a batch and puts it on its way; false: there was none.
func (l *checkedLink) take(limit int) bool {
	e := l.of
	var b csp.Batch
	ok, err := l.link.Take(&b, limit)
	switch {
	case l.gone != nil:
		if err != l.gone {
			e.t.Fatalf("%c: Take on a link that is gone: %v, want %v", e.name, err, l.gone)
		}
		return false
	case e.over && err == io.EOF:
		return false
	case err != nil:
		e.t.Fatalf("%c: Take: %v", e.name, err)
	case !ok && (e.over || l.pending()):
		e.t.Fatalf("%c: Take finds nothing", e.name)
	case !ok:
		l.parked.Store(true)
		return false
	case e.over != (b.Close != nil):
		e.t.Fatalf("%c: Take says Close %v; over: %v", e.name, b.Close, e.over)
	case !e.over:
		l.taken(&b, limit)
	}
	if l.text {
		l.wire = append(l.wire, csp.Text.Append(nil, &b))
	} else {
		l.wire = append(l.wire, csp.Binary.Append(nil, &b))
	}
	b.Release()
	if l.poll {
		l.detach()
	}
	return true
}

// taken checks a batch: the packets that are next, each the same as ever.
func (l *checkedLink) taken(b *csp.Batch, limit int) {
	e := l.of
	if b.HasAck {
		if b.Ack != e.inOrder {
			e.t.Fatalf("%c acknowledges %d, has %d", e.name, b.Ack, e.inOrder)
		}
		e.owed = false
	}
	if l.pending() != (len(b.Packets) > 0) {
		e.t.Fatalf("%c: %d packets in a batch; there were some: %v", e.name, len(b.Packets), l.pending())
	}
	if len(b.Packets) == 0 {
		return
	}
	if b.First != l.next || b.Seq != (b.First != l.announced) {
		e.t.Fatalf("%c: a batch begins with packet %d (said: %v), want %d; %d runs on", e.name, b.First, b.Seq, l.next, l.announced)
	}
	size := 0
	for _, p := range b.Packets {
		if size >= limit {
			e.t.Fatalf("%c: a batch of more than %d bytes goes on", e.name, limit)
		}
		size += len(p.Payload())
		l.taken1(p)
		l.next++
	}
	l.announced = l.next
}

func (l *checkedLink) taken1(p csp.Outgoing) {
	e := l.of
	if l.next == uint64(len(e.packets))+1 {
		start := e.first()
		e.packets = append(e.packets, span{start, start + len(p.Payload()), p.IsEnd()})
	}
	s := e.packets[l.next-1]
	if s.end > e.sent || len(p.Payload()) != s.end-s.start || p.IsEnd() != s.last || s.last && s.end != e.sent {
		e.t.Fatalf("%c: packet %d has %d bytes, end %v; it is %+v of %d bytes", e.name, l.next, len(p.Payload()), p.IsEnd(), s, e.sent)
	}
	for i, c := range p.Payload() {
		if c != content(e.name, s.start+i) {
			e.t.Fatalf("%c: packet %d has a wrong byte at %d", e.name, l.next, i)
		}
	}
}

// detach cuts the link.
func (l *checkedLink) detach() {
	l.link.Detach()
	l.mustStop(io.EOF)
	if l.of.link == l {
		l.of.link = nil
	}
}
