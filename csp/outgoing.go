package csp

import (
	"time"

	"encke/buffer"
)

// outgoing is the sending half of a session: the packets that are not yet
// acknowledged. It is guarded by Session.mu.
type outgoing struct {
	queue    []sent // ids first, first+1, ...
	first    uint64 // id of queue[0], or of the next packet
	next     int    // index of the first packet that the attached link did not take
	taken    uint64 // highest id that any link ever took
	ended    bool   // an end-of-stream packet is queued
	asked    bool   // acknowledgements come in requests of their own
	waiting  uint8  // how many waited in this round beside who asked, manyWait at most
	steady   bool   // somebody was refused when this round began
	over     int32  // by so much at most cost is above the bound, which was lowered
	cost     int    // of the queue
	reserved int
	bound    int    // of cost + reserved
	starved  int32  // the limit by which a reservation was refused; 0: none was
	pace     int32  // KiB per second, of the last round at whose ends somebody waited; 0: none; or crowded
	passed   uint64 // last id when one that yields was refused, until it gets something; 0: none

	timed   uint64        // id of the packet whose delay is being measured; 0: none
	timedAt time.Time     // when a link took it
	delay   time.Duration // of the last one, from there to its acknowledgement
	delayAt time.Time     // when that came

	round      time.Time // when the current measurement of the link's speed began
	roundAcked int       // cost acknowledged in it
}

func (p *sent) cost() int { return max(p.size(), minCost) }

// reserve grants up to n bytes, or nothing when less than a quarter is free. Whatever else is
// sent waits behind what is on the way. So who yields gets half the first bound on a short way,
// which does as well there as all of it. On another it gets what the way carries until its
// acknowledgement comes, which is not less than it holds, and a quarter and ackBytes with which
// to find out that it carries more. It gets all of the bound before anything was acknowledged,
// which would say that somebody is there who takes what is sent; and where others fill by
// themselves what it may have. (KiB/s times 2^20 ns is about a byte.)
func (o *outgoing) reserve(n int, yield time.Duration, waiting int, opts *Options) int {
	o.waiting = max(o.waiting, uint8(min(waiting, manyWait)))
	limit := o.bound
	if yield > 0 && o.first > 1 {
		half, short := opts.SendBuffer/2, yield
		if o.asked {
			short = shortWay
		}
		if o.delay < short || time.Since(o.delayAt) > o.delayHolds() {
			limit = half
		} else if yield == shortWay && o.pace > 0 && o.delay < 10*time.Second {
			limit = min(limit, max(half, int(o.pace)*int(o.delay>>20)/4*5+ackBytes))
		}
	}
	room := limit - o.cost - o.reserved
	if room < n && room < (n+3)/4 {
		o.starved = max(o.starved, int32(limit))
		if limit < o.bound && o.passed == 0 {
			o.passed = o.first + uint64(len(o.queue)) - 1
		}
		return 0
	}
	if yield > 0 {
		o.passed = 0
	}
	n = min(n, room)
	o.reserved += n
	return n
}

// crowded is the pace where others fill what who yields may have, until the way is measured
// again.
const crowded = -1

// shortWay: a packet that is acknowledged within that went a short way; or within what less
// the caller says, unless acknowledgements come in requests of their own, which take longer. It
// is measured of one behind at most what who yields may have on the way, or the queue that more
// would be is taken for the way; and behind enough that the other side does not wait for more
// before it acknowledges.
const shortWay = 5 * time.Millisecond

// delayHolds is for how long what was measured holds; then it is tried again. A long way has
// to run dry for that, which takes two delays: of a hundred, as a rule.
func (o *outgoing) delayHolds() time.Duration {
	return min(max(100*o.delay, 2*time.Second), 10*time.Second)
}

// unstarve reports whether a refused reservation may succeed now. It waits for a
// quarter of the limit, so that readers are woken for a good piece.
func (o *outgoing) unstarve() bool {
	if o.roomy() {
		o.starved = 0
		return true
	}
	return false
}

func (o *outgoing) roomy() bool {
	limit := int(o.starved)
	return limit > 0 && limit-o.cost-o.reserved >= limit/4
}

// push queues payload, in the last packet if that has room and no link took it, or else,
// or if it is to stay apart, as a packet of its own.
func (o *outgoing) push(payload *buffer.Buffer, apart bool) {
	if n := len(o.queue); !apart && n > o.next && o.first+uint64(n)-1 > o.taken {
		last := &o.queue[n-1]
		before := last.cost()
		if last.merge(payload) {
			o.cost += last.cost() - before
			payload.Release()
			return
		}
	}
	p := newSent(payload.Fit())
	p.apart = apart
	o.cost += p.cost()
	o.queue = append(o.queue, p)
}

// pushEnd queues the end of the stream.
func (o *outgoing) pushEnd() {
	var end sent
	o.ended = true
	o.cost += end.cost()
	o.queue = append(o.queue, end)
}

// rewind makes everything from the first unacknowledged packet go out again, and
// returns how many packets of it went out before.
func (o *outgoing) rewind() int {
	again := 0
	if o.taken >= o.first {
		again = int(o.taken - o.first + 1)
	}
	o.next, o.timed = 0, 0
	return again
}

// usedUp reports that ids come near their end, 2^53-1.
func (o *outgoing) usedUp() bool { return o.first+uint64(len(o.queue)) > lastID }

// take moves packets for a link into b until limit payload bytes are reached.
func (o *outgoing) take(b *Batch, limit int, opts *Options) {
	b.First = o.first + uint64(o.next)
	for size := 0; o.next < len(o.queue) && size < limit; o.next++ {
		p := o.queue[o.next]
		if p.record != nil {
			p.record.Retain()
		}
		b.Packets = append(b.Packets, Outgoing{p})
		size += p.size()
	}
	o.taken = max(o.taken, o.first+uint64(o.next)-1)
	half := opts.SendBuffer / 2
	if enough := min(ackBytes, half/2); o.timed == 0 && len(b.Packets) > 0 && o.cost <= half && o.cost > enough {
		o.timed, o.timedAt = max(o.behind(enough), b.First), time.Now()
	}
}

// behind returns the id of the packet with which more than n is on the way, or of the last.
func (o *outgoing) behind(n int) uint64 {
	i := 0
	for ; i < o.next-1; i++ {
		if n -= o.queue[i].cost(); n < 0 {
			break
		}
	}
	return o.first + uint64(i)
}

// ack drops all packets up to id.
func (o *outgoing) ack(id uint64, opts *Options) {
	if id < o.first {
		return
	}
	n := int(id - o.first + 1)
	before := o.cost
	for i := range o.queue[:n] {
		o.cost -= o.queue[i].cost()
		if r := o.queue[i].record; r != nil {
			r.Release()
		}
	}
	o.queue = dropFront(o.queue, n)
	acked := before - o.cost
	o.roundAcked += acked
	o.setOver(max(o.over-int32(acked), min(o.over, int32(o.reserved))), opts)
	if o.timed != 0 && id >= o.timed {
		o.delayAt = time.Now()
		o.timed, o.delay, o.pace = 0, o.delayAt.Sub(o.timedAt), max(o.pace, 0)
	}
	if o.passed != 0 && id >= o.passed {
		if o.passed = 0; o.starved > 0 && !o.roomy() {
			o.delay, o.delayAt, o.pace, o.starved = shortWay, time.Now(), crowded, int32(o.bound)
		}
	}
	o.first = id + 1
	o.next = max(o.next-n, 0)
	o.resize(opts)
}

// resize doubles the bound when it is what limits a fast link: a whole bound was
// acknowledged within growTime while a reader was waiting for room. It goes back when a whole
// one takes four times as long, so that what an idle session had is there for others; and what
// was for those who waited does when they do not.
func (o *outgoing) resize(opts *Options) {
	if o.roundAcked < o.bound && o.bound == opts.SendBuffer {
		return
	}
	now := time.Now()
	near := 4 * opts.SendBuffer
	shared := near * min(1+int(o.waiting), manyWait)
	took := now.Sub(o.round)
	if o.steady && o.starved > 0 && o.roundAcked >= o.bound && o.pace != crowded {
		o.pace = int32(float64(o.roundAcked>>10) / max(took, time.Millisecond).Seconds())
	}
	switch {
	case took > 4*growTime:
		o.lower(opts.SendBuffer, opts)
	case took > 4*farTime && o.bound > near:
		o.lower(near, opts)
	case o.roundAcked < o.bound:
		return
	case o.bound > shared && !o.asked && o.delay < farWay/2:
		o.lower(near, opts)
	case int(o.starved) < o.bound || o.bound*2 > opts.MaxSendBuffer:
	case o.bound*2 <= near && took < growTime && opts.Budget.Grow(o.bound, nearShare),
		o.bound*2 > near && took < farTime && (o.far(took) || o.bound*2 <= shared) && opts.Budget.Grow(o.bound, farShare):
		o.bound *= 2
	}
	o.round, o.roundAcked, o.waiting, o.steady = now, 0, 0, o.starved > 0
}

// growTime: a link that carries its bound in this time deserves a larger one. Beyond four
// times the first bound it must be far, and carry it in farTime: what one reader fills near by
// goes no faster with more, which only leaves the processor's caches. Where others wait too
// each adds as much, up to manyWait together: with a small part of its bound for each the link
// would be idle while they take their turns.
const (
	growTime = 500 * time.Millisecond
	farTime  = 100 * time.Millisecond
	farWay   = 20 * time.Millisecond
	manyWait = 4

	// Percent of the budget by which all sessions may grow, and beyond which none grows further
	// than to what is enough near by.
	nearShare = 25
	farShare  = 12
)

// far reports, of a link that took so long for a whole bound, whether acknowledgements take
// long: they come in requests of their own, or the way is long. What was measured of that
// once, before the bound was full, may have been a busy page.
func (o *outgoing) far(took time.Duration) bool {
	return o.asked || o.delay >= farWay && took >= farWay
}

func (o *outgoing) lower(bound int, opts *Options) {
	lowered := o.bound - bound
	opts.Budget.Shrink(lowered)
	o.bound = bound
	o.setOver(int32(min(int(o.over)+lowered, max(o.cost+o.reserved-o.bound, 0))), opts)
}

// setOver keeps what is above a lowered bound in the share by which bounds may grow.
func (o *outgoing) setOver(n int32, opts *Options) {
	opts.Budget.Shrink(int(o.over - n))
	o.over = n
}

// overdone reports that far more is queued than there was room for.
func (o *outgoing) overdone() bool { return o.cost > o.bound+int(o.over)+unasked }

// unasked is how much a session may have queued beyond its bound.
const unasked = 2 << 20

// drop releases everything at the end of the session.
func (o *outgoing) drop(opts *Options) {
	for i := range o.queue {
		if r := o.queue[i].record; r != nil {
			r.Release()
		}
	}
	o.queue, o.cost, o.next = nil, 0, 0
	o.lower(opts.SendBuffer, opts)
	o.setOver(0, opts)
	o.roundAcked = 0 // nothing grows any more
}

// dropFront removes the first n elements and gives back the memory of a queue
// that was long and is empty.
func dropFront[T any](q []T, n int) []T {
	rest := copy(q, q[n:])
	clear(q[rest:])
	if rest == 0 && cap(q) > 32 {
		return nil
	}
	return q[:rest]
}
