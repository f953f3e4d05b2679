package csp

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrDisplaced is returned by a Link after a newer one was attached.
var ErrDisplaced = errors.New("displaced by a newer link")

// Link is what carries a session's packets away: the downlink on a server, the
// uplink on a client. One goroutine at a time may use it.
type Link struct {
	s    *Session
	wake func()
	bell chan struct{} // what wake rings for Next; nil when the caller gave a wake

	// Guarded by s.mu.
	parked   bool   // the last Take found nothing
	spoke    bool   // something was taken; it began with an acknowledgement
	sayAck   bool   // an acknowledgement is due
	next     uint64 // id that the other side expects on this link; 0: none was sent
	pings    int
	pongs    int
	beat     bool   // an empty batch is due
	gone     error  // why the link must stop
	saidLast bool   // the Close record was taken
	by       *Link  // the one that displaced this one
	knows    bool   // its client had received what only the displaced link carried
	tookLive bool   // this one displaced a link that was alive
	before   uint64 // highest id that an earlier link carried
}

// Attach makes a new Link the one that carries packets away, beginning behind
// ack, the highest id the other side says it has. wake is called, without locks
// and from any goroutine, when a Take that found nothing would find something
// now; nil: the caller uses Next. Attach fails with the cause if the session is
// over or ack is impossible.
func (s *Session) Attach(ack uint64, wake func()) (*Link, error) {
	if err := s.Acked(ack); err != nil {
		return nil, err
	}
	l := &Link{s: s, wake: wake, sayAck: true}
	if wake == nil {
		l.bell = make(chan struct{}, 1)
		l.wake = l.ring
	}
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return nil, s.err
	}
	old := s.link
	s.link = l
	l.before = s.out.taken
	s.out.asked = false
	s.out.resize(s.opts)
	s.halfOpen = false
	s.moved = time.Now()
	s.opts.count.attached.Add(1)
	s.opts.count.retransmitted.Add(uint64(s.out.rewind()))
	if s.linger != nil {
		s.linger.Stop()
		s.linger = nil
	}
	wakeOld := noWake
	if old != nil {
		old.gone, old.by = ErrDisplaced, l
		l.knows = ack > old.before
		s.opts.count.displaced.Add(1)
		wakeOld = old.wakeIfParked()
	}
	s.mu.Unlock()
	wakeOld()
	return l, nil
}

// Detach says that the link no longer carries anything; Take and Next return
// io.EOF from now on. When it was the attached one, the session begins to linger.
func (l *Link) Detach() {
	s := l.s
	s.mu.Lock()
	if l.gone == nil {
		l.gone = io.EOF
	}
	if s.link == l {
		s.link = nil
		if s.err == nil {
			s.startLinger(s.opts.Linger)
		}
	}
	wake := l.wakeIfParked()
	s.mu.Unlock()
	wake()
}

// repeated bounds the payload bytes of a batch that an earlier link has carried in vain. A
// poll that was too large for a slow line in the time it had would be so again and again.
const repeated = 16 << 10

// Take fills b with what the link has to send, up to about max payload bytes, and
// reports whether there is anything. The caller writes it and calls b.Release.
// After the session's cause was taken the error is io.EOF, after a newer link was
// attached ErrDisplaced; then the link must end.
func (l *Link) Take(b *Batch, max int) (bool, error) {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.gone != nil {
		return false, l.gone
	}
	if s.err != nil {
		if l.saidLast {
			return false, io.EOF
		}
		l.saidLast = true
		b.Close = s.err
		return true, nil
	}
	o := &s.out
	if !l.pending() {
		l.parked = true
		return false, nil
	}
	nearly := s.in.ripe || s.in.unacked >= ackBytes/2
	if l.sayAck || !l.spoke || nearly && o.next < len(o.queue) {
		b.HasAck, b.Ack = true, s.in.got
		s.in.told()
	}
	o.resize(s.opts) // nothing may have been acknowledged for long
	b.Pings, b.Pongs = l.pings, l.pongs
	l.spoke, l.sayAck, l.pings, l.pongs, l.beat = true, false, 0, 0, false
	if o.first+uint64(o.next) <= l.before {
		max = min(max, repeated)
	}
	o.take(b, max, s.opts)
	if len(b.Packets) > 0 {
		b.Seq = b.First != l.next
		l.next = b.First + uint64(len(b.Packets))
	}
	return true, nil
}

// Park is a Take that leaves what a link begins with, to go with what comes next: wake is
// called then. It reports false, and does nothing, when there is more than that already.
func (l *Link) Park() bool {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	begins := l.sayAck
	l.sayAck = false
	l.parked = !l.pending()
	l.sayAck = begins
	return l.parked
}

// Next is Take for a goroutine that can wait, at most for wait. It reports false
// when there was nothing to send for so long; ctx ends it with ctx.Err().
func (l *Link) Next(ctx context.Context, wait time.Duration, b *Batch, max int) (bool, error) {
	var timer *time.Timer
	for {
		if ok, err := l.Take(b, max); ok || err != nil {
			return ok, err
		}
		if timer == nil {
			timer = time.NewTimer(wait)
			defer timer.Stop()
		}
		select {
		case <-l.bell:
		case <-timer.C:
			l.s.mu.Lock()
			l.s.out.resize(l.s.opts) // as with a heartbeat
			l.s.mu.Unlock()
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// Patient makes Take and Next wait for more than the acknowledgement that a link
// begins with; packets that arrived are acknowledged as on any link. It is for
// polls, which would otherwise be answered at once.
func (l *Link) Patient() {
	s := l.s
	s.mu.Lock()
	if s.link == l {
		l.sayAck = false
		s.scheduleAck()
	}
	s.mu.Unlock()
}

// AckedApart says that what the link carries is acknowledged in requests of their own, which
// takes longer than on the link itself: more may be on the way.
func (l *Link) AckedApart() {
	l.s.mu.Lock()
	if l.s.link == l {
		l.s.out.asked = true
	}
	l.s.mu.Unlock()
}

// Deliver is Session.Deliver for packets that came on the link itself, behind which others may
// be at hand: what they bring about, credit and an acknowledgement, goes out together, at the
// latest by the call with which 128 KiB have come. Flush must be called before others are
// waited for.
func (l *Link) Deliver(packets []Packet) (uint64, error) {
	return l.s.accept(packets, false, l)
}

// Due reports whether the link waits to be woken by Flush.
func (l *Link) Due() bool {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return l.parked && l.pending()
}

// Flush wakes the link if there is something to send.
func (l *Link) Flush() {
	l.s.mu.Lock()
	wake := l.s.wake()
	l.s.mu.Unlock()
	wake()
}

// Probe queues a Ping.
func (l *Link) Probe() {
	l.s.mu.Lock()
	l.pings++
	wake := l.s.wake()
	l.s.mu.Unlock()
	wake()
}

// Beat makes Take find something now, if only an empty batch: a heartbeat.
func (l *Link) Beat() {
	l.s.mu.Lock()
	l.beat = true
	wake := l.s.wake()
	l.s.mu.Unlock()
	wake()
}

// Answer queues a Pong.
func (l *Link) Answer() {
	l.s.mu.Lock()
	if l.pongs < 8 {
		l.pongs++
	}
	wake := l.s.wake()
	l.s.mu.Unlock()
	wake()
}

// pending reports, with mu held, whether Take would find something.
func (l *Link) pending() bool {
	o := &l.s.out
	return l.sayAck || l.beat || l.pings > 0 || l.pongs > 0 || o.next < len(o.queue) || l.s.err != nil || l.gone != nil
}

func (l *Link) ring() {
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

// wakeIfParked returns, with mu held, the function to call after unlocking.
func (l *Link) wakeIfParked() func() {
	if !l.parked {
		return noWake
	}
	l.parked = false
	return l.wake
}

// wake returns, with mu held, what to call after unlocking so that the attached
// link takes what is there. What a delivery brings about, credit and an
// acknowledgement, goes out together at its end.
func (s *Session) wake() func() {
	if s.link != nil && s.link.parked && (!s.delivering || s.err != nil) && s.link.pending() {
		return s.link.wakeIfParked()
	}
	return noWake
}

func noWake() {}
